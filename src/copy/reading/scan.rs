//! The reading side of a copy: scans a source table in its order, judges each row, and sends chunks to the writing side.
//!
//! In: a source connection inside one read transaction, a compiled dataset. Out: batches.
//!
//! Not here: writing (`store`), what a row becomes (`program`, `layout`).

use std::sync::mpsc::{Receiver, SyncSender};

use foldhash::HashSet;
use rusqlite::Connection;

use super::batch::{Batch, OtherName};
use super::lines::{self, LineDigest, LineMac, State};
use crate::copy::counts::count;
use crate::copy::fault::LoadFault;
use crate::copy::ledger::packed::pack;
use crate::copy::mapping::cell::{Bench, Mend, Turn, Verdict};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::draw::Draw;
use crate::copy::mapping::layout::Layout;
use crate::copy::mapping::program::{Fate, Program};
use crate::copy::mapping::sight::Line;
use crate::copy::namesakes::{Manners, Meeting, Namesakes, SECOND, merged};
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::value::canon::{self, Values};
use crate::copy::value::convert::number;
use crate::copy::value::tally::RowMac;
use crate::orgdb::horizon::Horizon;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Sql, Value, ValueRef};
use crate::plan::decisions::RowRef;
use crate::plan::map::Relation;

/// A dataset, compiled for one target.
pub(crate) struct Compiled {
    pub(crate) program: Program,
    pub(crate) layout: Layout,
    pub(crate) relations: Vec<Relation>,
    /// Which of the route's targets this is.
    pub(crate) target: usize,
    pub(crate) target_code: String,
    pub(crate) draw: Draw,
    pub(crate) mac: RowMac,
    pub(crate) lines: LineMac,
    /// Rows a chunk holds at most.
    pub(crate) chunk_rows: usize,
    /// How it goes to the writing side.
    pub(crate) pieces: Pieces,
    /// How its rows meet others, and who stands at the target.
    pub(crate) meets: Option<(Manners, Namesakes)>,
    /// What tells the source's rows as they are at this look from later ones, where something does.
    pub(crate) horizon: Option<Horizon>,
}

impl Compiled {
    /// Whether a row may be taken for one that stands already.
    pub(crate) fn merges(&self) -> bool {
        self.meets
            .as_ref()
            .is_some_and(|(manners, _)| manners.merges())
    }

    /// The names that a pass looks up in the crosswalk.
    pub(crate) fn asks(&self, pass: Pass) -> Vec<String> {
        let later = pass == Pass::References;
        let asked = self.program.asks(later).into_iter().map(str::to_owned);
        let others = (later && self.merges()).then(|| merged(&self.program.name));
        asked.chain(others).collect()
    }

    /// The names under which the crosswalk knows its rows.
    pub(crate) fn names(&self) -> Vec<String> {
        let aliases = self.program.aliases.iter().map(|alias| alias.name.clone());
        std::iter::once(self.program.name.clone())
            .chain(aliases)
            .collect()
    }
}

/// How a chunk goes to the writing side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// Rows of a piece.
    pub(crate) rows: usize,
    /// Bytes at which it is cut, too.
    pub(crate) bytes: usize,
    /// Pieces that may wait there.
    pub(crate) waiting: usize,
}

impl Pieces {
    /// In one.
    pub(crate) const WHOLE: Pieces = Pieces {
        rows: usize::MAX,
        bytes: usize::MAX,
        waiting: 1,
    };
}

/// A chunk is cut at this many bytes, too.
pub(crate) const CHUNK_BYTES: usize = 8 << 20;

/// Which pass over a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Rows are inserted.
    Rows,
    /// References into the own dataset are set.
    References,
}

/// Where chunks go, and where emptied ones come back from.
pub(crate) struct Outlet {
    pub(crate) batches: SyncSender<Batch>,
    pub(crate) spare: Receiver<Batch>,
}

/// Why a scan stopped early.
pub(crate) enum Stop {
    Db(DbTrouble),
    Data(LoadFault),
}

