//! What can be wrong with a journal, in words for the person who has to mend it. Driver text is
//! never passed on: it quotes values.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::calendar::dates::Dates;
use crate::machine::time::Time;
use crate::seal::NoKey;

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    /// There is no journal yet.
    #[error("there is no journal at `{}`", .0.display())]
    Missing(PathBuf),
    /// The file cannot be used.
    #[error("the journal `{}` {}", .path.display(), .trouble.words())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        trouble: Db,
    },
    /// The operating system refused.
    #[error("`{}` cannot be used", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// The folder is on a network file system, where locks and durability cannot be trusted.
    #[error("the journal cannot live in `{}`: this is a network file system ({kind})", .path.display())]
    Network {
        /// The folder.
        path: PathBuf,
        /// Which kind.
        kind: &'static str,
    },
    /// A later version of Handover wrote it.
    #[error(
        "the journal was made by a newer version of Handover (its format is {found}, ours {known})"
    )]
    Newer {
        /// The format that it, or an entry in it, has.
        found: u64,
        /// The newest that we know.
        known: u64,
    },
    /// The step log is shorter than the journal says.
    #[error("the step log of `{label}` was cut short: entry {seq} is missing")]
    Cut {
        /// Which run.
        label: String,
        /// The first entry that is missing.
        seq: u64,
    },
    /// An entry is not what was written.
    #[error("entry {seq} of the step log of `{label}` was changed after it was written")]
    Edited {
        /// Which run.
        label: String,
        /// The first entry that does not fit.
        seq: u64,
    },
    /// An entry that nobody would have written, though its digest fits.
    #[error("entry {seq} of the step log of `{label}` is not one that Handover writes")]
    Unreadable {
        /// Which run.
        label: String,
        /// Which entry.
        seq: u64,
    },
    /// A file stored by digest is missing or is not what its digest says.
    #[error("the file with digest `{0}` is missing or was changed")]
    Blob(crate::plan::digest::Digest),
    /// Nobody knows that run.
    #[error("there is no run `{0}` in this journal")]
    NoRun(String),
    /// More than one run begins so.
    #[error("`{wanted}` could be any of {}", .labels.join(", "))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The runs that begin so.
        labels: Vec<String>,
    },
    /// The paper has its run, or what was signed for another was used by this one.
    #[error("what was signed has let `{0}` begin already")]
    Begun(String),
    /// The run's log has its last entry.
    #[error("run `{0}` is closed: nothing more is done on it")]
    Closed(String),
    /// Another process drives the run.
    #[error(
        "run `{label}` is held by process {pid} until {} at least",
        Dates::default().with_zone(until.moment())
    )]
    Held {
        /// Which run.
        label: String,
        /// The process, 0 where it could not be told.
        pid: u32,
        /// When its lease ends unless it is renewed.
        until: Time,
    },
    /// Another executor claimed the run after us; nothing was written.
    #[error(
        "run `{run}` was taken over by another executor: our number is {ours}, {theirs} stands there"
    )]
    TakenOver {
        /// Which run.
        run: Uuid,
        /// Our epoch.
        ours: u64,
        /// The one in the journal.
        theirs: u64,
    },
    /// The run key is not where it was put.
    #[error("the run key `{}` is missing", .0.display())]
    KeyMissing(PathBuf),
    /// The run key is not the one that the log was opened with.
    #[error("the run key `{}` belongs to another run", .0.display())]
    KeyWrong(PathBuf),
    /// The log's key is not where it was put.
    #[error("the key `{}` is missing", .0.display())]
    LogKeyMissing(PathBuf),
    /// The key in the run's folder is not the one that the log was opened with.
    #[error("the log key `{}` belongs to another log", .0.display())]
    LogKeyWrong(PathBuf),
    /// A key's file that holds none.
    #[error("`{}` is no such key", .0.display())]
    NoKey(PathBuf, #[source] NoKey),
    /// A key was drawn and waits for its run, or for its witness.
    #[error("there is a key at `{}` already", .0.display())]
    KeyReady(PathBuf),
    /// What was signed last is not known any more.
    #[error("`{}`, which says what was sealed last, is missing or is not what was written", .0.display())]
    SignedMissing(PathBuf),
    /// More was sealed than there is.
    #[error(
        "the step log of `{label}` has {size} entries, and {sealed} were sealed once: it was cut, or put back from an older copy"
    )]
    SealedAhead {
        /// Which run.
        label: String,
        /// How many entries were sealed.
        sealed: u64,
        /// How many there are.
        size: u64,
    },
    /// Other entries than those that were sealed.
    #[error("the first {size} entries of the step log of `{label}` are not those that were sealed")]
    Forked {
        /// Which run.
        label: String,
        /// How many entries the seal covers.
        size: u64,
    },
    /// The plan asks for seals and nobody drew a key.
    #[error("the plan wants its log sealed, and no key was drawn for this run")]
    NoLogKey,
    /// A stored seal that is none.
    #[error("a stored seal of `{0}` is not one that Handover made")]
    NoSeal(String),
    /// There is a key already: it is never written over.
    #[error("there is a run key at `{}` already", .0.display())]
    KeyExists(PathBuf),
    /// Nothing is missing: a successor would fork the log.
    #[error("the step log of `{0}` is whole: there is nothing to recover")]
    Whole(String),
    /// A draft that no log can hold.
    #[error("the entry does not fit the step log: {0}")]
    Draft(String),
}

