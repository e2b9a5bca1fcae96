//! Our tables inside an organisation's database: the fence, the effects, what undo needs, the
//! crosswalk, rejected rows, the letters' outbox.
//!
//! Only `handover_fence`, `handover_session` and `handover_effect` are exportable; the others hold
//! keys or values and never leave the database.
//!
//! Not here: writing effects (`pen`, `load`), taking them back (`undo`).

use std::sync::OnceLock;

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::effect;
pub use super::pen::Pen;

use crate::machine::key::RunKey;
use crate::orgdb::{DbFault, DbTrouble, Ident, OrgReader, OrgWriter};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;
use crate::sql;

/// Which carrying-out of which step of which run an effect belongs to.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The run.
    pub run: Uuid,
    /// The step.
    pub step: StepId,
    /// Its generation.
    pub generation: u32,
    /// The lease's fencing number.
    pub epoch: u64,
    /// The journal's durable head when the effect began.
    pub log_seq: u64,
    /// The run's key.
    pub key: RunKey,
}

/// An effect that stands in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// From 1 in a generation.
    pub ordinal: u64,
    /// What sort, and on which table: `insert:transaction`, `update:employee`, `freeze:rtrans`.
    pub kind: String,
    /// Rows written.
    pub rows: u64,
    /// Keyed root.
    pub root: Digest,
}

