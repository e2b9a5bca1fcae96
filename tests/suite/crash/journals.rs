//! A journal, a run key or a claim that is not what it should be: missing, no journal, locked, cut short,
//! edited, of a newer version, restored from yesterday; a lost key; two executors at once.

use std::path::PathBuf;

use handover::journal::{Claimant, Journal, Lease, Moment, boot};
use handover::run::Clock;
use rusqlite::Connection;

use super::played::{copied, played_to};
use super::stage::{Said, Stage};
use super::trouble::{away, back, goes_on, half_way, refused};

fn journal(stage: &Stage) -> Connection {
    Connection::open(stage.path.join(".handover/journal.db")).unwrap()
}

#[test]
fn a_lost_run_key_stops_the_run_before_it_touches_anybody() {
    let stage = half_way();
    let key = run_key(&stage);
    let away = stage.path.join("run.key");
    std::fs::rename(&key, &away).unwrap();
    refused(&stage, 10, &["HO605", "is missing"]);
    std::fs::rename(&away, &key).unwrap();
    goes_on(&stage);
}

#[test]
fn another_runs_key_is_never_taken_for_this_ones() {
    let stage = half_way();
    let key = run_key(&stage);
    let own = std::fs::read(&key).unwrap();
    std::fs::write(&key, own.iter().rev().copied().collect::<Vec<u8>>()).unwrap();
    refused(&stage, 10, &["HO605", "belongs to another run"]);
    std::fs::write(&key, own).unwrap();
    goes_on(&stage);
}

fn run_key(stage: &Stage) -> PathBuf {
    let runs = std::fs::read_dir(stage.path.join(".handover")).unwrap();
    let mut keys = runs.map(|run| run.unwrap().path().join("run.key"));
    keys.find(|key| key.exists()).unwrap()
}

fn journal_files(stage: &Stage) -> Vec<PathBuf> {
    let files = ["journal.db", "journal.db-wal", "journal.db-shm"];
    let files = files.map(|file| stage.path.join(".handover").join(file));
    files.into_iter().filter(|file| file.exists()).collect()
}

#[test]
fn a_journal_that_is_missing_or_is_none_is_named_and_never_made_anew() {
    let stage = half_way();
    let home = stage.path.join(".handover");
    let away = away(&stage, &journal_files(&stage));
    refused(&stage, 9, &["HO607", "there is no journal"]);
    assert!(!home.join("journal.db").exists());
    std::fs::write(
        home.join("journal.db"),
        "minutes of a meeting\n".repeat(100),
    )
    .unwrap();
    refused(&stage, 9, &["HO607", "is not a database"]);
    back(&away, &home);
    goes_on(&stage);
}

#[test]
fn a_journal_that_another_program_keeps_locked_is_named() {
    let stage = half_way();
    let holder = journal(&stage);
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    refused(&stage, 9, &["HO607", "is locked by another process"]);
    holder.execute_batch("ROLLBACK").unwrap();
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
    restore(&yesterday, &stage);
    // Its number is an old one, and the fences know: it may not act.
    refused(&stage, 6, &["HO911"]);
}

#[test]
fn a_journal_restored_from_yesterday_takes_no_decision_either() {
    let stage = copied().copy();
    let yesterday = stage.copy();
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
    // A journal that only waits for people: it has nothing to do at the councils.
    stage.tell(&["run", "."]).is(4, &[]);
    let waiting = stage.copy();
    played_to(&stage, "switch");
    restore(&waiting, &stage);
    refused(&stage, 6, &["HO911", "which our journal does not hold"]);
    let lines = entries(&stage);
    for arguments in [
        &[
            "approve",
            ".",
            "accept-data/dover",
            "--as",
            "s151@dover",
            "--reason",
            "agreed",
        ][..],
        &["rollback", ".", "--to", "copy-homes", "--preview"],
        &[
            "run",
            ".",
            "--retry",
            "reconcile/dover",
            "--as",
            "s151@dover",
        ],
    ] {
        stage.tell(arguments).is(6, &["HO911"]);
    }
    assert_eq!(
        entries(&stage),
        lines,
        "nothing was written into the old journal"
    );
    restore(&yesterday, &stage);
    refused(&stage, 6, &["HO911"]);
}

/// Puts another stage's journal in the place of this one's.
/// Everything of the journal as a backup would put it back, what was sealed last among it: what is left
/// to notice it are the councils' databases.
fn restore(from: &Stage, to: &Stage) {
    for run in std::fs::read_dir(to.path.join(".handover")).unwrap() {
        let run = run.unwrap().file_name();
        let signed = |stage: &Stage| stage.path.join(".handover").join(&run).join("signed");
        let _ = std::fs::remove_file(signed(to));
        if signed(from).exists() {
            std::fs::copy(signed(from), signed(to)).unwrap();
        }
    }
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let (from, to) = (from.path.join(".handover"), to.path.join(".handover"));
        let _ = std::fs::remove_file(to.join(file));
        if from.join(file).exists() {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

fn entries(stage: &Stage) -> i64 {
    let sum = "SELECT count(*) FROM entry";
    journal(stage).query_row(sum, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_second_executor_is_refused_and_told_who_holds_the_run() {
    let stage = half_way();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut held, lease, moment) = runtime.block_on(claimed(&stage));
    let words = ["HO801", &format!("held by process {}", std::process::id())];
    refused(&stage, 8, &words);
    let yes = [
        "approve",
        ".",
        "staff-information",
        "--as",
        "hr",
        "--reason",
        "done",
    ];
    stage.tell(&yes).is(8, &words);
    runtime.block_on(held.release(lease, &moment)).unwrap();
    goes_on(&stage);
}

/// A claim of the run by this process.
async fn claimed(stage: &Stage) -> (Journal, Lease, Moment) {
    let mut journal = Journal::open(&stage.path.join(".handover/journal.db"))
        .await
        .unwrap();
    let run = journal.runs().await.unwrap().pop().unwrap().id;
    let clock = Clock::real();
    let moment = Moment {
        at: clock.now(),
        as_at: clock.now(),
        boot: boot(),
        mono: 0,
    };
    let claimant = Claimant {
        exec: uuid::Uuid::now_v7(),
        fences: Vec::new(),
        term: std::time::Duration::from_hours(1),
    };
    let lease = journal.claim(run, &claimant, &moment).await.unwrap();
    (journal, lease, moment)
}
