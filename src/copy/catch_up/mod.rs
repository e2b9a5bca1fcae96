//! Catching up with a source that went on living after it was copied: every line that may have changed
//! is read again and its short digest held against the one that the copy noted; only lines that differ are
//! judged again, and what came of them is inserted, changed or taken out, each with its ledger row.
//!
//! In: the copy's deed, what stands in the ledger since. Out: durable rows with their ledger, counts.
//!
//! A catch-up that was stopped begins again: what it made durable counts as caught up. Rows that somebody
//! changed at the target meanwhile are never written over.
//!
//! Not here: how a line is judged (`scan`), taking a catch-up back (`undo`).

mod ahead;
mod beside;
mod changes;
mod compare;
mod drift;
mod hands;
mod known;
mod ledgered;
mod other;
mod same;
mod unchanged;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashSet;

pub use self::drift::{Drifted, drift};

use self::changes::Changes;
use self::ledgered::Ledgered;
pub(super) use self::other::Other;
use self::unchanged::{Moved, unchanged};
use self::write::{Change, Writing};
use crate::copy::fault::LoadFault;
use crate::copy::ledger::effect;
use crate::copy::ledger::{self, Deed, Effect};
use crate::copy::load::{self, Load};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::draw::Draw;
use crate::copy::reading::scan::{Compiled, Pass, Stop};
use crate::copy::value::canon::Values;
use crate::copy::value::tally::root_of;
use crate::orgdb::{DbFault, DbTrouble, OrgReader, OrgWriter, ValueRef};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// What to catch up with.
#[derive(Clone)]
pub struct CatchUp {
    /// The copy that is caught up with.
    pub load: Load,
    /// Its deed, as it stands in the ledger.
    pub copied: Deed,
    /// Steps that caught up with it before, and this one, each with its generation.
    pub since: Vec<(StepId, u32)>,
    /// What a copy that mends itself has finished; it goes on with the rest.
    pub(super) finished: Option<Finished>,
}

/// Datasets by what was done of them.
#[derive(Clone)]
pub(super) struct Finished {
    /// All rows.
    pub(super) rows: BTreeSet<String>,
    /// References into the own dataset, or some of them.
    pub(super) references: BTreeSet<String>,
}

impl CatchUp {
    /// With a finished copy.
    #[must_use]
    pub fn with(load: Load, copied: Deed, since: Vec<(StepId, u32)>) -> CatchUp {
        CatchUp {
            load,
            copied,
            since,
            finished: None,
        }
    }
}

/// What came of one dataset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caught {
    /// Source lines that were looked at.
    pub lines: u64,
    /// Those of them that had to be read: of the others the server told that their rows are the very ones
    /// that were copied.
    pub read: u64,
    /// Rows that came new.
    pub inserted: u64,
    /// Rows that were changed.
    pub changed: u64,
    /// Rows that were taken out.
    pub removed: u64,
    /// Lines that came new or changed, and cannot go.
    pub rejected: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct CaughtUp {
    /// By dataset.
    pub datasets: BTreeMap<String, Caught>,
    /// Keyed roots by dataset, over this step's effects.
    pub roots: BTreeMap<String, Digest>,
    /// How many effects stand in the ledger for it.
    pub effects: u64,
}

/// Catches up with the source as it is now, all of it as of one moment.
///
/// # Errors
/// See [`LoadFault`]: `HO540` for a target table that cannot be caught up with, `HO541` for rows that
/// were changed at the target since, `HO542` for rows that others hang on. What is durable stays, with
/// its ledger.
pub async fn catch_up(
    source: &OrgReader,
    target: &OrgWriter,
    work: CatchUp,
    deed: &Deed,
    mut done: impl FnMut(&Effect) + Send,
) -> Result<CaughtUp, LoadFault> {
    let reader = target.reader().await?;
    let standing = ledger::effects(&reader, deed.run, &deed.step, deed.generation).await?;
    standing.iter().for_each(&mut done);
    let mut way = Way {
        source: source.another().await?,
        other: Arc::default(),
        target: target.another().await?,
        work: Arc::new(work),
        deed: deed.clone(),
        goes_on: !standing.is_empty(),
        effects: standing,
        found: BTreeMap::new(),
        going: HashSet::default(),
        refused: BTreeMap::new(),
        moved: Moved::default(),
    };
    let beside = source.beside();
    let other = way
        .source
        .with(move |link| Other::looking_with(link, beside));
    way.other = Arc::new(Mutex::new(other.await?));
    way.twice_where_worth_it(&mut done).await?;
    way.caught_up()
}

