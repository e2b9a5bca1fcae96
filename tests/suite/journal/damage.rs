//! Whatever is done to the file behind our back is noticed, named, and costs nothing that was there.

use std::io::Write as _;

use handover::journal::{Db, Journal, JournalFault};
use handover::plan::digest::Digest;

use super::begun::{begun, mark, moment, path};

/// A journal of eight entries that nobody has open.
async fn closed() -> (tempfile::TempDir, uuid::Uuid) {
    let begun = begun().await;
    let (folder, mut journal, run) = (begun.folder, begun.journal, begun.run);
    let marks = (1..=4).map(mark).collect();
    journal
        .append(&begun.lease, &moment(1), marks)
        .await
        .unwrap();
    journal.release(begun.lease, &moment(2)).await.unwrap();
    journal.close().await.unwrap();
    (folder, run)
}

/// Does to the file what only somebody with a database tool could.
fn tamper(folder: &tempfile::TempDir, sql: &str) {
    let db = rusqlite::Connection::open(path(folder)).unwrap();
    db.execute_batch("DROP TRIGGER entry_is_not_changed; DROP TRIGGER entry_is_not_deleted;")
        .unwrap();
    db.execute_batch(sql).unwrap();
}

/// Changes the text of one line and makes its stored digest fit.
fn edit(folder: &tempfile::TempDir, seq: u32, from: &str, to: &str) -> Digest {
    tamper(folder, "");
    let db = rusqlite::Connection::open(path(folder)).unwrap();
    let line: Vec<u8> = db
        .query_row("SELECT line FROM entry WHERE seq = ?", [seq], |row| {
            row.get(0)
        })
        .unwrap();
    let edited = String::from_utf8(line).unwrap().replace(from, to);
    let digest = Digest::of(edited.as_bytes());
    let changed = db.execute(
        "UPDATE entry SET line = ?, hash = ? WHERE seq = ?",
        (edited.as_bytes(), digest.0, seq),
    );
    assert_eq!(changed.unwrap(), 1);
    digest
}

/// Reads the whole log: how many entries, or what is wrong.
async fn read(folder: &tempfile::TempDir, run: uuid::Uuid) -> Result<u64, JournalFault> {
    let mut journal = Journal::existing(&path(folder)).await?;
    let mut entries = journal.entries(run).await?;
    let mut count = 0;
    while entries.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[track_caller]
fn is(fault: Result<u64, JournalFault>, code: &str, exit: u8) -> String {
    let fault = fault.expect_err("the damage is noticed");
    assert_eq!((fault.code(), fault.exit_code()), (code, exit), "{fault}");
    assert!(!fault.remedy().is_empty());
    fault.to_string()
}

#[tokio::test]
async fn an_untouched_journal_reads_whole() {
    let (folder, run) = closed().await;
    assert_eq!(read(&folder, run).await.unwrap(), 8);
}

#[tokio::test]
async fn entries_taken_off_the_end_are_missed() {
    let (folder, run) = closed().await;
    tamper(&folder, "DELETE FROM entry WHERE seq >= 6");
    let words = is(read(&folder, run).await, "HO601", 6);
    assert_eq!(
        words,
        "the step log of `ekh-7f3a` was cut short: entry 6 is missing"
    );
}

#[tokio::test]
async fn an_entry_taken_out_of_the_middle_is_missed() {
    let (folder, run) = closed().await;
    tamper(&folder, "DELETE FROM entry WHERE seq = 4");
    is(read(&folder, run).await, "HO601", 6);
}

#[tokio::test]
async fn an_edited_entry_is_noticed() {
    let (folder, run) = closed().await;
    tamper(
        &folder,
        "UPDATE entry SET line = CAST(replace(CAST(line AS TEXT), '2020', '2021') AS BLOB) WHERE seq = 4",
    );
    is(read(&folder, run).await, "HO602", 6);
}

#[tokio::test]
async fn an_edited_entry_is_noticed_though_its_digest_was_made_to_fit() {
    let (folder, run) = closed().await;
    edit(&folder, 4, "\"rows\":1000", "\"rows\":1001");
    let words = is(read(&folder, run).await, "HO602", 6);
    assert!(
        words.starts_with("entry 5 of"),
        "the next one names other bytes: {words}"
    );
}

#[tokio::test]
async fn an_edited_last_entry_stops_a_claim() {
    let (folder, run) = closed().await;
    edit(&folder, 7, "2020-09", "2020-08");
    is(read(&folder, run).await, "HO602", 6);
    let mut journal = Journal::existing(&path(&folder)).await.unwrap();
    let claimed = journal
        .claim(run, &super::begun::claimant(), &moment(3))
        .await;
    is(claimed.map(|lease| lease.epoch), "HO602", 6);
}

#[tokio::test]
async fn an_entry_of_a_newer_version_is_not_guessed_at() {
    let (folder, run) = closed().await;
    let digest = edit(&folder, 7, "\"v\":1", "\"v\":2");
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    db.execute("UPDATE run SET head = ?", [digest.0]).unwrap();
    is(read(&folder, run).await, "HO603", 11);
}

#[tokio::test]
async fn a_journal_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (folder, run) = closed().await;
    tamper(&folder, "INSERT INTO migration VALUES (1000, zeroblob(32))");
    let words = is(read(&folder, run).await, "HO603", 11);
    assert!(words.contains("made by a newer version"), "{words}");
}

