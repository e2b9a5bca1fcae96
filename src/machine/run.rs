//! A run: the fold of its journal. Reading it is here; the one way to change it is `apply`.
//!
//! Not here: what may change it (`apply`), what should happen next (`decide`), going back
//! (`rollback`), other papers (`amend`), what it amounts to (`rests`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::event::{About, Event, LogOpened, On};
use super::graph::Graph;
use super::state::{Checkpoint, Decided, Lease, Moment, Now, Rollback, Shelf, StepRun, StepState};
use super::time::Time;
use super::witnessed::Witnessed;
use crate::plan::digest::Digest;
use crate::plan::outline::{Outline, OutlineStep, StepId};
use crate::signature::statement::Nonce;

/// The state of a run, whoever asks: executor, resume, preview, replay.
#[derive(Debug, Clone)]
pub struct Run {
    pub(super) shelf: Shelf,
    pub(super) graph: Graph,
    pub(super) head: Option<Head>,
    pub(super) opened: Option<Arc<LogOpened>>,
    pub(super) bound: bool,
    /// The newest `plan.amended`.
    pub(super) amended: Option<u64>,
    pub(super) signed: bool,
    pub(super) closed: bool,
    pub(super) lease: Option<Lease>,
    /// Parallel to the outline's steps.
    pub(super) steps: Vec<StepRun>,
    /// Per step: direct dependencies that are not finished.
    pub(super) missing: Vec<u32>,
    /// Steps that are not finished and whose dependencies all are.
    pub(super) open: BTreeSet<usize>,
    pub(super) decided: BTreeMap<u64, Decided>,
    /// Decisions by what they are about, oldest first.
    pub(super) about: BTreeMap<On, Vec<u64>>,
    /// Of every signed decision.
    pub(super) nonces: BTreeSet<Nonce>,
    /// Refused gates whose refusal stands.
    pub(super) refusals: BTreeSet<u64>,
    pub(super) checkpoints: Vec<Checkpoint>,
    pub(super) finishes: u64,
    pub(super) rollback: Option<Rollback>,
    /// The lease in which the newest rollback was done, until something starts again.
    pub(super) rolled: Option<u64>,
    /// Steps that a rollback passed and left: a person may attest that they were undone by hand.
    pub(super) passed: BTreeSet<StepId>,
    /// What witnesses signed, by size.
    pub(super) witnessed: Witnessed,
}

/// The newest entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The run.
    pub run: Uuid,
    /// Where and when.
    pub when: Moment,
    /// The machine's boot.
    pub boot: Uuid,
    /// Which executor.
    pub exec: Uuid,
    /// Nanoseconds since boot.
    pub mono: u64,
}

impl Run {
    /// A run before its first entry. The shelf holds every paper it may be bound or amended to.
    #[must_use]
    pub fn new(shelf: Shelf) -> Run {
        Run {
            shelf,
            graph: Graph::new(Arc::default()),
            head: None,
            opened: None,
            bound: false,
            amended: None,
            signed: false,
            closed: false,
            lease: None,
            steps: Vec::new(),
            missing: Vec::new(),
            open: BTreeSet::new(),
            decided: BTreeMap::new(),
            about: BTreeMap::new(),
            nonces: BTreeSet::new(),
            refusals: BTreeSet::new(),
            checkpoints: Vec::new(),
            finishes: 0,
            rollback: None,
            rolled: None,
            passed: BTreeSet::new(),
            witnessed: Witnessed::default(),
        }
    }

    /// Puts another paper within reach, so that an amendment to it can be judged and applied.
    pub fn shelve(&mut self, outline: Arc<Outline>) {
        self.shelf.put(outline);
    }

    /// Is that paper within reach?
    #[must_use]
    pub fn has_paper(&self, paper: &Digest) -> bool {
        self.shelf.get(paper).is_some()
    }

    /// The first entry's body; none before it.
    #[must_use]
    pub fn opened(&self) -> Option<&LogOpened> {
        self.opened.as_deref()
    }

