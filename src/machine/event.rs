//! Facts about a run, past tense: exactly the entry types of the step log, one variant each. What a
//! line of the log carries is here; how its bytes look is in `line`.
//!
//! Only counts, codes, keyed digests and roots enter an entry: there is no field in which personal
//! data could stand. Version 1 of the format; a change to a stored field is a new version.
//!
//! Not here: what a fact does to a run (`run`), how facts are stored (`journal`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Seat};
use crate::plan::outline::StepId;
use crate::signature::statement::{After, Window};

/// The format of entries, `v` in every line.
pub const VERSION: u32 = 1;

/// One line of the step log, without its place in the chain (`seq` and `prev` are the journal's).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position in the log, from 0.
    pub seq: u64,
    /// SHA-256 of the line before; zeros at 0.
    pub prev: Digest,
    /// The run.
    pub run: Uuid,
    /// The paper in force.
    pub plan: Digest,
    /// Wall clock: always real.
    pub at: Time,
    /// The plan's time; differs from `at` only where the log was opened with a made-up clock.
    pub as_at: Time,
    /// The machine's boot, and nanoseconds since: they order entries when the wall clock jumps.
    pub boot: Uuid,
    /// See `boot`.
    pub mono: u64,
    /// Which executor instance wrote it (a random id).
    pub exec: Uuid,
    /// The fencing number of the lease it held.
    pub epoch: u64,
    /// The step it is about, if it is about one.
    pub about: Option<About>,
    /// Who acted.
    pub actor: Actor,
    /// What happened.
    pub event: Event,
}

/// Which carrying-out of which step an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    /// The step.
    pub step: StepId,
    /// From 1; raised by each undo.
    pub generation: u32,
    /// From 1 in each generation.
    pub attempt: u32,
}

/// Who acted: the executor, or a person by code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Actor {
    /// The program.
    Executor,
    /// Somebody of `people.toml`, acting in a role for an organisation.
    Person {
        /// Their code.
        person: Code,
        /// In which role.
        role: Code,
        /// For which organisation.
        org: Code,
        /// The key they signed with, where they signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
}

/// A fact. The comment names its type in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `log.opened`
    LogOpened(LogOpened),
    /// `plan.bound`
    PlanBound(PlanBound),
    /// `plan.amended`
    PlanAmended(PlanAmended),
    /// `approval.requested`
    ApprovalRequested(ApprovalRequested),
    /// `approval.granted`
    ApprovalGranted(Decision),
    /// `approval.refused`
    ApprovalRefused(Decision),
    /// `approval.revoked`
    ApprovalRevoked(Decision),
    /// `lease.acquired`
    LeaseAcquired(LeaseAcquired),
    /// `lease.released`
    LeaseReleased(Empty),
    /// `hold.begun`
    HoldBegun(HoldBegun),
    /// `hold.answered`
    HoldAnswered(HoldAnswered),
    /// `run.rested`
    RunRested(RunRested),
    /// `step.started`
    StepStarted(StepStarted),
    /// `step.marked`
    StepMarked(StepMarked),
    /// `step.committed`
    StepCommitted(StepCommitted),
    /// `step.failed`
    StepFailed(StepFailed),
    /// `step.skipped`
    StepSkipped(StepSkipped),
    /// `rollback.started`
    RollbackStarted(RollbackStarted),
    /// `rollback.committed`
    RollbackCommitted(RollbackCommitted),
    /// `rollback.failed`
    RollbackFailed(RollbackFailed),
    /// `undo.started`
    UndoStarted(UndoStarted),
    /// `undo.committed`
    UndoCommitted(UndoCommitted),
    /// `undo.failed`
    UndoFailed(StepFailed),
    /// `external.attested`
    ExternalAttested(ExternalAttested),
    /// `check.passed`
    CheckPassed(Check),
    /// `check.failed`
    CheckFailed(Check),
    /// `operator.override`
    OperatorOverride(OperatorOverride),
    /// `clock.stepped`
    ClockStepped(ClockStepped),
    /// `seal.cosigned`
    SealCosigned(SealCosigned),
    /// `seal.heartbeat`
    SealHeartbeat(Empty),
    /// `key.rotated`
    KeyRotated(KeyRotated),
    /// `log.recovered`
    LogRecovered(LogRecovered),
    /// `log.closed`
    LogClosed(LogClosed),
}

