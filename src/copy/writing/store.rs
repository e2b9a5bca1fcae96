//! The writing side of a copy: a chunk's rows, crosswalk, rejected rows, undo and ledger row become
//! durable in one transaction, or all chunks in one.
//!
//! In: batches. Out: effects, and counts that stand in the ledger with them.
//!
//! Not here: judging rows (`scan`), a chunk's rows (`chunk`), when what is loaded (`load`), how one chunk
//! follows the other (`turns` for servers, `groups` for files).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use super::chunk::{Chunk, complete};
use super::groups;
use super::turns::{self, Turn};
use crate::copy::counts::Counts;
use crate::copy::fault::LoadFault;
use crate::copy::ledger::effect::{self, Commits, Head, Part};
use crate::copy::ledger::{Deed, Effect};
use crate::copy::reading::batch::Batch;
use crate::copy::reading::lines;
use crate::copy::reading::scan::{Compiled, Pass};
use crate::copy::tables::position::Position;
use crate::copy::tables::triggers;
use crate::copy::value::tally::Tally;
use crate::orgdb::{DbTrouble, Link, Sql};

/// How far a dataset has got: kept with each chunk, never exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) dataset: String,
    /// The second pass, over references into the own dataset.
    pub(crate) second: bool,
    /// The last source row that was judged.
    pub(crate) position: Position,
    pub(crate) done: bool,
    /// Counts of the dataset so far.
    pub(crate) counts: Counts,
}

/// What the writing side needs to know.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) deed: Deed,
    pub(crate) commits: Commits,
    pub(crate) source: String,
    pub(crate) pass: Pass,
    /// Target triggers are set aside.
    pub(crate) quiet: bool,
    /// The names under which other datasets look this one's keys up: itself, its aliases.
    pub(crate) keeps: bool,
    /// Most rejected rows: by `code column`, and of all.
    pub(crate) limits: Vec<(String, u64)>,
    pub(crate) limit: Option<u64>,
}

/// The writing side's ends of the channels.
pub(crate) struct Inlet {
    pub(crate) batches: Receiver<Batch>,
    pub(crate) spare: Sender<Batch>,
    pub(crate) effects: UnboundedSender<Effect>,
}

/// What came of writing a pass down: where it has got to; none when the reading side stopped before its
/// last chunk.
pub(crate) type Stored = Result<Result<Option<Mark>, LoadFault>, DbTrouble>;

/// Opens another connection to the target, on whatever thread calls it.
pub(crate) type Beside<'b> = dyn Fn() -> Result<Link, DbTrouble> + Sync + 'b;

/// Writes chunks until the last, while their pieces come. `ordinal` is that of the last effect.
pub(crate) fn store(
    link: &Link,
    beside: &Beside<'_>,
    work: &Work,
    inlet: Inlet,
    (mark, ordinal): (Mark, u64),
) -> Stored {
    if link.sqlite().is_some() {
        return groups::in_groups(link, work, &inlet, (mark, ordinal));
    }
    let turn = Turn::first(inlet, mark, ordinal);
    if may_take_turns(link, work)? {
        turns::in_turns(link, beside, work, turn)
    } else {
        turns::alone(link, work, turn)
    }
}

/// Whether a chunk may be written while the one before it is not committed yet: not where rows refer to rows
/// of the same table, where the target's own triggers, checks, defaults or policies may look at them, or where
/// all is one transaction.
fn may_take_turns(link: &Link, work: &Work) -> Result<bool, DbTrouble> {
    if work.pass == Pass::References || work.commits == Commits::Once {
        return Ok(false);
    }
    let table = &work.compiled.layout.shape.table;
    let Some(found) = link.table(table)? else {
        return Ok(false);
    };
    let to_itself = (found.references.iter()).any(|(_, parent, _)| parent == table);
    let watched = !found.triggers.is_empty() || found.triggers_hidden;
    Ok(!to_itself && (work.quiet || !watched) && !link.looks_back(table)?)
}

impl Inlet {
    /// Appends the next piece; false when the reading side has stopped, or when whoever wanted the copy has
    /// gone away: pieces that wait already are not for the next who begins.
    pub(super) fn next(&self, batch: &mut Batch) -> bool {
        let Ok(mut piece) = self.batches.recv() else {
            return false;
        };
        if self.effects.is_closed() {
            return false;
        }
        if batch.is_empty() && !piece.open {
            std::mem::swap(batch, &mut piece);
        } else {
            batch.take_in(&mut piece);
        }
        // Nobody fills it again where all was read.
        drop(self.spare.send(piece));
        true
    }
}

/// A chunk whose rows are written, in a transaction that is still open.
pub(super) struct Filled {
    id: i64,
    ordinal: u64,
    kind: String,
    tally: Tally,
    parts: Vec<Part>,
    /// Target triggers that stand aside.
    aside: Vec<Sql>,
}

