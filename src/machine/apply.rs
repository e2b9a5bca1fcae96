//! The only way a run changes: one entry at a time, checked first, then taken in. An entry that no
//! honest executor could have written is refused as a value, and the run stays as it was.
//!
//! `judge` is the law: one exhaustive match from event to what must hold. `take` is its mirror:
//! what changes. Neither asks `decide`; the two are held against each other by tests and by replay.
//!
//! Not here: the hash chain (`replay`, `journal`), the words of a verdict (`illegal`).

use jiff::SignedDuration;

use super::event::{
    About, Answer, ClockKind, Decision, Entry, Event, HoldAnswered, HoldBegun, LeaseAcquired,
    LogClosed, LogOpened, On, RollbackStarted, RunRested, StepMarked, StepSkipped, StepStarted,
    UndoMode, Waiting,
};
use super::gate::{Bar, holder, needed, sits};
use super::illegal::{Breach, Illegal};
use super::run::{Run, effect_key, reached};
use super::state::{Now, StepState, Verdict};
use crate::plan::model::Seat;
use crate::plan::outline::{Gate, OnFailure, Outline, StepId, Undo};

/// How far apart two readings of a real clock may lie that were meant to be one.
const APART_MAX: SignedDuration = SignedDuration::from_secs(5);

pub(super) type Judged<T = ()> = Result<T, Breach>;