#[tokio::test]
async fn a_journal_whose_schema_was_altered_is_not_taken_for_ours() {
    let (folder, run) = closed().await;
    tamper(&folder, "UPDATE migration SET digest = zeroblob(32)");
    is(read(&folder, run).await, "HO607", 9);
}

#[tokio::test]
async fn a_file_that_lost_its_end_is_damaged() {
    let (folder, run) = closed().await;
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    db.pragma_update(None, "wal_checkpoint", "TRUNCATE")
        .unwrap();
    drop(db);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(path(&folder))
        .unwrap();
    file.set_len(3 * 4096).unwrap();
    is(read(&folder, run).await, "HO601", 6);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_to_be_none() {
    let (folder, run) = closed().await;
    std::fs::remove_file(path(&folder)).unwrap();
    let mut file = std::fs::File::create(path(&folder)).unwrap();
    file.write_all(&b"Dear colleague, ".repeat(100)).unwrap();
    let words = is(read(&folder, run).await, "HO607", 9);
    assert!(words.ends_with("is not a database"), "{words}");
}

#[tokio::test]
async fn somebody_elses_database_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("homes.db");
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch("CREATE TABLE property (id)").unwrap();
    let opened = Journal::open(&file).await;
    let refused = matches!(
        opened,
        Err(JournalFault::Unusable {
            trouble: Db::NotAJournal,
            ..
        })
    );
    assert!(refused, "{opened:?}");
    let tables: u32 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_journal_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let looked = Journal::existing(&path(&folder)).await;
    is(looked.map(|_| 0), "HO607", 9);
    assert!(!path(&folder).exists());
}

#[tokio::test]
async fn a_journal_that_another_program_keeps_locked_says_so_and_loses_nothing() {
    let mut begun = begun().await;
    let other = rusqlite::Connection::open(begun.journal.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = begun
        .journal
        .append(&begun.lease, &moment(1), vec![mark(1)])
        .await;
    let fault = refused.unwrap_err();
    assert!(
        matches!(
            fault,
            JournalFault::Unusable {
                trouble: Db::Locked,
                ..
            }
        ),
        "{fault}"
    );
    other.execute_batch("COMMIT").unwrap();
    let written = begun
        .journal
        .append(&begun.lease, &moment(1), vec![mark(1)])
        .await;
    assert_eq!(written.unwrap()[0].seq, 3);
}

#[tokio::test]
async fn entries_cannot_be_changed_by_a_slip_with_a_database_tool() {
    let (folder, _) = closed().await;
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    assert!(db.execute("DELETE FROM entry", []).is_err());
    assert!(db.execute("UPDATE entry SET seq = seq + 1", []).is_err());
}
