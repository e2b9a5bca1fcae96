//! A decimal's text taken apart: a sign, digits, a point, digits; and whole numbers as digits.
//!
//! Not here: what a column makes of it (`copy::fit`), how it travels (the engines' rooms).

use smallvec::SmallVec;

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

/// Whether a text is a decimal written in full: at most `front` digits before the point and just `scale`
/// behind it, no zero in front that means nothing, no sign before a zero.
#[inline]
pub(crate) fn is_written(text: &[u8], front: usize, scale: usize) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let tail = if scale == 0 { 0 } else { scale + 1 };
    let Some((whole, rest)) = digits.split_at_checked(digits.len().saturating_sub(tail)) else {
        return false;
    };
    let back = match rest.split_first() {
        None if scale == 0 => rest,
        Some((b'.', back)) => back,
        _ => return false,
    };
    let fits = match whole {
        [b'0'] => true,
        [] | [b'0', ..] => false,
        whole => whole.len() <= front,
    };
    let (mut plain, mut zero) = (true, true);
    for digit in whole.iter().chain(back) {
        plain &= digit.is_ascii_digit();
        zero &= *digit == b'0';
    }
    fits && plain && !(zero && digits.len() < text.len())
}

/// Appends a whole number's digits, without the formatting machinery: this is done for every row.
#[inline]
pub(crate) fn push_whole(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&digits(number));
}

/// A whole number's digits.
#[inline]
pub(crate) fn digits(number: i64) -> SmallVec<[u8; 20]> {
    let mut backwards: SmallVec<[u8; 20]> = SmallVec::new();
    let mut left = number.unsigned_abs();
    loop {
        backwards.push(b'0' + u8::try_from(left % 10).unwrap_or_default());
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        backwards.push(b'-');
    }
    backwards.reverse();
    backwards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_written_in_full_in_one_way_only() {
        for (text, wanted) in [
            ("0.00", true),
            ("12.34", true),
            ("-0.01", true),
            ("-0.00", false),
            ("00.00", false),
            ("123.45", false),
            ("1.2", false),
            (".12", false),
            ("12.345", false),
            ("1x.00", false),
            ("12-34", false),
            ("--1.00", false),
            ("", false),
            ("-", false),
        ] {
            assert_eq!(is_written(text.as_bytes(), 2, 2), wanted, "{text}");
        }
        assert!(is_written(b"7", 1, 0) && is_written(b"-7", 1, 0));
        assert!(!is_written(b"7.", 1, 0) && !is_written(b"", 1, 0) && !is_written(b"-0", 1, 0));
    }

    #[test]
    fn digits_are_those_that_everybody_writes() {
        for number in [0, 7, -7, 10, 1_234_567_890, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            push_whole(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }

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
