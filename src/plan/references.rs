//! Ranges of references as registers number their rows: `10000` to `19999`, `WD0001` to `WD0999`. They
//! stay text, and no engine's order decides: the same letters in front, digits behind.
//!
//! In: the two ends as a map writes them. Out: whether a reference lies between.
//!
//! Not here: what a range is for (`condition`).

/// References from one to another, both of them among it.
///
/// Where both ends have as many digits, so has every reference between them (`00010` is not `10`). Where
/// they do not (`1` to `999`), references are numbers without noughts in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// What stands before the digits.
    front: String,
    /// The digits of the first.
    first: String,
    /// The digits of the last.
    last: String,
}

/// Why two texts are not the ends of a range. Said after "a range".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRange {
    /// An end without a digit behind.
    #[error("needs digits at the end of `from` and of `to`")]
    NoDigits,
    /// Different letters in front.
    #[error("needs the same letters before the digits of `from` and of `to`")]
    OtherLetters,
    /// `01` to `999`.
    #[error("needs `from` and `to` with as many digits, or both without noughts in front")]
    Noughts,
    /// The last comes before the first.
    #[error("needs a `from` that comes before its `to`")]
    Backwards,
}

impl References {
    /// The range between two references.
    ///
    /// # Errors
    /// See [`NoRange`].
    pub fn read(from: &str, to: &str) -> Result<References, NoRange> {
        let ((front, first), (other, last)) = (cut(from.trim()), cut(to.trim()));
        if first.is_empty() || last.is_empty() {
            return Err(NoRange::NoDigits);
        }
        if front != other {
            return Err(NoRange::OtherLetters);
        }
        if first.len() != last.len() && [first, last].into_iter().any(has_noughts) {
            return Err(NoRange::Noughts);
        }
        if number(first) > number(last) {
            return Err(NoRange::Backwards);
        }
        Ok(References {
            front: front.to_owned(),
            first: first.to_owned(),
            last: last.to_owned(),
        })
    }

    /// Whether a reference lies in it.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let Some(digits) = text.strip_prefix(self.front.as_str()) else {
            return false;
        };
        let alike = self.first.len() == self.last.len() || !has_noughts(digits);
        alike
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (number(&self.first)..=number(&self.last)).contains(&number(digits))
    }
}

/// Numbers of as many digits are in the order of their text, others in that of their lengths.
fn number(digits: &str) -> (usize, &str) {
    (digits.len(), digits)
}

fn has_noughts(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// What stands before the digits at the end, and those.
fn cut(text: &str) -> (&str, &str) {
    text.split_at(text.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_in_a_range_only_if_it_is_written_like_its_ends() {
        let in_it = |from, to, text| References::read(from, to).unwrap().holds(text);
        for (from, to, inside, outside) in [
            ("10000", "19999", "15000", "15"),
            ("10000", "19999", "19999", "199990"),
            ("10000", "19999", "10000", "9999"),
            ("00010", "00020", "00015", "15"),
            ("1", "999", "15", "015"),
            ("0", "10", "0", "00"),
            ("WD0001", "WD0999", "WD0500", "0500"),
            ("WD0001", "WD0999", "WD0001", "wd0001"),
            ("ST12/001", "ST12/099", "ST12/050", "ST13/050"),
            ("10", "20", "15", "15a"),
            ("10", "20", "20", "1\u{665}"),
        ] {
            assert!(in_it(from, to, inside), "{from} to {to} holds {inside}");
            assert!(!in_it(from, to, outside), "{from} to {to}: not {outside}");
        }
        assert!(!in_it("10", "20", ""));
    }

    #[test]
    fn ends_that_are_no_ends_say_why() {
        let why = |from, to| References::read(from, to).unwrap_err();
        assert_eq!(why("A", "B"), NoRange::NoDigits);
        assert_eq!(why("A1", "B2"), NoRange::OtherLetters);
        assert_eq!(why("2020-01-01", "2020-12-31"), NoRange::OtherLetters);
        assert_eq!(why("01", "999"), NoRange::Noughts);
        assert_eq!(why("20", "10"), NoRange::Backwards);
        assert_eq!(why("10", "9"), NoRange::Backwards);
    }
}
