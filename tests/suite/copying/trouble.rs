//! Databases that cannot be used: each says plainly what is wrong, holds no value of a row in its
//! words, and loses nothing.

use std::time::Duration;

use handover::copy::ledger::Pen;
use handover::orgdb::{Address, DbTrouble, Ident, Link, OrgReader, OrgWriter, Sql, Value};
use rusqlite::Connection;

use super::place::{Place, contents, deed, number, reader, writer};

const NOTES: &str =
    "CREATE TABLE note (note_id INTEGER PRIMARY KEY, body TEXT NOT NULL CHECK (body <> 'secret'));
    INSERT INTO note VALUES (1, 'first');";

async fn opened(place: &Place, name: &str) -> DbTrouble {
    let address = Address::Sqlite(place.path(name));
    let reader = OrgReader::open("dover", &address)
        .await
        .err()
        .unwrap()
        .trouble;
    let writer = OrgWriter::open("dover", &address)
        .await
        .err()
        .unwrap()
        .trouble;
    assert_eq!(reader, writer);
    reader
}

#[tokio::test]
async fn a_missing_database_is_never_created() {
    let place = Place::new();
    assert_eq!(opened(&place, "none.db").await, DbTrouble::Missing);
    assert!(!place.path("none.db").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_and_one_that_is_damaged_are_told_apart() {
    let place = Place::new();
    std::fs::write(place.path("letter.db"), "Dear Sir or Madam, ".repeat(100)).unwrap();
    assert_eq!(opened(&place, "letter.db").await, DbTrouble::NotADatabase);
    std::fs::create_dir(place.path("folder.db")).unwrap();
    assert_eq!(opened(&place, "folder.db").await, DbTrouble::NotADatabase);
    let path = place.database("torn.db", NOTES);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..140].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(opened(&place, "torn.db").await, DbTrouble::Damaged);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let reader = reader(&path).await;
    for lift in ["PRAGMA query_only = ON", "PRAGMA query_only = OFF"] {
        let written = reader
            .with(move |connection| {
                connection.script(&Sql::new(lift))?;
                connection.execute(&Sql::new("DELETE FROM note"), &[])
            })
            .await;
        assert_eq!(written.unwrap_err().trouble, DbTrouble::ReadOnly);
    }
}

#[tokio::test]
async fn a_lock_names_the_process_that_holds_it() {
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let no_patience = |link: &Link| Ok(link.sqlite().unwrap().busy_timeout(Duration::ZERO)?);
    writer.with(no_patience).await.unwrap();
    let begun = Pen::begin(&writer, &deed, 1, "insert:note").await;
    let trouble = begun.err().unwrap().trouble;
    assert_eq!(trouble, DbTrouble::Locked(Some(std::process::id())));
    let seen = reader(&path)
        .await
        .rows(Sql::new("SELECT count(*) FROM note"), vec![])
        .await;
    assert_eq!(seen.unwrap(), [[Value::Int(1)]], "readers go on");
}

/// Another program that believes nobody else is there takes the write-ahead log away under us.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_second_look_at_a_database_keeps_the_lock_that_tells_others_we_are_there() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let _first = writer(&path, &deed()).await;
    let ours = format!(":{} ", std::fs::metadata(&path).unwrap().ino());
    // The kernel's list is read in pieces, and an entry is passed over where others come and go between them.
    let listed = || std::fs::read_to_string("/proc/locks").is_ok_and(|all| all.contains(&ours));
    let held = || (0..1_000).any(|_| listed());
    assert!(held());
    drop(reader(&path).await);
    OrgReader::open("dover", &Address::Sqlite(path.clone()))
        .await
        .unwrap();
    assert!(held());
}

#[tokio::test]
async fn a_full_database_keeps_nothing_of_a_half_written_effect() {
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    let before = contents(&path);
    let pages = number(&path, "PRAGMA page_count") + 5;
    writer
        .with(move |connection| {
            let limit = connection.sqlite().unwrap().pragma_update_and_check(
                None,
                "max_page_count",
                pages,
                |_| Ok(()),
            );
            Ok(limit?)
        })
        .await
        .unwrap();
    let mut pen = Pen::begin(&writer, &deed, 1, "insert:note")
        .await
        .unwrap()
        .unwrap();
    let rows = (10..900)
        .map(|id| vec![Value::Int(id), "x".repeat(500).into()])
        .collect();
    let columns = ["note_id", "body"].map(Ident::new);
    let fault = pen
        .insert(&Ident::new("note"), &columns, rows)
        .await
        .unwrap_err();
    assert_eq!(fault.trouble, DbTrouble::Full);
    drop(pen);
    assert_eq!(contents(&path), before);
    assert_eq!(number(&path, "SELECT count(*) FROM handover_effect"), 0);
}

#[tokio::test]
async fn a_refused_row_is_named_by_table_and_rule_never_by_value() {
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    for (row, words) in [
        (
            vec![Value::Int(1), "again".into()],
            "the database of `dover` refused a row: unique on `note.note_id`",
        ),
        (
            vec![Value::Int(2), Value::Null],
            "the database of `dover` refused a row: not null on `note.body`",
        ),
    ] {
        let mut pen = Pen::begin(&writer, &deed, 1, "insert:note")
            .await
            .unwrap()
            .unwrap();
        let columns = ["note_id", "body"].map(Ident::new);
        let fault = pen
            .insert(&Ident::new("note"), &columns, vec![row])
            .await
            .unwrap_err();
        assert_eq!(fault.to_string(), words);
    }
}

#[tokio::test]
async fn a_misspelt_column_is_an_error_and_never_a_piece_of_text() {
    let place = Place::new();
    let path = place.database("a.db", NOTES);
    let reader = reader(&path).await;
    let asked = reader
        .rows(
            handover::sql!("SELECT {} FROM note", Ident::new("bdoy")),
            vec![],
        )
        .await;
    assert_eq!(
        asked.unwrap_err().trouble,
        DbTrouble::NoSuch("bdoy".to_owned())
    );
}
