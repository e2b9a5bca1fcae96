//! How a command fails: what happened, where, what to do next, which exit code. One printer turns it
//! into words (`output`).

use std::fmt;

use super::exit::Exit;
use super::preview::no_amendment;
use crate::export::bag::BagFault;
use crate::export::pack::PackFault;
use crate::export::views::ViewFault;
use crate::journal::JournalFault;
use crate::machine::gate::NotTheirs;
use crate::machine::illegal::{Breach, Illegal};
use crate::machine::shown::shown;
use crate::orgdb::{DbFault, DbTrouble};
use crate::preview::LookFault;
use crate::run::approvals::ProofFault;
use crate::run::close::KeepFault;
use crate::run::decisions::WordFault;
use crate::run::rollback::BackFault;
use crate::run::who::WhoFault;
use crate::run::{CarryFault, SiteFault};
use crate::steps;

/// A command's failure, ready to be said.
#[derive(Debug)]
pub(super) struct Failure {
    /// What to end with.
    pub exit: Exit,
    /// A code of `explain`, where there is one.
    pub code: Option<String>,
    /// What happened.
    pub says: String,
    /// Causes, outermost first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
    /// Text that was made for this already (faults with carets) and stands instead of `says`.
    pub drawn: Option<String>,
    /// Data that stands for it with `--json`.
    pub data: Option<serde_json::Value>,
}

/// A hint, to be added with [`Failure::with`].
pub(super) struct Hint(String);

/// What to do next, as a sentence's body.
pub(super) fn hint(text: impl Into<String>) -> Hint {
    Hint(text.into())
}

impl Failure {
    /// A failure with an exit code.
    pub(super) fn new(exit: Exit, says: impl Into<String>) -> Failure {
        Failure {
            exit,
            code: None,
            says: says.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            drawn: None,
            data: None,
        }
    }

    /// A failure that `explain` has a page for.
    pub(super) fn coded(exit: Exit, code: &str, says: impl Into<String>) -> Failure {
        Failure {
            code: Some(code.to_owned()),
            ..Failure::new(exit, says)
        }
    }

