//! What should happen next, in a canonical order. Pure: the state, the time, what this executor is
//! busy with, and how much may run side by side.
//!
//! Out: orders. Each has its intent, the entry that must be durable before the act; `apply` checks
//! every intent again on its own.
//!
//! Not here: acting (`run`), the clock, whether an order's outcome is good.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::event::{
    About, ApprovalRequested, Event, FaultKind, HoldBegun, On, RollbackCommitted, RollbackFailed,
    StepStarted, UndoMode, UndoStarted, Waiting,
};
use super::gate::Bar;
use super::run::{Run, effect_key, reached};
use super::state::{Failure, Now, Rollback, StepRun, StepState};
use crate::plan::model::Seat;
use crate::plan::outline::{OnFailure, StepId, Undo};

/// Which steps (or undos) this executor works on at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Busy(pub BTreeSet<StepId>);

/// How much an executor takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps (or undos) side by side, at least 1.
    pub side_by_side: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { side_by_side: 8 }
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Do the step, from its last mark.
    Start(About),
    /// Take the step back, from wherever it stopped.
    Undo(About, UndoMode),
    /// Write down what the step waits for.
    Hold(About, Waiting),
    /// Ask these seats for their decisions.
    Request(About, Vec<Seat>),
    /// Everything to be undone is undone.
    FinishRollback(u64),
    /// No further undo can start; these steps need a person.
    FailRollback(u64, Vec<StepId>),
    /// Nothing is running and nothing can start.
    Rest,
}

impl Command {
    /// The step it is about, if it is about one: `about` of the intent's entry.
    #[must_use]
    pub fn about(&self) -> Option<&About> {
        match self {
            Command::Start(about)
            | Command::Undo(about, _)
            | Command::Hold(about, _)
            | Command::Request(about, _) => Some(about),
            Command::FinishRollback(_) | Command::FailRollback(..) | Command::Rest => None,
        }
    }

    /// What is written, durably, before the act, with this `now` in the entry. Nothing for a rest: a
    /// run that can start nothing writes nothing.
    #[must_use]
    pub fn intent(&self, run: &Run, now: Now) -> Option<Event> {
        Some(match self {
            Command::Start(about) => Event::StepStarted(run.start_of(about, run.id()?, now)?),
            Command::Undo(_, mode) => Event::UndoStarted(UndoStarted { mode: *mode }),
            Command::Hold(_, waiting) => Event::HoldBegun(HoldBegun {
                waiting: waiting.clone(),
            }),
            Command::Request(about, seats) => Event::ApprovalRequested(ApprovalRequested {
                on: On::Gate {
                    step: about.step.clone(),
                },
                seats: seats.clone(),
            }),
            Command::FinishRollback(checkpoint) => Event::RollbackCommitted(RollbackCommitted {
                checkpoint: *checkpoint,
            }),
            Command::FailRollback(checkpoint, stuck) => Event::RollbackFailed(RollbackFailed {
                checkpoint: *checkpoint,
                stuck: stuck.clone(),
            }),
            Command::Rest => return None,
        })
    }
}

impl Run {
    /// What should happen next: in a rollback, undos in its order; else what may start, in the plan's
    /// order (points of no return last). Each order's intent, made now, stays honest when those before
    /// it are written: an executor may make them durable in one commit. Empty while something runs and nothing more can start; `Rest` when nothing runs either.
    #[must_use]
    pub fn decide(&self, now: Now, busy: &Busy, limits: &Limits) -> Vec<Command> {
        let mut commands = match &self.rollback {
            _ if !self.bound || self.closed => Vec::new(),
            Some(rollback) => self.roll(rollback, now, busy),
            None => self.forward(now, busy),
        };
        let mut room = limits.side_by_side.max(1).saturating_sub(busy.0.len());
        commands.retain(|command| match command {
            Command::Start(_) | Command::Undo(..) => {
                let fits = room > 0;
                room = room.saturating_sub(1);
                fits
            }
            _ => true,
        });
        if commands.is_empty() && busy.0.is_empty() {
            commands.push(Command::Rest);
        }
        commands
    }

