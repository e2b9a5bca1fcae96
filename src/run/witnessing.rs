//! Witnesses by file drop: what goes out to them, and what comes back. A cosignature is held against
//! the plan's witnesses and the seals of the run before the log says a word about it.
//!
//! ```text
//!   seal --request--> file --(their machine)--> cosignature line --add--> `seal.cosigned`
//! ```
//!
//! Not here: what a witness signs (`seal::witness`), who is needed (`machine::witnessed`).

use jiff::Timestamp;

use super::clock::Clock;
use super::session::{Session, Watch};
use super::site::{Site, SiteFault};
use crate::journal::{Draft, StoredSeal};
use crate::machine::event::{Event, SealCosigned};
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::quorum::Quorum;
use crate::seal::note::Line;
use crate::seal::{Cosignature, Request, Seal, cosign, proof};

/// Why a request cannot be made, or a cosignature does not count.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFault {
    /// The run's log has no key.
    #[error("the step log of `{0}` is not sealed: there is nothing to witness")]
    Unsealed(String),
    /// No seal is that small.
    #[error("a witness cannot have signed {from} entries: the newest seal covers {size}")]
    Ahead {
        /// What was said.
        from: u64,
        /// What there is.
        size: u64,
    },
    /// The plan names no witness of that key.
    #[error("the plan of this run names no witness with the key `{0}`")]
    Unknown(String),
    /// The line is no cosignature by that witness under any seal of this run.
    #[error("this is no cosignature by `{0}` of any seal of this run")]
    NotOfThisRun(Code),
    /// The journal, or the rules.
    #[error(transparent)]
    Site(#[from] SiteFault),
}

impl From<crate::journal::JournalFault> for WitnessFault {
    fn from(fault: crate::journal::JournalFault) -> WitnessFault {
        WitnessFault::Site(fault.into())
    }
}

/// The newest seal of a run.
///
/// # Errors
/// When the log is not sealed.
pub async fn newest(site: &mut Site) -> Result<Seal, WitnessFault> {
    let seals = site.journal.seals(site.head.id).await?;
    let newest = seals.into_iter().next_back();
    let newest = newest.ok_or_else(|| WitnessFault::Unsealed(site.head.label.clone()))?;
    Ok(newest.seal)
}

/// The largest size that a witness of the plan signed, as this run knows; 0: none.
#[must_use]
pub fn signed_last(site: &Site, seals: &[StoredSeal], witness: &str) -> u64 {
    let key = site.run.quorum().and_then(|quorum| quorum.witness(witness));
    let by =
        |stored: &&StoredSeal| key.is_some_and(|one| stored.seal.note.by(&one.key).count() > 0);
    let newest = seals.iter().rev().find(by);
    newest.map_or(0, |stored| stored.seal.head.size)
}

/// What to send a witness that signed `from` entries last: the proof from there to the newest seal.
///
/// # Errors
/// When the log is not sealed or not that long.
pub async fn request(site: &mut Site, from: u64) -> Result<Request, WitnessFault> {
    let seal = newest(site).await?;
    let entries = seal.head.size;
    let leaves = site.journal.leaves(site.head.id, entries).await?;
    let ahead = WitnessFault::Ahead {
        from,
        size: entries,
    };
    let old = usize::try_from(from)
        .ok()
        .filter(|old| *old <= leaves.len());
    let proof = old.and_then(|old| proof::consistency(&leaves, old).ok());
    let Some(proof) = proof else {
        return Err(ahead);
    };
    Ok(Request {
        old: from,
        proof,
        // Witnesses sign the log's word, not each other's.
        seal: bare(seal),
    })
}

fn bare(mut seal: Seal) -> Seal {
    seal.note.lines.truncate(1);
    seal
}

/// A cosignature that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The witness, by the plan's name.
    pub witness: Code,
    /// How many entries it signed.
    pub size: u64,
    /// The run knew it before.
    pub known: bool,
}

/// Takes in the lines that a witness handed back: each is stored below its seal, and the log says so.
/// A closed log gets no entry any more; the line stands below its seal all the same.
///
/// # Errors
/// The first line that does not count; what stands before it is taken in.
pub async fn add(
    mut site: Site,
    lines: &[Line],
    clock: Clock,
    watch: Watch<'_>,
) -> Result<(Site, Vec<Added>), WitnessFault> {
    let seals = site.journal.seals(site.head.id).await?;
    let quorum = site.run.quorum().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for line in lines {
        found.push(held_against(line, &quorum, &seals)?);
    }
    let mut added = Vec::new();
    let mut drafts = Vec::new();
    for (witness, seal, cosignature) in found {
        let entries = seal.head.size;
        let known = site.run.witnesses_of(entries).contains(&witness);
        let run = site.head.id;
        let line = &cosignature.line;
        site.journal
            .put_cosignature(run, entries, &witness, line)
            .await?;
        if !known {
            let event = Event::SealCosigned(SealCosigned {
                size: entries,
                root: seal.head.root,
                witness: witness.to_string(),
                time: time(cosignature.time),
                line: Digest::of(line.to_string().as_bytes()),
            });
            drafts.push(Draft::of_run(event));
        }
        added.push(Added {
            witness,
            size: entries,
            known,
        });
    }
    if drafts.is_empty() || site.run.closed() {
        return Ok((site, added));
    }
    let mut session = Session::claim(site, Vec::new(), clock, watch).await?;
    let appended = session.append(drafts).await;
    let site = session.release().await?;
    appended?;
    Ok((site, added))
}

/// Whose line it is, and under which seal it stands.
fn held_against<'s>(
    line: &Line,
    quorum: &Quorum,
    seals: &'s [StoredSeal],
) -> Result<(Code, &'s Seal, Cosignature), WitnessFault> {
    let whose = quorum.witnesses.iter().find(|one| line.is_by(&one.key));
    let whose = whose.ok_or_else(|| WitnessFault::Unknown(line.name.clone()))?;
    let mut newest_first = seals.iter().rev().map(|stored| &stored.seal);
    let found = newest_first.find_map(|seal| {
        let checked = cosign::check(&seal.note.text, line, &whose.key)?;
        Some((seal, checked))
    });
    let (seal, cosignature) =
        found.ok_or_else(|| WitnessFault::NotOfThisRun(whose.name.clone()))?;
    Ok((whose.name.clone(), seal, cosignature))
}

fn time(seconds: u64) -> Time {
    let moment = i64::try_from(seconds).ok().map(Timestamp::from_second);
    Time::new(moment.and_then(Result::ok).unwrap_or(Timestamp::MAX))
}
