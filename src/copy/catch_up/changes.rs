//! What differs, waiting in the source's scratch store until it is put into the target: rows that are
//! due, and rows that no line stands for any more. A row that is both was changed.
//!
//! Not here: what differs (`compare`), how it is put into the target (`write`).

use std::sync::mpsc::SyncSender;

use rusqlite::{Connection, params};

use super::ledgered::Row;
use super::write::{Change, Changed, Going};
use super::{at_once, hand_over};
use crate::copy::ledger::packed::{HALF, pack};
use crate::copy::mapping::draw::Draw;
use crate::copy::reading::batch::Batch;
use crate::copy::reading::lines;
use crate::copy::reading::scan::Compiled;
use crate::copy::tables::shape::find;
use crate::copy::value::canon::Values;
use crate::orgdb::{DbTrouble, Ident, Link, Sql, ValueRef};
use crate::sql;

/// The store of one dataset's changes.
pub(super) struct Changes<'c> {
    scratch: &'c Connection,
    due: Ident,
    gone: Ident,
    refused: Ident,
}

/// A row that is due, as it was judged.
pub(super) struct Due<'d> {
    /// Its line, noted.
    pub(super) line: u64,
    /// Whether the ledger knows the very same line.
    pub(super) known: bool,
    /// Whether the ledger knows that it could not go before.
    pub(super) again: bool,
    /// The source key, then those under further names.
    pub(super) keys: &'d [u8],
    pub(super) values: &'d [u8],
}

