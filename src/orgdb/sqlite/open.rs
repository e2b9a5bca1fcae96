//! Opening an `SQLite` file, for reading or for writing, with the settings that we rely on.
//!
//! In: a path. Out: a connection that was proved to work, or the trouble in plain words.
//!
//! Not here: the thread it lives on (`desk`).

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::Access;

use crate::orgdb::DbTrouble;

/// How long we wait for a lock before we say who holds it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens for reading: the engine itself refuses any write to the file, and none is created.
pub(in crate::orgdb) fn reader(path: &Path) -> Result<Connection, DbTrouble> {
    there(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    first_read(&connection, path)?;
    Ok(connection)
}

/// Opens for writing; the file must exist.
pub(in crate::orgdb) fn writer(path: &Path) -> Result<Connection, DbTrouble> {
    there(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags)?;
    if connection.is_readonly("main")? {
        return Err(DbTrouble::ReadOnly);
    }
    first_read(&connection, path)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(DbTrouble::ReadOnly);
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// A nameless store of our own, gone with its connection. It is one transaction from beginning to end:
/// nothing of it is ever to be kept.
pub(in crate::orgdb) fn scratch() -> Result<Connection, DbTrouble> {
    let connection = Connection::open("")?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;
         PRAGMA temp_store = FILE; BEGIN;",
    )?;
    Ok(connection)
}

fn there(path: &Path) -> Result<(), DbTrouble> {
    // Asked by name: opening the file and closing it again would drop the locks that this process's
    // other connections hold on it (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    match std::fs::metadata(path) {
        Ok(meta) if !meta.is_file() => return Err(DbTrouble::NotADatabase),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(DbTrouble::Unreadable);
        }
        Err(_) => return Err(DbTrouble::Missing),
    }
    rustix::fs::access(path, Access::READ_OK).map_err(|_| DbTrouble::Unreadable)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, DbTrouble> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    // A misspelt column must be an error, never a piece of text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", -4000)?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    Ok(connection)
}

/// `SQLite` opens lazily: only a read shows whether this is a database that we can use.
fn first_read(connection: &Connection, path: &Path) -> Result<(), DbTrouble> {
    let read: Result<i64, _> =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
    match read.map_err(DbTrouble::from) {
        Ok(_) => Ok(()),
        Err(DbTrouble::Missing | DbTrouble::ReadOnly) if in_wal_mode(path) => {
            Err(DbTrouble::NeedsFolder)
        }
        Err(trouble) => Err(trouble),
    }
}

/// Bytes 18 and 19 of the header are 2 in WAL mode (<https://www.sqlite.org/fileformat.html>).
fn in_wal_mode(path: &Path) -> bool {
    let mut header = [0; 20];
    std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut header))
        .is_ok_and(|()| header[18] == 2)
}
