//! A chunk's lines as the copy saw them, gone along as lines are met again.
//!
//! In: a chunk, digests of lines. Out: which of them were met.
//!
//! Not here: where lines come from (`compare`, `drift`).

use foldhash::HashMap;

use super::ledgered::{Chunk, Newer};
use crate::copy::ledger::effect::Part;
use crate::copy::ledger::packed::{Packed, unpack};
use crate::copy::reading::lines::LineDigest;
use crate::orgdb::DbTrouble;

/// How far ahead a line is looked for among those that were there: the lines between were taken out.
const AHEAD: usize = 16;

/// After so many lines that were not there, they are looked for wherever they stood.
const LOST: usize = 64;

/// A chunk's lines as they were, gone along as lines are met; which of them were met.
pub(super) struct Known<'k> {
    pub(super) chunk: &'k Chunk,
    pub(super) met: Vec<bool>,
    /// Few lines come, from all over: they are looked for wherever they stood.
    pub(super) scattered: bool,
    next: usize,
    missed: usize,
    /// Where each digest stood, once so many were missed.
    places: HashMap<LineDigest, usize>,
    /// The rows of the lines that stand, in their order; empty while nothing is newer than the copy.
    rows: Vec<Packed<'k>>,
    /// The row of each line.
    row_of: Vec<usize>,
}

impl<'k> Known<'k> {
    pub(super) fn of(chunk: &'k Chunk) -> Known<'k> {
        Known {
            met: vec![false; chunk.lines.len()],
            chunk,
            scattered: false,
            next: 0,
            missed: 0,
            places: HashMap::default(),
            rows: Vec::new(),
            row_of: Vec::new(),
        }
    }

    /// Knows rows, too.
    pub(super) fn with_rows(&mut self, parts: &'k [Part]) -> Result<(), DbTrouble> {
        for part in parts {
            let rows = unpack(&part.head, &part.body)?;
            self.rows
                .extend(rows.into_iter().flat_map(|(_, _, rows)| rows));
        }
        let mut row = 0;
        let row_of = self.chunk.lines.iter().map(|(_, state)| {
            row += usize::from(state.stands);
            row.saturating_sub(1)
        });
        self.row_of = row_of.collect();
        Ok(())
    }

    pub(super) fn row(&self, at: usize) -> Option<&Packed<'k>> {
        self.rows.get(*self.row_of.get(at)?)
    }

    /// Where a line with this digest stood.
    #[inline]
    pub(super) fn find(&mut self, digest: LineDigest) -> Option<usize> {
        let lines = &self.chunk.lines;
        let ahead = lines[self.next.min(lines.len())..].iter().take(AHEAD);
        let found = ahead.clone().position(|(known, _)| *known == digest);
        let found = match found {
            Some(passed) => Some(self.next + passed),
            None => self.find_anywhere(digest),
        };
        if let Some(at) = found {
            (self.next, self.missed) = (at + 1, 0);
        }
        found
    }

    #[cold]
    fn find_anywhere(&mut self, digest: LineDigest) -> Option<usize> {
        self.missed += 1;
        if self.missed < LOST && !self.scattered {
            return None;
        }
        if self.places.is_empty() {
            let lines = self.chunk.lines.iter().enumerate();
            self.places = lines.map(|(at, (digest, _))| (*digest, at)).collect();
        }
        self.places.get(&digest).copied()
    }

    /// Whether what came of a line hangs on nothing else, and no later step of ours has spoken of it.
    pub(super) fn is_settled(&self, at: usize, newer: &Newer) -> bool {
        let (digest, state) = self.chunk.lines[at];
        !state.open && newer.line(digest).is_none()
    }

    /// Whether a line was met of whose row a later step knows better.
    pub(super) fn has_met_what_is_over(&self, newer: &Newer) -> bool {
        let mut lines = self.chunk.lines.iter().enumerate();
        lines.any(|(at, (_, state))| {
            let row = self.row(at).filter(|_| state.stands && self.met[at]);
            row.is_some_and(|row| newer.is_over(row.key))
        })
    }

    /// Nothing was met.
    pub(super) fn begin_again(&mut self) {
        self.met.fill(false);
    }
}
