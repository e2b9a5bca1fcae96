//! The copy itself: one dataset after the other, chunk by chunk, rows and ledger row in one
//! transaction, going on from the last durable chunk.
//!
//! In: a source, a target, a map. Out: durable rows with their ledger, counts, roots.
//!
//! Not here: reading and judging rows (`scan`), writing them (`store`).

mod book;
mod under_lock;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};

use book::Book;

use crate::copy::catch_up::{self, Finished, Other};
use crate::copy::counts::Counts;
use crate::copy::fault::LoadFault;
use crate::copy::ledger::effect::Commits;
use crate::copy::ledger::{Deed, Effect};
use crate::copy::look::Question;
use crate::copy::look::survey::{self, Share};
use crate::copy::mapping::crosswalk::{Crosswalk, Fetched};
use crate::copy::mapping::draw::Draw;
use crate::copy::mapping::layout::Layout;
use crate::copy::mapping::program::{Papers, Program};
use crate::copy::namesakes::{self, Manners};
use crate::copy::reading::batch::Batch;
use crate::copy::reading::lines::LineMac;
use crate::copy::reading::scan::{self, CHUNK_BYTES, Compiled, Outlet, Pass, Pieces, Stop};
use crate::copy::route::Route;
use crate::copy::tables::position::Position;
use crate::copy::value::tally::RowMac;
use crate::copy::writing::aside::{self, Broken};
use crate::copy::writing::hand::Hand;
use crate::copy::writing::store::{self, Inlet, Mark, Work};
use crate::orgdb::link::Begin;
use crate::orgdb::{DbFault, DbTrouble, Dialect, Link, OrgReader, OrgWriter, crash};
use crate::plan::digest::Digest;
use crate::plan::map::{Becomes, Dataset, Map, Unmapped};
use crate::plan::model::{Code, Indexes, Triggers};

/// What to copy.
#[derive(Clone)]
pub struct Load {
    /// The map.
    pub map: std::sync::Arc<Map>,
    /// Source tables this step may read rows of.
    pub tables: Vec<String>,
    /// How the source is shared out.
    pub route: Route,
    /// Which target this is.
    pub target: Code,
    /// What target triggers do.
    pub triggers: Option<Triggers>,
    /// What the target's own indexes do.
    pub indexes: Indexes,
    /// Rows a chunk holds at most.
    pub chunk_rows: usize,
    /// Nobody writes to the source: what was read of it before a stop is as it was.
    pub frozen: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Counts by dataset.
    pub datasets: BTreeMap<String, Counts>,
    /// Keyed dataset roots.
    pub roots: BTreeMap<String, Digest>,
    /// How many effects stand in the ledger for it.
    pub effects: u64,
}

/// Rows a chunk holds where nobody says otherwise.
pub const CHUNK_ROWS: usize = 20_000;

/// Pieces that wait for a server.
const WAITING: usize = 16;

/// How a chunk goes to a target of this kind: a server takes its rows in while others are still read, a file
/// gets it whole and is not locked meanwhile.
fn pieces(target: Dialect, chunk_rows: usize) -> Pieces {
    match target {
        Dialect::Sqlite => Pieces::WHOLE,
        Dialect::Postgres | Dialect::Mariadb => Pieces {
            rows: (chunk_rows / 40).clamp(1, 1_000),
            bytes: CHUNK_BYTES / WAITING,
            waiting: WAITING,
        },
    }
}

/// The same for a target of this kind: a server's commit, and all that it is asked on the way there,
/// costs as much as thousands of rows.
#[must_use]
pub fn chunk_rows(target: Dialect) -> usize {
    crash::chunk_rows().unwrap_or(match target {
        Dialect::Sqlite => CHUNK_ROWS,
        Dialect::Postgres | Dialect::Mariadb => 2 * CHUNK_ROWS,
    })
}

