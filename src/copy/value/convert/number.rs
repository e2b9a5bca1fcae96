//! Whole numbers, money, flags and UPRNs: exact, or not at all.
//!
//! Not here: dates (`date`).

/// A whole number: a sign and digits, a fraction of zeros at most.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// A float that is a whole number, exactly.
#[expect(
    clippy::cast_possible_truncation,
    reason = "guarded: whole and below 2^53"
)]
pub(crate) fn whole(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    exact.then_some(number as i64)
}

/// Writes a decimal at `scale`; false when the text is none or has digits beyond its scale. Never
/// `-0.00`, never a rounding.
pub(crate) fn decimal(text: &str, scale: u32, negate: bool, out: &mut Vec<u8>) -> bool {
    let (minus, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let point = digits
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(digits.len());
    let (whole, fraction) = (
        &digits[..point],
        digits.get(point + 1..).unwrap_or_default(),
    );
    let all_digits = whole.iter().chain(fraction).all(u8::is_ascii_digit);
    if !all_digits || whole.len() + fraction.len() == 0 || whole.len() > 30 {
        return false;
    }
    let scale = scale as usize;
    let (kept, beyond) = fraction.split_at(fraction.len().min(scale));
    if beyond.iter().any(|digit| *digit != b'0') {
        return false;
    }
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = &whole[zeros..];
    let nothing = whole.is_empty() && kept.iter().all(|digit| *digit == b'0');
    if minus != negate && !nothing {
        out.push(b'-');
    }
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(kept);
        out.resize(out.len() + scale - kept.len(), b'0');
    }
    true
}

/// A float at `scale`, only where its shortest text at that scale is the very same float.
pub(crate) fn exact(number: f64, scale: u32) -> Option<String> {
    let text = format!("{number:.*}", scale as usize);
    let same = number.is_finite() && number.abs() < 9.0e15 && text.parse() == Ok(number);
    same.then_some(text)
}

/// Pence of a decimal of scale 2 that `decimal` wrote.
pub(crate) fn pence(text: &[u8]) -> Option<i64> {
    let (minus, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let pence = digits
        .iter()
        .filter(|byte| **byte != b'.')
        .try_fold(0_i64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
        })?;
    Some(if minus { -pence } else { pence })
}

/// A flag's text.
pub(crate) fn flag(text: &str) -> Option<i64> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["1", "y", "yes", "t", "true", "-1"]) {
        return Some(1);
    }
    is(&["0", "n", "no", "f", "false"]).then_some(0)
}

/// A UPRN of 1 to 12 digits without leading zeros; `100061234567.0` is mended, an exponent is lost.
pub(crate) fn uprn(text: &str) -> Option<&str> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = whole.trim_start_matches('0');
    let fine = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fine.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Option<String> {
        let mut out = Vec::new();
        decimal(text, 2, false, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn money_is_exact_or_refused() {
        for (text, wanted) in [
            ("612480.17", "612480.17"),
            ("-0.00", "0.00"),
            ("-.5", "-0.50"),
            ("0007", "7.00"),
            ("+3.1000", "3.10"),
            ("5.", "5.00"),
        ] {
            assert_eq!(money(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "1.005", "1,000.00", "", "-", ".", "1e3", "NaN", "12.3.4", "£5", "٣",
        ] {
            assert_eq!(money(text), None, "{text}");
        }
    }

    #[test]
    fn a_float_is_money_only_where_it_is_exact() {
        assert_eq!(exact(1.10, 2).as_deref(), Some("1.10"));
        assert_eq!(exact(0.1 + 0.2, 2), None);
        assert_eq!(exact(1.005, 2), None);
        assert_eq!(exact(f64::NAN, 2), None);
        assert_eq!(exact(f64::INFINITY, 2), None);
    }

    #[test]
    fn the_other_sign_convention_turns_the_sign_and_never_makes_minus_nothing() {
        for (text, wanted) in [("5.00", "-5.00"), ("-5.00", "5.00"), ("0.00", "0.00")] {
            let mut out = Vec::new();
            assert!(decimal(text, 2, true, &mut out));
            assert_eq!(out, wanted.as_bytes());
        }
    }

    #[test]
    fn pence_of_both_signs() {
        assert_eq!(pence(b"-12.34"), Some(-1234));
        assert_eq!(pence(b"0.05"), Some(5));
        assert_eq!(pence(b"99999999999999999999.00"), None);
    }

    #[test]
    fn a_uprn_that_a_spreadsheet_rounded_is_lost() {
        assert_eq!(uprn("100061234567"), Some("100061234567"));
        assert_eq!(uprn("100061234567.0"), Some("100061234567"));
        assert_eq!(uprn("000612345"), Some("612345"));
        for text in ["1.00061E+11", "1234567890123", "0", "12a", "12.5"] {
            assert_eq!(uprn(text), None, "{text}");
        }
    }
}
