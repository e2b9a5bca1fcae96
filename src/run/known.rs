//! The journal held against what the organisations' databases know of its run. A journal that was
//! restored from an old copy knows less than they do: whatever is then written into it, a decision
//! too, would be a second history beside the first.
//!
//! Reads only. A database that cannot be asked is named in a warning: people's words do not wait for
//! it, and whoever is to work there is refused anyhow.
//!
//! Not here: fences while work is done (`connect`, `copy`).

use super::CarryFault;
use super::connect::Addresses;
use super::site::{Site, SiteFault};
use crate::copy::ledger::seen::{Seen, seen};
use crate::journal::RunHead;
use crate::orgdb::{DbFault, DbTrouble, OrgReader};

/// Refuses a run whose journal knows less than a database does.
///
/// # Errors
/// `AheadOfJournal` with the database that knows more; or when the journal cannot be read.
pub async fn hold(site: &mut Site, addresses: &Addresses) -> Result<(), CarryFault> {
    let run = site.head.id;
    let mut known = Vec::new();
    for (org, address) in addresses {
        let asked = async { seen(&OrgReader::open(org, address).await?, run).await };
        match asked.await {
            Ok(seen) => known.extend(seen.map(|seen| (org, seen))),
            Err(fault) => tracing::warn!("{fault}: it was not asked what it knows of the run"),
        }
    }
    // Read after them: whoever raises a fence has its number in the journal before.
    let head = site.journal.head(run).await.map_err(SiteFault::from)?;
    match known.into_iter().find(|(_, seen)| ahead(&head, seen)) {
        None => Ok(()),
        Some((org, Seen { entry, .. })) => Err(CarryFault::Db(DbFault {
            org: org.to_string(),
            trouble: DbTrouble::AheadOfJournal { seen: entry },
        })),
    }
}

fn ahead(head: &RunHead, seen: &Seen) -> bool {
    seen.epoch > head.epoch || seen.entry >= head.size
}
