//! `handover replay RUN|LOG`: a past run as it looked at any moment, from its log alone.

use super::Outcome;
use super::args::{Global, Replay};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::log;
use super::output::Output;
use crate::calendar;
use crate::journal::LogFolder;
use crate::machine::event::{ClockKind, Entry};
use crate::machine::run::Run;
use crate::machine::time::Time;
use crate::plan::model::Plan;
use crate::preview::timetable::points;
use crate::replay::fold::{Divergence, Until, fold};
use crate::report::progress::Teller;
use crate::report::status::StatusReport;

pub(super) async fn replay(args: &Replay, global: &Global, output: &Output) -> Outcome {
    let mut log = log::open(&args.what, global).await?;
    let until = args.at.as_deref().map(until).transpose()?;
    let lines = log.folder.lines()?;
    let mut told: Vec<Entry> = Vec::new();
    let wanted = args.step.as_deref();
    let replayed = fold(&mut log.folder, lines, until, |entry, _| {
        let about = entry.about.as_ref().map(|about| about.step.as_str());
        if wanted.is_some() && (about == wanted || told.is_empty()) {
            told.push(entry.clone());
        }
    });
    let replayed = replayed.map_err(|fault| diverges(&fault))?;
    let run = &replayed.run;
    let (Some(opened), Some(head)) = (run.opened(), run.head()) else {
        return Err(empty());
    };
    let plan = plan_of(&log.folder, run)?;
    if wanted.is_some() && !output.json {
        tell(&plan, opened.clock, &told, output);
        return Ok(Exit::Done);
    }
    let at = head.when.as_at.moment();
    let label = format!("{} after entry {}", args.what, head.when.seq);
    output.report(&StatusReport::of(
        &label,
        run,
        &plan,
        at,
        &points(&plan, None),
    ));
    Ok(Exit::Done)
}

/// A log that is not the record of an honest run, as far as it was read.
pub(super) fn diverges(fault: &Divergence) -> Failure {
    Failure::coded(
        Exit::Difference,
        "HO602",
        format!("this log diverges: {}", fault.code()),
    )
    .with(hint(
        "`handover verify` lists everything that is wrong with it",
    ))
    .because(fault)
}

fn empty() -> Failure {
    Failure::new(Exit::CannotTell, "this log is empty")
}

/// The plan that a log leaves in force, from its own papers.
pub(super) fn plan_of(folder: &LogFolder, run: &Run) -> Result<Plan, Failure> {
    let origin = &run.opened().ok_or_else(empty)?.origin;
    let name = origin.split('/').next().unwrap_or_default();
    let papers = folder.papers(run.paper())?;
    crate::plan::read(name, papers)
        .map_err(|_| Failure::new(Exit::Newer, "the plan in this log cannot be read"))
}

fn tell(plan: &Plan, clock: ClockKind, entries: &[Entry], output: &Output) {
    let mut teller = Teller::new(plan, clock);
    for entry in entries {
        if let Some(line) = teller.line(entry) {
            output.say(&line);
        }
    }
}

fn until(text: &str) -> Result<Until, Failure> {
    if let Ok(seq) = text.parse() {
        return Ok(Until::Seq(seq));
    }
    // A time that says no zone is one that somebody read in a report.
    let local = || calendar::moment(text.parse().ok()?, &calendar::london());
    match text.parse().ok().or_else(local) {
        Some(moment) => Ok(Until::Time(Time::new(moment))),
        None => Err(Failure::usage(format!(
            "`{text}` is neither an entry's number nor a moment"
        ))
        .with(hint(
            "write 40, or 2020-09-30T19:00 (Europe/London, unless it says +00:00 or Z)",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_asked_for_as_reports_tell_it_and_as_the_log_does() {
        let said = |text| match until(text) {
            Ok(Until::Time(time)) => time.to_string(),
            Ok(Until::Seq(seq)) => seq.to_string(),
            Err(failure) => failure.to_string(),
        };
        let six = "2020-09-30T18:00:00.000Z";
        for text in [
            "2020-09-30T18:00:00Z",
            "2020-09-30T19:00:00+01:00",
            "2020-09-30T19:00",
            "2020-09-30 19:00",
        ] {
            assert_eq!(said(text), six, "{text}");
        }
        assert_eq!(said("40"), "40");
        assert!(said("noon").contains("neither an entry's number nor a moment"));
    }
}
