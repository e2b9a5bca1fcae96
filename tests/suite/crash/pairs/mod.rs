//! Crash and undo on every pair of engines, through the real binary: rows come from SQLite, PostgreSQL or
//! MariaDB and go to any of the three, and whatever dies, is cut off, fills up or is stopped on the way, all
//! hold in the end what they hold when nobody disturbs the run, row by row.
//!
//! Every suite run draws a sample of directions and moments; `HANDOVER_SEED`, which is printed, draws it
//! again. `tests/matrix` plays all of it and prints the table (`told`).
//!
//! Not here: files alone, in every other respect (`crash`); the library's own calls, direction by direction
//! (`engines`).

mod attacked;
mod back;
mod deaths;
mod full;
pub mod ground;
mod kills;
mod locked;
mod oracle;
mod rebuilt;
mod stopped;
mod tales;
mod told;
