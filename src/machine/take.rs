//! What an entry changes, once `apply` has judged it. Nothing here can fail, and nothing here decides.
//!
//! Not here: whether it may (`apply`).

use std::sync::Arc;

use super::apply::now;
use super::event::{
    Answer, Decision, Entry, Event, FaultKind, On, RollbackStarted, StepCommitted, StepFailed,
    StepMarked,
};
use super::graph::Graph;
use super::run::{Head, Run};
use super::state::{
    Checkpoint, Decided, Failure, Hold, Lease, Marked, Moment, StepRun, StepState, Verdict,
};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

impl Run {
    pub(super) fn take(&mut self, entry: &Entry) {
        let when = Moment {
            seq: entry.seq,
            at: entry.at,
            as_at: entry.as_at,
        };
        self.take_event(entry, when);
        self.head = Some(Head {
            run: entry.run,
            when,
            boot: entry.boot,
            exec: entry.exec,
            mono: entry.mono,
        });
    }

    /// What an entry says of the run as a whole; what it says of one step goes to `take_step`.
    fn take_event(&mut self, entry: &Entry, when: Moment) {
        match &entry.event {
            Event::LogOpened(body) => {
                self.opened = Some(Arc::new(body.clone()));
                self.bind(entry);
                self.checkpoints.push(Checkpoint {
                    number: 0,
                    when,
                    step: None,
                });
            }
            Event::PlanBound(_) => {
                self.bound = true;
                self.signed = self.unsigned().is_empty();
            }
            Event::PlanAmended(body) => self.amend(&body.new, entry.seq),
            Event::ApprovalGranted(body) => self.note(entry, body, Verdict::Granted, when),
            Event::ApprovalRefused(body) => self.note(entry, body, Verdict::Refused, when),
            Event::ApprovalRevoked(body) => self.note(entry, body, Verdict::Revoked, when),
            Event::LeaseAcquired(body) => {
                self.lease = Some(Lease {
                    epoch: body.epoch,
                    exec: entry.exec,
                    held: true,
                });
            }
            Event::LeaseReleased(_) => {
                if let Some(lease) = &mut self.lease {
                    lease.held = false;
                }
            }
            Event::RollbackStarted(body) => self.roll_back(body, entry, when),
            Event::RollbackCommitted(_) => {
                self.rollback = None;
                self.rolled = Some(entry.epoch);
            }
            Event::RollbackFailed(body) => self.strand(&body.stuck),
            Event::LogClosed(_) => self.closed = true,
            Event::SealCosigned(body) => self.take_cosigned(body),
            Event::ApprovalRequested(_)
            | Event::HoldBegun(_)
            | Event::HoldAnswered(_)
            | Event::StepStarted(_)
            | Event::StepMarked(_)
            | Event::StepCommitted(_)
            | Event::StepFailed(_)
            | Event::StepSkipped(_)
            | Event::UndoStarted(_)
            | Event::UndoCommitted(_)
            | Event::UndoFailed(_) => self.take_step(entry, when),
            Event::RunRested(_)
            | Event::ExternalAttested(_)
            | Event::CheckPassed(_)
            | Event::CheckFailed(_)
            | Event::OperatorOverride(_)
            | Event::ClockStepped(_)
            | Event::SealHeartbeat(_)
            | Event::KeyRotated(_)
            | Event::LogRecovered(_) => {}
        }
    }

    /// What an entry says of the step that it is about.
    fn take_step(&mut self, entry: &Entry, when: Moment) {
        let about = entry.about.as_ref();
        let Some(at) = about.and_then(|about| self.graph.position(&about.step)) else {
            return;
        };
        match &entry.event {
            Event::ApprovalRequested(_) => self.steps[at].requested = Some(when),
            Event::HoldBegun(body) => {
                let works = self.in_flight(at);
                let step = &mut self.steps[at];
                step.hold = Some(Hold {
                    since: when,
                    waiting: body.waiting.clone(),
                });
                if works {
                    self.set_state(at, StepState::Held);
                }
            }
            Event::HoldAnswered(body) => self.answer(at, body.answer, when),
            Event::StepStarted(_) => self.start(at, entry, when),
            Event::StepMarked(body) => self.mark(at, body),
            Event::StepCommitted(body) => {
                self.finish(at, StepState::Committed, when);
                self.steps[at].root = Some(root(body));
            }
            Event::StepSkipped(_) => self.finish(at, StepState::Skipped, when),
            Event::StepFailed(body) => self.fail(at, StepState::Failed, body, when),
            Event::UndoFailed(body) => self.fail(at, StepState::Stuck, body, when),
            Event::UndoStarted(_) => self.begin_undo(at, entry.epoch),
            Event::UndoCommitted(_) => self.undone(at),
            // `take_event` hands on no other.
            _ => {}
        }
    }

