//! A fresh look at the databases, held against the preview that was signed: before a run begins, and at
//! every gate whose `needs` is `"signed preview"`. What those who signed have not seen refuses it, and
//! numbers that moved on are told.
//!
//! Not here: what differs (`preview::moved`), how it is said (`report::moved`).

use std::sync::Arc;

use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::preview::in_force;
use super::settings::Project;
use super::site;
use crate::machine::state::StepState;
use crate::plan::model::{Plan, SIGNED_PREVIEW, StepSpec};
use crate::plan::outline::StepId;
use crate::preview::{self, Preview};
use crate::report::moved::{drifted, unseen};
use crate::run::connect::Readers;
use crate::run::{Clock, Site};

/// Looks, and holds what is found against `signed`; what was found, where it may stand.
pub(super) async fn look(
    signed: &Preview,
    (plan, readers): (&Arc<Plan>, Readers),
    clock: &Clock,
    output: &Output,
) -> Result<Preview, Failure> {
    let fresh = preview::look(Arc::clone(plan), readers, &clock.into(), None).await?;
    let next = "handover preview --out FILE, and have it signed again";
    held(signed, fresh, next, output)
}

/// The reading that a yes at this gate is made on: what the steps would find that have not begun. None
/// where the gate asks for none, or no preview was kept.
pub(super) async fn at_gate(
    project: &Project,
    site: &Site,
    step: &StepId,
    clock: &Clock,
    output: &Output,
) -> Result<Option<Preview>, Failure> {
    let plan = site::plan_of(site)?;
    let asks = plan.step(step).is_some_and(|step| match &step.does {
        StepSpec::Approval(approval) => approval.needs.as_deref() == Some(SIGNED_PREVIEW),
        _ => false,
    });
    let Some(signed) = in_force(site)?.filter(|_| asks) else {
        return Ok(None);
    };
    let readers = site::readers(project, &plan).await?;
    let mut fresh = preview::look(plan, readers, &clock.into(), None).await?;
    // What was done already stands in its own way: that says nothing of what is to come.
    let to_come = |step: &StepId| {
        let state = site.run.state(step).map(|step| step.state);
        matches!(state, Some(StepState::Pending | StepState::Undone))
    };
    fresh
        .findings
        .retain(|finding| finding.steps.iter().any(to_come));
    fresh.read_again();
    let next = format!(
        "handover preview {} --amend --out FILE, and have it signed",
        site.head.label
    );
    held(&signed, fresh, &next, output).map(Some)
}

fn held(signed: &Preview, fresh: Preview, next: &str, output: &Output) -> Result<Preview, Failure> {
    let moved = preview::moved(signed, &fresh);
    let drifts = drifted(&moved);
    if moved.lapses() {
        let says = "the databases are not what they were when this preview was read";
        let mut failure = Failure::coded(Exit::Unsigned, "HO402", says);
        failure.causes = unseen(&moved);
        failure.causes.extend(drifts);
        return Err(failure.with(hint(format!("mend what stops a step, then: {next}"))));
    }
    for drift in drifts {
        output.note(&format!("moved on since the preview: {drift}"));
    }
    Ok(fresh)
}