/// A body without fields: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// Whether the plan's time is the wall clock's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockKind {
    /// It is.
    #[serde(rename = "real")]
    Real,
    /// A demo or drill: every output says *rehearsal*.
    #[serde(rename = "made-up")]
    MadeUp,
}

/// The first entry of every log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogOpened {
    /// `<project>/<run id>`.
    pub origin: String,
    /// The key that seals this log; absent: an unsealed log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<String>,
    /// Version of Handover that wrote it.
    pub product: String,
    /// Digest of the JSON Schema of entries.
    pub schema: Digest,
    /// Digest of the paper's manifest.
    pub manifest: Digest,
    /// Commitment to the run key.
    pub commitment: Digest,
    /// Real, or made up.
    pub clock: ClockKind,
    /// Source organisations and the fingerprints of their databases' schemas.
    pub sources: Vec<OrgPrint>,
    /// Target organisations, likewise.
    pub targets: Vec<OrgPrint>,
    /// The log that this one goes on from, after `recover`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousLog>,
}

/// An organisation and its database's schema as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgPrint {
    /// The organisation's code.
    pub org: Code,
    /// Digest of the database's catalogue.
    pub schema: Digest,
}

/// The head of a log that was lost in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousLog {
    /// Its origin.
    pub origin: String,
    /// How many entries of it are left.
    pub size: u64,
    /// Digest of its last line.
    pub head: Digest,
    /// The highest position that an organisation's ledger speaks of.
    pub seen: u64,
}

/// The paper that binds the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanBound {
    /// How many steps after fan-out.
    pub steps: u64,
    /// Digest over ids, edges and undo words.
    pub dag: Digest,
}

/// Another paper is in force from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAmended {
    /// The paper until here.
    pub old: Digest,
    /// The paper from here on.
    pub new: Digest,
    /// Digest over the new ids, edges and undo words.
    pub dag: Digest,
    /// Entries of the decisions that allow it.
    pub approvals: Vec<u64>,
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "lowercase", deny_unknown_fields)]
pub enum On {
    /// A paper: a preview or an amendment.
    Paper {
        /// Its fingerprint.
        paper: Digest,
    },
    /// A gate of this run.
    Gate {
        /// The approval step.
        step: StepId,
    },
    /// A rollback's reviewed preview.
    Rollback {
        /// Its digest.
        preview: Digest,
    },
}

/// Decisions are waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequested {
    /// What about.
    pub on: On,
    /// Of whom.
    pub seats: Vec<Seat>,
}

/// How a decision reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Entered by hand, as said by the person.
    Recorded,
    /// An OpenSSH signature over the statement.
    Sshsig,
}

/// Somebody decided; the actor says who, in which role, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What about.
    pub on: On,
    /// Digest of the statement (role, decision, reason, moment): the words stay outside the log.
    pub statement: Digest,
    /// How it reached us.
    pub method: Method,
    /// Digest of an evidence file, where one was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
    /// Counts and sums per organisation that the decision was made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Digest>,
    /// Where it was signed: by what, from when to when, and on which head of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

/// What a signature adds to a decision; the actor holds the key's fingerprint. With the rest of the entry
/// it gives the signed statement again, byte for byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Digest of the signature's file.
    pub signature: Digest,
    /// From when to when it counts, and its nonce.
    pub window: Window,
    /// The head of the log that the signer saw, at a gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
}

/// An executor has the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseAcquired {
    /// Its fencing number: one more than the journal's highest.
    pub epoch: u64,
    /// Organisations whose fences are raised to it.
    pub fences: Vec<Code>,
}

