//! Chunks of a file's rows, a few of which become durable together: each is a transaction of its own, and
//! the last of a group waits for the disk on behalf of all of them. Nobody hears of a chunk before that, so
//! that no log outlives its rows; after a power cut the file is as it was after some chunk.
//!
//! In: batches. Out: effects, as they become durable.
//!
//! Not here: a chunk itself (`store`), servers (`turns`).

use rusqlite::Connection;

use super::store::{Inlet, Mark, Stored, Work, fill};
use crate::copy::ledger::{Deed, Effect, effect};
use crate::copy::reading::batch::Batch;
use crate::orgdb::{DbTrouble, Link, Sql};
use crate::values;

/// Chunks that wait for the disk together.
const TOGETHER: usize = 4;

/// Writes chunks until the last.
pub(super) fn in_groups(
    link: &Link,
    work: &Work,
    inlet: &Inlet,
    (mut mark, mut ordinal): (Mark, u64),
) -> Stored {
    let Some(file) = link.sqlite() else {
        return Err(DbTrouble::Other(0));
    };
    file.pragma_update(None, "cache_size", -32_000)?;
    file.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    waits(file, false)?;
    let (mut batch, mut group) = (Batch::default(), Vec::new());
    let mut ended = Ok(None);
    while inlet.next(&mut batch) {
        ordinal += 1;
        let filled = match fill(link, work, (&mut batch, inlet), &mut mark, ordinal)? {
            Ok(Some(filled)) => filled,
            stopped => {
                link.rollback()?;
                ended = stopped.map(|_| None);
                break;
            }
        };
        group.push(filled.keep(link)?);
        link.commit()?;
        if group.len() == TOGETHER {
            settle(link, file, &work.deed)?;
            told(inlet, &mut group);
        }
        if mark.done {
            ended = Ok(Some(mark));
            break;
        }
        batch.clear();
    }
    if !group.is_empty() {
        settle(link, file, &work.deed)?;
        told(inlet, &mut group);
    }
    waits(file, true)?;
    Ok(ended)
}

/// Whether a commit waits for the disk. Without, the write-ahead log is in order all the same
/// (<https://sqlite.org/pragma.html#pragma_synchronous>).
fn waits(file: &Connection, waits: bool) -> Result<(), DbTrouble> {
    let word = if waits { "FULL" } else { "NORMAL" };
    Ok(file.pragma_update(None, "synchronous", word)?)
}

/// Makes all that was committed durable.
fn settle(link: &Link, file: &Connection, deed: &Deed) -> Result<(), DbTrouble> {
    waits(file, true)?;
    settled(link, deed)?;
    waits(file, false)
}

/// A commit that waits for the disk, and so makes durable what others have left to it: also those who died
/// before they could.
pub(crate) fn settled(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    effect::begin(link, deed)?;
    let touch = Sql::new("UPDATE handover_fence SET epoch = epoch WHERE run = ?1");
    link.execute(&touch, &values![deed.run.to_string()])?;
    link.commit()
}

fn told(inlet: &Inlet, group: &mut Vec<Effect>) {
    for effect in group.drain(..) {
        // Nobody may be listening, and what is durable stays durable.
        drop(inlet.effects.send(effect));
    }
}
