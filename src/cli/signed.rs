//! `handover run --signed FILE`: what a signed preview leads to: the run that it began, a new one, or a run
//! in hand under another paper; each only where everybody's signature counts now.
//!
//! Not here: beginning, amending and driving (`run`), the databases against what was read (`fresh`).

use std::path::Path;
use std::sync::Arc;

use super::args::{Global, Run as Args};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::preview::{in_force, no_amendment, plan_of, read};
use super::settings::Project;
use super::site;
use crate::journal::{Journal, JournalFault, RunHead};
use crate::machine::event::ClockKind;
use crate::machine::gate::{NotTheirs, needed};
use crate::machine::shown::shown;
use crate::plan::model::{Plan, Seat};
use crate::preview::amend::Signed;
use crate::preview::{self, Preview, Signature};
use crate::report::stale::change;
use crate::run::begin::{clock_kind, decisions};
use crate::run::{Clock, Site, kept};

/// What a signed preview leads to.
pub(super) enum Ready {
    /// A run that it began already.
    Run(Project, Box<Site>),
    /// A new run.
    New(Project, Arc<Plan>, Box<Preview>),
    /// A run in hand under another paper.
    Amend(Project, Box<Site>, Arc<Plan>, Box<Preview>),
}

pub(super) async fn signed(
    args: &Args,
    path: &Path,
    global: &Global,
    output: &Output,
) -> Result<Ready, Failure> {
    let preview = Box::new(read(path)?);
    let project = site::project(Some(&args.what), global)?;
    if let Some(run) = preview.former.as_ref().and_then(|former| former.run) {
        let site = amended(&args.what, &project, run).await?;
        if site.run.paper() == preview.paper.fingerprint {
            return going_on(project, site, &preview);
        }
        let rehearsal = clock_kind(&site) == ClockKind::MadeUp;
        let plan = whole(&preview, &project, rehearsal, output).await?;
        // The run has gone on since that preview was made.
        let amendment = site.run.amendment(&plan.outline);
        amendment.map_err(|faults| no_amendment(&faults))?;
        by_the_keys_in_force(&site, &preview)?;
        nobody_carried_astray(&project, &site, &plan, &preview).await?;
        return Ok(Ready::Amend(project, Box::new(site), plan, preview));
    }
    if let Some(site) = begun(&project, &preview, args.rehearsal).await? {
        return going_on(project, site, &preview);
    }
    let plan = whole(&preview, &project, args.rehearsal, output).await?;
    Ok(Ready::New(project, plan, preview))
}

/// The run that somebody began with the same preview while we were looking: rehearsals stand in nobody's way.
pub(super) async fn begun_meanwhile(
    project: &Project,
    preview: &Preview,
    label: String,
) -> Result<Site, Failure> {
    let live = begun(project, preview, false).await?;
    live.ok_or_else(|| JournalFault::Begun(label).into())
}

/// A run that began already, with the preview beside it that it is to be held against.
fn going_on(project: Project, site: Site, preview: &Preview) -> Result<Ready, Failure> {
    kept::put_back(&site, preview)?;
    Ok(Ready::Run(project, Box::new(site)))
}

/// The run that an amendment's preview was read of, and no other.
async fn amended(what: &str, project: &Project, run: uuid::Uuid) -> Result<Site, Failure> {
    let mut journal = Journal::existing(&project.journal).await?;
    let head = match journal.head(run).await {
        Err(JournalFault::NoRun(_)) => {
            let says = "this preview is of another run than any in this journal";
            let failure = Failure::coded(Exit::Unsigned, "HO402", says);
            return Err(failure.with(hint(
                "give it from the plan folder whose run it amends: `handover status` lists the runs of one",
            )));
        }
        head => head?,
    };
    if !Path::new(what).exists() {
        let named = journal.find(what).await?;
        if named.id != run {
            let (label, other) = (named.label, head.label);
            let says = format!("this preview is of another run than `{label}`: of `{other}`");
            let failure = Failure::coded(Exit::Unsigned, "HO402", says);
            return Err(failure.with(hint(format!(
                "handover run {other} --signed FILE; for `{label}`: handover preview {label} --amend --out FILE"
            ))));
        }
    }
    Ok(Site::open(journal, head).await?)
}

/// The run that the preview has let begin and that is not closed: under this paper, not under what it was
/// amended to since. A rehearsal is carried on by who asks for one, and counts for nothing otherwise.
async fn begun(
    project: &Project,
    preview: &Preview,
    rehearsal: bool,
) -> Result<Option<Site>, Failure> {
    if !project.journal.exists() {
        return Ok(None);
    }
    let paper = preview.paper.fingerprint;
    let mut journal = Journal::open(&project.journal).await?;
    let mut runs = journal.runs_under(paper).await?;
    while let Some(head) = runs.pop() {
        let site = Site::open(journal, head).await?;
        let rehearses = clock_kind(&site) == ClockKind::MadeUp;
        match (site.run.closed(), site.run.paper() == paper) {
            _ if rehearses && !rehearsal => {}
            (true, _) => not_used(preview, &site)?,
            (false, true) => return Ok(Some(site)),
            (false, false) => return Err(moved_on(&site.head)),
        }
        journal = site.journal;
    }
    Ok(None)
}

fn moved_on(head: &RunHead) -> Failure {
    let label = &head.label;
    let says = format!("`{label}` began under this paper and was amended since");
    Failure::coded(Exit::Unsigned, "HO402", says).with(hint(format!(
        "handover run {label} (goes on as it was amended); another change: handover preview {label} --amend"
    )))
}

