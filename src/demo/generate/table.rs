//! One table being filled: a prepared insert of the columns that we have values for, bound one after
//! the other without allocating per row.
//!
//! Not here: which rows.

use std::fmt::{Display, Write as _};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::{MakeError, Progress};

/// How many rows pass between two words of progress.
const STRIDE: u64 = 50_000;

/// A table and its next row.
pub(super) struct Table<'c> {
    name: &'static str,
    insert: Statement<'c>,
    columns: usize,
    next: usize,
    failed: Option<rusqlite::Error>,
    rows: u64,
    text: String,
    progress: Option<Progress>,
}

impl<'c> Table<'c> {
    /// Rows of `name` with these columns; every other column stays NULL.
    pub(super) fn new(
        connection: &'c Connection,
        name: &'static str,
        columns: &[&str],
        progress: Option<&Progress>,
    ) -> Result<Table<'c>, MakeError> {
        let marks = vec!["?"; columns.len()].join(", ");
        let list = columns.join("\", \"");
        let insert = connection.prepare(&format!(
            "INSERT INTO \"{name}\" (\"{list}\") VALUES ({marks})"
        ))?;
        Ok(Table {
            name,
            insert,
            columns: columns.len(),
            next: 1,
            failed: None,
            rows: 0,
            text: String::with_capacity(256),
            progress: progress.cloned(),
        })
    }

    fn bind(&mut self, value: ValueRef<'_>) -> &mut Self {
        let bound = self
            .insert
            .raw_bind_parameter(self.next, ToSqlOutput::Borrowed(value));
        if let Err(error) = bound {
            self.failed.get_or_insert(error);
        }
        self.next += 1;
        self
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bind(ValueRef::Text(text.as_bytes()))
    }

    /// Text that need not be UTF-8.
    pub(super) fn bytes(&mut self, text: &[u8]) -> &mut Self {
        self.bind(ValueRef::Text(text))
    }

    /// Text as `char(width)` keeps it: padded with spaces.
    pub(super) fn padded(&mut self, text: impl Display, width: usize) -> &mut Self {
        self.shown(format_args!("{text:width$}"))
    }

    /// Whatever shows itself, as text.
    pub(super) fn shown(&mut self, value: impl Display) -> &mut Self {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let _ = write!(text, "{value}");
        self.bind(ValueRef::Text(text.as_bytes()));
        self.text = text;
        self
    }

    /// Text, or NULL.
    pub(super) fn maybe(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.shown(value),
            None => self.null(),
        }
    }

    /// Pence as pounds with two digits.
    pub(super) fn money(&mut self, pence: i64) -> &mut Self {
        self.shown(Pounds(pence))
    }

    /// A whole number.
    pub(super) fn int(&mut self, value: impl Into<i64>) -> &mut Self {
        self.bind(ValueRef::Integer(value.into()))
    }

    /// NULL.
    pub(super) fn null(&mut self) -> &mut Self {
        self.bind(ValueRef::Null)
    }

    /// The row is complete.
    pub(super) fn done(&mut self) -> Result<(), MakeError> {
        debug_assert_eq!(self.next, self.columns + 1, "columns of {}", self.name);
        self.next = 1;
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.insert.raw_execute()?;
        self.rows += 1;
        if self.rows.is_multiple_of(STRIDE) {
            self.tell();
        }
        Ok(())
    }

    fn tell(&self) {
        if let Some(progress) = &self.progress {
            progress(self.name, self.rows);
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}

/// Pence shown as pounds.
pub(super) struct Pounds(pub(super) i64);

impl Display for Pounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let pence = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", pence / 100, pence % 100)
    }
}
