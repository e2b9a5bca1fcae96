//! A new run: its key, its papers, its first entries, the signatures that let it start.

use std::sync::Arc;

use uuid::Uuid;

use super::approvals::keep_all;
use super::clock::Clock;
use super::folder::RunFolder;
use super::kept;
use super::session::{Session, Watch, claimant, moment};
use super::site::{Site, SiteFault};
use crate::journal::{Draft, Journal, JournalFault, Lease, NewRun, Opening, adopt_key, create_key};
use crate::machine::event::{
    Actor, ClockKind, Decision, Entry, Event, LogOpened, OrgPrint, PlanBound, Signed,
};
use crate::machine::run::Run;
use crate::machine::state::Shelf;
use crate::plan::digest::Digest;
use crate::plan::model::Plan;
use crate::plan::papers::{self, Papers};
use crate::preview::{Preview, Signature};
use crate::seal::LogKey;

/// Begins a run of `plan` as the signed `preview` says. The caller has held the one against the other.
///
/// # Errors
/// When the journal refuses, or a signature breaks the rules; [`JournalFault::Begun`] where what was signed has
/// let another run begin.
pub async fn begin<'a>(
    mut journal: Journal,
    plan: &Arc<Plan>,
    preview: &Preview,
    prints: Vec<OrgPrint>,
    clock: Clock,
    watch: Watch<'a>,
) -> Result<Session<'a>, SiteFault> {
    let drawn = log_key(&mut journal, plan, &clock).await?;
    let id = drawn.id;
    let minuted = drawn.minuted;
    let opened = open(&mut journal, plan, preview, (drawn, prints), &clock).await;
    let lease = match opened {
        Ok(lease) => lease,
        Err(fault) => {
            if !minuted {
                nothing_left(&mut journal, id).await;
            }
            return Err(fault);
        }
    };
    let head = journal.head(id).await?;
    let site = Site::open(journal, head).await?;
    let mut session = Session::begun(site, lease, clock, watch).await?;
    session.seal().await?;
    Ok(session)
}

/// Writes the run's first entries, with everything beside them that must be durable before.
async fn open(
    journal: &mut Journal,
    plan: &Arc<Plan>,
    preview: &Preview,
    (drawn, prints): (Drawn, Vec<OrgPrint>),
    clock: &Clock,
) -> Result<Lease, SiteFault> {
    let (id, moment) = (drawn.id, moment(clock));
    let paper = put_papers(journal, plan).await?;
    // A pack that is made years later holds the schema of this version, not of that one.
    journal.put_blob(&crate::machine::schema::bytes()).await?;
    let folder = RunFolder::new(journal.run_folder(id));
    let key = match create_key(folder.path()) {
        // A kill came before the log was opened: nothing was done under that key.
        Err(JournalFault::KeyExists(_)) => adopt_key(folder.path())?,
        drawn => drawn?,
    };
    let of = |orgs: &[crate::plan::model::Code]| {
        let among = |print: &&OrgPrint| orgs.contains(&print.org);
        prints.iter().filter(among).cloned().collect::<Vec<_>>()
    };
    let opened = LogOpened {
        origin: format!("{}/{id}", plan.name),
        log_key: drawn.key.map(|key| key.vkey().to_string()),
        product: env!("CARGO_PKG_VERSION").to_owned(),
        schema: crate::machine::schema::digest(),
        manifest: paper,
        commitment: key.commitment(),
        clock: clock.kind(),
        sources: of(&plan.sources),
        targets: of(&plan.targets),
        previous: None,
    };
    let bound = PlanBound {
        steps: plan.steps.len() as u64,
        dag: plan.outline.dag,
    };
    let new = NewRun {
        id,
        short: plan.name.to_string(),
        paper,
    };
    let orgs = prints.iter().map(|print| print.org.clone()).collect();
    keep_all(journal, &preview.signatures).await?;
    let opening = Opening {
        opened,
        bound,
        words: decisions(&preview.signatures, Some(preview.shown)),
    };
    let shelf = Shelf::from_iter([Arc::clone(&plan.outline)]);
    // Within the transaction: whoever comes second, and finds that out there, leaves what the first has kept.
    let judged = |entries: &[Entry]| {
        judge(shelf, entries, &new.short)?;
        Ok(kept::keep(&folder, preview)?)
    };
    journal
        .begin(&new, opening, &claimant(orgs), &moment, judged)
        .await
}

