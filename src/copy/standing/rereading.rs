//! Parts of effects read back one after the other, on two threads. A file's rows are read on both, and so are
//! those of a server that shows two connections the same moment: each takes every second effect on a
//! connection of its own. Another server's are read on one; while those of one block are read, those of the
//! block before are digested on the other.
//!
//! In: a reading, effects. Out: each part with how its rows stand, in the order that was asked for.
//!
//! Not here: how one row is found again (`standing`), what is made of it (`found`, `verify`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::walk::{Met, Walk};
use super::{Held, Reading};
use crate::copy::ledger::effect::{self, Part};
use crate::copy::ledger::packed::{Unpacked, unpack, unpack_none};
use crate::copy::value::tally::RowMac;
use crate::machine::key::RunKey;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Row};

/// Bytes of rows that are digested at a time: few enough to stay in a core's cache.
const BLOCK: usize = 128 * 1024;
/// Blocks that may wait for their digests.
const WAITING: usize = 8;

/// In which order effects are read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they were made.
    OldestFirst,
    /// As they are undone.
    NewestFirst,
}

/// Shows every part that holds rows, with how its rows stand; `other` is another connection to the same
/// database at the same moment.
pub(crate) fn each(
    reading: &mut Reading<'_>,
    other: Option<Link>,
    effects: &[i64],
    order: Order,
    see: impl FnMut(&mut Reading<'_>, &Arc<Part>, &Unpacked<'_>, Held) -> Result<Flow, DbTrouble>,
) -> Result<(), DbTrouble> {
    let mut effects = effects.to_vec();
    if order == Order::NewestFirst {
        effects.reverse();
    }
    match other {
        Some(other) => each_by_two(reading, other, &effects, order, see),
        None => each_digested_beside(reading, &effects, order, see),
    }
}

