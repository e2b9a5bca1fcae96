//! Attacks on the organisations' databases by whoever administers them, the log untouched (T29 to T35).

use std::path::Path;

use rusqlite::Connection;

use super::attack::{Verdict, trusted, verify};
use super::good::{good, tell};
use crate::export::stage::{ended, handover};

/// What `verify --against-live` says of the run after these statements at an organisation.
fn after(org: &str, sql: &str) -> Verdict {
    let live = good().live();
    Connection::open(live.path().join(format!("{org}.db")))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    against_live(live.path())
}

fn against_live(folder: &Path) -> Verdict {
    let arguments = ["--json", "verify", "homes-", "--against-live"];
    let mut command = handover(folder, &arguments);
    let (code, said) = ended(command.args(trusted()));
    Verdict::read(code, said)
}

#[test]
fn a_closed_run_whose_ledgers_were_taken_out_is_accused_of_nothing() {
    let live = good().live();
    super::good::tell(live.path(), "close . --to log --confirm homes", 0);
    let found = against_live(live.path());
    assert_eq!(found.code, 10, "{}", found.said);
    assert!(
        !found.claims.iter().any(|(_, outcome)| outcome == "fail"),
        "{}",
        found.said
    );
}

const EFFECT: &str = "handover_effect WHERE ordinal = 2";

#[test]
fn t30_a_commit_that_no_database_knows_is_a_phantom() {
    after("council", &format!("DELETE FROM {EFFECT}")).is(6, &["PHANTOM_COMMIT"]);
}

#[test]
fn t31_an_effect_that_the_log_does_not_know_is_told() {
    let another = "INSERT INTO handover_effect (run, step, generation, ordinal, kind, epoch, log_seq, rows, digest, sum)
        SELECT run, step, generation, 99, kind, epoch, log_seq, rows, digest, sum FROM handover_effect WHERE ordinal = 2";
    after("council", another).is(6, &["UNLOGGED_EFFECT"]);
}

#[test]
fn t32_rows_that_came_changed_or_went_behind_our_back_are_told() {
    for change in [
        "UPDATE home SET owed = '0.00' WHERE home_ref = 'H007'",
        "PRAGMA foreign_keys = OFF; DELETE FROM person WHERE surname = 'Canaryson007'",
        "INSERT INTO home SELECT 'more', 'H999', uprn, line1, owed, loaded_run_id FROM home LIMIT 1",
    ] {
        let found = after("council", change);
        assert!(found.tells("MANIFEST_MISMATCH"), "{change}: {}", found.said);
        assert_eq!(found.code, 6, "{change}");
    }
}

#[test]
fn t33_two_rows_that_changed_contents_are_told_although_every_sum_is_right() {
    let swap = "CREATE TEMP TABLE two AS SELECT home_ref, owed FROM home WHERE home_ref IN ('H003', 'H004');
        UPDATE home SET owed = (SELECT owed FROM two WHERE two.home_ref <> home.home_ref)
        WHERE home_ref IN ('H003', 'H004')";
    after("council", swap).is(6, &["MANIFEST_MISMATCH"]);
}

#[test]
fn t34_an_effect_that_speaks_of_another_entry_or_other_rows_is_told() {
    for (change, code) in [
        (
            "digest = replace(digest, substr(digest, 1, 8), 'abababab')",
            "EFFECT_MISMATCH",
        ),
        ("log_seq = 3", "EFFECT_MISMATCH"),
        ("log_seq = 21", "EFFECT_MISMATCH"),
        ("rows = 11", "EFFECT_MISMATCH"),
        ("epoch = 1", "EFFECT_MISMATCH"),
        ("step = 'reconcile'", "UNLOGGED_EFFECT"),
        ("generation = 2", "UNLOGGED_EFFECT"),
        ("undone_at = 21", "PHANTOM_COMMIT"),
    ] {
        let change = format!("UPDATE handover_effect SET {change} WHERE ordinal = 2");
        let found = after("council", &change);
        assert!(found.tells(code), "{change}: {}", found.said);
        assert_eq!(found.code, 6, "{change}");
    }
}

#[test]
fn t34_two_effects_that_changed_places_are_told_although_their_number_is_right() {
    let swap = "UPDATE handover_effect SET ordinal = 99 WHERE ordinal = 1;
        UPDATE handover_effect SET ordinal = 1 WHERE ordinal = 2;
        UPDATE handover_effect SET ordinal = 2 WHERE ordinal = 99";
    after("council", swap).is(6, &["EFFECT_MISMATCH"]);
}

#[test]
fn t35_a_source_that_moved_on_after_it_was_copied_is_told() {
    for moved in [
        "UPDATE property SET owed = '1.00' WHERE prop_ref = 'H007'",
        "UPDATE member SET surname = surname || ' ' WHERE prop_ref = 'H003'",
        "DELETE FROM member WHERE prop_ref = 'H012'",
        "INSERT INTO property SELECT 'H013', uprn, address, owed FROM property LIMIT 1",
    ] {
        let found = after("almo", moved);
        assert!(found.tells("SOURCE_DRIFT"), "{moved}: {}", found.said);
        assert_eq!(found.code, 6, "{moved}");
        assert!(!found.tells("MANIFEST_MISMATCH"), "{moved}: {}", found.said);
    }
}

#[test]
fn a_column_that_nobody_copied_is_no_drift() {
    let more = "ALTER TABLE property ADD COLUMN note TEXT; UPDATE property SET note = 'seen'";
    after("almo", more).is(0, &[]);
}

#[test]
fn t34_a_ledger_that_was_altered_before_the_close_is_told_from_the_pack_alone() {
    let live = good().live();
    let council = Connection::open(live.path().join("council.db")).unwrap();
    let altered = "UPDATE handover_effect SET rows = 11 WHERE ordinal = 2";
    assert_eq!(council.execute(altered, []).unwrap(), 1);
    drop(council);
    tell(live.path(), "close . --to log --confirm homes", 0);
    tell(live.path(), "export . --as pack --to pack", 0);
    let pack = live.path().join("pack");
    verify(&pack, &trusted()).is(6, &["EFFECT_MISMATCH"]);
    let (code, said) = ended(&mut handover(
        live.path(),
        &["verify", "homes-", "--against-live"],
    ));
    assert_eq!(code, 10, "{said}");
}
