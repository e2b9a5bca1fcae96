//! A row as an engine hands it over, read in place.
//!
//! In: a driver's row, or fields that were read into one arena. Out: borrowed values, canonical bytes.
//!
//! Not here: owned values (`sql::Value`), the canonical form itself (`canon`).

use rusqlite::types::ValueRef;
use smallvec::SmallVec;

use super::canon;

/// A row, for as long as nobody asks for the next.
#[derive(Clone, Copy)]
pub enum Row<'r> {
    /// `SQLite` lends its own: each look at a column is a call or two.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Such a row, each of its columns looked at once.
    Held(&'r [ValueRef<'r>]),
    /// A server's row, in canonical form.
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
            Row::Fields(fields) => fields.ends.len(),
        }
    }

    /// Appends one column in canonical form.
    #[inline]
    pub(crate) fn push(&self, at: usize, out: &mut Vec<u8>) {
        match self {
            Row::Fields(fields) if at < fields.ends.len() => {
                out.extend_from_slice(fields.canonical(at));
            }
            other => canon::push(out, other.get(at)),
        }
    }

    /// A column just as its server sent it, the length in front; none where it came otherwise.
    #[inline]
    pub(crate) fn as_it_came(&self, at: usize) -> Option<&'r [u8]> {
        match self {
            Row::Fields(fields) => fields.as_it_came(at),
            Row::Sqlite(_) | Row::Held(_) => None,
        }
    }

    /// Appends every column in canonical form.
    #[inline]
    pub(crate) fn push_all(&self, out: &mut Vec<u8>) {
        match self {
            Row::Fields(fields) => out.extend_from_slice(&fields.canonical),
            other => (0..other.width()).for_each(|at| canon::push(out, other.get(at))),
        }
    }
}

/// A row's values.
pub(crate) type Values<'r> = SmallVec<[ValueRef<'r>; 24]>;

/// Fields of one row in canonical form, in one arena that is used again for the next; beside them, where a
/// whole row came at once, the server's own bytes.
#[derive(Debug, Default)]
pub struct Fields {
    canonical: Vec<u8>,
    ends: Vec<usize>,
    came: Vec<u8>,
    came_ends: Vec<usize>,
}

impl Fields {
    /// Empties it and keeps its room.
    pub(super) fn clear(&mut self) {
        self.canonical.clear();
        self.ends.clear();
        self.came.clear();
        self.came_ends.clear();
    }

    /// Keeps a field as it came, beside what is read of it.
    #[inline]
    pub(super) fn keep(&mut self, field: &[u8]) {
        self.came.extend_from_slice(field);
        self.came_ends.push(self.came.len());
    }

    /// NULL.
    #[inline]
    pub(super) fn null(&mut self) {
        canon::push(&mut self.canonical, ValueRef::Null);
        self.end();
    }

    /// A whole number.
    #[inline]
    pub(super) fn whole(&mut self, number: i64) {
        canon::push(&mut self.canonical, ValueRef::Integer(number));
        self.end();
    }

    /// A float.
    pub(super) fn float(&mut self, number: f64) {
        canon::push(&mut self.canonical, ValueRef::Real(number));
        self.end();
    }

    /// Text that `write` appends.
    #[inline]
    pub(super) fn text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = canon::begin_text(&mut self.canonical);
        write(&mut self.canonical);
        canon::end_text(&mut self.canonical, start);
        self.end();
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        canon::push(&mut self.canonical, ValueRef::Blob(bytes));
        self.end();
    }

    #[inline]
    fn end(&mut self) {
        self.ends.push(self.canonical.len());
    }

    #[inline]
    fn canonical(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.canonical[start..self.ends[at]]
    }

    #[inline]
    fn as_it_came(&self, at: usize) -> Option<&[u8]> {
        let end = *self.came_ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.came_ends[before]);
        self.came.get(start..end)
    }

    #[inline]
    fn get(&self, at: usize) -> ValueRef<'_> {
        if at >= self.ends.len() {
            return ValueRef::Null;
        }
        let mut value = canon::Values(self.canonical(at));
        value.next().unwrap_or(ValueRef::Null)
    }
}