    /// Would an executor that claimed the run now find nothing to do? Ask before claiming: a run that
    /// can start nothing writes nothing.
    #[must_use]
    pub fn idle(&self, now: Now) -> bool {
        let mut claimed = self.clone();
        claimed.lease = None;
        claimed.decide(now, &Busy::default(), &Limits::default()) == [Command::Rest]
    }

    /// What `decide` holds for one step; replay asks it of every recorded intent.
    #[must_use]
    pub fn next(&self, step: &StepId, now: Now, busy: &Busy) -> Option<Command> {
        let at = self.graph.position(step)?;
        match &self.rollback {
            Some(rollback) => self.next_undo(rollback, at, now, busy),
            None => self
                .own_undo(at, now, busy)
                .or_else(|| self.next_forward(at, now, busy)),
        }
    }

    fn forward(&self, now: Now, busy: &Busy) -> Vec<Command> {
        let undos = self
            .open
            .iter()
            .filter_map(|&at| self.own_undo(at, now, busy));
        let mut commands: Vec<Command> = undos.collect();
        if self.may_go_on() {
            let starts = self.open.iter();
            commands.extend(starts.filter_map(|&at| self.next_forward(at, now, busy)));
            commands.sort_by_key(|command| self.shuts(command, now));
        }
        commands
    }

    /// Orders that are given together are written together, each as true of the moment before: what
    /// closes a subject starts after those that say they can be undone.
    fn shuts(&self, command: &Command, now: Now) -> bool {
        let Command::Start(about) = command else {
            return false;
        };
        let at = self.graph.position(&about.step);
        at.is_some_and(|at| self.final_now(at, now.as_at))
    }

    /// Nothing new starts while a refusal stands, before the paper is signed, or in the lease in which
    /// a rollback was done (going on after a rollback is a run of its own).
    pub(super) fn may_go_on(&self) -> bool {
        let rolled_now = self
            .lease
            .is_some_and(|lease| lease.held && self.rolled == Some(lease.epoch));
        self.bound && self.signed && self.refusals.is_empty() && !rolled_now && !self.closed
    }

    fn next_forward(&self, at: usize, now: Now, busy: &Busy) -> Option<Command> {
        if !self.may_go_on() || self.missing[at] > 0 || busy.0.contains(self.graph.id(at)) {
            return None;
        }
        if self.half_undone(at).is_some() || self.soon_undone(at, now).is_some() {
            return None;
        }
        let step = &self.steps[at];
        match step.state {
            StepState::Pending => self.begin(at, now),
            StepState::Undone if step.failure.is_none() || step.freed => self.begin(at, now),
            StepState::Held if held_still(step, now) => None,
            StepState::Failed if !self.may_retry(at, now) => None,
            StepState::Running | StepState::Held | StepState::Failed => self.go_on(at, now),
            StepState::Committed
            | StepState::Skipped
            | StepState::Undoing
            | StepState::Undone
            | StepState::Stuck => None,
        }
    }

    /// A step that stopped half-way: its gate is behind it, but an amendment may have to be witnessed.
    fn go_on(&self, at: usize, now: Now) -> Option<Command> {
        match self.bar(at, now.as_at) {
            Bar::Waits(waiting @ Waiting::Seal { .. }) => self.hold_once(at, waiting),
            Bar::Open(_) | Bar::Waits(_) | Bar::Decisions(_) => {
                Some(Command::Start(self.next_start(at)))
            }
        }
    }

    /// What a step waits for is said once.
    fn hold_once(&self, at: usize, waiting: Waiting) -> Option<Command> {
        let said = self.steps[at].hold.as_ref();
        let same = said.is_some_and(|hold| hold.waiting == waiting);
        (!same).then(|| Command::Hold(self.next_start(at), waiting))
    }

