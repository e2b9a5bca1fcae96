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
use crate::plan::model::{Plan, SIGNED_PREVIEW, Step, StepSpec};
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
    let fresh = preview::look(Arc::clone(plan), readers, &clock.into(), None, None).await?;
    let next = "handover preview --out FILE, and have it signed again";
    held(signed, fresh, next, output)
}

/// The reading that a yes at this gate is made on: what the steps would find that have not begun, by the eyes
/// of the run. None where the gate asks for none.
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
    if !asks {
        return Ok(None);
    }
    let signed = in_force(site)?.ok_or_else(|| not_kept(site))?;
    let readers = site::readers(project, &plan).await?;
    let (moment, eyes) = (clock.into(), site.run_look()?);
    let mut fresh = preview::look(Arc::clone(&plan), readers, &moment, None, Some(&eyes)).await?;
    // What was done already says nothing of what is to come.
    let to_come = |step: &StepId| {
        let state = site.run.state(step).map(|step| step.state);
        matches!(state, Some(StepState::Pending | StepState::Undone))
    };
    fresh
        .findings
        .retain(|finding| finding.steps.iter().any(to_come));
    let (signed, fresh) = [signed, fresh]
        .map(|preview| preview::of_rows(preview, |step| moves(&plan, step, to_come)))
        .into();
    let next = format!(
        "handover preview {} --amend --out FILE, and have it signed",
        site.head.label
    );
    held(&signed, fresh, &next, output).map(Some)
}

/// Whether the step's rows are still to go: it has not begun, or is caught up with later. A switch behind
/// copies finds what those bring, which is theirs to count.
fn moves(plan: &Plan, step: &StepId, to_come: impl Fn(&StepId) -> bool) -> bool {
    let catches_up = |later: &Step| match &later.does {
        StepSpec::CatchUp(catch_up) => catch_up.of == *step && to_come(&later.id),
        _ => false,
    };
    let counts = preview::look::filled_by(plan, step).next().is_none();
    counts && to_come(step) || plan.steps.iter().any(catches_up)
}

/// Nobody says yes to what cannot be held against what was signed.
fn not_kept(site: &Site) -> Failure {
    let label = &site.head.label;
    let says = format!("the signed preview that `{label}` runs under is not beside it");
    let back = "handover run . --signed FILE (the signed preview) puts it back";
    Failure::coded(Exit::Unsigned, "HO402", says).with(hint(back))
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
