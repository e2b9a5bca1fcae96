//! `SQLite`'s result codes as trouble.
//!
//! Not here: the words for them (`orgdb::fault`).

use rusqlite::ffi;

use crate::orgdb::DbTrouble;

/// What the engine says when writing itself fails, other than for want of room.
const WRITING: [i32; 4] = [
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_FSYNC,
    ffi::SQLITE_IOERR_TRUNCATE,
    ffi::SQLITE_IOERR_SHMSIZE,
];

impl From<rusqlite::Error> for DbTrouble {
    fn from(error: rusqlite::Error) -> DbTrouble {
        match error {
            rusqlite::Error::SqliteFailure(code, text) => read_code(code, text.as_deref()),
            _ => DbTrouble::Other(0),
        }
    }
}

fn read_code(error: ffi::Error, text: Option<&str>) -> DbTrouble {
    if WRITING.contains(&error.extended_code) {
        return DbTrouble::Disk;
    }
    match error.extended_code & 0xff {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => DbTrouble::Locked(None),
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM => DbTrouble::ReadOnly,
        ffi::SQLITE_FULL => DbTrouble::Full,
        ffi::SQLITE_NOTADB => DbTrouble::NotADatabase,
        ffi::SQLITE_CORRUPT => DbTrouble::Damaged,
        ffi::SQLITE_CANTOPEN => DbTrouble::Missing,
        ffi::SQLITE_INTERRUPT => DbTrouble::Interrupted,
        ffi::SQLITE_CONSTRAINT => constraint(error.extended_code, text.unwrap_or_default()),
        ffi::SQLITE_ERROR => no_such(text.unwrap_or_default())
            .map_or(DbTrouble::Other(error.extended_code), DbTrouble::NoSuch),
        _ => DbTrouble::Other(error.extended_code),
    }
}

/// The engine's text names tables and columns after `failed: `, except for a trigger's own words,
/// which may hold anything.
fn constraint(code: i32, text: &str) -> DbTrouble {
    let kind = match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => "unique",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "foreign key",
        ffi::SQLITE_CONSTRAINT_CHECK => "check",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "not null",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "trigger",
        _ => "type",
    };
    let on = match kind {
        "trigger" | "type" => "",
        _ => text.split_once("failed: ").map_or("", |(_, on)| on),
    };
    DbTrouble::Constraint {
        kind,
        on: on.to_owned(),
    }
}

fn no_such(text: &str) -> Option<String> {
    let (_, rest) = text
        .split_once("no such table: ")
        .or_else(|| text.split_once("no such column: "))?;
    let name = rest.split(' ').next().unwrap_or(rest);
    Some(name.trim_matches('"').to_owned())
}
