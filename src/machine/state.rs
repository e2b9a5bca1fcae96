//! What a run remembers of each step, and the small things that its state is made of: plain data,
//! changed by `apply` and by nothing else.
//!
//! Not here: what changes it (`apply`), what follows from it (`decide`, `rests`).

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::event::{Actor, FaultKind, On, Signed, UndoMode, Waiting};
use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::{Outline, StepId};

/// Outlines by paper fingerprint: what a run may be bound or amended to.
#[derive(Debug, Clone, Default)]
pub struct Shelf(BTreeMap<Digest, Arc<Outline>>);

impl Shelf {
    /// Adds an outline under its own fingerprint.
    pub fn put(&mut self, outline: Arc<Outline>) {
        self.0.insert(outline.paper, outline);
    }

    /// The outline with that fingerprint.
    #[must_use]
    pub fn get(&self, paper: &Digest) -> Option<&Arc<Outline>> {
        self.0.get(paper)
    }

    /// Every outline, in the order of fingerprints.
    pub(super) fn outlines(&self) -> impl Iterator<Item = &Outline> {
        self.0.values().map(AsRef::as_ref)
    }
}

impl FromIterator<Arc<Outline>> for Shelf {
    fn from_iter<I: IntoIterator<Item = Arc<Outline>>>(outlines: I) -> Shelf {
        let mut shelf = Shelf::default();
        outlines.into_iter().for_each(|outline| shelf.put(outline));
        shelf
    }
}

/// What time it is, twice: retries are judged by the wall clock, plans by the plan's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Wall clock.
    pub at: Time,
    /// The plan's time.
    pub as_at: Time,
}

impl Now {
    /// A real clock: both are the same.
    #[must_use]
    pub fn real(at: Time) -> Now {
        Now { at, as_at: at }
    }
}

/// Where a step stands. The drawing in `machine` shows the ways between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// Not begun in this generation.
    Pending,
    /// Begun; no outcome yet (or none was written before a crash).
    Running,
    /// Begun; waits for a person or a date in the middle of its work.
    Held,
    /// Finished.
    Committed,
    /// Did not finish; its work stands where it stopped.
    Failed,
    /// Left out, by decision.
    Skipped,
    /// Its undo has begun; no outcome yet.
    Undoing,
    /// Its work was taken back.
    Undone,
    /// Its undo did not finish and needs a person.
    Stuck,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRun {
    /// Where it stands.
    pub state: StepState,
    /// Which generation stands, from 1: the one that is (or, while pending, would be) carried out.
    pub generation: u32,
    /// The newest attempt of that generation; 0 before the first.
    pub attempt: u32,
    /// The paper in force at its newest start.
    pub paper: Option<Digest>,
    /// Its newest `step.started` of this generation.
    pub started: Option<Moment>,
    /// Its `step.committed` (or `step.skipped`).
    pub committed: Option<Moment>,
    /// Effects and rows of the newest mark of this generation.
    pub marked: Option<Marked>,
    /// Digest over what it wrote or counted (its `step.committed` body's outputs), once finished.
    pub root: Option<Digest>,
    /// Why it stopped, if its last attempt (or undo) failed; remembered when the work was taken back.
    pub failure: Option<Failure>,
    /// What it waits for, once that was written.
    pub hold: Option<Hold>,
    /// Decisions were asked for, in this entry.
    pub requested: Option<Moment>,
    /// The word that opened its gate (a task that was done), for this generation.
    pub done: Option<u64>,
    /// The answer that lets it go on or try again, until it does.
    pub answer: Option<u64>,
    /// The undo of this generation has begun: from then on it can only be finished.
    pub undoing: bool,
    /// Epoch of the newest start of its work or of its undo.
    pub(super) epoch: u64,
    /// A failed step may be tried again: a person said so, or the paper was amended.
    pub freed: bool,
}

impl Default for StepRun {
    fn default() -> Self {
        StepRun {
            state: StepState::Pending,
            generation: 1,
            attempt: 0,
            paper: None,
            started: None,
            committed: None,
            marked: None,
            root: None,
            failure: None,
            hold: None,
            requested: None,
            done: None,
            answer: None,
            undoing: false,
            epoch: 0,
            freed: false,
        }
    }
}

impl StepRun {
    /// Its descendants may start.
    #[must_use]
    pub fn finished(&self) -> bool {
        matches!(self.state, StepState::Committed | StepState::Skipped)
    }

    /// It may have left something behind that can be undone.
    #[must_use]
    pub fn begun(&self) -> bool {
        match self.state {
            StepState::Running
            | StepState::Held
            | StepState::Committed
            | StepState::Failed
            | StepState::Undoing
            | StepState::Stuck => true,
            StepState::Pending | StepState::Skipped | StepState::Undone => false,
        }
    }

    /// As it is before anything: of the next generation, if this one was ever started.
    pub(super) fn reset(&mut self) {
        let generation = self.generation + u32::from(self.attempt > 0);
        *self = StepRun {
            generation,
            ..StepRun::default()
        };
    }
}

/// An entry, by position, and when it was written (the wall clock and the plan's time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Position in the log.
    pub seq: u64,
    /// Wall clock.
    pub at: Time,
    /// The plan's time.
    pub as_at: Time,
}

/// How far a step has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// The newest effect.
    pub ordinal: u64,
    /// Rows done in this generation.
    pub rows: u64,
}

/// Why a step (or its undo) stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub when: Moment,
    /// Whose fault.
    pub kind: FaultKind,
    /// A code of `explain`.
    pub code: Code,
    /// What it is about; never a value.
    pub about: Option<Code>,
    /// How many rows.
    pub rows: u64,
    /// Transient faults in a row, this one included.
    pub transients: u32,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub since: Moment,
    /// For what.
    pub waiting: Waiting,
}

/// A decision that was made, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// When.
    pub when: Moment,
    /// Yes, no, or taken back.
    pub verdict: Verdict,
    /// What about.
    pub on: On,
    /// By whom.
    pub actor: Actor,
    /// Counts and sums it was made on.
    pub reading: Option<Digest>,
    /// Digest of what was said, or signed.
    pub statement: Digest,
    /// How it was signed, where it was; else it was recorded as said.
    pub signed: Option<Signed>,
    /// It counts no more: a rollback passed it, it was revoked, or it was itself a revocation.
    pub void: bool,
}

/// What a decision says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Granted,
    /// No.
    Refused,
    /// What was said before no longer counts.
    Revoked,
}

/// A cut of the graph to which a run can be rolled back: everything that was finished at an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many steps had finished in the whole life of the run: never the same twice. 0 is before
    /// everything.
    pub number: u64,
    /// The entry that made it.
    pub when: Moment,
    /// The step whose finishing made it; none at 0.
    pub step: Option<StepId>,
}

/// Who has the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The fencing number.
    pub epoch: u64,
    /// Which executor.
    pub exec: Uuid,
    /// Not released since (its holder may yet be dead).
    pub held: bool,
}

/// A rollback that was started and is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// To where.
    pub checkpoint: u64,
    /// When it was started.
    pub when: Moment,
    /// How rows changed since are treated.
    pub mode: UndoMode,
    /// Steps to undo, in order.
    pub undoes: Vec<StepId>,
    /// Steps beyond the checkpoint that stay done.
    pub stays: Vec<StepId>,
    /// It came to rest with stuck steps.
    pub failed: bool,
    /// Per step: it is in `undoes`.
    pub(super) listed: Vec<bool>,
    /// Per step: how many of its direct dependants are not yet clear of this rollback.
    pub(super) unclear: Vec<u32>,
}
