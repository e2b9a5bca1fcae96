//! `handover status [RUN]`: where a run has got to and who it is waiting for.

use super::Outcome;
use super::args::{Global, Status};
use super::exit::Exit;
use super::output::Output;
use super::site;
use crate::preview::timetable::points;
use crate::report::rest::RestReport;
use crate::report::status::StatusReport;
use crate::run::rehearsed;

pub(super) async fn status(args: &Status, global: &Global, output: &Output) -> Outcome {
    let (_, mut site) = site::run(args.run.as_deref(), global).await?;
    let plan = site::plan_of(&site)?;
    let rehearsed = rehearsed(&mut site.journal, &plan).await?;
    let at = site::clock(&site).as_at().moment();
    let points = points(&plan, rehearsed.as_ref());
    let label = &site.head.label;
    if args.failed {
        output.report(&RestReport::of(label, &site.run, &plan, at, &points));
    } else {
        output.report(&StatusReport::of(label, &site.run, &plan, at, &points));
    }
    Ok(if args.exit_status {
        Exit::of(site.run.rests().exit())
    } else {
        Exit::Done
    })
}