    /// A step that has not begun: start it, or say once what it waits for.
    fn begin(&self, at: usize, now: Now) -> Option<Command> {
        let step = &self.steps[at];
        let about = self.next_start(at);
        match self.bar(at, now.as_at) {
            Bar::Open(_) => Some(Command::Start(about)),
            Bar::Waits(waiting) => self.hold_once(at, waiting),
            Bar::Decisions(_) if step.requested.is_some() => None,
            Bar::Decisions(seats) => Some(Command::Request(about, seats)),
        }
    }

    /// A failed step (or undo) may be tried again: a person said so, or the fault was transient, there
    /// are attempts left and the wait is over.
    pub(super) fn may_retry(&self, at: usize, now: Now) -> bool {
        let step = &self.steps[at];
        step.freed
            || step.failure.as_ref().is_some_and(|failure| {
                self.retry_at(at, failure)
                    .is_some_and(|moment| reached(moment, now.at))
            })
    }

    /// When a transient fault may be tried again, judged by the wall clock.
    pub(super) fn retry_at(&self, at: usize, failure: &Failure) -> Option<jiff::Timestamp> {
        let retry = self.step_at(at).retry;
        let left = failure.kind == FaultKind::Transient && failure.transients < retry.attempts;
        let wait = jiff::SignedDuration::from_secs(i64::from(retry.wait_s));
        left.then(|| failure.when.at.moment().saturating_add(wait).ok())
            .flatten()
    }

    /// `on-failure = "undo"`: a failed step takes its own work back at once, never after an
    /// infrastructure unknown, and never where its subject is closed.
    fn own_undo(&self, at: usize, now: Now, busy: &Busy) -> Option<Command> {
        if busy.0.contains(self.graph.id(at)) || !self.owes_undo(at, now) {
            return None;
        }
        Some(Command::Undo(self.about_at(at), UndoMode::Refuse))
    }

    pub(super) fn owes_undo(&self, at: usize, now: Now) -> bool {
        let step = &self.steps[at];
        match step.state {
            StepState::Undoing => true,
            StepState::Stuck => self.may_retry(at, now),
            StepState::Failed => {
                let certain = step
                    .failure
                    .as_ref()
                    .is_some_and(|failure| failure.kind != FaultKind::Transient);
                let paper = self.step_at(at);
                certain
                    && !step.freed
                    && paper.on_failure == OnFailure::Undo
                    && paper.undo == Undo::Automatic
                    && self.stay(at, now.as_at).is_none()
            }
            _ => false,
        }
    }

    fn roll(&self, rollback: &Rollback, now: Now, busy: &Busy) -> Vec<Command> {
        let positions = || {
            let ids = rollback.undoes.iter();
            ids.filter_map(|id| self.graph.position(id))
        };
        let undos = positions().filter_map(|at| self.next_undo(rollback, at, now, busy));
        let commands: Vec<Command> = undos.collect();
        if !commands.is_empty() || !busy.0.is_empty() {
            return commands;
        }
        if positions().all(|at| self.steps[at].state == StepState::Undone) {
            return vec![Command::FinishRollback(rollback.checkpoint)];
        }
        if rollback.failed || self.retry_to_come(now) {
            return Vec::new();
        }
        vec![Command::FailRollback(
            rollback.checkpoint,
            self.needing_a_person(rollback, now),
        )]
    }

    fn retry_to_come(&self, now: Now) -> bool {
        let later = |(at, step): (usize, &StepRun)| {
            let failure = step.failure.as_ref()?;
            let retry = self.retry_at(at, failure)?;
            (step.state == StepState::Stuck && !reached(retry, now.at)).then_some(())
        };
        self.steps.iter().enumerate().find_map(later).is_some()
    }

