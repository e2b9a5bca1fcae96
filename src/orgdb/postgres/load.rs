//! Loading with `COPY … FROM STDIN`: in the binary form where every column's type has one that we
//! write, as text otherwise.
//!
//! Not here: the forms of values (`code`).

use rusqlite::types::ValueRef;
use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;

use super::code::Form;
use super::{Session, fault};
use crate::orgdb::link::{self, Load, LoadStop, Pour, Wire};
use crate::orgdb::{DbTrouble, Ident, Sql, crash, dialect};
use crate::plan::digest::push_hex;
use crate::sql;

/// Bytes that go to the server at a time: its protocol flushes at every piece.
const PIECE: usize = 64 << 10;

/// Before the first row: <https://www.postgresql.org/docs/current/sql-copy.html>, section "Binary Format".
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

impl Session {
    /// How a table's columns travel, where all of them do so in binary.
    pub(in crate::orgdb) fn wires(
        &self,
        table: &Ident,
        columns: &[Ident],
    ) -> Result<Option<Vec<Wire>>, DbTrouble> {
        let shape = self.known(&sql!("SELECT {} FROM {} LIMIT 0", columns.to_vec(), table))?;
        let forms = shape.columns_as_declared().iter();
        let wire = |form: &Form| (*form != Form::Shown).then_some(Wire(*form));
        Ok(forms.map(wire).collect())
    }

    pub(in crate::orgdb) fn pour(
        &self,
        load: &Load<'_>,
        pour: &mut Pour<'_>,
    ) -> Result<u64, LoadStop> {
        let columns: Vec<Ident> = load.columns.iter().map(|name| Ident::new(name)).collect();
        let table = &load.table;
        // Preparing a query of the same columns tells their types.
        let shape = self.known(&sql!("SELECT {} FROM {} LIMIT 0", columns, table))?;
        let encoder = Encoder::new(shape.columns_as_declared());
        let text = sql!(
            "COPY {} ({}) FROM STDIN WITH (FORMAT {})",
            table,
            columns,
            Sql::new(if encoder.binary { "binary" } else { "text" })
        );
        let text = dialect::postgres(text.as_str());
        let mut connection = self
            .connection
            .try_borrow_mut()
            .map_err(|_| super::busy())?;
        let begun = self.wait(async { connection.copy_in_raw(&text).await });
        let mut sink = Sink {
            session: self,
            copy: begun.map_err(|error| stopped(&error))?,
            encoder,
            taken: 0,
        };
        if let Err(stop) = pour(&mut link::Sink::Postgres(&mut sink)) {
            drop(self.wait(async { sink.copy.abort("no more rows come").await }));
            return Err(stop);
        }
        sink.encoder.end();
        sink.send()?;
        crash::reached("load");
        let ended = self.wait(async { sink.copy.finish().await });
        ended.map_err(|error| stopped(&error))
    }
}

/// The rows of one load.
pub(crate) struct Sink<'c> {
    session: &'c Session,
    copy: PgCopyIn<&'c mut PgConnection>,
    encoder: Encoder<'c>,
    taken: usize,
}

impl Sink<'_> {
    #[inline]
    pub(in crate::orgdb) fn row<'v>(
        &mut self,
        row: impl Iterator<Item = ValueRef<'v>>,
    ) -> Result<(), LoadStop> {
        if self.encoder.row(row).is_none() {
            let trouble = DbTrouble::Constraint {
                kind: "type",
                on: String::new(),
            };
            let row = Some(self.taken);
            return Err(LoadStop { trouble, row });
        }
        self.took_one()
    }

    #[inline]
    pub(in crate::orgdb) fn row_as_it_came(&mut self, fields: &[u8]) -> Result<(), LoadStop> {
        // A table has far fewer columns than a count can tell.
        let width = i16::try_from(self.encoder.forms.len()).unwrap_or(i16::MAX);
        self.encoder.out.extend_from_slice(&width.to_be_bytes());
        self.encoder.out.extend_from_slice(fields);
        self.took_one()
    }

    #[inline]
    fn took_one(&mut self) -> Result<(), LoadStop> {
        self.taken += 1;
        if self.encoder.out.len() >= PIECE {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), LoadStop> {
        let (copy, out) = (&mut self.copy, &mut self.encoder.out);
        let sent = self
            .session
            .wait(async { copy.send(out.as_slice()).await.map(drop) });
        out.clear();
        sent.map_err(|error| stopped(&error))
    }
}

fn stopped(error: &sqlx::Error) -> LoadStop {
    LoadStop {
        trouble: fault::read(error),
        row: fault::row(error),
    }
}

struct Encoder<'f> {
    forms: &'f [Form],
    binary: bool,
    out: Vec<u8>,
    spare: Vec<u8>,
}

impl<'f> Encoder<'f> {
    fn new(forms: &'f [Form]) -> Encoder<'f> {
        let binary = !forms.contains(&Form::Shown);
        let mut out = Vec::with_capacity(PIECE + (PIECE >> 2));
        if binary {
            out.extend_from_slice(HEAD);
        }
        Encoder {
            forms,
            binary,
            out,
            spare: Vec::new(),
        }
    }

    /// Appends a row; none when a value does not fit its column.
    fn row<'v>(&mut self, row: impl Iterator<Item = ValueRef<'v>>) -> Option<()> {
        if !self.binary {
            return self.shown(row);
        }
        let width = i16::try_from(self.forms.len()).ok()?;
        self.out.extend_from_slice(&width.to_be_bytes());
        for (form, value) in self.forms.iter().zip(row) {
            if value == ValueRef::Null {
                self.out.extend_from_slice(&(-1_i32).to_be_bytes());
                continue;
            }
            let start = self.out.len();
            self.out.extend_from_slice(&[0; 4]);
            form.write(value, &mut self.out)?;
            let length = i32::try_from(self.out.len() - start - 4).ok()?;
            self.out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Some(())
    }

    /// The text form: values as they are shown, escaped.
    fn shown<'v>(&mut self, row: impl Iterator<Item = ValueRef<'v>>) -> Option<()> {
        for (at, (form, value)) in self.forms.iter().zip(row).enumerate() {
            if at > 0 {
                self.out.push(b'\t');
            }
            match (form, value) {
                (_, ValueRef::Null) => self.out.extend_from_slice(b"\\N"),
                (Form::Bytes, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
                    self.out.extend_from_slice(b"\\\\x");
                    push_hex(&mut self.out, bytes);
                }
                (_, value) => {
                    self.spare.clear();
                    Form::Text.write(value, &mut self.spare)?;
                    escape(&self.spare, &mut self.out);
                }
            }
        }
        self.out.push(b'\n');
        Some(())
    }

    fn end(&mut self) {
        if self.binary {
            self.out.extend_from_slice(&(-1_i16).to_be_bytes());
        }
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(*other),
        }
    }
}
