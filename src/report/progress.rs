//! A run as it goes: one line per event in a pipe (local time, number in the log, step, word, facts),
//! one line per outcome on a terminal, and the data that a progress bar is drawn from.
//!
//! In: entries, in order, of a live run or of a replay: both read the same. Out: lines without a
//! newline.
//!
//! Not here: bars and redrawing (`cli`).

use std::collections::{BTreeMap, BTreeSet};

use super::ink::{Lines, Manner, Tone};
use super::words::{Dates, count, many, some, took};
use crate::machine::event::{
    Check, ClockKind, DatasetCount, Decision, Entry, Event, FaultKind, On, RunRested, Waiting,
};
use crate::machine::share::{Share, Which};
use crate::machine::time::Time;
use crate::plan::codes;
use crate::plan::model::{Code, Plan, Seat};
use crate::plan::outline::StepId;

/// How far a step has got: what a bar shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step.
    pub step: StepId,
    /// Rows that are durable.
    pub rows_done: u64,
    /// Rows foretold, where a preview said.
    pub rows_total: Option<u64>,
    /// Seconds since it started.
    pub seconds: u64,
}

impl Progress {
    /// Seconds still to go at the pace so far; `None` before there is a pace.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        let total = self.rows_total?;
        let left = total.checked_sub(self.rows_done)?;
        let (done, left) = (u128::from(self.rows_done), u128::from(left));
        let seconds = (left * u128::from(self.seconds)).checked_div(done)?;
        u64::try_from(seconds).ok()
    }

    /// `copy-homes/dover 3,140/5,260 rows`
    #[must_use]
    pub fn words(&self) -> String {
        match self.rows_total {
            Some(total) => format!(
                "{} {}/{} rows",
                self.step,
                count(self.rows_done),
                count(total)
            ),
            None => format!("{} {} rows", self.step, count(self.rows_done)),
        }
    }
}

/// Tells a run's entries one by one, remembering when steps began and how many have finished.
#[derive(Debug, Clone)]
pub struct Teller {
    dates: Dates,
    clock: ClockKind,
    started: BTreeMap<StepId, Time>,
    proofs: BTreeMap<StepId, Proof>,
    finished: u64,
}

/// What a step has proved of parts so far: told when it is done, not number by number.
#[derive(Debug, Clone, Default)]
struct Proof {
    parts: BTreeSet<Code>,
    /// Datasets and money columns that add up.
    whole: u64,
}

impl Proof {
    /// Takes a check in if it is a fact of a proof; whether it is.
    fn takes(proofs: &mut BTreeMap<StepId, Proof>, step: &StepId, check: &Check) -> bool {
        let Some(share) = Share::read(check) else {
            return false;
        };
        let proof = proofs.entry(step.clone()).or_default();
        match share.which {
            Which::Part(target) => drop(proof.parts.insert(target)),
            Which::Whole => proof.whole += 1,
            _ => {}
        }
        true
    }

    /// `4 parts add up in 37 sums of rows and money`
    fn words(&self) -> String {
        let sums = many(self.whole, "sum", "sums");
        let parts = some(self.parts.len(), "part", "parts");
        format!("{parts} and nobody's rows add up to the source: {sums} of rows and money")
    }
}

/// One line of a pipe, for an entry taken by itself: how long a step took and its checkpoint are not
/// known then. `None` for entries that people need not hear of.
#[must_use]
pub fn event_line(entry: &Entry, plan: &Plan) -> Option<String> {
    Teller::new(plan, ClockKind::Real).line(entry)
}

/// What an entry says: a word, how it weighs, facts for a pipe, a sentence for a terminal.
struct Said {
    word: &'static str,
    tone: Tone,
    facts: Vec<String>,
    sentence: String,
}

impl Said {
    fn new(word: &'static str, tone: Tone) -> Said {
        Said {
            word,
            tone,
            facts: Vec::new(),
            sentence: String::new(),
        }
    }

    fn fact(mut self, name: &str, value: impl std::fmt::Display) -> Said {
        self.facts.push(format!("{name}={value}"));
        self
    }

    /// The same of a step that has proved that parts add up.
    fn proved(self, proof: &Proof) -> Said {
        let words = proof.words();
        let sentence = match self.sentence.as_str() {
            "" => words,
            said => format!("{words}   {said}"),
        };
        self.fact("parts", proof.parts.len())
            .fact("sums", proof.whole)
            .says(sentence)
    }

