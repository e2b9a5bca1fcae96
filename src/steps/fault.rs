//! Why a step stopped, said once: how trouble with a database becomes a fault of a step, and the
//! short ways in which kinds make faults and findings.
//!
//! In: `DbFault`s, codes, sentences of our own. Out: `Fault`, `Finding`, never with a value of a row.
//!
//! Not here: what the codes mean in full (`explain`), how often a transient fault is tried again
//! (`machine`).

use std::collections::BTreeMap;

use super::{Fault, Finding};
use crate::machine::event::FaultKind;
use crate::orgdb::{DbFault, DbTrouble};

/// `SQLITE_IOERR` and `SQLITE_CANTOPEN`: the machine's trouble, which may pass.
const PASSING: [i32; 2] = [10, 14];

/// A database that may not be written to or has no room; an outbox that takes no letter.
const HALTING: [&str; 3] = ["HO903", "HO904", "HO536"];

impl Fault {
    /// Whether nothing can be said for or against the step, because what it writes to takes no writes at
    /// all: it is left as it stands, neither failed nor undone, and goes on once that is mended.
    #[must_use]
    pub fn halts(&self) -> bool {
        HALTING.contains(&self.code)
    }

    /// The world said no.
    pub(super) fn refused(code: &'static str, about: &str, rows: u64, says: String) -> Fault {
        Fault {
            kind: FaultKind::Refused,
            code,
            about: about.to_owned(),
            rows,
            says,
            help: String::new(),
            checks: Vec::new(),
            passed: Vec::new(),
            detail: None,
        }
    }

    /// Ours to mend.
    pub(super) fn broken(code: &'static str, about: &str, says: String) -> Fault {
        Fault {
            kind: FaultKind::Broken,
            ..Fault::refused(code, about, 0, says)
        }
    }

    /// The same fault with a next step.
    #[must_use]
    pub(super) fn help(self, help: impl Into<String>) -> Fault {
        Fault {
            help: help.into(),
            ..self
        }
    }
}

impl Finding {
    /// Something that stops the step.
    pub(super) fn stop(code: &'static str, about: impl Into<String>, says: String) -> Finding {
        Finding {
            code,
            stops: true,
            says,
            help: String::new(),
            about: about.into(),
            rows: BTreeMap::new(),
            place: None,
        }
    }

    /// Something that people should know.
    pub(super) fn warn(code: &'static str, about: impl Into<String>, says: String) -> Finding {
        Finding {
            stops: false,
            ..Finding::stop(code, about, says)
        }
    }

    /// The same finding with a next step.
    #[must_use]
    pub(super) fn help(self, help: impl Into<String>) -> Finding {
        Finding {
            help: help.into(),
            ..self
        }
    }

    /// The finding as the fault of a step that was started all the same.
    pub(super) fn refusal(self) -> Fault {
        let rows = self.rows.values().sum();
        let code = if self.code == "HO310" {
            "HO511"
        } else {
            self.code
        };
        Fault::refused(code, &self.about, rows, self.says).help(self.help)
    }
}

impl From<DbFault> for Fault {
    fn from(fault: DbFault) -> Fault {
        let (kind, code, help) = verdict(&fault.trouble);
        Fault {
            kind,
            ..Fault::refused(code, &fault.org, 0, fault.to_string())
        }
        .help(help)
    }
}

/// Whether waiting may help, under which code, and what to do.
fn verdict(trouble: &DbTrouble) -> (FaultKind, &'static str, &'static str) {
    use FaultKind::{Broken, Refused, Transient};
    match trouble {
        DbTrouble::Missing => (Refused, "HO901", "check the address of the database"),
        DbTrouble::Locked(_) => (
            Transient,
            "HO902",
            "end the process that holds the database, or wait for it",
        ),
        DbTrouble::ReadOnly => (
            Refused,
            "HO903",
            "give this account the right to write to the database",
        ),
        DbTrouble::Unreadable => (
            Refused,
            "HO912",
            "give this account the right to read the database",
        ),
        DbTrouble::Unread(_) => (
            Refused,
            "HO912",
            "give this account the right to read that table, then run again",
        ),
        DbTrouble::NeedsFolder => (
            Refused,
            "HO913",
            "give this account the right to write to the database's folder",
        ),
        DbTrouble::Interrupted => (Transient, "HO914", "run again: it goes on from its marks"),
        DbTrouble::Full => (
            Transient,
            "HO904",
            "make room on its disk, then run again: it goes on from its marks",
        ),
        DbTrouble::Disk => (
            Transient,
            "HO904",
            "look at its disk, quotas and size limits, then run again: it goes on from its marks",
        ),
        DbTrouble::NotADatabase => (Refused, "HO905", "check the address of the database"),
        DbTrouble::Damaged => (Refused, "HO906", "restore the database before going on"),
        DbTrouble::NoSuch(_) => (
            Refused,
            "HO907",
            "the schema is not the one that the map speaks of",
        ),
        DbTrouble::Constraint { .. } => (
            Refused,
            "HO908",
            "mend the rows at the source or change the map",
        ),
        DbTrouble::NotMadeUp => (
            Refused,
            "HO909",
            "a rehearsal runs on made-up databases only",
        ),
        DbTrouble::Fenced { .. } => (
            Broken,
            "HO910",
            "another executor has the run: leave it to it",
        ),
        DbTrouble::AheadOfJournal { .. } => (
            Broken,
            "HO911",
            "the journal was cut or restored: use the newest copy of it",
        ),
        DbTrouble::Untrusted(_) => (Refused, "HO918", UNTRUSTED),
        DbTrouble::Unreachable(_) | DbTrouble::Cut | DbTrouble::Clash => of_a_server(trouble),
        DbTrouble::Other(code) if PASSING.contains(&(code & 0xff)) => (
            Transient,
            "HO919",
            "look at the machine's disk, then run again",
        ),
        DbTrouble::Other(_) | DbTrouble::State(_) | DbTrouble::Cannot(_) => {
            (Broken, "HO919", "report this with the step log")
        }
    }
}

/// What to do about a server that is not what its address asks for.
const UNTRUSTED: &str = "name the right authority (`sslrootcert`, `ssl-ca`) and the server's own name in the \
     address; where both are right, somebody else may be answering: ask whoever runs the server";

/// What only servers say: all of it may pass.
fn of_a_server(trouble: &DbTrouble) -> (FaultKind, &'static str, &'static str) {
    let (code, help) = match trouble {
        DbTrouble::Unreachable(_) => (
            "HO915",
            "check the address, the server and the account, then run again: it goes on from its marks",
        ),
        DbTrouble::Cut => (
            "HO916",
            "look at the server and the network, then run again: it goes on from its marks",
        ),
        _ => ("HO917", "run again: it goes on from its marks"),
    };
    (FaultKind::Transient, code, help)
}
