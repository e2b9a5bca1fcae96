//! A decimal's text taken apart: a sign, digits, a point, digits.
//!
//! Not here: what a column makes of it (`copy::fit`), how it travels (the engines' rooms).

/// The parts of a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal<'t> {
    /// It begins with `-`; so may a zero.
    pub(crate) negative: bool,
    /// The digits before the point, without leading zeros.
    pub(crate) front: &'t [u8],
    /// Those behind it, as many as were written.
    pub(crate) back: &'t [u8],
}

/// Takes it apart; none where it is no plain decimal.
pub(crate) fn split(text: &str) -> Option<Decimal<'_>> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (front, back) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(plain(front) && plain(back)) || (front.is_empty() && back.is_empty()) {
        return None;
    }
    Some(Decimal {
        negative,
        front: front.trim_start_matches('0').as_bytes(),
        back: back.as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_taken_apart_and_whatever_else_is_none() {
        let told = |text| {
            let parts = split(text)?;
            let [front, back] = [parts.front, parts.back].map(String::from_utf8_lossy);
            Some(format!("{} {front} {back}", parts.negative))
        };
        for (text, wanted) in [
            ("-007.10", Some("true 7 10")),
            ("+.5", Some("false  5")),
            ("0", Some("false  ")),
            ("1.", Some("false 1 ")),
            (".", None),
            ("", None),
            ("1e3", None),
            ("--1", None),
            ("1.2.3", None),
            ("١", None),
        ] {
            assert_eq!(told(text).as_deref(), wanted, "{text}");
        }
    }
}
