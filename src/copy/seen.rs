//! How far a run's step log had got when an organisation's database last heard of it.
//!
//! In: a reader, a run. Out: the highest fencing number and log entry that stand there. Reads only.
//!
//! Not here: raising fences (`ledger`), what it means when the journal knows less (`run::known`).

use uuid::Uuid;

use super::ledger::prepared;
use crate::orgdb::{DbFault, OrgReader};

/// What a database knows of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The highest fencing number raised there.
    pub epoch: u64,
    /// The highest position in the step log that a fence or an effect names.
    pub entry: u64,
}

/// What stands in a database about `run`; none where the run has not been there, or is closed.
///
/// # Errors
/// When the database cannot be read.
pub async fn seen(reader: &OrgReader, run: Uuid) -> Result<Option<Seen>, DbFault> {
    reader
        .with(move |connection| {
            if !prepared(connection)? {
                return Ok(None);
            }
            let (epoch, raised, written) = connection.query_row(
                "SELECT (SELECT epoch FROM handover_fence WHERE run = ?1),
                        (SELECT log_seq FROM handover_fence WHERE run = ?1),
                        (SELECT max(log_seq) FROM handover_effect WHERE run = ?1)",
                [run.to_string()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let entry: Option<i64> = Option::max(raised, written);
            let number = |known: Option<i64>| known.map_or(0, i64::cast_unsigned);
            Ok(entry.or(epoch).map(|_| Seen {
                epoch: number(epoch),
                entry: number(entry),
            }))
        })
        .await
}
