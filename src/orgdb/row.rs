//! A row as an engine hands it over, read in place.
//!
//! In: a driver's row, or fields that were decoded into one arena. Out: borrowed values.
//!
//! Not here: owned values (`sql::Value`), canonical bytes (`copy::canon`).

use std::ops::Range;

use rusqlite::types::ValueRef;

/// A row, for as long as nobody asks for the next.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// `SQLite` lends its own.
    Sqlite(&'r rusqlite::Row<'r>),
    /// A server's row, decoded.
    Fields(&'r Fields),
}

impl<'r> Row<'r> {
    /// The value in a column, counted from 0; NULL behind the last.
    #[inline]
    #[must_use]
    pub fn get(&self, at: usize) -> ValueRef<'r> {
        match self {
            Row::Sqlite(row) => row.get_ref(at).unwrap_or(ValueRef::Null),
            Row::Fields(fields) => fields.get(at),
        }
    }

    /// How many columns it has.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Row::Sqlite(row) => row.as_ref().column_count(),
            Row::Fields(fields) => fields.fields.len(),
        }
    }
}

/// Decoded fields of one row, in one arena that is used again for the next.
#[derive(Debug, Default)]
pub struct Fields {
    arena: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
enum Field {
    Null,
    Whole(i64),
    Float(f64),
    Text(Range<usize>),
    Bytes(Range<usize>),
}

impl Fields {
    /// Empties it and keeps its room.
    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.fields.clear();
    }

    /// NULL.
    pub(super) fn null(&mut self) {
        self.fields.push(Field::Null);
    }

    /// A whole number.
    pub(super) fn whole(&mut self, number: i64) {
        self.fields.push(Field::Whole(number));
    }

    /// A float.
    pub(super) fn float(&mut self, number: f64) {
        self.fields.push(Field::Float(number));
    }

    /// Text that `write` appends.
    pub(super) fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.arena.len();
        write(&mut self.arena);
        self.fields.push(Field::Text(start..self.arena.len()));
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.fields.push(Field::Bytes(start..self.arena.len()));
    }

    fn get(&self, at: usize) -> ValueRef<'_> {
        let lent = |range: &Range<usize>| self.arena.get(range.clone()).unwrap_or_default();
        match self.fields.get(at) {
            None | Some(Field::Null) => ValueRef::Null,
            Some(Field::Whole(number)) => ValueRef::Integer(*number),
            Some(Field::Float(number)) => ValueRef::Real(*number),
            Some(Field::Text(range)) => ValueRef::Text(lent(range)),
            Some(Field::Bytes(range)) => ValueRef::Blob(lent(range)),
        }
    }
}
