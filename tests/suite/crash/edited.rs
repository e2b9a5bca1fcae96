//! A target row that somebody edited after the run wrote it, and then a rollback: it is listed first, the
//! plain rollback leaves everything as it is, `skip` leaves that row, `force` takes it back.

use rusqlite::Connection;

use super::played::{copied, frozen};
use super::rows::{Held, differences};
use super::stage::{Said, Stage};

const EDITED: &str = "a note by a housing officer";

/// Every council's copy is done, and somebody at Dover has edited a home since.
fn edited() -> Stage {
    let stage = copied().copy();
    edit(&stage);
    stage
}

/// One home that the run wrote and that stands by itself.
fn edit(stage: &Stage) {
    let changed = dover(stage).execute(
        "UPDATE asset SET ward = ?1 WHERE asset_id = (SELECT min(asset_id) FROM asset
         WHERE loaded_run_id IS NOT NULL AND parent_asset_id IS NULL)",
        [EDITED],
    );
    assert_eq!(changed.unwrap(), 1);
}

fn dover(stage: &Stage) -> Connection {
    Connection::open(stage.path.join("data/dover.db")).unwrap()
}

/// Previews the way back to before the copies, has it signed.
fn preview(stage: &Stage, how: &str) -> Said {
    let said = stage.way_back(&["--changed", how]);
    said.is(0, &["1 row of `asset` edited since"]);
    said
}

fn roll_back(stage: &Stage) -> Said {
    stage.tell(&stage.back())
}

/// How many homes of Dover bear the edit.
fn left(stage: &Stage) -> i64 {
    let count = "SELECT count(*) FROM asset WHERE ward = ?1";
    dover(stage)
        .query_row(count, [EDITED], |row| row.get(0))
        .unwrap()
}

/// What stands at Dover beyond what stood there before the copy.
fn beyond(stage: &Stage, before: &Held) -> Vec<String> {
    differences(before, &stage.held())
}

#[test]
fn a_plain_rollback_refuses_a_row_that_somebody_edited_and_changes_nothing() {
    let stage = edited();
    preview(&stage, "refuse").is(0, &["nothing is undone until a person decides"]);
    let data = stage.tell(&["rollback", ".", "--to", "copy-homes", "--preview", "--json"]);
    let data: serde_json::Value = serde_json::from_str(&data.text).unwrap();
    let mut changed = data["undoes"].as_array().unwrap().iter();
    let dover = changed.find(|undo| undo["org"] == "dover").unwrap();
    assert_eq!(dover["changed"][0]["table"], "asset");
    let before = stage.held();
    let said = roll_back(&stage);
    said.is(
        7,
        &[
            "HO701",
            "copy-homes/dover: 1 row of `asset` edited since",
            "--changed skip",
        ],
    );
    let changed = differences(&before, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
    stage
        .tell(&["verify", ".", "--against-live"])
        .is(6, &["1 differ"]);
}

#[test]
fn skip_leaves_the_edited_row_and_says_so() {
    let stage = edited();
    preview(&stage, "skip").is(0, &["kept and reported"]);
    roll_back(&stage).is(0, &["reported=1", "Rolled back"]);
    assert_eq!(left(&stage), 1);
    let said = beyond(&stage, &frozen().held());
    assert!(
        said.len() == 1 && said[0].starts_with("dover.asset: "),
        "{said:#?}"
    );
}

#[test]
fn force_takes_the_edited_row_back_too() {
    let stage = edited();
    preview(&stage, "force").is(0, &["taken out too and reported"]);
    roll_back(&stage).is(0, &["reported=1", "Rolled back"]);
    assert_eq!(left(&stage), 0);
    let said = beyond(&stage, &frozen().held());
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn a_row_edited_after_the_signatures_is_noticed_before_anything_is_undone() {
    let stage = copied().copy();
    let said = stage.way_back(&[]);
    assert!(!said.text.contains("since:"), "{}", said.text);
    edit(&stage);
    let before = stage.held();
    roll_back(&stage).is(7, &["HO701"]);
    let changed = differences(&before, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
}

/// Rows that a rollback took out, put back by whoever kept them.
const RESTORED: &str = "PRAGMA foreign_keys = OFF; ATTACH 'KEPT' AS kept;
INSERT INTO main.asset SELECT * FROM kept.asset WHERE loaded_run_id IS NOT NULL LIMIT 2";

#[test]
fn a_row_that_stands_again_after_it_was_rolled_back_is_told() {
    let stage = copied().copy();
    stage.way_back(&[]);
    let kept = stage.path.join("kept.db");
    dover(&stage)
        .execute("VACUUM INTO ?1", [kept.to_str().unwrap()])
        .unwrap();
    roll_back(&stage).is(0, &["Rolled back"]);
    let looks = || stage.tell(&["verify", ".", "--against-live"]);
    looks().is(0, &["rows that were taken back", "0 stand"]);
    let restored = RESTORED.replace("KEPT", kept.to_str().unwrap());
    dover(&stage).execute_batch(&restored).unwrap();
    looks().is(6, &["ROLLBACK_ROOT", "2 stand as they were written"]);
}
