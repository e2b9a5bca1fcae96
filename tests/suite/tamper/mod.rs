//! Whoever attacks a pack: a good one, made by the real binary, sealed, witnessed and signed, is ruined in
//! every way that the table of attacks knows (T01 to T42 beside each test), by people who hold nothing,
//! by whoever holds the log's key, by officers, by administrators of databases. `verify` must find each.
//!
//! Not here: how each layer checks (`seal`, `signature`, `machine`, `export`), where it has tests of its own.

mod approvals;
mod attack;
mod bits;
mod clocks;
mod databases;
mod ends;
mod folders;
mod good;
mod hostile;
mod lines;
mod packs;
mod places;
mod privacy;
mod seals;
mod story;
mod trust;

use attack::{Pack, trusted, verify};
use good::{good, tell};

/// By the clock of whoever attacks.
fn now() -> jiff::Timestamp {
    handover::run::Clock::real().now().moment()
}

#[test]
fn what_nobody_touched_is_verified_by_an_auditor_who_brings_the_keys() {
    Pack::copy().verified().is(0, &[]);
    attack::Forgery::honest().pack().verified().is(0, &[]);
    verify(&good().pack(), &trusted()).is(0, &[]);
}

#[test]
fn a_run_that_nobody_touched_agrees_with_its_databases() {
    let live = good().live();
    tell(live.path(), "verify homes- --against-live", 0);
}