    fn begin_undo(&mut self, at: usize, epoch: u64) {
        self.set_state(at, StepState::Undoing);
        let step = &mut self.steps[at];
        step.epoch = epoch;
        step.freed = false;
        step.answer = None;
        step.undoing = true;
        if let Some(rollback) = &mut self.rollback {
            rollback.failed = false;
        }
    }

    /// A rollback came to an end that left these steps stuck.
    fn strand(&mut self, stuck: &[StepId]) {
        let stuck = stuck.iter();
        let stuck: Vec<usize> = stuck.filter_map(|id| self.graph.position(id)).collect();
        for at in stuck {
            self.set_state(at, StepState::Stuck);
        }
        if let Some(rollback) = &mut self.rollback {
            rollback.failed = true;
        }
    }

    fn bind(&mut self, entry: &Entry) {
        if let Some(outline) = self.shelf.get(&entry.plan) {
            self.graph = Graph::new(outline.clone());
            self.steps = vec![StepRun::default(); outline.steps.len()];
            self.count_missing();
        }
    }

    /// From the states of the steps: who waits for whom.
    pub(super) fn count_missing(&mut self) {
        let unfinished = |at: &usize| u32::from(!self.steps[*at].finished());
        let missing = self.graph.before.iter();
        self.missing = missing
            .map(|before| before.iter().map(unfinished).sum())
            .collect();
        let positions = 0..self.steps.len();
        self.open = positions
            .filter(|&at| self.missing[at] == 0 && !self.steps[at].finished())
            .collect();
    }

    pub(super) fn set_state(&mut self, at: usize, state: StepState) {
        let was = self.steps[at].finished();
        self.steps[at].state = state;
        let is = self.steps[at].finished();
        if was == is {
            return;
        }
        for &after in &self.graph.after[at] {
            if is {
                self.missing[after] -= 1;
            } else {
                self.missing[after] += 1;
            }
            if self.missing[after] == 0 && !self.steps[after].finished() {
                self.open.insert(after);
            } else {
                self.open.remove(&after);
            }
        }
        if is {
            self.open.remove(&at);
        } else if self.missing[at] == 0 {
            self.open.insert(at);
        }
    }

    fn note(&mut self, entry: &Entry, body: &Decision, verdict: Verdict, when: Moment) {
        match verdict {
            Verdict::Revoked => self.revoke(entry, body),
            // A no over one's own yes takes that back.
            Verdict::Refused => {
                let own = self.own_yes(&body.on, &entry.actor);
                self.void(own.as_slice());
            }
            Verdict::Granted => {}
        }
        let void = verdict == Verdict::Revoked;
        self.nonces
            .extend(body.signed.map(|signed| signed.window.nonce));
        self.decided.insert(
            when.seq,
            Decided {
                when,
                verdict,
                on: body.on.clone(),
                actor: entry.actor.clone(),
                reading: body.reading,
                statement: body.statement,
                signed: body.signed,
                void,
            },
        );
        self.about
            .entry(body.on.clone())
            .or_default()
            .push(when.seq);
        if verdict == Verdict::Refused && matches!(body.on, On::Gate { .. }) {
            self.refusals.insert(when.seq);
        }
        self.signed = self.bound && self.unsigned().is_empty();
    }

    /// The standing decision of the same role and organisation counts no more.
    fn revoke(&mut self, entry: &Entry, body: &Decision) {
        let same = |actor: &super::event::Actor| match (actor, &entry.actor) {
            (
                super::event::Actor::Person { role, org, .. },
                super::event::Actor::Person {
                    role: role_now,
                    org: org_now,
                    ..
                },
            ) => role == role_now && org == org_now,
            _ => false,
        };
        let standing: Vec<u64> = self
            .not_void(&body.on)
            .filter(|(_, decided)| same(&decided.actor))
            .map(|(seq, _)| seq)
            .collect();
        self.void(&standing);
    }

