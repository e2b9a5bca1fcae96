//! `handover run PLAN|RUN`: begin, amend or carry on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Outcome;
use super::args::{Global, Run as Args};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::fresh;
use super::output::Output;
use super::progress::Progress;
use super::settings::Project;
use super::signed::{Ready, begun_meanwhile, signed};
use super::site;
use crate::journal::{Journal, JournalFault};
use crate::machine::event::ClockKind;
use crate::machine::rests::Rests;
use crate::machine::state::Now;
use crate::plan::model::Plan;
use crate::plan::outline::StepId;
use crate::preview::Preview;
use crate::preview::timetable::points;
use crate::report::rest::RestReport;
use crate::run::connect::{self, Addresses};
use crate::run::decisions::{self, Meaning, Word};
use crate::run::{
    Bounds, Clock, Session, Site, SiteFault, Who, begin, carry_on, rehearsed, rollback,
};

/// How often a waiting run looks whether somebody has answered.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub(super) async fn run(args: &Args, global: &Global, output: &Output) -> Outcome {
    let bounds = Bounds {
        until: args
            .until
            .as_deref()
            .map(StepId::from)
            .into_iter()
            .collect(),
        ..Bounds::default()
    };
    let stop = stop_on_signals();
    let (project, site, addresses, clock) = if let Some(path) = &args.signed {
        match signed(args, path, global, output).await? {
            Ready::Run(project, site) => {
                say_begun(path, &site, output);
                existing(project, *site, args).await?
            }
            Ready::New(project, plan, preview) => {
                let site = Box::pin(new_run(args, &project, &plan, &preview, output)).await?;
                existing(project, site, args).await?
            }
            Ready::Amend(project, site, plan, preview) => {
                let (project, site, addresses, clock) = existing(project, *site, args).await?;
                let site = amend(site, plan, &preview, &clock).await?;
                (project, site, addresses, clock)
            }
        }
    } else {
        let (project, site) = site::run(Some(&args.what), global).await?;
        existing(project, site, args).await?
    };
    warn_of_changes(&project, &site, output);
    let site = retries(args, site, &clock).await?;
    let mut drive = Drive {
        addresses,
        clock,
        bounds,
        stop,
        output,
    };
    let done = drive.carry_on(site).await?;
    let done = if args.wait {
        drive.stay(done).await?
    } else {
        done
    };
    rested(done, output).await
}

/// What carrying a run on needs, once or again and again.
struct Drive<'a> {
    addresses: Addresses,
    clock: Clock,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
    output: &'a Output,
}

impl Drive<'_> {
    async fn carry_on(&mut self, site: Site) -> Result<(Site, Rests), Failure> {
        let progress = Progress::new(&site, self.output);
        let watch = progress.watch();
        let done = carry_on(
            site,
            &self.addresses,
            &self.clock,
            &self.bounds,
            watch,
            &mut self.stop,
        )
        .await;
        progress.end();
        Ok(done?)
    }

    /// `--wait`: lets the run go while it waits, so that people can answer, and goes on when it may.
    async fn stay(&mut self, done: (Site, Rests)) -> Result<(Site, Rests), Failure> {
        let (mut site, mut rests) = done;
        while rests.exit() == Exit::Waiting as u8 {
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                stopped = self.stop.wait_for(|stop| *stop) => {
                    let _ = stopped;
                    return Ok((site, rests));
                }
            }
            let head = site.journal.head(site.head.id).await?;
            let said = head.size > site.run.next_seq();
            if said
                || !site.run.idle(Now {
                    at: self.clock.now(),
                    as_at: self.clock.as_at(),
                })
            {
                let fresh = Site::open(site.journal, head).await?;
                (site, rests) = self.carry_on(fresh).await?;
            }
        }
        Ok((site, rests))
    }
}

type Existing = (Project, Site, Addresses, Clock);

async fn existing(project: Project, mut site: Site, args: &Args) -> Result<Existing, Failure> {
    if site.run.closed() {
        return Err(JournalFault::Closed(site.head.label).into());
    }
    site::held_against(&project, &mut site).await?;
    let clock = site::clock(&site);
    if args.rehearsal && clock.kind() == ClockKind::Real {
        return Err(Failure::usage(
            "this run's clock is real: it cannot become a rehearsal",
        ));
    }
    let addresses = project.addresses(&*site::plan_of(&site)?)?.all()?;
    Ok((project, site, addresses, clock))
}

