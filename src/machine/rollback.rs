//! Going back to a checkpoint: what would be undone, in which order; what stays done, and why; which
//! decisions become void. Pure: a rollback's preview and its start come from the same function, and
//! `apply` holds every `rollback.started` against it.
//!
//! A checkpoint is everything that was finished at an entry, cut down to its down-closed part. What
//! is finished or begun beyond it is, by its undo word: undone (*automatic*), listed for a person
//! (*by hand*), left (*cannot*), or simply to be done again (*nothing*: reads, waits, decisions).
//! A finished *cannot* step closes its subjects: no step of those subjects is undone any more. One
//! that stopped half-way closes them too where it may have left an effect: we do not guess.
//! Hence such a step does not start while an undo of its subjects has begun and is not done.
//!
//! Order: an undo starts when everything that comes after the step is clear of the rollback, however
//! many steps that need no undo lie between.
//!
//! Not here: when undos are ordered (`decide`), checking them (`apply`).

use super::event::{On, RollbackStarted, UndoMode};
use super::run::{Run, reached};
use super::state::{Checkpoint, Moment, Now, Rollback, StepState};
use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::outline::{StepId, Subject, Undo};

/// Why a step stays as it is in a rollback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stay {
    /// Nobody can undo it.
    Cannot,
    /// A person does, and attests it; the words say what.
    ByHand(String),
    /// A step that cannot be undone closed its subject.
    Closed(Subject),
}

/// What a rollback would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackPlan {
    /// To where.
    pub checkpoint: Checkpoint,
    /// The steps in it: a down-closed set, in the plan's order.
    pub keeps: Vec<StepId>,
    /// Steps that will be undone, in an order that keeps to the graph.
    pub undoes: Vec<StepId>,
    /// Steps beyond the checkpoint that stay as they are, and why.
    pub stays: Vec<(StepId, Stay)>,
    /// Steps with nothing to undo that will have to be done again.
    pub again: Vec<StepId>,
    /// Entries of decisions that become void.
    pub void: Vec<u64>,
    /// Subjects that are closed.
    pub closed: Vec<Subject>,
}

impl RollbackPlan {
    /// The entry that starts it.
    #[must_use]
    pub fn started(&self, preview: Digest, mode: UndoMode, approvals: Vec<u64>) -> RollbackStarted {
        RollbackStarted {
            checkpoint: self.checkpoint.number,
            keeps: self.keeps.clone(),
            undoes: self.undoes.clone(),
            stays: self.stays.iter().map(|(id, _)| id.clone()).collect(),
            void: self.void.clone(),
            preview,
            mode,
            approvals,
        }
    }
}

/// Why there is no rollback to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRollback {
    /// Never made, or undone by an earlier rollback.
    #[error("there is no checkpoint c{0}")]
    NoCheckpoint(u64),
    /// Nothing has begun yet.
    #[error("the run has not begun")]
    NotBegun,
    /// The log holds its last entry.
    #[error("the run is closed")]
    Closed,
    /// Steps (or undos) of this lease have no outcome yet.
    #[error("`{0}` is still running")]
    Running(StepId),
    /// Nothing is finished or begun beyond the checkpoint.
    #[error("nothing was done since checkpoint c{0}")]
    Nothing(u64),
}

impl Run {
    /// What going back to a checkpoint would do, were it started now.
    ///
    /// # Errors
    /// See [`NoRollback`].
    pub fn rollback(&self, checkpoint: u64, now: Now) -> Result<RollbackPlan, NoRollback> {
        if self.closed {
            return Err(NoRollback::Closed);
        }
        if !self.bound {
            return Err(NoRollback::NotBegun);
        }
        let found = self.checkpoints.iter().find(|cut| cut.number == checkpoint);
        let cut = found.ok_or(NoRollback::NoCheckpoint(checkpoint))?;
        if let Some(at) = (0..self.steps.len()).find(|&at| self.in_flight(at)) {
            return Err(NoRollback::Running(self.graph.id(at).clone()));
        }
        let plan = self.plan_rollback(cut, now.as_at);
        let idle = plan.undoes.is_empty() && plan.again.is_empty() && plan.void.is_empty();
        // A rollback that is not done may be taken up again in another mode.
        if idle && self.rollback.is_none() {
            return Err(NoRollback::Nothing(checkpoint));
        }
        Ok(plan)
    }

