//! Conditions on the rows of a source, as maps write them, and what they hold of a value: in one place for
//! all engines, letter by letter, whatever a column's collation.
//!
//! In: a value's trimmed text. Out: whether it passes.
//!
//! Not here: reading them from a file (`map_condition`), finding the value (`copy::mapping`).

use super::map::ColumnRef;
use super::model::Place;
use super::postcode::PostcodePart;
use super::references::References;

/// A condition on a source column, compared as trimmed text (`NULL` never matches `is`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Column of the dataset's source table, or of a parent by a declared relation.
    pub column: ColumnRef,
    /// The test.
    pub test: Test,
    /// Where it stands.
    pub place: Place,
}

/// The test of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `is = […]`: one of these.
    Is(Vec<String>),
    /// `not = […]`: none of these (NULL passes).
    Not(Vec<String>),
    /// `starts-with = […]`: begins with one of these.
    StartsWith(Vec<String>),
    /// `from = "10000", to = "19999"`: a reference between these.
    Between(References),
    /// `postcode = […]`: a postcode in one of these parts.
    Postcode(Vec<PostcodePart>),
    /// `blank = true`: NULL or only spaces.
    Blank,
    /// `present = true`: neither.
    Present,
}

impl Test {
    /// Whether a value passes: its trimmed text, none for `NULL`.
    #[must_use]
    pub fn holds(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Test::Not(_), None) => true,
            (Test::Not(words), Some(text)) => !words.iter().any(|word| word == text),
            (Test::Blank, text) => text.unwrap_or_default().is_empty(),
            (Test::Present, text) => !text.unwrap_or_default().is_empty(),
            (_, None) => false,
            (Test::Is(words), Some(text)) => words.iter().any(|word| word == text),
            (Test::StartsWith(fronts), Some(text)) => {
                fronts.iter().any(|front| text.starts_with(front.as_str()))
            }
            (Test::Between(range), Some(text)) => range.holds(text),
            (Test::Postcode(parts), Some(text)) => parts.iter().any(|part| part.holds(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_of_a_row_without_a_value_but_that() {
        let words = || vec!["D".to_owned()];
        for (test, null, blank, there) in [
            (Test::Is(words()), false, false, true),
            (Test::Not(words()), true, true, false),
            (Test::StartsWith(words()), false, false, true),
            (Test::Postcode(Vec::new()), false, false, false),
            (Test::Blank, true, true, false),
            (Test::Present, false, false, true),
        ] {
            let found = (
                test.holds(None),
                test.holds(Some("")),
                test.holds(Some("D")),
            );
            assert_eq!(found, (null, blank, there), "{test:?}");
        }
        assert!(
            !Test::StartsWith(words()).holds(Some("d1")),
            "letter by letter"
        );
    }
}