    /// The command line is wrong.
    pub(super) fn usage(says: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, says)
    }

    /// A database cannot be used.
    pub(super) fn database(code: &str, says: impl Into<String>) -> Failure {
        Failure::coded(Exit::Database, code, says)
    }

    /// The same, from an error and everything below it.
    pub(super) fn from_error(exit: Exit, error: &(dyn std::error::Error + 'static)) -> Failure {
        let mut failure = Failure::new(exit, shown(&error.to_string()));
        let mut below = error.source();
        while let Some(cause) = below {
            failure.causes.push(shown(&cause.to_string()));
            below = cause.source();
        }
        failure
    }

    /// Adds an error and everything below it as causes.
    #[must_use]
    pub(super) fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let below = Failure::from_error(self.exit, error);
        self.causes.push(below.says);
        self.causes.extend(below.causes);
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(super) fn with(mut self, hint: Hint) -> Failure {
        self.hints.push(hint.0);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl std::error::Error for Failure {}

impl From<JournalFault> for Failure {
    fn from(fault: JournalFault) -> Failure {
        let failure = Failure::from_error(Exit::of(fault.exit_code()), &fault);
        Failure {
            code: Some(fault.code().to_owned()),
            ..failure
        }
        .with(hint(fault.remedy()))
    }
}

impl From<BagFault> for Failure {
    fn from(fault: BagFault) -> Failure {
        let exit = match fault {
            BagFault::Exists(_) | BagFault::NoBag(_) => Exit::Usage,
            BagFault::Path { .. } | BagFault::TooLarge { .. } => Exit::Difference,
            BagFault::Io(..) => Exit::Database,
        };
        Failure::from_error(exit, &fault)
    }
}

impl From<PackFault> for Failure {
    fn from(fault: PackFault) -> Failure {
        match fault {
            PackFault::Bag(fault) => fault.into(),
            PackFault::Log(fault) | PackFault::View(ViewFault::Log(fault)) => fault.into(),
            PackFault::View(ViewFault::Write(_)) | PackFault::Kept(..) => {
                Failure::from_error(Exit::Database, &fault)
            }
            PackFault::View(ViewFault::Line { .. })
            | PackFault::Line { .. }
            | PackFault::NoOpening => Failure::from_error(Exit::Difference, &fault),
        }
    }
}

impl From<KeepFault> for Failure {
    fn from(fault: KeepFault) -> Failure {
        match fault {
            KeepFault::Db(fault) => fault.into(),
            KeepFault::File(_) => Failure::from_error(Exit::Database, &fault),
        }
    }
}

impl From<SiteFault> for Failure {
    fn from(fault: SiteFault) -> Failure {
        match fault {
            SiteFault::Journal(fault) => fault.into(),
            SiteFault::Paper { .. } => Failure::from_error(Exit::Newer, &fault).with(hint(
                "use the version of Handover that began this run, or a later one",
            )),
            SiteFault::Refused { illegal, .. } => not_taken(&illegal),
            SiteFault::Illegal { .. } => Failure {
                code: Some("HO602".to_owned()),
                ..Failure::from_error(Exit::Difference, &fault)
            },
        }
    }
}

/// What was to be written breaks a rule, and nothing of it was: by its rule, and by who was to write it.
fn not_taken(illegal: &Illegal) -> Failure {
    let unsigned = |code, next| {
        let failure = Failure::coded(Exit::Unsigned, code, shown(&illegal.to_string()));
        failure.with(hint(next))
    };
    match &illegal.breach {
        Breach::Amendment(faults) => no_amendment(faults),
        Breach::NotTheirs(why) => {
            let (code, next) = not_theirs(*why);
            unsigned(code, next)
        }
        Breach::FourEyes { .. } => {
            unsigned("HO401", "have it signed by as many people, then again")
        }
        Breach::Strangers { .. } => unsigned(
            "HO403",
            "have it signed by people whom the paper in force names, each with the key that it has for them",
        ),
        Breach::NoSignature => unsigned("HO409", "sign with --key FILE, or with --statement FILE"),
        Breach::Proof | Breach::OtherStatement => unsigned(
            "HO410",
            "make the statement anew with --statement FILE, and have that very file signed",
        ),
        Breach::Nonce | Breach::Window => unsigned(
            "HO411",
            "make the statement anew with --statement FILE, and have it signed",
        ),
        Breach::NoRollback(_) | Breach::NotThisRollback => {
            unsigned("HO402", "preview and sign the rollback again")
        }
        _ if by_people(illegal.name) => Failure::from_error(Exit::Usage, illegal)
            .with(hint("`handover status` shows what the run waits for")),
        _ => Failure {
            code: Some("HO609".to_owned()),
            ..Failure::from_error(Exit::Bug, illegal)
        }
        .with(hint(
            "nothing was written; this is a fault in Handover, please report it",
        )),
    }
}

/// Entries that say what somebody said: the executor writes the others by itself.
fn by_people(name: &str) -> bool {
    name.starts_with("approval.") && name != "approval.requested" || name == "hold.answered"
}

/// The code of somebody's decision that does not count, and what to do.
fn not_theirs(why: NotTheirs) -> (&'static str, &'static str) {
    const STATUS: &str = "`handover status` shows whose decisions the run waits for";
    match why {
        NotTheirs::NoPerson | NotTheirs::NotHeld => (
            "HO403",
            "look at the person's roles and dates in people.toml: a change there is a change of the paper",
        ),
        NotTheirs::Author => ("HO404", "let another holder of the role decide"),
        NotTheirs::SamePerson | NotTheirs::SameKey => {
            ("HO405", "let another person who holds the role decide")
        }
        NotTheirs::NotAsked | NotTheirs::NothingToRevoke => ("HO407", STATUS),
        NotTheirs::Decided => (
            "HO408",
            "`handover status` shows who is still asked; `handover approve --revoke` takes back what was decided",
        ),
        NotTheirs::OnlyWord => ("HO409", "sign with --key FILE, or with --statement FILE"),
        NotTheirs::OtherKey => (
            "HO410",
            "sign with the key that people.toml has for that person",
        ),
    }
}

impl From<DbFault> for Failure {
    fn from(fault: DbFault) -> Failure {
        let exit = match &fault.trouble {
            DbTrouble::Fenced { .. } => Exit::Claimed,
            DbTrouble::AheadOfJournal { .. } => Exit::Difference,
            _ => Exit::Database,
        };
        let fault = steps::Fault::from(fault);
        Failure::coded(exit, fault.code, fault.says).with(hint(fault.help))
    }
}

impl From<LookFault> for Failure {
    fn from(fault: LookFault) -> Failure {
        match fault {
            LookFault::Step { fault, .. } => fault.into(),
            LookFault::Codes { fault, .. } => fault.into(),
        }
    }
}

impl From<steps::Fault> for Failure {
    fn from(fault: steps::Fault) -> Failure {
        let exit = if fault.code.starts_with("HO9") {
            Exit::Database
        } else {
            Exit::StepFailed
        };
        Failure::coded(exit, fault.code, fault.says).with(hint(fault.help))
    }
}

impl From<CarryFault> for Failure {
    fn from(fault: CarryFault) -> Failure {
        match fault {
            CarryFault::Db(fault) => fault.into(),
            CarryFault::Site(fault) => fault.into(),
            CarryFault::Halted(fault) => Failure {
                exit: Exit::Database,
                ..fault.into()
            },
            CarryFault::Stopped => Failure::new(Exit::Interrupted, "stopped at a safe point").with(
                hint("what is durable is safe; the same command goes on from there"),
            ),
        }
    }
}

impl From<WordFault> for Failure {
    fn from(fault: WordFault) -> Failure {
        match fault {
            WordFault::Proof(ProofFault::Site(fault)) | WordFault::Site(fault) => fault.into(),
            WordFault::Proof(ProofFault::NoDecision) => Failure::from_error(Exit::Usage, &fault)
                .with(hint(
                    "`handover status` shows whose decisions the run waits for",
                )),
            WordFault::Proof(ref why) => Failure::coded(
                Exit::Unsigned,
                "HO410",
                format!("the signature is not taken: {why}"),
            ),
            WordFault::Keep(_) => Failure::from_error(Exit::Database, &fault),
            WordFault::NoStep(_) | WordFault::NotAsked { .. } => {
                Failure::from_error(Exit::Usage, &fault)
                    .with(hint("`handover status` shows what the run waits for"))
            }
        }
    }
}

impl From<WhoFault> for Failure {
    fn from(fault: WhoFault) -> Failure {
        Failure::from_error(Exit::Usage, &fault)
    }
}

impl From<BackFault> for Failure {
    fn from(fault: BackFault) -> Failure {
        match fault {
            BackFault::Site(fault) => fault.into(),
            BackFault::Stale => Failure::coded(Exit::Unsigned, "HO402", fault.to_string())
                .with(hint("preview and sign the rollback again")),
            BackFault::None(_) => Failure::from_error(Exit::Stuck, &fault),
        }
    }
}
