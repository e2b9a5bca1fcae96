//! What can be wrong with a database, in words that hold no row value: driver text quotes rows and
//! is never passed on.

use rusqlite::ffi;

/// What the engine says when writing itself fails, other than for want of room.
const WRITING: [i32; 4] = [
    ffi::SQLITE_IOERR_WRITE,
    ffi::SQLITE_IOERR_FSYNC,
    ffi::SQLITE_IOERR_TRUNCATE,
    ffi::SQLITE_IOERR_SHMSIZE,
];

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbTrouble {
    /// There is no such database.
    Missing,
    /// Another process holds it, and kept it past our patience; its pid where the kernel tells.
    Locked(Option<u32>),
    /// We may not write to it.
    ReadOnly,
    /// We may not even read it.
    Unreadable,
    /// It is in WAL mode in a folder that we may not write to, so that even reading is not possible.
    NeedsFolder,
    /// Whoever asked went away before the answer came.
    Interrupted,
    /// Its disk or its size limit is full.
    Full,
    /// The operating system did not take what was written: a quota, a size limit, a failing disk.
    Disk,
    /// The file is not a database.
    NotADatabase,
    /// The file is damaged.
    Damaged,
    /// A table or column that should be there is not.
    NoSuch(String),
    /// A constraint refused a row: unique, foreign key, check, not null; the table it stands on.
    Constraint {
        /// `unique`, `foreign key`, `check`, `not null`, `trigger`.
        kind: &'static str,
        /// The table, or table and column, where the engine names it.
        on: String,
    },
    /// A made-up run met a database without the table `handover_made_up`.
    NotMadeUp,
    /// Another executor raised the fence past ours.
    Fenced {
        /// Our epoch.
        ours: u64,
        /// The one that stands there.
        theirs: u64,
    },
    /// The ledger speaks of a step log that goes further than ours: the journal was cut or restored.
    AheadOfJournal {
        /// The highest position it names.
        seen: u64,
    },
    /// Anything else, by the engine's code.
    Other(i32),
}

/// Trouble with one database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database of `{org}` {}", .trouble.words())]
pub struct DbFault {
    /// Whose database.
    pub org: String,
    /// What is wrong.
    pub trouble: DbTrouble,
}

impl DbTrouble {
    /// The trouble as the end of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            DbTrouble::Missing => "does not exist".to_owned(),
            DbTrouble::Locked(Some(pid)) => format!("is locked by process {pid}"),
            DbTrouble::Locked(None) => "is locked by another process".to_owned(),
            DbTrouble::ReadOnly => "cannot be written to".to_owned(),
            DbTrouble::Unreadable => "cannot be read: permission denied".to_owned(),
            DbTrouble::NeedsFolder => {
                "is in WAL mode in a folder that we may not write to, and cannot be read".to_owned()
            }
            DbTrouble::Interrupted => "was interrupted".to_owned(),
            DbTrouble::Full => "has no room left".to_owned(),
            DbTrouble::Disk => "could not be written to the disk".to_owned(),
            DbTrouble::NotADatabase => "is not a database".to_owned(),
            DbTrouble::Damaged => "is damaged".to_owned(),
            DbTrouble::NoSuch(what) => format!("has no `{what}`"),
            DbTrouble::Constraint { kind, on } if on.is_empty() => {
                format!("refused a row: {kind}")
            }
            DbTrouble::Constraint { kind, on } => format!("refused a row: {kind} on `{on}`"),
            DbTrouble::NotMadeUp => {
                "is not marked as made up, and this run's clock is made up".to_owned()
            }
            DbTrouble::Fenced { ours, theirs } => {
                format!("was taken over: our number is {ours}, {theirs} stands there")
            }
            DbTrouble::AheadOfJournal { seen } => {
                format!("knows of log entry {seen}, which our journal does not hold")
            }
            DbTrouble::Other(code) => format!("failed with the engine's code {code}"),
        }
    }
}

impl DbTrouble {
    /// The same, with the organisation's name.
    #[must_use]
    pub fn of(self, org: &str) -> DbFault {
        DbFault {
            org: org.to_owned(),
            trouble: self,
        }
    }
}

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
