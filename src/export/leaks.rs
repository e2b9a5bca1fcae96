//! Personal data that stand where none can have come by an honest way: e-mail addresses, National Insurance
//! numbers and telephone numbers in the lines of a log, in what was signed, in ledgers' rows. Types keep them
//! out as entries are written; whoever wrote anything by hand was not kept out by types.
//!
//! In: bytes. Out: what sort of thing stands there. Names and addresses look like any other text: nobody can
//! tell them by their form.
//!
//! Not here: the papers, which organisations write and may name their offices in.

use crate::journal::{JournalFault, LogFolder};
use crate::replay::verify::Finding;

/// Findings kept.
const FINDINGS_MAX: usize = 100;

/// The entries of a log in which something stands that looks like somebody's, at most a hundred.
///
/// # Errors
/// When the log cannot be read.
pub fn of_log(log: &LogFolder) -> Result<Vec<Finding>, JournalFault> {
    let lines = (0..).zip(log.lines()?.map_while(Result::ok));
    let found = lines.filter_map(|(seq, line)| Some((seq, kind(&line)?)));
    let told = |(seq, what)| Finding::wrong("PII_LEAK", Some(seq), format!("{what} stands in it"));
    Ok(found.map(told).take(FINDINGS_MAX).collect())
}

/// What stands there that looks like somebody's; never the thing itself.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<&'static str> {
    let mut words = bytes
        .split(|byte| !is_word(*byte))
        .filter(|word| word.len() >= 6);
    words
        .find_map(|word| {
            let text = std::str::from_utf8(word).ok()?;
            is_address(text)
                .then_some("an e-mail address")
                .or_else(|| is_insurance(text).then_some("a National Insurance number"))
        })
        .or_else(|| telephone(bytes).then_some("a telephone number"))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"@._-+/=".contains(&byte)
}

/// `local@domain.top`: keys of logs and namespaces of signatures have no dot behind the sign.
fn is_address(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else {
        return false;
    };
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    let letters = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    !local.is_empty() && letters
}

/// `QQ123456C`.
fn is_insurance(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 9
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&bytes[8])
}

/// A run of digits and spaces of a United Kingdom number: eleven digits from 0, or `+44` and ten more, by
/// themselves.
fn telephone(bytes: &[u8]) -> bool {
    let spaced = |byte: &u8| byte.is_ascii_digit() || b" +".contains(byte);
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| spaced(byte)).count();
        let number = bytes[at..at + run].trim_ascii();
        if number.len() >= 11 {
            let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
            let from = at + blanks;
            let before = from.checked_sub(1).and_then(|at| bytes.get(at));
            let after = bytes.get(from + number.len());
            let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !is_word(*byte));
            if alone(before) && alone(after) && is_number(number) {
                return true;
            }
        }
        at += run + 1;
    }
    false
}

fn is_number(run: &[u8]) -> bool {
    let plus = run.iter().find(|byte| **byte != b' ') == Some(&b'+');
    let digits: Vec<u8> = run.iter().copied().filter(u8::is_ascii_digit).collect();
    if plus {
        digits.len() == 12 && digits.starts_with(b"44")
    } else {
        digits.len() == 11 && matches!(digits[..2], [b'0', b'1'..=b'9'])
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn what_looks_like_somebodys_is_told_and_nothing_else_is() {
        for (text, what) in [
            (
                r#"{"actual":"canary.h001@mail.example"}"#,
                Some("an e-mail address"),
            ),
            (
                r#"{"actual":"QQ123456C"}"#,
                Some("a National Insurance number"),
            ),
            (r#"{"actual":"07700 900123"}"#, Some("a telephone number")),
            (
                r#"{"actual":"+44 7700 900123"}"#,
                Some("a telephone number"),
            ),
            (
                r#"{"actual":"01223900123 rows"}"#,
                Some("a telephone number"),
            ),
            (r#"{"space":"approval@handover"}"#, None),
            (r#"{"mono":"123456789012","seq":12}"#, None),
            (r#"{"at":"2026-11-23T12:00:00.000Z"}"#, None),
            (r#"{"digest":"00012345678901234567890123456789"}"#, None),
            (r#"{"key":"SHA256:QQ123456C+abc"}"#, None),
        ] {
            assert_eq!(kind(text.as_bytes()), what, "{text}");
        }
    }
}