/// A copy that was stopped and goes on: what it had read before, held against the source as it is in the
/// look that is open at `source` and at `other`, where that is another connection to it. `effects` are those
/// that stand; the new ones come back.
///
/// # Errors
/// Those of [`catch_up`]; a table that cannot be caught up with is passed over where the source is still as it
/// was read.
pub(super) async fn mend(
    ((source, other), target): ((&OrgReader, Other), &OrgWriter),
    load: Load,
    deed: &Deed,
    (effects, finished): (Vec<Effect>, Finished),
    done: &mut (impl FnMut(&Effect) + Send),
) -> Result<Vec<Effect>, LoadFault> {
    let stood = effects.len();
    let work = CatchUp {
        finished: Some(finished),
        ..CatchUp::with(load, deed.clone(), Vec::new())
    };
    let mut way = Way {
        source: source.clone(),
        other: Arc::new(Mutex::new(other)),
        target: target.clone(),
        work: Arc::new(work),
        deed: deed.clone(),
        // An earlier going on may have been stopped in its mending.
        goes_on: true,
        effects,
        found: BTreeMap::new(),
        going: HashSet::default(),
        refused: BTreeMap::new(),
        moved: Moved::default(),
    };
    way.twice_where_worth_it(done).await?;
    way.refusals()?;
    Ok(way.effects.split_off(stood))
}

/// What is put into the target of a dataset's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Rows,
    References,
    Removals,
}

/// A catch-up on its way.
struct Way {
    source: OrgReader,
    /// Another connection to the source at the same moment, where there can be one.
    other: Arc<Mutex<Other>>,
    target: OrgWriter,
    work: Arc<CatchUp>,
    deed: Deed,
    effects: Vec<Effect>,
    /// Something of this step was durable before.
    goes_on: bool,
    found: BTreeMap<String, Caught>,
    /// Names and target keys of rows that will be taken out.
    going: HashSet<(String, String)>,
    /// Changed rows that the target did not take, by dataset.
    refused: BTreeMap<String, u64>,
    /// What has come or gone in the datasets that were looked at.
    moved: Moved,
}

impl Way {
    /// Goes through everything; again where a row that was refused may only have waited for another to go.
    async fn twice_where_worth_it(
        &mut self,
        done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        self.go(done).await?;
        self.count().await?;
        if self.is_worth_another_go() {
            self.refused.clear();
            self.going.clear();
            self.go(done).await?;
            self.count().await?;
        }
        Ok(())
    }

    /// Every dataset, parents first; what goes, children first.
    async fn go(&mut self, done: &mut (impl FnMut(&Effect) + Send)) -> Result<(), LoadFault> {
        let mut looked = Vec::new();
        for at in self.work.load.datasets() {
            let Some(compiled) = self.look(at).await? else {
                continue;
            };
            self.put(at, &compiled, Part::Rows, done).await?;
            if self.refers(&compiled) {
                self.put(at, &compiled, Part::References, done).await?;
            }
            looked.push((at, compiled));
        }
        for (at, compiled) in looked.iter().rev() {
            self.put(*at, compiled, Part::Removals, done).await?;
        }
        Ok(())
    }

    /// Whether references into the own dataset are to be seen to: a copy that goes on does so later.
    fn refers(&self, compiled: &Compiled) -> bool {
        let finished = self.work.finished.as_ref();
        let now = finished.is_none_or(|all| all.references.contains(&compiled.program.name));
        now && !compiled.program.later.is_empty()
    }

