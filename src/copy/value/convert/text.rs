//! Text as legacy systems leave it: padded, with NUL characters, in Windows-1252, encoded twice.
//!
//! Not here: what the text means (`number`, `date`).

/// What was mended on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mended {
    /// NUL characters were dropped.
    pub(crate) nul: bool,
    /// The encoding was mended.
    pub(crate) encoding: bool,
}

/// Bytes as UTF-8 text: as they stand where they can, mended into `scratch` where they must. None
/// when they are no text and may not be (or cannot be) mended.
pub(crate) fn readable<'a>(
    bytes: &'a [u8],
    repair: bool,
    scratch: &'a mut Vec<u8>,
    mended: &mut Mended,
) -> Option<&'a str> {
    if !bytes.contains(&0) {
        match std::str::from_utf8(bytes) {
            Ok(text) if !repair || text.is_ascii() => return Some(text),
            Ok(text) if !encoded_twice(text, scratch) => return Some(text),
            Ok(_) => mended.encoding = true,
            Err(_) if repair && from_windows_1252(bytes, scratch) => mended.encoding = true,
            Err(_) => return None,
        }
        return std::str::from_utf8(scratch).ok();
    }
    mended.nul = true;
    let kept: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let mut second = Vec::new();
    let text = readable(&kept, repair, &mut second, mended)?.to_owned();
    scratch.clear();
    scratch.extend_from_slice(text.as_bytes());
    std::str::from_utf8(scratch).ok()
}

/// Windows-1252's own characters from 0x80 to 0x9f; the five holes are 0
/// (<https://encoding.spec.whatwg.org/#windows-1252>, holes refused since they cannot be undone).
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// Reads bytes as Windows-1252 into `out`; false when one of them is none.
fn from_windows_1252(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    for byte in bytes {
        let letter = match byte {
            0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
            _ => char::from(*byte),
        };
        if letter == '\0' {
            return false;
        }
        let mut room = [0; 4];
        out.extend_from_slice(letter.encode_utf8(&mut room).as_bytes());
    }
    true
}

/// UTF-8 that was read as Windows-1252 and encoded again (`â€™` for `’`): written back once into
/// `out`. False when the text is not such, or not reversibly.
fn encoded_twice(text: &str, out: &mut Vec<u8>) -> bool {
    out.clear();
    for letter in text.chars() {
        match to_windows_1252(letter) {
            Some(byte) => out.push(byte),
            None => return false,
        }
    }
    std::str::from_utf8(out).is_ok()
}

fn to_windows_1252(letter: char) -> Option<u8> {
    if let code @ (0..=0x7f | 0xa0..=0xff) = u32::from(letter) {
        u8::try_from(code).ok()
    } else {
        let place = HIGH.iter().position(|high| *high == letter)?;
        u8::try_from(0x80 + place).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], repair: bool) -> (Option<String>, Mended) {
        let (mut scratch, mut mended) = (Vec::new(), Mended::default());
        let text = readable(bytes, repair, &mut scratch, &mut mended).map(str::to_owned);
        (text, mended)
    }

    #[test]
    fn a_pound_sign_survives_every_encoding_it_is_found_in() {
        for (bytes, mended) in [
            ("£5".as_bytes(), false),
            (b"\xa35", true),
            ("Â£5".as_bytes(), true),
        ] {
            let (text, found) = read(bytes, true);
            assert_eq!(text.as_deref(), Some("£5"));
            assert_eq!(found.encoding, mended);
        }
    }

    #[test]
    fn smart_quotes_are_mended_and_honest_accents_left_alone() {
        assert_eq!(
            read("Oâ€™Brien".as_bytes(), true).0.as_deref(),
            Some("O’Brien")
        );
        assert_eq!(read(b"O\x92Brien", true).0.as_deref(), Some("O’Brien"));
        for honest in ["Zoë", "Łukasz", "naïve café", "plain"] {
            let (text, mended) = read(honest.as_bytes(), true);
            assert_eq!((text.as_deref(), mended.encoding), (Some(honest), false));
        }
    }

    #[test]
    fn what_cannot_be_undone_is_refused() {
        assert_eq!(read(b"\x81", true).0, None);
        assert_eq!(read(b"\xa3", false).0, None);
    }

    #[test]
    fn nul_goes_and_line_breaks_stay() {
        let (text, mended) = read(b"a\0b\r\n\tc\0", false);
        assert_eq!(text.as_deref(), Some("ab\r\n\tc"));
        assert!(mended.nul);
    }
}
