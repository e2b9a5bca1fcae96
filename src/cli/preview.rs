//! `handover preview PLAN|RUN`: look, say, save.

use std::path::Path;
use std::sync::Arc;

use super::Outcome;
use super::args::{Depth, Global, Preview as Args};
use super::brought::{self, PAPER_BYTES_MAX};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::settings::Project;
use super::{saved, site};
use crate::machine::amend::AmendFault;
use crate::machine::event::On;
use crate::machine::shown::shown;
use crate::plan::model::Plan;
use crate::preview::amend::Signed;
use crate::preview::model::FileFault;
use crate::preview::{self, Moment, Preview};
use crate::report::preview::PreviewReport;
use crate::report::stale::StaleReport;
use crate::report::{self, Report as _};
use crate::run::{Clock, Site, kept};

pub(super) async fn preview(args: &Args, global: &Global, output: &Output) -> Outcome {
    let made = if args.amend {
        let (project, run) = site::run(Some(&args.what), global).await?;
        amended(&project, &run, output).await?
    } else {
        let project = site::project(Some(&args.what), global)?;
        let plan = site::plan(&project, output)?;
        let readers = site::readers(&project, &plan).await?;
        let moment = Moment::from(&Clock::real());
        let rehearsed = site::rehearsed(&project, &plan).await?;
        preview::look(plan, readers, &moment, rehearsed.as_ref(), None).await?
    };
    if let Some(path) = &args.out {
        let bytes = made
            .write()
            .map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
        saved::whole(path, &bytes)?;
    }
    let saved = args.out.as_deref().map(|path| path.display().to_string());
    let depth = match args.depth {
        Depth::Brief => report::preview::Depth::Brief,
        Depth::Steps => report::preview::Depth::Steps,
        Depth::Rows => report::preview::Depth::Rows,
    };
    let next = next(saved.as_deref(), args.amend);
    output.report(&PreviewReport {
        preview: &made,
        depth,
        saved: saved.as_deref(),
        next: &next,
    });
    Ok(if made.stops() { Exit::Plan } else { Exit::Done })
}

fn next(saved: Option<&str>, amends: bool) -> Vec<String> {
    match saved {
        None if amends => vec!["handover preview RUN --amend --out amend.preview".to_owned()],
        None => vec!["handover preview --out FILE".to_owned()],
        Some(file) => vec![
            format!("handover approve {file} --as ROLE@ORGANISATION --reason TEXT"),
            format!("handover run --signed {file}"),
        ],
    }
}

/// The next preview of a run whose plan folder was changed.
pub(super) async fn amended(
    project: &Project,
    run: &Site,
    output: &Output,
) -> Result<Preview, Failure> {
    let new = site::plan(project, output)?;
    let old = site::plan_of(run)?;
    let amendment = run.run.amendment(&new.outline);
    if let Err(faults) = amendment {
        return Err(no_amendment(&faults));
    }
    been_left(run, &new)?;
    let signatures = in_force(run)?
        .map(|preview| preview.signatures)
        .unwrap_or_default();
    let clock = site::clock(run);
    let moment = Moment::from(&clock);
    let readers = site::readers(project, &new).await?;
    let former = Signed {
        plan: old,
        signatures,
        run: Some(run.run_look()?),
    };
    let rehearsed = site::rehearsed(project, &new).await?;
    Ok(preview::amend(&former, new, readers, &moment, rehearsed.as_ref()).await?)
}

/// What people said of a paper counts once, so a run does not come back to one that it has left.
fn been_left(run: &Site, new: &Plan) -> Result<(), Failure> {
    let on = On::Paper {
        paper: new.fingerprint(),
    };
    let mut said = run.run.decisions();
    if !said.any(|(_, word)| word.on == on) {
        return Ok(());
    }
    let label = &run.head.label;
    let says = format!(
        "`{label}` was bound to this very paper before: what was signed for it then counts once, and no more"
    );
    Err(Failure::coded(Exit::Plan, "HO406", says).with(hint(
        "make another paper of it that says the same (a comment in plan.toml will do), and have that one signed",
    )))
}

/// A run does not take this amendment.
pub(super) fn no_amendment(faults: &[AmendFault]) -> Failure {
    if faults == [AmendFault::Same] {
        let says = "the plan folder holds the very paper that the run is bound to";
        return Failure::coded(Exit::Plan, "HO406", says).with(hint(
            "change the plan first; where homes were sold or built, `[plan] homes` and its date are to be put right",
        ));
    }
    let says = "this change touches what the run has begun, so the run cannot be amended with it";
    let mut failure = Failure::coded(Exit::Plan, "HO406", says);
    failure.causes = faults.iter().map(ToString::to_string).collect();
    failure.with(hint(
        "change only steps that have not begun, or roll back first",
    ))
}

/// The signed preview by which the run's paper came into force, kept beside the run; none where it is not
/// there, or where the log speaks of another.
pub(super) fn in_force(run: &Site) -> Result<Option<Preview>, Failure> {
    let Some(path) = run.folder.named(&kept::name(&run.run.paper())) else {
        return Ok(None);
    };
    Ok(Some(read(&path)?).filter(|preview| kept::is_in_force(&run.run, preview)))
}

/// Reads a preview file.
pub(super) fn read(path: &Path) -> Result<Preview, Failure> {
    let bytes = brought::bytes(path, "preview", PAPER_BYTES_MAX)?;
    Preview::read(&bytes).map_err(|fault| unusable(path, &fault))
}

/// A preview file of either kind cannot be used.
pub(super) fn unusable(path: &Path, fault: &FileFault) -> Failure {
    let (exit, next) = match fault {
        FileFault::Newer { .. } => (
            Exit::Newer,
            "use the version of Handover that made it, or a later one",
        ),
        FileFault::Shape(_) | FileFault::Zone(_) => (
            Exit::Usage,
            "name a file that `handover preview --out` or `handover rollback --preview --out` wrote",
        ),
        FileFault::Numbers | FileFault::Shown | FileFault::Edited { .. } => (
            Exit::Difference,
            "keep it as evidence, and sign the file as it was saved, or a new preview",
        ),
    };
    Failure {
        causes: vec![shown(&fault.to_string())],
        ..Failure::new(exit, format!("`{}` cannot be used", path.display()))
    }
    .with(hint(next))
}

/// The plan that a preview was made of: of its run where it is an amendment's, else of the folder.
pub(super) async fn plan_of(
    preview: &Preview,
    project: &Project,
    output: &Output,
) -> Result<Arc<Plan>, Failure> {
    let plan = site::plan(project, output)?;
    if let Some(stale) = preview::stale(preview, &plan) {
        let next = vec!["handover preview --out FILE, and have it signed again".to_owned()];
        let report = StaleReport::of("the preview", preview, stale, next);
        return Err(Failure {
            drawn: Some(report.text(output.manner()).trim_end().to_owned()),
            data: Some(report.json()),
            ..Failure::coded(Exit::Unsigned, "HO402", "the preview is stale")
        });
    }
    Ok(plan)
}
