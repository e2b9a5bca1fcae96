//! Witnesses by file drop: what goes out to them, and what comes back. A cosignature is held against
//! the plan's witnesses and the seals of the run before the log says a word about it.
//!
//! ```text
//!   seal --request--> file --(their machine)--> cosignature line --add--> `seal.cosigned`
//! ```
//!
//! Not here: what a witness signs (`seal::witness`), who is needed (`machine::witnessed`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::session::{Session, Watch};
use super::site::{Site, SiteFault};
use crate::calendar::dates::Dates;
use crate::journal::{Draft, StoredSeal};
use crate::machine::event::{Event, SealCosigned};
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::quorum::Quorum;
use crate::seal::note::Line;
use crate::seal::{Cosignature, Head, Request, Seal, cosign, proof};

/// How far clocks of witnesses and executors may be apart.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_mins(5);

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
    /// Its time cannot be: the log would be accused of it for ever.
    #[error(
        "`{witness}` signed on {} by its own clock, and that is {how}",
        Dates::default().with_zone(signed.moment())
    )]
    OutOfTime {
        /// Who.
        witness: Code,
        /// When, as the line says.
        signed: Time,
        /// Against what.
        how: &'static str,
    },
    /// A later word of the same witness is about less.
    #[error("`{0}` signed fewer entries later, or more entries earlier, by its own clock")]
    OutOfOrder(Code),
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
/// The first line that does not count: nothing is taken in then. When the journal refuses, or another
/// process holds the run.
pub async fn add(
    mut site: Site,
    lines: &[Line],
    clock: Clock,
    watch: Watch<'_>,
) -> Result<(Site, Vec<Added>), WitnessFault> {
    let now = clock.now();
    let found = judged(&mut site, lines, now).await?;
    if site.run.closed() || found.iter().all(|one| one.known) {
        store(&mut site, &found).await?;
        return Ok((site, found.iter().map(Found::added).collect()));
    }
    let mut session = Session::claim(site, Vec::new(), clock, watch).await?;
    // Once more, since the run is ours: somebody may have brought the same lines meanwhile.
    let taken = take_in(&mut session, lines, now).await;
    let site = session.release().await?;
    Ok((site, taken?))
}

async fn take_in(
    session: &mut Session<'_>,
    lines: &[Line],
    now: Time,
) -> Result<Vec<Added>, WitnessFault> {
    let found = judged(&mut session.site, lines, now).await?;
    store(&mut session.site, &found).await?;
    let new = found.iter().filter(|one| !one.known);
    session.append(new.map(Found::draft).collect()).await?;
    Ok(found.iter().map(Found::added).collect())
}

/// A line that counts, and the seal it stands under.
struct Found {
    witness: Code,
    head: Head,
    cosignature: Cosignature,
    known: bool,
}

impl Found {
    fn draft(&self) -> Draft {
        Draft::of_run(Event::SealCosigned(SealCosigned {
            size: self.head.size,
            root: self.head.root,
            witness: self.witness.to_string(),
            time: time(self.cosignature.time),
            line: Digest::of(self.cosignature.line.to_string().as_bytes()),
        }))
    }

    fn added(&self) -> Added {
        Added {
            witness: self.witness.clone(),
            size: self.head.size,
            known: self.known,
        }
    }
}

/// Every line held against the plan's witnesses and the run's seals; one word of a witness about a seal,
/// however often it was handed in.
async fn judged(site: &mut Site, lines: &[Line], now: Time) -> Result<Vec<Found>, WitnessFault> {
    let seals = site.journal.seals(site.head.id).await?;
    let quorum = site.run.quorum().cloned().unwrap_or_default();
    let mut said = BTreeSet::new();
    let mut found = Vec::new();
    for line in lines {
        let (witness, stored, cosignature) = held_against(line, &quorum, &seals)?;
        in_time(&witness, stored, &cosignature, now)?;
        in_order(&witness, stored, &cosignature, &quorum, &seals)?;
        let head = stored.seal.head.clone();
        if said.insert((witness.clone(), head.size)) {
            found.push(Found {
                known: site.run.witnesses_of(head.size).contains(&witness),
                witness,
                head,
                cosignature,
            });
        }
    }
    // Those that came together are held against each other, too.
    found.sort_by_key(|one| one.head.size);
    let falls = |(at, later): (usize, &Found)| {
        let mut earlier = found[..at].iter();
        earlier.any(|one| {
            one.witness == later.witness
                && one.head.size < later.head.size
                && one.cosignature.time > later.cosignature.time
        })
    };
    match found.iter().enumerate().find(|pair| falls(*pair)) {
        Some((_, crossed)) => Err(WitnessFault::OutOfOrder(crossed.witness.clone())),
        None => Ok(found),
    }
}

