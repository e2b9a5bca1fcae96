//! The rows of one chunk on their way into the target, inside its transaction: what is written, what the
//! target refuses, what undo and the crosswalk need of each.
//!
//! Not here: a file's inserts (`into_file`), a server's loads (`into_server`), the transaction
//! (`store`).

use std::ops::Range;

use super::store::Work;
use crate::copy::counts::{Counts, count};
use crate::copy::ledger::pen::change_rows;
use crate::copy::reading::batch::{Batch, RowEnd};
use crate::copy::reading::lines::{self, State};
use crate::copy::reading::scan::Compiled;
use crate::copy::value::canon::Values;
use crate::copy::value::tally::Tally;
use crate::orgdb::link::Load;
use crate::orgdb::{DbTrouble, Ident, Link, Sql, Value};
use crate::values;

/// One chunk.
pub(crate) struct Chunk<'c> {
    pub(crate) link: &'c Link,
    pub(crate) work: &'c Work,
    pub(crate) tally: Tally,
    pub(crate) body: Vec<u8>,
    pub(crate) counts: Counts,
    pub(crate) span: Option<(i64, i64)>,
}

/// Appends the next piece of a chunk; false where none will come.
pub(crate) type More<'m> = dyn FnMut(&mut Batch) -> bool + 'm;

/// Appends all pieces of a chunk; false where some will not come.
pub(super) fn complete(batch: &mut Batch, more: &mut More<'_>) -> bool {
    while batch.open {
        if !more(batch) {
            return false;
        }
    }
    true
}