/// What a hold waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "lowercase", deny_unknown_fields)]
pub enum Waiting {
    /// A moment.
    Date {
        /// Which.
        until: Time,
    },
    /// Somebody's word that a thing was done.
    Person {
        /// Whose.
        seat: Seat,
    },
    /// Evidence from outside, such as signature dates.
    Evidence {
        /// From whom.
        seat: Seat,
        /// A code for what (`signatures`).
        what: Code,
        /// How many are missing.
        missing: u64,
    },
    /// Enough witnesses under one seal of the log: the step cannot be undone.
    Seal {
        /// How many entries that seal must cover: all that the step rests on.
        size: u64,
    },
}

/// A step waits for a person or a date: not a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldBegun {
    /// For what.
    pub waiting: Waiting,
}

/// A hold was answered by the actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldAnswered {
    /// `done`, `retry` or `evidence`.
    pub answer: Answer,
    /// Digest of the statement.
    pub statement: Digest,
    /// Digest of an evidence file, where one was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The thing was done.
    Done,
    /// Evidence was handed in; look again.
    Evidence,
    /// The cause of a failure or refusal was mended; try again.
    Retry,
    /// What a step does by hand on rollback was done and is attested.
    Undone,
}

/// The run came to rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRested {
    /// Steps per rest state.
    pub completed: u64,
    /// See `completed`.
    pub held: u64,
    /// See `completed`.
    pub failed: u64,
    /// See `completed`.
    pub refused: u64,
    /// See `completed`.
    pub undone: u64,
    /// See `completed`.
    pub stuck: u64,
    /// Not yet begun and not held: waiting for others.
    pub pending: u64,
    /// The exit code of it.
    pub exit: u8,
}

/// The intent to act, durable before any effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepStarted {
    /// Stable over attempts, different in each generation: SHA-256 of run, step and generation.
    pub key: Digest,
    /// Whether we can take it back.
    pub reversible: bool,
    /// Entries of the `step.committed` it comes after.
    pub deps: Vec<u64>,
    /// Entries of the decisions or answers that let it start.
    pub approvals: Vec<u64>,
}

/// A chunk of the step is durable at the organisations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepMarked {
    /// Which effect of this generation, from 1.
    pub ordinal: u64,
    /// Rows done so far in this generation.
    pub rows: u64,
    /// Keyed root of the effect.
    pub root: Digest,
}

/// Counts of a dataset after a step: copied + rejected + filtered + merged = routed rows of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetCount {
    /// Its name in the map, or the table written.
    pub dataset: Code,
    /// The organisation it is about, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<Code>,
    /// Rows written (or counted, for a check).
    pub rows: u64,
    /// Rows that could not go and were kept as data.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "counted")]
    pub rejected: u64,
    /// Rows left out on purpose.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "counted")]
    pub filtered: u64,
    /// Rows for which another stands that was there before.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "counted")]
    pub merged: u64,
    /// Sum of the dataset's money column, in pence, as text (sums outgrow no integer there).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pence: Option<String>,
    /// Keyed root over its chunks.
    pub root: Digest,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands skip tests a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A count that is left out when zero: written as zero it would be a second form of the same line.
fn counted<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(serde::de::Error::custom("a count of nothing is left out")),
        count => Ok(count),
    }
}

/// The step finished.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCommitted {
    /// What it wrote or counted.
    pub outputs: Vec<DatasetCount>,
    /// How many effects stand in the ledgers for it.
    pub effects: u64,
}

/// Whose fault, and what may be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// The world said no: data, rights, a check. Trying again changes nothing by itself.
    Refused,
    /// A passing fault of the infrastructure. Never a reason to undo.
    Transient,
    /// Ours to mend.
    Broken,
}

