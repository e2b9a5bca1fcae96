//! What most commands begin with: the plan of a folder, the journal, a run in it, databases.

use std::path::Path;
use std::sync::Arc;

use super::args::Global;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::settings::Project;
use crate::journal::{Journal, RunHead};
use crate::machine::event::ClockKind;
use crate::plan::fault::PlanFaults;
use crate::plan::model::Plan;
use crate::plan::papers::Papers;
use crate::preview::Rehearsed;
use crate::report;
use crate::run::begin::clock_kind;
use crate::run::connect::{self, Readers};
use crate::run::{self, Clock, Site, known};

/// Reads and checks a project's papers; warnings are said, faults fail.
pub(super) fn plan(project: &Project, output: &Output) -> Result<Arc<Plan>, Failure> {
    let plan = quietly(project, output)?;
    if !plan.warnings.is_empty() && !output.json && !output.quiet {
        super::output::talk(&drawn(&plan.warnings, output));
    }
    Ok(plan)
}

/// Reads and checks a project's papers, leaving its warnings unsaid.
pub(super) fn quietly(project: &Project, output: &Output) -> Result<Arc<Plan>, Failure> {
    let papers =
        Papers::open(&project.folder).map_err(|fault| Failure::from_error(Exit::Plan, &fault))?;
    match crate::plan::read(&project.name(), papers) {
        Ok(plan) => Ok(Arc::new(plan)),
        Err(faults) => Err(Failure {
            drawn: Some(drawn(&faults, output)),
            data: Some(report::faults::json(&faults)),
            ..Failure::new(Exit::Plan, "the plan has faults")
        }),
    }
}

/// Faults as this output says them on stderr.
pub(super) fn drawn(faults: &PlanFaults, output: &Output) -> String {
    if output.plain {
        report::faults::plain(faults)
    } else {
        report::faults::drawn(faults, output.talk_colour)
    }
}

/// The project that a command's `PLAN|RUN` names: a plan folder, or the current one.
pub(super) fn project(what: Option<&str>, global: &Global) -> Result<Project, Failure> {
    let path = what
        .map(Path::new)
        .filter(|path| path.exists())
        .unwrap_or(Path::new("."));
    Project::at(path, global.config.as_deref())
}

/// Opens the run that `what` names: by prefix, or the newest of the plan folder that it names.
pub(super) async fn run(what: Option<&str>, global: &Global) -> Result<(Project, Site), Failure> {
    let project = project(what, global)?;
    let mut journal = Journal::existing(&project.journal).await?;
    let prefix = what.filter(|what| !Path::new(what).exists());
    let head = match prefix {
        Some(prefix) => journal.find(prefix).await?,
        None => newest(&mut journal).await?.ok_or_else(no_run)?,
    };
    Ok((project, Site::open(journal, head).await?))
}

/// The newest run of a journal.
pub(super) async fn newest(journal: &mut Journal) -> Result<Option<RunHead>, Failure> {
    Ok(journal.runs().await?.pop())
}

fn no_run() -> Failure {
    Failure::usage("there is no run here yet").with(hint(
        "make a preview, have it signed, then: handover run --signed FILE",
    ))
}

/// The plan in force.
pub(super) fn plan_of(site: &Site) -> Result<Arc<Plan>, Failure> {
    let plan = site.plan().cloned();
    plan.ok_or_else(|| Failure::new(Exit::CannotTell, "the run is bound to no plan"))
}

/// Holds a run against what the organisations' databases know of it, those that are set: before anything
/// is written into its journal.
pub(super) async fn held_against(project: &Project, site: &mut Site) -> Result<(), Failure> {
    let plan = plan_of(site)?;
    let addresses = project.addresses(&plan)?;
    Ok(known::hold(site, &addresses.known).await?)
}

/// Read-only connections to every database that the plan names.
pub(super) async fn readers(project: &Project, plan: &Plan) -> Result<Readers, Failure> {
    let addresses = project.addresses(plan)?.all()?;
    Ok(connect::readers(&addresses).await?)
}

/// What rehearsals of a plan took, where its journal knows any.
pub(super) async fn rehearsed(
    project: &Project,
    plan: &Plan,
) -> Result<Option<Rehearsed>, Failure> {
    if !project.journal.exists() {
        return Ok(None);
    }
    let mut journal = Journal::existing(&project.journal).await?;
    Ok(run::rehearsed(&mut journal, plan).await?)
}

/// The clock of a run: the wall's, or the plan's time as the log last had it.
pub(super) fn clock(site: &Site) -> Clock {
    match (clock_kind(site), site.run.head()) {
        (ClockKind::MadeUp, Some(head)) => Clock::made_up(head.when.as_at.moment()),
        _ => Clock::real(),
    }
}
