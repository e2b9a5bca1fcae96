//! What an organisation's ledger says of a run, as lines of canonical JSON: for whoever keeps it when
//! the run is closed and the ledger goes.
//!
//! Counts, codes and keyed digests only; `handover_undo`, `handover_key` and the others stay where they
//! are.

use uuid::Uuid;

use super::prepared;
use crate::machine::effects::LedgerRow;
use crate::orgdb::{DbFault, DbTrouble, OrgReader, Sql, Value};
use crate::values;

/// Rows read at a time.
const PAGE: usize = 1000;

/// A page of the rows of a run, oldest first: those behind the row `behind`, with the row to ask from
/// next; none where there are no more. Nothing where our tables are not there.
///
/// # Errors
/// When the database refuses.
pub async fn rows(
    reader: &OrgReader,
    run: Uuid,
    behind: i64,
) -> Result<(Vec<LedgerRow>, Option<i64>), DbFault> {
    reader
        .with(move |link| {
            if !prepared(link)? {
                return Ok((Vec::new(), None));
            }
            let query = Sql::new(
                "SELECT effect, digest, epoch, generation, kind, log_seq, ordinal, rows, run, step,
                 sum, undone_at FROM handover_effect WHERE run = ?1 AND effect > ?2
                 ORDER BY effect LIMIT 1000",
            );
            let found = link.rows(&query, &values![run.to_string(), behind])?;
            let last = found.last().and_then(|row| row[0].int());
            let more = last.filter(|_| found.len() == PAGE);
            let rows: Result<Vec<LedgerRow>, DbTrouble> = found.into_iter().map(row).collect();
            Ok((rows?, more))
        })
        .await
}

fn row(row: Vec<Value>) -> Result<LedgerRow, DbTrouble> {
    let [
        _,
        digest,
        epoch,
        generation,
        kind,
        log_seq,
        ordinal,
        rows,
        run,
        step,
        sum,
        undone_at,
    ] = <[Value; 12]>::try_from(row).map_err(|_| DbTrouble::Damaged)?;
    Ok(LedgerRow {
        digest: digest.into_text(),
        epoch: epoch.count(),
        generation: generation.count(),
        kind: kind.into_text(),
        log_seq: log_seq.count(),
        ordinal: ordinal.count(),
        rows: rows.count(),
        run: run.into_text(),
        step: step.into_text(),
        sum: sum.into_text(),
        undone_at: undone_at.int().map(i64::cast_unsigned),
    })
}