/// Copies, from wherever the ledger says this generation has got to. `chunk_done` hears of each
/// durable chunk (those of before a crash first), and of none before it is durable.
///
/// # Errors
/// See [`LoadFault`]. What is durable stays, with its ledger.
pub async fn load(
    source: &OrgReader,
    target: &OrgWriter,
    load: Load,
    deed: &Deed,
    mut chunk_done: impl FnMut(&Effect) + Send,
) -> Result<Loaded, LoadFault> {
    let mut copy = Copy {
        source: source.another().await?,
        hand: Hand::of(target.another().await?),
        book: Book::read(target, deed).await?,
        load: Arc::new(load),
        deed: deed.clone(),
    };
    copy.book.effects.iter().for_each(&mut chunk_done);
    copy.begin_to_look(&mut chunk_done).await?;
    if copy.locks() {
        copy.under_lock(&mut chunk_done).await?;
        return Ok(copy.book.loaded());
    }
    if copy.load.indexes == Indexes::Rebuild {
        copy.set_indexes_aside(&mut chunk_done).await?;
    }
    copy.rows(&mut chunk_done).await?;
    if copy.book.has(aside::ASIDE) && !copy.book.has(aside::BUILT) {
        // All is read: no look at the source need stay open while indexes are built.
        copy.source.with(Link::commit).await?;
        copy.build_indexes_again(&mut chunk_done).await?;
    }
    Ok(copy.book.loaded())
}

impl Load {
    /// Positions in the map of the datasets that this step copies, in load order.
    pub(super) fn datasets(&self) -> Vec<usize> {
        let ours = |dataset: &Dataset| self.tables.contains(&dataset.from);
        (0..self.map.datasets.len())
            .filter(|at| ours(&self.map.datasets[*at]))
            .collect()
    }

    /// The tables that it fills, each once, in load order.
    fn target_tables(&self) -> Vec<String> {
        let mut tables: Vec<String> = Vec::new();
        for at in self.datasets() {
            let table = &self.map.datasets[at].into;
            if !tables.contains(table) {
                tables.push(table.clone());
            }
        }
        tables
    }
}

/// A copy on its way.
struct Copy {
    source: OrgReader,
    hand: Hand,
    book: Book,
    load: Arc<Load>,
    deed: Deed,
}

impl Copy {
    /// Every row that is not there yet.
    async fn rows(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        for at in self.load.datasets() {
            self.dataset(at, chunk_done).await?;
        }
        if self.book.mended {
            self.count(chunk_done).await?;
        }
        Ok(())
    }

    async fn dataset(
        &mut self,
        at: usize,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let name = self.load.map.datasets[at].name.clone();
        let finished = |book: &Book, second| book.mark(&name, second).done;
        if finished(&self.book, false) && finished(&self.book, true) {
            return Ok(());
        }
        let compiled = Arc::new(self.compile(at).await?);
        self.pass(at, &compiled, Pass::Rows, chunk_done).await?;
        if !compiled.program.later.is_empty() {
            self.pass(at, &compiled, Pass::References, chunk_done)
                .await?;
        }
        Ok(())
    }

    /// Sets the indexes of empty tables aside, once, before the first row.
    async fn set_indexes_aside(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        if self.book.has(aside::BUILT) {
            return Ok(());
        }
        let deed = self.deed.clone();
        if self.book.has(aside::ASIDE) {
            if self.all_is_in() {
                // Some of them may stand again already.
                return Ok(());
            }
            let finish = self.hand.with(move |link| aside::drop_noted(link, &deed));
            return Ok(finish.await?);
        }
        // Rows that came in before this was asked for (an amended plan) came with their indexes.
        if self.book.has_rows() {
            return Ok(());
        }
        let tables = self.load.target_tables();
        let ordinal = self.book.last_ordinal() + 1;
        let set_aside = self
            .hand
            .with(move |link| aside::set_aside(link, &deed, &tables, ordinal));
        if let Some(effect) = set_aside.await? {
            chunk_done(&effect);
            self.book.effects.push(effect);
        }
        Ok(())
    }

