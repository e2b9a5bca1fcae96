//! An organisation's database that cannot be used: missing, no database, held by somebody else, read-only,
//! of another schema.
//!
//! Not here: no room (`room`), databases that changed since a preview (`moved`).

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::played::frozen;
use super::rows::differences;
use super::trouble::{away, back, goes_on, half_way, refused};

#[test]
fn a_missing_database_is_named_and_the_run_goes_on_once_it_is_back() {
    let stage = half_way();
    let data = stage.path.join("data");
    let away = away(&stage, &of_dover(&data));
    refused(&stage, 9, &["HO901", "`dover`", "does not exist"]);
    stage.tell(&["check", "."]).is(9, &["HO901"]);
    back(&away, &data);
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
    let data = stage.path.join("data");
    let away = away(&stage, &of_dover(&data));
    let words = "a letter that somebody saved under the wrong name\n".repeat(100);
    std::fs::write(data.join("dover.db"), words).unwrap();
    stage
        .tell(&["run", "."])
        .is(9, &["HO905", "`dover`", "is not a database"]);
    stage.tell(&["preview", "."]).is(9, &["HO905"]);
    back(&away, &data);
    goes_on(&stage);
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

/// Sets the byte of the header that says who may write: 2 is everybody, 3 is nobody of today
/// (<https://www.sqlite.org/fileformat.html>). Root is held by it too.
fn write_version(path: &Path, version: u8) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[version], 18).unwrap();
}

#[test]
fn a_database_that_may_only_be_read_is_looked_at_but_never_run_on() {
    let stage = frozen().copy();
    let dover = stage.path.join("data/dover.db");
    let emptied = Connection::open(&dover).unwrap();
    emptied
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(emptied);
    write_version(&dover, 3);
    stage.tell(&["preview", "."]).is(0, &[]);
    refused(&stage, 9, &["HO903", "`dover`", "cannot be written to"]);
    write_version(&dover, 2);
    goes_on(&stage);
}

#[test]
fn a_database_of_another_schema_is_found_by_check_by_preview_and_by_the_run() {
    let stage = frozen().copy();
    let dover = Connection::open(stage.path.join("data/dover.db")).unwrap();
    dover
        .execute_batch(
            "ALTER TABLE direct_debit RENAME TO bank_order;
             ALTER TABLE asset RENAME COLUMN asset_ref TO number",
        )
        .unwrap();
    let table = "the target has no table `direct_debit`";
    let column = "the target has no column `asset.asset_ref`";
    stage
        .tell(&["check", "."])
        .is(3, &["HO520", table, "HO521", column]);
    stage.tell(&["preview", "."]).is(3, &["HO520", table]);
    let before = stage.held();
    stage.tell(&["run", "."]).is(
        1,
        &[
            "copy-homes/dover: HO521 a column is not there",
            "--retry copy-homes/dover",
        ],
    );
    let changed = differences(&before, &stage.held());
    assert!(
        changed.iter().all(|table| !table.starts_with("dover.")),
        "{changed:#?}"
    );
    dover
        .execute_batch(
            "ALTER TABLE bank_order RENAME TO direct_debit;
             ALTER TABLE asset RENAME COLUMN number TO asset_ref",
        )
        .unwrap();
    drop(dover);
    let again = [
        "run",
        ".",
        "--retry",
        "copy-homes/dover",
        "--as",
        "s151@dover",
    ];
    stage
        .tell(&again)
        .is(4, &["Waiting safely", "copy-homes/dover"]);
}