/// Our tables. The ledger's moments are positions in the step log, never a clock's.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS handover_fence (
  run TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, log_seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handover_session (
  run TEXT NOT NULL, epoch INTEGER NOT NULL, backend INTEGER NOT NULL, started TEXT NOT NULL,
  PRIMARY KEY (run, epoch, backend, started)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handover_effect (
  effect INTEGER PRIMARY KEY,
  run TEXT NOT NULL, step TEXT NOT NULL, generation INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL, epoch INTEGER NOT NULL, log_seq INTEGER NOT NULL,
  rows INTEGER NOT NULL, digest TEXT NOT NULL, sum TEXT NOT NULL, undone_at INTEGER,
  UNIQUE (run, step, generation, ordinal)
);
CREATE TABLE IF NOT EXISTS handover_undo (
  effect INTEGER NOT NULL, part INTEGER NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL,
  UNIQUE (effect, part)
);
CREATE TABLE IF NOT EXISTS handover_key (
  run TEXT NOT NULL, dataset TEXT NOT NULL, org TEXT NOT NULL, source_key TEXT NOT NULL,
  generation INTEGER NOT NULL, step TEXT NOT NULL, target_key TEXT NOT NULL, undone_at INTEGER,
  PRIMARY KEY (run, dataset, org, source_key, step, generation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handover_reject (
  run TEXT NOT NULL, step TEXT NOT NULL, generation INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  dataset TEXT NOT NULL, source_key TEXT NOT NULL, code TEXT NOT NULL, col TEXT NOT NULL,
  undone_at INTEGER
);
CREATE TABLE IF NOT EXISTS handover_outbox (
  run TEXT NOT NULL, purpose TEXT NOT NULL, org TEXT NOT NULL, person TEXT NOT NULL,
  step TEXT NOT NULL, batch INTEGER NOT NULL, reference TEXT NOT NULL UNIQUE,
  channel TEXT CHECK (channel IN ('letter', 'email')),
  state TEXT NOT NULL CHECK (state IN ('planned', 'written', 'by-hand', 'nothing')),
  reason TEXT, digest TEXT,
  PRIMARY KEY (run, purpose, org, person)
) WITHOUT ROWID;
";

/// The tables that `remove_run` empties of a run, and takes away when no run is left.
const OURS: [&str; 6] = [
    "handover_session",
    "handover_key",
    "handover_reject",
    "handover_outbox",
    "handover_effect",
    "handover_fence",
];

/// Makes our tables where they are missing.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(writer: &OrgWriter) -> Result<(), DbFault> {
    writer
        .with(|connection| Ok(connection.execute_batch(TABLES)?))
        .await
}

/// Raises the fence of `run` to `epoch`; `head` is the journal's durable head. Raising it again from
/// the same process changes nothing.
///
/// # Errors
/// `Fenced` when a higher number stands there, `AheadOfJournal` when another process stands there
/// with the same number or a ledger row is beyond `head`: the journal was cut or restored.
pub async fn raise_fence(
    writer: &OrgWriter,
    run: Uuid,
    epoch: u64,
    head: u64,
) -> Result<(), DbFault> {
    writer
        .with(move |connection| {
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            look_before_raising(connection, run, epoch, head)?;
            let (run, epoch, head) = (run.to_string(), epoch.cast_signed(), head.cast_signed());
            connection.execute(
                "INSERT INTO handover_fence (run, epoch, log_seq) VALUES (?1, ?2, ?3)
                 ON CONFLICT (run) DO UPDATE SET epoch = excluded.epoch, log_seq = excluded.log_seq",
                params![run, epoch, head],
            )?;
            connection.execute(
                "INSERT OR IGNORE INTO handover_session (run, epoch, backend, started)
                 VALUES (?1, ?2, ?3, ?4)",
                params![run, epoch, std::process::id(), incarnation()],
            )?;
            Ok(connection.execute_batch("COMMIT")?)
        })
        .await
}

fn look_before_raising(
    connection: &Connection,
    run: Uuid,
    epoch: u64,
    head: u64,
) -> Result<(), DbTrouble> {
    let run = run.to_string();
    let fence: Option<(i64, i64)> = connection
        .query_row(
            "SELECT epoch, log_seq FROM handover_fence WHERE run = ?1",
            [&run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (theirs, raised_at) = fence.map_or((0, 0), |(epoch, at)| {
        (epoch.cast_unsigned(), at.cast_unsigned())
    });
    // Our number was one above the journal's highest when we claimed: a higher fence was raised out of
    // a journal that knew more.
    if theirs > epoch {
        return Err(DbTrouble::AheadOfJournal { seen: raised_at });
    }
    let strangers: i64 = connection.query_row(
        "SELECT count(*) FROM handover_session WHERE run = ?1 AND epoch = ?2
         AND NOT (backend = ?3 AND started = ?4)",
        params![run, epoch.cast_signed(), std::process::id(), incarnation()],
        |row| row.get(0),
    )?;
    let written: Option<i64> = connection.query_row(
        "SELECT max(log_seq) FROM handover_effect WHERE run = ?1",
        [&run],
        |row| row.get(0),
    )?;
    let written = written.map_or(0, i64::cast_unsigned);
    if strangers > 0 || written > head {
        return Err(DbTrouble::AheadOfJournal {
            seen: written.max(raised_at),
        });
    }
    Ok(())
}

/// Tells this process from an earlier one with the same pid.
fn incarnation() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| Uuid::now_v7().to_string())
}

/// Effects of a step's generation that are durable here, by ordinal: the truth after a crash. None
/// where our tables are not there yet.
///
/// # Errors
/// When the database refuses.
pub async fn effects(
    reader: &OrgReader,
    run: Uuid,
    step: &StepId,
    generation: u32,
) -> Result<Vec<Effect>, DbFault> {
    let step = step.clone();
    reader
        .with(move |connection| {
            if !prepared(connection)? {
                return Ok(Vec::new());
            }
            let kept = effect::standing(connection, run, step.as_str(), generation)?;
            Ok(kept.into_iter().map(|kept| kept.effect).collect())
        })
        .await
}

/// Whether our tables are there.
pub(super) fn prepared(connection: &Connection) -> Result<bool, DbTrouble> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM sqlite_schema WHERE name = 'handover_effect'")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? > 0)
}

/// Removes everything of `run`, and our tables when no other run is left: `close` has exported before.
/// Undo ends here.
///
/// # Errors
/// When the database refuses.
pub async fn remove_run(writer: &OrgWriter, run: Uuid) -> Result<(), DbFault> {
    writer
        .with(move |connection| {
            let run = run.to_string();
            connection.execute_batch("BEGIN IMMEDIATE")?;
            if !prepared(connection)? {
                return Ok(());
            }
            connection.execute(
                "DELETE FROM handover_undo
                 WHERE effect IN (SELECT effect FROM handover_effect WHERE run = ?1)",
                [&run],
            )?;
            for table in OURS.map(Ident::new) {
                connection.execute(
                    sql!("DELETE FROM {} WHERE run = ?1", table).as_str(),
                    [&run],
                )?;
            }
            let left: i64 =
                connection
                    .query_row("SELECT count(*) FROM handover_fence", [], |row| row.get(0))?;
            if left == 0 {
                for table in OURS.iter().chain(&["handover_undo"]) {
                    connection.execute_batch(sql!("DROP TABLE {}", Ident::new(table)).as_str())?;
                }
            }
            Ok(connection.execute_batch("COMMIT")?)
        })
        .await
}