async fn new_run(
    args: &Args,
    project: &Project,
    plan: &Arc<Plan>,
    preview: &Preview,
    output: &Output,
) -> Result<Site, Failure> {
    let addresses = project.addresses(plan)?.all()?;
    let clock = if args.rehearsal {
        Clock::made_up(preview.read_at)
    } else {
        Clock::real()
    };
    let readers = connect::readers(&addresses).await?;
    let prints = connect::prints(&readers, args.rehearsal).await?;
    fresh::look(preview, (plan, readers), &clock, output).await?;
    let mut journal = Journal::open(&project.journal).await?;
    if clock.kind() == ClockKind::Real {
        say_beside(&mut journal, plan, output).await?;
    }
    let progress = Progress::of_plan(plan, clock.kind(), output);
    let watch = progress.watch();
    let begun = begin::begin(journal, plan, preview, prints, clock, watch).await;
    let session = match begun {
        Err(SiteFault::Journal(JournalFault::Begun(label))) => {
            progress.end();
            let live = begun_meanwhile(project, preview, label).await?;
            output.note(&format!(
                "`{}` began with the same preview meanwhile: that one is carried on",
                live.head.label
            ));
            return Ok(live);
        }
        begun => begun?,
    };
    let sealed = session
        .site
        .run
        .opened()
        .is_some_and(|opened| opened.log_key.is_some());
    if !sealed {
        output.note(
            "this run's log has no key: nobody will be able to prove later that it is whole (before \
             the next one: handover key new)",
        );
    }
    let begun = session.release().await;
    progress.end();
    Ok(begun?)
}

async fn amend(
    site: Site,
    plan: Arc<Plan>,
    preview: &Preview,
    clock: &Clock,
) -> Result<Site, Failure> {
    let mut session = Session::claim(site, Vec::new(), clock.clone(), Box::new(|_, _| {})).await?;
    let amended = rollback::amend(&mut session, plan, preview).await;
    let site = session.release().await?;
    amended?;
    Ok(site)
}

async fn retries(args: &Args, site: Site, clock: &Clock) -> Result<Site, Failure> {
    if args.retry.is_empty() {
        return Ok(site);
    }
    let said = args.who.as_deref().ok_or_else(|| {
        Failure::usage("a retry is asked for by somebody").with(hint("add --as ROLE@ORGANISATION"))
    })?;
    let who = Who::find(site.run.outline(), said, clock.as_at(), None, &[])?;
    let mut session = Session::claim(site, Vec::new(), clock.clone(), Box::new(|_, _| {})).await?;
    let mut taken = Ok(());
    for step in &args.retry {
        let word = Word {
            who: who.clone(),
            means: Meaning::Yes,
            reason: "asked for with --retry",
            evidence: None,
            reading: None,
            proof: None,
        };
        taken = decisions::take(&mut session, &StepId::from(step.as_str()), &word).await;
        if taken.is_err() {
            break;
        }
    }
    let site = session.release().await?;
    taken?;
    Ok(site)
}

/// The same paper given again begins no second run and signs nothing: it is said, since the run goes on
/// without the file.
fn say_begun(path: &Path, site: &Site, output: &Output) {
    let (file, label) = (path.display(), &site.head.label);
    let then = if site.run.finished() {
        "it is finished, and the file changes nothing (to run the same paper again: `handover close` first)"
    } else {
        "the run goes on as it was signed then"
    };
    output.note(&format!(
        "`{file}` is the paper that {label} runs under: {then}"
    ));
}

/// Another run of the same plan that nobody closed: two could work at the same databases.
async fn say_beside(journal: &mut Journal, plan: &Plan, output: &Output) -> Result<(), Failure> {
    let own = format!("{}/", plan.name);
    for head in journal.live_runs().await? {
        if head.origin.starts_with(&own) {
            output.note(&format!(
                "`{}` is not closed, and this run begins beside it",
                head.label
            ));
        }
    }
    Ok(())
}

/// A folder that differs from the paper in force is said, no more: the run does not read it.
fn warn_of_changes(project: &Project, site: &Site, output: &Output) {
    let Ok(plan) = site::quietly(project, output) else {
        return;
    };
    if plan.fingerprint() != site.run.paper() {
        output.note(
            "the plan folder is not what this run was signed for; the run goes on as signed \
             (to take the change in: handover preview RUN --amend)",
        );
    }
}

/// Says where a run rests, and ends with its code.
pub(super) async fn rested(done: (Site, Rests), output: &Output) -> Outcome {
    let (mut site, rests) = done;
    let plan = site::plan_of(&site)?;
    let rehearsed = rehearsed(&mut site.journal, &plan).await?;
    let at = site::clock(&site).as_at().moment();
    let points = points(&plan, rehearsed.as_ref());
    output.report(&RestReport::of(
        &site.head.label,
        &site.run,
        &plan,
        at,
        &points,
    ));
    Ok(Exit::of(rests.exit()))
}

/// Turns true at the first Ctrl-C or SIGTERM; the second ends the process at once.
pub(super) fn stop_on_signals() -> watch::Receiver<bool> {
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        wait_for_signal().await;
        super::output::talk("stopping at a safe point; once more to stop now");
        let _ = stop.send(true);
        wait_for_signal().await;
        std::process::exit(Exit::Interrupted as i32);
    });
    stopping
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
