//! A chunk's rows into a server: loaded while they come, and where the server refuses one of them, loaded
//! again without it. What the server stores otherwise than it was given is read back as it is inserted.
//!
//! Not here: files (`into_file`), what is counted (`chunk`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::chunk::{Chunk, Lies, More, Refusal, complete};
use super::store::Work;
use crate::copy::ledger::effect;
use crate::copy::reading::batch::{Batch, RowEnd};
use crate::copy::tables::shape::idents;
use crate::copy::value::canon::Values;
use crate::copy::value::tally::Tally;
use crate::orgdb::link::{Flow, Load, LoadStop, Sink};
use crate::orgdb::{DbTrouble, Sql, ValueRef};
use crate::sql;

/// Rows that one statement inserts where they must be read back; its values stay below 65,536.
const AT_ONCE: usize = 200;

/// Rows that the server refused, by their place in the batch.
type Refused = BTreeMap<usize, Refusal>;

impl Chunk<'_> {
    pub(super) fn insert_into_server(
        &mut self,
        batch: &mut Batch,
        more: &mut More<'_>,
    ) -> Result<bool, DbTrouble> {
        let mut refused = Refused::new();
        if self.work.compiled.layout.read_back {
            if !complete(batch, more) {
                return Ok(false);
            }
            let lies: Vec<Lies> = batch.lies().collect();
            let mut stored = Vec::new();
            self.insert_and_read(batch, &lies, 0..lies.len(), &mut refused, &mut stored)?;
            for row in &stored {
                self.stored(row);
            }
            for (at, lies) in lies.iter().enumerate() {
                match refused.remove(&at) {
                    Some(refusal) => self.refused(batch, at, lies, refusal),
                    None => self.went(batch, at, lies),
                }
            }
        } else {
            let before = self.counts.clone();
            let poured = self.load_while_they_come(batch, more);
            if batch.open && !complete(batch, more) {
                return Ok(false);
            }
            if let Err(stop) = poured {
                self.counts = before;
                self.load_without(batch, stop)?;
            }
        }
        if self.work.keeps {
            let lies: Vec<Lies> = batch.lies().collect();
            self.note_all(batch, &lies)?;
        }
        Ok(true)
    }

    /// Loads the rows of a chunk while further pieces of it come. What is kept of them is made while the
    /// server takes them in.
    fn load_while_they_come(
        &mut self,
        batch: &mut Batch,
        more: &mut More<'_>,
    ) -> Result<(), LoadStop> {
        let (link, work) = (self.link, self.work);
        let load = load(work);
        link.within_savepoint(|| {
            let mut next = 0;
            link.pour(&load, |sink| {
                loop {
                    for (row, lies) in batch.rows_from(next) {
                        give(sink, batch, row, &lies)?;
                    }
                    for (row, lies) in batch.lies_from(next).enumerate() {
                        self.wrote(batch, next + row, &lies);
                    }
                    next = batch.rows.len();
                    if !batch.open {
                        return Ok(());
                    }
                    if !more(batch) {
                        return Err(DbTrouble::Interrupted.into());
                    }
                }
            })
            .map(drop)
        })
    }

    /// Loads the rows of a chunk but those that the server refuses, now that it has refused one.
    fn load_without(&mut self, batch: &mut Batch, stop: LoadStop) -> Result<(), DbTrouble> {
        self.tally = Tally::default();
        self.body.clear();
        let (lies, mut refused) = (batch.lies().collect::<Vec<Lies>>(), Refused::new());
        self.load(batch, &lies, 0..lies.len(), &mut refused, Some(stop))?;
        for (at, lies) in lies.iter().enumerate() {
            match refused.remove(&at) {
                Some(refusal) => self.refused(batch, at, lies, refusal),
                None => self.wrote(batch, at, lies),
            }
        }
        Ok(())
    }

    /// Loads a range of rows but those that the server refuses; `known` is why it has refused them all at
    /// once, where it was asked already.
    fn load(
        &self,
        batch: &Batch,
        lies: &[Lies],
        range: Range<usize>,
        refused: &mut Refused,
        mut known: Option<LoadStop>,
    ) -> Result<(), DbTrouble> {
        let mut rest = range;
        while !rest.is_empty() {
            let stop = match known.take() {
                Some(stop) => stop,
                None => match self.load_once(batch, lies, &rest) {
                    Ok(()) => return Ok(()),
                    Err(stop) => stop,
                },
            };
            let DbTrouble::Constraint { kind, on } = stop.trouble else {
                return Err(stop.trouble);
            };
            let at = stop.row.map(|row| rest.start + row);
            match at.filter(|at| rest.contains(at)) {
                Some(at) => {
                    refused.insert(at, self.meaning(kind, &on));
                    self.load(batch, lies, rest.start..at, refused, None)?;
                    rest = at + 1..rest.end;
                }
                None if rest.len() == 1 => {
                    refused.insert(rest.start, self.meaning(kind, &on));
                    return Ok(());
                }
                // The server does not say which (a foreign key): it is in one of the halves.
                None => {
                    let middle = rest.start + rest.len() / 2;
                    self.load(batch, lies, rest.start..middle, refused, None)?;
                    rest = middle..rest.end;
                }
            }
        }
        Ok(())
    }

    fn load_once(
        &self,
        batch: &Batch,
        lies: &[Lies],
        range: &Range<usize>,
    ) -> Result<(), LoadStop> {
        self.link.within_savepoint(|| {
            let pour = |sink: &mut Sink<'_, '_>| {
                let mut rows = batch.rows[range.clone()].iter().zip(&lies[range.clone()]);
                rows.try_for_each(|(row, lies)| give(sink, batch, row, lies))
            };
            self.link.pour(&load(self.work), pour).map(drop)
        })
    }

    /// Inserts a range of rows and reads each back: its key, then every stored column. (`MySQL` does not
    /// tell what it stored, and refuses the statement: there only rows are loaded that we know whole.)
    fn insert_and_read(
        &self,
        batch: &Batch,
        lies: &[Lies],
        range: Range<usize>,
        refused: &mut Refused,
        stored: &mut Vec<Vec<u8>>,
    ) -> Result<(), DbTrouble> {
        if range.len() > AT_ONCE {
            let middle = range.start + range.len() / 2;
            self.insert_and_read(batch, lies, range.start..middle, refused, stored)?;
            return self.insert_and_read(batch, lies, middle..range.end, refused, stored);
        }
        if range.is_empty() {
            return Ok(());
        }
        let before = stored.len();
        let answer = self.link.within_savepoint(|| {
            self.insert_some(batch, &lies[range.clone()], stored)?;
            // A trigger of the target's own may have left rows out.
            if stored.len() - before == range.len() {
                Ok(())
            } else {
                Err(DbTrouble::Constraint {
                    kind: "trigger",
                    on: String::new(),
                })
            }
        });
        match answer {
            Ok(()) => Ok(()),
            Err(DbTrouble::Constraint { kind, on }) => {
                stored.truncate(before);
                if range.len() == 1 {
                    refused.insert(range.start, self.meaning(kind, &on));
                    return Ok(());
                }
                let middle = range.start + range.len() / 2;
                self.insert_and_read(batch, lies, range.start..middle, refused, stored)?;
                self.insert_and_read(batch, lies, middle..range.end, refused, stored)
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn insert_some(
        &self,
        batch: &Batch,
        lies: &[Lies],
        stored: &mut Vec<Vec<u8>>,
    ) -> Result<(), DbTrouble> {
        let layout = &self.work.compiled.layout;
        let shape = &layout.shape;
        let text = sql!(
            "INSERT INTO {} ({}) VALUES {} RETURNING {}, {}",
            shape.ident(),
            idents(&layout.bound),
            rows_of(lies.len(), layout.bound.len()),
            Sql::join(", ", &shape.key_columns()),
            idents(&shape.all)
        );
        let values: Vec<ValueRef<'_>> = lies
            .iter()
            .flat_map(|lies| Values(&batch.values[lies.values.clone()]))
            .collect();
        self.link.each(&text, &values, |row| {
            let mut all = Vec::new();
            row.push_all(&mut all);
            stored.push(all);
            Ok(Flow::Continue(()))
        })
    }

    /// Notes the target keys under the dataset's name and its further names; the first row of a name
    /// keeps it.
    fn note_all(&self, batch: &Batch, lies: &[Lies]) -> Result<(), DbTrouble> {
        let deed = &self.work.deed;
        let run = deed.run.to_string();
        let (mut seen, mut notes) = (BTreeSet::new(), Vec::new());
        for (at, lies) in lies.iter().enumerate() {
            let row = &batch.rows[at];
            for (name, key, target) in self.names(batch, row, lies) {
                let (ValueRef::Text(text), false) = (key, row.gone) else {
                    continue;
                };
                if seen.insert((name, text)) {
                    notes.push([
                        ValueRef::Text(run.as_bytes()),
                        ValueRef::Text(name.as_bytes()),
                        ValueRef::Text(self.work.source.as_bytes()),
                        key,
                        ValueRef::Integer(deed.generation.into()),
                        ValueRef::Text(deed.step.as_str().as_bytes()),
                        target,
                    ]);
                }
            }
        }
        let columns = NOTED.map(str::to_owned);
        let load = Load {
            table: Sql::new("handover_key"),
            columns: &columns,
        };
        let rows = notes.iter().map(|note| note.iter().copied());
        let loaded = self
            .link
            .within_savepoint(|| self.link.load(&load, rows).map(drop));
        match loaded.map_err(|stop: LoadStop| stop.trouble) {
            // A further name that an earlier chunk's row has.
            Err(DbTrouble::Constraint { kind: "unique", .. }) => self.note_new(&notes),
            answer => answer,
        }
    }

    fn note_new(&self, notes: &[[ValueRef<'_>; 7]]) -> Result<(), DbTrouble> {
        for some in notes.chunks(AT_ONCE) {
            let text = sql!(
                "INSERT INTO handover_key ({}) VALUES {} {}",
                Sql::join(", ", &NOTED.map(Sql::new)),
                rows_of(some.len(), NOTED.len()),
                effect::or_known(self.link.dialect())
            );
            let values: Vec<ValueRef<'_>> = some.iter().flatten().copied().collect();
            self.link.execute_lent(&text, &values)?;
        }
        Ok(())
    }
}

/// Gives one row of a batch to a sink.
#[inline]
fn give(sink: &mut Sink<'_, '_>, batch: &Batch, row: &RowEnd, lies: &Lies) -> Result<(), LoadStop> {
    let values = &batch.values[lies.values.clone()];
    if row.as_it_came {
        sink.row_as_it_came(values)
    } else {
        sink.row(Values(values))
    }
}

/// Where the rows of a dataset go.
fn load(work: &Work) -> Load<'_> {
    let layout = &work.compiled.layout;
    Load {
        table: sql!("{}", layout.shape.ident()),
        columns: &layout.bound,
    }
}

/// Columns of the crosswalk, in the order of a note.
pub(super) const NOTED: [&str; 7] = [
    "run",
    "dataset",
    "org",
    "source_key",
    "generation",
    "step",
    "target_key",
];

/// `(?1, ?2), (?3, ?4)`
pub(super) fn rows_of(rows: usize, width: usize) -> Sql {
    let row = |row: usize| sql!("({})", Sql::places(1 + row * width, width));
    let rows: Vec<Sql> = (0..rows).map(row).collect();
    Sql::join(", ", &rows)
}
