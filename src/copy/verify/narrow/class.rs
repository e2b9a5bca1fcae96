//! How one stored value differs from what it should be, in a word that tells nothing of either.
//!
//! In: two canonical values. Out: a class.
//!
//! Not here: pairs of rows (`swaps`), which value should be there (`lines`).

use crate::orgdb::{ValueRef, moment};

/// How a column differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// In anything else than what follows.
    Changed,
    /// In upper and lower case alone.
    Case,
    /// In spaces at its end alone.
    TrailingSpaces,
    /// Nothing stands there where a blank should, or the other way round.
    BlankOrNull,
    /// In the fraction of a second alone.
    Fraction,
    /// In its type alone: a file's column that takes any.
    Type,
    /// It holds what another differing row of the table should hold, and that one what it should.
    Swapped,
}

impl Class {
    /// As people and programs read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Changed => "changed",
            Class::Case => "only case",
            Class::TrailingSpaces => "only trailing spaces",
            Class::BlankOrNull => "blank against NULL",
            Class::Fraction => "only a fraction of a second",
            Class::Type => "only its type",
            Class::Swapped => "swapped with another row",
        }
    }

    /// The class of a difference; none where there is none.
    pub(super) fn of(due: ValueRef<'_>, stands: ValueRef<'_>) -> Option<Class> {
        if same(due, stands) {
            return None;
        }
        let class = match (due, stands) {
            (ValueRef::Null, ValueRef::Text(text)) | (ValueRef::Text(text), ValueRef::Null)
                if text.trim_ascii().is_empty() =>
            {
                Class::BlankOrNull
            }
            (ValueRef::Text(due), ValueRef::Text(stands)) => {
                match (std::str::from_utf8(due), std::str::from_utf8(stands)) {
                    (Ok(due), Ok(stands)) => of_texts(due, stands),
                    _ => Class::Changed,
                }
            }
            (due, stands) if bare(due).is_some_and(|due| bare(stands) == Some(due)) => Class::Type,
            _ => Class::Changed,
        };
        Some(class)
    }
}

fn of_texts(due: &str, stands: &str) -> Class {
    if due.trim_end() == stands.trim_end() {
        Class::TrailingSpaces
    } else if due.to_lowercase() == stands.to_lowercase() {
        Class::Case
    } else if let (Some(due), Some(stands)) = (to_the_second(due), to_the_second(stands))
        && due == stands
    {
        Class::Fraction
    } else {
        Class::Changed
    }
}

/// A clock reading or a moment without its fraction, as a number; none for any other text.
fn to_the_second(text: &str) -> Option<(Option<jiff::civil::Date>, i64)> {
    if !text.contains(':') {
        return None;
    }
    if let Some(moment) = moment::utc(text) {
        let since = moment.time().duration_since(jiff::civil::Time::midnight());
        return Some((Some(moment.date()), since.as_secs()));
    }
    Some((None, moment::time(text)?.div_euclid(1_000_000)))
}

/// Bit by bit: two floats that are no number are alike.
fn same(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Real(left), ValueRef::Real(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    }
}

/// What a value says, whatever its type.
fn bare(value: ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string().into_bytes()),
        ValueRef::Real(number) => Some(number.to_string().into_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(due: &str, stands: &str) -> Option<Class> {
        let [due, stands] = [due, stands].map(|text| ValueRef::Text(text.as_bytes()));
        Class::of(due, stands)
    }

    #[test]
    fn each_kind_of_difference_has_its_class_and_no_other() {
        for (due, stands, wanted) in [
            ("12.50", "12.51", Class::Changed),
            ("12.50", "-12.50", Class::Changed),
            ("fine", "fine ", Class::TrailingSpaces),
            ("Ann", "ANN", Class::Case),
            ("É", "é", Class::Case),
            ("Ann", "ANN ", Class::Changed),
            (" Ann", "Ann", Class::Changed),
            (
                "2019-10-27T01:30:00.000001Z",
                "2019-10-27T01:30:00Z",
                Class::Fraction,
            ),
            (
                "2019-10-27T01:30:00Z",
                "2019-10-27T01:30:01Z",
                Class::Changed,
            ),
            ("12:00:00.5", "12:00:00.25", Class::Fraction),
            ("1: one", "1: two", Class::Changed),
        ] {
            assert_eq!(texts(due, stands), Some(wanted), "{due} {stands}");
            assert_eq!(texts(stands, due), Some(wanted), "{stands} {due}");
        }
        assert_eq!(texts("same", "same"), None);
    }

    #[test]
    fn nothing_against_a_blank_is_told_from_nothing_against_something() {
        let text = |text: &'static str| ValueRef::Text(text.as_bytes());
        for blank in ["", " "] {
            assert_eq!(
                Class::of(ValueRef::Null, text(blank)),
                Some(Class::BlankOrNull)
            );
            assert_eq!(
                Class::of(text(blank), ValueRef::Null),
                Some(Class::BlankOrNull)
            );
        }
        assert_eq!(Class::of(ValueRef::Null, text("x")), Some(Class::Changed));
        assert_eq!(Class::of(ValueRef::Null, ValueRef::Null), None);
        assert_eq!(
            Class::of(ValueRef::Integer(7), text("7")),
            Some(Class::Type)
        );
        assert_eq!(
            Class::of(ValueRef::Integer(7), ValueRef::Integer(8)),
            Some(Class::Changed)
        );
    }
}