/// Why the target refuses a row: a code of `explain`, a column.
pub(super) type Refusal = (&'static str, String);

/// Where a row's parts lie in its batch.
pub(crate) struct Lies {
    pub(crate) values: Range<usize>,
    pub(crate) keys: Range<usize>,
    pub(crate) packed: Range<usize>,
    pub(crate) mended: Range<usize>,
}

impl Batch {
    /// Where the parts of each row lie.
    pub(crate) fn lies(&self) -> impl Iterator<Item = Lies> {
        self.lies_from(0)
    }

    /// The rows from one of them on, and where their parts lie.
    pub(super) fn rows_from(&self, first: usize) -> impl Iterator<Item = (&RowEnd, Lies)> {
        let rows = self.rows.get(first..).unwrap_or_default();
        rows.iter().zip(self.lies_from(first))
    }

    /// Where the parts of each row lie, from one of them on.
    pub(super) fn lies_from(&self, first: usize) -> impl Iterator<Item = Lies> {
        let end = |row: &RowEnd| (row.values, row.keys, row.packed, row.mended);
        let last = first.checked_sub(1).and_then(|last| self.rows.get(last));
        let mut before = last.map_or((0, 0, 0, 0), end);
        let rows = self.rows.get(first..).unwrap_or_default();
        rows.iter().map(move |row| {
            let after = end(row);
            let start = std::mem::replace(&mut before, after);
            Lies {
                values: start.0..after.0,
                keys: start.1..after.1,
                packed: start.2..after.2,
                mended: start.3..after.3,
            }
        })
    }
}

impl<'c> Chunk<'c> {
    /// Nothing written yet; `counts` are those of the dataset so far.
    pub(crate) fn new(link: &'c Link, work: &'c Work, batch: &Batch, counts: Counts) -> Chunk<'c> {
        Chunk {
            link,
            work,
            tally: Tally::default(),
            body: Vec::with_capacity(batch.packed.len()),
            counts,
            span: None,
        }
    }

    /// Writes the batch's rows, and those that `more` appends for as long as the chunk is open; false
    /// where no more came though it was.
    pub(crate) fn insert(
        &mut self,
        batch: &mut Batch,
        more: &mut More<'_>,
    ) -> Result<bool, DbTrouble> {
        match self.link.sqlite() {
            Some(file) => {
                let whole = complete(batch, more);
                if whole {
                    self.insert_into_file(file, batch)?;
                }
                Ok(whole)
            }
            None => self.insert_into_server(batch, more),
        }
    }

    /// Notes a row that was written as it was given.
    pub(super) fn wrote(&mut self, batch: &Batch, at: usize, lies: &Lies) {
        let packed = &batch.packed[lies.packed.clone()];
        self.body.extend_from_slice(packed);
        self.tally.add(&batch.rows[at].digest);
        self.went(batch, at, lies);
    }

    /// Counts a row that was written.
    pub(crate) fn went(&mut self, batch: &Batch, at: usize, lies: &Lies) {
        let Compiled {
            layout, program, ..
        } = &*self.work.compiled;
        self.counts.copied += 1;
        let width = layout.money.len();
        for (place, name) in layout.money.iter().enumerate() {
            let pence = batch.money.get(at * width + place);
            add_pence(
                &mut self.counts,
                &name.1,
                pence.copied().unwrap_or_default(),
            );
        }
        for (cell, mend) in &batch.mended[lies.mended.clone()] {
            let column = program.cells.get(*cell).map_or("", |cell| &cell.into);
            count(
                &mut self.counts.mended,
                &format!("{} {column}", mend.word()),
            );
        }
    }

    /// Counts a row that the target refused. What it hung on may change: its line stays open.
    pub(crate) fn refused(
        &mut self,
        batch: &mut Batch,
        at: usize,
        lies: &Lies,
        (code, column): Refusal,
    ) {
        let row = &mut batch.rows[at];
        row.gone = true;
        if let Some(line) = batch.lines.get_mut(row.line) {
            let (stands, open) = (false, true);
            *line = lines::note(lines::read(*line).0, State { stands, open });
        }
        let key = Values(&batch.keys[lies.keys.clone()]).next().map(Value::of);
        let key = key.as_ref().and_then(Value::text).unwrap_or_default();
        count(&mut self.counts.rejected, &format!("{code} {column}"));
        batch.rejects.push((key.to_owned(), code, column));
    }

    /// What a constraint's refusal means for a row.
    pub(crate) fn meaning(&self, kind: &'static str, on: &str) -> Refusal {
        let on = self.work.compiled.layout.refused_on(on);
        let guards = &self.work.compiled.layout.guards;
        if kind == "unique" && guards.iter().any(|guard| guard == on) {
            return ("HO506", self.work.compiled.program.twice().to_owned());
        }
        let column = on.split_once('.').map_or(kind, |(_, column)| column);
        ("HO510", column.split(',').next().unwrap_or(kind).to_owned())
    }

    /// Sets the references of the second pass, where they are NULL.
    pub(crate) fn update(&mut self, batch: &Batch) -> Result<(), DbTrouble> {
        let Compiled {
            layout,
            program,
            mac,
            ..
        } = &*self.work.compiled;
        let Some(key) = layout.drawn.or(layout.key.first().copied()) else {
            return Ok(());
        };
        let key = Ident::new(&layout.bound[key]);
        let mut start = 0;
        for row in &batch.rows {
            let mut values = Values(&batch.values[start..row.values]).map(Value::of);
            start = row.values;
            let mut wanted = vec![(key.clone(), values.next().unwrap_or_default())];
            let mut set = Vec::new();
            for (later, value) in program.later.iter().zip(values) {
                let name = Ident::new(&later.into);
                wanted.push((name.clone(), Value::Null));
                set.push((name, value));
            }
            let (body, tally) = (&mut self.body, &mut self.tally);
            change_rows(
                self.link,
                &layout.shape,
                &wanted,
                &set,
                mac,
                &mut |packed, digest| {
                    body.extend_from_slice(packed);
                    tally.add(&digest);
                },
            )?;
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, counts: &Counts) {
        self.counts.add_left(counts);
    }

    /// Keeps the rejected rows, each with its reason.
    pub(crate) fn keep_rejects(&self, batch: &Batch, ordinal: u64) -> Result<(), DbTrouble> {
        let deed = &self.work.deed;
        let kept: Vec<[Value; 8]> = batch
            .rejects
            .iter()
            .map(|(key, code, column)| {
                values![
                    deed.run.to_string(),
                    deed.step.as_str(),
                    deed.generation,
                    ordinal,
                    self.work.compiled.program.name.as_str(),
                    key.as_str(),
                    *code,
                    column.as_str()
                ]
            })
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        let columns = [
            "run",
            "step",
            "generation",
            "ordinal",
            "dataset",
            "source_key",
            "code",
            "col",
        ];
        let load = Load {
            table: Sql::new("handover_reject"),
            columns: &columns.map(str::to_owned),
        };
        let rows = kept.iter().map(|row| row.iter().map(Value::lend));
        self.link.load(&load, rows).map_err(|stop| stop.trouble)?;
        Ok(())
    }
}

fn add_pence(counts: &mut Counts, name: &str, pence: i64) {
    match counts.pence.get_mut(name) {
        Some(sum) => *sum += i128::from(pence),
        None => drop(counts.pence.insert(name.to_owned(), pence.into())),
    }
}