    /// Counts what stands in the ledger for this step, whoever of its executors wrote it.
    async fn count(&mut self) -> Result<(), DbFault> {
        for found in self.found.values_mut() {
            let Caught { lines, read, .. } = *found;
            *found = Caught {
                lines,
                read,
                ..Caught::default()
            };
        }
        for effect in &self.effects {
            let Some((verb, dataset)) = effect.kind.split_once(':') else {
                continue;
            };
            let found = self.found.entry(dataset.to_owned()).or_default();
            match verb {
                "insert" => found.inserted += effect.rows,
                "update" => found.changed += effect.rows,
                "delete" => found.removed += effect.rows,
                _ => {}
            }
        }
        let deed = self.deed.clone();
        let rejected = self.target.with(move |link| effect::rejected(link, &deed));
        for (dataset, rows) in rejected.await? {
            self.found.entry(dataset).or_default().rejected = rows;
        }
        Ok(())
    }

    fn is_worth_another_go(&self) -> bool {
        let found = || self.found.values();
        let refused = !self.refused.is_empty() || found().any(|one| one.rejected > 0);
        refused && found().any(|one| one.removed > 0)
    }

    /// Holds a dataset's lines against the ledger; what differs waits in the source's scratch store.
    /// None where a copy that mends itself cannot, and need not.
    async fn look(&mut self, at: usize) -> Result<Option<Arc<Compiled>>, LoadFault> {
        let (work, beside) = (Arc::clone(&self.work), self.target.beside());
        let (lost, moved) = (self.going.clone(), self.moved.clone());
        let other = Arc::clone(&self.other);
        let looked = self.source.with(move |link| {
            let target = beside()?;
            let compiled = load::compile(link, &target, &work.load, &work.copied, at)?;
            if !row_by_row(&compiled) && work.finished.is_none() {
                return Ok(Err(cannot(&compiled)));
            }
            let ledgered = Ledgered::read(&target, &work, &compiled.program.name)?;
            if !row_by_row(&compiled) {
                return match unchanged(link, &compiled, &ledgered, &moved) {
                    Ok(true) => Ok(Ok(None)),
                    Ok(false) => Ok(Err(cannot(&compiled))),
                    Err(Stop::Db(trouble)) => Err(trouble),
                    Err(Stop::Data(fault)) => Ok(Err(fault)),
                };
            }
            let source = work.load.route.source.to_string();
            let mut crosswalk = Crosswalk::ledger(&target, work.copied.run, &source)?;
            crosswalk.lose(lost);
            let changes = Changes::fresh(link, &compiled)?;
            let mut other = other.lock().unwrap_or_else(PoisonError::into_inner);
            let both = (link, other.link());
            match compare::compare(both, crosswalk, &compiled, &ledgered, &changes) {
                Ok(found) => {
                    changes.leave_taken(&target, &compiled)?;
                    let going = going(&compiled, &changes)?;
                    // An earlier going on may have been stopped just behind what it had mended.
                    let any = changes.any_come_or_go()? || !ledgered.newer.is_empty();
                    Ok(Ok(Some((going, found, compiled, any))))
                }
                Err(Stop::Db(trouble)) => Err(trouble),
                Err(Stop::Data(fault)) => Ok(Err(fault)),
            }
        });
        let Some((going, found, compiled, any)) = looked.await?? else {
            return Ok(None);
        };
        if any {
            self.moved.names.extend(compiled.names());
        }
        self.moved.some_went |= !going.is_empty();
        self.going.extend(going);
        let known = self.found.entry(compiled.program.name.clone()).or_default();
        (known.lines, known.read) = (found.lines, found.read);
        Ok(Some(Arc::new(compiled)))
    }

    /// Puts what waits into the target, chunk by chunk.
    async fn put(
        &mut self,
        at: usize,
        compiled: &Arc<Compiled>,
        part: Part,
        done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let (changes, heard) = sync_channel::<Change>(1);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let sending = self.send(compiled, part, changes);
        let load = &self.work.load;
        let mut writing = Writing {
            work: load::work(load, &self.deed, at, compiled, Pass::Rows),
            ordinal: self.effects.last().map_or(0, |effect| effect.ordinal),
            tell,
        };
        let written = self.target.with(move |link| writing.all(link, &heard));
        let mut fresh = Vec::new();
        let listening = async {
            while let Some(effect) = told.recv().await {
                done(&effect);
                fresh.push(effect);
            }
        };
        let (sent, written, ()) = tokio::join!(sending, written, listening);
        self.effects.append(&mut fresh);
        // The writing side says best why both stopped.
        let refused = written??;
        sent??;
        if refused > 0 {
            let name = compiled.program.name.clone();
            *self.refused.entry(name).or_default() += refused;
        }
        Ok(())
    }