/// Trouble with the database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Db {
    /// Another process keeps it locked.
    Locked,
    /// It may not be written to.
    ReadOnly,
    /// The disk or a size limit is full.
    Full,
    /// The operating system did not take what was written: a quota, a size limit, a failing disk.
    Disk,
    /// It is not a database.
    NotADatabase,
    /// It is a database, but somebody else's.
    NotAJournal,
    /// Its pages do not fit together: it was cut or overwritten.
    Damaged,
    /// Anything else, by the engine's code.
    Other(i32),
}

impl Db {
    fn words(&self) -> String {
        match self {
            Db::Locked => "is locked by another process".to_owned(),
            Db::ReadOnly => "cannot be written to".to_owned(),
            Db::Full => "has no room left to grow".to_owned(),
            Db::Disk => "could not be written to the disk".to_owned(),
            Db::NotADatabase => "is not a database".to_owned(),
            Db::NotAJournal => "is a database, but not a journal of Handover".to_owned(),
            Db::Damaged => "is damaged: it was cut short or overwritten".to_owned(),
            Db::Other(code) => format!("cannot be used (engine code {code})"),
        }
    }
}

impl JournalFault {
    /// The exit code of the program, as the table in the docs has it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            JournalFault::NoRun(_)
            | JournalFault::Ambiguous { .. }
            | JournalFault::Whole(_)
            | JournalFault::KeyReady(_)
            | JournalFault::NoKey(..)
            | JournalFault::Closed(_) => 2,
            JournalFault::NoLogKey | JournalFault::Begun(_) => 5,
            JournalFault::Cut { .. }
            | JournalFault::Edited { .. }
            | JournalFault::Unreadable { .. }
            | JournalFault::Blob(_)
            | JournalFault::SealedAhead { .. }
            | JournalFault::Forked { .. }
            | JournalFault::NoSeal(_)
            | JournalFault::Unusable {
                trouble: Db::Damaged,
                ..
            } => 6,
            JournalFault::Held { .. } | JournalFault::TakenOver { .. } => 8,
            JournalFault::Missing(_)
            | JournalFault::Unusable { .. }
            | JournalFault::Io(..)
            | JournalFault::Network { .. } => 9,
            JournalFault::KeyMissing(_)
            | JournalFault::KeyWrong(_)
            | JournalFault::LogKeyMissing(_)
            | JournalFault::LogKeyWrong(_)
            | JournalFault::SignedMissing(_) => 10,
            JournalFault::Newer { .. } => 11,
            JournalFault::KeyExists(_) | JournalFault::Draft(_) => 70,
        }
    }

    /// The code that `explain` knows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            JournalFault::Cut { .. }
            | JournalFault::Unusable {
                trouble: Db::Damaged,
                ..
            } => "HO601",
            JournalFault::Edited { .. }
            | JournalFault::Unreadable { .. }
            | JournalFault::Blob(_) => "HO602",
            JournalFault::Newer { .. } => "HO603",
            JournalFault::Network { .. } => "HO604",
            JournalFault::KeyMissing(_) | JournalFault::KeyWrong(_) => "HO605",
            JournalFault::Missing(_) | JournalFault::Unusable { .. } | JournalFault::Io(..) => {
                "HO607"
            }
            JournalFault::NoRun(_) | JournalFault::Ambiguous { .. } => "HO608",
            JournalFault::KeyExists(_) | JournalFault::Draft(_) => "HO609",
            JournalFault::Begun(_) => "HO411",
            JournalFault::Whole(_) => "HO610",
            JournalFault::Closed(_) => "HO611",
            JournalFault::SealedAhead { .. }
            | JournalFault::Forked { .. }
            | JournalFault::NoSeal(_) => "HO612",
            JournalFault::LogKeyMissing(_)
            | JournalFault::LogKeyWrong(_)
            | JournalFault::SignedMissing(_) => "HO613",
            JournalFault::NoKey(..) | JournalFault::KeyReady(_) => "HO614",
            JournalFault::NoLogKey => "HO615",
            JournalFault::Held { .. } => "HO801",
            JournalFault::TakenOver { .. } => "HO802",
        }
    }

    /// What to do about it, one sentence.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            JournalFault::Missing(_) => "start a run first, or name the right plan folder",
            JournalFault::Unusable { trouble, .. } => trouble.remedy(),
            JournalFault::Io(..) => {
                "make the folder readable and writable for this user, then try again"
            }
            JournalFault::Network { .. } => {
                "set `journal` in `handover.toml` to a folder on a disk of this machine"
            }
            JournalFault::Newer { .. } => {
                "use the version of Handover that made it, or a later one"
            }
            JournalFault::Cut { .. }
            | JournalFault::Edited { .. }
            | JournalFault::Unreadable { .. }
            | JournalFault::SealedAhead { .. }
            | JournalFault::Forked { .. }
            | JournalFault::NoSeal(_)
            | JournalFault::Blob(_) => {
                "change nothing; keep a copy of the file as evidence, and put the newest whole copy of it in its place"
            }
            JournalFault::NoRun(_) => "`handover status` lists the runs",
            JournalFault::Whole(_) => "carry on with `handover run RUN`",
            JournalFault::Begun(_) => {
                "carry that run on; for another, `handover preview --out FILE`, and have it signed again"
            }
            JournalFault::Closed(_) => {
                "`handover status`, `replay` and `verify` still read it; a new preview, signed, begins a new run"
            }
            JournalFault::Ambiguous { .. } => "type more of the run's name",
            JournalFault::Held { .. } => {
                "wait for it, or stop that process: a run whose process has ended can be carried on at once"
            }
            JournalFault::TakenOver { .. } => {
                "nothing was written; `handover status` shows where the run has got to"
            }
            JournalFault::KeyMissing(_) | JournalFault::KeyWrong(_) => {
                "put the run's own key back from the organisations' safes; without it nothing can be undone or verified"
            }
            JournalFault::LogKeyMissing(_)
            | JournalFault::LogKeyWrong(_)
            | JournalFault::SignedMissing(_) => {
                "put the run's folder back as it was; without its key and what it signed last, nothing more can be sealed"
            }
            JournalFault::NoLogKey => {
                "`handover key new PLAN`, have what it prints minuted, then run again"
            }
            JournalFault::NoKey(..) => "name a key that `handover key new` made",
            JournalFault::KeyReady(_) => {
                "a key is never written over: `handover key show` shows the one that waits for its run"
            }
            JournalFault::KeyExists(_) | JournalFault::Draft(_) => {
                "this is a fault in Handover; please report it"
            }
        }
    }

    /// A fault of the database engine under the journal at `path`, without the driver's text.
    pub(super) fn from_sqlx(path: &Path, fault: sqlx::Error) -> JournalFault {
        let trouble = match fault {
            sqlx::Error::Io(fault) => return JournalFault::Io(path.to_owned(), fault),
            sqlx::Error::Database(fault) => {
                let code = fault.code().and_then(|code| code.parse::<i32>().ok());
                trouble(code.unwrap_or(-1))
            }
            _ => Db::Other(-1),
        };
        JournalFault::Unusable {
            path: path.to_owned(),
            trouble,
        }
    }
}

