//! `handover demo`: plays the story and prints it.

use std::path::Path;
use std::sync::Arc;

use super::Outcome;
use super::args::Demo;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::run::stop_on_signals;
use crate::demo::story::{Script, StoryFault, Teller, play};
use crate::demo::{generate, papers};
use crate::machine::event::{ClockKind, Event};
use crate::machine::rests::Rests;
use crate::machine::run::Run;
use crate::plan::model::Plan;
use crate::preview::timetable::points;
use crate::preview::{Preview, RollbackPreview};
use crate::report::Report;
use crate::report::preview::{Depth, PreviewReport};
use crate::report::progress as lines;
use crate::report::rest::RestReport;
use crate::report::rollback::RollbackReport;
use crate::run::CarryFault;
use crate::run::session::Watch;

pub(super) async fn demo(args: &Demo, output: &Output) -> Outcome {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let script = Script {
        plan: args.plan.clone(),
        engine: args.engine,
        homes: args.homes.map(narrow),
        years: narrow(args.years),
        seed: args.seed,
        breaks: args.breaks.clone(),
    };
    let mut stop = stop_on_signals();
    let mut voice = Voice {
        output,
        chapters: 0,
    };
    let told = Box::pin(play(args.dir.clone(), script, &mut voice, &mut stop)).await;
    let told = told.map_err(|fault| said(fault, &args.dir, output))?;
    let (dir, run) = (args.dir.display(), &told.run);
    // The databases of a server went with it.
    let live = if args.engine.is_embedded() {
        format!("  handover verify {run} --against-live\n  handover preview --depth rows\n")
    } else {
        String::new()
    };
    output.say(&format!(
        "\nTry this next:\n  cd {dir}\n  handover status {run}\n  handover replay log --at 40\n\
         {live}  handover explain HO511"
    ));
    Ok(if told.agrees {
        Exit::Done
    } else {
        Exit::Difference
    })
}

struct Voice<'a> {
    output: &'a Output,
    chapters: u32,
}

impl Voice<'_> {
    fn report(&self, report: &impl Report) {
        self.output.say(&report.text(self.output.manner()));
    }
}

impl Teller for Voice<'_> {
    fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        self.output.say(&format!("\n{}. {title}", self.chapters));
    }

    fn say(&mut self, text: &str) {
        self.output.say(text);
    }

    fn preview(&mut self, preview: &Preview) {
        self.report(&PreviewReport {
            preview,
            depth: Depth::Brief,
            saved: None,
            next: &[],
        });
    }

    fn way_back(&mut self, preview: &RollbackPreview) {
        self.report(&RollbackReport {
            preview,
            saved: None,
            next: &[],
        });
    }

    fn rest(&mut self, run: &Run, plan: &Plan, _: &Rests, label: &str) {
        let at = run
            .head()
            .map_or(plan.handover, |head| head.when.as_at.moment());
        self.report(&RestReport::of(label, run, plan, at, &points(plan, None)));
    }

    fn watch(&mut self, plan: &Arc<Plan>) -> Watch<'static> {
        let output = self.output.clone();
        let mut teller = lines::Teller::new(plan, ClockKind::MadeUp);
        Box::new(move |entry, run| {
            teller = teller
                .clone()
                .after(run.finishes().saturating_sub(finishing(&entry.event)));
            let line = teller.terminal(entry, output.manner());
            if let Some(line) = line.filter(|_| tells(&entry.event)) {
                output.say(&line);
            }
        })
    }

    fn making(&mut self) -> generate::Progress {
        Arc::new(|_, _| {})
    }
}

/// What the story shows of a run: outcomes.
fn tells(event: &Event) -> bool {
    matches!(
        event,
        Event::StepCommitted(_)
            | Event::StepFailed(_)
            | Event::UndoCommitted(_)
            | Event::UndoFailed(_)
            | Event::PlanAmended(_)
    )
}

/// An entry that finishes a step is counted by the teller itself.
fn finishing(event: &Event) -> u64 {
    u64::from(matches!(event, Event::StepCommitted(_)))
}

fn said(fault: StoryFault, dir: &Path, output: &Output) -> Failure {
    match fault {
        StoryFault::NoPlan(_) => Failure::from_error(Exit::Usage, &fault)
            .with(hint(format!("there are {}", papers::names().join(", ")))),
        StoryFault::Other(_) => Failure::from_error(Exit::Usage, &fault).with(hint(format!(
            "name another folder, or remove {}",
            dir.display()
        ))),
        StoryFault::Unbreakable { .. } => Failure::from_error(Exit::Usage, &fault),
        StoryFault::Stopped => Failure::new(Exit::Interrupted, "stopped at a safe point")
            .with(hint("the same command goes on from here")),
        StoryFault::Plan(faults) => Failure {
            drawn: Some(super::site::drawn(&faults, output)),
            ..Failure::new(Exit::Plan, "the plan has faults")
        },
        StoryFault::Db(fault) => fault.into(),
        StoryFault::Halted(fault) => CarryFault::Halted(fault).into(),
        StoryFault::Journal(fault) => fault.into(),
        StoryFault::Site(fault) => fault.into(),
        StoryFault::Word(fault) => fault.into(),
        StoryFault::Back(fault) => fault.into(),
        StoryFault::Look(fault) => fault.into(),
        fault => Failure::from_error(Exit::StepFailed, &fault)
            .with(hint("the same command goes on from here")),
    }
}
