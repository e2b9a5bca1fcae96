//! Holds a source's lines against what the ledger says of them. A line with a known digest is as it was;
//! any other is judged again, and so is one that hangs on a row that is about to go, or on one that was
//! not there.
//!
//! In: the source inside one read transaction, the ledger. Out: changes, kept in the scratch store.
//!
//! Not here: judging (`scan`), which lines need not be read at all (`same`).

use std::sync::mpsc::SyncSender;

use foldhash::HashSet;

use super::ahead::{self, Told};
use super::beside::{self, Seen};
use super::changes::{Changes, Due};
use super::known::Known;
use super::ledgered::{Chunk, Ledgered, Places, Row};
use super::same::{self, Place};
use super::write::Change;
use super::{Caught, at_once, hand_over};
use crate::copy::mapping::cell::{Turn, Verdict};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::sight::Line;
use crate::copy::reading::batch::Batch;
use crate::copy::reading::lines::{self, LineDigest, State};
use crate::copy::reading::scan::{self, Compiled, Scanner, Stop};
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::value::canon::Values;
use crate::orgdb::horizon::Age;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Sql, ValueRef};

/// Compares every line of a dataset; `other` is another connection to the same source at the same moment.
pub(super) fn compare(
    (source, other): (&Link, Option<&mut Link>),
    crosswalk: Crosswalk<'_>,
    compiled: &Compiled,
    ledgered: &Ledgered<'_>,
    changes: &Changes<'_>,
) -> Result<Caught, Stop> {
    let mut comparing = Comparing {
        lookups: lost_lookups(compiled, &crosswalk),
        scanner: Scanner::new(source.scratch()?, crosswalk, compiled)?,
        compiled,
        ledgered,
        changes,
        batch: Batch::default(),
        values: Vec::new(),
        newer: HashSet::default(),
        found: Caught::default(),
        scattered: false,
    };
    let chunks = ledgered.chunks();
    let other = other.filter(|_| comparing.lookups.is_empty());
    match other {
        Some(other) if beside::is_worth_it(source, compiled, chunks) => {
            beside::each_by_two(source, other, &mut comparing)?;
        }
        Some(other) if ahead::is_worth_it(source, compiled, chunks) => {
            ahead::each(source, other, &mut comparing)?;
        }
        _ => {
            for at in 0..chunks {
                comparing.chunk(source, &ledgered.chunk(at)?, None)?;
            }
        }
    }
    comparing.unseen_newer()?;
    Ok(comparing.found)
}

/// Cells that look up a dataset of which rows are about to go.
fn lost_lookups(compiled: &Compiled, crosswalk: &Crosswalk<'_>) -> Vec<usize> {
    let cells = compiled.program.cells.iter().enumerate();
    let lost = cells.filter(|(_, cell)| match &cell.turn {
        Turn::Lookup(name) => crosswalk.loses(name),
        _ => false,
    });
    lost.map(|(at, _)| at).collect()
}

pub(super) struct Comparing<'c> {
    scanner: Scanner<'c>,
    pub(super) compiled: &'c Compiled,
    pub(super) ledgered: &'c Ledgered<'c>,
    changes: &'c Changes<'c>,
    lookups: Vec<usize>,
    batch: Batch,
    values: Vec<u8>,
    /// Single lines that were met.
    newer: HashSet<LineDigest>,
    found: Caught,
    /// Rows of the chunk before were gone: it is not worth while to count those of the next.
    scattered: bool,
}

/// How a line was met.
enum Met {
    AsItWas,
    /// With what is known of the very same line, where something is.
    ToJudge(Option<State>),
}