    fn says(mut self, sentence: impl Into<String>) -> Said {
        self.sentence = sentence.into();
        self
    }
}

impl Teller {
    /// A teller of a run from its first entry on.
    #[must_use]
    pub fn new(plan: &Plan, clock: ClockKind) -> Teller {
        Teller {
            dates: Dates::zone(&plan.timezone),
            clock,
            started: BTreeMap::new(),
            proofs: BTreeMap::new(),
            finished: 0,
        }
    }

    /// The same teller, of a run in which so many steps have finished before.
    #[must_use]
    pub fn after(mut self, finished: u64) -> Teller {
        self.finished = finished;
        self
    }

    /// One line of a pipe: `2020-09-30T18:00:02+01:00 118 freeze  done  2s  tables=3 checkpoint=c4`.
    /// `None` for entries that people need not hear of; they count all the same.
    pub fn line(&mut self, entry: &Entry) -> Option<String> {
        let (said, seconds) = self.hear(entry)?;
        let at = self.dates.machine(entry.as_at.moment());
        let mut line = format!("{at} {} {:<22} {:<8}", entry.seq, about(entry), said.word);
        if let Some(seconds) = seconds {
            line.push(' ');
            line.push_str(took(seconds).trim_start());
        }
        for fact in &said.facts {
            line.push(' ');
            line.push_str(fact);
        }
        if self.clock == ClockKind::MadeUp {
            line.push_str(" [rehearsal]");
        }
        Some(line.trim_end().to_owned())
    }

    /// One line of a terminal: `DONE [   2s] freeze   3 tables read-only   checkpoint c4`. `None` for
    /// starts and marks, which the moving block shows, and for entries that people need not hear of.
    pub fn terminal(&mut self, entry: &Entry, manner: Manner) -> Option<String> {
        let (said, seconds) = self.hear(entry)?;
        if matches!(entry.event, Event::StepStarted(_) | Event::UndoStarted(_)) {
            return None;
        }
        let time = seconds.map_or("       ".to_owned(), |seconds| {
            format!("[{}]", took(seconds))
        });
        let word = said.word.to_uppercase();
        let step = about(entry).replace('/', " / ");
        let lead = format!("  {word:<8} {time} {step:<20} ");
        let mut lines = Lines::new();
        lines.wrapped(&lead, &said.sentence);
        let line = lines
            .text()
            .replacen(&word, &manner.paint(said.tone, &word), 1);
        Some(line.trim_end().to_owned())
    }

    /// The line that heads a rehearsal's output; a live run has none.
    #[must_use]
    pub fn banner(&self) -> Option<&'static str> {
        match self.clock {
            ClockKind::Real => None,
            ClockKind::MadeUp => Some("REHEARSAL: the clock is made up, and so are the data."),
        }
    }

    fn hear(&mut self, entry: &Entry) -> Option<(Said, Option<u64>)> {
        let step = entry.about.as_ref().map(|about| &about.step);
        if let (Event::StepStarted(_) | Event::UndoStarted(_), Some(step)) = (&entry.event, step) {
            self.started.insert(step.clone(), entry.at);
        }
        let ends = matches!(
            entry.event,
            Event::StepCommitted(_)
                | Event::StepFailed(_)
                | Event::UndoCommitted(_)
                | Event::UndoFailed(_)
        );
        let since = step
            .filter(|_| ends)
            .and_then(|step| self.started.remove(step));
        let seconds = since.map(|since| {
            let length = entry.at.moment().duration_since(since.moment());
            u64::try_from(length.as_secs()).unwrap_or(0)
        });
        if matches!(entry.event, Event::StepCommitted(_) | Event::StepSkipped(_)) {
            self.finished += 1;
        }
        if let (Event::CheckPassed(check), Some(step)) = (&entry.event, step)
            && Proof::takes(&mut self.proofs, step, check)
        {
            return None;
        }
        let mut said = said(&entry.event, self.finished)?;
        if ends && let Some(proof) = step.and_then(|step| self.proofs.remove(step)) {
            said = match entry.event {
                Event::StepCommitted(_) => said.proved(&proof),
                _ => said,
            };
        }
        Some((said, seconds))
    }
}

fn about(entry: &Entry) -> String {
    let step = entry.about.as_ref().map(|about| about.step.to_string());
    step.unwrap_or_else(|| "run".to_owned())
}

