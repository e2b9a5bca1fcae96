//! No room to write: a disk that fills up in the middle of a load, or under the journal itself, stops the
//! run with a plain message; nothing fails of it and nothing is undone, and once there is room `run` goes
//! on and ends in the rows of a run that nobody disturbed.
//!
//! The room is taken with a limit on the size of files, which the kernel keeps for root too.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use rusqlite::Connection;

use super::played::{copied, frozen, played_to};
use super::rows::{Held, differences};
use super::stage::{Said, Stage, begun_unbroken};

/// `run`, when no file may grow beyond so many KiB.
fn run_within(stage: &Stage, kib: u32) -> Said {
    within(stage, kib, "run .")
}

/// A command, when no file may grow beyond so many KiB. Nobody's write-ahead log holds anything yet.
fn within(stage: &Stage, kib: u32, command: &str) -> Said {
    for file in files(stage) {
        let emptied = Connection::open(file).unwrap();
        let done: rusqlite::Result<i64> =
            emptied.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        assert_eq!(done.unwrap(), 0);
    }
    let run = format!(
        "ulimit -f {}; trap '' XFSZ; exec {} --plain {command}",
        kib * 2, // in blocks of 512 bytes, as POSIX has it
        env!("CARGO_BIN_EXE_handover")
    );
    let ran = Command::new("sh")
        .args(["-c", &run])
        .current_dir(&stage.path)
        .output()
        .unwrap();
    Said::of(ran)
}

fn files(stage: &Stage) -> Vec<PathBuf> {
    let data = std::fs::read_dir(stage.path.join("data")).unwrap();
    let data = data.map(|file| file.unwrap().path());
    let databases = data.filter(|file| file.extension().is_some_and(|end| end == "db"));
    databases
        .chain([stage.path.join(".handover/journal.db")])
        .collect()
}

/// What everybody holds after the copies and their verification.
fn undisturbed() -> &'static Held {
    static HELD: OnceLock<Held> = OnceLock::new();
    HELD.get_or_init(|| {
        let stage = frozen().copy();
        stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
        stage.held()
    })
}

#[track_caller]
fn goes_on(stage: &Stage, when: &str) {
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
    let differences = differences(undisturbed(), &stage.held());
    assert!(differences.is_empty(), "{when}: {differences:#?}");
    let whole = stage.tell(&["verify", ".", "--against-live", "--json"]);
    assert!(!whole.text.contains("\"fail\""), "{when}: {}", whole.text);
}

/// How many entries the step log has.
fn entries(stage: &Stage) -> u64 {
    let journal = Connection::open(stage.path.join(".handover/journal.db")).unwrap();
    let sizes = journal.query_row("SELECT sum(size) FROM run", [], |row| row.get(0));
    sizes.map(i64::cast_unsigned).unwrap()
}

#[test]
fn a_disk_that_fills_in_mid_load_loses_nothing_and_the_run_goes_on() {
    // From hardly a page to nearly all that is needed.
    for kib in [96, 700, 2000] {
        let stage = frozen().copy();
        let said = run_within(&stage, kib);
        let when = format!("{kib} KiB");
        said.is(
            9,
            &[
                "HO904",
                "could not be written to the disk",
                "goes on from its marks",
            ],
        );
        assert!(!said.text.contains("FAILED"), "{when}: {}", said.text);
        goes_on(&stage, &when);
    }
}

#[test]
fn a_disk_that_stays_full_is_said_again_and_again() {
    let stage = frozen().copy();
    for _ in 0..2 {
        run_within(&stage, 700).is(9, &["HO904"]);
    }
    goes_on(&stage, "twice");
}

#[test]
fn a_journal_without_room_stops_the_run_and_loses_nothing() {
    let stage = copied().copy();
    let (rows, before) = (stage.held(), entries(&stage));
    run_within(&stage, 120).is(9, &["HO607", "could not be written to the disk"]);
    assert!(entries(&stage) > before + 1, "it had begun");
    let changed = differences(&rows, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
    goes_on(&stage, "a full journal");
}

#[test]
fn a_claim_without_room_is_refused_and_nothing_is_written() {
    let stage = copied().copy();
    let before = entries(&stage);
    run_within(&stage, 8).is(9, &["HO607", "could not be written to the disk"]);
    assert_eq!(entries(&stage), before);
    goes_on(&stage, "no claim");
}

#[test]
fn an_outbox_that_takes_no_letter_stops_the_run_and_nobody_is_written_to_twice() {
    let stage = begun_unbroken().copy();
    played_to(&stage, "cabinets-agree");
    let undisturbed = stage.copy();
    undisturbed.tell(&["run", "."]).is(4, &["Waiting safely"]);
    let runs = std::fs::read_dir(stage.path.join(".handover")).unwrap();
    let mut runs = runs.map(|run| run.unwrap().path());
    let outbox = runs.find(|run| run.is_dir()).unwrap().join("outbox");
    std::fs::write(&outbox, "").unwrap();
    stage
        .tell(&["run", "."])
        .is(9, &["HO536", "letters cannot be written"]);
    std::fs::remove_file(&outbox).unwrap();
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
    let differences = differences(&undisturbed.held(), &stage.held());
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn a_rollback_without_room_stops_where_it_is_and_goes_on_to_the_checkpoint() {
    let stage = copied().copy();
    stage.way_back(&[]);
    let back = "rollback . --signed back.preview --confirm east-kent-2020";
    within(&stage, 200, back).is(9, &["HO904", "goes on from its marks"]);
    stage.tell(&["run", "."]).is(0, &["Rolled back"]);
    let differences = differences(&frozen().held(), &stage.held());
    assert!(differences.is_empty(), "{differences:#?}");
}