    fn next_undo(&self, rollback: &Rollback, at: usize, now: Now, busy: &Busy) -> Option<Command> {
        let step = &self.steps[at];
        let waits = busy.0.contains(self.graph.id(at)) || rollback.unclear[at] > 0;
        if !rollback.listed[at] || waits || !step.begun() || self.too_late(at, now) {
            return None;
        }
        if step.state == StepState::Stuck && !self.may_retry(at, now) {
            return None;
        }
        Some(Command::Undo(self.about_at(at), rollback.mode))
    }

    /// Its undo word, or its subject, was closed after the rollback had started.
    pub(super) fn too_late(&self, at: usize, now: Now) -> bool {
        !self.steps[at].undoing && self.stay(at, now.as_at).is_some()
    }

    /// Steps of a rollback that no undo of ours can mend now: stuck ones, and those it is too late for.
    pub(super) fn needing_a_person(&self, rollback: &Rollback, now: Now) -> Vec<StepId> {
        let needs = |id: &&StepId| {
            self.graph.position(id).is_some_and(|at| {
                let step = &self.steps[at];
                step.state == StepState::Stuck || (step.begun() && self.too_late(at, now))
            })
        };
        rollback.undoes.iter().filter(needs).cloned().collect()
    }

    /// The body of the intent to start.
    pub(super) fn start_of(&self, about: &About, id: Uuid, now: Now) -> Option<StepStarted> {
        let at = self.graph.position(&about.step)?;
        let committed = |&at: &usize| self.steps[at].committed.map(|moment| moment.seq);
        let mut deps: Vec<u64> = self.graph.before[at].iter().filter_map(committed).collect();
        deps.sort_unstable();
        let mut approvals = match self.bar(at, now.as_at) {
            Bar::Open(approvals) => approvals,
            Bar::Waits(_) | Bar::Decisions(_) => Vec::new(),
        };
        approvals.extend(self.steps[at].answer);
        approvals.sort_unstable();
        Some(StepStarted {
            key: effect_key(id, &about.step, about.generation),
            reversible: self.reversible(at, now.as_at),
            deps,
            approvals,
        })
    }

    /// The earliest moment after `now` at which time alone lets something happen: a retry's wait is
    /// over (wall clock), or a date comes (the plan's time). For executors that wait.
    #[must_use]
    pub fn wakes(&self, now: Now) -> Wakes {
        let mut wakes = Wakes::default();
        for (at, step) in self.steps.iter().enumerate() {
            if let (StepState::Failed | StepState::Stuck, Some(failure)) =
                (step.state, &step.failure)
            {
                let retry = self.retry_at(at, failure).filter(|_| self.missing[at] == 0);
                earlier(&mut wakes.retry, retry, now.at.moment());
            }
            if let Some(Waiting::Date { until }) = step.hold.as_ref().map(|hold| &hold.waiting) {
                earlier(&mut wakes.date, Some(until.moment()), now.as_at.moment());
            }
        }
        wakes
    }
}

/// See [`Run::wakes`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wakes {
    /// By the wall clock.
    pub retry: Option<jiff::Timestamp>,
    /// By the plan's time.
    pub date: Option<jiff::Timestamp>,
}

fn earlier(
    best: &mut Option<jiff::Timestamp>,
    moment: Option<jiff::Timestamp>,
    now: jiff::Timestamp,
) {
    if let Some(moment) = moment.filter(|moment| *moment > now) {
        *best = Some(best.map_or(moment, |best| best.min(moment)));
    }
}

/// A hold in mid-work goes on when its date has come or it was answered.
fn held_still(step: &StepRun, now: Now) -> bool {
    match step.hold.as_ref().map(|hold| &hold.waiting) {
        Some(Waiting::Date { until }) => !reached(until.moment(), now.as_at),
        Some(Waiting::Person { .. } | Waiting::Evidence { .. }) => step.answer.is_none(),
        // What was waited for before that had come; whether witnesses have signed, the bar knows.
        Some(Waiting::Seal { .. }) | None => false,
    }
}
