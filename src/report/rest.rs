//! The summary of a run that came to rest: how many steps stand where, what went wrong, who is waited
//! for, what to do next.
//!
//! Not here: rest states and the exit code (`machine::rests`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner, Tone};
use super::sealed::SealStatus;
use super::standing::{Problem, Wait, WaitKind, problems, unsigned, waits};
use super::words::{Dates, span};
use super::{FORMAT, Report};
use crate::machine::event::ClockKind;
use crate::machine::run::Run;
use crate::plan::model::Plan;
use crate::preview::timetable::{Point, first_safe};

/// A way on: what it is for, and the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Next {
    /// What it is for: `then carry on with`.
    pub why: String,
    /// The command.
    pub command: String,
}

/// A run at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RestReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The run, as people name it.
    pub run: String,
    /// What people call the transfer.
    pub title: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The plan's time.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The time zone for dates.
    pub timezone: String,
    /// Steps that finished.
    pub completed: u64,
    /// Steps that wait for a person or a date.
    pub held: u64,
    /// Steps that failed.
    pub failed: u64,
    /// Gates at which somebody said no.
    pub refused: u64,
    /// Steps taken back.
    pub undone: u64,
    /// Steps whose undo needs a person.
    pub stuck: u64,
    /// Steps that have not begun.
    pub pending: u64,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// Who is waited for.
    pub waits: Vec<Wait>,
    /// The last moment at which a rollback can safely start; absent: not rehearsed, or nothing closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_safe: Option<Timestamp>,
    /// Whether the log is sealed, and who has signed that.
    pub seals: SealStatus,
    /// Yeses that a live run needs signed and that this rehearsal took as recorded; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_recorded: Option<u64>,
    /// What to do next.
    pub next: Vec<Next>,
    /// The exit code.
    pub exit: u8,
}

impl RestReport {
    /// The summary of `run`, which people call `name`, at the plan's time `at`.
    #[must_use]
    pub fn of(name: &str, run: &Run, plan: &Plan, at: Timestamp, points: &[Point]) -> RestReport {
        let rested = run.rests().rested();
        let dates = Dates::zone(&plan.timezone);
        let problems = problems(run, plan);
        let waits = waits(run, plan, &dates);
        let safe = first_safe(points).and_then(|point| point.last_safe);
        let clock = run.opened().map_or(ClockKind::Real, |opened| opened.clock);
        let mut report = RestReport {
            format: FORMAT,
            run: name.to_owned(),
            title: plan.title.clone(),
            clock,
            at,
            timezone: plan
                .timezone
                .iana_name()
                .unwrap_or("Europe/London")
                .to_owned(),
            completed: rested.completed,
            held: rested.held,
            failed: rested.failed,
            refused: rested.refused,
            undone: rested.undone,
            stuck: rested.stuck,
            pending: rested.pending,
            problems,
            waits,
            last_safe: safe,
            seals: SealStatus::of(run),
            only_recorded: Some(run.only_recorded() as u64).filter(|count| *count > 0),
            next: Vec::new(),
            exit: rested.exit,
        };
        report.next = report.ways_on(plan);
        report
    }

    fn ways_on(&self, plan: &Plan) -> Vec<Next> {
        let way = |why: &str, command: String| Next {
            why: why.to_owned(),
            command: format!("handover {command}"),
        };
        let run = &self.run;
        let carry_on = way("then carry on with", format!("run {run}"));
        match self.exit {
            7 => vec![
                way("see what is stuck", format!("status {run}")),
                way("when it is mended", self.retry()),
            ],
            1 => vec![
                way(
                    "correct the plan or its map, then",
                    format!("preview {run} --amend --out amend.preview"),
                ),
                way(
                    "then carry on with",
                    format!("run {run} --signed amend.preview"),
                ),
                way("or, where data were mended", self.retry()),
                way("or undo what was done", format!("rollback {run} --preview")),
            ],
            5 => vec![
                way("see who said no", format!("status {run}")),
                way("or undo what was done", format!("rollback {run} --preview")),
            ],
            4 => match self.waits.iter().find(|wait| wait.kind != WaitKind::Date) {
                Some(wait) if wait.kind == WaitKind::Witnesses => {
                    let request = format!("witness request {run} --to requests");
                    vec![way("to ask the witnesses", request), carry_on]
                }
                Some(wait) => {
                    let step = wait.step.as_ref().map_or("", |step| step.as_str());
                    let answer = format!("approve {run} {step} --as ROLE --reason TEXT");
                    vec![way("to decide or answer", answer), carry_on]
                }
                None => vec![way("when the time has come", format!("run {run}"))],
            },
            _ if self.pending > 0 || self.undone > 0 => {
                vec![way("carry on with", format!("run {run}"))]
            }
            _ => vec![
                way("prove it", format!("verify {run}")),
                way(
                    "when nothing is left to undo",
                    format!("close {run} --to closed-log --confirm {}", plan.name),
                ),
            ],
        }
    }

