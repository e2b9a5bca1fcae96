//! `handover approve FILE|RUN [STEP]`: a signature under a preview, or a word to a run.

use std::path::Path;

use super::Outcome;
use super::args::{Approve, Global};
use super::brought::{self, PAPER_BYTES_MAX};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::fresh;
use super::output::Output;
use super::signing::{self, Signing};
use super::site;
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan};
use crate::plan::outline::StepId;
use crate::preview::model::FileFault;
use crate::preview::sign::{self, Ask, SignFault};
use crate::preview::{Preview, RollbackPreview, Signature};
use crate::report::words::some;
use crate::run::decisions::{self, Asked, Meaning, Word, WordFault};
use crate::run::{Clock, Session, Site, Who, approvals};
use crate::signature::{Proof, Statement};

pub(super) async fn approve(args: &Approve, global: &Global, output: &Output) -> Outcome {
    let path = Path::new(&args.what);
    if path.is_file() && args.step.is_none() {
        return sign_file(path, args, global, output).await;
    }
    let (project, mut site) = site::run(Some(&args.what), global).await?;
    let Some(step) = &args.step else {
        return Err(Failure::usage("a decision on a run names its step")
            .with(hint("`handover status` shows what the run waits for")));
    };
    let step = StepId::from(step.as_str());
    let clock = site::clock(&site);
    let org = site::plan_of(&site)?
        .step(&step)
        .and_then(|step| step.org.clone());
    let asked = decisions::asked(&site.run, &step);
    let roles = match &asked {
        Some(Asked::Decisions(roles)) => roles.clone(),
        Some(Asked::Answer(_, role)) => role.iter().cloned().collect(),
        None => Vec::new(),
    };
    let who = Who::find(
        site.run.outline(),
        &args.who,
        clock.as_at(),
        org.as_ref(),
        &roles,
    )?;
    let evidence = evidence(args)?;
    let digest = evidence.as_deref().map(Digest::of);
    let reading = match (&asked, meaning(args)) {
        (Some(Asked::Decisions(_)), Meaning::Yes) => {
            let fresh = Box::pin(fresh::at_gate(&project, &site, &step, &clock, output)).await?;
            kept(&mut site, fresh).await?
        }
        _ => None,
    };
    let on = (digest, reading);
    let proof = match signing::asked(args)? {
        Signing::Word => None,
        Signing::Bring(proof) => Some(proof),
        Signing::Write(file) => {
            let statement = stated(&mut site, &step, &who, args, on).await?;
            output.say(&signing::hand_out(&statement, file, args)?);
            return Ok(Exit::Done);
        }
        Signing::Here(key) => {
            let statement = stated(&mut site, &step, &who, args, on).await?;
            Some(Proof::made(&statement, &key))
        }
    };
    site::held_against(&project, &mut site).await?;
    let word = Word {
        who,
        means: meaning(args),
        reason: signing::reason(args)?,
        evidence: evidence.as_deref(),
        reading,
        proof: proof.as_ref(),
    };
    let mut session = Session::claim(site, Vec::new(), clock, Box::new(|_, _| {})).await?;
    let taken = decisions::take(&mut session, &step, &word).await;
    let site = session.release().await?;
    taken?;
    let who = &word.who;
    let how = if proof.is_some() {
        "Signed and recorded"
    } else {
        "Recorded"
    };
    output.say(&format!(
        "{how}: {} as {} of {} on `{step}` of {}.\nNext: handover run {}",
        who.person, who.role, who.org, site.head.label, site.head.label
    ));
    Ok(Exit::Done)
}

/// Keeps the lines of a reading in the journal, so that its digest can be read back; the digest.
async fn kept(site: &mut Site, fresh: Option<Preview>) -> Result<Option<Digest>, Failure> {
    match fresh {
        Some(fresh) => {
            let lines = fresh.reading_lines();
            Ok(Some(site.journal.put_blob(lines.as_bytes()).await?))
        }
        None => Ok(None),
    }
}

/// What `who` would sign at that step now.
async fn stated(
    site: &mut Site,
    step: &StepId,
    who: &Who,
    args: &Approve,
    on: (Option<Digest>, Option<Digest>),
) -> Result<Statement, Failure> {
    let window = signing::window(args)?;
    let decides = (who, meaning(args));
    let stated = approvals::statement(site, step, decides, on, window).await;
    stated.map_err(|fault| WordFault::Proof(fault).into())
}

fn meaning(args: &Approve) -> Meaning {
    match (args.refuse, args.revoke, args.undone) {
        (true, _, _) => Meaning::No,
        (_, true, _) => Meaning::Revoke,
        (_, _, true) => Meaning::Undone,
        _ => Meaning::Yes,
    }
}