impl<E: Into<DbTrouble>> From<E> for Stop {
    fn from(trouble: E) -> Stop {
        Stop::Db(trouble.into())
    }
}

/// Scans from behind `after` to the end, and sends each chunk piece by piece. A writing side that has gone away ends it quietly.
pub(crate) fn scan(
    source: &Link,
    crosswalk: Crosswalk<'_>,
    compiled: &Compiled,
    pass: Pass,
    after: &Position,
    outlet: &Outlet,
) -> Result<(), Stop> {
    let mut scanner = Scanner::new(source.scratch()?, crosswalk, compiled)?;
    let mut batch = Batch {
        position: after.clone(),
        ..Batch::default()
    };
    if scanner.seen && !after.is_start() {
        // The keys of what is durable already: a second row of one of them is refused as before.
        each(source, compiled, Wanted::UpTo(after), |line| {
            scanner.line(pass, line, &mut batch)?;
            batch.clear();
            Ok(Flow::Continue(()))
        })?;
        batch.position = after.clone();
    }
    let (mut heard, mut stand) = (true, Vec::new());
    // Rows and bytes of this chunk that are on their way already.
    let mut sent = (0, 0);
    each(source, compiled, Wanted::Behind(after), |line| {
        stand.clear();
        line.push_stand(&mut stand);
        scanner.line(pass, line, &mut batch)?;
        if compiled.horizon.is_some() && pass == Pass::Rows {
            batch.places.push(scanner.lines.of_place(&stand));
        }
        batch.open =
            sent.0 + batch.held() < compiled.chunk_rows && sent.1 + batch.bytes() < CHUNK_BYTES;
        let Pieces { rows, bytes, .. } = compiled.pieces;
        if batch.open && batch.held() < rows && batch.bytes() < bytes {
            return Ok(Flow::Continue(()));
        }
        sent = if batch.open {
            (sent.0 + batch.held(), sent.1 + batch.bytes())
        } else {
            (0, 0)
        };
        batch.position = compiled.program.sight.position(&stand);
        let position = batch.position.clone();
        heard = outlet.batches.send(std::mem::take(&mut batch)).is_ok();
        batch = outlet.spare.try_recv().unwrap_or_default();
        batch.clear();
        batch.position = position;
        Ok(if heard {
            Flow::Continue(())
        } else {
            Flow::Break(())
        })
    })?;
    if heard {
        if !stand.is_empty() {
            batch.position = compiled.program.sight.position(&stand);
        }
        (batch.open, batch.done) = (false, true);
        // Nobody listens only when the writing side has failed, and it says why.
        drop(outlet.batches.send(batch));
    }
    Ok(())
}