/// The words for an event. A mark, a lease and a seal are for programs and auditors.
fn said(event: &Event, finished: u64) -> Option<Said> {
    let said = match event {
        Event::StepStarted(_) => Said::new("start", Tone::Quiet),
        Event::StepCommitted(body) => done(&body.outputs, finished),
        Event::StepFailed(body) => failed(body.kind, &body.code, body.about.as_deref(), body.rows),
        Event::StepSkipped(body) => Said::new("skipped", Tone::Warn)
            .fact("reason", &body.reason)
            .says(format!("left out: {}", body.reason)),
        Event::UndoStarted(_) => Said::new("undo", Tone::Quiet),
        Event::UndoCommitted(body) => Said::new("undone", Tone::Good)
            .fact("removed", body.removed)
            .fact("restored", body.restored)
            .fact("reported", body.reported)
            .says(format!(
                "{} removed, {} put back, {} reported",
                many(body.removed, "row", "rows"),
                body.restored,
                body.reported
            )),
        Event::UndoFailed(body) => Said::new("STUCK", Tone::Bad)
            .fact("code", &body.code)
            .fact("rows", body.rows)
            .says(format!("not undone ({}); a person is needed", body.code)),
        Event::HoldBegun(body) => held(&body.waiting),
        Event::HoldAnswered(body) => {
            let answer = format!("{:?}", body.answer).to_lowercase();
            Said::new("answer", Tone::Good)
                .fact("answer", &answer)
                .says(format!("answered: {answer}"))
        }
        Event::RunRested(body) => rested(body),
        other => return decision(other).or_else(|| of_run(other)),
    };
    Some(said)
}

fn done(outputs: &[DatasetCount], finished: u64) -> Said {
    let rows: u64 = outputs.iter().map(|output| output.rows).sum();
    let kept_back: u64 = outputs.iter().map(|output| output.rejected).sum();
    let mut said = Said::new("done", Tone::Good);
    let mut words = Vec::new();
    if !outputs.is_empty() {
        said = said.fact("rows", rows);
        words.push(many(rows, "row", "rows"));
    }
    if kept_back > 0 {
        said = said.fact("rejected", kept_back);
        words.push(format!("{} kept back", count(kept_back)));
    }
    words.push(format!("checkpoint c{finished}"));
    said.fact("checkpoint", format!("c{finished}"))
        .says(words.join(", "))
}

fn failed(kind: FaultKind, code: &str, about: Option<&str>, rows: u64) -> Said {
    let (word, tone) = match kind {
        FaultKind::Transient => ("retry", Tone::Warn),
        FaultKind::Refused | FaultKind::Broken => ("FAIL", Tone::Bad),
    };
    let mut said = Said::new(word, tone).fact("code", code);
    let mut words = codes::find(code).map_or(String::new(), |page| page.title.to_owned());
    if let Some(about) = about {
        said = said.fact("about", about);
        words = format!("{words}: {about}");
    }
    if rows > 0 {
        said = said.fact("rows", rows);
        words = format!("{words}, {}", many(rows, "row", "rows"));
    }
    let words = words.trim_start_matches([':', ',', ' ']).to_owned();
    said.says(format!("{code} {words}"))
}

fn held(waiting: &Waiting) -> Said {
    let said = Said::new("waits", Tone::Warn);
    match waiting {
        Waiting::Date { until } => said.fact("until", until).says("for a date"),
        Waiting::Person { seat } => said
            .fact("for", seat_code(seat))
            .says(format!("for a person: {}", seat_code(seat))),
        Waiting::Seal { size } => said
            .fact("for", "witnesses")
            .fact("entries", size)
            .says(format!("for witnesses of the first {size} entries")),
        Waiting::Evidence {
            seat,
            what,
            missing,
        } => said
            .fact("for", seat_code(seat))
            .fact("what", what)
            .fact("missing", missing)
            .says(format!("for {missing} {what}: {}", seat_code(seat))),
    }
}

fn rested(body: &RunRested) -> Said {
    let counts = [
        ("completed", body.completed),
        ("held", body.held),
        ("failed", body.failed),
        ("refused", body.refused),
        ("undone", body.undone),
        ("stuck", body.stuck),
        ("pending", body.pending),
    ];
    let mut said = Said::new("rests", Tone::Quiet);
    for (name, number) in counts.into_iter().filter(|(_, number)| *number > 0) {
        said = said.fact(name, number);
    }
    let completed = many(body.completed, "step", "steps");
    said.fact("exit", body.exit)
        .says(format!("{completed} completed, exit {}", body.exit))
}

