//! Rows that the run wrote and that a rollback took back, looked for once more. Where a step has run again
//! since, and wrote to the same table, there is nothing left to tell.
//!
//! Not here: whether each effect is marked undone (`ledgers`).

use super::rows::deed;
use crate::copy::verify::taken_back as rows;
use crate::machine::effects::Logged;
use crate::machine::key::RunKey;
use crate::orgdb::DbFault;
use crate::plan::outline::StepId;
use crate::run::connect::Readers;
use crate::run::site::Site;

/// What became of one step's rows that were taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    /// The step.
    pub step: StepId,
    /// The entry that says that it was undone.
    pub seq: u64,
    /// Rows that were looked for.
    pub rows: u64,
    /// Those that stand as they were written.
    pub standing: u64,
    /// Those that the undo itself says that it left: changed since, or held by rows of others.
    pub reported: u64,
}

impl Back {
    /// Whether no more rows stand than the undo had to leave.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.standing <= self.reported
    }
}

/// Looks for the rows of every carrying-out that the log says was undone.
///
/// # Errors
/// When a database cannot be read.
pub async fn taken_back(
    site: &Site,
    readers: &Readers,
    key: &RunKey,
    logged: &Logged,
) -> Result<Vec<Back>, DbFault> {
    let mut found = Vec::new();
    for (step, generation, seq, reported) in logged.undone() {
        let generation = u32::try_from(generation).unwrap_or(u32::MAX);
        let deed = deed(site, key, step, generation);
        let mut back = Back {
            step: step.clone(),
            seq,
            rows: 0,
            standing: 0,
            reported,
        };
        for reader in readers.values() {
            let here = rows::taken_back(reader, &deed).await?;
            back.rows += here.rows;
            back.standing += here.standing;
        }
        if back.rows > 0 {
            found.push(back);
        }
    }
    Ok(found)
}
