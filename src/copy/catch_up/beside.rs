//! A file's lines looked through on two connections at the same moment: every second chunk on the other
//! one, on a thread of its own. It only tells known lines from others; those are read again by the first.
//!
//! In: chunks, another connection. Out: which lines of each were met, the numbers of rows with others.
//!
//! Not here: what becomes of the others (`compare`).

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use rusqlite::Connection;

use super::compare::Comparing;
use super::known::Known;
use super::ledgered::{Chunk, Newer};
use crate::copy::reading::scan::{self, Compiled, Stop};
use crate::copy::value::canon::Values;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Sql, ValueRef};

/// A chunk that was looked through.
pub(super) struct Seen {
    pub(super) met: Vec<bool>,
    /// Numbers of rows whose lines are not simply as they were.
    strange: Vec<i64>,
}

/// Fewer chunks than this are not worth a second connection, which gathers the parents for itself.
const WORTH_IT: usize = 4;

/// Of a chunk with more strange rows than one in so many, every line is read again.
const FEW: usize = 4;

/// Whether a dataset's lines may be looked through so.
pub(super) fn is_worth_it(source: &Link, compiled: &Compiled, chunks: usize) -> bool {
    source.sqlite().is_some() && chunks >= WORTH_IT && compiled.program.has_numbered_rows()
}

/// Compares every chunk; `other` is another connection to the same file at the same moment.
pub(super) fn each_by_two(
    source: &Link,
    other: &mut Link,
    comparing: &mut Comparing<'_>,
) -> Result<(), Stop> {
    let (compiled, ledgered) = (comparing.compiled, comparing.ledgered);
    let (newer, chunks) = (&ledgered.newer, ledgered.chunks());
    thread::scope(|scope| {
        let (ask, asked) = sync_channel::<Arc<Chunk>>(1);
        let (tell, told) = sync_channel(1);
        scope.spawn(move || {
            for chunk in asked {
                // Nobody listens only when the other side has failed, and it says why.
                if tell
                    .send(look_through(other, compiled, newer, &chunk))
                    .is_err()
                {
                    return;
                }
            }
        });
        for at in (0..chunks).step_by(2) {
            let second = (at + 1 < chunks).then(|| ledgered.chunk(at + 1));
            let second = second.transpose()?.map(Arc::new);
            if let Some(chunk) = &second {
                let asked = ask.send(Arc::clone(chunk));
                asked.map_err(|_| DbTrouble::Other(0))?;
            }
            comparing.chunk(source, &ledgered.chunk(at)?, None)?;
            if let Some(chunk) = second {
                let seen = told.recv().map_err(|_| DbTrouble::Other(0))??;
                comparing.chunk(source, &chunk, Some(seen))?;
            }
        }
        Ok(())
    })
}

fn look_through(
    other: &Link,
    compiled: &Compiled,
    newer: &Newer,
    chunk: &Chunk,
) -> Result<Seen, Stop> {
    let (mut known, mut strange) = (Known::of(chunk), Vec::new());
    let (mut mac, mut stand) = (compiled.lines.clone(), Vec::new());
    scan::each(other, compiled, chunk.wanted(), |line| {
        let digest = mac.of(line);
        let place = match newer.line(digest) {
            Some(_) => None,
            None => known.find(digest),
        };
        if let Some(at) = place.filter(|at| !chunk.lines[*at].1.open) {
            known.met[at] = true;
            return Ok(Flow::Continue(()));
        }
        stand.clear();
        line.push_stand(&mut stand);
        if let Some(ValueRef::Integer(row)) = Values(&stand).next() {
            strange.push(row);
        }
        Ok(Flow::Continue(()))
    })?;
    let met = known.met;
    Ok(Seen { met, strange })
}

impl Seen {
    /// Whether it is quicker to read the strange rows by themselves.
    pub(super) fn are_few(&self) -> bool {
        self.strange.len() <= self.met.len() / FEW
    }

    /// What leaves out all rows but the strange ones.
    pub(super) fn only_strange(&self, scratch: &Connection) -> Result<Sql, DbTrouble> {
        scratch.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS handover_strange (row INTEGER PRIMARY KEY);
             DELETE FROM temp.handover_strange;",
        )?;
        let mut note = scratch.prepare_cached("INSERT INTO temp.handover_strange VALUES (?1)")?;
        for row in &self.strange {
            note.execute([row])?;
        }
        Ok(Sql::new("rowid IN (SELECT row FROM temp.handover_strange)"))
    }
}
