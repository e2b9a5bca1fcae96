//! Text that every engine holds as it is, told at a glance.
//!
//! Not here: text that needs a longer look (`copy::fit`, `copy::convert::text`).

/// Whether bytes are ASCII without a NUL: UTF-8 and Windows-1252 at once, as many characters as bytes.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    // Without an end before the last byte, so that many bytes are looked at in one step.
    bytes
        .iter()
        .fold(true, |plain, byte| plain & (byte.wrapping_sub(1) < 0x7f))
}

/// Whether a text is a UUID of 36 letters, none of them a capital.
#[inline]
pub(crate) fn is_uuid(text: &[u8]) -> bool {
    let mut letters = text.iter().enumerate();
    text.len() == 36
        && letters.all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => *letter == b'-',
            _ => matches!(letter, b'0'..=b'9' | b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn neither_nul_nor_what_is_beyond_ascii_is_plain() {
        assert!(is_plain(b"") && is_plain(b"\x01 ~\x7f"));
        for bytes in [
            &b"a\0"[..],
            b"\x80",
            "\u{e9}".as_bytes(),
            b"0123456789abcdef\xff",
        ] {
            assert!(!is_plain(bytes), "{bytes:?}");
        }
    }
}