fn evidence(args: &Approve) -> Result<Option<Vec<u8>>, Failure> {
    let path = args.evidence.as_deref();
    path.map(|path| brought::bytes(path, "evidence", PAPER_BYTES_MAX))
        .transpose()
}

/// Either kind of preview file.
enum Paper {
    Plan(Box<Preview>),
    Rollback(Box<RollbackPreview>),
}

impl Paper {
    /// What somebody would sign under it now.
    fn statement(&self, plan: &Plan, ask: &Ask<'_>, args: &Approve) -> Result<Statement, Failure> {
        let window = signing::window(args)?;
        let stated = match self {
            Paper::Plan(preview) => sign::to_sign(preview, plan, ask, window),
            Paper::Rollback(preview) => sign::to_sign_rollback(preview, plan, ask, window),
        };
        stated.map_err(refused)
    }
}

async fn sign_file(path: &Path, args: &Approve, global: &Global, output: &Output) -> Outcome {
    if args.refuse || args.revoke || args.undone {
        return Err(
            Failure::usage("a preview is signed or left unsigned").with(hint(
                "to say no, leave it unsigned; to stop a run, refuse one of its steps",
            )),
        );
    }
    let bytes = brought::bytes(path, "preview", PAPER_BYTES_MAX)?;
    let evidence = evidence(args)?.map(|bytes| Digest::of(&bytes));
    let mut paper = match RollbackPreview::read(&bytes) {
        Ok(preview) => Paper::Rollback(Box::new(preview)),
        Err(FileFault::Shape(_)) => Paper::Plan(Box::new(super::preview::read(path)?)),
        Err(fault) => return Err(super::preview::unusable(path, &fault)),
    };
    let (seats, as_at, plan) = match &paper {
        Paper::Plan(preview) => {
            let project = site::project(path.parent().and_then(Path::to_str), global)?;
            let plan = super::preview::plan_of(preview, &project, output).await?;
            (&preview.seats, preview.read_at, plan)
        }
        Paper::Rollback(preview) => {
            let (_, site) = site::run(Some(&preview.run.to_string()), global).await?;
            (&preview.seats, preview.read_at, site::plan_of(&site)?)
        }
    };
    let roles: Vec<Code> = seats.iter().map(|seat| seat.role.clone()).collect();
    let as_at = crate::machine::time::Time::new(as_at);
    let who = Who::find(&plan.outline, &args.who, as_at, None, &roles)?;
    let ask = Ask {
        person: &who.person,
        role: &who.role,
        reason: args.reason.as_deref().unwrap_or_default(),
        at: Clock::real().now().moment(),
        as_at: as_at.moment(),
        evidence,
        proof: None,
    };
    let proof = match signing::asked(args)? {
        Signing::Word => None,
        Signing::Bring(proof) => Some(proof),
        Signing::Write(file) => {
            let statement = paper.statement(&plan, &ask, args)?;
            output.say(&signing::hand_out(&statement, file, args)?);
            return Ok(Exit::Done);
        }
        Signing::Here(key) => Some(Proof::made(&paper.statement(&plan, &ask, args)?, &key)),
    };
    let ask = Ask {
        reason: signing::reason(args)?,
        proof: proof.as_ref(),
        ..ask
    };
    let signature = put(&mut paper, &plan, &ask)?;
    let (bytes, missing) = match &paper {
        Paper::Plan(preview) => (preview.write(), sign::missing(preview, &plan).len()),
        Paper::Rollback(preview) => (preview.write(), preview.missing()),
    };
    let bytes = bytes.map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
    super::saved::whole(path, &bytes)?;
    let next = if missing == 0 {
        "Everybody has signed.".to_owned()
    } else {
        format!("{} to come.", some(missing, "signature", "signatures"))
    };
    let how = if proof.is_some() {
        ", with their key"
    } else {
        ""
    };
    output.say(&format!(
        "Signed by {} as {} of {}{how}. {next}",
        signature.person, signature.seat.role, signature.org
    ));
    Ok(Exit::Done)
}

fn put(paper: &mut Paper, plan: &Plan, ask: &Ask<'_>) -> Result<Signature, Failure> {
    let signed = match paper {
        Paper::Plan(preview) => sign::sign(preview, plan, ask),
        Paper::Rollback(preview) => sign::sign_rollback(preview, plan, ask),
    };
    signed.map_err(refused)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "maps a refusal in a chain of results"
)]
fn refused(fault: SignFault) -> Failure {
    Failure::coded(Exit::Unsigned, fault.code(), fault.to_string())
}