    fn plan_rollback(&self, cut: &Checkpoint, as_at: Time) -> RollbackPlan {
        let kept = self.kept(cut);
        let mut plan = RollbackPlan {
            checkpoint: cut.clone(),
            keeps: Vec::new(),
            undoes: Vec::new(),
            stays: Vec::new(),
            again: Vec::new(),
            void: Vec::new(),
            closed: self.closed_subjects(as_at),
        };
        for &at in self.graph.order.iter().rev() {
            let id = self.graph.id(at).clone();
            if kept[at] {
                continue;
            }
            let stay = self.stay(at, as_at).filter(|_| !self.steps[at].undoing);
            match (self.steps[at].state, stay) {
                (StepState::Pending | StepState::Undone, _) => {}
                (_, Some(stay)) => {
                    plan.stays.push((id, stay));
                    continue;
                }
                (StepState::Skipped, None) => plan.again.push(id.clone()),
                (_, None) if self.step_at(at).undo == Undo::Nothing => plan.again.push(id.clone()),
                (_, None) => plan.undoes.push(id.clone()),
            }
            let gate = On::Gate { step: id };
            let about_gate = self.not_void(&gate);
            plan.void.extend(about_gate.map(|(seq, _)| seq));
        }
        let keeps = (0..kept.len()).filter(|&at| kept[at]);
        plan.keeps = keeps.map(|at| self.graph.id(at).clone()).collect();
        plan.void.sort_unstable();
        plan
    }

    /// Finished at the checkpoint, with everything it comes after.
    fn kept(&self, cut: &Checkpoint) -> Vec<bool> {
        let mut kept = vec![false; self.steps.len()];
        for &at in &self.graph.order {
            let step = &self.steps[at];
            let then = step.committed.is_some_and(|done| done.seq <= cut.when.seq);
            let whole = self.graph.before[at].iter().all(|&before| kept[before]);
            kept[at] = step.finished() && then && whole;
        }
        kept
    }

    /// Steps that a rollback to this checkpoint would keep, in the plan's order.
    #[must_use]
    pub fn kept_at(&self, cut: &Checkpoint) -> Vec<StepId> {
        let kept = self.kept(cut);
        let positions = (0..kept.len()).filter(|&at| kept[at]);
        positions.map(|at| self.graph.id(at).clone()).collect()
    }

    /// The undo word of a step at a moment: some turn to *cannot* on a date.
    #[must_use]
    pub fn undo_word(&self, step: &StepId, as_at: Time) -> Option<&Undo> {
        self.graph.position(step).map(|at| self.word(at, as_at))
    }

    fn word(&self, at: usize, as_at: Time) -> &Undo {
        let step = self.step_at(at);
        match step.undo_until {
            Some(until) if reached(until, as_at) => &Undo::Cannot,
            _ => &step.undo,
        }
    }

    /// Why a step is not undone by us at this moment; nothing if it can be (or needs no undo).
    pub(super) fn stay(&self, at: usize, as_at: Time) -> Option<Stay> {
        match self.word(at, as_at) {
            Undo::Cannot => Some(Stay::Cannot),
            Undo::ByHand(words) => Some(Stay::ByHand(words.clone())),
            Undo::Automatic | Undo::Nothing => {
                let subjects = self.step_at(at).subjects.iter();
                let mut closed = subjects.filter(|subject| self.closes(**subject, as_at));
                closed.next().map(|subject| Stay::Closed(*subject))
            }
        }
    }

    /// What `reversible` of a start must say.
    pub(super) fn reversible(&self, at: usize, as_at: Time) -> bool {
        self.stay(at, as_at).is_none()
    }

    /// Subjects that a step which cannot be undone has closed.
    #[must_use]
    pub fn closed_subjects(&self, as_at: Time) -> Vec<Subject> {
        let all = [
            Subject::Data,
            Subject::Staff,
            Subject::Contracts,
            Subject::Tenants,
        ];
        let closed = all
            .into_iter()
            .filter(|&subject| self.closes(subject, as_at));
        closed.collect()
    }

    fn closes(&self, subject: Subject, as_at: Time) -> bool {
        self.graph.final_steps.iter().any(|&at| {
            *self.word(at, as_at) == Undo::Cannot
                && self.step_at(at).subjects.contains(&subject)
                && self.left_something(at)
        })
    }

    /// A step of the same subject whose undo has begun and is not done: a point of no return is not
    /// passed while something it would close is half taken back.
    pub(super) fn half_undone(&self, at: usize) -> Option<&StepId> {
        self.would_close(at, |other| {
            let state = self.steps[other].state;
            matches!(state, StepState::Undoing | StepState::Stuck)
        })
    }

