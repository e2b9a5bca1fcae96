//! The next preview after a paper was changed: a fresh look, with the signatures that the change does
//! not touch carried over. In mid-run (`preview RUN --amend`) the former paper comes from the journal.
//!
//! Whose rows use a code that was added is read live through the *former* maps, so that a code added
//! for Thanet lapses Thanet's signatures and nobody else's.
//!
//! Not here: whether a run may take the amendment (`machine`: no table or edge of a begun step).

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::look::{LookFault, Moment, look, unmapped};
use super::model::{Former, Preview, Signature};
use super::paper::Paper;
use super::stale::{Stale, Uses, between};
use super::timetable::Rehearsed;
use crate::machine::gate::EYES;
use crate::orgdb::OrgReader;
use crate::plan::model::{Code, Plan, Seat};
use crate::steps::RunLook;

/// The paper that is amended and who signed it.
#[derive(Clone)]
pub struct Signed {
    /// The plan as it was signed.
    pub plan: Arc<Plan>,
    /// Its signatures (from the preview file, or from the journal's decisions).
    pub signatures: Vec<Signature>,
    /// The run in mid-way, if it is one.
    pub run: Option<RunLook>,
}

/// Looks at the changed plan and carries over what does not lapse.
///
/// # Errors
/// When a database cannot be used.
pub async fn amend(
    former: &Signed,
    new: Arc<Plan>,
    readers: Arc<BTreeMap<Code, OrgReader>>,
    moment: &Moment,
    rehearsed: Option<&Rehearsed>,
) -> Result<Preview, LookFault> {
    let run = former.run.as_ref();
    let change = changed(former, &new, &readers).await?;
    let fresh = look(new, readers, moment, rehearsed, run).await?;
    let run = run.map(|run| run.id);
    Ok(carry_over(fresh, &former.signatures, change, run))
}

/// What changes from the former paper to `new`, and whose signatures lapse with it.
///
/// # Errors
/// When a source cannot be read for the codes that its rows use.
pub async fn changed(
    former: &Signed,
    new: &Plan,
    readers: &BTreeMap<Code, OrgReader>,
) -> Result<Option<Stale>, LookFault> {
    let uses = unmapped(&former.plan, readers).await?;
    let (old, new) = (Paper::of(&former.plan), Paper::of(new));
    Ok(between(&old, &new, &former.signatures, Uses::Now(&uses)))
}

/// Puts the signatures that `change` does not lapse under `fresh`, and says what changed. Without a
/// change every signature stands. A run in mid-way takes new papers only from two people who saw them:
/// where the change touches fewer seats than that (a comment, or an organisation that signs nothing),
/// all of them sign again.
#[must_use]
pub fn carry_over(
    mut fresh: Preview,
    signatures: &[Signature],
    change: Option<Stale>,
    run: Option<Uuid>,
) -> Preview {
    let in_midway = run.is_some();
    let lapsed = lapsing(signatures, change.as_ref(), &fresh.seats, in_midway);
    fresh.signatures = standing(signatures, &lapsed, &fresh.seats);
    fresh.former = change.map(|stale| Former {
        paper: stale.then,
        run,
        changes: stale.changes,
        lapsed,
    });
    fresh.as_shown()
}

/// Signatures under the amendment of a run that were given to another paper, and that the change to this one
/// lapses, or that are not among those which the run has of the former: put there by hand.
#[must_use]
pub fn astray<'p>(
    amendment: &'p Preview,
    seats: &[Seat],
    former: &[Signature],
    change: &Stale,
) -> Vec<&'p Signature> {
    let lapsed = lapsing(former, Some(change), seats, true);
    let stand = standing(former, &lapsed, seats);
    let carried = amendment.signatures.iter();
    let carried = carried.filter(|one| one.signed != change.now);
    carried.filter(|one| !stand.contains(one)).collect()
}

/// Seats whose signatures lapse with a change.
fn lapsing(
    signatures: &[Signature],
    change: Option<&Stale>,
    seats: &[Seat],
    in_midway: bool,
) -> Vec<Seat> {
    let Some(change) = change else {
        return Vec::new();
    };
    let again = change.lapsed.iter().filter(|seat| seats.contains(seat));
    if in_midway && again.count() < seats.len().min(EYES) {
        return signatures.iter().map(|one| one.seat.clone()).collect();
    }
    change.lapsed.clone()
}

/// Signatures that a change leaves alone.
fn standing(signatures: &[Signature], lapsed: &[Seat], seats: &[Seat]) -> Vec<Signature> {
    let stands = |one: &&Signature| !lapsed.contains(&one.seat) && seats.contains(&one.seat);
    signatures.iter().filter(stands).cloned().collect()
}