    pub(super) fn void(&mut self, decisions: &[u64]) {
        for seq in decisions {
            if let Some(decided) = self.decided.get_mut(seq) {
                decided.void = true;
            }
            self.refusals.remove(seq);
        }
    }

    fn answer(&mut self, at: usize, answer: Answer, when: Moment) {
        let step = &mut self.steps[at];
        match answer {
            Answer::Done if step.state != StepState::Held => step.done = Some(when.seq),
            Answer::Done | Answer::Evidence => step.answer = Some(when.seq),
            Answer::Retry => {
                step.answer = Some(when.seq);
                step.freed = true;
                if let Some(failure) = &mut step.failure {
                    failure.transients = 0;
                }
                if let Some(rollback) = &mut self.rollback {
                    rollback.failed = false;
                }
            }
            Answer::Undone => {
                self.undone(at);
                let on = On::Gate {
                    step: self.graph.id(at).clone(),
                };
                let gate: Vec<u64> = self.not_void(&on).map(|(seq, _)| seq).collect();
                self.void(&gate);
            }
        }
    }

    fn start(&mut self, at: usize, entry: &Entry, when: Moment) {
        self.set_state(at, StepState::Running);
        self.rolled = None;
        let step = &mut self.steps[at];
        let Some(about) = &entry.about else {
            return;
        };
        if about.generation != step.generation {
            (step.marked, step.committed, step.undoing) = (None, None, false);
        }
        step.generation = about.generation;
        step.attempt = about.attempt;
        step.paper = Some(entry.plan);
        step.started = Some(when);
        step.epoch = entry.epoch;
        step.freed = false;
        step.answer = None;
        step.hold = None;
        self.passed.remove(&about.step);
    }

    fn mark(&mut self, at: usize, body: &StepMarked) {
        self.steps[at].marked = Some(Marked {
            ordinal: body.ordinal,
            rows: body.rows,
        });
    }

    fn finish(&mut self, at: usize, state: StepState, when: Moment) {
        self.steps[at].committed = Some(when);
        self.steps[at].failure = None;
        self.steps[at].hold = None;
        self.set_state(at, state);
        self.finishes += 1;
        self.checkpoints.push(Checkpoint {
            number: self.finishes,
            when,
            step: Some(self.graph.id(at).clone()),
        });
    }

    fn fail(&mut self, at: usize, state: StepState, body: &StepFailed, when: Moment) {
        self.set_state(at, state);
        let step = &mut self.steps[at];
        let before = step
            .failure
            .as_ref()
            .map_or(0, |failure| failure.transients);
        let transient = body.kind == FaultKind::Transient;
        step.failure = Some(Failure {
            when,
            kind: body.kind,
            code: body.code.clone(),
            about: body.about.clone(),
            rows: body.rows,
            transients: if transient { before + 1 } else { 0 },
        });
    }

    fn roll_back(&mut self, body: &RollbackStarted, entry: &Entry, when: Moment) {
        // Judged a moment ago: the plan is there, and it is this body's.
        if let Ok(plan) = self.rollback(body.checkpoint, now(entry)) {
            self.passed.extend(body.stays.iter().cloned());
            self.start_rollback(body, plan, when);
        }
    }

    fn undone(&mut self, at: usize) {
        self.set_state(at, StepState::Undone);
        let listed = self
            .rollback
            .as_ref()
            .is_some_and(|rollback| rollback.listed[at]);
        let step = &mut self.steps[at];
        let own = step.committed.is_none() && self.rollback.is_none();
        (step.hold, step.requested, step.done, step.answer) = (None, None, None, None);
        (step.marked, step.committed, step.root) = (None, None, None);
        step.freed = false;
        if !own {
            step.failure = None;
        }
        if listed {
            self.clear(at);
        }
        self.passed.remove(&self.graph.id(at).clone());
    }
}

/// Over the names and roots of what a step wrote or counted, a line each.
fn root(body: &StepCommitted) -> Digest {
    let lines = body.outputs.iter().map(|output| {
        let org = output.org.as_deref().unwrap_or("-");
        format!("{} {org} {} {}\n", output.dataset, output.rows, output.root)
    });
    Digest::of(lines.collect::<Vec<String>>().concat().as_bytes())
}
