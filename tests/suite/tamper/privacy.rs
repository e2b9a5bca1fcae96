//! Nobody's data in anything that is handed on (T40): names, National Insurance numbers, UPRNs, e-mail
//! addresses and telephone numbers of the people who were moved appear in no log, pack, message, trace or
//! progress line, whatever fails; digests of rows are keyed, and once the key is destroyed nothing leads
//! from them to anybody, while the log still holds.
//!
//! Not here: what each engine's refusals say (`engines::quoting`).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use handover::plan::digest::Digest;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::attack::{Forgery, Pack, payload, trusted, verify};
use super::good::{begin, good, run, tell};
use crate::export::stage::{copied, ended, files, handover};

/// Every value that would tell somebody: of the homes and people of a folder's source.
fn canaries(folder: &Path) -> BTreeSet<String> {
    let source = Connection::open(folder.join("almo.db")).unwrap();
    let mut found = BTreeSet::new();
    for query in [
        "SELECT uprn, address, uprn, uprn FROM property",
        "SELECT surname, ni_no, email, phone FROM member",
    ] {
        let mut query = source.prepare(query).unwrap();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            found.extend((0..4).map(|at| row.get::<_, String>(at).unwrap()));
        }
    }
    assert!(found.len() > 60, "{found:?}");
    found
}

/// Demands that no canary stands in these bytes, as it is or as an unkeyed digest.
#[track_caller]
fn holds_nobody(what: &str, bytes: &[u8], canaries: &BTreeSet<String>) {
    let text = String::from_utf8_lossy(bytes);
    for canary in canaries {
        assert!(!text.contains(canary), "{canary} in {what}: {text}");
        let digest = Digest::of(canary.as_bytes()).to_string();
        assert!(!text.contains(&digest), "SHA-256 of {canary} in {what}");
    }
}

#[test]
fn t40_nobody_stands_in_a_pack_or_a_log() {
    let canaries = canaries(&good().closed());
    let pack = files(&good().pack()).into_iter();
    for (path, bytes) in pack.chain(files(&good().closed().join("log"))) {
        holds_nobody(&path, &bytes, &canaries);
    }
}

#[test]
fn t40_whoever_writes_somebody_into_a_log_is_told_so() {
    for somebody in ["canary.h001@mail.example", "QQ104729C", "07700 900001"] {
        let leaking = Forgery::honest()
            .edit(|entries| entries[22]["body"]["actual"] = somebody.into())
            .rewritten()
            .pack();
        leaking.is_told(&["PII_LEAK"]);
        assert!(!leaking.verified().said.contains(somebody));
    }
}

#[test]
fn t40_nobody_stands_in_what_is_said_however_much_is_said() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("homes");
    begin(&place);
    let canaries = canaries(&place);
    let listed = [
        "check .",
        "preview . --out again.preview",
        "approve homes- inform --as lead --reason told --evidence notice.txt",
        "run homes-",
        "status",
        "verify homes- --against-live",
        "rollback homes- --preview",
        "export homes- --as csv --to -",
        "export homes- --as reconciliation --to totals",
        "replay homes-",
    ];
    for command in listed {
        for (manner, more) in [("--plain", "-vvv"), ("--json", "-v")] {
            let arguments: Vec<&str> = command.split(' ').chain([manner, more]).collect();
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_handover"));
            command.args(&arguments).current_dir(&place);
            let (_, said) = ended(command.env("RUST_LOG", "trace"));
            holds_nobody(&arguments.join(" "), said.as_bytes(), &canaries);
        }
    }
    for (path, bytes) in files(&place.join("totals")) {
        holds_nobody(&path, &bytes, &canaries);
    }
}

