//! A differing row narrowed to its columns: the source's line is read and mapped once more, proved to be
//! what was written by the digest that the ledger keeps, and held against the stored row column by column.
//! What cannot be proved so is told as a class of its own, never guessed.
//!
//! In: the rows that `verify` named, the copy they came with. Out: per row a class and its columns, by
//! keyed digest; values only where they were asked for.
//!
//! One scan of each source table that is concerned, of which only the keys are mapped; memory for the
//! named rows (a thousand), not for their values.
//!
//! Not here: finding the rows that differ (`verify`), rows that no ledger knows (`extra`).

mod class;
mod lines;
mod shown;
mod swaps;

use std::collections::BTreeMap;

use foldhash::HashSet;

pub use self::class::Class;
use self::lines::Lines;
pub(crate) use self::shown::key as shown_key;
use crate::copy::ledger::Deed;
use crate::copy::load::{self, Load};
use crate::copy::mapping::draw::Draw;
use crate::copy::reading::scan::{Compiled, Stop};
use crate::copy::verify::{Digested, Known};
use crate::orgdb::link::Begin;
use crate::orgdb::{DbFault, DbTrouble, Link, OrgReader};
use crate::plan::outline::StepId;

/// The copy whose rows differ.
pub struct Narrow {
    /// What it copied.
    pub load: Load,
    /// Its deed, as it stands in the ledger.
    pub copied: Deed,
    /// Steps that caught up with it, each with its generation: they draw keys of their own.
    pub since: Vec<(StepId, u32)>,
    /// Whether values are told: only to those who may see them.
    pub values: bool,
}

/// How a row stands that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowClass {
    /// Columns of it differ from what was written.
    Edited,
    /// It is not there.
    Missing,
    /// It carries the mark of the run, and no ledger knows of it.
    Extra,
    /// Edited; the source holds no line of it any more.
    NoSourceLine,
    /// Edited; its line at the source does not come to what was written last: the source has moved on, or
    /// a step of another kind wrote the row since. Its columns cannot be told.
    SourceDiffers,
    /// Edited; a step of another kind wrote it last, not from a line of the source.
    WrittenLater,
    /// It stands again, although a later step of ours took it out.
    Again,
    /// Edited; it has no key, or only the engine knows what it stored.
    CannotTell,
}

impl RowClass {
    /// As people and programs read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RowClass::Edited => "edited",
            RowClass::Missing => "missing",
            RowClass::Extra => "extra",
            RowClass::NoSourceLine => "edited, no source line",
            RowClass::SourceDiffers => "edited, source line differs",
            RowClass::WrittenLater => "edited after a later step",
            RowClass::Again => "stands again",
            RowClass::CannotTell => "edited, column cannot be told",
        }
    }
}

/// A row that is not as it should be. Without values, nothing in it says anything of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The table.
    pub table: String,
    /// Keyed digest of the row's key.
    pub row: String,
    /// How it stands.
    pub class: RowClass,
    /// Which columns differ; none unless it is `Edited`.
    pub columns: Vec<Column>,
    /// Its key at the target, where values were asked for.
    pub key: Option<String>,
}

/// A column that differs.
#[derive(Clone, PartialEq, Eq)]
pub struct Column {
    /// The column.
    pub name: String,
    /// How it differs.
    pub class: Class,
    /// What the source's line comes to and what stands at the target, where values were asked for.
    pub values: Option<[String; 2]>,
}

impl Narrowed {
    /// What is known before anything was read.
    fn of(named: &crate::copy::verify::Difference, known: &Known, values: bool) -> Narrowed {
        let class = match named.class {
            "missing" => RowClass::Missing,
            _ if known.digest.is_empty() => RowClass::Again,
            _ => RowClass::Edited,
        };
        Narrowed {
            table: named.table.clone(),
            row: named.row.clone(),
            class,
            columns: Vec::new(),
            key: values.then(|| shown::key(&known.shape, &known.key)),
        }
    }

    /// Its columns and how they differ; one without a name where none can be told.
    pub fn told(&self) -> impl Iterator<Item = (Option<&Column>, &'static str)> {
        let columns = self.columns.iter();
        let whole = self.columns.is_empty().then(|| (None, self.class.word()));
        let columns = columns.map(|column| (Some(column), column.class.word()));
        columns.chain(whole)
    }
}