/// The step (or its undo) did not finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFailed {
    /// Whose fault.
    pub kind: FaultKind,
    /// `HO511`: every code has an `explain` page.
    pub code: Code,
    /// The table, column, dataset or constraint it is about; never a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Code>,
    /// How many rows it is about.
    #[serde(default, skip_serializing_if = "is_zero", deserialize_with = "counted")]
    pub rows: u64,
    /// Keyed digest of a restricted detail file beside the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Digest>,
}

/// Left out for a reason, by decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSkipped {
    /// Why.
    pub reason: Code,
    /// The decision.
    pub approval: u64,
}

/// Undo what is not in the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackStarted {
    /// The checkpoint's number: how many steps had finished; 0 is before everything.
    pub checkpoint: u64,
    /// The steps in it: a down-closed set.
    pub keeps: Vec<StepId>,
    /// Steps that will be undone, in the order of the rollback.
    pub undoes: Vec<StepId>,
    /// Steps beyond the checkpoint that stay done.
    pub stays: Vec<StepId>,
    /// Entries of approvals made void.
    pub void: Vec<u64>,
    /// Digest of the reviewed preview.
    pub preview: Digest,
    /// How rows changed since are treated.
    pub mode: UndoMode,
    /// Entries of the decisions that allow it.
    pub approvals: Vec<u64>,
}

/// The rollback is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackCommitted {
    /// The checkpoint.
    pub checkpoint: u64,
}

/// The rollback needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackFailed {
    /// The checkpoint.
    pub checkpoint: u64,
    /// Steps that are stuck.
    pub stuck: Vec<StepId>,
}

/// What an undo does with rows that somebody changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UndoMode {
    /// Nothing is undone until a person decides.
    #[default]
    Refuse,
    /// They stay and are reported; untouched rows go.
    Skip,
    /// They go too, and are reported.
    Force,
}

/// The intent to undo, durable before any effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoStarted {
    /// How.
    pub mode: UndoMode,
}

/// The step is undone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoCommitted {
    /// How.
    pub mode: UndoMode,
    /// Rows taken out.
    pub removed: u64,
    /// Rows put back as they were.
    pub restored: u64,
    /// Rows that somebody changed since: left (`skip`) or taken (`force`), and listed.
    pub reported: u64,
}

/// A paper act outside the databases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalAttested {
    /// `novation-deeds`, `letters`, `correction` …
    pub what: Code,
    /// Digest of the document or batch.
    pub document: Digest,
    /// How many.
    pub count: u64,
}

/// A rule's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Which rule.
    pub rule: Code,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
}

/// A named person let something pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorOverride {
    /// Which rule.
    pub rule: Code,
    /// Why.
    pub reason: Code,
    /// Two decisions.
    pub approvals: Vec<u64>,
}

/// The wall clock jumped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStepped {
    /// What it would have said.
    pub before: Time,
    /// What it says.
    pub after: Time,
}

/// A witness signed a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealCosigned {
    /// Tree size.
    pub size: u64,
    /// Tree root.
    pub root: Digest,
    /// The witness's name.
    pub witness: String,
    /// When it signed.
    pub time: Time,
    /// Digest of its line.
    pub line: Digest,
}

/// The log key changed hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotated {
    /// Old verifier key.
    pub old: String,
    /// New verifier key.
    pub new: String,
    /// Signature by the new key over the old seal.
    pub signature: String,
}

/// A log goes on after a loss.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRecovered {
    /// Digest of bytes that were cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Digest>,
    /// First position lost.
    pub lost_from: u64,
    /// Last position lost.
    pub lost_to: u64,
    /// Effects in the ledgers that are taken over.
    pub adopted: u64,
}

/// The last entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogClosed {
    /// Steps that finished.
    pub completed: u64,
    /// Steps undone and not run again.
    pub undone: u64,
    /// Every other step.
    pub other: u64,
    /// Digest over the final state and roots of every step.
    pub root: Digest,
    /// Digest of the list of digests of the restricted annex, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annex: Option<Digest>,
    /// Digest of the list of digests of the ledgers' rows that were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Digest>,
}
