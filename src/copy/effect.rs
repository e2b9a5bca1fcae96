//! Effects inside a write transaction: the fence is compared first, the effect's row is there before
//! its rows are, and what undo needs follows it.
//!
//! In: a connection, a deed. Out: rows of `handover_effect` and `handover_undo`.
//!
//! Not here: the tables themselves (`ledger`), rows of step kinds (`pen`), bulk rows (`load`).

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::ledger::{Deed, Effect};
use super::shape::Shape;
use super::tally::Tally;
use crate::orgdb::DbTrouble;

/// What a packed body holds, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "lowercase")]
pub(super) enum Head {
    /// Rows that were inserted: key, 16 bytes of digest.
    Insert {
        shape: Shape,
        /// What the row digests are keyed for.
        label: String,
        /// The target's triggers were set aside, and are for the undo.
        quiet: bool,
        /// First and last number that the engine gave these rows, in order: where to look for them
        /// first. Only their digests tell that they are there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        span: Option<(i64, i64)>,
    },
    /// Rows that were changed: key, the row before, 16 bytes of the digest after.
    Update {
        shape: Shape,
        /// As above.
        label: String,
        /// The columns that were meant.
        set: Vec<String>,
    },
    /// The statement that takes a change of the schema back.
    Change,
    /// How far the step had got, with its counts.
    Position,
}

/// One row of `handover_undo`.
pub(super) struct Part {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

/// Begins a write transaction with the fence compared.
pub(super) fn begin(connection: &Connection, deed: &Deed) -> Result<(), DbTrouble> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    compare_fence(connection, deed)
}

/// Our number must be the one that stands there.
pub(super) fn compare_fence(connection: &Connection, deed: &Deed) -> Result<(), DbTrouble> {
    let mut fence = connection.prepare_cached("SELECT epoch FROM handover_fence WHERE run = ?1")?;
    let theirs: Option<i64> = fence
        .query_row([deed.run.to_string()], |row| row.get(0))
        .optional()?;
    let theirs = theirs.map_or(0, i64::cast_unsigned);
    if theirs == deed.epoch {
        return Ok(());
    }
    Err(DbTrouble::Fenced {
        ours: deed.epoch,
        theirs,
    })
}

/// Writes the effect's row, still empty; none when it stands there already.
pub(super) fn open(
    connection: &Connection,
    deed: &Deed,
    ordinal: u64,
    kind: &str,
) -> Result<Option<i64>, DbTrouble> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO handover_effect (run, step, generation, ordinal, kind, epoch, log_seq, rows, digest, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', '')
         ON CONFLICT (run, step, generation, ordinal) DO NOTHING RETURNING effect",
    )?;
    let values = params![
        deed.run.to_string(),
        deed.step.as_str(),
        deed.generation,
        ordinal.cast_signed(),
        kind,
        deed.epoch.cast_signed(),
        deed.log_seq.cast_signed()
    ];
    Ok(insert.query_row(values, |row| row.get(0)).optional()?)
}

/// Fills the effect's row in and keeps what undo needs.
pub(super) fn close(
    connection: &Connection,
    id: i64,
    tally: &Tally,
    parts: &[Part],
) -> Result<(), DbTrouble> {
    let mut keep = connection.prepare_cached(
        "INSERT INTO handover_undo (effect, part, head, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (at, part) in (0_i64..).zip(parts) {
        let head = serde_json::to_string(&part.head).map_err(|_| DbTrouble::Other(0))?;
        keep.execute(params![id, at, head, part.body])?;
    }
    let mut fill = connection.prepare_cached(
        "UPDATE handover_effect SET rows = ?2, digest = ?3, sum = ?4 WHERE effect = ?1",
    )?;
    let (root, sum) = (tally.root().to_string(), tally.sum.digest().to_string());
    fill.execute(params![id, tally.rows.cast_signed(), root, sum])?;
    Ok(())
}

/// An effect with its number in the ledger.
pub(super) struct Kept {
    pub(super) id: i64,
    pub(super) effect: Effect,
}

/// Effects of a step's generation that stand, oldest first.
pub(super) fn standing(
    connection: &Connection,
    run: uuid::Uuid,
    step: &str,
    generation: u32,
) -> Result<Vec<Kept>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT effect, ordinal, kind, rows, digest FROM handover_effect
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL ORDER BY ordinal",
    )?;
    let mut rows = statement.query(params![run.to_string(), step, generation])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let root: String = row.get(4)?;
        found.push(Kept {
            id: row.get(0)?,
            effect: Effect {
                ordinal: row.get::<_, i64>(1)?.cast_unsigned(),
                kind: row.get(2)?,
                rows: row.get::<_, i64>(3)?.cast_unsigned(),
                root: root.parse().map_err(|_| DbTrouble::Damaged)?,
            },
        });
    }
    Ok(found)
}

/// What undo needs of one effect, oldest part first.
pub(super) fn parts(connection: &Connection, id: i64) -> Result<Vec<Part>, DbTrouble> {
    parts_like(connection, id, "*")
}

/// The same, of one kind of part: `insert`, `update`, `change`, `position`.
pub(super) fn parts_like(
    connection: &Connection,
    id: i64,
    kind: &str,
) -> Result<Vec<Part>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT head, body FROM handover_undo
         WHERE effect = ?1 AND json_extract(head, '$.part') GLOB ?2 ORDER BY part",
    )?;
    let mut rows = statement.query(params![id, kind])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let head: String = row.get(0)?;
        found.push(Part {
            head: serde_json::from_str(&head).map_err(|_| DbTrouble::Damaged)?,
            body: row.get(1)?,
        });
    }
    Ok(found)
}

/// Numbers of every effect of a run that stands, in the order in which they were made.
pub(super) fn all_standing(
    connection: &Connection,
    run: uuid::Uuid,
) -> Result<Vec<i64>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT effect FROM handover_effect WHERE run = ?1 AND undone_at IS NULL ORDER BY effect",
    )?;
    let rows = statement.query_map([run.to_string()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Marks an effect as undone at a position of the step log.
pub(super) fn mark_undone(connection: &Connection, id: i64, deed: &Deed) -> Result<(), DbTrouble> {
    let mut mark =
        connection.prepare_cached("UPDATE handover_effect SET undone_at = ?2 WHERE effect = ?1")?;
    mark.execute(params![id, deed.log_seq.cast_signed()])?;
    Ok(())
}

/// Marks what else the generation left: its crosswalk and its rejected rows.
pub(super) fn entomb(connection: &Connection, deed: &Deed) -> Result<(), DbTrouble> {
    for text in [
        "UPDATE handover_key SET undone_at = ?4
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL",
        "UPDATE handover_reject SET undone_at = ?4
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL",
    ] {
        connection.prepare_cached(text)?.execute(params![
            deed.run.to_string(),
            deed.step.as_str(),
            deed.generation,
            deed.log_seq.cast_signed()
        ])?;
    }
    Ok(())
}
