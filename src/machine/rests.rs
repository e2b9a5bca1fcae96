//! What a run amounts to when nothing runs: one rest state per step, their counts, the exit code,
//! and who is waited for.
//!
//! A step whose *fault* was a refusal (bad data, missing rights) rests as failed, with the kind beside
//! it; *refused* is a gate at which somebody said no, and that stops the run. The exit code is the
//! worst by the order 7 (stuck), 1 (failed), 5 (refused), 4 (held), 0.
//!
//! Not here: words and tables for people (`report`).

use std::collections::BTreeMap;

use super::event::{Event, FaultKind, LogClosed, On, RunRested, Waiting};
use super::run::Run;
use super::state::{Moment, StepRun, StepState, Verdict};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Seat};
use crate::plan::outline::{Gate, StepId};

/// Where a step rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// Finished, or left out by decision.
    Completed,
    /// Waits for a person or a date: not a failure.
    Held(Waiting),
    /// Waits for decisions of these seats.
    Undecided(Vec<Seat>),
    /// Did not finish.
    Failed {
        /// Whose fault.
        kind: FaultKind,
        /// A code of `explain`.
        code: Code,
        /// Its own work was taken back (`on-failure = "undo"`).
        undone: bool,
    },
    /// Somebody said no; this entry.
    Refused(u64),
    /// Taken back by a rollback.
    Undone,
    /// Its undo needs a person; with the code of the fault, if there was one.
    Stuck(Option<Code>),
    /// Not begun, not asked for: waits for others. A step that was stopped in mid-work is pending too:
    /// the next run goes on with it.
    Pending,
}

/// One rest state per step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rests {
    /// In the order of ids.
    pub steps: BTreeMap<StepId, Rest>,
}

impl Rests {
    /// The exit code: the worst state's.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let code = |rest: &Rest| match rest {
            Rest::Stuck(_) => 7,
            Rest::Failed { .. } => 1,
            Rest::Refused(_) => 5,
            Rest::Held(_) | Rest::Undecided(_) => 4,
            Rest::Completed | Rest::Undone | Rest::Pending => 0,
        };
        let worst = |code: &u8| [0, 4, 5, 1, 7].iter().position(|listed| listed == code);
        self.steps.values().map(code).max_by_key(worst).unwrap_or(0)
    }

    /// What `run.rested` says: counts and exit code.
    #[must_use]
    pub fn rested(&self) -> RunRested {
        let count =
            |is: fn(&Rest) -> bool| self.steps.values().filter(|rest| is(rest)).count() as u64;
        RunRested {
            completed: count(|rest| matches!(rest, Rest::Completed)),
            held: count(|rest| matches!(rest, Rest::Held(_) | Rest::Undecided(_))),
            failed: count(|rest| matches!(rest, Rest::Failed { .. })),
            refused: count(|rest| matches!(rest, Rest::Refused(_))),
            undone: count(|rest| matches!(rest, Rest::Undone)),
            stuck: count(|rest| matches!(rest, Rest::Stuck(_))),
            pending: count(|rest| matches!(rest, Rest::Pending)),
            exit: self.exit(),
        }
    }

    /// The entry that says so.
    #[must_use]
    pub fn event(&self) -> Event {
        Event::RunRested(self.rested())
    }
}

/// Somebody or something that a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Which step; none for signatures under the paper itself.
    pub step: Option<StepId>,
    /// For whom or what.
    pub what: AwaitedWhat,
    /// Since when, where that was written.
    pub since: Option<Moment>,
}

/// For whom or what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwaitedWhat {
    /// These seats' decisions.
    Decisions(Vec<Seat>),
    /// A person's word, evidence or a date.
    Hold(Waiting),
    /// Somebody who says that a failed (or stuck) step may be tried again, or mends the paper.
    Mend,
    /// Somebody who undoes the step by hand and attests it.
    ByHand(String),
}

impl Run {
    /// Where every step rests, as the entries so far have it.
    #[must_use]
    pub fn rests(&self) -> Rests {
        let rest = |(at, step): (usize, &StepRun)| (self.graph.id(at).clone(), self.rest(at, step));
        Rests {
            steps: self.steps.iter().enumerate().map(rest).collect(),
        }
    }

    fn rest(&self, at: usize, step: &StepRun) -> Rest {
        match step.state {
            StepState::Committed | StepState::Skipped => Rest::Completed,
            StepState::Stuck => Rest::Stuck(step.failure.as_ref().map(|fault| fault.code.clone())),
            StepState::Failed => self.unseen(step).unwrap_or(failed(step, false)),
            // One that took its work back and may try again is asked for like any other.
            StepState::Undone if step.failure.is_some() => {
                self.at_its_gate(at, step).unwrap_or(failed(step, true))
            }
            StepState::Undone => self.at_its_gate(at, step).unwrap_or(Rest::Undone),
            StepState::Pending => self.at_its_gate(at, step).unwrap_or(Rest::Pending),
            StepState::Held => self.in_mid_work(at, step).unwrap_or(Rest::Pending),
            StepState::Running => self.unseen(step).unwrap_or(Rest::Pending),
            StepState::Undoing => Rest::Pending,
        }
    }