/// Requests and decisions.
fn decision(event: &Event) -> Option<Said> {
    let of = |word, tone, decision: &Decision| {
        let on = on(&decision.on);
        Said::new(word, tone)
            .fact("on", &on)
            .says(format!("on {on}"))
    };
    Some(match event {
        Event::ApprovalRequested(body) => {
            let seats: Vec<String> = body.seats.iter().map(seat_code).collect();
            Said::new("asks", Tone::Warn)
                .fact("of", seats.join(","))
                .says(format!(
                    "{} asked",
                    some(seats.len(), "decision", "decisions")
                ))
        }
        Event::ApprovalGranted(body) => of("approved", Tone::Good, body),
        Event::ApprovalRefused(body) => of("REFUSED", Tone::Bad, body),
        Event::ApprovalRevoked(body) => of("revoked", Tone::Warn, body),
        Event::OperatorOverride(body) => Said::new("override", Tone::Warn)
            .fact("rule", &body.rule)
            .fact("reason", &body.reason)
            .says(format!("{}: {}", body.rule, body.reason)),
        Event::ExternalAttested(body) => Said::new("attested", Tone::Good)
            .fact("what", &body.what)
            .fact("count", body.count)
            .says(format!("{} {}", body.count, body.what)),
        Event::CheckPassed(body) => Said::new("passed", Tone::Good)
            .fact("rule", &body.rule)
            .says(body.rule.to_string()),
        Event::CheckFailed(body) => Said::new("DIFFERS", Tone::Bad)
            .fact("rule", &body.rule)
            .fact("expected", &body.expected)
            .fact("actual", &body.actual)
            .says(format!(
                "{}: expected {}, found {}",
                body.rule, body.expected, body.actual
            )),
        _ => return None,
    })
}

/// What happens to the run as a whole.
fn of_run(event: &Event) -> Option<Said> {
    Some(match event {
        Event::PlanBound(body) => Said::new("begun", Tone::Quiet)
            .fact("steps", body.steps)
            .says(many(body.steps, "step", "steps")),
        Event::PlanAmended(body) => Said::new("amended", Tone::Warn)
            .fact("paper", body.new.short())
            .says(format!("now on paper {}", body.new.short())),
        Event::RollbackStarted(body) => Said::new("rollback", Tone::Warn)
            .fact("to", format!("c{}", body.checkpoint))
            .fact("undoes", body.undoes.len())
            .fact("stays", body.stays.len())
            .says(format!(
                "to checkpoint c{}: {} to undo",
                body.checkpoint,
                some(body.undoes.len(), "step", "steps")
            )),
        Event::RollbackCommitted(body) => Said::new("back", Tone::Good)
            .fact("at", format!("c{}", body.checkpoint))
            .says(format!("at checkpoint c{}", body.checkpoint)),
        Event::RollbackFailed(body) => Said::new("STUCK", Tone::Bad)
            .fact("to", format!("c{}", body.checkpoint))
            .fact("steps", body.stuck.len())
            .says(format!(
                "{} need a person",
                some(body.stuck.len(), "step", "steps")
            )),
        Event::ClockStepped(body) => Said::new("clock", Tone::Warn)
            .fact("before", body.before)
            .fact("after", body.after)
            .says("the wall clock jumped"),
        Event::LogRecovered(body) => Said::new("recover", Tone::Warn)
            .fact("lost", format!("{}-{}", body.lost_from, body.lost_to))
            .fact("adopted", body.adopted)
            .says("the log goes on after a loss"),
        Event::LogClosed(body) => Said::new("closed", Tone::Quiet)
            .fact("completed", body.completed)
            .says(format!(
                "{} completed",
                many(body.completed, "step", "steps")
            )),
        _ => return None,
    })
}

fn on(on: &On) -> String {
    match on {
        On::Paper { paper } => format!("paper:{}", paper.short()),
        On::Gate { step } => format!("gate:{step}"),
        On::Rollback { preview } => format!("rollback:{}", preview.short()),
    }
}

fn seat_code(seat: &Seat) -> String {
    match &seat.org {
        Some(org) => format!("{}/{org}", seat.role),
        None => seat.role.to_string(),
    }
}
