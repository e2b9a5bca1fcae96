//! Two connections to one server take turns with the chunks of a dataset: while one keeps what undo needs of
//! its chunk and commits it, the other loads the next. Chunks become durable in their order: none is
//! committed before the one before it is.
//!
//! In: batches. Out: effects, as they become durable.
//!
//! Not here: a chunk itself (`store`), files, which have one writer (`groups`).

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::store::{Beside, Inlet, Mark, Stored, Work, count_on, fill};
use crate::copy::fault::LoadFault;
use crate::copy::reading::batch::Batch;
use crate::orgdb::{DbTrouble, Link};

/// Whoever has it writes the next chunk.
pub(super) struct Turn {
    inlet: Inlet,
    /// Where the chunk before it ends, and its ordinal.
    mark: Mark,
    ordinal: u64,
    /// Hears once the chunk before it is durable; nothing where it will never be.
    before: Receiver<()>,
}

impl Turn {
    /// The first.
    pub(super) fn first(inlet: Inlet, mark: Mark, ordinal: u64) -> Turn {
        let (durable, before) = sync_channel(1);
        // Nothing comes before it.
        let _ = durable.send(());
        Turn {
            inlet,
            mark,
            ordinal,
            before,
        }
    }
}

/// What came of one turn.
enum Went {
    /// The chunk is durable, and the turn was handed on.
    On,
    /// It was the last.
    Last(Mark),
    /// The reading side, or the chunk before it, has stopped.
    Stopped,
}

type Told = Result<Result<Went, LoadFault>, DbTrouble>;

/// One connection writes all of them.
pub(super) fn alone(link: &Link, work: &Work, first: Turn) -> Stored {
    let mut batch = Batch::default();
    let mut next = Some(first);
    let mut told = Ok(Ok(Went::On));
    while let (Ok(Ok(Went::On)), Some(turn)) = (&told, next.take()) {
        told = one(link, work, turn, &mut batch, &mut |turn| next = Some(turn));
    }
    stored(told)
}

/// This connection and another one; that is opened when there is a second chunk.
pub(super) fn in_turns(link: &Link, beside: &Beside<'_>, work: &Work, first: Turn) -> Stored {
    thread::scope(|scope| {
        let (to_second, of_second) = sync_channel::<Turn>(1);
        let (to_first, of_first) = sync_channel::<Turn>(1);
        let mut waits = Some((of_second, to_first));
        let mut second = None;
        let mut hand_on = |turn: Turn| {
            if let Some((turns, back)) = waits.take() {
                second = Some(scope.spawn(move || lane(beside, work, &turns, &back)));
            }
            // Nobody takes it where the other has stopped, and that one says why.
            drop(to_second.send(turn));
        };
        let mut batch = Batch::default();
        let mut ours = one(link, work, first, &mut batch, &mut hand_on);
        while let Ok(Ok(Went::On)) = &ours
            && let Ok(turn) = of_first.recv()
        {
            ours = one(link, work, turn, &mut batch, &mut hand_on);
        }
        // The other has no turn to wait for any more.
        drop(to_second);
        let lost = |_| Err(DbTrouble::Interrupted);
        let theirs = second.map(|second| second.join().unwrap_or_else(lost));
        both(stored(ours), theirs)
    })
}

/// The other connection's chunks. Where there is none to be had, every turn goes back to the first.
fn lane(
    beside: &Beside<'_>,
    work: &Work,
    turns: &Receiver<Turn>,
    back: &SyncSender<Turn>,
) -> Stored {
    let Ok(link) = &beside() else {
        for turn in turns {
            drop(back.send(turn));
        }
        return Ok(Ok(None));
    };
    let mut batch = Batch::default();
    let mut told = Ok(Ok(Went::On));
    while let Ok(Ok(Went::On)) = &told
        && let Ok(turn) = turns.recv()
    {
        told = one(link, work, turn, &mut batch, &mut |turn| {
            drop(back.send(turn));
        });
    }
    stored(told)
}

fn stored(told: Told) -> Stored {
    Ok(told?.map(|went| match went {
        Went::Last(mark) => Some(mark),
        Went::On | Went::Stopped => None,
    }))
}

/// What two say: trouble first, then a fault, then the end that one of them has come to.
fn both(ours: Stored, theirs: Option<Stored>) -> Stored {
    match (ours, theirs) {
        (ours, None) => ours,
        (Err(trouble), _) | (_, Some(Err(trouble))) => Err(trouble),
        (Ok(Err(fault)), _) | (_, Some(Ok(Err(fault)))) => Ok(Err(fault)),
        (Ok(Ok(ours)), Some(Ok(Ok(theirs)))) => Ok(Ok(ours.or(theirs))),
    }
}

/// Writes one chunk, and hands the turn on as soon as its rows are in. In trouble it lets go of all that the
/// other connection might wait for.
fn one(
    link: &Link,
    work: &Work,
    turn: Turn,
    batch: &mut Batch,
    hand_on: &mut dyn FnMut(Turn),
) -> Told {
    let told = written(link, work, turn, batch, hand_on);
    if told.is_err() {
        // It says nothing more than the trouble does.
        drop(link.rollback());
    }
    told
}

fn written(
    link: &Link,
    work: &Work,
    mut turn: Turn,
    batch: &mut Batch,
    hand_on: &mut dyn FnMut(Turn),
) -> Told {
    batch.clear();
    if !turn.inlet.next(batch) {
        return Ok(Ok(Went::Stopped));
    }
    turn.ordinal += 1;
    let from = (&mut *batch, &turn.inlet);
    let filled = match fill(link, work, from, &mut turn.mark, turn.ordinal)? {
        Ok(Some(filled)) => filled,
        stopped => {
            link.rollback()?;
            return Ok(stopped.map(|_| Went::Stopped));
        }
    };
    let effects = turn.inlet.effects.clone();
    let (durable, next) = sync_channel(1);
    let before = std::mem::replace(&mut turn.before, next);
    let last = turn.mark.done.then(|| turn.mark.clone());
    if last.is_none() {
        hand_on(turn);
    }
    let effect = filled.keep(link)?;
    if before.recv().is_err() {
        link.rollback()?;
        return Ok(Ok(Went::Stopped));
    }
    if last.is_some() {
        count_on(link, work)?;
    }
    work.commits.commit(link)?;
    // Nobody may be listening, and what is durable stays durable.
    drop(effects.send(effect));
    let _ = durable.send(());
    Ok(Ok(last.map_or(Went::On, Went::Last)))
}