    /// Whether every row has come in, and every reference.
    fn all_is_in(&self) -> bool {
        let done = |dataset: &Dataset, second| self.book.mark(&dataset.name, second).done;
        let datasets = self.load.datasets().into_iter();
        let mut datasets = datasets.map(|at| &self.load.map.datasets[at]);
        datasets.all(|one| done(one, false) && (done(one, true) || !one.refers_to_itself()))
    }

    /// Builds them again behind the last row.
    async fn build_indexes_again(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let (deed, ordinal) = (self.deed.clone(), self.book.last_ordinal() + 1);
        let built = self
            .hand
            .with(move |link| Broken::told(aside::build_again(link, &deed, ordinal)));
        let effect = built.await??;
        chunk_done(&effect);
        self.book.effects.push(effect);
        Ok(())
    }

    /// Begins one read transaction over the whole copy: every dataset is of the same moment. What was read
    /// before a stop is held against that moment first, unless the source is frozen.
    async fn begin_to_look(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        if !self.book.has_rows() || self.load.frozen {
            self.source.with(|link| link.begin(Begin::Read)).await?;
            return Ok(());
        }
        let beside = self.source.beside();
        let looking = move |link: &Link| Other::looking_with(link, beside);
        let other = self.source.with(looking).await?;
        Box::pin(self.mend(other, chunk_done)).await
    }

    /// Holds what was read before a stop against the source as it is now; `other` is another connection to it at
    /// the same moment.
    async fn mend(
        &mut self,
        other: Other,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let marks = || self.book.marks.iter();
        let name = |((name, _), _): (&(String, bool), &Mark)| name.clone();
        let finished = Finished {
            rows: marks()
                .filter(|((_, second), mark)| !second && mark.done)
                .map(name)
                .collect(),
            references: marks()
                .filter(|((_, second), _)| *second)
                .map(name)
                .collect(),
        };
        let fresh = catch_up::mend(
            ((&self.source, other), self.hand.writer()),
            (*self.load).clone(),
            &self.deed,
            (self.book.effects.clone(), finished),
            chunk_done,
        );
        let fresh = fresh.await?;
        self.book.mended |= !fresh.is_empty();
        self.book.effects.extend(fresh);
        Ok(())
    }

    /// Where something had changed that was copied before, all is counted anew, and noted durably as an
    /// effect without rows.
    async fn count(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let load = Arc::clone(&self.load);
        let counted = self.source.with(move |link| {
            let question = Question::new(&load.map, &load.tables, &load.route);
            survey::counted(link, &question, Share { at: 0, of: 1 })
        });
        let mut counted = counted.await?;
        let counts = counted.targets.remove(&self.load.target);
        let mut marks = Vec::new();
        for (dataset, counts) in counts.unwrap_or_default() {
            // They hold what the second pass could not find, too.
            let second = self.book.marks.get(&(dataset.clone(), true)).cloned();
            marks.extend(second.map(|mark| Mark {
                counts: Counts::default(),
                ..mark
            }));
            marks.push(Mark {
                counts,
                ..self.book.mark(&dataset, false)
            });
        }
        let (deed, noted) = (self.deed.clone(), marks.clone());
        let (ordinal, commits) = (self.book.last_ordinal() + 1, self.hand.commits());
        let effect = self
            .hand
            .with(move |link| store::note(link, (&deed, commits), &noted, ordinal));
        let effect = effect.await?;
        chunk_done(&effect);
        self.book.effects.push(effect);
        let named = marks
            .into_iter()
            .map(|mark| ((mark.dataset.clone(), mark.second), mark));
        self.book.marks.extend(named);
        Ok(())
    }