    /// Somebody says that a step may be tried again: the first of those in trouble.
    fn retry(&self) -> String {
        let step = self
            .problems
            .first()
            .map_or("STEP", |problem| problem.step.as_str());
        format!("run {} --retry {step} --as ROLE", self.run)
    }

    fn heading(&self) -> String {
        let dates = Dates::of(&self.timezone);
        let rehearsal = if self.clock == ClockKind::MadeUp {
            "Rehearsal. "
        } else {
            ""
        };
        let word = match self.exit {
            7 => "Stopped: a person is needed",
            1 => "Stopped safely",
            5 => "Stopped: refused",
            4 => "Waiting safely",
            _ if self.undone > 0 => "Rolled back",
            _ if self.pending > 0 => "Stopped safely",
            _ => "Completed",
        };
        let counts = [
            (self.completed, "done"),
            (self.failed, "failed"),
            (self.refused, "refused"),
            (self.stuck, "stuck"),
            (self.held, "waiting"),
            (self.undone, "undone"),
            (self.pending, "not started"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        let unsigned = unsigned(self.only_recorded.unwrap_or_default());
        format!(
            "{rehearsal}{word} {}. {}.{}{}{}",
            dates.time(self.at),
            counts.join(", "),
            self.safe(&dates),
            self.unsealed(),
            unsigned.map_or(String::new(), |says| format!(" {says}."))
        )
    }

    fn unsealed(&self) -> &'static str {
        match self.seals.key {
            Some(_) => "",
            None => " The log is not sealed.",
        }
    }

    fn safe(&self, dates: &Dates) -> String {
        match self.last_safe {
            Some(safe) if safe > self.at && self.exit != 0 => {
                let left = safe.duration_since(self.at).as_secs().unsigned_abs();
                format!(
                    " Last safe start of a rollback {} (in {}).",
                    dates.short(safe),
                    span(left)
                )
            }
            _ => String::new(),
        }
    }
}

impl Report for RestReport {
    fn drawn(&self, manner: Manner) -> String {
        let mut lines = Lines::new();
        lines.wrapped("", &self.heading());
        for problem in &self.problems {
            let lead = format!("  {} ", problem.word);
            let step = problem.step.as_str().replace('/', " / ");
            let text = format!("{step}  {}", problem.facts());
            let mut drawn = Lines::new();
            drawn.wrapped(&lead, &text);
            let inked = manner.paint(Tone::Bad, &problem.word);
            lines.line(drawn.text().replacen(&problem.word, &inked, 1));
        }
        for wait in &self.waits {
            let step = wait.step.as_ref().map_or("the paper", |step| step.as_str());
            let since = wait
                .since
                .as_ref()
                .map_or(String::new(), |at| format!(", asked {at}"));
            lines.wrapped("  WAIT ", &format!("{step}  for {}{since}", wait.says));
        }
        for (at, next) in self.next.iter().enumerate() {
            let lead = if at == 0 { "Next: " } else { "      " };
            let line = format!("{lead}{:<24} {}", next.why, next.command);
            if line.chars().count() <= super::ink::WIDTH {
                lines.line(line);
            } else {
                lines
                    .wrapped(lead, &next.why)
                    .wrapped("        ", &next.command);
            }
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let mut lines = Lines::new();
        lines.line(self.heading());
        for problem in &self.problems {
            lines.line(problem.sentence());
        }
        for wait in &self.waits {
            lines.line(wait.sentence());
        }
        for next in &self.next {
            lines.line(format!("Next, {}: {}", next.why, next.command));
        }
        lines.text()
    }
}
