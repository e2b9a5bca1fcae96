//! Going back, and going on under another paper: the entries that begin a rollback or an amendment,
//! each with the decisions that allow it.
//!
//! Not here: which way back there is (`machine::rollback`), what it would find (`preview::rollback`),
//! the undoing itself (`drive`).

use std::sync::Arc;

use super::approvals::keep_all;
use super::begin::{decisions, put_papers};
use super::kept;
use super::session::Session;
use super::site::SiteFault;
use crate::journal::Draft;
use crate::machine::event::{Event, On, PlanAmended};
use crate::machine::rollback::NoRollback;
use crate::plan::model::Plan;
use crate::preview::{Preview, RollbackPreview};

/// Why a rollback does not begin.
#[derive(Debug, thiserror::Error)]
pub enum BackFault {
    /// There is no such way back.
    #[error(transparent)]
    None(#[from] NoRollback),
    /// The run has moved on since the preview was made.
    #[error("the run has moved on since this preview of the rollback was made")]
    Stale,
    /// The journal, or the rules.
    #[error(transparent)]
    Site(#[from] SiteFault),
}

/// Begins the rollback that a signed preview reviewed.
///
/// # Errors
/// When the run has moved on since, or the signatures do not count.
pub async fn go_back(
    session: &mut Session<'_>,
    preview: &RollbackPreview,
) -> Result<(), BackFault> {
    let now = session.now();
    let way = session.site.run.rollback(preview.checkpoint, now)?;
    let plan = session.site.plan();
    if !plan.is_some_and(|plan| preview.still(plan, &session.site.run, &way)) {
        return Err(BackFault::Stale);
    }
    let first = session.site.run.next_seq();
    let digest = preview.digest();
    keep_all(&mut session.site.journal, &preview.signatures)
        .await
        .map_err(SiteFault::from)?;
    let mut drafts = decisions(&preview.signatures, None);
    for draft in &mut drafts {
        if let Event::ApprovalGranted(decision) = &mut draft.event {
            decision.on = On::Rollback { preview: digest };
        }
    }
    // One commit: decisions without what they allow could not be made again after a crash.
    let approvals = (first..first + drafts.len() as u64).collect();
    let started = way.started(digest, preview.mode, approvals);
    drafts.push(Draft::of_run(Event::RollbackStarted(started)));
    session.append(drafts).await?;
    Ok(())
}

/// Puts another paper in force, as its signed preview says.
///
/// # Errors
/// When the journal refuses, or the signatures do not count.
pub async fn amend(
    session: &mut Session<'_>,
    plan: Arc<Plan>,
    preview: &Preview,
) -> Result<(), SiteFault> {
    let old = session.site.run.paper();
    put_papers(&mut session.site.journal, &plan).await?;
    session.site.shelve(Arc::clone(&plan));
    let new = plan.fingerprint();
    let fresh: Vec<_> = preview
        .signatures
        .iter()
        .filter(|signature| signature.signed == new)
        .cloned()
        .collect();
    let first = session.site.run.next_seq();
    kept::keep(&session.site.folder, preview)?;
    keep_all(&mut session.site.journal, &fresh).await?;
    let mut drafts = decisions(&fresh, Some(preview.shown));
    let approvals = (first..first + drafts.len() as u64).collect();
    let amended = PlanAmended {
        old,
        new,
        dag: plan.outline.dag,
        approvals,
    };
    drafts.push(Draft::of_run(Event::PlanAmended(amended)));
    session.append(drafts).await
}
