//! Who looks at a run's databases afterwards: each differing row by keyed digest and column, values only
//! for those who ask for them, and nowhere but on their screen.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use tempfile::TempDir;

use super::made;
use super::reports::both;

#[test]
fn a_differing_row_is_told_by_its_digest_its_column_and_its_class() {
    let text = both(&made::differing(false));
    assert!(!text.contains("Canary"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn values_are_shown_behind_a_line_that_says_what_they_are() {
    insta::assert_snapshot!(both(&made::differing(true)));
}

/// What somebody does at Westminster after the night.
const EDITS: &str = "
UPDATE person SET surname = surname || ' ' WHERE rowid = (SELECT min(rowid) FROM person WHERE loaded_run_id IS NOT NULL);
UPDATE person SET surname = 'Canary-' || surname WHERE rowid = (SELECT max(rowid) FROM person WHERE loaded_run_id IS NOT NULL);
UPDATE account SET balance = '77777.77' WHERE rowid = (SELECT min(rowid) FROM account WHERE loaded_run_id IS NOT NULL);
DELETE FROM \"transaction\" WHERE rowid = (SELECT max(rowid) FROM \"transaction\");
INSERT INTO account SELECT 'Canary-key', 'x-' || payment_ref, kind, tenancy_id, balance, balance_as_at, status,
  rent_group, frequency, source_system, source_ref, loaded_run_id FROM account WHERE loaded_run_id IS NOT NULL LIMIT 1;
";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn handover(folder: &Path, args: &[&str]) -> Said {
    let ran = Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    Said {
        code: ran.status.code(),
        out: String::from_utf8(ran.stdout).unwrap(),
        err: String::from_utf8(ran.stderr).unwrap(),
    }
}

fn looks(folder: &Path, more: &[&str]) -> Said {
    let verify = ["verify", "westminster", "--against-live", "-v"];
    let said = handover(folder, &[&verify, more].concat());
    assert_eq!(said.code, Some(6), "{}{}", said.out, said.err);
    said
}

/// The lines of the table, without digests.
fn table(said: &Said) -> Vec<String> {
    let lines = said.out.lines().skip_while(|line| *line != "copy-homes");
    let rows = lines.skip(2).take_while(|line| !line.is_empty());
    let told = rows.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[1].len(), 16, "{line}");
        format!("{} {}", words[0], words[2..].join(" "))
    });
    told.collect()
}

fn files(folder: &Path, see: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, see);
        } else {
            see(&path, &fs::read(&path).unwrap());
        }
    }
}

#[test]
fn an_edit_after_the_night_is_named_to_its_column_and_shown_to_nobody_who_did_not_ask() {
    let place = TempDir::new().unwrap();
    let demo = ["demo", "d", "--plan", "westminster-2019", "--homes", "60"];
    let played = handover(place.path(), &[&demo[..], &["--break", "none"]].concat());
    assert_eq!(played.code, Some(0), "{}", played.err);
    let here = place.path().join("d");
    let base = Connection::open(here.join("data/westminster.db")).unwrap();
    base.execute_batch(EDITS).unwrap();
    let said = looks(&here, &[]);
    let wanted = [
        "person surname only trailing spaces",
        "person surname changed",
        "account balance changed",
        "transaction - missing",
        "account - extra",
    ];
    assert_eq!(table(&said), wanted, "{}", said.out);
    for more in [
        &[][..],
        &["--json"],
        &["--plain"],
        &["--step", "copy-homes"],
    ] {
        let said = looks(&here, more);
        let all = said.out + &said.err;
        assert!(
            !all.contains("Canary") && !all.contains("77777"),
            "{more:?}: {all}"
        );
        assert!(!all.contains("ersonal data"), "{more:?}: {all}");
    }
    for more in [&["--show-values"][..], &["--show-values", "--json"]] {
        let said = looks(&here, more);
        assert!(said.out.contains("Personal data follow"), "{}", said.out);
        for value in ["Canary-", "Canary-key", "77777.77"] {
            assert!(said.out.contains(value), "{more:?}, {value}: {}", said.out);
            assert!(!said.err.contains(value), "{more:?}: {}", said.err);
        }
    }
    drop(base);
    files(&here, &mut |path, bytes| {
        let kept = bytes.windows(7).any(|window| window == b"Canary-");
        assert!(
            !kept || path.starts_with(here.join("data")),
            "{}",
            path.display()
        );
    });
}

#[test]
fn a_step_that_is_not_there_and_one_that_has_not_finished_are_told_apart() {
    let place = TempDir::new().unwrap();
    let demo = ["demo", "d", "--plan", "westminster-2019", "--homes", "60"];
    handover(place.path(), &[&demo[..], &["--break", "none"]].concat());
    let here = place.path().join("d");
    let verify = ["verify", "westminster", "--against-live", "--step"];
    let ends = |step: &str| handover(&here, &[&verify[..], &[step]].concat());
    let unknown = ends("copy-home");
    assert_eq!(unknown.code, Some(2), "{}", unknown.err);
    assert!(
        unknown.err.contains("no step called `copy-home`"),
        "{}",
        unknown.err
    );
    let silent = ends("midnight");
    assert_eq!(silent.code, Some(10), "{}", silent.out);
    assert_eq!(ends("copy-homes").code, Some(0), "it is as it was");
    let alone = handover(&here, &["verify", "westminster", "--show-values"]);
    assert_eq!(
        alone.code,
        Some(2),
        "values are shown only beside the databases"
    );
}