impl Run {
    /// Takes in the next entry of the journal.
    ///
    /// # Errors
    /// When no honest executor could have written it; the run is then as it was.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Illegal> {
        self.may(entry)?;
        self.take(entry);
        Ok(())
    }

    /// Whether an entry may come next.
    ///
    /// # Errors
    /// As [`Run::apply`].
    pub fn may(&self, entry: &Entry) -> Result<(), Illegal> {
        let judged = self.place(entry).and_then(|()| self.judge(entry));
        judged.map_err(|breach| Illegal {
            seq: entry.seq,
            name: entry.event.name(),
            step: entry.about.as_ref().map(|about| about.step.clone()),
            breach,
        })
    }

    /// What holds for every entry: its place in the log, its lease, its paper, its clock.
    fn place(&self, entry: &Entry) -> Judged {
        let Some(head) = self.head else {
            return match entry.event {
                Event::LogOpened(_) if entry.seq == 0 => self.one_time(entry),
                _ => Err(Breach::NotOpened),
            };
        };
        if entry.seq != head.when.seq + 1 {
            return Err(Breach::Seq {
                expected: head.when.seq + 1,
            });
        }
        if entry.run != head.run {
            return Err(Breach::OtherRun);
        }
        let seal = matches!(
            entry.event,
            Event::SealCosigned(_) | Event::SealHeartbeat(_)
        );
        if self.closed && !seal {
            return Err(Breach::Closed);
        }
        // An amendment is the first entry under its own paper.
        let paper = match &entry.event {
            Event::PlanAmended(body) => body.new,
            _ => self.paper(),
        };
        ensure(entry.plan == paper, Breach::PlanSwitch)?;
        self.leased(entry)?;
        self.clock(entry)?;
        self.one_time(entry)
    }

    /// Under a real clock the plan's time is the wall's: nobody is made to hold a role, and no date to have
    /// come, by writing another.
    fn one_time(&self, entry: &Entry) -> Judged {
        let kind = match (&entry.event, &self.opened) {
            (Event::LogOpened(opened), None) => opened.clock,
            (_, Some(opened)) => opened.clock,
            (_, None) => return Ok(()),
        };
        let apart = entry.at.moment().duration_since(entry.as_at.moment());
        let one = kind == ClockKind::MadeUp || apart.abs() <= APART_MAX;
        ensure(one, Breach::ClockApart)
    }

    fn leased(&self, entry: &Entry) -> Judged {
        let highest = self.lease.map_or(0, |lease| lease.epoch);
        let comes = entry.epoch > highest;
        match entry.event {
            // A clock step is found out by whoever claims the run, a moment before.
            Event::LeaseAcquired(_) | Event::ClockStepped(_) if comes => return Ok(()),
            Event::LeaseAcquired(_) => return Err(Breach::StaleEpoch { highest }),
            _ => {}
        }
        // A log may be opened and bound before the first lease stands in it.
        if self.lease.is_none() && matches!(entry.event, Event::PlanBound(_)) {
            return Ok(());
        }
        let Some(lease) = self.lease.filter(|lease| lease.held) else {
            return Err(Breach::NoLease);
        };
        if entry.epoch < lease.epoch {
            return Err(Breach::StaleEpoch {
                highest: lease.epoch,
            });
        }
        if entry.epoch > lease.epoch {
            return Err(Breach::NoLease);
        }
        if entry.exec != lease.exec {
            return Err(Breach::SplitBrain);
        }
        Ok(())
    }

    fn clock(&self, entry: &Entry) -> Judged {
        let (Some(head), Some(last)) = (self.head, self.last_now()) else {
            return Ok(());
        };
        let stepped = matches!(entry.event, Event::ClockStepped(_));
        if !stepped && (entry.at < last.at || entry.as_at < last.as_at) {
            return Err(Breach::ClockBack);
        }
        let same_clock = entry.boot == head.boot && entry.exec == head.exec;
        if same_clock && entry.mono < head.mono {
            return Err(Breach::ClockBack);
        }
        Ok(())
    }

    /// What must hold for this event: the law of runs, one arm per type.
    fn judge(&self, entry: &Entry) -> Judged {
        let now = now(entry);
        match &entry.event {
            Event::LogOpened(body) => self.judge_opened(entry, body),
            Event::PlanBound(body) => {
                let outline = &self.graph.outline;
                let same = body.steps == outline.steps.len() as u64 && body.dag == outline.dag;
                ensure(!self.bound, Breach::Twice)?;
                ensure(same, Breach::NotThisPlan)
            }
            Event::PlanAmended(body) => self.judge_amended(body),
            Event::ApprovalRequested(body) => {
                self.judge_requested(entry, &body.on, &body.seats, now)
            }
            Event::ApprovalGranted(body) => self.judge_decision(entry, body, Verdict::Granted),
            Event::ApprovalRefused(body) => self.judge_decision(entry, body, Verdict::Refused),
            Event::ApprovalRevoked(body) => self.judge_decision(entry, body, Verdict::Revoked),
            Event::LeaseAcquired(LeaseAcquired { epoch, .. }) => {
                ensure(entry.epoch == *epoch, Breach::SplitBrain)
            }
            Event::HoldBegun(body) => self.judge_hold(entry, body, now),
            Event::HoldAnswered(body) => self.judge_answer(entry, body),
            Event::RunRested(body) => ensure(*body == self.rests().rested(), Breach::Counts),
            Event::StepStarted(body) => self.judge_start(entry, body, now),
            Event::StepMarked(body) => self.judge_mark(entry, body),
            Event::StepCommitted(_) => self.outcome_of(entry, StepState::Running).map(drop),
            Event::StepFailed(body) => {
                ensure(!body.code.is_empty(), Breach::NoCode)?;
                self.outcome_of(entry, StepState::Running).map(drop)
            }
            Event::StepSkipped(body) => self.judge_skip(entry, body),
            Event::RollbackStarted(body) => self.judge_rollback(body, now),
            Event::RollbackCommitted(body) => self.judge_rolled_back(body.checkpoint),
            Event::RollbackFailed(body) => self.judge_stuck(body.checkpoint, &body.stuck, now),
            Event::UndoStarted(body) => self.judge_undo(entry, body.mode, now),
            Event::UndoCommitted(body) => {
                let at = self.outcome_of(entry, StepState::Undoing)?;
                ensure(body.mode == self.undo_mode(at), Breach::Mode)
            }
            Event::UndoFailed(body) => {
                ensure(!body.code.is_empty(), Breach::NoCode)?;
                self.outcome_of(entry, StepState::Undoing).map(drop)
            }
            Event::ExternalAttested(_) => ensure(self.bound, Breach::NotBound),
            Event::CheckPassed(_) | Event::CheckFailed(_) => match &entry.about {
                Some(_) => self.outcome_of(entry, StepState::Running).map(drop),
                None => ensure(self.bound, Breach::NotBound),
            },
            Event::OperatorOverride(body) => self.judge_override(&body.approvals),
            Event::ClockStepped(body) => ensure(body.after == entry.at, Breach::ClockBack),
            Event::SealCosigned(body) => self.judge_cosigned(body, entry.seq),
            Event::LeaseReleased(_)
            | Event::SealHeartbeat(_)
            | Event::KeyRotated(_)
            | Event::LogRecovered(_) => Ok(()),
            Event::LogClosed(body) => self.judge_closed(body),
        }
    }

    fn judge_opened(&self, entry: &Entry, body: &LogOpened) -> Judged {
        ensure(self.head.is_none(), Breach::Twice)?;
        ensure(body.manifest == entry.plan, Breach::NotThisPlan)?;
        let known = self.shelf.get(&entry.plan).is_some();
        ensure(known, Breach::UnknownPaper(entry.plan))
    }

    fn judge_amended(&self, body: &super::event::PlanAmended) -> Judged {
        ensure(self.bound, Breach::NotBound)?;
        ensure(body.old == self.paper(), Breach::PlanSwitch)?;
        let new = self.shelf.get(&body.new);
        let new = new.ok_or(Breach::UnknownPaper(body.new))?;
        ensure(new.dag == body.dag, Breach::NotThisPlan)?;
        self.amendment(new).map_err(Breach::Amendment)?;
        let on = On::Paper { paper: body.new };
        ensure(
            self.enough(new, &on, &body.approvals),
            Breach::FourEyes {
                needed: needed(new),
            },
        )?;
        // Else an author could name new people, or new keys, and have those put the paper in force.
        ensure(
            self.known_here(&body.approvals) >= needed(&self.graph.outline),
            Breach::Strangers {
                needed: needed(&self.graph.outline),
            },
        )
    }

    fn judge_requested(&self, entry: &Entry, on: &On, seats: &[Seat], now: Now) -> Judged {
        let On::Gate { step } = on else {
            return Err(Breach::NoGate);
        };
        let at = self.about_now(entry, step)?;
        self.may_begin(at)?;
        ensure(self.steps[at].requested.is_none(), Breach::Twice)?;
        match self.bar(at, now.as_at) {
            Bar::Decisions(missing) if missing == seats => Ok(()),
            Bar::Decisions(_) => Err(Breach::Seats),
            Bar::Open(_) | Bar::Waits(_) => Err(Breach::NoGate),
        }
    }

    fn judge_decision(&self, entry: &Entry, body: &Decision, verdict: Verdict) -> Judged {
        let signed_by;
        let (outline, seats): (&Outline, &[Seat]) = match &body.on {
            On::Gate { step } => {
                let at = self.about_now(entry, step)?;
                let outline = &self.graph.outline;
                let state = self.steps[at].state;
                let waits = matches!(state, StepState::Pending | StepState::Undone);
                ensure(waits, Breach::TooLate)?;
                match &self.step_at(at).gate {
                    Gate::Decisions(seats) => {
                        ensure(self.steps[at].requested.is_some(), Breach::NotAsked)?;
                        (outline, seats)
                    }
                    // Leaving a step out is decided by those who sign the paper.
                    _ => (outline, &outline.signed_by),
                }
            }
            On::Paper { paper } => {
                ensure(entry.about.is_none(), Breach::About)?;
                let outline = self.outline_of(paper);
                let outline = outline.ok_or(Breach::UnknownPaper(*paper))?;
                (outline, &outline.signed_by)
            }
            On::Rollback { .. } => {
                ensure(entry.about.is_none(), Breach::About)?;
                signed_by = self.graph.outline.signed_by.clone();
                (&self.graph.outline, &signed_by)
            }
        };
        self.may_decide(outline, &body.on, seats, verdict, &entry.actor, entry.as_at)
            .map_err(Breach::NotTheirs)?;
        self.judge_proof(outline, entry, body, verdict)
    }

    fn judge_hold(&self, entry: &Entry, body: &HoldBegun, now: Now) -> Judged {
        let at = self.position_of(entry)?;
        if self.in_flight(at) {
            return self.outcome_of(entry, StepState::Running).map(drop);
        }
        // Witnesses are waited for behind whatever a step in mid-work waits for, not in its place.
        if self.steps[at].state == StepState::Held {
            self.judge_going_on(at, now)?;
        }
        self.about_is(entry, self.next_start(at))?;
        self.may_begin(at)?;
        let said = self.steps[at].hold.as_ref();
        ensure(
            said.is_none_or(|hold| hold.waiting != body.waiting),
            Breach::Twice,
        )?;
        match self.bar(at, now.as_at) {
            Bar::Waits(waiting) if waiting == body.waiting => Ok(()),
            _ => Err(Breach::NoHold),
        }
    }

    fn judge_answer(&self, entry: &Entry, body: &HoldAnswered) -> Judged {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.about_at(at))?;
        let outline = &self.graph.outline;
        holder(outline, &entry.actor, entry.as_at).map_err(Breach::NotTheirs)?;
        let step = &self.steps[at];
        let waiting = step.hold.as_ref().map(|hold| &hold.waiting);
        match (body.answer, step.state, waiting) {
            (
                Answer::Done,
                StepState::Pending | StepState::Undone | StepState::Held,
                Some(Waiting::Person { seat }),
            )
            | (Answer::Evidence, StepState::Held, Some(Waiting::Evidence { seat, .. })) => {
                ensure(step.done.is_none() || step.begun(), Breach::Twice)?;
                ensure(
                    sits(&entry.actor, seat),
                    Breach::NotTheirs(super::gate::NotTheirs::NotAsked),
                )
            }
            (Answer::Retry, StepState::Failed | StepState::Stuck, _) => {
                ensure(!step.freed, Breach::Twice)
            }
            (Answer::Retry, StepState::Undone, _) if step.failure.is_some() => {
                ensure(!step.freed, Breach::Twice)
            }
            (Answer::Undone, StepState::Stuck, _) => Ok(()),
            // One that a kill or a hold left half-way, too: a rollback does not pass what is in flight.
            (
                Answer::Undone,
                StepState::Committed | StepState::Failed | StepState::Running | StepState::Held,
                _,
            ) => {
                let by_hand = matches!(self.step_at(at).undo, Undo::ByHand(_));
                let passed = self.passed.contains(&entry_step(entry)?);
                ensure(by_hand && passed, Breach::NoHold)
            }
            _ => Err(Breach::NoHold),
        }
    }

    /// The intent to act: everything that makes a start honest.
    fn judge_start(&self, entry: &Entry, body: &StepStarted, now: Now) -> Judged {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.next_start(at))?;
        self.may_begin(at)?;
        if let Some(half) = self.half_undone(at) {
            return Err(Breach::Order(half.clone()));
        }
        let step = &self.steps[at];
        match step.state {
            StepState::Pending => {}
            StepState::Undone => ensure(step.failure.is_none() || step.freed, Breach::NotFreed)?,
            StepState::Running => ensure(!self.in_flight(at), Breach::DoubleRun)?,
            StepState::Held => self.judge_going_on(at, now)?,
            StepState::Failed => ensure(self.may_retry(at, now), Breach::NotFreed)?,
            state @ (StepState::Committed
            | StepState::Skipped
            | StepState::Undoing
            | StepState::Stuck) => return Err(Breach::State(state)),
        }
        match self.bar(at, now.as_at) {
            Bar::Open(_) => {}
            Bar::Waits(Waiting::Date { .. }) => return Err(Breach::TooEarly),
            Bar::Waits(Waiting::Seal { .. }) => return Err(Breach::Unwitnessed),
            Bar::Waits(_) | Bar::Decisions(_) => return Err(Breach::Unapproved),
        }
        let about = entry.about.as_ref().ok_or(Breach::About)?;
        let honest = self
            .start_of(about, entry.run, now)
            .ok_or(Breach::UnknownStep)?;
        let key = effect_key(entry.run, &about.step, about.generation);
        ensure(body.key == key, Breach::Key)?;
        ensure(body.reversible == honest.reversible, Breach::Reversible)?;
        ensure(body.deps == honest.deps, Breach::Deps)?;
        ensure(body.approvals == honest.approvals, Breach::Approvals)
    }

    fn judge_going_on(&self, at: usize, now: Now) -> Judged {
        match self.steps[at].hold.as_ref().map(|hold| &hold.waiting) {
            Some(Waiting::Date { until }) => {
                ensure(reached(until.moment(), now.as_at), Breach::TooEarly)
            }
            // What came before it was answered when that was written.
            Some(Waiting::Seal { .. }) => Ok(()),
            _ => ensure(self.steps[at].answer.is_some(), Breach::Unanswered),
        }
    }

    /// Nothing forward while going back, while a refusal stands, unsigned, or out of order.
    fn may_begin(&self, at: usize) -> Judged {
        ensure(self.bound, Breach::NotBound)?;
        ensure(self.rollback.is_none(), Breach::RollingBack)?;
        ensure(self.refusals.is_empty(), Breach::Refused)?;
        ensure(self.signed, Breach::Unsigned)?;
        ensure(self.may_go_on(), Breach::RolledBack)?;
        let late = self.graph.before[at]
            .iter()
            .find(|&&before| !self.steps[before].finished());
        match late {
            Some(&before) => Err(Breach::Order(self.graph.id(before).clone())),
            None => Ok(()),
        }
    }

    /// Marks that were lost in a crash are written again before the step goes on, or is undone.
    fn judge_mark(&self, entry: &Entry, body: &StepMarked) -> Judged {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.about_at(at))?;
        let step = &self.steps[at];
        let open = matches!(step.state, StepState::Running | StepState::Undoing);
        ensure(open, Breach::State(step.state))?;
        let before = step.marked.map_or((0, 0), |mark| (mark.ordinal, mark.rows));
        ensure(
            body.ordinal > before.0 && body.rows >= before.1,
            Breach::Mark,
        )
    }

    fn judge_skip(&self, entry: &Entry, body: &StepSkipped) -> Judged {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.about_at(at))?;
        let step = &self.steps[at];
        let unbegun = matches!(step.state, StepState::Pending | StepState::Undone);
        ensure(unbegun, Breach::State(step.state))?;
        ensure(self.rollback.is_none(), Breach::RollingBack)?;
        let on = On::Gate {
            step: self.graph.id(at).clone(),
        };
        let granted = self.grants(&on).contains(&body.approval);
        ensure(granted, Breach::Approvals)
    }

    fn judge_rollback(&self, body: &RollbackStarted, now: Now) -> Judged {
        let plan = self.rollback(body.checkpoint, now);
        let plan = plan.map_err(Breach::NoRollback)?;
        let honest = plan.started(body.preview, body.mode, body.approvals.clone());
        ensure(*body == honest, Breach::NotThisRollback)?;
        let on = On::Rollback {
            preview: body.preview,
        };
        let outline = &self.graph.outline;
        ensure(
            self.enough(outline, &on, &body.approvals),
            Breach::FourEyes {
                needed: needed(outline),
            },
        )
    }

    fn judge_undo(&self, entry: &Entry, mode: UndoMode, now: Now) -> Judged {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.about_at(at))?;
        ensure(!self.in_flight(at), Breach::DoubleRun)?;
        let step = &self.steps[at];
        ensure(step.begun(), Breach::State(step.state))?;
        ensure(!self.too_late(at, now), Breach::Irreversible)?;
        ensure(
            self.step_at(at).undo == Undo::Automatic,
            Breach::Irreversible,
        )?;
        if step.state == StepState::Stuck {
            ensure(self.may_retry(at, now), Breach::NotFreed)?;
        }
        ensure(mode == self.undo_mode(at), Breach::Mode)?;
        let listed = if let Some(rollback) = &self.rollback {
            rollback.listed[at]
        } else {
            self.step_at(at).on_failure == OnFailure::Undo && self.owes_undo(at, now)
        };
        ensure(listed, Breach::NotListed)?;
        match self.dependant_in_the_way(at, now) {
            Some(after) => Err(Breach::Order(after)),
            None => Ok(()),
        }
    }

    /// Something that comes after the step, however far, stands and is to be undone. Walks the graph
    /// on its own, whatever the rollback's counters say.
    fn dependant_in_the_way(&self, at: usize, now: Now) -> Option<StepId> {
        let mut seen = vec![false; self.steps.len()];
        let mut ahead = self.graph.after[at].clone();
        while let Some(after) = ahead.pop() {
            if std::mem::replace(&mut seen[after], true) {
                continue;
            }
            let step = &self.steps[after];
            let stays = self.stay(after, now.as_at).is_some() && !step.undoing;
            let nothing = self.step_at(after).undo == Undo::Nothing;
            if step.begun() && !stays && !nothing {
                return Some(self.graph.id(after).clone());
            }
            ahead.extend(&self.graph.after[after]);
        }
        None
    }

    fn judge_rolled_back(&self, checkpoint: u64) -> Judged {
        let rollback = self.rollback.as_ref().ok_or(Breach::NoRollbackOn)?;
        ensure(rollback.checkpoint == checkpoint, Breach::NotThisRollback)?;
        let standing = rollback.undoes.iter().find(|id| {
            self.state(id)
                .is_some_and(|step| step.state != StepState::Undone)
        });
        match standing {
            Some(id) => Err(Breach::Order(id.clone())),
            None => Ok(()),
        }
    }

    fn judge_stuck(&self, checkpoint: u64, stuck: &[StepId], now: Now) -> Judged {
        let rollback = self.rollback.as_ref().ok_or(Breach::NoRollbackOn)?;
        let same = rollback.checkpoint == checkpoint && !rollback.failed;
        ensure(same, Breach::NotThisRollback)?;
        let flying = (0..self.steps.len()).find(|&at| self.in_flight(at));
        if let Some(at) = flying {
            return Err(Breach::InFlight(self.graph.id(at).clone()));
        }
        let honest = self.needing_a_person(rollback, now);
        ensure(!stuck.is_empty() && honest == stuck, Breach::Counts)
    }

    fn judge_override(&self, approvals: &[u64]) -> Judged {
        let mut people = Vec::new();
        for decided in approvals.iter().filter_map(|seq| self.decided.get(seq)) {
            let person = super::gate::code(&decided.actor);
            if decided.verdict == Verdict::Granted && !decided.void && !people.contains(&person) {
                people.push(person);
            }
        }
        let two = people.len() == approvals.len() && people.len() >= 2;
        ensure(two, Breach::FourEyes { needed: 2 })
    }

    fn judge_closed(&self, body: &LogClosed) -> Judged {
        if let Some(at) = (0..self.steps.len()).find(|&at| self.in_flight(at)) {
            return Err(Breach::InFlight(self.graph.id(at).clone()));
        }
        ensure(self.rollback.is_none(), Breach::RollingBack)?;
        let honest = LogClosed {
            annex: body.annex,
            effects: body.effects,
            ..self.closing()
        };
        ensure(*body == honest, Breach::Counts)
    }

    /// The step's outcome (or a fact about its work) belongs to what is in flight now.
    fn outcome_of(&self, entry: &Entry, state: StepState) -> Judged<usize> {
        let at = self.position_of(entry)?;
        self.about_is(entry, self.about_at(at))?;
        let fits = self.steps[at].state == state && self.in_flight(at);
        ensure(fits, Breach::State(self.steps[at].state))?;
        Ok(at)
    }

    fn position_of(&self, entry: &Entry) -> Judged<usize> {
        let step = entry_step(entry)?;
        self.graph.position(&step).ok_or(Breach::UnknownStep)
    }

    fn about_now(&self, entry: &Entry, step: &StepId) -> Judged<usize> {
        let at = self.graph.position(step).ok_or(Breach::UnknownStep)?;
        self.about_is(entry, self.about_at(at))?;
        Ok(at)
    }

    #[expect(
        clippy::unused_self,
        reason = "reads as a rule of the run beside its siblings"
    )]
    fn about_is(&self, entry: &Entry, honest: About) -> Judged {
        if entry.about.as_ref() == Some(&honest) {
            Ok(())
        } else {
            Err(Breach::Generation(honest))
        }
    }

    pub(super) fn undo_mode(&self, at: usize) -> UndoMode {
        match &self.rollback {
            Some(rollback) if rollback.listed[at] => rollback.mode,
            _ => UndoMode::Refuse,
        }
    }

    /// Counts per rest state.
    #[must_use]
    pub fn counts(&self) -> RunRested {
        self.rests().rested()
    }
}

pub(super) fn now(entry: &Entry) -> Now {
    Now {
        at: entry.at,
        as_at: entry.as_at,
    }
}

pub(super) fn ensure(holds: bool, otherwise: Breach) -> Judged {
    if holds { Ok(()) } else { Err(otherwise) }
}

fn entry_step(entry: &Entry) -> Judged<StepId> {
    let about = entry.about.as_ref().ok_or(Breach::About)?;
    Ok(about.step.clone())
}
