//! Signed decisions on their way into a run: what somebody is to sign, and what they signed held against
//! the run before anything is written. The statement and the signature go to the journal, by digest.
//!
//! Not here: decisions without a signature (`decisions`), previews (`preview::sign`), key files (`cli`).

use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::decisions::Meaning;
use super::site::{Site, SiteFault};
use super::who::Who;
use crate::journal::{Journal, JournalFault};
use crate::machine::event::{Decision, Method, On, Signed};
use crate::machine::state::Verdict;
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;
use crate::preview::Signature;
use crate::seal::Tree;
use crate::signature::proof::{NoProof, Proof};
use crate::signature::statement::{About, After, Nonce, Second, Statement, Window};

/// For how many days a statement counts unless somebody says otherwise.
pub const DAYS: u32 = 14;

/// A clock may be a little ahead of another.
const SKEW_MINUTES: i64 = 5;

/// Why a signature is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProofFault {
    /// The files prove nothing.
    #[error(transparent)]
    No(#[from] NoProof),
    /// Something that is not decided cannot be signed: an answer, an attestation.
    #[error("this is no decision: nothing is signed here")]
    NoDecision,
    /// They signed something else.
    #[error("what was signed is another decision: {0} differs")]
    Other(&'static str),
    /// They saw another log.
    #[error("what was signed speaks of a log of {0} entries that is not this one")]
    Forked(u64),
    /// Their key is another one.
    #[error("the key that signed is not the one that `people.toml` has for `{0}`")]
    Key(String),
    /// The journal.
    #[error(transparent)]
    Site(#[from] SiteFault),
}

impl From<JournalFault> for ProofFault {
    fn from(fault: JournalFault) -> ProofFault {
        ProofFault::Site(fault.into())
    }
}

/// From now on, for so many days, with a nonce that nobody has drawn before.
///
/// # Errors
/// When the machine has no randomness.
pub fn window(now: Timestamp, days: u32) -> std::io::Result<Window> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(std::io::Error::other)?;
    let hours = i64::from(days) * 24;
    let begins = now.saturating_sub(SKEW_MINUTES.minutes());
    let ends = now.saturating_add(hours.hours());
    Ok(Window {
        nonce: Nonce(nonce),
        not_before: Second::of(begins.unwrap_or(now)),
        not_after: Second::of(ends.unwrap_or(now)),
    })
}

/// What `who` signs to decide so at a step now.
///
/// # Errors
/// When nothing is decided there, or the journal cannot be read.
pub async fn statement(
    site: &mut Site,
    step: &StepId,
    (who, means): (&Who, Meaning),
    (evidence, reading): (Option<Digest>, Option<Digest>),
    window: Window,
) -> Result<Statement, ProofFault> {
    let after = head_seen(site).await?;
    let on = On::Gate { step: step.clone() };
    let decision = Decision {
        reading,
        ..decision(on, evidence)
    };
    let verdict = verdict(means).ok_or(ProofFault::NoDecision)?;
    let stated = site
        .run
        .statement(&who.actor(), verdict, &decision, (window, Some(after)));
    stated.ok_or(ProofFault::NoDecision)
}

/// The decision that `recorded` becomes with its proof, and the fingerprint of the key; both files are
/// then in the journal.
pub(super) async fn proven(
    site: &mut Site,
    recorded: Decision,
    (who, means): (&Who, Meaning),
    proof: &Proof,
) -> Result<(Decision, String), ProofFault> {
    let verdict = verdict(means).ok_or(ProofFault::NoDecision)?;
    let (made, key) = proof.opened()?;
    let recorded = Decision {
        reading: reading_of(&mut site.journal, &recorded, &made).await?,
        ..recorded
    };
    let after = match &made.about {
        About::Gate { after, .. } => Some(*after),
        About::Paper { .. } | About::Rollback { .. } => None,
    };
    let expected = site
        .run
        .statement(&who.actor(), verdict, &recorded, (made.window, after));
    let expected = expected.ok_or(ProofFault::Other("what it is about"))?;
    if let Some(part) = made.differs_from(&expected) {
        return Err(ProofFault::Other(part));
    }
    if let Some(after) = after
        && root_at(&mut site.journal, site.head.id, after.size).await? != Some(after.root)
    {
        return Err(ProofFault::Forked(after.size));
    }
    let mut holders = site.run.outline().holders.iter();
    let own = holders.find(|holder| holder.person == who.person);
    if own.and_then(|holder| holder.key.as_ref()) != Some(&key) {
        return Err(ProofFault::Key(who.person.to_string()));
    }
    let statement = keep(&mut site.journal, proof).await?;
    let signed = Signed {
        signature: proof.signature_digest(),
        window: made.window,
        after,
    };
    let decision = Decision {
        statement,
        method: Method::Sshsig,
        signed: Some(signed),
        ..recorded
    };
    Ok((decision, key.fingerprint()))
}

/// What was signed may be an earlier reading than today's, if it is one that we handed out; today's was held
/// against the signed preview as well.
async fn reading_of(
    journal: &mut Journal,
    recorded: &Decision,
    made: &Statement,
) -> Result<Option<Digest>, JournalFault> {
    match (recorded.reading, made.reading) {
        (Some(now), Some(then)) if now != then => match journal.blob(then).await {
            Ok(_) => Ok(Some(then)),
            Err(JournalFault::Blob(_)) => Ok(Some(now)),
            Err(fault) => Err(fault),
        },
        (now, _) => Ok(now),
    }
}

/// Keeps what proves the signatures of a preview in the journal, before the log speaks of it.
pub(super) async fn keep_all(
    journal: &mut Journal,
    signatures: &[Signature],
) -> Result<(), JournalFault> {
    for signature in signatures {
        if let Some(proof) = signature.proof() {
            keep(journal, &proof).await?;
        }
    }
    Ok(())
}

async fn keep(journal: &mut Journal, proof: &Proof) -> Result<Digest, JournalFault> {
    journal.put_blob(&proof.signature).await?;
    journal.put_blob(&proof.statement).await
}

/// The head of a run's log that whoever signs now can be shown by others: that of the newest seal with its
/// quorum, or of the log as it stands where no witness has signed yet.
async fn head_seen(site: &mut Site) -> Result<After, JournalFault> {
    let until = match site.run.witnessed() {
        0 => u64::MAX,
        witnessed => witnessed,
    };
    let tree = tree_until(&mut site.journal, site.head.id, until).await?;
    Ok(After {
        size: tree.size(),
        root: tree.root(),
    })
}

/// The root of a run's log when it had so many entries; none if it never had.
pub(super) async fn root_at(
    journal: &mut Journal,
    run: Uuid,
    size: u64,
) -> Result<Option<Digest>, JournalFault> {
    let tree = tree_until(journal, run, size).await?;
    Ok((tree.size() == size).then(|| tree.root()))
}

async fn tree_until(journal: &mut Journal, run: Uuid, size: u64) -> Result<Tree, JournalFault> {
    let mut tree = Tree::default();
    let mut lines = journal.read(run).await?;
    while tree.size() < size {
        match lines.next().await? {
            Some(line) => tree.add(&line.bytes),
            None => break,
        }
    }
    Ok(tree)
}

fn decision(on: On, evidence: Option<Digest>) -> Decision {
    Decision {
        on,
        statement: Digest::ZERO,
        method: Method::Recorded,
        evidence,
        reading: None,
        signed: None,
    }
}

fn verdict(means: Meaning) -> Option<Verdict> {
    match means {
        Meaning::Yes => Some(Verdict::Granted),
        Meaning::No => Some(Verdict::Refused),
        Meaning::Revoke => Some(Verdict::Revoked),
        Meaning::Undone => None,
    }
}
