//! The writing side of a copy: a chunk's rows, crosswalk, rejected rows, undo and ledger row become
//! durable in one transaction.
//!
//! In: batches. Out: effects, and counts that stand in the ledger with them.
//!
//! Not here: judging rows (`scan`), when what is loaded (`load`).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, params};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use super::batch::{Batch, RowEnd};
use super::canon::Values;
use super::effect::{self, Head, Part};
use super::ledger::{Deed, Effect};
use super::load::LoadFault;
use super::look::{Counts, count};
use super::packed::pack;
use super::pen::change_rows;
use super::scan::{Compiled, Pass};
use super::shape::{bind, fetch};
use super::tally::Tally;
use super::triggers;
use crate::orgdb::{DbTrouble, Ident, Sql, Value};
use crate::sql;

/// How far a dataset has got: kept with each chunk, never exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) dataset: String,
    /// The second pass, over references into the own dataset.
    pub(super) second: bool,
    /// The last source row that was judged.
    pub(super) position: i64,
    pub(super) done: bool,
    /// Counts of the dataset so far.
    pub(super) counts: Counts,
}

/// What the writing side needs to know.
pub(super) struct Work {
    pub(super) compiled: Arc<Compiled>,
    pub(super) deed: Deed,
    pub(super) source: String,
    pub(super) pass: Pass,
    /// Target triggers are set aside.
    pub(super) quiet: bool,
    /// The names under which other datasets look this one's keys up: itself, its aliases.
    pub(super) keeps: bool,
    /// Most rejected rows: by `code column`, and of all.
    pub(super) limits: Vec<(String, u64)>,
    pub(super) limit: Option<u64>,
}

/// The writing side's ends of the channels.
pub(super) struct Inlet {
    pub(super) batches: Receiver<Batch>,
    pub(super) spare: Sender<Batch>,
    pub(super) effects: UnboundedSender<Effect>,
}

/// Writes batches until the last; none when the reading side stopped before that.
pub(super) fn store(
    connection: &Connection,
    work: &Work,
    inlet: &Inlet,
    mut mark: Mark,
    mut ordinal: u64,
) -> Result<Result<Option<Mark>, LoadFault>, DbTrouble> {
    connection.pragma_update(None, "cache_size", -32_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    for mut batch in &inlet.batches {
        ordinal += 1;
        let effect = match chunk(connection, work, &mut batch, &mut mark, ordinal)? {
            Ok(effect) => effect,
            Err(fault) => {
                connection.execute_batch("ROLLBACK")?;
                return Ok(Err(fault));
            }
        };
        // Nobody may be listening, and what is durable stays durable.
        drop(inlet.effects.send(effect));
        drop(inlet.spare.send(batch));
        if mark.done {
            return Ok(Ok(Some(mark)));
        }
    }
    Ok(Ok(None))
}

fn chunk(
    connection: &Connection,
    work: &Work,
    batch: &mut Batch,
    mark: &mut Mark,
    ordinal: u64,
) -> Result<Result<Effect, LoadFault>, DbTrouble> {
    let layout = &work.compiled.layout;
    let kind = match work.pass {
        Pass::Rows => format!("insert:{}", mark.dataset),
        Pass::References => format!("update:{}", mark.dataset),
    };
    effect::begin(connection, &work.deed)?;
    let aside = if work.quiet {
        triggers::set_aside(connection, &layout.shape.table)?
    } else {
        Vec::new()
    };
    // An effect with this ordinal that is not ours would mean two executors: the fence stands before.
    let id = effect::open(connection, &work.deed, ordinal, &kind)?.ok_or(DbTrouble::Damaged)?;
    let mut chunk = Chunk {
        connection,
        work,
        tally: Tally::default(),
        body: Vec::with_capacity(batch.packed.len()),
        counts: std::mem::take(&mut mark.counts),
        span: None,
    };
    match work.pass {
        Pass::Rows => chunk.insert(batch)?,
        Pass::References => chunk.update(batch)?,
    }
    chunk.add(&batch.counts);
    chunk.keep_rejects(batch, ordinal)?;
    let Chunk {
        tally,
        body,
        counts,
        span,
        ..
    } = chunk;
    mark.counts = counts;
    mark.position = batch.position;
    mark.done = batch.done;
    if let Some(fault) = beyond_limit(work, &mark.counts) {
        return Ok(Err(fault));
    }
    triggers::put_back(connection, &aside)?;
    effect::close(connection, id, &tally, &parts(work, body, span, mark)?)?;
    connection.execute_batch("COMMIT")?;
    Ok(Ok(Effect {
        ordinal,
        kind,
        rows: tally.rows,
        root: tally.root(),
    }))
}

fn parts(
    work: &Work,
    body: Vec<u8>,
    span: Option<(i64, i64)>,
    mark: &Mark,
) -> Result<Vec<Part>, DbTrouble> {
    let Compiled {
        layout, program, ..
    } = &*work.compiled;
    let (shape, label) = (layout.shape.clone(), program.name.clone());
    let head = match work.pass {
        Pass::Rows => Head::Insert {
            shape,
            label,
            quiet: work.quiet,
            span,
        },
        Pass::References => Head::Update {
            shape,
            label,
            set: program
                .later
                .iter()
                .map(|later| later.into.clone())
                .collect(),
        },
    };
    let position = Part {
        head: Head::Position,
        body: serde_json::to_vec(mark).map_err(|_| DbTrouble::Other(0))?,
    };
    Ok(vec![Part { head, body }, position])
}

/// More rows are rejected than the map allows.
fn beyond_limit(work: &Work, counts: &Counts) -> Option<LoadFault> {
    let fault = |code, column: &str, rows| LoadFault::Data {
        code,
        dataset: work.compiled.program.name.clone(),
        column: column.to_owned(),
        rows,
    };
    for (name, limit) in &work.limits {
        let rows = counts.rejected.get(name).copied().unwrap_or_default();
        if rows > *limit {
            let column = name.split_once(' ').map_or("", |(_, column)| column);
            return Some(fault("HO511", column, rows));
        }
    }
    let all = counts.rejected.values().sum();
    (all > work.limit?).then(|| fault("HO512", "", all))
}

struct Chunk<'c> {
    connection: &'c Connection,
    work: &'c Work,
    tally: Tally,
    body: Vec<u8>,
    counts: Counts,
    span: Option<(i64, i64)>,
}

