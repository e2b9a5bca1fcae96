//! What `apply` refuses, in words and by finding code.
//!
//! Not here: the rules themselves (`apply`), what was allowed instead (`replay` asks `decide`).

use super::amend::AmendFault;
use super::event::About;
use super::gate::NotTheirs;
use super::rollback::NoRollback;
use super::state::StepState;
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// An entry that no honest executor could have written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} (`{name}`{}) is not allowed there: {breach}", about(.step.as_ref()))]
pub struct Illegal {
    /// Its position.
    pub seq: u64,
    /// Its type.
    pub name: &'static str,
    /// The step it speaks of.
    pub step: Option<StepId>,
    /// Which rule it breaks.
    #[source]
    pub breach: Breach,
}

fn about(step: Option<&StepId>) -> String {
    step.map_or_else(String::new, |step| format!(" of `{step}`"))
}

/// A rule that an entry breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The first entry is `log.opened`.
    #[error("the log is not opened by it")]
    NotOpened,
    /// Positions go up by one.
    #[error("it should stand at {expected}")]
    Seq {
        /// The position that was to come.
        expected: u64,
    },
    /// One log, one run.
    #[error("it belongs to another run")]
    OtherRun,
    /// After `log.closed` there are only seals.
    #[error("the log is closed")]
    Closed,
    /// Another paper than the one in force.
    #[error("its `plan` is not the paper in force")]
    PlanSwitch,
    /// The paper itself is missing.
    #[error("the paper {0} is not at hand")]
    UnknownPaper(Digest),
    /// Step count or graph differ from the paper's.
    #[error("it does not describe the paper it names")]
    NotThisPlan,
    /// Nothing happens before `plan.bound`.
    #[error("no plan is bound yet")]
    NotBound,
    /// Once is all.
    #[error("that was written already")]
    Twice,
    /// A lower epoch after a higher one.
    #[error("its epoch is not above {highest}, the highest so far")]
    StaleEpoch {
        /// The highest epoch so far.
        highest: u64,
    },
    /// No lease of that epoch is held.
    #[error("no lease of its epoch is held")]
    NoLease,
    /// Another executor under the same epoch.
    #[error("another executor holds that lease")]
    SplitBrain,
    /// Time runs forward, unless `clock.stepped` says otherwise.
    #[error("its clock is behind that of the entry before")]
    ClockBack,
    /// A real clock has one time.
    #[error("its clock is real, and `as_at` is another time than `at`")]
    ClockApart,
    /// `about` is missing, or stands where it should not.
    #[error("it must say which step it is about, or must not")]
    About,
    /// The paper has no such step.
    #[error("the paper in force has no such step")]
    UnknownStep,
    /// Another generation or attempt than the one that stands or is to come.
    #[error("it should be about generation {} attempt {}", .0.generation, .0.attempt)]
    Generation(About),
    /// The step does not stand where this could follow.
    #[error("the step is {0:?}")]
    State(StepState),
    /// Something else must come first.
    #[error("`{0}` comes first")]
    Order(StepId),
    /// It runs already, in this very lease.
    #[error("it is already running")]
    DoubleRun,
    /// Its date has not come.
    #[error("its date has not come")]
    TooEarly,
    /// Its gate is not open.
    #[error("its gate is not open")]
    Unapproved,
    /// Its hold is not answered.
    #[error("its hold is not answered")]
    Unanswered,
    /// The seats of the paper have not all signed it.
    #[error("the paper is not signed")]
    Unsigned,
    /// A refusal stands: nothing new starts.
    #[error("a refusal stands")]
    Refused,
    /// Nothing forward while going back.
    #[error("a rollback is on")]
    RollingBack,
    /// Going on after a rollback is a run of its own.
    #[error("a rollback was done in this very lease")]
    RolledBack,
    /// It failed, and neither a person nor its retry policy lets it try again now.
    #[error("it failed and may not be tried again yet")]
    NotFreed,
    /// Not the idempotency key of this run, step and generation.
    #[error("its idempotency key is not that of this generation")]
    Key,
    /// `reversible` is untrue.
    #[error("`reversible` is untrue")]
    Reversible,
    /// Not the entries that finished what it comes after.
    #[error("`deps` are not the entries it comes after")]
    Deps,
    /// Not the entries that let it.
    #[error("`approvals` are not the entries that allow it")]
    Approvals,
    /// Ordinals go up, rows never down.
    #[error("its mark does not go on from the one before")]
    Mark,
    /// A failure without a code explains nothing.
    #[error("it has no code")]
    NoCode,
    /// Nobody waits there.
    #[error("nothing waits for it")]
    NoHold,
    /// There is no gate for decisions there, or it is open.
    #[error("there is no gate that waits for decisions")]
    NoGate,
    /// Not the seats that are missing.
    #[error("it does not name the seats that are missing")]
    Seats,
    /// Decisions are asked for first.
    #[error("nobody was asked for it yet")]
    NotAsked,
    /// The step has begun: a decision about its gate changes nothing.
    #[error("the step has begun")]
    TooLate,
    /// The decision is not that person's to make.
    #[error("the decision is not theirs: {0}")]
    NotTheirs(#[source] NotTheirs),
    /// The plan asks for a signature there.
    #[error("it must be signed, and is not")]
    NoSignature,
    /// Method, key and signature do not go together.
    #[error("its method, its key and its signature do not go together")]
    Proof,
    /// What was signed is something else than what the entry says.
    #[error("what was signed is another decision: of another log, run, plan, step, person or head")]
    OtherStatement,
    /// Signed too early or too late.
    #[error("what was signed does not count at that moment")]
    Window,
    /// Signed once, used twice.
    #[error("what was signed has been used already")]
    Nonce,
    /// Too few distinct people.
    #[error("it needs the standing decisions of {needed} people")]
    FourEyes {
        /// How many.
        needed: usize,
    },
    /// Who signed an amendment is news to the paper in force.
    #[error("{needed} of those who sign must be known, with their keys, to the paper in force")]
    Strangers {
        /// How many.
        needed: usize,
    },
    /// Finished work would change.
    #[error("the amendment changes what has begun")]
    Amendment(Vec<AmendFault>),
    /// There is no such rollback to start.
    #[error("there is no rollback to start: {0}")]
    NoRollback(#[source] NoRollback),
    /// No rollback is on.
    #[error("no rollback is on")]
    NoRollbackOn,
    /// Other steps than the checkpoint demands.
    #[error("it is not the rollback that the checkpoint demands")]
    NotThisRollback,
    /// Not among the steps to undo.
    #[error("it is not to be undone")]
    NotListed,
    /// Nobody can undo it (any more).
    #[error("it cannot be undone")]
    Irreversible,
    /// Another mode than the rollback's.
    #[error("its mode is not the one that was agreed")]
    Mode,
    /// Something of this lease has no outcome yet.
    #[error("`{0}` has no outcome yet")]
    InFlight(StepId),
    /// Counts or roots differ from what the entries before amount to.
    #[error("it does not say what the entries before amount to")]
    Counts,
    /// It cannot be undone, and too few witnesses have signed what it rests on.
    #[error("too few witnesses have signed a seal of what it rests on")]
    Unwitnessed,
    /// Nobody seals this log.
    #[error("the log is not sealed")]
    Unsealed,
    /// The plan names no such witness.
    #[error("the paper in force names no such witness")]
    UnknownWitness,
    /// Another witness signed another root at that size.
    #[error("another root was signed at that size")]
    OtherRoot,
    /// A seal over entries that do not exist.
    #[error("it covers entries that do not exist")]
    SealAhead,
}

impl Breach {
    /// The finding code of `verify`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Breach::Seq { .. } | Breach::NotOpened => "SEQ",
            Breach::OtherRun => "OTHER_RUN",
            Breach::PlanSwitch | Breach::NotThisPlan | Breach::Amendment(_) => "PLAN_SWITCH",
            Breach::UnknownPaper(_) => "NO_PAPER",
            Breach::StaleEpoch { .. } => "STALE_EPOCH",
            Breach::NoLease => "NO_LEASE",
            Breach::SplitBrain => "SPLIT_BRAIN",
            Breach::ClockBack => "CLOCK_BACK",
            Breach::ClockApart => "CLOCK_APART",
            Breach::UnknownStep => "UNKNOWN_STEP",
            Breach::Order(_)
            | Breach::TooEarly
            | Breach::Deps
            | Breach::RollingBack
            | Breach::RolledBack
            | Breach::NotListed => "ORDER",
            Breach::DoubleRun | Breach::Key => "DOUBLE_RUN",
            Breach::Unapproved
            | Breach::NoSignature
            | Breach::Unanswered
            | Breach::Unsigned
            | Breach::NotFreed
            | Breach::Approvals
            | Breach::NotAsked => "UNAPPROVED",
            Breach::Unwitnessed | Breach::UnknownWitness => "NO_QUORUM",
            Breach::OtherRoot => "ROOT_MISMATCH",
            Breach::Refused => "REFUSED",
            Breach::TooLate => "LATE_APPROVAL",
            Breach::NotTheirs(NotTheirs::Author | NotTheirs::SamePerson | NotTheirs::SameKey)
            | Breach::FourEyes { .. }
            | Breach::Strangers { .. } => "FOUR_EYES",
            Breach::NotTheirs(NotTheirs::OtherKey) | Breach::Proof => "BAD_APPROVAL",
            Breach::OtherStatement | Breach::Nonce => "REPLAYED_APPROVAL",
            Breach::Window => "KEY_EXPIRED",
            Breach::NotTheirs(_) => "ROLE",
            Breach::Irreversible | Breach::Reversible => "IRREVERSIBLE",
            Breach::NoRollback(_) | Breach::NoRollbackOn | Breach::NotThisRollback => "ROLLBACK",
            Breach::Closed
            | Breach::NotBound
            | Breach::Twice
            | Breach::About
            | Breach::Generation(_)
            | Breach::State(_)
            | Breach::Mark
            | Breach::NoCode
            | Breach::NoHold
            | Breach::NoGate
            | Breach::Seats
            | Breach::Mode
            | Breach::InFlight(_)
            | Breach::Counts
            | Breach::Unsealed
            | Breach::SealAhead => "STATE",
        }
    }
}