    /// The newest entry; none before the first.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// The run's id; none before the first entry.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.head.map(|head| head.run)
    }

    /// The position that the next entry must have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.head.map_or(0, |head| head.when.seq + 1)
    }

    /// The paper in force: what `plan` of the next entry must be.
    #[must_use]
    pub fn paper(&self) -> Digest {
        self.graph.outline.paper
    }

    /// The outline of the paper in force.
    #[must_use]
    pub fn outline(&self) -> &Arc<Outline> {
        &self.graph.outline
    }

    /// The newest lease.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.lease
    }

    /// The log holds its last entry.
    #[must_use]
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// One step; none if the paper in force has no such step.
    #[must_use]
    pub fn state(&self, step: &StepId) -> Option<&StepRun> {
        self.graph.position(step).map(|at| &self.steps[at])
    }

    /// Every step in the plan's order.
    #[must_use]
    pub fn steps(&self) -> impl ExactSizeIterator<Item = (&OutlineStep, &StepRun)> {
        self.graph.outline.steps.iter().zip(&self.steps)
    }

    /// Every step is done.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.bound && self.steps.iter().all(StepRun::finished)
    }

    /// Every decision by its entry, void ones too.
    pub fn decisions(&self) -> impl Iterator<Item = (u64, &Decided)> {
        self.decided.iter().map(|(seq, decided)| (*seq, decided))
    }

    /// Cuts to which the run can be rolled back now, oldest first; 0 is before everything.
    #[must_use]
    pub fn checkpoints(&self) -> &[Checkpoint] {
        &self.checkpoints
    }

    /// How many steps have finished in the whole life of the run: the newest checkpoint's number.
    #[must_use]
    pub fn finishes(&self) -> u64 {
        self.finishes
    }

    /// The rollback that was started and is not done.
    #[must_use]
    pub fn rolling_back(&self) -> Option<&Rollback> {
        self.rollback.as_ref()
    }

    /// A rollback was done and nothing has started since: whoever goes on should mean it.
    #[must_use]
    pub fn rolled_back(&self) -> bool {
        self.rolled.is_some()
    }

    /// Which carrying-out an entry about this step concerns now: the one that stands, or the coming
    /// one where none stands. Decisions, holds, answers and outcomes carry it.
    #[must_use]
    pub fn about(&self, step: &StepId) -> Option<About> {
        self.graph.position(step).map(|at| self.about_at(at))
    }

    /// What `about` of an entry with this event must be, for entries that are not outcomes: the gate of
    /// a decision or request; nothing for what concerns the run.
    #[must_use]
    pub fn about_event(&self, event: &Event) -> Option<About> {
        let on = match event {
            Event::ApprovalRequested(requested) => &requested.on,
            Event::ApprovalGranted(decision)
            | Event::ApprovalRefused(decision)
            | Event::ApprovalRevoked(decision) => &decision.on,
            _ => return None,
        };
        match on {
            On::Gate { step } => self.about(step),
            On::Paper { .. } | On::Rollback { .. } => None,
        }
    }

    pub(super) fn about_at(&self, at: usize) -> About {
        let run = &self.steps[at];
        let (generation, attempt) = match run.state {
            StepState::Pending | StepState::Skipped => (run.generation, 1),
            StepState::Undone => (run.generation + 1, 1),
            _ => (run.generation, run.attempt),
        };
        About {
            step: self.graph.id(at).clone(),
            generation,
            attempt,
        }
    }

    /// What `about` of the next start is.
    pub(super) fn next_start(&self, at: usize) -> About {
        let mut about = self.about_at(at);
        if self.steps[at].begun() {
            about.attempt += 1;
        }
        about
    }

    /// The clock of the newest entry.
    pub(super) fn last_now(&self) -> Option<Now> {
        self.head.map(|head| Now {
            at: head.when.at,
            as_at: head.when.as_at,
        })
    }

    pub(super) fn step_at(&self, at: usize) -> &OutlineStep {
        &self.graph.outline.steps[at]
    }

    /// A start or undo of this lease has no outcome yet.
    pub(super) fn in_flight(&self, at: usize) -> bool {
        let run = &self.steps[at];
        let epoch = self
            .lease
            .filter(|lease| lease.held)
            .map(|lease| lease.epoch);
        matches!(run.state, StepState::Running | StepState::Undoing) && Some(run.epoch) == epoch
    }
}

/// The idempotency key of one generation of a step: stable over attempts, other in each generation.
/// SHA-256 of run, step and generation, a line each.
#[must_use]
pub fn effect_key(run: Uuid, step: &StepId, generation: u32) -> Digest {
    Digest::of(format!("{run}\n{step}\n{generation}\n").as_bytes())
}

/// Whether `time` has come.
pub(super) fn reached(moment: jiff::Timestamp, as_at: Time) -> bool {
    as_at.moment() >= moment
}
