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
mod golden;
mod good;
mod hostile;
mod lines;
mod outside;
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

/// What `verify` prints, with what differs from run to run left out.
fn printed(pack: &std::path::Path, trusted: &[String], manner: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_handover"));
    command.current_dir(pack.parent().unwrap()).args(manner);
    command.args(["verify", "pack"]).args(trusted);
    let (code, said) = crate::export::stage::ended(&mut command);
    let run = good().minuted.split('+').next().unwrap();
    let run = run.rsplit('/').next().unwrap();
    format!("{}exit {code}\n", said.replace(run, "<run>"))
}

#[test]
fn an_auditor_reads_what_verify_found() {
    let mut changed = attack::Forgery::honest();
    changed.newest().note.lines[0].signature[9] ^= 1;
    let said = [
        printed(&good().pack(), &trusted(), &[]),
        printed(&good().pack(), &trusted(), &["--plain"]),
        printed(&good().pack(), &[], &[]),
        printed(&changed.pack().root, &trusted(), &[]),
    ];
    insta::assert_snapshot!(said.join("\n---\n"));
}
