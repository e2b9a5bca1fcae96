//! What can be wrong with a database, in words that hold no row value: driver text quotes rows and
//! is never passed on.

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
    /// We may not read a table of others, from which the engine would take rows along with ours.
    Unread(String),
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
    /// A server that nobody answers at, or that does not let us in; why, in the driver's own words
    /// about names and networks.
    Unreachable(String),
    /// A server whose TLS is not what the address asks for; why.
    Untrusted(&'static str),
    /// The connection to the server was cut.
    Cut,
    /// Two transactions stood in each other's way, and the engine ended ours.
    Clash,
    /// This engine has no way to do what was asked: what that is, as the end of `cannot …`.
    Cannot(&'static str),
    /// Anything else, by the engine's code.
    Other(i32),
    /// The same, of a server that tells it in letters (`SQLSTATE`).
    State(String),
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
            DbTrouble::Unread(table) => {
                format!("does not let us read `{table}`, whose rows would go along with ours")
            }
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
            DbTrouble::Unreachable(why) => format!("cannot be reached: {why}"),
            DbTrouble::Untrusted(why) => format!("is not trusted: {why}"),
            DbTrouble::Cut => "cut the connection".to_owned(),
            DbTrouble::Clash => "ended our transaction: another stood in its way".to_owned(),
            DbTrouble::Cannot(what) => format!("cannot {what}"),
            DbTrouble::Other(code) => format!("failed with the engine's code {code}"),
            DbTrouble::State(code) => format!("failed with the engine's code {code}"),
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
