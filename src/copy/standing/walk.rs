//! Going along the rows that a part of an effect wrote, as they are met again, mostly in their order. A
//! digest is of the whole row, its key included: no key needs to be compared.
//!
//! In: packed rows, then digests of rows that lie where these were written. Out: which were met.
//!
//! Not here: where rows lie (`standing`), what is done about those that were not met (`standing`).

use crate::copy::ledger::packed::{HALF, Packed};

/// Rows behind the next one among which a row that was met is always looked for.
const AHEAD: usize = 8;
/// Further rows among which it is looked for when as many in a row were strangers.
const STRAYED: usize = 1_000;
/// Times that it is looked for among all rows: where many were deleted, the others come after them.
const LONG_LOOKS: usize = 8;

/// A walk along written rows.
pub(super) struct Walk<'r> {
    rows: &'r [Packed<'r>],
    same: Vec<bool>,
    next: usize,
    seen: usize,
    strangers: usize,
    long_looks: usize,
}

/// What a walk has met.
pub(crate) struct Met {
    /// Of each row, in the part's order: it stands as it was written. Rows that were passed over may
    /// still be found by their keys.
    pub(super) same: Vec<bool>,
    /// How many rows lay there, those of others included.
    pub(super) seen: usize,
}

impl<'r> Walk<'r> {
    pub(super) fn over(rows: &'r [Packed<'r>]) -> Walk<'r> {
        Walk {
            rows,
            same: vec![false; rows.len()],
            next: 0,
            seen: 0,
            strangers: 0,
            long_looks: 0,
        }
    }

    /// A row with this digest was met.
    #[inline]
    pub(super) fn meet(&mut self, digest: &[u8; 32]) {
        self.seen += 1;
        let rest = &self.rows[self.next..];
        match rest.first() {
            Some(row) if *row.digest == digest[..HALF] => self.pass(0),
            _ => self.search(digest),
        }
    }

    fn search(&mut self, digest: &[u8; 32]) {
        let rest = &self.rows[self.next..];
        let near = AHEAD + self.strangers.min(STRAYED);
        let far = self.long_looks < LONG_LOOKS;
        let among = if far { rest.len() } else { near };
        let found = rest
            .iter()
            .take(among)
            .position(|row| *row.digest == digest[..HALF]);
        if found.is_none_or(|passed| passed >= near) {
            self.long_looks += usize::from(far);
        }
        match found {
            Some(passed) => self.pass(passed),
            None => self.strangers += 1,
        }
    }

    #[inline]
    fn pass(&mut self, passed: usize) {
        self.same[self.next + passed] = true;
        self.next += passed + 1;
        self.strangers = 0;
    }

    /// Whether every row was met.
    pub(super) fn all(&self) -> bool {
        self.same.iter().all(|same| *same)
    }

    /// Nothing more lies there.
    pub(super) fn end(self) -> Met {
        Met {
            same: self.same,
            seen: self.seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_between_and_rows_that_are_gone_do_not_hide_those_that_follow() {
        let digests: Vec<[u8; 32]> = (0..200_u8).map(|row| [row; 32]).collect();
        let rows: Vec<Packed<'_>> = digests
            .iter()
            .map(|digest| Packed {
                key: &[],
                before: &[],
                digest: &digest[..HALF],
            })
            .collect();
        let mut walk = Walk::over(&rows);
        let gone = 20..70;
        for (at, digest) in digests.iter().enumerate() {
            if at == 100 {
                (0..40).for_each(|_| walk.meet(&[255; 32]));
            }
            if at > 150 && at < 190 {
                walk.meet(&[254; 32]);
            } else if !gone.contains(&at) {
                walk.meet(digest);
            }
        }
        let met = walk.end();
        let missed: Vec<usize> = (0..200).filter(|at| !met.same[*at]).collect();
        let wanted: Vec<usize> = gone.chain(151..190).collect();
        assert_eq!((missed, met.seen), (wanted, 190));
    }
}
