//! The canonical form of values: a type tag, a length where the type has none of its own, the bytes.
//! Rows of servers come in it, digests are taken over it, batches carry it, the ledger packs keys and
//! before-images in it.
//!
//! `NULL` is `0`; an integer `1` and 8 bytes; text `2`, a length of 4 bytes and the text; a float `3`
//! and its 8 bytes; bytes `4`, a length and the bytes. All numbers are big-endian. So `("12", "3")`
//! and `("1", "23")` differ, and so do NULL, `''` and `' '`.
//!
//! Not here: digests (`copy::tally`), how a value is made (`copy::convert`).

use rusqlite::types::ValueRef;

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;
const REAL: u8 = 3;
const BYTES: u8 = 4;

/// Appends a value.
#[inline]
pub(crate) fn push(arena: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => arena.push(NULL),
        ValueRef::Integer(number) => {
            arena.push(INTEGER);
            arena.extend_from_slice(&number.to_be_bytes());
        }
        ValueRef::Real(number) => {
            arena.push(REAL);
            arena.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        ValueRef::Text(bytes) => push_bytes(arena, TEXT, bytes),
        ValueRef::Blob(bytes) => push_bytes(arena, BYTES, bytes),
    }
}

/// Appends text.
#[inline]
pub(crate) fn push_text(arena: &mut Vec<u8>, text: &[u8]) {
    push_bytes(arena, TEXT, text);
}

/// Begins a text whose bytes are appended straight behind; where it began.
#[inline]
pub(crate) fn begin_text(arena: &mut Vec<u8>) -> usize {
    let start = arena.len();
    arena.extend_from_slice(&[TEXT, 0, 0, 0, 0]);
    start
}

/// Ends it, now that its length is known.
#[inline]
pub(crate) fn end_text(arena: &mut [u8], start: usize) {
    let length = u32::try_from(arena.len() - start - 5).unwrap_or(u32::MAX);
    arena[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
}

#[inline]
fn push_bytes(arena: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    // SQLite holds no value of 4 GiB; its own limit is below 2^31.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    arena.push(tag);
    arena.extend_from_slice(&length.to_be_bytes());
    arena.extend_from_slice(bytes);
}

/// Reads values back, one after the other.
#[derive(Clone)]
pub(crate) struct Values<'a>(pub(crate) &'a [u8]);

impl<'a> Values<'a> {
    /// Takes `count` raw bytes; none where fewer are left.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.take(4)?.try_into().ok()?);
        self.take(length as usize)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        match self.take(1)?[0] {
            NULL => Some(ValueRef::Null),
            INTEGER => Some(ValueRef::Integer(i64::from_be_bytes(self.eight()?))),
            REAL => Some(ValueRef::Real(f64::from_bits(u64::from_be_bytes(
                self.eight()?,
            )))),
            TEXT => Some(ValueRef::Text(self.counted()?)),
            BYTES => Some(ValueRef::Blob(self.counted()?)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_and_neighbours_do_not_run_together() {
        let values = [
            ValueRef::Null,
            ValueRef::Integer(i64::MIN),
            ValueRef::Text(b""),
            ValueRef::Text(b" "),
            ValueRef::Real(-0.0),
            ValueRef::Blob(b"\0\x02"),
        ];
        let mut arena = Vec::new();
        for value in values {
            push(&mut arena, value);
        }
        assert_eq!(Values(&arena).collect::<Vec<_>>(), values);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for text in ["12", "3"] {
            push_text(&mut left, text.as_bytes());
        }
        for text in ["1", "23"] {
            push_text(&mut right, text.as_bytes());
        }
        assert_ne!(left, right);
    }
}
