//! Things that go wrong around a run, one at a time: each is refused in plain words with its exit
//! code, no organisation's row changes, and once it is mended the run goes on.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rusqlite::Connection;

use super::rows::differences;
use super::stage::{Said, Stage, begun};

/// A run in the middle of its letters, killed there: it has work to do.
fn half_way() -> Stage {
    static HALF_WAY: OnceLock<Stage> = OnceLock::new();
    let made = HALF_WAY.get_or_init(|| {
        let stage = begun().copy();
        let mut demo = stage.demo(None);
        let said = Said::of(demo.env("HANDOVER_KILL", "entry:80").output().unwrap());
        assert!(said.was_killed(), "{}", said.text);
        stage
    });
    made.copy()
}

fn journal(stage: &Stage) -> Connection {
    Connection::open(stage.path.join(".handover/journal.db")).unwrap()
}

/// Holds that `run` is refused so, and that nobody's rows changed.
#[track_caller]
fn refused(stage: &Stage, code: i32, words: &[&str]) {
    let before = stage.held();
    stage.tell(&["run", "."]).is(code, words);
    let changed = differences(&before, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
}

/// Holds that `run` goes on: it works until it waits for people.
#[track_caller]
fn goes_on(stage: &Stage) {
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
}

#[test]
fn a_missing_database_is_named_and_the_run_goes_on_once_it_is_back() {
    let stage = half_way();
    // Everything of it: a file alone would leave its write-ahead log behind.
    let away = stage.path.join("away");
    std::fs::create_dir(&away).unwrap();
    for file in of_dover(&stage.path.join("data")) {
        std::fs::rename(&file, away.join(file.file_name().unwrap())).unwrap();
    }
    refused(&stage, 9, &["HO901", "`dover`", "does not exist"]);
    for file in of_dover(&away) {
        let home = stage.path.join("data").join(file.file_name().unwrap());
        std::fs::rename(&file, home).unwrap();
    }
    goes_on(&stage);
}

fn of_dover(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let dovers = |file: &PathBuf| {
        file.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("dover")
    };
    files.filter(dovers).collect()
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let stage = half_way();
    for file in of_dover(&stage.path.join("data")) {
        std::fs::remove_file(file).unwrap();
    }
    let words = "a letter that somebody saved under the wrong name\n".repeat(100);
    std::fs::write(stage.path.join("data/dover.db"), words).unwrap();
    let said = stage.tell(&["run", "."]);
    said.is(9, &["HO905", "`dover`", "is not a database"]);
}

#[test]
fn a_lost_run_key_stops_the_run_before_it_touches_anybody() {
    let stage = half_way();
    let keys = std::fs::read_dir(stage.path.join(".handover")).unwrap();
    let keys = keys.map(|run| run.unwrap().path().join("run.key"));
    let key = keys.into_iter().find(|key| key.exists()).unwrap();
    let away = stage.path.join("run.key");
    std::fs::rename(&key, &away).unwrap();
    refused(&stage, 10, &["HO605", "is missing"]);
    std::fs::rename(&away, &key).unwrap();
    goes_on(&stage);
}

#[test]
fn a_journal_cut_short_is_noticed() {
    let stage = half_way();
    journal(&stage)
        .execute_batch(
            "DROP TRIGGER entry_is_not_deleted;
             DELETE FROM entry WHERE seq > (SELECT max(seq) - 3 FROM entry)",
        )
        .unwrap();
    refused(&stage, 6, &["HO601", "was cut short"]);
}

#[test]
fn an_edited_journal_is_noticed() {
    let stage = half_way();
    journal(&stage)
        .execute_batch(
            "DROP TRIGGER entry_is_not_changed;
             UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), 'executor', 'executer') AS BLOB)
             WHERE seq = 30",
        )
        .unwrap();
    refused(&stage, 6, &["entry 30", "was changed"]);
}

#[test]
fn a_journal_of_a_newer_version_is_left_alone() {
    let stage = half_way();
    journal(&stage)
        .execute("INSERT INTO migration VALUES (99, x'00')", [])
        .unwrap();
    refused(&stage, 11, &["HO603", "newer version"]);
}

#[test]
fn a_journal_restored_from_yesterday_never_writes_over_what_the_councils_know() {
    let stage = half_way();
    let yesterday = half_way();
    let said = Said::of(stage.demo(None).output().unwrap());
    said.is(0, &[]);
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let from = yesterday.path.join(".handover").join(file);
        let to = stage.path.join(".handover").join(file);
        let _ = std::fs::remove_file(&to);
        if from.exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    // Its number is an old one, and the fences know: it may not act.
    refused(&stage, 6, &["HO911"]);
}

#[test]
fn a_database_that_somebody_else_holds_is_waited_for_and_then_named() {
    let stage = half_way();
    let holder = Connection::open(stage.path.join("data/dover.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    stage.tell(&["run", "."]).is(9, &["HO902", "is locked"]);
    holder.execute_batch("ROLLBACK").unwrap();
    goes_on(&stage);
}
