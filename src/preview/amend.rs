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
use crate::plan::model::{Code, Plan};

/// The paper that is amended and who signed it.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The plan as it was signed.
    pub plan: Arc<Plan>,
    /// Its signatures (from the preview file, or from the journal's decisions).
    pub signatures: Vec<Signature>,
    /// The run in mid-way, if it is one.
    pub run: Option<Uuid>,
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
    let uses = unmapped(&former.plan, &readers).await?;
    let fresh = look(new, readers, moment, rehearsed).await?;
    let old = Paper::of(&former.plan);
    let change = between(&old, &fresh.paper, &former.signatures, Uses::Now(&uses));
    Ok(carry_over(fresh, &former.signatures, change, former.run))
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
    let lapsed = change.as_ref().map(|stale| stale.lapsed.clone());
    let mut lapsed = lapsed.unwrap_or_default();
    let again = lapsed.iter().filter(|seat| fresh.seats.contains(seat));
    if run.is_some() && change.is_some() && again.count() < fresh.seats.len().min(EYES) {
        lapsed = signatures.iter().map(|one| one.seat.clone()).collect();
    }
    let stands = |signature: &&Signature| {
        !lapsed.contains(&signature.seat) && fresh.seats.contains(&signature.seat)
    };
    fresh.signatures = signatures.iter().filter(stands).cloned().collect();
    fresh.former = change.map(|stale| Former {
        paper: stale.then,
        run,
        changes: stale.changes,
        lapsed,
    });
    fresh
}