    /// A step of the same subject that failed and is about to take its own work back: its undo goes
    /// before the point of no return, also where both could be ordered now.
    pub(super) fn soon_undone(&self, at: usize, now: Now) -> Option<&StepId> {
        self.would_close(at, |other| self.owes_undo(other, now))
    }

    fn would_close(&self, at: usize, open: impl Fn(usize) -> bool) -> Option<&StepId> {
        let step = self.step_at(at);
        if step.undo != Undo::Cannot {
            return None;
        }
        let shares = |other: usize| {
            let mut subjects = self.step_at(other).subjects.iter();
            subjects.any(|subject| step.subjects.contains(subject))
        };
        let found = (0..self.steps.len()).find(|&other| open(other) && shares(other));
        found.map(|other| self.graph.id(other))
    }

    /// From its start on, what shares its subjects is not undone any more.
    pub(super) fn final_now(&self, at: usize, as_at: Time) -> bool {
        *self.word(at, as_at) == Undo::Cannot
    }

    /// Finished, or stopped where an effect may stand.
    fn left_something(&self, at: usize) -> bool {
        let step = &self.steps[at];
        match step.state {
            StepState::Pending | StepState::Skipped | StepState::Undone => false,
            StepState::Failed => step.marked.is_some(),
            StepState::Running
            | StepState::Held
            | StepState::Committed
            | StepState::Undoing
            | StepState::Stuck => true,
        }
    }

    /// Starts a rollback whose body was found to be the plan's.
    pub(super) fn start_rollback(
        &mut self,
        body: &RollbackStarted,
        plan: RollbackPlan,
        when: Moment,
    ) {
        self.void(&body.void);
        self.checkpoints
            .retain(|cut| cut.number <= plan.checkpoint.number);
        let mut kept_or_staying = vec![false; self.steps.len()];
        let staying = plan.stays.iter().map(|(id, _)| id);
        for at in plan
            .keeps
            .iter()
            .chain(staying)
            .filter_map(|id| self.graph.position(id))
        {
            kept_or_staying[at] = true;
        }
        let mut listed = vec![false; self.steps.len()];
        for at in plan.undoes.iter().filter_map(|id| self.graph.position(id)) {
            listed[at] = true;
        }
        for at in 0..self.steps.len() {
            if kept_or_staying[at] {
                self.unstick(at);
            } else if !listed[at] {
                self.forget(at);
            }
        }
        self.rollback = Some(Rollback {
            checkpoint: plan.checkpoint.number,
            when,
            mode: body.mode,
            undoes: plan.undoes,
            stays: body.stays.clone(),
            failed: false,
            unclear: self.unclear(&listed),
            listed,
        });
        self.free_stuck();
    }

    /// A step of which it was too late to begin an undo stays what it was.
    fn unstick(&mut self, at: usize) {
        let step = &self.steps[at];
        if step.state == StepState::Stuck && !step.undoing {
            let state = match step.committed {
                Some(_) => StepState::Committed,
                None => StepState::Failed,
            };
            self.set_state(at, state);
        }
    }

    /// Reads, waits and decisions are to be done again; what never began forgets what it waited for.
    fn forget(&mut self, at: usize) {
        if self.steps[at].state == StepState::Undone {
            let step = &mut self.steps[at];
            (step.hold, step.requested, step.done, step.answer) = (None, None, None, None);
            (step.failure, step.freed) = (None, false);
        } else {
            self.set_state(at, StepState::Pending);
            self.steps[at].reset();
        }
    }

    /// A rollback that is taken up again, in whichever mode, tries stuck undos once more.
    fn free_stuck(&mut self) {
        for step in &mut self.steps {
            if step.state == StepState::Stuck {
                step.freed = true;
            }
        }
    }

    fn unclear(&self, listed: &[bool]) -> Vec<u32> {
        let mut unclear = vec![0; listed.len()];
        for &at in self.graph.order.iter().rev() {
            if unclear[at] > 0 || (listed[at] && self.steps[at].begun()) {
                for &before in &self.graph.before[at] {
                    unclear[before] += 1;
                }
            }
        }
        unclear
    }

    /// A step was undone: what comes before it may be next.
    pub(super) fn clear(&mut self, at: usize) {
        let Some(rollback) = &mut self.rollback else {
            return;
        };
        rollback.failed = false;
        let mut clear = vec![at];
        while let Some(at) = clear.pop() {
            if rollback.unclear[at] > 0 {
                continue;
            }
            for &before in &self.graph.before[at] {
                rollback.unclear[before] -= 1;
                let undone = !rollback.listed[before] || !self.steps[before].begun();
                if rollback.unclear[before] == 0 && undone {
                    clear.push(before);
                }
            }
        }
    }
}