impl Db {
    fn remedy(&self) -> &'static str {
        match self {
            Db::Locked => "close the program that has it open, then try again",
            Db::ReadOnly => "make the file and its folder writable for this user, then try again",
            Db::Full => "make room on the disk, then run again: nothing is lost",
            Db::Disk => {
                "look at the disk, and at quotas and limits of this user, then run again: nothing is lost"
            }
            Db::NotADatabase | Db::NotAJournal => "name the right file in `handover.toml`",
            Db::Damaged => {
                "change nothing; keep a copy of the file as evidence, then put the newest whole copy of it in its place"
            }
            Db::Other(_) => "try again; if it stays, keep a copy of the file and ask for help",
        }
    }
}

/// What an engine's code means, <https://www.sqlite.org/rescode.html>: its low byte is the family.
fn trouble(code: i32) -> Db {
    const IOERR_WRITE: i32 = 778;
    const IOERR_FSYNC: i32 = 1034;
    const IOERR_TRUNCATE: i32 = 1546;
    const IOERR_SHMSIZE: i32 = 4874;
    match (code, code & 0xff) {
        (IOERR_WRITE | IOERR_FSYNC | IOERR_TRUNCATE | IOERR_SHMSIZE, _) => Db::Disk,
        (_, 5 | 6) => Db::Locked,
        (_, 3 | 8) => Db::ReadOnly,
        (_, 13) => Db::Full,
        (_, 11) => Db::Damaged,
        (_, 26) => Db::NotADatabase,
        _ => Db::Other(code),
    }
}
