//! The end of a run: `close` refuses before it, asks for the plan's name, exports the log, takes what we
//! kept out of every database and nothing else; afterwards nothing is done on the run any more.

use std::sync::OnceLock;

use rusqlite::Connection;

use super::played::frozen;
use super::rows::differences;
use super::stage::{Said, Stage, begun_unbroken};

const CLOSE: [&str; 6] = [
    "close",
    ".",
    "--to",
    "closed-log",
    "--confirm",
    "east-kent-2020",
];

/// A run that is done.
fn finished() -> Stage {
    static FINISHED: OnceLock<Stage> = OnceLock::new();
    let made = FINISHED.get_or_init(|| {
        let stage = begun_unbroken().copy();
        Said::of(stage.demo(Some("none")).output().unwrap()).is(0, &[]);
        stage
    });
    made.copy()
}

/// Tables of ours that stand at the organisations.
fn ours(stage: &Stage) -> Vec<String> {
    let mut found = Vec::new();
    for org in ["ekh", "canterbury", "dover", "folkestone-hythe", "thanet"] {
        let db = Connection::open(stage.path.join(format!("data/{org}.db"))).unwrap();
        let mut tables = db
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table'
                 AND name LIKE 'handover\\_%' ESCAPE '\\' AND name <> 'handover_made_up'",
            )
            .unwrap();
        let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
        found.extend(names.map(|name| format!("{org}.{}", name.unwrap())));
    }
    found
}

#[test]
fn a_run_that_is_not_at_its_end_is_never_closed() {
    let stage = frozen().copy();
    let tables = ours(&stage);
    stage
        .tell(&CLOSE)
        .is(2, &["is not at an end", "when every step is done"]);
    assert_eq!(ours(&stage), tables);
    assert!(!stage.path.join("closed-log").exists());
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
}

#[test]
fn a_run_is_closed_by_whoever_types_its_name_and_by_nobody_else() {
    let stage = finished();
    let tables = ours(&stage);
    assert!(!tables.is_empty());
    stage
        .tell(&CLOSE[..4])
        .is(2, &["typed to confirm", "--confirm east-kent-2020"]);
    let other = ["close", ".", "--to", "closed-log", "--confirm", "west-kent"];
    stage.tell(&other).is(2, &["nothing was done"]);
    assert_eq!(ours(&stage), tables);
    assert!(!stage.path.join("closed-log").exists());
}

#[test]
fn a_closed_run_leaves_nothing_of_ours_behind_and_every_row_of_theirs() {
    let stage = finished();
    let before = stage.held();
    stage
        .tell(&CLOSE)
        .is(0, &["Closed", "closed-log", "undo ends here"]);
    assert_eq!(ours(&stage), Vec::<String>::new());
    let changed = differences(&before, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
    let key = minuted(&stage, "closed-log");
    let proof = stage.tell(&["verify", "closed-log", "--key", &key]);
    proof.is(0, &["This is a rehearsal", "PASS, record"]);
}

/// The log's key, as whoever wrote the minute has it.
fn minuted(stage: &Stage, log: &str) -> String {
    let lines = std::fs::read_to_string(stage.path.join(log).join("steps.jsonl")).unwrap();
    let first = lines.lines().next().unwrap();
    let opened: serde_json::Value = serde_json::from_str(first).unwrap();
    opened["body"]["log_key"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_is_done_on_a_closed_run_and_its_log_stays_whole() {
    let stage = finished();
    stage.tell(&CLOSE).is(0, &[]);
    let closed: &[&str] = &["HO611", "is closed"];
    stage.tell(&["run", "."]).is(2, closed);
    let word = [
        "approve",
        ".",
        "go-no-go",
        "--as",
        "s151@dover",
        "--reason",
        "again",
    ];
    stage.tell(&word).is(2, closed);
    stage
        .tell(&["rollback", ".", "--preview"])
        .is(7, &["the run is closed"]);
    let again = [
        "close",
        ".",
        "--to",
        "again-log",
        "--confirm",
        "east-kent-2020",
    ];
    stage.tell(&again).is(0, &["Closed"]);
    let key = minuted(&stage, "again-log");
    stage
        .tell(&["verify", "again-log", "--key", &key])
        .is(0, &[]);
    stage
        .tell(&["key", "destroy", ".", "--confirm", "east-kent-2020"])
        .is(0, &["The key is destroyed"]);
    stage.tell(&["verify", "."]).is(0, &[]);
}

#[test]
fn a_paper_that_has_run_already_is_not_ignored_in_silence() {
    let stage = finished();
    let again = ["run", ".", "--rehearsal", "--signed", "demo.preview"];
    stage.tell(&again).is(
        0,
        &[
            "note: `demo.preview` is the paper that",
            "it is finished",
            "Completed",
        ],
    );
    let stage = frozen().copy();
    stage.tell(&again).is(
        4,
        &["the run goes on as it was signed then", "Waiting safely"],
    );
}
