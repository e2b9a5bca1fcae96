//! How far a run's step log had got when an organisation's database last heard of it.
//!
//! In: a reader, a run. Out: the highest fencing number and log entry that stand there. Reads only.
//!
//! Not here: raising fences (`ledger`), what it means when the journal knows less (`run::known`).

use uuid::Uuid;

use super::prepared;
use crate::orgdb::{DbFault, OrgReader, Sql};
use crate::values;

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
        .with(move |link| {
            if !prepared(link)? {
                return Ok(None);
            }
            let query = Sql::new(
                "SELECT (SELECT epoch FROM handover_fence WHERE run = ?1),
                        (SELECT log_seq FROM handover_fence WHERE run = ?1),
                        (SELECT max(log_seq) FROM handover_effect WHERE run = ?1)",
            );
            let row = link.row(&query, &values![run.to_string()])?;
            let number = |at: usize| row.as_ref().and_then(|row| row[at].int());
            let (epoch, raised, written) = (number(0), number(1), number(2));
            let entry = Option::max(raised, written);
            let number = |known: Option<i64>| known.map_or(0, i64::cast_unsigned);
            Ok(entry.or(epoch).map(|_| Seen {
                epoch: number(epoch),
                entry: number(entry),
            }))
        })
        .await
}