/// What makes a council's database refuse a row that quotes somebody.
const REFUSALS: [(&str, &str); 5] = [
    (
        "unique",
        "CREATE UNIQUE INDEX one ON person (ni_no);
         INSERT INTO home (home_id, home_ref, owed) VALUES ('own', 'own', '0.00');
         INSERT INTO person (person_id, home_id, ni_no) VALUES ('own', 'own', (SELECT ni_no FROM almo.member LIMIT 1))",
    ),
    (
        "check",
        "CREATE TRIGGER refuses BEFORE INSERT ON person WHEN NEW.surname = 'Canaryson007'
         BEGIN SELECT RAISE(ABORT, 'Canaryson007 is not welcome'); END",
    ),
    (
        "not null",
        "UPDATE almo.member SET phone = NULL WHERE surname = 'Canaryson007';
         DROP TABLE person;
         CREATE TABLE person (person_id TEXT PRIMARY KEY NOT NULL, home_id TEXT NOT NULL, surname TEXT, ni_no TEXT,
           email TEXT, phone TEXT NOT NULL, loaded_run_id TEXT)",
    ),
    (
        "too long",
        "DROP TABLE person;
         CREATE TABLE person (person_id TEXT PRIMARY KEY NOT NULL, home_id TEXT NOT NULL, surname TEXT, ni_no TEXT,
           email TEXT CHECK (length(email) < 9), phone TEXT, loaded_run_id TEXT)",
    ),
    (
        "no such thing",
        "UPDATE almo.property SET owed = 'ask Canaryson007' WHERE prop_ref = 'H007'",
    ),
];

#[test]
fn t40_a_row_that_a_council_refuses_is_never_quoted() {
    for (kind, sql) in REFUSALS {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("homes");
        begin(&place);
        let mut canaries = canaries(&place);
        canaries.insert("Canaryson007".to_owned());
        let council = Connection::open(place.join("council.db")).unwrap();
        let attached = format!("ATTACH '{}' AS almo", place.join("almo.db").display());
        council.execute_batch(&attached).unwrap();
        council.execute_batch(sql).unwrap();
        drop(council);
        tell(
            &place,
            "approve homes- inform --as lead --reason told --evidence notice.txt",
            0,
        );
        let mut command = handover(&place, &["run", "homes-", "-vvv"]);
        let (code, said) = ended(command.env("RUST_LOG", "trace"));
        assert_ne!(code, 0, "{kind}: {said}");
        holds_nobody(kind, said.as_bytes(), &canaries);
        let (_, said) = ended(&mut handover(&place, &["status", "homes-"]));
        holds_nobody(kind, said.as_bytes(), &canaries);
        let log = tell(&place, "export homes- --as csv --to -", 0);
        holds_nobody(kind, log.as_bytes(), &canaries);
        tell(&place, "export homes- --as pack --to pack", 0);
        for (path, bytes) in files(&place.join("pack")) {
            holds_nobody(&format!("{kind}: {path}"), &bytes, &canaries);
        }
    }
}

#[test]
fn digests_of_the_same_rows_have_nothing_in_common_between_two_runs() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("homes");
    run(&place);
    let log = tell(&place, "export homes- --as log --to log", 0);
    assert!(!log.is_empty());
    let roots = |folder: &Path| -> BTreeSet<String> {
        let text = fs::read_to_string(folder.join("log/steps.jsonl")).unwrap();
        let entries = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let bodies = entries.map(|entry: Value| entry["body"].clone());
        let outputs = bodies.flat_map(|body| {
            let outputs = body["outputs"].as_array().cloned().unwrap_or_default();
            let marked = body["rows"].is_u64().then(|| body.clone());
            outputs.into_iter().chain(marked)
        });
        let roots = outputs.map(|output| output["root"].as_str().unwrap().to_owned());
        roots.collect()
    };
    let (one, other) = (roots(&place), roots(&good().closed()));
    assert_eq!((one.len(), other.len()), (4, 4));
    assert_eq!(one.intersection(&other).count(), 0);
}

#[test]
fn once_a_runs_key_is_destroyed_its_log_and_roots_still_hold() {
    let place = copied(&good().closed());
    tell(place.path(), "key destroy homes- --confirm homes", 0);
    let key = fs::read_dir(place.path().join(".handover")).unwrap();
    let mut folders = key.map(|entry| entry.unwrap().path());
    assert!(!folders.any(|folder| folder.join("run.key").exists()));
    tell(place.path(), "verify homes-", 0);
    tell(place.path(), "export . --as pack --to after", 0);
    let after = place.path().join("after");
    assert!(payload(&after) == payload(&good().pack()), "the same bytes");
    verify(&after, &trusted()).is(0, &[]);
    Pack::copy().verified().is(0, &[]);
}
