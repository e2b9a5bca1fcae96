//! The end of a run: the log's last entry, then our rows out of the organisations' databases. Twice is
//! once: what a crash left over, the next call takes out.
//!
//! Not here: exporting the log (`journal`), destroying the key (`journal::destroy_key`).

use uuid::Uuid;

use super::clock::Clock;
use super::connect::Addresses;
use super::session::{Session, Watch};
use super::site::{Site, SiteFault};
use crate::copy::ledger;
use crate::journal::Draft;
use crate::machine::event::Event;
use crate::orgdb::{DbFault, OrgWriter};

/// Writes `log.closed`; nothing follows it, not even the lease's release.
///
/// # Errors
/// When another process holds the run, or the journal refuses.
pub async fn close(site: Site, clock: Clock, watch: Watch<'_>) -> Result<Site, SiteFault> {
    if site.run.closed() {
        return Ok(site);
    }
    let mut session = Session::claim(site, Vec::new(), clock, watch).await?;
    let closing = Event::LogClosed(session.site.run.closing());
    session.append(vec![Draft::of_run(closing)]).await?;
    Ok(session.site)
}

/// Takes everything of a closed run out of every database.
///
/// # Errors
/// The first database that cannot be used; call again to go on.
pub async fn clear(run: Uuid, addresses: &Addresses) -> Result<(), DbFault> {
    for (org, address) in addresses {
        let writer = OrgWriter::open(org, address).await?;
        ledger::remove_run(&writer, run).await?;
    }
    Ok(())
}