/// Takes away the folder of a run that did not begin, whose id nobody else knows: no command would ever find
/// its keys. What cannot be taken away does no harm.
async fn nothing_left(journal: &mut Journal, id: Uuid) {
    let folder = journal.run_folder(id);
    if let Err(JournalFault::NoRun(_)) = journal.head(id).await {
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Judged before any of it is durable: a run that could never be signed does not begin.
fn judge(shelf: Shelf, entries: &[Entry], label: &str) -> Result<(), SiteFault> {
    let mut run = Run::new(shelf);
    let mut judged = entries.iter().map(|entry| run.apply(entry));
    judged
        .try_for_each(|judged| judged)
        .map_err(|illegal| SiteFault::Refused {
            label: label.to_owned(),
            illegal: Box::new(illegal),
        })
}

/// The id of a run that is to begin, and the key of its log.
struct Drawn {
    id: Uuid,
    key: Option<LogKey>,
    /// The key was drawn before, and a minute may hold it: it waits for the next who begins.
    minuted: bool,
}

impl Drawn {
    fn now(id: Uuid, key: Option<LogKey>) -> Drawn {
        Drawn {
            id,
            key,
            minuted: false,
        }
    }
}

/// The run's id and the key of its log: the one that was drawn for it and minuted. A rehearsal is a log
/// of its own, and draws its key now. A run without a key is not sealed, and says so.
async fn log_key(journal: &mut Journal, plan: &Plan, clock: &Clock) -> Result<Drawn, SiteFault> {
    if clock.kind() == ClockKind::MadeUp {
        // A folder's name may be no name for a key; a rehearsal goes without then.
        return match journal.rehearsal_log_key(&plan.name) {
            Err(JournalFault::NoKey(..)) => Ok(Drawn::now(Uuid::now_v7(), None)),
            drawn => drawn.map(|(id, key)| Ok(Drawn::now(id, Some(key))))?,
        };
    }
    match journal.prepared_log_key(&plan.name).await? {
        Some((id, key)) => Ok(Drawn {
            id,
            key: Some(key),
            minuted: true,
        }),
        None if plan.outline.trust.is_some() => Err(JournalFault::NoLogKey.into()),
        None => Ok(Drawn::now(Uuid::now_v7(), None)),
    }
}

/// Stores every file of a plan's paper, people without their names; the paper fingerprint.
pub(super) async fn put_papers(journal: &mut Journal, plan: &Plan) -> Result<Digest, JournalFault> {
    let kept = plan.papers.kept();
    let digests = kept
        .iter()
        .map(|(path, bytes)| (path.clone(), Digest::of(bytes)));
    let manifest = papers::manifest(digests);
    let mut files = Papers::default();
    for (path, bytes) in kept {
        files.put(path, bytes.to_vec());
    }
    journal.put_papers(&manifest, &files).await
}

/// The decisions that signatures of a preview are.
#[must_use]
pub fn decisions(signatures: &[Signature], reading: Option<Digest>) -> Vec<Draft> {
    signatures
        .iter()
        .map(|signature| granted(signature, reading))
        .collect()
}

fn granted(signature: &Signature, reading: Option<Digest>) -> Draft {
    let proof = signature.proof();
    let made = proof.as_ref().and_then(|proof| proof.opened().ok());
    Draft {
        about: None,
        actor: Actor::Person {
            person: signature.person.clone(),
            role: signature.seat.role.clone(),
            org: signature.org.clone(),
            key: made.as_ref().map(|(_, key)| key.fingerprint()),
        },
        event: Event::ApprovalGranted(Decision {
            on: crate::machine::event::On::Paper {
                paper: signature.signed,
            },
            statement: signature.statement,
            method: signature.method,
            evidence: signature.evidence,
            reading: match &made {
                Some((statement, _)) => statement.reading,
                None => reading,
            },
            signed: proof.zip(made).map(|(proof, (statement, _))| Signed {
                signature: proof.signature_digest(),
                window: statement.window,
                after: None,
            }),
        }),
    }
}

/// Whether a run's clock is made up; a run that is not opened has none.
#[must_use]
pub fn clock_kind(site: &Site) -> ClockKind {
    site.run
        .opened()
        .map_or(ClockKind::Real, |opened| opened.clock)
}
