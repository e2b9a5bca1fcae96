//! A row as an engine hands it over, read in place.
//!
//! In: a driver's row, or fields that were decoded into one arena. Out: borrowed values.
//!
//! Not here: owned values (`sql::Value`), canonical bytes (`copy::canon`).

use std::ops::Range;

use rusqlite::types::ValueRef;
use smallvec::SmallVec;

/// A row, for as long as nobody asks for the next.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// `SQLite` lends its own: each look at a column is a call or two.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Such a row, each of its columns looked at once.
    Held(&'r [ValueRef<'r>]),
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
            Row::Held(values) => values.get(at).copied().unwrap_or(ValueRef::Null),
            Row::Fields(fields) => fields.get(at),
        }
    }

    /// Its values, for a row of which every column will be looked at more than once; nothing where that
    /// costs nothing anyway.
    #[inline]
    pub(crate) fn hold(&self) -> Values<'r> {
        match self {
            Row::Sqlite(_) => (0..self.width()).map(|at| self.get(at)).collect(),
            Row::Held(_) | Row::Fields(_) => Values::new(),
        }
    }

    /// The row, or what was held of it.
    #[inline]
    pub(crate) fn or_held(self, held: &'r [ValueRef<'r>]) -> Row<'r> {
        match self {
            Row::Sqlite(_) => Row::Held(held),
            other => other,
        }
    }

    /// How many columns it has.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Row::Sqlite(row) => row.as_ref().column_count(),
            Row::Held(values) => values.len(),
            Row::Fields(fields) => fields.fields.len(),
        }
    }
}

/// A row's values.
pub(crate) type Values<'r> = SmallVec<[ValueRef<'r>; 24]>;

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
