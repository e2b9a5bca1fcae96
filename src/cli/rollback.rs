//! `handover rollback RUN`: show the way back, then take it.

use std::path::Path;

use super::Outcome;
use super::args::{Changed, Global, Rollback as Args};
use super::brought::{self, PAPER_BYTES_MAX};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::progress::Progress;
use super::run::{rested, stop_on_signals};
use super::settings::Project;
use super::site;
use crate::machine::event::UndoMode;
use crate::machine::state::Now;
use crate::plan::outline::StepId;
use crate::preview::rollback::{RollbackLook, look_rollback};
use crate::preview::{Moment, RollbackPreview};
use crate::report::rollback::{RollbackReport, changed_rows};
use crate::run::{Bounds, Clock, Session, Site, drive_on, rollback as back};

pub(super) async fn rollback(args: &Args, global: &Global, output: &Output) -> Outcome {
    let (project, mut site) = site::run(args.run.as_deref(), global).await?;
    site::held_against(&project, &mut site).await?;
    if args.preview || args.signed.is_none() {
        let preview = look(&project, &site, args).await?;
        return shown(&preview, args, output);
    }
    let path = args.signed.as_deref().unwrap_or(Path::new(""));
    let preview = signed(path, &site)?;
    confirm(args.confirm.as_deref(), &preview.plan, output)?;
    unchanged(&project, &site, &preview).await?;
    let addresses = project.addresses(&*site::plan_of(&site)?)?.all()?;
    let clock = site::clock(&site);
    let progress = Progress::new(&site, output);
    let watch = progress.watch();
    let orgs = addresses.keys().cloned().collect();
    let mut session = Session::claim(site, orgs, clock, watch).await?;
    if let Err(fault) = back::go_back(&mut session, &preview).await {
        session.release().await?;
        return Err(fault.into());
    }
    let mut stop = stop_on_signals();
    let done = drive_on(session, &addresses, &Bounds::default(), &mut stop).await;
    progress.end();
    rested(done?, output).await
}

fn shown(preview: &RollbackPreview, args: &Args, output: &Output) -> Outcome {
    if let Some(path) = &args.out {
        let bytes = preview
            .write()
            .map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
        super::saved::whole(path, &bytes)?;
    }
    let saved = args.out.as_deref().map(|path| path.display().to_string());
    let file = saved.as_deref().unwrap_or("FILE");
    let next = [
        format!("handover approve {file} --as ROLE@ORGANISATION --reason TEXT"),
        format!("handover rollback --signed {file}"),
    ];
    // With `--json` one value goes out: where nothing was asked for but a look, the refusal.
    if args.preview || !output.json {
        output.report(&RollbackReport {
            preview,
            saved: saved.as_deref(),
            next: &next,
        });
    }
    if args.preview {
        return Ok(Exit::Done);
    }
    Err(Failure::coded(
        Exit::Unsigned,
        "HO401",
        "a rollback is signed before it is carried out",
    )
    .with(hint(
        "save its preview with --preview --out FILE, have it signed with `handover approve FILE`, \
             then: handover rollback RUN --signed FILE",
    )))
}

fn signed(path: &Path, site: &Site) -> Result<RollbackPreview, Failure> {
    let bytes = brought::bytes(path, "preview", PAPER_BYTES_MAX)?;
    let preview = RollbackPreview::read(&bytes);
    let preview = preview.map_err(|fault| super::preview::unusable(path, &fault))?;
    if preview.run != site.head.id {
        let label = &site.head.label;
        let says = format!("this preview is of another run than `{label}`");
        let failure = Failure::coded(Exit::Unsigned, "HO402", says);
        return Err(failure.with(hint(format!(
            "name the run that it is of, or: handover rollback {label} --preview --out FILE"
        ))));
    }
    let missing = preview.missing();
    if missing == 0 {
        return Ok(preview);
    }
    Err(Failure::coded(
        Exit::Unsigned,
        "HO401",
        format!("the preview of the rollback lacks {missing} of its signatures"),
    )
    .with(hint(
        "handover approve FILE --as ROLE@ORGANISATION --reason TEXT",
    )))
}