/// Writes the rows of one chunk, whose first piece is there; none when the reading side stopped before its
/// last. `mark` goes on to where the chunk ends.
pub(super) fn fill(
    link: &Link,
    work: &Work,
    (batch, inlet): (&mut Batch, &Inlet),
    mark: &mut Mark,
    ordinal: u64,
) -> Result<Result<Option<Filled>, LoadFault>, DbTrouble> {
    let layout = &work.compiled.layout;
    let kind = match work.pass {
        Pass::Rows => format!("insert:{}", mark.dataset),
        Pass::References => format!("update:{}", mark.dataset),
    };
    let more = &mut |batch: &mut Batch| inlet.next(batch);
    // While triggers stand aside nobody else writes to the table: it is not for a reader to say for how long.
    if work.quiet && !complete(batch, more) {
        return Ok(Ok(None));
    }
    work.commits.begin(link, &work.deed)?;
    let aside = if work.quiet {
        triggers::set_aside(link, &layout.shape.table)?
    } else {
        Vec::new()
    };
    // An effect with this ordinal was not there when we began, and two executors cannot be at work: a
    // session of our own, cut before, ended after we had looked. Looking again is enough.
    let id = effect::open(link, &work.deed, ordinal, &kind)?.ok_or(DbTrouble::Clash)?;
    let mut chunk = Chunk::new(link, work, batch, std::mem::take(&mut mark.counts));
    let whole = match work.pass {
        Pass::Rows => chunk.insert(batch, more)?,
        Pass::References => complete(batch, more) && chunk.update(batch).map(|()| true)?,
    };
    if !whole {
        return Ok(Ok(None));
    }
    chunk.add(&batch.counts);
    chunk.keep_rejects(batch, ordinal)?;
    chunk.keep_other_names(batch)?;
    let Chunk {
        tally,
        body,
        counts,
        span,
        ..
    } = chunk;
    mark.counts = counts;
    let behind = std::mem::take(&mut mark.position);
    mark.position = batch.position.clone();
    mark.done = batch.done;
    if let Some(fault) = beyond_limit(work, &mark.counts) {
        return Ok(Err(fault));
    }
    let parts = parts(work, body, span, mark, (behind, batch))?;
    Ok(Ok(Some(Filled {
        id,
        ordinal,
        kind,
        tally,
        parts,
        aside,
    })))
}

/// After the last of a pass's rows: the table's next own numbers come behind them. All of them must be in
/// sight, and so be committed or written here.
pub(super) fn count_on(link: &Link, work: &Work) -> Result<(), DbTrouble> {
    let layout = &work.compiled.layout;
    match work.pass {
        Pass::Rows => link.count_on(&layout.shape.table, &layout.bound),
        Pass::References => Ok(()),
    }
}

impl Filled {
    /// Keeps what undo needs of the rows, beside them; all that is left is to commit.
    pub(super) fn keep(self, link: &Link) -> Result<Effect, DbTrouble> {
        triggers::put_back(link, &self.aside)?;
        effect::close(link, self.id, &self.tally, self.parts)?;
        Ok(Effect {
            ordinal: self.ordinal,
            kind: self.kind,
            rows: self.tally.rows,
            root: self.tally.root(),
        })
    }
}

/// The kind of an effect that only counts.
pub(crate) const COUNT: &str = "count:all";

/// Writes marks down by themselves: an effect without rows.
pub(crate) fn note(
    link: &Link,
    (deed, commits): (&Deed, Commits),
    marks: &[Mark],
    ordinal: u64,
) -> Result<Effect, DbTrouble> {
    commits.begin(link, deed)?;
    let id = effect::open(link, deed, ordinal, COUNT)?.ok_or(DbTrouble::Clash)?;
    let tally = Tally::default();
    let parts = marks.iter().map(position).collect::<Result<_, _>>()?;
    effect::close(link, id, &tally, parts)?;
    commits.commit(link)?;
    Ok(Effect {
        ordinal,
        kind: COUNT.to_owned(),
        rows: 0,
        root: tally.root(),
    })
}

fn position(mark: &Mark) -> Result<Part, DbTrouble> {
    Ok(Part {
        head: Head::Position,
        body: serde_json::to_vec(mark).map_err(|_| DbTrouble::Other(0))?,
    })
}

fn parts(
    work: &Work,
    body: Vec<u8>,
    span: Option<(i64, i64)>,
    mark: &Mark,
    (behind, batch): (Position, &Batch),
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
    let position = position(mark)?;
    let lines = (work.pass == Pass::Rows).then(|| Part {
        head: Head::Lines {
            behind: Some(behind),
        },
        body: lines::pack(batch.lines.iter().copied()),
    });
    let horizon = work.compiled.horizon.clone();
    let places = horizon
        .filter(|_| work.pass == Pass::Rows)
        .map(|horizon| Part {
            head: Head::Places { horizon },
            body: lines::pack(batch.places.iter().copied()),
        });
    Ok([Part { head, body }, position]
        .into_iter()
        .chain(lines)
        .chain(places)
        .collect())
}

/// More rows are rejected than the map allows.
pub(crate) fn beyond_limit(work: &Work, counts: &Counts) -> Option<LoadFault> {
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
