//! `handover preview PLAN|RUN`: look, say, save.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::Outcome;
use super::args::{Depth, Global, Preview as Args};
use super::brought::{self, PAPER_BYTES_MAX};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::settings::Project;
use super::site;
use crate::plan::model::Plan;
use crate::preview::amend::Signed;
use crate::preview::model::FileFault;
use crate::preview::{self, Moment, Preview};
use crate::report::preview::PreviewReport;
use crate::report::stale::StaleReport;
use crate::report::{self, Report as _};
use crate::run::{Clock, Site};

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
        preview::look(plan, readers, &moment, rehearsed.as_ref()).await?
    };
    if let Some(path) = &args.out {
        let bytes = made
            .write()
            .map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
        save(path, &bytes)?;
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
        let mut failure = Failure::coded(
            Exit::Plan,
            "HO406",
            "this change touches what the run has begun, so the run cannot be amended with it",
        );
        failure.causes = faults.iter().map(ToString::to_string).collect();
        return Err(failure.with(hint(
            "change only steps that have not begun, or roll back first",
        )));
    }
    let signatures = in_force(run)?
        .map(|preview| preview.signatures)
        .unwrap_or_default();
    let clock = site::clock(run);
    let moment = Moment::from(&clock);
    let readers = site::readers(project, &new).await?;
    let former = Signed {
        plan: old,
        signatures,
        run: Some(run.head.id),
    };
    let rehearsed = site::rehearsed(project, &new).await?;
    Ok(preview::amend(&former, new, readers, &moment, rehearsed.as_ref()).await?)
}

/// The signed preview that the run's paper came with, kept beside the run.
pub(super) fn in_force(run: &Site) -> Result<Option<Preview>, Failure> {
    match run.folder.named(&file_of(&run.run.paper().to_string())) {
        Some(path) => read(&path).map(Some),
        None => Ok(None),
    }
}

/// What a signed preview is called beside a run.
pub(super) fn file_of(paper: &str) -> String {
    format!("{paper}.preview")
}

/// Reads a preview file.
pub(super) fn read(path: &Path) -> Result<Preview, Failure> {
    let bytes = brought::bytes(path, "preview", PAPER_BYTES_MAX)?;
    Preview::read(&bytes).map_err(|fault| {
        let exit = match &fault {
            FileFault::Newer { .. } => Exit::Newer,
            FileFault::Shape(_) => Exit::Usage,
            FileFault::Numbers | FileFault::Edited { .. } => Exit::Difference,
        };
        let says = format!("`{}` cannot be used", path.display());
        Failure {
            causes: vec![fault.to_string()],
            ..Failure::new(exit, says)
        }
    })
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

/// Writes a file whole or not at all.
pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let refused = |fault: std::io::Error| {
        Failure::new(
            Exit::Database,
            format!("`{}` cannot be written: {fault}", path.display()),
        )
    };
    let unfinished = path.with_extension("unfinished");
    let mut file = fs::File::create(&unfinished).map_err(refused)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(refused)?;
    fs::rename(&unfinished, path).map_err(refused)
}
