//! When things happen and from when on they cannot be taken back: dated steps in order, the point of
//! no return per subject, the last safe minute to start a rollback.
//!
//! Timings come from a rehearsal; without one nothing is guessed and people are told so.
//!
//! Not here: relative dates (`calendar`), whether a step may start (`machine`).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::model::{Plan, StepSpec};
use crate::plan::outline::{Gate, Outline, OutlineStep, StepId, Subject, Undo};

/// Kept in hand beyond what was rehearsed.
pub const SPARE_MINUTES: i64 = 15;

/// How long steps took in a rehearsal, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsed {
    /// Carrying a step out.
    pub forward_s: BTreeMap<StepId, u64>,
    /// Undoing it.
    pub undo_s: BTreeMap<StepId, u64>,
}

impl Rehearsed {
    /// Undoing these steps one after another; not known unless each of them was undone.
    pub(super) fn undo_of<'s>(&self, steps: impl Iterator<Item = &'s StepId>) -> Option<u64> {
        let seconds: Option<Vec<u64>> = steps.map(|id| self.undo_s.get(id).copied()).collect();
        let seconds = seconds.filter(|seconds| !seconds.is_empty())?;
        Some(seconds.iter().sum())
    }
}

/// One dated step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimetableRow {
    /// The step.
    #[schemars(with = "String")]
    pub step: StepId,
    /// Not before this moment (its own start, or the moment that it waits for).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub start: Option<Timestamp>,
    /// To be done by this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub due: Option<Timestamp>,
}

impl TimetableRow {
    /// The moment it is sorted and shown by.
    #[must_use]
    pub fn when(&self) -> Option<Timestamp> {
        self.start.or(self.due)
    }
}

/// From when on a subject cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// What is closed.
    #[schemars(with = "String")]
    pub subject: Subject,
    /// The steps that close it.
    #[schemars(with = "Vec<String>")]
    pub closes: Vec<StepId>,
    /// The earliest moment at which one of them can finish; absent where no date holds it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Seconds that undoing everything before it took in a rehearsal, one step after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_s: Option<u64>,
    /// The last moment at which a rollback can safely start: `at` less the rehearsed time and
    /// [`SPARE_MINUTES`]. Absent: not rehearsed, or not dated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_safe: Option<Timestamp>,
    /// Seconds between the rehearsed end of everything before it and `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_s: Option<i64>,
}

/// Every dated step, in the order of dates, then of the plan.
#[must_use]
pub fn timetable(plan: &Plan) -> Vec<TimetableRow> {
    let dated = plan.steps.iter().zip(&plan.outline.steps);
    let mut rows: Vec<TimetableRow> = dated
        .map(|(step, outline)| TimetableRow {
            step: step.id.clone(),
            start: opens(outline),
            due: step.due,
        })
        .filter(|row| row.when().is_some())
        .collect();
    rows.sort_by_key(TimetableRow::when);
    rows
}

/// The point of no return of each subject that has one, in the order of subjects.
#[must_use]
pub fn points(plan: &Plan, rehearsed: Option<&Rehearsed>) -> Vec<Point> {
    let subjects = [
        Subject::Data,
        Subject::Staff,
        Subject::Contracts,
        Subject::Tenants,
    ];
    let clock = Clockwork {
        outline: &plan.outline,
        rehearsed,
    };
    let of = |subject| point(plan, &clock, subject);
    subjects.into_iter().filter_map(of).collect()
}

/// What the source stands still for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrozenWork {
    /// The freezes and what is done behind them, until nothing goes back any more.
    #[schemars(with = "Vec<String>")]
    pub steps: Vec<StepId>,
    /// Seconds that the longest way through them took in rehearsals, people's and dates' waits aside.
    /// Absent: not each of them was rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// The work behind the plan's freezes; none where nothing freezes.
#[must_use]
pub fn frozen_work(plan: &Plan, rehearsed: Option<&Rehearsed>) -> Option<FrozenWork> {
    let freezes = plan.steps.iter();
    let freezes = freezes.filter(|step| matches!(step.does, StepSpec::Freeze(_)));
    let freezes: Vec<&StepId> = freezes.map(|step| &step.id).collect();
    let behind = |step: &&OutlineStep| {
        let held = freezes.contains(&&step.id)
            || freezes
                .iter()
                .any(|freeze| plan.outline.comes_before(freeze, &step.id));
        held && step.gate == Gate::None && step.undo != Undo::Cannot
    };
    let steps: Vec<&OutlineStep> = plan.outline.steps.iter().filter(behind).collect();
    let took = |step: &OutlineStep| rehearsed?.forward_s.get(&step.id).copied();
    let seconds: Option<BTreeMap<&StepId, u64>> = steps
        .iter()
        .map(|step| Some((&step.id, took(step)?)))
        .collect();
    (!steps.is_empty()).then(|| FrozenWork {
        steps: steps.iter().map(|step| step.id.clone()).collect(),
        seconds: seconds.map(|seconds| longest(&plan.outline, &seconds)),
    })
}

