//! Where a run has got to and who it is waiting for, phase by phase.
//!
//! Not here: rest states (`machine::rests`), a run's summary when it stops (`rest`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner, ends};
use super::sealed::SealStatus;
use super::standing::{Problem, Standing, Wait, problems, standing, unsigned, waits};
use super::words::{Dates, listed};
use super::{FORMAT, Report};
use crate::machine::event::ClockKind;
use crate::machine::run::Run;
use crate::plan::model::Plan;
use crate::plan::outline::{StepId, Undo};
use crate::preview::timetable::{Point, first_safe};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepStatus {
    /// Its id.
    #[schemars(with = "String")]
    pub step: StepId,
    /// Where it stands.
    pub standing: Standing,
    /// Rows done so far.
    pub rows: u64,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PhaseStatus {
    /// What people call it.
    pub phase: String,
    /// The most pressing of its steps' standings.
    pub standing: Standing,
    /// How many of its steps are done.
    pub done: usize,
    /// Its steps.
    pub steps: Vec<StepStatus>,
}

/// A run's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The run, as people name it.
    pub run: String,
    /// The plan's short name.
    pub plan: String,
    /// What people call the transfer.
    pub title: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The plan's time.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The moment of handover.
    #[schemars(with = "String")]
    pub handover: Timestamp,
    /// The time zone for dates.
    pub timezone: String,
    /// The log holds its last entry.
    pub closed: bool,
    /// Phases, in the plan's order.
    pub phases: Vec<PhaseStatus>,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// Who is waited for.
    pub waits: Vec<Wait>,
    /// Finished steps that a rollback would leave as they are.
    #[schemars(with = "Vec<String>")]
    pub stays: Vec<StepId>,
    /// The last moment at which a rollback can safely start; absent: not rehearsed, or nothing closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_safe: Option<Timestamp>,
    /// Whether the log is sealed, and who has signed that.
    pub seals: SealStatus,
    /// Yeses that a live run needs signed and that this rehearsal took as recorded; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_recorded: Option<u64>,
    /// The newest checkpoint's number.
    pub checkpoint: u64,
    /// The exit code of `status --exit-status`.
    pub exit: u8,
}

impl StatusReport {
    /// The status of `run`, which people call `name`, at the plan's time `at`.
    #[must_use]
    pub fn of(name: &str, run: &Run, plan: &Plan, at: Timestamp, points: &[Point]) -> StatusReport {
        let dates = Dates::zone(&plan.timezone);
        let final_word = |undo: &Undo| matches!(undo, Undo::Cannot | Undo::ByHand(_));
        let stays = run
            .steps()
            .filter(|(outline, state)| final_word(&outline.undo) && state.finished());
        StatusReport {
            format: FORMAT,
            run: name.to_owned(),
            plan: plan.name.to_string(),
            title: plan.title.clone(),
            clock: run.opened().map_or(ClockKind::Real, |opened| opened.clock),
            at,
            handover: plan.handover,
            timezone: plan
                .timezone
                .iana_name()
                .unwrap_or("Europe/London")
                .to_owned(),
            closed: run.closed(),
            phases: phases(run, plan),
            problems: problems(run, plan),
            waits: waits(run, plan, &dates),
            stays: stays.map(|(outline, _)| outline.id.clone()).collect(),
            last_safe: first_safe(points).and_then(|point| point.last_safe),
            seals: SealStatus::of(run),
            only_recorded: Some(run.only_recorded() as u64).filter(|count| *count > 0),
            checkpoint: run.checkpoints().last().map_or(0, |cut| cut.number),
            exit: run.rests().exit(),
        }
    }

    fn mode(&self) -> &'static str {
        match self.clock {
            ClockKind::Real => "LIVE",
            ClockKind::MadeUp => "REHEARSAL",
        }
    }

    fn undo(&self, dates: &Dates) -> String {
        let until = match self.last_safe {
            Some(safe) if safe > self.at => format!("automatic until {}", dates.moment(safe)),
            Some(safe) => format!(
                "the last safe start of a rollback was {}",
                dates.moment(safe)
            ),
            None => "last safe start of a rollback: not known, no rehearsal undid all".to_owned(),
        };
        let stays: Vec<&str> = self.stays.iter().map(StepId::as_str).collect();
        match stays.as_slice() {
            [] => until,
            stays => format!("{until}; {} would stay done", listed(stays)),
        }
    }
}