/// Shows the lines that belong to the target.
pub(crate) fn each(
    source: &Link,
    compiled: &Compiled,
    wanted: Wanted<'_>,
    see: impl FnMut(Line<'_>) -> Result<Flow, Stop>,
) -> Result<(), Stop> {
    each_only(source, compiled, (wanted, None), see)
}

/// The same of those for which a term of the server's own is true.
pub(crate) fn each_only(
    source: &Link,
    compiled: &Compiled,
    (wanted, only): (Wanted<'_>, Option<Sql>),
    mut see: impl FnMut(Line<'_>) -> Result<Flow, Stop>,
) -> Result<(), Stop> {
    let Compiled {
        program, target, ..
    } = compiled;
    let sight = &program.sight;
    let mut parents = sight.open(source, &compiled.relations)?;
    let (text, values) = sight.scan_only(wanted, only);
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    let owner_ways = program.owner_ways();
    source.stream(&text, &values, |row| {
        parents.go_first(row, owner_ways)?;
        let owner = program.owner(sight.line(row, &parents));
        if !owner.targets().contains(target) {
            return Ok(Flow::Continue(()));
        }
        let held = row.hold();
        let row = row.or_held(&held);
        parents.go_on(row, owner_ways)?;
        see(sight.line(row, &parents))
    })
}

/// Judges lines into batches.
pub(crate) struct Scanner<'c> {
    scratch: &'c Connection,
    compiled: &'c Compiled,
    pub(crate) bench: Bench<'c>,
    spare: Vec<u8>,
    pub(crate) lines: LineMac,
    /// Source keys are noted here, since the target would not refuse a second row.
    seen: bool,
    /// Rows for which one of ours was taken.
    taken: HashSet<RowRef>,
}

impl<'c> Scanner<'c> {
    pub(crate) fn new(
        scratch: &'c Connection,
        crosswalk: Crosswalk<'c>,
        compiled: &'c Compiled,
    ) -> Result<Scanner<'c>, DbTrouble> {
        let seen = compiled.layout.guards.is_empty() || compiled.merges();
        if seen {
            scratch.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS handover_once (key BLOB PRIMARY KEY) WITHOUT ROWID;
                 DELETE FROM temp.handover_once;",
            )?;
        }
        let mut bench = Bench::new(crosswalk);
        bench.target = compiled.target;
        bench.target_code.clone_from(&compiled.target_code);
        Ok(Scanner {
            scratch,
            compiled,
            bench,
            spare: Vec::new(),
            lines: compiled.lines.clone(),
            seen,
            taken: HashSet::default(),
        })
    }

    fn line(&mut self, pass: Pass, line: Line<'_>, batch: &mut Batch) -> Result<(), Stop> {
        match pass {
            Pass::Rows => {
                let (digest, rows) = (self.lines.of(line), batch.rows.len());
                self.judge(line, digest, batch)?;
                if batch.rows.len() > rows && self.bench.unchanged {
                    self.let_pass(line, batch);
                }
                Ok(())
            }
            Pass::References => self.references(line, batch),
        }
    }

    /// Lets the row that was judged last go on in the bytes that it came in, where there is a passage.
    fn let_pass(&self, line: Line<'_>, batch: &mut Batch) {
        let Some(passage) = &self.compiled.layout.passage else {
            return;
        };
        let end = batch.values.len();
        if !line.push_as_it_came(passage, &mut batch.values) {
            batch.values.truncate(end);
            return;
        }
        let start = (batch.rows.iter().rev().nth(1)).map_or(0, |before| before.values);
        batch.values.drain(start..end);
        if let Some(row) = batch.rows.last_mut() {
            row.values = batch.values.len();
            row.as_it_came = true;
        }
    }

    /// Judges a line, and notes it with what came of it.
    pub(crate) fn judge(
        &mut self,
        line: Line<'_>,
        digest: LineDigest,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let (rows, rejects) = (batch.rows.len(), batch.rejects.len());
        self.row(line, batch)?;
        let stands = batch.rows.len() > rows;
        let open = if stands {
            self.hangs()
        } else {
            batch.rejects.len() > rejects
        };
        batch
            .lines
            .push(lines::note(digest, State { stands, open }));
        Ok(())
    }

    /// Whether the row that was judged last lacks what it refers to.
    fn hangs(&self) -> bool {
        let cells = &self.compiled.program.cells;
        self.bench.mended.iter().any(|(at, mend)| {
            let cell = cells.get(*at);
            *mend == Mend::Null && cell.is_some_and(|cell| matches!(cell.turn, Turn::Lookup(_)))
        })
    }

    fn row(&mut self, line: Line<'_>, batch: &mut Batch) -> Result<(), Stop> {
        let Compiled {
            program,
            layout,
            draw,
            mac,
            ..
        } = self.compiled;
        if let Some(reason) = program.filtered(line) {
            count(&mut batch.counts.filtered, reason);
            return Ok(());
        }
        if let Some(column) = program.read_key(line, &mut self.bench) {
            self.reject(batch, "HO501", column);
            return Ok(());
        }
        let start = batch.values.len();
        self.bench.mended.clear();
        let verdict = layout.row(program, line, &mut self.bench, draw, &mut batch.values)?;
        if verdict != Verdict::Fine {
            batch.values.truncate(start);
            return self.say_why(line, batch);
        }
        if self.seen && !self.first_of_its_key()? {
            batch.values.truncate(start);
            self.reject(batch, "HO506", program.twice());
            return Ok(());
        }
        if !self.money(start, batch) {
            batch.values.truncate(start);
            return Ok(());
        }
        if self.stands_already(line, start, batch)? {
            let money = batch.money.len() - layout.money.len();
            batch.money.truncate(money);
            batch.values.truncate(start);
            return Ok(());
        }
        self.keep_keys(line, batch);
        let digest = if layout.read_back {
            [0; 32]
        } else {
            let digest = mac.of(&batch.values[start..]);
            let values = &batch.values[start..];
            layout.push_key(values, &mut batch.packed);
            pack(&mut batch.packed, &[], &digest);
            digest
        };
        batch.mended.extend_from_slice(&self.bench.mended);
        batch.end_row(digest);
        Ok(())
    }

    /// Whether another row stands at the target for this one, whose values begin at `start`: the crosswalk
    /// will know that one by this row's keys, too.
    fn stands_already(
        &mut self,
        line: Line<'_>,
        start: usize,
        batch: &mut Batch,
    ) -> Result<bool, Stop> {
        let Compiled {
            program,
            target_code,
            meets: Some((manners, known)),
            ..
        } = self.compiled
        else {
            return Ok(false);
        };
        let Some(name) = manners.name(&batch.values[start..]) else {
            return Ok(false);
        };
        let target = target_code.as_str().into();
        let stops = |code| {
            Stop::Data(LoadFault::Data {
                code,
                dataset: program.name.clone(),
                column: manners.columns(),
                rows: 1,
            })
        };
        match manners.meet(known, &target, (&self.bench.key, &name)) {
            Meeting::Alone => Ok(false),
            Meeting::Stops(code) => Err(stops(code)),
            Meeting::Merges(other, _) if !self.taken.insert(other.row.clone()) => {
                Err(stops(SECOND))
            }
            Meeting::Merges(other, why) => {
                let target_key = other.target.as_deref().unwrap_or_default();
                let mut know = |name: String, key: &[u8]| {
                    batch.others.push(OtherName {
                        name,
                        source_key: String::from_utf8_lossy(key).into_owned(),
                        target_key: target_key.to_owned(),
                    });
                };
                know(program.name.clone(), &self.bench.key);
                know(merged(&program.name), &self.bench.key);
                for alias in &program.aliases {
                    if alias.key(line, &mut self.spare) {
                        know(alias.name.clone(), &self.spare);
                    }
                }
                count(&mut batch.counts.merged, why);
                Ok(true)
            }
        }
    }

    /// The row cannot go: judges it again in the map's order, so that everybody names the same cause.
    fn say_why(&mut self, line: Line<'_>, batch: &mut Batch) -> Result<(), Stop> {
        self.spare.clear();
        let program = &self.compiled.program;
        match program.judge(line, &mut self.bench, &mut self.spare)? {
            Fate::Rejected { code, column } => self.reject(batch, code, column),
            Fate::Unmapped { column } => {
                return Err(Stop::Data(LoadFault::Data {
                    code: "HO511",
                    dataset: program.name.clone(),
                    column: column.to_owned(),
                    rows: 1,
                }));
            }
            Fate::Goes | Fate::Filtered(_) => self.reject(batch, "HO510", ""),
        }
        Ok(())
    }

    fn reject(&mut self, batch: &mut Batch, code: &'static str, column: &str) {
        count(&mut batch.counts.rejected, &format!("{code} {column}"));
        let key = String::from_utf8_lossy(&self.bench.key).into_owned();
        batch.rejects.push((key, code, column.to_owned()));
    }

    fn first_of_its_key(&self) -> Result<bool, DbTrouble> {
        let mut note = self
            .scratch
            .prepare_cached("INSERT OR IGNORE INTO temp.handover_once (key) VALUES (?1)")?;
        Ok(note.execute([&self.bench.key])? > 0)
    }

    /// Notes the row's pence; a sum beyond counting rejects the row.
    fn money(&mut self, start: usize, batch: &mut Batch) -> bool {
        let layout = &self.compiled.layout;
        if layout.money.is_empty() {
            return true;
        }
        let before = batch.money.len();
        for (at, name) in &layout.money {
            let value = Values(&batch.values[start..]).nth(*at);
            let pence = match value {
                Some(ValueRef::Text(text)) => number::pence(text),
                _ => Some(0),
            };
            if let Some(pence) = pence {
                batch.money.push(pence);
            } else {
                batch.money.truncate(before);
                self.reject(batch, "HO504", name);
                return false;
            }
        }
        true
    }

    fn keep_keys(&mut self, line: Line<'_>, batch: &mut Batch) {
        canon::push_text(&mut batch.keys, &self.bench.key);
        for alias in &self.compiled.program.aliases {
            if alias.key(line, &mut self.spare) {
                canon::push_text(&mut batch.keys, &self.spare);
            } else {
                canon::push(&mut batch.keys, ValueRef::Null);
            }
        }
    }

    /// The second pass: a row that refers to something in its own dataset.
    fn references(&mut self, line: Line<'_>, batch: &mut Batch) -> Result<(), Stop> {
        let start = batch.values.len();
        match self.find_references(line, batch)? {
            Some(true) => batch.end_row([0; 32]),
            Some(false) | None => batch.values.truncate(start),
        }
        Ok(())
    }

    /// The same for a row whose references may have been others.
    pub(crate) fn refer(&mut self, line: Line<'_>, batch: &mut Batch) -> Result<(), Stop> {
        let start = batch.values.len();
        match self.find_references(line, batch)? {
            Some(_) => batch.end_row([0; 32]),
            None => batch.values.truncate(start),
        }
        Ok(())
    }

    /// Appends the row's target key, then the key that each reference finds, or NULL; whether any was
    /// found. None where the row does not stand.
    fn find_references(&mut self, line: Line<'_>, batch: &mut Batch) -> Result<Option<bool>, Stop> {
        let Compiled {
            program, target, ..
        } = self.compiled;
        if program.filtered(line).is_some() || program.read_key(line, &mut self.bench).is_some() {
            return Ok(None);
        }
        if self.stands_under_another()? {
            return Ok(None);
        }
        let key = std::mem::take(&mut self.bench.key);
        let mine = self
            .bench
            .crosswalk
            .find(&program.name, *target, &key, &mut batch.values)?;
        self.bench.key = key;
        let mut any = false;
        for (at, later) in program.later.iter().enumerate().filter(|_| mine) {
            let here = batch.values.len();
            self.bench.mended.clear();
            let verdict = later
                .cell
                .evaluate(at, line, &mut self.bench, &mut batch.values)?;
            let lost = verdict != Verdict::Fine || !self.bench.mended.is_empty();
            if lost {
                batch.values.truncate(here);
                canon::push(&mut batch.values, ValueRef::Null);
                count(&mut batch.counts.mended, &format!("HO505 {}", later.into));
            }
            any |= Values(&batch.values[here..]).next() != Some(ValueRef::Null);
        }
        Ok(mine.then_some(any))
    }
    /// Whether the row in hand was taken for another: that one is not ours to change.
    fn stands_under_another(&mut self) -> Result<bool, DbTrouble> {
        let Compiled {
            program, target, ..
        } = self.compiled;
        if !self.compiled.merges() {
            return Ok(false);
        }
        self.spare.clear();
        let bench = &mut self.bench;
        let name = merged(&program.name);
        bench
            .crosswalk
            .find(&name, *target, &bench.key, &mut self.spare)
    }
}