async fn store(site: &mut Site, found: &[Found]) -> Result<(), WitnessFault> {
    for one in found {
        let (run, line) = (site.head.id, &one.cosignature.line);
        site.journal
            .put_cosignature(run, one.head.size, &one.witness, line)
            .await?;
    }
    Ok(())
}

/// Whose line it is, and under which seal it stands.
fn held_against<'s>(
    line: &Line,
    quorum: &Quorum,
    seals: &'s [StoredSeal],
) -> Result<(Code, &'s StoredSeal, Cosignature), WitnessFault> {
    let whose = quorum.witnesses.iter().find(|one| line.is_by(&one.key));
    let whose = whose.ok_or_else(|| WitnessFault::Unknown(line.name.clone()))?;
    let mut newest_first = seals.iter().rev();
    let found = newest_first.find_map(|stored| {
        let note = &stored.seal.note;
        let brought = cosign::check(&note.text, line, &whose.key)?;
        // The line that stands below the seal stays, and is what the log speaks of.
        let mut kept = note.by(&whose.key);
        let kept = kept.find_map(|line| cosign::check(&note.text, line, &whose.key));
        Some((stored, kept.unwrap_or(brought)))
    });
    let (seal, cosignature) =
        found.ok_or_else(|| WitnessFault::NotOfThisRun(whose.name.clone()))?;
    Ok((whose.name.clone(), seal, cosignature))
}

/// A witness signs after the seal was made and before now, as far as clocks agree. What is let in here is
/// never an accusation later: `verify` allows twice as much.
fn in_time(
    witness: &Code,
    stored: &StoredSeal,
    cosignature: &Cosignature,
    now: Time,
) -> Result<(), WitnessFault> {
    let signed = time(cosignature.time);
    let behind =
        |one: Time, other: Time| other.moment().duration_since(one.moment()) > CLOCKS_APART_MAX;
    let how = match () {
        () if behind(now, signed) => "still to come",
        () if behind(signed, stored.at) => "before the seal was made",
        () => return Ok(()),
    };
    Err(WitnessFault::OutOfTime {
        witness: witness.clone(),
        signed,
        how,
    })
}

/// Each witness's times go up with the sizes.
fn in_order(
    witness: &Code,
    stored: &StoredSeal,
    cosignature: &Cosignature,
    quorum: &Quorum,
    seals: &[StoredSeal],
) -> Result<(), WitnessFault> {
    let key = quorum.witness(witness).map(|one| &one.key);
    let size = stored.seal.head.size;
    for other in seals {
        let note = &other.seal.note;
        let lines = key
            .into_iter()
            .flat_map(|key| note.by(key).map(move |line| (key, line)));
        let mut times = lines.filter_map(|(key, line)| cosign::check(&note.text, line, key));
        let crossed = times.any(|theirs| match other.seal.head.size.cmp(&size) {
            Ordering::Less => theirs.time > cosignature.time,
            Ordering::Equal => false,
            Ordering::Greater => theirs.time < cosignature.time,
        });
        if crossed {
            return Err(WitnessFault::OutOfOrder(witness.clone()));
        }
    }
    Ok(())
}

fn time(seconds: u64) -> Time {
    let moment = i64::try_from(seconds).ok().map(Timestamp::from_second);
    Time::new(moment.and_then(Result::ok).unwrap_or(Timestamp::MAX))
}