impl<'c> Changes<'c> {
    /// Opens the store of a dataset, made where it is not there.
    pub(super) fn open(source: &'c Link, compiled: &Compiled) -> Result<Changes<'c>, DbTrouble> {
        let scratch = source.scratch()?;
        let named = |what: &str| Ident::new(&format!("handover_{what}_{}", compiled.program.name));
        let changes = Changes {
            scratch,
            due: named("due"),
            gone: named("gone"),
            refused: named("refused"),
        };
        scratch.execute_batch(
            sql!(
                "CREATE TEMP TABLE IF NOT EXISTS {} (
                   key BLOB PRIMARY KEY, line INTEGER NOT NULL, known INTEGER NOT NULL, again INTEGER NOT NULL,
                   keys BLOB NOT NULL, vals BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TEMP TABLE IF NOT EXISTS {} (
                   key BLOB PRIMARY KEY, half BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TEMP TABLE IF NOT EXISTS {} (
                   line INTEGER NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL, col TEXT NOT NULL);",
                changes.due,
                changes.gone,
                changes.refused
            )
            .as_str(),
        )?;
        Ok(changes)
    }

    /// The same, empty.
    pub(super) fn fresh(source: &'c Link, compiled: &Compiled) -> Result<Changes<'c>, DbTrouble> {
        let changes = Changes::open(source, compiled)?;
        let Changes {
            scratch,
            due,
            gone,
            refused,
        } = &changes;
        let text = sql!(
            "DELETE FROM temp.{}; DELETE FROM temp.{}; DELETE FROM temp.{};",
            due,
            gone,
            refused
        );
        scratch.execute_batch(text.as_str())?;
        Ok(changes)
    }

    fn prepared(&self, text: &Sql) -> Result<rusqlite::CachedStatement<'c>, DbTrouble> {
        Ok(self.scratch.prepare_cached(text.as_str())?)
    }

    /// Keeps a row that is due; false where another line has its key already.
    pub(super) fn due(&self, compiled: &Compiled, due: &Due<'_>) -> Result<bool, DbTrouble> {
        let mut key = Vec::new();
        compiled.layout.push_key(due.values, &mut key);
        let text = sql!(
            "INSERT OR IGNORE INTO temp.{} VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            self.due
        );
        let mut keep = self.prepared(&text)?;
        let line = due.line.cast_signed();
        Ok(keep.execute(params![
            key, line, due.known, due.again, due.keys, due.values
        ])? > 0)
    }

    /// Keeps a row that no line stands for any more.
    pub(super) fn gone(&self, row: &Row) -> Result<(), DbTrouble> {
        let text = sql!("INSERT OR REPLACE INTO temp.{} VALUES (?1, ?2)", self.gone);
        self.prepared(&text)?.execute(params![row.key, row.half])?;
        Ok(())
    }

    /// Keeps a line without a row: its source key, a code, a column where it cannot go; no code where the
    /// map leaves it behind on purpose.
    pub(super) fn refused(
        &self,
        line: u64,
        (key, code, column): &(String, &'static str, String),
    ) -> Result<(), DbTrouble> {
        let text = sql!("INSERT INTO temp.{} VALUES (?1, ?2, ?3, ?4)", self.refused);
        let line = line.cast_signed();
        self.prepared(&text)?
            .execute(params![line, key, code, column])?;
        Ok(())
    }

    /// Lets go of rows that could not go before since another has their place, where it still has.
    pub(super) fn leave_taken(&self, target: &Link, compiled: &Compiled) -> Result<(), DbTrouble> {
        let again = sql!(
            "SELECT key FROM temp.{} WHERE again AND key NOT IN (SELECT key FROM temp.{})",
            self.due,
            self.gone
        );
        let mut query = self.prepared(&again)?;
        let keys = query.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        let keys: Vec<Vec<u8>> = keys.collect::<Result<_, _>>()?;
        let there = compiled.layout.shape.select();
        let mut leave = self.prepared(&sql!("DELETE FROM temp.{} WHERE key = ?1", self.due))?;
        for key in keys {
            if find(target, &there, &key, &mut Vec::new())? {
                leave.execute([key])?;
            }
        }
        Ok(())
    }

    /// Keys of rows that will be taken out.
    pub(super) fn each_going(&self, mut see: impl FnMut(&[u8])) -> Result<(), DbTrouble> {
        let text = sql!(
            "SELECT key FROM temp.{} WHERE key NOT IN (SELECT key FROM temp.{})",
            self.gone,
            self.due
        );
        let mut query = self.prepared(&text)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            see(row.get_ref(0)?.as_blob().unwrap_or_default());
        }
        Ok(())
    }

    /// Whether rows come or go, so that any row may refer to others than before.
    pub(super) fn any_come_or_go(&self) -> Result<bool, DbTrouble> {
        let text = sql!(
            "SELECT EXISTS (SELECT key FROM temp.{} EXCEPT SELECT key FROM temp.{})
                 OR EXISTS (SELECT key FROM temp.{} EXCEPT SELECT key FROM temp.{})",
            self.due,
            self.gone,
            self.gone,
            self.due
        );
        Ok(self.prepared(&text)?.query_row([], |row| row.get(0))?)
    }

    /// The lines whose rows are due.
    pub(super) fn due_lines(&self) -> Result<foldhash::HashSet<u64>, DbTrouble> {
        let mut query = self.prepared(&sql!("SELECT line FROM temp.{}", self.due))?;
        let lines = query.query_map([], |row| row.get::<_, i64>(0))?;
        let digest = |line: i64| lines::read(line.cast_unsigned()).0;
        Ok(lines
            .map(|line| line.map(digest))
            .collect::<Result<_, _>>()?)
    }

    /// Sends rows that come new, with the lines that cannot go, and rows that change.
    pub(super) fn send_rows(
        &self,
        compiled: &Compiled,
        draw: &Draw,
        outlet: &SyncSender<Change>,
    ) -> Result<(), DbTrouble> {
        self.send_changed(compiled, outlet)?;
        self.send_new(compiled, draw, outlet)
    }

    fn send_changed(
        &self,
        compiled: &Compiled,
        outlet: &SyncSender<Change>,
    ) -> Result<(), DbTrouble> {
        let text = sql!(
            "SELECT due.key, line, known, keys, vals, half FROM temp.{} AS due JOIN temp.{} AS gone
             ON gone.key = due.key ORDER BY due.key",
            self.due,
            self.gone
        );
        self.send(&text, at_once(compiled), outlet, Change::Update, |row| {
            let blob = |at: usize| row.get_ref(at).map(|value| value.as_blob().unwrap_or(&[]));
            Ok(Changed {
                key: blob(0)?.to_vec(),
                line: row.get::<_, i64>(1)?.cast_unsigned(),
                known: row.get(2)?,
                keys: blob(3)?.to_vec(),
                values: blob(4)?.to_vec(),
                half: half(blob(5)?)?,
            })
        })
    }

    /// New rows get keys of this step's drawing: those of an undone catch-up are never used again.
    fn send_new(
        &self,
        compiled: &Compiled,
        draw: &Draw,
        outlet: &SyncSender<Change>,
    ) -> Result<(), DbTrouble> {
        let text = sql!(
            "SELECT line, keys, vals FROM temp.{} WHERE key NOT IN (SELECT key FROM temp.{}) ORDER BY key",
            self.due,
            self.gone
        );
        let mut query = self.prepared(&text)?;
        let mut rows = query.query([])?;
        let mut batch = Batch::default();
        self.take_refused(&mut batch)?;
        while let Some(row) = rows.next()? {
            let line: i64 = row.get(0)?;
            let keys = row.get_ref(1)?.as_blob().unwrap_or(&[]);
            let values = row.get_ref(2)?.as_blob().unwrap_or(&[]);
            push_new(
                &mut batch,
                compiled,
                draw,
                (line.cast_unsigned(), keys, values),
            );
            if batch.rows.len() >= at_once(compiled)
                && !hand_over(outlet, Change::Insert(std::mem::take(&mut batch)))
            {
                return Ok(());
            }
        }
        if !batch.lines.is_empty() {
            hand_over(outlet, Change::Insert(batch));
        }
        Ok(())
    }

    fn take_refused(&self, batch: &mut Batch) -> Result<(), DbTrouble> {
        let text = sql!("SELECT line, key, code, col FROM temp.{}", self.refused);
        let mut query = self.prepared(&text)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let code: String = row.get(2)?;
            let (key, column): (String, String) = (row.get(1)?, row.get(3)?);
            batch.lines.push(row.get::<_, i64>(0)?.cast_unsigned());
            if code.is_empty() {
                continue;
            }
            crate::copy::counts::count(&mut batch.counts.rejected, &format!("{code} {column}"));
            batch.rejects.push((key, known_code(&code), column));
        }
        Ok(())
    }

    /// Sends rows that go.
    pub(super) fn send_removals(
        &self,
        compiled: &Compiled,
        outlet: &SyncSender<Change>,
    ) -> Result<(), DbTrouble> {
        let text = sql!(
            "SELECT key, half FROM temp.{} WHERE key NOT IN (SELECT key FROM temp.{}) ORDER BY key",
            self.gone,
            self.due
        );
        self.send(&text, at_once(compiled), outlet, Change::Delete, |row| {
            Ok(Going {
                key: row.get(0)?,
                half: half(row.get_ref(1)?.as_blob().unwrap_or(&[]))?,
            })
        })
    }

    /// Sends what a query finds, so many at once, for as long as somebody hears it.
    fn send<T>(
        &self,
        text: &Sql,
        at_once: usize,
        outlet: &SyncSender<Change>,
        some_of: fn(Vec<T>) -> Change,
        one: impl Fn(&rusqlite::Row<'_>) -> Result<T, DbTrouble>,
    ) -> Result<(), DbTrouble> {
        let mut query = self.prepared(text)?;
        let mut rows = query.query([])?;
        let mut some = Vec::new();
        while let Some(row) = rows.next()? {
            some.push(one(row)?);
            if some.len() >= at_once && !hand_over(outlet, some_of(std::mem::take(&mut some))) {
                return Ok(());
            }
        }
        if !some.is_empty() {
            hand_over(outlet, some_of(some));
        }
        Ok(())
    }
}

fn half(bytes: &[u8]) -> Result<[u8; HALF], DbTrouble> {
    bytes.try_into().map_err(|_| DbTrouble::Damaged)
}

fn push_new(
    batch: &mut Batch,
    compiled: &Compiled,
    draw: &Draw,
    (line, keys, values): (u64, &[u8], &[u8]),
) {
    let layout = &compiled.layout;
    let start = batch.values.len();
    match (layout.drawn, Values(keys).next()) {
        (Some(_), Some(ValueRef::Text(source))) => {
            layout.redraw(values, &draw.id(source), &mut batch.values);
        }
        _ => batch.values.extend_from_slice(values),
    }
    let digest = compiled.mac.of(&batch.values[start..]);
    layout.push_key(&batch.values[start..], &mut batch.packed);
    pack(&mut batch.packed, &[], &digest);
    batch.keys.extend_from_slice(keys);
    batch.end_row(digest);
    batch.lines.push(line);
}

/// The code that a rejected line was told by.
fn known_code(code: &str) -> &'static str {
    const CODES: [&str; 10] = [
        "HO501", "HO502", "HO503", "HO504", "HO505", "HO506", "HO507", "HO508", "HO509", "HO511",
    ];
    let mut known = CODES.into_iter();
    known.find(|one| *one == code).unwrap_or("HO510")
}
