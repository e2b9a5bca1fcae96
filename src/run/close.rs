//! The end of a run: what the ledgers say is kept, the log's last entry is written, then our rows go out
//! of the organisations' databases. Twice is once: what a crash left over, the next call takes out.
//!
//! Not here: exporting the log (`journal`), destroying the key (`journal::destroy_key`).

use std::io;

use uuid::Uuid;

use super::clock::Clock;
use super::connect::Addresses;
use super::folder::EFFECTS;
use super::session::{Session, Watch, seal_end};
use super::site::{Site, SiteFault};
use crate::copy::ledger::{self, kept};
use crate::journal::Draft;
use crate::machine::event::{Event, LogClosed};
use crate::orgdb::{DbFault, OrgReader, OrgWriter};
use crate::plan::digest::Digest;

/// What was kept beside the log when it was closed, by the digests of its lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// The restricted annex.
    pub annex: Option<Digest>,
    /// The ledgers' rows.
    pub effects: Option<Digest>,
}

/// Claims the run, has `keep` keep what will be gone, and writes `log.closed`; nothing follows it, not
/// even the lease's release. A run that is closed already stays as it is; if a crash kept its end from
/// being sealed, it is sealed now.
///
/// # Errors
/// When another process holds the run, the journal refuses, or as `keep` does.
pub async fn close<F: From<SiteFault>>(
    mut site: Site,
    clock: Clock,
    watch: Watch<'_>,
    keep: impl AsyncFnOnce(&Site) -> Result<Kept, F>,
) -> Result<Site, F> {
    if site.run.closed() {
        seal_end(&mut site, &clock).await?;
        return Ok(site);
    }
    let mut session = Session::claim(site, Vec::new(), clock, watch).await?;
    let kept = keep(&session.site).await?;
    let closing = Event::LogClosed(LogClosed {
        annex: kept.annex,
        effects: kept.effects,
        ..session.site.run.closing()
    });
    session.append(vec![Draft::of_run(closing)]).await?;
    Ok(session.site)
}

/// Why the ledgers' rows could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepFault {
    /// A database.
    #[error(transparent)]
    Db(#[from] DbFault),
    /// The run's folder.
    #[error("what the ledgers say could not be kept beside the run")]
    File(#[from] io::Error),
}

/// Keeps every organisation's rows of `handover_effect` in the run's folder, as JSON lines, with a list
/// of their digests; the digest of that list.
///
/// # Errors
/// When a database cannot be read, or the folder cannot be written.
pub async fn keep_effects(site: &Site, addresses: &Addresses) -> Result<Digest, KeepFault> {
    let mut list = String::new();
    for (org, address) in addresses {
        let reader = OrgReader::open(org, address).await?;
        let (mut lines, mut behind) = (Vec::new(), Some(0));
        while let Some(from) = behind {
            let (rows, more) = kept::rows(&reader, site.head.id, from).await?;
            for row in rows {
                serde_json::to_writer(&mut lines, &row).map_err(io::Error::from)?;
                lines.push(b'\n');
            }
            behind = more;
        }
        let name = format!("{org}.effects.jsonl");
        list.extend([Digest::of(&lines).to_string().as_str(), "  ", &name, "\n"]);
        site.folder.put_in(EFFECTS, &name, &lines)?;
    }
    site.folder
        .put_in(EFFECTS, "effects.sha256", list.as_bytes())?;
    Ok(Digest::of(list.as_bytes()))
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