    async fn send(
        &self,
        compiled: &Arc<Compiled>,
        part: Part,
        outlet: SyncSender<Change>,
    ) -> Result<Result<(), LoadFault>, DbFault> {
        let (compiled, work) = (Arc::clone(compiled), Arc::clone(&self.work));
        let (deed, beside) = (self.deed.clone(), self.target.beside());
        let (lost, goes_on) = (self.going.clone(), self.goes_on);
        self.source
            .with(move |link| {
                // The outlet goes away with this closure, which ends the other side.
                let outlet = outlet;
                let changes = Changes::open(link, &compiled)?;
                let name = &compiled.program.name;
                match part {
                    Part::Rows => {
                        let draw = Draw::later(&deed, name, &work.load.route.source);
                        changes.send_rows(&compiled, &draw, &outlet)?;
                    }
                    Part::References => {
                        let target = beside()?;
                        let source = work.load.route.source.to_string();
                        let mut crosswalk = Crosswalk::ledger(&target, work.copied.run, &source)?;
                        crosswalk.lose(lost);
                        let sent = compare::send_references(
                            link,
                            crosswalk,
                            &compiled,
                            (&changes, goes_on),
                            &outlet,
                        );
                        match sent {
                            Ok(()) => {}
                            Err(Stop::Db(trouble)) => return Err(trouble),
                            Err(Stop::Data(fault)) => return Ok(Err(fault)),
                        }
                    }
                    Part::Removals => changes.send_removals(&compiled, &outlet)?,
                }
                Ok(Ok(()))
            })
            .await
    }

    /// Changed rows that the target does not take stop everything: they would be as they were before.
    fn refusals(&self) -> Result<(), LoadFault> {
        match self.refused.first_key_value() {
            None => Ok(()),
            Some((dataset, rows)) => Err(LoadFault::Data {
                code: "HO510",
                dataset: dataset.clone(),
                column: String::new(),
                rows: *rows,
            }),
        }
    }

    fn caught_up(self) -> Result<CaughtUp, LoadFault> {
        self.refusals()?;
        let of = |name: &str| {
            let mine = |effect: &&Effect| {
                let kind = effect.kind.split_once(':');
                kind.is_some_and(|(_, dataset)| dataset == name)
            };
            root_of(self.effects.iter().filter(mine).map(|effect| effect.root))
        };
        Ok(CaughtUp {
            roots: self
                .found
                .keys()
                .map(|name| (name.clone(), of(name)))
                .collect(),
            effects: self.effects.len() as u64,
            datasets: self.found,
        })
    }
}

/// What the crosswalk calls the rows of a dataset that will be taken out.
fn going(
    compiled: &Compiled,
    changes: &Changes<'_>,
) -> Result<HashSet<(String, String)>, DbTrouble> {
    let names = compiled.names();
    let mut going = HashSet::default();
    changes.each_going(|key| {
        if let Some(ValueRef::Text(target)) = Values(key).next() {
            let target = String::from_utf8_lossy(target).into_owned();
            going.extend(names.iter().map(|name| (name.clone(), target.clone())));
        }
    })?;
    Ok(going)
}

/// Sends one change; whether anybody is still there to hear it.
fn hand_over(outlet: &SyncSender<Change>, change: Change) -> bool {
    outlet.send(change).is_ok()
}

/// Whether rows can be told again from what the ledger keeps of them: not those without a key, nor those of
/// which only the engine knows what it stored.
fn row_by_row(compiled: &Compiled) -> bool {
    let layout = &compiled.layout;
    let known = !layout.read_back && !layout.shape.key.is_empty() && !layout.guards.is_empty();
    // What was taken for another row has none of its own that could be changed.
    known && !compiled.merges()
}

fn cannot(compiled: &Compiled) -> LoadFault {
    LoadFault::Data {
        code: "HO540",
        dataset: compiled.program.name.clone(),
        column: compiled.layout.shape.table.clone(),
        rows: 0,
    }
}

/// The rows of one chunk: as many as a copy's.
fn at_once(compiled: &Compiled) -> usize {
    compiled.chunk_rows
}
