//! What tells the rows of a server's table that a look has seen from those that came since, without reading
//! them: `PostgreSQL` writes into every version of a row the number of the transaction that made it
//! (`xmin`), and never changes a version in place.
//!
//! A version that is visible now and was made by a transaction below the lowest that was in progress at an
//! earlier look was visible at that look, and is the very one that was read. All others count as new: those
//! of transactions that were in progress (and of their subtransactions, whose numbers are higher), and those
//! that finished just before.
//!
//! In: two horizons of one table. Out: whether the earlier one can be told now, and the terms that tell it.
//!
//! Not here: asking the server (`postgres::horizon`), what is skipped (`copy::catch_up`).

use serde::{Deserialize, Serialize};

use super::Sql;
use crate::plan::digest::Digest;
use crate::sql;

/// How many transactions may have begun since: numbers in rows have 32 bits, and are compared over half of
/// them at most (<https://www.postgresql.org/docs/current/routine-vacuuming.html>).
const OLDEST: u64 = 1 << 30;

/// One look at one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Horizon {
    /// The server in one life of it, the table and its file, the columns that are read and their types.
    pub(crate) place: Digest,
    /// Every transaction with a lower number had ended.
    pub(crate) floor: u64,
    /// No transaction with this number had ended, nor any with a higher one.
    pub(crate) ceiling: u64,
}

/// Which versions of rows are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// Those that the look has seen.
    Seen,
    /// All others.
    New,
}

impl Horizon {
    /// Whether rows can be told by this one at a later look `now`: the same life of the same server, the same
    /// file, columns of the same types, and not so long ago that numbers come again.
    pub(crate) fn can_be_told(&self, now: &Horizon) -> bool {
        let later = now.floor >= self.floor && now.ceiling >= self.ceiling;
        self.place == now.place && later && now.ceiling - self.floor < OLDEST
    }

    /// The term that is true for these versions. Distances are taken from one number that stands still for a
    /// transaction; numbers that never age count as seen, and one that has come round as new.
    pub(crate) fn term(&self, age: Age) -> Sql {
        // Below 2^32, so that it is the same everywhere.
        let floor = usize::try_from(self.floor & 0xffff_ffff).unwrap_or_default();
        let distance = sql!(
            "(SELECT pg_catalog.age(CAST(CAST({} AS text) AS xid)))",
            floor
        );
        match age {
            Age::Seen => sql!("pg_catalog.age(xmin) > {}", distance),
            Age::New => sql!("pg_catalog.age(xmin) <= {}", distance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(floor: u64, ceiling: u64) -> Horizon {
        Horizon {
            place: Digest::of(b"here"),
            floor,
            ceiling,
        }
    }

    #[test]
    fn rows_are_told_by_a_look_only_at_a_later_one_of_the_same_place_before_numbers_come_again() {
        let then = at(1_000, 1_010);
        assert!(then.can_be_told(&then));
        assert!(then.can_be_told(&at(1_005, 2_000)));
        assert!(!then.can_be_told(&at(1_000, 1_009)), "set back");
        assert!(!then.can_be_told(&at(999, 2_000)), "set back");
        assert!(then.can_be_told(&at(2_000, 999 + OLDEST)));
        assert!(
            !then.can_be_told(&at(2_000, 1_000 + OLDEST)),
            "too long ago"
        );
        let elsewhere = Horizon {
            place: Digest::of(b"there"),
            ..at(1_005, 2_000)
        };
        assert!(!then.can_be_told(&elsewhere));
    }

    #[test]
    fn a_number_of_a_later_age_is_told_by_what_rows_hold_of_it() {
        let text = at((5 << 32) + 77, (5 << 32) + 80).term(Age::New);
        assert!(text.as_str().contains("CAST(77 AS text)"), "{text:?}");
    }
}
