//! One scan of a source table for the lines of rows that differ: of every line the target key is mapped,
//! of those that are looked for the whole row; the digest that the ledger keeps tells whether that is
//! what was written.
//!
//! In: keys of rows, the source inside one read transaction, the target. Out: classes and columns.
//!
//! Not here: how two values differ (`class`), pairs of rows (`swaps`).

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::swaps::{Blind, Sides};
use super::{Class, Column, Narrow, RowClass, shown};
use crate::copy::ledger::packed::HALF;
use crate::copy::mapping::cell::Verdict;
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::draw::Draw;
use crate::copy::mapping::sight::Line;
use crate::copy::reading::batch::Batch;
use crate::copy::reading::scan::{self, Compiled, Scanner, Stop};
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::tables::shape::find;
use crate::copy::value::canon::{self, Values};
use crate::copy::verify::Known;
use crate::orgdb::link::Flow;
use crate::orgdb::{Link, ValueRef};

/// The rows of one dataset that are looked for.
pub(super) struct Lines<'c> {
    pub(super) compiled: &'c Compiled,
    pub(super) target: &'c Link,
    pub(super) draws: Vec<Draw>,
    /// Rows by their target key.
    pub(super) wanted: HashMap<Vec<u8>, usize>,
    pub(super) values: bool,
    /// What was found out of each.
    pub(super) found: BTreeMap<usize, (RowClass, Vec<Differs>)>,
}

/// A column that differs, with what tells whether it changed places with another.
pub(super) struct Differs {
    pub(super) column: Column,
    pub(super) sides: Option<Sides>,
}

