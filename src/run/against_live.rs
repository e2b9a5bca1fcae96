//! The optional live check: the organisations' ledgers and rows held against the log. Reads only.
//!
//! Out: one finding per step that wrote something: effects that the log has and the ledger lacks, or
//! the other way round, and rows that are no longer as they were written.
//!
//! Not here: the log itself (`replay`), what a difference means (people).

use crate::copy::{ledger, verify};
use crate::machine::key::RunKey;
use crate::machine::state::StepState;
use crate::orgdb::DbFault;
use crate::plan::outline::StepId;

use super::connect::Readers;
use super::site::Site;
use crate::copy::ledger::Deed;

/// One finished step beside what stands at the organisations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The step.
    pub step: StepId,
    /// Effects that the log speaks of.
    pub logged: u64,
    /// Effects that the ledgers hold.
    pub ledgered: u64,
    /// Rows read back.
    pub rows: u64,
    /// Rows that are not as they were written.
    pub differing: u64,
}

impl Held {
    /// Whether log, ledgers and rows agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.logged == self.ledgered && self.differing == 0
    }
}

/// Holds every finished step of a run against the databases.
///
/// # Errors
/// When a database cannot be read.
pub async fn look(site: &Site, readers: &Readers, key: &RunKey) -> Result<Vec<Held>, DbFault> {
    let mut found = Vec::new();
    for (outline, step) in site.run.steps() {
        if step.state != StepState::Committed {
            continue;
        }
        let mut held = Held {
            step: outline.id.clone(),
            logged: site.outputs.get(&outline.id).map_or(0, |done| done.effects),
            ledgered: 0,
            rows: 0,
            differing: 0,
        };
        let deed = Deed {
            run: site.head.id,
            step: outline.id.clone(),
            generation: step.generation,
            epoch: 0,
            log_seq: 0,
            key: key.clone(),
        };
        for reader in readers.values() {
            let effects = ledger::effects(reader, deed.run, &deed.step, deed.generation).await?;
            held.ledgered += effects.len() as u64;
            if !effects.is_empty() {
                let digested = verify::digests(reader, &deed).await?;
                held.rows += digested.rows;
                held.differing += digested.differing;
            }
        }
        if held.logged + held.ledgered > 0 {
            found.push(held);
        }
    }
    Ok(found)
}