impl Comparing<'_> {
    /// Compares the lines of a chunk; `seen` is what was found where it was looked through already.
    pub(super) fn chunk(
        &mut self,
        source: &Link,
        chunk: &Chunk,
        seen: Option<Seen>,
    ) -> Result<(), Stop> {
        self.rest_of(source, chunk, |comparing, known| match seen {
            Some(seen) => comparing.only_strange(source, known, seen),
            None => comparing.only_new(source, known),
        })
    }

    /// Compares the lines of a chunk of which a server has told already.
    pub(super) fn told(&mut self, source: &Link, chunk: &Chunk, told: Told) -> Result<(), Stop> {
        self.rest_of(source, chunk, |comparing, known| {
            known.met = told.met;
            comparing.only_since(source, known, (&told.places, told.unsettled))
        })
    }

    /// Reads the lines of a chunk that are left, once `only` has said which those are.
    fn rest_of(
        &mut self,
        source: &Link,
        chunk: &Chunk,
        only: impl FnOnce(&mut Self, &mut Known<'_>) -> Result<Option<Sql>, Stop>,
    ) -> Result<(), Stop> {
        let ledgered = self.ledgered;
        let (mut known, rows);
        known = Known::of(chunk);
        if !ledgered.newer.is_empty() {
            rows = ledgered.rows(chunk)?;
            known.with_rows(&rows)?;
        }
        let only = only(self, &mut known)?;
        self.read(source, &mut known, (chunk.wanted(), only))?;
        self.unseen(&known)
    }

    /// Reads lines, and compares them with what is known.
    fn read(
        &mut self,
        source: &Link,
        known: &mut Known<'_>,
        (wanted, only): (Wanted<'_>, Option<Sql>),
    ) -> Result<(), Stop> {
        scan::each_only(source, self.compiled, (wanted, only), |line| {
            self.found.lines += 1;
            self.found.read += 1;
            let digest = self.scanner.lines.of(line);
            match self.meet(digest, known, line)? {
                Met::AsItWas => {}
                Met::ToJudge(known) => self.judge(line, digest, known)?,
            }
            Ok(Flow::Continue(()))
        })
    }

    /// What leaves out rows that are the very ones which the copy read, once their lines are met, or read by
    /// themselves where what came of them may be something else now; none where every line must be read.
    fn only_new(&mut self, source: &Link, known: &mut Known<'_>) -> Result<Option<Sql>, Stop> {
        let Some(places) = self.places(known.chunk)? else {
            return Ok(None);
        };
        let about = (&places, &self.ledgered.newer);
        let told = same::mark(source, self.compiled, known, about, &mut self.scattered)?;
        self.only_since(source, known, (&places, told))
    }

    /// Where a chunk's lines stand, if a server can be asked which rows are the very ones.
    pub(super) fn places(&self, chunk: &Chunk) -> Result<Option<Places>, DbTrouble> {
        let now = self.compiled.horizon.as_ref();
        match now.filter(|_| self.lookups.is_empty()) {
            Some(now) => self.ledgered.places(chunk, now),
            None => Ok(None),
        }
    }

    /// The same where the server has told which of them are met.
    fn only_since(
        &mut self,
        source: &Link,
        known: &mut Known<'_>,
        (places, told): (&Places, Option<Vec<Place>>),
    ) -> Result<Option<Sql>, Stop> {
        let newer = &self.ledgered.newer;
        let Some(unsettled) = told.filter(|_| !known.has_met_what_is_over(newer)) else {
            known.begin_again();
            return Ok(None);
        };
        known.scattered = true;
        self.found.lines += known.met.iter().filter(|met| **met).count() as u64;
        for (behind, upto) in &unsettled {
            let wanted = Wanted::Between(behind, upto);
            self.read(
                source,
                known,
                (wanted, Some(places.horizon.term(Age::Seen))),
            )?;
        }
        Ok(Some(places.horizon.term(Age::New)))
    }

    /// The same where lines were looked through already.
    fn only_strange(
        &mut self,
        source: &Link,
        known: &mut Known<'_>,
        seen: Seen,
    ) -> Result<Option<Sql>, Stop> {
        if !seen.are_few() {
            return Ok(None);
        }
        let only = seen.only_strange(source.scratch()?)?;
        known.met = seen.met;
        if known.has_met_what_is_over(&self.ledgered.newer) {
            known.begin_again();
            return Ok(None);
        }
        known.scattered = true;
        let met = known.met.iter().filter(|met| **met).count() as u64;
        self.found.lines += met;
        self.found.read += met;
        Ok(Some(only))
    }

    /// Looks for a line in what the ledger knows.
    fn meet(
        &mut self,
        digest: LineDigest,
        known: &mut Known<'_>,
        line: Line<'_>,
    ) -> Result<Met, Stop> {
        let newer = self.ledgered.newer.line(digest).map(|line| line.state);
        let place = match newer {
            Some(_) => None,
            None => known.find(digest),
        };
        let place = place.filter(|at| {
            let row = known.row(*at).filter(|_| known.chunk.lines[*at].1.stands);
            !row.is_some_and(|row| self.ledgered.newer.is_over(row.key))
        });
        let Some(state) = newer.or_else(|| place.map(|at| known.chunk.lines[at].1)) else {
            return Ok(Met::ToJudge(None));
        };
        if state.open || (state.stands && self.has_lost(line)?) {
            return Ok(Met::ToJudge(Some(state)));
        }
        match place {
            Some(at) => known.met[at] = true,
            None => drop(self.newer.insert(digest)),
        }
        Ok(Met::AsItWas)
    }

    /// Whether something that the line refers to is about to go.
    fn has_lost(&mut self, line: Line<'_>) -> Result<bool, Stop> {
        let cells = &self.compiled.program.cells;
        for at in &self.lookups {
            self.values.clear();
            let bench = &mut self.scanner.bench;
            bench.mended.clear();
            let verdict = cells[*at].evaluate(*at, line, bench, &mut self.values)?;
            if verdict != Verdict::Fine || !bench.mended.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn judge(
        &mut self,
        line: Line<'_>,
        digest: LineDigest,
        known: Option<State>,
    ) -> Result<(), Stop> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        self.scanner.judge(line, digest, &mut batch)?;
        self.keep(digest, known, &batch)?;
        self.batch = batch;
        Ok(())
    }

    /// Keeps what came of a line, unless the ledger says the same.
    fn keep(
        &mut self,
        digest: LineDigest,
        known: Option<State>,
        batch: &Batch,
    ) -> Result<(), Stop> {
        let Batch {
            lines,
            rows,
            values,
            keys,
            rejects,
            ..
        } = batch;
        let noted = lines.first().copied().unwrap_or_default();
        let same_word = known.is_some_and(|state| !state.stands);
        if rows.is_empty() {
            if !same_word {
                let nothing = (String::new(), "", String::new());
                let why = rejects.first().unwrap_or(&nothing);
                self.changes.refused(noted, why)?;
            }
            return Ok(());
        }
        let mut due = Due {
            line: noted,
            known: known.is_some_and(|state| state.stands),
            again: same_word,
            keys,
            values,
        };
        if let Some(id) = self.drawn_before(keys) {
            self.values.clear();
            let layout = &self.compiled.layout;
            layout.redraw(values, &id, &mut self.values);
            due.values = &self.values;
        }
        if !self.changes.due(self.compiled, &due)? && !same_word {
            let state = State {
                stands: false,
                open: true,
            };
            let key = match Values(keys).next() {
                Some(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            };
            let column = self.compiled.program.twice().to_owned();
            self.changes
                .refused(lines::note(digest, state), &(key, "HO506", column))?;
        }
        Ok(())
    }

    /// The key that an earlier catch-up drew for this source key.
    fn drawn_before(&mut self, keys: &[u8]) -> Option<[u8; 36]> {
        self.compiled.layout.drawn?;
        let Some(ValueRef::Text(source)) = Values(keys).next() else {
            return None;
        };
        let source = self.scanner.lines.of_key(source);
        let key = self.ledgered.newer.key(source)?;
        match Values(key).next() {
            Some(ValueRef::Text(id)) => id.try_into().ok(),
            _ => None,
        }
    }

    /// Rows of the chunk whose lines were not met.
    fn unseen(&mut self, known: &Known<'_>) -> Result<(), Stop> {
        let chunk = known.chunk;
        let lost = |at: usize| chunk.lines[at].1.stands && !known.met[at];
        if !(0..chunk.lines.len()).any(lost) {
            return Ok(());
        }
        let (mut with_rows, rows) = (Known::of(chunk), self.ledgered.rows(chunk)?);
        with_rows.with_rows(&rows)?;
        for at in (0..chunk.lines.len()).filter(|at| lost(*at)) {
            let row = with_rows.row(at).ok_or(DbTrouble::Damaged)?;
            if !self.ledgered.newer.is_over(row.key) {
                self.changes.gone(&Row::of(row)?)?;
            }
        }
        Ok(())
    }

    fn unseen_newer(&mut self) -> Result<(), Stop> {
        for (digest, line) in self.ledgered.newer.all() {
            if let (Some(row), false) = (&line.row, self.newer.contains(digest)) {
                self.changes.gone(row)?;
            }
        }
        Ok(())
    }
}

/// Sends what lines that are due refer to within their own dataset; where rows come or go, what all lines
/// refer to. A catch-up that goes on (`goes_on`) may have been stopped before this.
pub(super) fn send_references(
    source: &Link,
    crosswalk: Crosswalk<'_>,
    compiled: &Compiled,
    (changes, goes_on): (&Changes<'_>, bool),
    outlet: &SyncSender<Change>,
) -> Result<(), Stop> {
    let (due, all) = (changes.due_lines()?, goes_on || changes.any_come_or_go()?);
    if due.is_empty() && !all {
        return Ok(());
    }
    let mut scanner = Scanner::new(source.scratch()?, crosswalk, compiled)?;
    let mut batch = Batch::default();
    let mut heard = true;
    scan::each(
        source,
        compiled,
        Wanted::Behind(&Position::start()),
        |line| {
            if all || due.contains(&scanner.lines.of(line)) {
                scanner.refer(line, &mut batch)?;
            }
            if batch.rows.len() >= at_once(compiled) {
                heard = hand_over(outlet, Change::Refer(std::mem::take(&mut batch)));
            }
            Ok(if heard {
                Flow::Continue(())
            } else {
                Flow::Break(())
            })
        },
    )?;
    if heard && !batch.rows.is_empty() {
        hand_over(outlet, Change::Refer(batch));
    }
    Ok(())
}