/// How many of a phase's steps are done, and which are the pressing ones.
fn notes(phase: &PhaseStatus) -> String {
    let pressing = match phase.standing {
        Standing::Completed | Standing::CannotStart | Standing::Undone => None,
        standing => Some(standing),
    };
    let wanted = phase
        .steps
        .iter()
        .filter(|step| Some(step.standing) == pressing);
    let names: Vec<String> = wanted
        .map(|step| step.step.as_str().replace('/', " / "))
        .collect();
    let done = format!("{} of {}", phase.done, phase.steps.len());
    match names.as_slice() {
        [] => done,
        names => format!("{done}; {}", listed(names)),
    }
}

fn phases(run: &Run, plan: &Plan) -> Vec<PhaseStatus> {
    let rests = run.rests();
    let mut phases: Vec<PhaseStatus> = plan.phases.iter().map(empty).collect();
    for (at, (outline, state)) in run.steps().enumerate() {
        let Some(rest) = rests.steps.get(&outline.id) else {
            continue;
        };
        let named = plan.step(&outline.id).or_else(|| plan.steps.get(at));
        let Some(phase) = named.and_then(|step| phases.get_mut(step.phase)) else {
            continue;
        };
        let standing = standing(run, outline, rest);
        phase.done += usize::from(standing == Standing::Completed);
        phase.steps.push(StepStatus {
            step: outline.id.clone(),
            standing,
            rows: state.marked.map_or(0, |marked| marked.rows),
        });
    }
    for phase in &mut phases {
        phase.standing = together(&phase.steps);
    }
    phases
}

fn empty(phase: &crate::plan::model::Phase) -> PhaseStatus {
    PhaseStatus {
        phase: phase.name.clone(),
        standing: Standing::Completed,
        done: 0,
        steps: Vec::new(),
    }
}

/// The most pressing standing; a phase with some steps done and others that cannot start is at work.
fn together(steps: &[StepStatus]) -> Standing {
    let worst = steps.iter().map(|step| step.standing).max();
    let worst = worst.unwrap_or(Standing::Completed);
    let some_done = steps
        .iter()
        .any(|step| step.standing == Standing::Completed);
    match worst {
        Standing::CannotStart | Standing::NotStarted if some_done => Standing::InProgress,
        worst => worst,
    }
}

impl Report for StatusReport {
    fn drawn(&self, manner: Manner) -> String {
        let dates = Dates::of(&self.timezone);
        let mut lines = Lines::new();
        let left = format!("{}  {}  {}", self.run, self.mode(), self.title);
        let right = format!("handover {}", dates.away(self.at, self.handover));
        lines.line(ends(&left, &right).replacen(self.mode(), &manner.head(self.mode()), 1));
        for phase in &self.phases {
            let word = phase.standing.words();
            let mut drawn = Lines::new();
            drawn.wrapped(
                &format!("  {:<16} {word:<20}  ", phase.phase),
                &notes(phase),
            );
            let inked = manner.paint(phase.standing.tone(), word);
            lines.line(drawn.text().replacen(word, &inked, 1));
        }
        for problem in &self.problems {
            let lead = format!("{:<13}", problem.word);
            lines.wrapped(&lead, &format!("{}  {}", problem.step, problem.facts()));
        }
        for (at, wait) in self.waits.iter().enumerate() {
            let step = wait.step.as_ref().map_or("the paper", |step| step.as_str());
            let since = wait
                .since
                .as_ref()
                .map_or(String::new(), |at| format!(", asked {at}"));
            let lead = if at == 0 {
                "Waiting for  "
            } else {
                "             "
            };
            lines.wrapped(lead, &format!("{} ({step}{since})", wait.says));
        }
        if let Some(unsigned) = unsigned(self.only_recorded.unwrap_or_default()) {
            lines.wrapped("Signatures   ", &unsigned);
        }
        lines.wrapped("Undo         ", &self.undo(&dates));
        lines.wrapped("Seals        ", &self.seals.in_words());
        lines.text()
    }

    fn plain(&self) -> String {
        let dates = Dates::of(&self.timezone);
        let mut lines = Lines::new();
        lines.line(format!(
            "Run {} of {}, {}.",
            self.run,
            self.title,
            self.mode().to_lowercase()
        ));
        lines.line(format!(
            "Handover is {}.",
            dates.away(self.at, self.handover)
        ));
        for phase in &self.phases {
            lines.line(format!(
                "{}: {}, {}.",
                phase.phase,
                phase.standing.words(),
                notes(phase)
            ));
        }
        for problem in &self.problems {
            lines.line(problem.sentence());
        }
        for wait in &self.waits {
            lines.line(wait.sentence());
        }
        if let Some(unsigned) = unsigned(self.only_recorded.unwrap_or_default()) {
            lines.line(format!("Signatures: {unsigned}."));
        }
        lines.line(format!("Undo: {}.", self.undo(&dates)));
        lines.line(format!("Seals: {}.", self.seals.in_words()));
        lines.text()
    }
}
