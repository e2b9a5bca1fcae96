//! Is a line canonical? RFC 8785 (JCS) narrowed to what a step log may hold (RFC 7493 and
//! `step-log` rules): no white space, keys in strict ascending order (so no duplicates), shortest
//! escapes, integers only and within 2^53-1, no `null` outside the ignored part `x`.
//!
//! In: bytes. Out: nothing, or where and why not. One pass, no allocation: reading a log must cost
//! little more than hashing it. A test holds it against `serde_json_canonicalizer`.
//!
//! Not here: what a line means (`line`).

/// The largest integer that every JSON reader keeps exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Deeper than any entry is; a hostile line must not exhaust the stack.
const DEPTH_MAX: u32 = 16;

/// Where a line stops being canonical, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why} (at byte {at})")]
pub struct NotCanonical {
    /// Offset in the line.
    pub at: usize,
    /// In words.
    pub why: &'static str,
}

/// Checks that `line` is one canonical JSON object, and gives it as text.
///
/// # Errors
/// The first place at which it is not.
pub fn check(line: &[u8]) -> Result<&str, NotCanonical> {
    let text = std::str::from_utf8(line).map_err(|fault| NotCanonical {
        at: fault.valid_up_to(),
        why: "not UTF-8",
    })?;
    let mut scan = Scan { line, at: 0 };
    if scan.peek() != Some(b'{') {
        return scan.refuse("not an object");
    }
    scan.value(DEPTH_MAX, false)?;
    if scan.at == line.len() {
        Ok(text)
    } else {
        scan.refuse("bytes after the object")
    }
}

/// Bytes that end a string's plain run: a quote, a backslash, a control character.
const STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut at = 0;
    while at < 0x20 {
        stops[at] = true;
        at += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};

struct Scan<'a> {
    line: &'a [u8],
    at: usize,
}

type Checked<T = ()> = Result<T, NotCanonical>;

impl<'a> Scan<'a> {
    fn refuse<T>(&self, why: &'static str) -> Checked<T> {
        Err(NotCanonical { at: self.at, why })
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, why: &'static str) -> Checked {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.refuse(why)
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Checked {
        if self.line[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            self.refuse("not a JSON value")
        }
    }

    fn value(&mut self, depth: u32, nulls: bool) -> Checked {
        if depth == 0 {
            return self.refuse("nested too deep");
        }
        match self.peek() {
            Some(b'{') => self.object(depth, nulls),
            Some(b'[') => self.array(depth, nulls),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') if nulls => self.word(b"null"),
            Some(b'n') => self.refuse("an absent field is left out, not `null`"),
            _ => self.refuse("not a JSON value, or white space"),
        }
    }

    fn object(&mut self, depth: u32, nulls: bool) -> Checked {
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let from = self.at;
            let key = self.string()?;
            if !nulls && !key.iter().copied().all(is_key_byte) {
                self.at = from;
                return self.refuse("a key that is not lower-case ASCII");
            }
            if before.is_some_and(|before| !ascends(before, key)) {
                self.at = from;
                return self.refuse("keys out of order, or twice the same");
            }
            before = Some(key);
            self.expect(b':', "no colon after a key")?;
            let ignored = depth == DEPTH_MAX && key == b"x";
            self.value(depth - 1, nulls || ignored)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}', "an object that does not end"),
            }
        }
    }

    fn array(&mut self, depth: u32, nulls: bool) -> Checked {
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth - 1, nulls)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']', "an array that does not end"),
            }
        }
    }

    /// The bytes between the quotes, escapes as they stand.
    fn string(&mut self) -> Checked<&'a [u8]> {
        self.expect(b'"', "no string where one should be")?;
        let from = self.at;
        loop {
            let rest = &self.line[self.at..];
            let plain = rest.iter().position(|&byte| STOPS[usize::from(byte)]);
            self.at += plain.unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.line[from..self.at - 1]);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.refuse("a control character that is not escaped"),
                None => return self.refuse("a string that does not end"),
            }
        }
    }

    /// JCS escapes only what must be, and in the shortest way.
    fn escape(&mut self) -> Checked {
        match self.line.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let shortest = match self.line.get(self.at + 2..self.at + 6) {
                    Some([b'0', b'0', b'0', low]) => {
                        matches!(low, b'0'..=b'7' | b'b' | b'e' | b'f')
                    }
                    Some([b'0', b'0', b'1', low]) => matches!(low, b'0'..=b'9' | b'a'..=b'f'),
                    _ => false,
                };
                if !shortest {
                    return self.refuse("an escape that is not the shortest");
                }
                self.at += 6;
                Ok(())
            }
            _ => self.refuse("an escape that is not the shortest"),
        }
    }

    fn integer(&mut self) -> Checked {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let digits = self.at;
        let mut value = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let length = self.at - digits;
        let padded = length > 1 && self.line[digits] == b'0';
        let negative_zero = digits > from && value == 0;
        if length == 0 || padded || negative_zero {
            self.at = from;
            return self.refuse("not an integer in its shortest form");
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            self.at = from;
            return self.refuse("a number that is not an integer");
        }
        if value > INTEGER_MAX {
            self.at = from;
            return self.refuse("an integer beyond 2^53-1");
        }
        Ok(())
    }
}

fn is_key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')
}

/// Keys sort by UTF-16 code units. For keys without escapes below U+D800 the order of bytes is the
/// same; anything else is compared the long way.
fn ascends(before: &[u8], key: &[u8]) -> bool {
    let plain = |key: &[u8]| key.iter().all(|&byte| byte < 0x80 && byte != b'\\');
    if plain(before) && plain(key) {
        return before < key;
    }
    match (units(before), units(key)) {
        (Some(before), Some(key)) => before < key,
        _ => false,
    }
}

fn units(key: &[u8]) -> Option<Vec<u16>> {
    let quoted = [b"\"", key, b"\""].concat();
    let text: String = serde_json::from_slice(&quoted).ok()?;
    Some(text.encode_utf16().collect())
}