impl Chunk<'_> {
    fn insert(&mut self, batch: &mut Batch) -> Result<(), DbTrouble> {
        let Compiled {
            layout, program, ..
        } = &*self.work.compiled;
        let mut insert = self.connection.prepare_cached(layout.insert().as_str())?;
        let mut again = if layout.read_back {
            Some(
                self.connection
                    .prepare_cached(again(&self.work.compiled).as_str())?,
            )
        } else {
            None
        };
        let mut note = if self.work.keeps {
            Some(self.connection.prepare_cached(NOTE)?)
        } else {
            None
        };
        let rows = std::mem::take(&mut batch.rows);
        let (mut values, mut keys, mut packed, mut mended) = (0, 0, 0, 0);
        let width = layout.money.len();
        for (at, row) in rows.iter().enumerate() {
            let bound = &batch.values[values..row.values];
            let named = &batch.keys[keys..row.keys];
            match self.one(&mut insert, bound)? {
                None => {
                    if let Some(again) = &mut again {
                        self.read_back(again, bound)?;
                    } else {
                        self.body
                            .extend_from_slice(&batch.packed[packed..row.packed]);
                        self.tally.add(&row.digest);
                    }
                    self.counts.copied += 1;
                    if layout.rowid {
                        let number = self.connection.last_insert_rowid();
                        self.span.get_or_insert((number, number)).1 = number;
                    }
                    for (place, name) in layout.money.iter().enumerate() {
                        let pence = batch
                            .money
                            .get(at * width + place)
                            .copied()
                            .unwrap_or_default();
                        add_pence(&mut self.counts, &name.1, pence);
                    }
                    for (cell, mend) in &batch.mended[mended..row.mended] {
                        let column = program.cells.get(*cell).map_or("", |cell| &cell.into);
                        count(
                            &mut self.counts.mended,
                            &format!("{} {column}", mend.word()),
                        );
                    }
                    if let Some(note) = &mut note {
                        self.note(note, bound, named)?;
                    }
                }
                Some((code, column)) => {
                    let key = Values(named).next().map(Value::of);
                    let key = key.as_ref().and_then(Value::text).unwrap_or_default();
                    count(&mut self.counts.rejected, &format!("{code} {column}"));
                    batch.rejects.push((key.to_owned(), code, column));
                }
            }
            let RowEnd {
                values: v,
                keys: k,
                packed: p,
                mended: m,
                ..
            } = row;
            (values, keys, packed, mended) = (*v, *k, *p, *m);
        }
        batch.rows = rows;
        Ok(())
    }

    /// Inserts one row; a code and a column when the target's own rules refuse it.
    fn one(
        &self,
        insert: &mut CachedStatement<'_>,
        values: &[u8],
    ) -> Result<Option<(&'static str, String)>, DbTrouble> {
        bind(insert, 1, Values(values))?;
        match insert.raw_execute().map_err(DbTrouble::from) {
            Ok(0) => Ok(Some(("HO510", String::new()))),
            Ok(_) => Ok(None),
            Err(DbTrouble::Constraint { kind, on }) => {
                let guards = &self.work.compiled.layout.guards;
                let twice = kind == "unique" && guards.contains(&on);
                if twice {
                    let column = self.work.compiled.program.twice();
                    return Ok(Some(("HO506", column.to_owned())));
                }
                let column = on.split_once('.').map_or(kind, |(_, column)| column);
                let first = column.split(',').next().unwrap_or(kind);
                Ok(Some(("HO510", first.to_owned())))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// Digests the row as it is stored, defaults and triggers included.
    fn read_back(
        &mut self,
        again: &mut CachedStatement<'_>,
        bound: &[u8],
    ) -> Result<(), DbTrouble> {
        let layout = &self.work.compiled.layout;
        if layout.rowid {
            let number = ValueRef::Integer(self.connection.last_insert_rowid());
            bind(again, 1, [number])?;
        } else {
            let mut key = Vec::new();
            layout.push_key(bound, &mut key);
            bind(again, 1, Values(&key))?;
        }
        let mut all = Vec::new();
        if !fetch(again, &mut all)? {
            return Ok(());
        }
        let mut row = Values(&all);
        for _ in 0..layout.shape.key_width() {
            row.next();
        }
        let key = &all[..all.len() - row.0.len()];
        let digest = self.work.compiled.mac.of(row.0);
        pack(&mut self.body, &[key], &digest);
        self.tally.add(&digest);
        Ok(())
    }

    /// Notes the target key under the dataset's name and its further names.
    fn note(
        &self,
        note: &mut CachedStatement<'_>,
        bound: &[u8],
        keys: &[u8],
    ) -> Result<(), DbTrouble> {
        let Compiled {
            layout, program, ..
        } = &*self.work.compiled;
        let deed = &self.work.deed;
        let at = layout.drawn.or(layout.key.first().copied());
        let Some(target) = at.and_then(|at| Values(bound).nth(at)) else {
            return Ok(());
        };
        let names =
            std::iter::once(&program.name).chain(program.aliases.iter().map(|alias| &alias.name));
        for (name, key) in names.zip(Values(keys)) {
            if key != ValueRef::Null {
                note.raw_bind_parameter(1, deed.run.to_string())?;
                note.raw_bind_parameter(2, name)?;
                note.raw_bind_parameter(3, &self.work.source)?;
                note.raw_bind_parameter(5, deed.generation)?;
                note.raw_bind_parameter(6, deed.step.as_str())?;
                bind(note, 4, [key])?;
                bind(note, 7, [target])?;
                note.raw_execute()?;
            }
        }
        Ok(())
    }

    /// Sets the references of the second pass, where they are NULL.
    fn update(&mut self, batch: &Batch) -> Result<(), DbTrouble> {
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
                self.connection,
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

    fn add(&mut self, counts: &Counts) {
        let pairs = [
            (&mut self.counts.rejected, &counts.rejected),
            (&mut self.counts.filtered, &counts.filtered),
            (&mut self.counts.mended, &counts.mended),
        ];
        for (all, new) in pairs {
            for (name, rows) in new {
                *all.entry(name.clone()).or_default() += rows;
            }
        }
    }

    fn keep_rejects(&self, batch: &Batch, ordinal: u64) -> Result<(), DbTrouble> {
        let deed = &self.work.deed;
        let mut keep = self.connection.prepare_cached(
            "INSERT INTO handover_reject (run, step, generation, ordinal, dataset, source_key, code, col)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for (key, code, column) in &batch.rejects {
            keep.execute(params![
                deed.run.to_string(),
                deed.step.as_str(),
                deed.generation,
                ordinal.cast_signed(),
                self.work.compiled.program.name,
                key,
                code,
                column
            ])?;
        }
        Ok(())
    }
}

const NOTE: &str = "INSERT OR IGNORE INTO handover_key
  (run, dataset, org, source_key, generation, step, target_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Reads an inserted row again: its key, then every stored column.
fn again(compiled: &Compiled) -> Sql {
    let shape = &compiled.layout.shape;
    let which = if compiled.layout.rowid {
        Sql::new("rowid = ?1")
    } else {
        shape.by_key(1)
    };
    sql!(
        "SELECT {}, {} FROM {} WHERE {}",
        Sql::join(", ", &shape.key_columns()),
        super::shape::idents(&shape.all),
        shape.ident(),
        which
    )
}

fn add_pence(counts: &mut Counts, name: &str, pence: i64) {
    match counts.pence.get_mut(name) {
        Some(sum) => *sum += i128::from(pence),
        None => drop(counts.pence.insert(name.to_owned(), pence.into())),
    }
}