/// Narrows the rows that were named, each of them once, in the order in which they were named.
///
/// # Errors
/// When a database refuses.
pub async fn narrow(
    source: &OrgReader,
    target: &OrgReader,
    work: Narrow,
    digested: &Digested,
) -> Result<Vec<Narrowed>, DbFault> {
    let mut rows = Rows::of(digested, work.values);
    if rows.narrowed.is_empty() {
        return Ok(Vec::new());
    }
    let beside = target.beside();
    let source = source.another().await?;
    source
        .with(move |link| {
            link.begin(Begin::Read)?;
            let target = beside()?;
            for at in work.load.datasets() {
                rows.dataset(link, &target, &work, at)?;
            }
            link.commit()?;
            Ok(rows.end())
        })
        .await
}

/// The rows that were named, each of them once, told no further: they came from no source.
#[must_use]
pub fn unnarrowed(digested: &Digested, values: bool) -> Vec<Narrowed> {
    Rows::of(digested, values).narrowed
}

/// Rows on their way.
struct Rows {
    narrowed: Vec<Narrowed>,
    known: Vec<Known>,
    swaps: swaps::Swaps,
    /// Rows of datasets that were read.
    told: Vec<usize>,
}

impl Rows {
    fn of(digested: &Digested, values: bool) -> Rows {
        let mut rows = Rows {
            narrowed: Vec::new(),
            known: Vec::new(),
            swaps: swaps::Swaps::default(),
            told: Vec::new(),
        };
        let mut met: HashSet<(&str, &str)> = HashSet::default();
        for (named, known) in digested.differences.iter().zip(&digested.known) {
            // One that several effects wrote is named by each of them.
            if met.insert((&named.table, &named.row)) {
                rows.narrowed.push(Narrowed::of(named, known, values));
                rows.known.push(known.clone());
            }
        }
        rows
    }

    /// Those of one dataset.
    fn dataset(
        &mut self,
        source: &Link,
        target: &Link,
        work: &Narrow,
        at: usize,
    ) -> Result<(), DbTrouble> {
        let dataset = &work.load.map.datasets[at];
        let mine = |row: &usize| {
            self.known[*row].label == dataset.name && self.narrowed[*row].class == RowClass::Edited
        };
        let mine: Vec<usize> = (0..self.known.len()).filter(mine).collect();
        self.told.extend(&mine);
        if mine.is_empty() {
            return Ok(());
        }
        let compiled = load::compile(source, target, &work.load, &work.copied, at)?;
        let keyed = &compiled.layout.shape.key;
        if keyed.is_empty() || compiled.layout.key.len() != keyed.len() {
            for row in mine {
                self.narrowed[row].class = RowClass::CannotTell;
            }
            return Ok(());
        }
        let wanted = mine.iter().map(|row| (self.known[*row].key.clone(), *row));
        let mut lines = Lines {
            compiled: &compiled,
            target,
            draws: draws(work, &compiled),
            wanted: wanted.collect(),
            values: work.values,
            found: BTreeMap::new(),
        };
        // A line that cannot go any more is told row by row.
        if let Err(Stop::Db(trouble)) = lines.read(source, work, &self.known) {
            return Err(trouble);
        }
        let mut found = lines.found;
        for row in mine {
            let (class, columns) = found
                .remove(&row)
                .unwrap_or((RowClass::NoSourceLine, Vec::new()));
            self.swaps.note(&self.narrowed[row].table, row, &columns);
            self.narrowed[row].class = class;
            self.narrowed[row].columns = columns.into_iter().map(|one| one.column).collect();
        }
        Ok(())
    }

    fn end(mut self) -> Vec<Narrowed> {
        for (row, column) in self.swaps.pairs() {
            self.narrowed[row].columns[column].class = Class::Swapped;
        }
        // What no dataset of this copy knows was written by a step of another kind.
        for (at, row) in self.narrowed.iter_mut().enumerate() {
            if row.class == RowClass::Edited && !self.told.contains(&at) {
                row.class = RowClass::WrittenLater;
            }
        }
        self.narrowed
    }
}

/// Draws the keys that rows of the dataset may have: the copy's, then those of whatever came new later,
/// with the copy itself when it went on, or with a step since.
fn draws(work: &Narrow, compiled: &Compiled) -> Vec<Draw> {
    let (name, source) = (&compiled.program.name, &work.load.route.source);
    let mut draws = vec![Draw::new(&work.copied, name, source)];
    if compiled.layout.drawn.is_none() {
        return draws;
    }
    draws.push(Draw::later(&work.copied, name, source));
    draws.extend(work.since.iter().map(|(step, generation)| {
        let deed = Deed {
            step: step.clone(),
            generation: *generation,
            ..work.copied.clone()
        };
        Draw::later(&deed, name, source)
    }));
    draws
}
