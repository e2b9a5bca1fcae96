//! Every effect that a ledger holds against the marks of the log, and the other way round.
//!
//! Not here: how the two are compared (`machine::effects`).

use crate::copy::ledger::kept;
use crate::machine::effects::{Differs, Logged};
use crate::run::CarryFault;
use crate::run::connect::Readers;
use crate::run::site::{Site, SiteFault};

/// Differences kept one by one; more are only counted.
const DIFFERS_MAX: usize = 100;

/// What the ledgers hold of a run, beside its log.
#[derive(Debug, Clone, Default)]
pub struct Ledgers {
    /// Rows of ledgers that were looked at.
    pub effects: u64,
    /// What differs, at most a hundred.
    pub differs: Vec<Differs>,
    /// Differences beyond those.
    pub more: u64,
    /// What the log tells of effects, those aside that a ledger answered for.
    pub logged: Logged,
}

/// Holds every ledger against the log; those of one step alone where it is named.
///
/// # Errors
/// When the journal or a database cannot be read.
pub async fn ledgers(
    site: &mut Site,
    readers: &Readers,
    step: Option<&str>,
) -> Result<Ledgers, CarryFault> {
    let run = site.head.id;
    let mut found = Ledgers {
        logged: logged(site, step).await?,
        ..Ledgers::default()
    };
    for reader in readers.values() {
        let mut behind = Some(0);
        while let Some(from) = behind {
            let (rows, more) = kept::rows(reader, run, from).await?;
            // Asked after the rows: whoever wrote them had written down before that it would.
            let head = site.journal.head(run).await.map_err(SiteFault::from)?.size;
            for row in rows
                .iter()
                .filter(|row| step.is_none_or(|step| row.step == step))
            {
                found.effects += 1;
                let differs = found.logged.hold(row, head);
                if let Some(differs) = differs {
                    found.add(differs);
                }
            }
            behind = more;
        }
    }
    let unanswered: Vec<Differs> = found.logged.unanswered().collect();
    for differs in unanswered {
        found.add(differs);
    }
    Ok(found)
}

/// What the log tells of effects.
async fn logged(site: &mut Site, step: Option<&str>) -> Result<Logged, SiteFault> {
    let mut logged = Logged::default();
    let mut entries = site.journal.entries(site.head.id).await?;
    while let Some(entry) = entries.next().await? {
        let about = entry.about.as_ref();
        let asked = |step: &str| about.is_none_or(|about| about.step.as_str() == step);
        if step.is_none_or(asked) {
            logged.take(&entry);
        }
    }
    Ok(logged)
}

impl Ledgers {
    fn add(&mut self, differs: Differs) {
        if self.differs.len() < DIFFERS_MAX {
            self.differs.push(differs);
        } else {
            self.more += 1;
        }
    }
}