    /// Compiles a dataset against source and target.
    async fn compile(&mut self, at: usize) -> Result<Compiled, LoadFault> {
        let (load, deed) = (Arc::clone(&self.load), self.deed.clone());
        let table = self.load.map.datasets[at].into.clone();
        let read = table.clone();
        let (found, dialect) = self
            .hand
            .with(move |link| Ok((link.table(&read)?, link.dialect())))
            .await?;
        let trigger = found.and_then(|found| {
            // There may be one that we are not shown.
            let hidden = found.triggers_hidden.then(|| table.clone());
            found.triggers.into_keys().next().or(hidden)
        });
        let decided = match self.load.triggers {
            None => false,
            Some(Triggers::Fire) => true,
            Some(Triggers::Off) => dialect != Dialect::Mariadb,
        };
        if let (Some(trigger), false) = (trigger, decided) {
            return Err(LoadFault::Data {
                code: "HO514",
                dataset: self.load.map.datasets[at].name.clone(),
                column: trigger,
                rows: 0,
            });
        }
        Ok(if self.hand.is_whole() {
            let beside = self.source.beside();
            let compiled = move |target: &Link| compile(&beside()?, target, &load, &deed, at);
            let mut compiled = self.hand.with(compiled).await?;
            // What tells its rows is of the look that they are read at.
            let at_the_look = move |source: &Link| {
                compiled.horizon = compiled.program.horizon(source)?;
                Ok(compiled)
            };
            self.source.with(at_the_look).await?
        } else {
            let beside = self.hand.writer().beside();
            let compiled = move |source: &Link| compile(source, &beside()?, &load, &deed, at);
            self.source.with(compiled).await?
        })
    }

    async fn pass(
        &mut self,
        at: usize,
        compiled: &Arc<Compiled>,
        pass: Pass,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let second = pass == Pass::References;
        let mark = self.book.mark(&compiled.program.name, second);
        if mark.done {
            return Ok(());
        }
        let (batches, chunks) = sync_channel::<Batch>(compiled.pieces.waiting);
        let (give_back, spare) = channel();
        let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let outlet = Outlet { batches, spare };
        let inlet = Inlet {
            batches: chunks,
            spare: give_back,
            effects: tell,
        };
        let lookups = self.lookups(compiled, pass).await?;
        let (work, ordinal) = (self.work(at, compiled, pass), self.book.last_ordinal());
        let reading = self.source.with(read(
            (Arc::clone(compiled), pass),
            lookups,
            mark.position.clone(),
            outlet,
        ));
        let beside = self.hand.writer().beside_to_write();
        let writing = self
            .hand
            .with(move |link| store::store(link, &beside, &work, inlet, (mark, ordinal)));
        let mut fresh = Vec::new();
        let listening = async {
            while let Some(effect) = heard.recv().await {
                chunk_done(&effect);
                fresh.push(effect);
            }
        };
        let (read, written, ()) = tokio::join!(reading, writing, listening);
        self.book.effects.append(&mut fresh);
        let mark = written??;
        read??;
        match mark {
            Some(mark) => {
                self.book.marks.insert((mark.dataset.clone(), second), mark);
                Ok(())
            }
            None => Err(DbTrouble::Interrupted.of(self.source.org()).into()),
        }
    }

    /// Where keys are looked up for a pass. What one transaction has written so far nobody else sees: it is
    /// asked for beforehand.
    async fn lookups(&mut self, compiled: &Compiled, pass: Pass) -> Result<Lookups, DbFault> {
        let (run, source) = (self.deed.run, self.load.route.source.to_string());
        if !self.hand.is_whole() {
            let beside = Box::new(self.hand.writer().beside());
            return Ok(Lookups::Beside(beside, run, source));
        }
        let names = compiled.asks(pass);
        let fetched = move |link: &Link| Fetched::of(link, run, &source, names);
        Ok(Lookups::Fetched(self.hand.with(fetched).await?))
    }

    fn work(&self, at: usize, compiled: &Arc<Compiled>, pass: Pass) -> Work {
        Work {
            commits: self.hand.commits(),
            ..work(&self.load, &self.deed, at, compiled, pass)
        }
    }
}

