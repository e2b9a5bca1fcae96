//! `handover check PLAN`: every fault at once, nothing changed.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::Outcome;
use super::args::{Check, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::settings::Project;
use super::site;
use crate::plan::decisions;
use crate::plan::fault::{Fault, PlanFaults, Severity};
use crate::plan::model::Plan;
use crate::report::check::CheckReport;
use crate::report::words::many;
use crate::run::Clock;
use crate::run::connect;
use crate::steps::{self, Finding, Look};

pub(super) async fn check(args: &Check, global: &Global, output: &Output) -> Outcome {
    let project = Project::at(&args.plan, global.config.as_deref())?;
    let plan = site::quietly(&project, output)?;
    let mut faults = plan.warnings.clone();
    if !args.offline {
        let looks = looks(&project, &plan).await?;
        let found = live(&looks).await?.into_iter().map(fault);
        let all = faults.faults.into_iter().chain(found).collect();
        faults = PlanFaults::gather(&plan.name, all, faults.texts);
        if let Some(path) = &args.propose {
            propose(path, &looks, output).await?;
        }
    }
    let errors = faults
        .faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error)
        .count();
    let failed = errors > 0 || (args.deny.is_some() && !faults.faults.is_empty());
    say(&faults, plan.steps.len(), args.offline, output);
    Ok(if failed { Exit::Plan } else { Exit::Done })
}

fn say(faults: &PlanFaults, steps: usize, offline: bool, output: &Output) {
    output.report(&CheckReport::of(
        faults,
        Some(steps),
        offline,
        output.colour,
    ));
}

/// Writes down what somebody has to decide; an answered paper is never written over.
async fn propose(path: &Path, looks: &[Look], output: &Output) -> Result<(), Failure> {
    let groups = steps::undecided(looks).await?;
    let paper = decisions::paper(groups.iter().map(|one| (one.dataset.as_str(), &*one.rows)));
    let made = fs::File::create_new(path).and_then(|mut file| file.write_all(paper.as_bytes()));
    made.map_err(|fault| {
        Failure::usage(format!("`{}` cannot be written: {fault}", path.display()))
    })?;
    if !output.quiet {
        let groups = many(groups.len() as u64, "group", "groups");
        let path = path.display();
        super::output::talk(&format!(
            "{groups} of rows to decide about written to {path}\n"
        ));
    }
    Ok(())
}

/// Each step's look at live data.
async fn looks(project: &Project, plan: &Arc<Plan>) -> Result<Vec<Look>, Failure> {
    let addresses = project.addresses(plan)?.all()?;
    let readers = connect::readers(&addresses).await?;
    let as_at = Clock::real().now().moment();
    let look = |step| Look {
        plan: plan.clone(),
        step,
        readers: readers.clone(),
        as_at,
        run: None,
    };
    Ok((0..plan.steps.len()).map(look).collect())
}

/// What every step finds in live data, each finding once.
async fn live(looks: &[Look]) -> Result<Vec<Finding>, Failure> {
    let mut findings: Vec<Finding> = Vec::new();
    for look in looks {
        for finding in steps::check(look).await? {
            merge(&mut findings, finding);
        }
    }
    Ok(findings)
}

fn fault(finding: Finding) -> Fault {
    let severity = if finding.stops {
        Severity::Error
    } else {
        Severity::Warning
    };
    let Finding {
        code,
        says,
        help,
        rows,
        place,
        ..
    } = finding;
    Fault::live(code, severity, place.as_ref(), &says, &help, &rows)
}

/// Four sibling copies find the same thing: it is said once, with everybody's rows.
fn merge(findings: &mut Vec<Finding>, finding: Finding) {
    let same = |known: &&mut Finding| {
        known.code == finding.code && known.about == finding.about && known.place == finding.place
    };
    match findings.iter_mut().find(same) {
        Some(known) => known.rows.extend(finding.rows),
        None => findings.push(finding),
    }
}