/// Rows that somebody changed are looked for once more before anything is undone: in the mode `refuse`
/// one of them leaves everything as it is.
async fn unchanged(
    project: &Project,
    site: &Site,
    signed: &RollbackPreview,
) -> Result<(), Failure> {
    if signed.mode != UndoMode::Refuse {
        return Ok(());
    }
    let to = format!("c{}", signed.checkpoint);
    let now = look_at(project, site, Some(&to), signed.mode).await?;
    let changed = changed_rows(&now);
    if changed.is_empty() {
        return Ok(());
    }
    let says = "rows that the run wrote were changed since: nothing was undone";
    let mut failure = Failure::coded(Exit::Stuck, "HO701", says);
    failure.causes = changed;
    Err(failure.with(hint(
        "look at them; then preview the rollback with --changed skip (leaves them) or --changed force \
         (takes them back too), and have it signed",
    )))
}

/// The person types the plan's short name, or `--confirm` has it.
pub(super) fn confirm(typed: Option<&str>, plan: &str, output: &Output) -> Result<(), Failure> {
    let typed = match typed {
        Some(typed) => typed.to_owned(),
        None if output.asks => ask(plan)?,
        None => {
            return Err(
                Failure::usage("this needs the plan's short name, typed to confirm")
                    .with(hint(format!("add --confirm {plan}"))),
            );
        }
    };
    if typed == plan {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "that is not the plan's short name `{plan}`: nothing was done"
        )))
    }
}

fn ask(plan: &str) -> Result<String, Failure> {
    super::output::talk(&format!("Type {plan} to go ahead:"));
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|fault| Failure::from_error(Exit::Usage, &fault))?;
    Ok(line.trim().to_owned())
}

/// Looks at the way back; writes nothing.
pub(super) async fn look(
    project: &Project,
    site: &Site,
    args: &Args,
) -> Result<RollbackPreview, Failure> {
    let mode = match args.changed {
        Changed::Refuse => UndoMode::Refuse,
        Changed::Skip => UndoMode::Skip,
        Changed::Force => UndoMode::Force,
    };
    look_at(project, site, args.to.as_deref(), mode).await
}

/// Looks at the way back to a checkpoint (`c4`), or to just before a step; writes nothing.
pub(super) async fn look_at(
    project: &Project,
    site: &Site,
    to: Option<&str>,
    mode: UndoMode,
) -> Result<RollbackPreview, Failure> {
    let clock = site::clock(site);
    let now = Now {
        at: Clock::real().now(),
        as_at: clock.as_at(),
    };
    let checkpoint = checkpoint(site, to)?;
    let way = site
        .run
        .rollback(checkpoint, now)
        .map_err(|fault| Failure::from_error(Exit::Stuck, &fault))?;
    let plan = site::plan_of(site)?;
    let readers = site::readers(project, &plan).await?;
    let rehearsed = site::rehearsed(project, &plan).await?;
    let with = RollbackLook {
        run: site.run_look()?,
        plan,
        readers,
        moment: Moment::from(&clock),
        mode,
    };
    Ok(look_rollback(&with, &site.run, &way, rehearsed.as_ref()).await?)
}

fn checkpoint(site: &Site, to: Option<&str>) -> Result<u64, Failure> {
    let Some(to) = to else { return Ok(0) };
    let digits = to.strip_prefix('c').and_then(|digits| digits.parse().ok());
    if let Some(number) = digits {
        return Ok(number);
    }
    let step = StepId::from(to);
    let known = |id: &StepId| site.run.steps().any(|(paper, _)| paper.id == *id);
    let family = format!("{to}/");
    let of_family = site
        .run
        .steps()
        .any(|(paper, _)| paper.id.as_str().starts_with(&family));
    if !known(&step) && !of_family {
        return Err(
            Failure::usage(format!("`{to}` is neither a checkpoint nor a step"))
                .with(hint("`handover status` lists both")),
        );
    }
    let meant = |id: &StepId| *id == step || id.as_str().starts_with(&family);
    let begun = site.run.steps().filter(|(paper, _)| meant(&paper.id));
    let first = begun
        .filter_map(|(_, run)| run.started)
        .map(|moment| moment.seq)
        .min();
    let before = |seq: u64| {
        let cuts = site.run.checkpoints().iter();
        cuts.filter(|cut| cut.when.seq < seq)
            .map(|cut| cut.number)
            .max()
    };
    let newest = site.run.checkpoints().last().map_or(0, |cut| cut.number);
    Ok(first.map_or(newest, |seq| before(seq).unwrap_or(0)))
}