/// What was signed with a key lets one run begin: another needs to be signed for.
fn not_used(preview: &Preview, former: &Site) -> Result<(), Failure> {
    let used = |signature: &&Signature| {
        signature.sshsig.is_some() && former.run.took(&signature.statement)
    };
    if clock_kind(former) == ClockKind::MadeUp {
        return Ok(());
    }
    let Some(signature) = preview.signatures.iter().find(used) else {
        return Ok(());
    };
    let says = format!(
        "what `{}` signed has let {} begin already",
        shown(&signature.person),
        former.head.label
    );
    let failure = Failure::coded(Exit::Unsigned, "HO411", says);
    Err(failure.with(hint(
        "handover preview --out FILE, and have it signed again",
    )))
}

/// Who puts another paper in force does so with the key that they have in the one that is.
fn by_the_keys_in_force(site: &Site, preview: &Preview) -> Result<(), Failure> {
    let now = site::clock(site).as_at();
    let new = preview.paper.fingerprint;
    let fresh = preview.signatures.iter().filter(|one| one.signed == new);
    let fresh: Vec<Signature> = fresh.cloned().collect();
    let counts: Vec<Result<(), NotTheirs>> = decisions(&fresh, None)
        .iter()
        .map(|word| site.run.known(&word.actor, now))
        .collect();
    let known = counts.iter().filter(|counts| counts.is_ok()).count();
    let words = fresh.iter().zip(&counts);
    let words = words.filter(|(_, counts)| **counts == Err(NotTheirs::OnlyWord));
    let words: Vec<String> = words
        .map(|(signature, _)| shown(&seat(&signature.seat)))
        .collect();
    // Strangers to the paper in force are told of by the machine.
    if words.is_empty() || known >= needed(site.run.outline()) {
        return Ok(());
    }
    let says = format!(
        "the paper in force has keys for those who sign it, and these gave their word alone: {}",
        words.join(", ")
    );
    Err(Failure::coded(Exit::Unsigned, "HO409", says).with(hint(
        "handover preview RUN --amend --out FILE, and have it signed with --key or --statement",
    )))
}

/// A signature under the former paper stands under this one only where the change leaves it alone: decided
/// anew, since the file says what its last writer made it say.
async fn nobody_carried_astray(
    project: &Project,
    site: &Site,
    new: &Plan,
    preview: &Preview,
) -> Result<(), Failure> {
    let paper = preview.paper.fingerprint;
    if preview.signatures.iter().all(|one| one.signed == paper) {
        return Ok(());
    }
    let mut former = in_force(site)?.map_or_else(Vec::new, |former| former.signatures);
    former.retain(|signature| site.run.took(&signature.statement));
    let former = Signed {
        plan: site::plan_of(site)?,
        signatures: former,
        run: None,
    };
    let readers = site::readers(project, new).await?;
    let Some(stale) = preview::changed(&former, new, &readers).await? else {
        return Ok(());
    };
    let astray = preview::astray(preview, &new.signed_by, &former.signatures, &stale);
    if astray.is_empty() {
        return Ok(());
    }
    let says = "signatures under the former paper do not stand under this one";
    let mut failure = Failure::coded(Exit::Unsigned, "HO402", says);
    let who = |one: &&Signature| shown(&format!("`{}` signed as {}", one.person, seat(&one.seat)));
    failure.causes = astray.iter().map(who).collect();
    let changes = stale.changes.iter();
    let changes = changes.map(|file| format!("since then: {}", change(file, &preview.orgs)));
    failure.causes.extend(changes);
    Err(failure.with(hint(
        "handover preview RUN --amend --out FILE, and have it signed by those whom it names",
    )))
}

/// The plan of a preview that is fresh and signed by everybody.
async fn whole(
    preview: &Preview,
    project: &Project,
    rehearsal: bool,
    output: &Output,
) -> Result<Arc<Plan>, Failure> {
    let plan = plan_of(preview, project, output).await?;
    let missing = preview::missing(preview, &plan);
    let recorded = preview::sign::only_recorded(preview, &plan);
    if let (true, false, false) = (missing.is_empty(), recorded.is_empty(), rehearsal) {
        let seats: Vec<String> = recorded.iter().map(seat).collect();
        let says = format!(
            "the plan asks for a signature with a key of {}",
            seats.join(", ")
        );
        return Err(Failure::coded(Exit::Unsigned, "HO409", says).with(hint(
            "handover preview --out FILE, and have it signed with --key or --statement",
        )));
    }
    let now = Clock::real().now().moment();
    let as_at = if rehearsal { preview.read_at } else { now };
    if let Some((signature, why)) = preview::sign::lapsed(preview, &plan, (now, as_at)) {
        let person = shown(&signature.person);
        let says = format!("the signature of `{person}` does not count now");
        let failure = Failure::coded(Exit::Unsigned, why.code(), says);
        return Err(Failure {
            causes: vec![why.to_string()],
            ..failure
        }
        .with(hint(
            "handover preview --out FILE, and have it signed again",
        )));
    }
    if missing.is_empty() {
        return Ok(plan);
    }
    let seats: Vec<String> = missing.iter().map(seat).collect();
    Err(Failure::coded(
        Exit::Unsigned,
        "HO401",
        format!(
            "the preview lacks {} of its signatures: {}",
            missing.len(),
            seats.join(", ")
        ),
    )
    .with(hint(
        "handover approve FILE --as ROLE@ORGANISATION --reason TEXT",
    )))
}

fn seat(seat: &Seat) -> String {
    match &seat.org {
        Some(org) => format!("{}@{org}", seat.role),
        None => seat.role.to_string(),
    }
}