    /// Witnesses who have not seen the paper that a step which stopped is to go on with.
    fn unseen(&self, step: &StepRun) -> Option<Rest> {
        let waiting = step.hold.as_ref().map(|hold| &hold.waiting)?;
        let waits = matches!(waiting, Waiting::Seal { size } if self.witnessed() < *size);
        waits.then(|| Rest::Held(waiting.clone()))
    }

    /// What a step that has not begun waits for, once that was written.
    fn at_its_gate(&self, at: usize, step: &StepRun) -> Option<Rest> {
        if let Some((refusal, _)) = self.refusal(at) {
            return Some(Rest::Refused(refusal));
        }
        if step.requested.is_some() {
            let missing = self.undecided(at);
            if !missing.is_empty() {
                return Some(Rest::Undecided(missing));
            }
        }
        let hold = step.hold.as_ref()?;
        let answered = match hold.waiting {
            Waiting::Seal { size } => self.witnessed() >= size,
            // What was waited for before decisions were asked for has come.
            _ => step.done.is_some() || step.requested.is_some(),
        };
        (!answered).then(|| Rest::Held(hold.waiting.clone()))
    }

    /// What a step waits for in the middle of its work: its gate is behind it, whatever became of
    /// those decisions. One that a rollback is to undo waits for nobody.
    fn in_mid_work(&self, at: usize, step: &StepRun) -> Option<Rest> {
        let rollback = self.rollback.as_ref();
        let goes = rollback.is_some_and(|rollback| rollback.listed[at]);
        let hold = step.hold.as_ref().filter(|_| !goes)?;
        if matches!(hold.waiting, Waiting::Seal { .. }) {
            return self.unseen(step);
        }
        step.answer
            .is_none()
            .then(|| Rest::Held(hold.waiting.clone()))
    }

    fn refusal(&self, at: usize) -> Option<(u64, &super::state::Decided)> {
        let on = On::Gate {
            step: self.graph.id(at).clone(),
        };
        self.not_void(&on)
            .find(|(_, decided)| decided.verdict == Verdict::Refused)
    }

    fn undecided(&self, at: usize) -> Vec<Seat> {
        let step = self.step_at(at);
        let on = On::Gate {
            step: step.id.clone(),
        };
        let Gate::Decisions(seats) = &step.gate else {
            return Vec::new();
        };
        let missing = seats
            .iter()
            .filter(|seat| self.standing(&on, seat).is_none());
        missing.cloned().collect()
    }

    /// Who (or what) is waited for, in the plan's order.
    #[must_use]
    pub fn waiting(&self) -> Vec<Awaited> {
        let mut waiting = Vec::new();
        let unsigned = self.unsigned();
        if self.bound && !unsigned.is_empty() {
            waiting.push(Awaited {
                step: None,
                what: AwaitedWhat::Decisions(unsigned),
                since: None,
            });
        }
        for (at, step) in self.steps.iter().enumerate() {
            let what = match self.rest(at, step) {
                Rest::Held(hold) => AwaitedWhat::Hold(hold),
                Rest::Undecided(seats) => AwaitedWhat::Decisions(seats),
                Rest::Refused(_) | Rest::Failed { .. } | Rest::Stuck(_) => AwaitedWhat::Mend,
                Rest::Completed | Rest::Undone | Rest::Pending => match self.by_hand(at) {
                    Some(words) => AwaitedWhat::ByHand(words),
                    None => continue,
                },
            };
            let hold = step.hold.as_ref().map(|hold| hold.since);
            let failure = step.failure.as_ref().map(|failure| failure.when);
            waiting.push(Awaited {
                step: Some(self.graph.id(at).clone()),
                what,
                since: step.requested.or(hold).or(failure),
            });
        }
        waiting
    }

    /// A rollback passed it, and a person may undo it.
    fn by_hand(&self, at: usize) -> Option<String> {
        use crate::plan::outline::Undo;
        match &self.step_at(at).undo {
            Undo::ByHand(words) if self.passed.contains(self.graph.id(at)) => Some(words.clone()),
            _ => None,
        }
    }

    /// What `log.closed` must say now: counts, and one digest over the final state of every step.
    #[must_use]
    pub fn closing(&self) -> LogClosed {
        let mut lines = String::new();
        let (mut completed, mut undone, mut other) = (0, 0, 0);
        for (outline, step) in self.steps() {
            match step.state {
                StepState::Committed | StepState::Skipped => completed += 1,
                StepState::Undone => undone += 1,
                _ => other += 1,
            }
            let root = step.root.map_or_else(String::new, |root| root.to_string());
            let state = format!("{:?}", step.state).to_lowercase();
            let line = [
                outline.id.as_str(),
                &step.generation.to_string(),
                &state,
                &root,
            ]
            .join(" ");
            lines.extend([line.as_str(), "\n"]);
        }
        LogClosed {
            completed,
            undone,
            other,
            root: Digest::of(lines.as_bytes()),
            annex: None,
            effects: None,
        }
    }
}

fn failed(step: &StepRun, undone: bool) -> Rest {
    match &step.failure {
        Some(failure) => Rest::Failed {
            kind: failure.kind,
            code: failure.code.clone(),
            undone,
        },
        None => Rest::Pending,
    }
}