/// Each thread reads every second effect and digests what it reads.
fn each_by_two(
    reading: &mut Reading<'_>,
    other: Link,
    effects: &[i64],
    order: Order,
    mut see: impl FnMut(&mut Reading<'_>, &Arc<Part>, &Unpacked<'_>, Held) -> Result<Flow, DbTrouble>,
) -> Result<(), DbTrouble> {
    let key = reading.key.clone();
    thread::scope(|scope| {
        // One part waits while the next is read, not more: memory stays flat.
        let (tell, told) = sync_channel(1);
        scope.spawn(move || {
            let mut reading = Reading::new(&other, &key);
            for id in effects.iter().skip(1).step_by(2) {
                let read = read_effect(&mut reading, *id, order, |_, part, met| {
                    Ok(told_or_over(&tell, Ok(Some((part, met)))))
                });
                if told_or_over(&tell, read.map(|_| None)).is_break() {
                    break;
                }
            }
            // Whoever is to empty a table next need not wait for the server to notice.
            other.close_open();
        });
        let mut show =
            |reading: &mut Reading<'_>, part, met| judged(reading, &part, &met, &mut see);
        for (at, id) in effects.iter().enumerate() {
            if at % 2 == 0 {
                if read_effect(reading, *id, order, &mut show)?.is_break() {
                    return Ok(());
                }
                continue;
            }
            while let Some((part, met)) = told.recv().map_err(|_| DbTrouble::Other(0))?? {
                if show(reading, part, met)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    })
}

/// Shows a part with how the rows stand that were met of it.
fn judged(
    reading: &mut Reading<'_>,
    part: &Arc<Part>,
    met: &Met,
    see: &mut impl FnMut(&mut Reading<'_>, &Arc<Part>, &Unpacked<'_>, Held) -> Result<Flow, DbTrouble>,
) -> Result<Flow, DbTrouble> {
    let Some(rows) = unpack(&part.head, &part.body)? else {
        return Ok(Flow::Continue(()));
    };
    let held = reading.settle(&part.head, &rows, met)?;
    see(reading, part, &rows, held)
}

/// Whoever does not listen any more has seen enough.
fn told_or_over<T>(tell: &SyncSender<T>, word: T) -> Flow {
    match tell.send(word) {
        Ok(()) => Flow::Continue(()),
        Err(_) => Flow::Break(()),
    }
}

/// Reads the parts of one effect, and shows what of each was met.
fn read_effect(
    reading: &mut Reading<'_>,
    id: i64,
    order: Order,
    mut see: impl FnMut(&mut Reading<'_>, Arc<Part>, Met) -> Result<Flow, DbTrouble>,
) -> Result<Flow, DbTrouble> {
    for part in parts(reading, id, order)? {
        let met = match unpack(&part.head, &part.body)? {
            Some(rows) => reading.met(&part.head, &rows)?,
            None => continue,
        };
        if see(reading, Arc::new(part), met)?.is_break() {
            return Ok(Flow::Break(()));
        }
    }
    Ok(Flow::Continue(()))
}

fn parts(reading: &Reading<'_>, id: i64, order: Order) -> Result<Vec<Part>, DbTrouble> {
    let mut parts = effect::parts(reading.ledger, id)?;
    if order == Order::NewestFirst {
        parts.reverse();
    }
    Ok(parts)
}

/// One thread reads, the other digests.
fn each_digested_beside(
    reading: &mut Reading<'_>,
    effects: &[i64],
    order: Order,
    mut see: impl FnMut(&mut Reading<'_>, &Arc<Part>, &Unpacked<'_>, Held) -> Result<Flow, DbTrouble>,
) -> Result<(), DbTrouble> {
    let key = reading.key.clone();
    thread::scope(|scope| {
        let (tasks, work) = sync_channel(WAITING);
        let (tell, told) = channel();
        let (give_back, spare) = channel();
        scope.spawn(move || digest(&key, &work, &tell, &give_back));
        let mut lane = Lane {
            tasks,
            spare,
            block: Block::default(),
        };
        let mut open = 0;
        for id in effects {
            for part in parts(reading, *id, order)? {
                if !lane.read(reading, &Arc::new(part))? {
                    continue;
                }
                open += 1;
                // One part may be digested while the next is read, not more: memory stays flat.
                if open > 1 {
                    open -= 1;
                    let (part, met) = told.recv().map_err(|_| DbTrouble::Other(0))??;
                    if judged(reading, &part, &met, &mut see)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        drop(lane);
        for done in told {
            let (part, met) = done?;
            if judged(reading, &part, &met, &mut see)?.is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// Canonical rows, one behind the other.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

enum Task {
    Part(Arc<Part>),
    Rows(Block),
    End,
}

/// A part and what was met of it.
type Judged = Result<(Arc<Part>, Met), DbTrouble>;

/// The reading side.
struct Lane {
    tasks: SyncSender<Task>,
    spare: Receiver<Block>,
    block: Block,
}

impl Lane {
    /// Reads the rows that lie where the part's were written; false where the part holds none.
    fn read(&mut self, reading: &Reading<'_>, part: &Arc<Part>) -> Result<bool, DbTrouble> {
        // A file knows where rows lie without their keys.
        let found = match reading.link.sqlite() {
            Some(_) => unpack_none(&part.head),
            None => unpack(&part.head, &part.body)?,
        };
        let Some(rows) = found else {
            return Ok(false);
        };
        self.hand_over(Task::Part(Arc::clone(part)))?;
        let mut lost = false;
        reading.lying(&part.head, &rows, |row| {
            self.block.push(row);
            if self.block.bytes.len() >= BLOCK {
                lost |= self.hand_over_block().is_err();
            }
        })?;
        self.hand_over_block()?;
        self.hand_over(Task::End)?;
        if lost {
            Err(DbTrouble::Other(0))
        } else {
            Ok(true)
        }
    }

    fn hand_over_block(&mut self) -> Result<(), DbTrouble> {
        let empty = self.spare.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.block, empty);
        self.hand_over(Task::Rows(full))
    }

    fn hand_over(&self, task: Task) -> Result<(), DbTrouble> {
        // The other side ends only when this one does.
        self.tasks.send(task).map_err(|_| DbTrouble::Other(0))
    }
}

impl Block {
    #[inline]
    fn push(&mut self, row: Row<'_>) {
        row.push_all(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let row = &self.bytes[start..*end];
            start = *end;
            row
        })
    }

    fn cleared(mut self) -> Block {
        self.bytes.clear();
        self.ends.clear();
        self
    }
}

/// The digesting side.
fn digest(key: &RunKey, work: &Receiver<Task>, tell: &Sender<Judged>, give_back: &Sender<Block>) {
    let mut macs: BTreeMap<String, RowMac> = BTreeMap::new();
    while let Ok(task) = work.recv() {
        let Task::Part(part) = task else { continue };
        let (label, rows) = match unpack(&part.head, &part.body) {
            Ok(Some((_, label, rows))) => (label, rows),
            Ok(None) => continue,
            Err(trouble) => return drop(tell.send(Err(trouble))),
        };
        let mac = macs
            .entry(label.to_owned())
            .or_insert_with(|| RowMac::new(key, label));
        let mut walk = Walk::over(&rows);
        while let Ok(Task::Rows(block)) = work.recv() {
            block.rows().for_each(|row| walk.meet(&mac.of(row)));
            // Nobody needs it any more when the reading side has ended.
            drop(give_back.send(block.cleared()));
        }
        let met = walk.end();
        drop(rows);
        if tell.send(Ok((part, met))).is_err() {
            return;
        }
    }
}
