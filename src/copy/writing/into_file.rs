//! A chunk's rows into an `SQLite` file: one prepared insert, row after row.
//!
//! Not here: servers (`into_server`), what is counted (`chunk`).

use rusqlite::{CachedStatement, Connection};

use super::chunk::{Chunk, Lies, Refusal};
use crate::copy::ledger::effect;
use crate::copy::ledger::packed::pack;
use crate::copy::reading::batch::{Batch, RowEnd};
use crate::copy::reading::scan::Compiled;
use crate::copy::tables::shape::{bind, fetch};
use crate::copy::value::canon::Values;
use crate::orgdb::{DbTrouble, Dialect, Sql, ValueRef, crash};
use crate::sql;

impl Chunk<'_> {
    pub(super) fn insert_into_file(
        &mut self,
        file: &Connection,
        batch: &mut Batch,
    ) -> Result<(), DbTrouble> {
        let layout = &self.work.compiled.layout;
        let mut insert = file.prepare_cached(layout.insert().as_str())?;
        let mut again = None;
        if layout.read_back {
            again = Some(file.prepare_cached(reading(&self.work.compiled).as_str())?);
        }
        let mut note = None;
        if self.work.keeps {
            note = Some(file.prepare_cached(noting().as_str())?);
        }
        let lies: Vec<_> = batch.lies().collect();
        for (at, lies) in lies.iter().enumerate() {
            let bound = &batch.values[lies.values.clone()];
            if let Some(refusal) = self.one(&mut insert, bound)? {
                self.refused(batch, at, lies, refusal);
                continue;
            }
            if let Some(again) = &mut again {
                self.read_back(file, again, bound)?;
                self.went(batch, at, lies);
            } else {
                self.wrote(batch, at, lies);
            }
            if layout.rowid {
                let number = file.last_insert_rowid();
                self.span.get_or_insert((number, number)).1 = number;
            }
            if let Some(note) = &mut note {
                self.note(note, batch, (&batch.rows[at], lies))?;
            }
        }
        crash::reached("load");
        Ok(())
    }

    /// Inserts one row; a code and a column when the target's own rules refuse it.
    fn one(
        &self,
        insert: &mut CachedStatement<'_>,
        values: &[u8],
    ) -> Result<Option<Refusal>, DbTrouble> {
        bind(insert, 1, Values(values))?;
        match insert.raw_execute().map_err(DbTrouble::from) {
            Ok(0) => Ok(Some(("HO510", String::new()))),
            Ok(_) => Ok(None),
            Err(DbTrouble::Constraint { kind, on }) => Ok(Some(self.meaning(kind, &on))),
            Err(trouble) => Err(trouble),
        }
    }

    /// Digests the row as it is stored, defaults and triggers included.
    fn read_back(
        &mut self,
        file: &Connection,
        again: &mut CachedStatement<'_>,
        bound: &[u8],
    ) -> Result<(), DbTrouble> {
        let layout = &self.work.compiled.layout;
        if layout.rowid {
            bind(again, 1, [ValueRef::Integer(file.last_insert_rowid())])?;
        } else {
            let mut key = Vec::new();
            layout.push_key(bound, &mut key);
            bind(again, 1, Values(&key))?;
        }
        let mut all = Vec::new();
        if fetch(again, &mut all)? {
            self.stored(&all);
        }
        Ok(())
    }

    /// A row as it was read back: its key, then every stored column.
    pub(crate) fn stored(&mut self, all: &[u8]) {
        let mut row = Values(all);
        for _ in 0..self.work.compiled.layout.shape.key_width() {
            row.next();
        }
        let key = &all[..all.len() - row.0.len()];
        let digest = self.work.compiled.mac.of(row.0);
        pack(&mut self.body, &[key], &digest);
        self.tally.add(&digest);
    }

    /// Notes the target key under the dataset's name and its further names.
    fn note(
        &self,
        note: &mut CachedStatement<'_>,
        batch: &Batch,
        (row, lies): (&RowEnd, &Lies),
    ) -> Result<(), DbTrouble> {
        let deed = &self.work.deed;
        for (name, key, target) in self.names(batch, row, lies) {
            note.raw_bind_parameter(1, deed.run.to_string())?;
            note.raw_bind_parameter(2, name)?;
            note.raw_bind_parameter(3, &self.work.source)?;
            note.raw_bind_parameter(5, deed.generation)?;
            note.raw_bind_parameter(6, deed.step.as_str())?;
            bind(note, 4, [key])?;
            bind(note, 7, [target])?;
            note.raw_execute()?;
        }
        Ok(())
    }

    /// Under which names a row is known, by which source key, as which target key.
    pub(crate) fn names<'r>(
        &self,
        batch: &'r Batch,
        row: &RowEnd,
        lies: &Lies,
    ) -> impl Iterator<Item = (&str, ValueRef<'r>, ValueRef<'r>)> {
        let Compiled {
            layout, program, ..
        } = &*self.work.compiled;
        let keys = &batch.keys[lies.keys.clone()];
        let target = if row.as_it_came {
            // What is kept for undo begins with the target key.
            Values(&batch.packed[lies.packed.clone()]).next()
        } else {
            let at = layout.drawn.or(layout.key.first().copied());
            at.and_then(|at| Values(&batch.values[lies.values.clone()]).nth(at))
        };
        let names = std::iter::once(program.name.as_str())
            .chain(program.aliases.iter().map(|alias| alias.name.as_str()));
        let pairs = names.zip(Values(keys));
        pairs.filter_map(move |(name, key)| (key != ValueRef::Null).then_some((name, key, target?)))
    }
}

/// The statement that notes a key.
fn noting() -> Sql {
    sql!(
        "INSERT INTO handover_key
         (run, dataset, org, source_key, generation, step, target_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) {}",
        effect::or_known(Dialect::Sqlite)
    )
}

/// Reads an inserted row again: its key, then every stored column.
fn reading(compiled: &Compiled) -> Sql {
    let shape = &compiled.layout.shape;
    let which = if compiled.layout.rowid {
        Sql::new("rowid = ?1")
    } else {
        shape.by_key(1)
    };
    sql!(
        "SELECT {}, {} FROM {} WHERE {}",
        Sql::join(", ", &shape.key_columns()),
        crate::copy::tables::shape::idents(&shape.all),
        shape.ident(),
        which
    )
}
