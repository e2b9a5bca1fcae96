//! `handover check PLAN`: every fault at once, nothing changed.

use super::Outcome;
use super::args::{Check, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::settings::Project;
use super::site;
use crate::plan::fault::{Fault, PlanFaults, Severity};
use crate::report::check::CheckReport;
use crate::run::Clock;
use crate::run::connect;
use crate::steps::{self, Finding, Look};

pub(super) async fn check(args: &Check, global: &Global, output: &Output) -> Outcome {
    let project = Project::at(&args.plan, global.config.as_deref())?;
    let plan = site::quietly(&project, output)?;
    let mut faults = plan.warnings.clone();
    if !args.offline {
        let found = live(&project, &plan).await?.into_iter().map(fault);
        let all = faults.faults.into_iter().chain(found).collect();
        faults = PlanFaults::gather(&plan.name, all, faults.texts);
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

/// What every step finds in live data, each finding once.
async fn live(
    project: &Project,
    plan: &std::sync::Arc<crate::plan::model::Plan>,
) -> Result<Vec<Finding>, Failure> {
    let addresses = project.addresses(plan)?.all()?;
    let readers = connect::readers(&addresses).await?;
    let mut findings: Vec<Finding> = Vec::new();
    for step in 0..plan.steps.len() {
        let look = Look {
            plan: plan.clone(),
            step,
            readers: readers.clone(),
            as_at: Clock::real().now().moment(),
            run: None,
        };
        for finding in steps::check(&look).await? {
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