/// Where the reading side looks target keys up.
enum Lookups {
    /// In the ledger of a run, for rows of a source, on a connection of its own.
    Beside(Box<Beside>, uuid::Uuid, String),
    /// In what was fetched from there.
    Fetched(Fetched),
}

/// Opens a connection.
type Beside = dyn Fn() -> Result<Link, DbTrouble> + Send;

/// The reading side of a pass, as its connection does it.
fn read(
    (compiled, pass): (Arc<Compiled>, Pass),
    lookups: Lookups,
    after: Position,
    outlet: Outlet,
) -> impl FnOnce(&Link) -> Result<Result<(), LoadFault>, DbTrouble> + Send + 'static {
    move |link| {
        // It goes away with this closure, which ends the writing side.
        let outlet = outlet;
        let (target, fetched);
        let crosswalk = match lookups {
            Lookups::Beside(beside, run, source) => {
                target = beside()?;
                Crosswalk::ledger(&target, run, &source)?
            }
            Lookups::Fetched(kept) => {
                fetched = kept;
                Crosswalk::fetched(&fetched)?
            }
        };
        match scan::scan(link, crosswalk, &compiled, pass, &after, &outlet) {
            Ok(()) => Ok(Ok(())),
            Err(Stop::Db(trouble)) => Err(trouble),
            Err(Stop::Data(fault)) => Ok(Err(fault)),
        }
    }
}

/// What the writing side needs to know of a dataset.
pub(super) fn work(
    load: &Load,
    deed: &Deed,
    at: usize,
    compiled: &Arc<Compiled>,
    pass: Pass,
) -> Work {
    let map = &load.map;
    let dataset = &map.datasets[at];
    let limits = dataset
        .columns
        .iter()
        .filter_map(|column| match &column.becomes {
            Becomes::Code(list) => match map.codes.get(list)?.unmapped {
                Unmapped::Reject { limit, .. } => Some((format!("HO511 {}", column.into), limit)),
                Unmapped::Fault | Unmapped::Keep => None,
            },
            _ => None,
        });
    Work {
        compiled: Arc::clone(compiled),
        deed: deed.clone(),
        commits: Commits::Each,
        source: load.route.source.to_string(),
        pass,
        quiet: load.triggers == Some(Triggers::Off),
        keeps: map.keeps_names(dataset),
        limits: limits.collect(),
        limit: dataset.reject_limit,
    }
}

pub(super) fn compile(
    source: &Link,
    target: &Link,
    load: &Load,
    deed: &Deed,
    at: usize,
) -> Result<Compiled, DbTrouble> {
    let dataset = &load.map.datasets[at];
    let papers = Papers {
        map: &load.map,
        route: &load.route,
        run: deed.run,
        tables: &load.tables,
    };
    let mut program = Program::compile(source, &papers, dataset)?;
    let fire = load.triggers == Some(Triggers::Fire);
    let mut layout = Layout::new(target, &mut program, &dataset.into, &dataset.money(), fire)?;
    layout.open_passage((source, target), &program)?;
    let bound = |name: &str| layout.bound.iter().position(|bound| bound == name);
    let source_code = &load.route.source;
    let meets = match Manners::of((&load.map, dataset), source_code, bound) {
        Some(manners) => {
            let ends = (&load.target, source_code);
            let known = namesakes::standing(target, ends, (&load.map, dataset), deed.run)?;
            Some((manners, known))
        }
        None => None,
    };
    let place = load
        .route
        .targets
        .iter()
        .position(|code| *code == load.target);
    Ok(Compiled {
        draw: Draw::new(deed, &dataset.name, &load.route.source),
        mac: RowMac::new(&deed.key, &dataset.name),
        lines: LineMac::new(&deed.key, &dataset.name),
        relations: load.map.relations.clone(),
        target: place.unwrap_or(usize::MAX),
        target_code: load.target.to_string(),
        chunk_rows: load.chunk_rows.max(1),
        pieces: pieces(target.dialect(), load.chunk_rows),
        meets,
        horizon: program.horizon(source)?,
        program,
        layout,
    })
}