impl Lines<'_> {
    /// Reads the lines until every row is told.
    pub(super) fn read(
        &mut self,
        source: &Link,
        work: &Narrow,
        known: &[Known],
    ) -> Result<(), Stop> {
        let run = work.copied.run;
        let crosswalk = Crosswalk::ledger(self.target, run, &work.load.route.source)?;
        let scanner = Scanner::new(source.scratch()?, crosswalk, self.compiled)?;
        let mut reading = Reading {
            scanner,
            blind: Blind::default(),
            batch: Batch::default(),
            row: Vec::new(),
            key: Vec::new(),
        };
        let (compiled, start) = (self.compiled, Position::start());
        scan::each(source, compiled, Wanted::Behind(&start), |line| {
            if let Some((row, draw)) = self.meets(&mut reading, line)? {
                self.tell(&mut reading, line, (row, draw), &known[row])?;
            }
            Ok(if self.wanted.is_empty() {
                Flow::Break(())
            } else {
                Flow::Continue(())
            })
        })
    }

    /// The row that a line came to, if it is looked for, and who drew its key.
    fn meets(
        &self,
        reading: &mut Reading<'_>,
        line: Line<'_>,
    ) -> Result<Option<(usize, usize)>, Stop> {
        let Compiled {
            program, layout, ..
        } = self.compiled;
        let bench = &mut reading.scanner.bench;
        if program.read_key(line, bench).is_some() {
            return Ok(None);
        }
        for (at, draw) in self.draws.iter().enumerate() {
            reading.key.clear();
            let verdict = layout.key_of_line(program, line, bench, draw, &mut reading.key)?;
            let row = self.wanted.get(&reading.key);
            if let (Verdict::Fine, Some(row)) = (verdict, row) {
                return Ok(Some((*row, at)));
            }
        }
        Ok(None)
    }

    /// Maps the line whole and compares, where it is proved to be what was written. Another line may
    /// have the same key, and be the one that went.
    fn tell(
        &mut self,
        reading: &mut Reading<'_>,
        line: Line<'_>,
        (row, draw): (usize, usize),
        known: &Known,
    ) -> Result<(), Stop> {
        let shape = &self.compiled.layout.shape;
        reading.row.clear();
        if !find(self.target, &shape.select(), &known.key, &mut reading.row)? {
            self.found.insert(row, (RowClass::Missing, Vec::new()));
            self.wanted.remove(&known.key);
            return Ok(());
        }
        let mut proved = None;
        if shape.all == known.shape.all {
            let candidates = self.candidates(reading, line, draw)?;
            let is_it = |due: &Vec<u8>| self.compiled.mac.of(due)[..HALF] == *known.digest;
            proved = candidates.into_iter().find(is_it);
        }
        let found = match proved {
            Some(due) => (RowClass::Edited, self.compare(reading, &due)),
            None if self.compiled.layout.read_back => (RowClass::CannotTell, Vec::new()),
            None => (RowClass::SourceDiffers, Vec::new()),
        };
        if found.0 == RowClass::Edited {
            self.wanted.remove(&known.key);
        }
        self.found.insert(row, found);
        Ok(())
    }

    /// What the line comes to: with its references into its own dataset, which a second pass set, and
    /// without; nothing where it cannot go.
    fn candidates(
        &self,
        reading: &mut Reading<'_>,
        line: Line<'_>,
        draw: usize,
    ) -> Result<Vec<Vec<u8>>, Stop> {
        let Compiled {
            program, layout, ..
        } = self.compiled;
        let Reading {
            scanner,
            batch,
            row,
            ..
        } = reading;
        batch.clear();
        let digest = scanner.lines.of(line);
        match scanner.judge(line, digest, batch) {
            Ok(()) if batch.rows.is_empty() => return Ok(Vec::new()),
            Err(Stop::Data(_)) => return Ok(Vec::new()),
            judged => judged?,
        }
        let mut bound = std::mem::take(&mut batch.values);
        if draw > 0 {
            let mut again = Vec::with_capacity(bound.len());
            let id = self.draws[draw].id(&scanner.bench.key);
            layout.redraw(&bound, &id, &mut again);
            bound = again;
        }
        let without = self.whole(&bound, &[], row);
        if program.later.is_empty() {
            return Ok(vec![without]);
        }
        batch.clear();
        scanner.refer(line, batch)?;
        let mut references = Vec::new();
        if !batch.rows.is_empty() {
            // The first is the row's own key.
            references.extend(Values(&batch.values).skip(1));
        }
        Ok(vec![self.whole(&bound, &references, row), without])
    }

    /// A row as the table holds it: what only the engine fills is as it stands.
    fn whole(&self, bound: &[u8], references: &[ValueRef<'_>], stands: &[u8]) -> Vec<u8> {
        let Compiled {
            program, layout, ..
        } = self.compiled;
        let mut row = Vec::with_capacity(bound.len());
        let mut mapped = layout.bound.iter().zip(Values(bound)).peekable();
        for (name, stands) in layout.shape.all.iter().zip(Values(stands)) {
            let mut due = stands;
            if let Some((_, value)) = mapped.next_if(|(bound, _)| *bound == name) {
                due = value;
            }
            let mut later = program.later.iter();
            let at = later.position(|one| one.into.eq_ignore_ascii_case(name));
            let reference = at.and_then(|at| references.get(at)).copied();
            canon::push(&mut row, reference.unwrap_or(due));
        }
        row
    }

    /// Every column that differs.
    fn compare(&self, reading: &Reading<'_>, due: &[u8]) -> Vec<Differs> {
        let names = self.compiled.layout.shape.all.iter();
        let pairs = names.zip(Values(due)).zip(Values(&reading.row));
        let mut differs = Vec::new();
        for ((name, due), stands) in pairs {
            let Some(class) = Class::of(due, stands) else {
                continue;
            };
            let nothing = due == ValueRef::Null || stands == ValueRef::Null;
            let both = [due, stands];
            differs.push(Differs {
                column: Column {
                    name: name.clone(),
                    class,
                    values: self.values.then(|| both.map(shown::value)),
                },
                sides: (!nothing).then(|| both.map(|value| reading.number(value))),
            });
        }
        differs
    }
}

/// What a scan works with.
struct Reading<'c> {
    scanner: Scanner<'c>,
    blind: Blind,
    batch: Batch,
    /// The stored row.
    row: Vec<u8>,
    key: Vec<u8>,
}

impl Reading<'_> {
    fn number(&self, value: ValueRef<'_>) -> u64 {
        let mut canonical = Vec::new();
        canon::push(&mut canonical, value);
        self.blind.of(&canonical)
    }
}