/// The longest way through these steps.
fn longest(outline: &Outline, seconds: &BTreeMap<&StepId, u64>) -> u64 {
    let clock = Clockwork {
        outline,
        rehearsed: None,
    };
    let start = Timestamp::UNIX_EPOCH;
    let end = |step: &OutlineStep, before: Option<Timestamp>| {
        let took = seconds.get(&step.id).copied().unwrap_or_default();
        let took = SignedDuration::from_secs(i64::try_from(took).ok()?);
        before.unwrap_or(start).checked_add(took).ok()
    };
    let ends = seconds.keys().filter_map(|step| clock.walk(step, &end));
    let last = ends.max().unwrap_or(start);
    u64::try_from(last.duration_since(start).as_secs()).unwrap_or(0)
}

/// The earliest point of no return that has a date and a last safe minute.
#[must_use]
pub fn first_safe(points: &[Point]) -> Option<&Point> {
    let rehearsed = points.iter().filter(|point| point.last_safe.is_some());
    rehearsed.min_by_key(|point| point.last_safe)
}

fn point(plan: &Plan, clock: &Clockwork<'_>, subject: Subject) -> Option<Point> {
    let closing: Vec<&OutlineStep> = plan
        .outline
        .steps
        .iter()
        .filter(|step| step.subjects.contains(&subject) && closes(step))
        .collect();
    let closed = |step: &&OutlineStep| clock.closed(plan, step);
    let at = closing.iter().filter_map(closed).min();
    let first = closing.first()?;
    let rollback_s = clock.rollback_s();
    let spare = SignedDuration::from_mins(SPARE_MINUTES);
    let rehearsed = rollback_s
        .map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX / 2)));
    let last_safe = at.zip(rehearsed).and_then(|(at, rollback)| {
        let whole = rollback.checked_add(spare)?;
        at.checked_sub(whole).ok()
    });
    let ready = clock.rehearsed.and_then(|_| clock.ready(first));
    Some(Point {
        subject,
        closes: closing.iter().map(|step| step.id.clone()).collect(),
        at,
        rollback_s,
        last_safe,
        slack_s: at
            .zip(ready)
            .map(|(at, ready)| at.duration_since(ready).as_secs()),
    })
}

fn closes(step: &OutlineStep) -> bool {
    step.undo == Undo::Cannot || step.undo_until.is_some()
}

/// The moment before which a step does not start by its own dates.
fn opens(step: &OutlineStep) -> Option<Timestamp> {
    match step.gate {
        Gate::Until(until) => Some(step.start.map_or(until, |start| start.max(until))),
        _ => step.start,
    }
}

/// Earliest moments along the graph.
struct Clockwork<'a> {
    outline: &'a Outline,
    rehearsed: Option<&'a Rehearsed>,
}

impl Clockwork<'_> {
    /// The earliest moment at which a step closes its subjects, as far as dates say.
    fn closed(&self, plan: &Plan, step: &OutlineStep) -> Option<Timestamp> {
        let effective = match plan.step(&step.id).map(|step| &step.does) {
            Some(StepSpec::Switch(switch)) => Some(switch.effective),
            _ => step.undo_until,
        };
        let dated = self.walk(&step.id, &|step, before| opens(step).max(before));
        effective.max(dated)
    }

    /// When everything before the last wait on the way to `step` would be done, as rehearsed: the
    /// clock runs, but waits for a moment do not hold it.
    fn ready(&self, step: &OutlineStep) -> Option<Timestamp> {
        let took = |step: &OutlineStep| {
            let seconds = self.rehearsed?.forward_s.get(&step.id)?;
            Some(SignedDuration::from_secs(i64::try_from(*seconds).ok()?))
        };
        let until = |step: &OutlineStep, before: Option<Timestamp>| {
            let begun = step.start.max(before);
            match took(step) {
                Some(took) => begun.and_then(|begun| begun.checked_add(took).ok()),
                None => begun,
            }
        };
        let before = step.after.iter().filter_map(|id| self.walk(id, &until));
        before.max()
    }

    /// Undoing everything that we undo ourselves, one step after another; not known unless a rehearsal
    /// undid all of it.
    fn rollback_s(&self) -> Option<u64> {
        let steps = self.outline.steps.iter();
        let ours = steps.filter(|step| step.undo == Undo::Automatic);
        self.rehearsed?.undo_of(ours.map(|step| &step.id))
    }

    /// Folds `end` from the beginning of the graph to `id`: each step after the latest before it.
    fn walk(
        &self,
        id: &StepId,
        end: &dyn Fn(&OutlineStep, Option<Timestamp>) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let mut ends: BTreeMap<&StepId, Option<Timestamp>> = BTreeMap::new();
        let mut todo = vec![id];
        while let Some(&next) = todo.last() {
            let Some(step) = self.outline.index.get(next) else {
                ends.insert(next, None);
                todo.pop();
                continue;
            };
            let step = &self.outline.steps[*step];
            let open: Vec<&StepId> = step
                .after
                .iter()
                .filter(|id| !ends.contains_key(id))
                .collect();
            if open.is_empty() {
                let before = step.after.iter().filter_map(|id| ends[id]).max();
                ends.insert(next, end(step, before));
                todo.pop();
            } else {
                todo.extend(open);
            }
        }
        ends.remove(id).flatten()
    }
}
