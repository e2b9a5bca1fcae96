//! Our tables inside an organisation's database: the fence, the effects, what undo needs, the
//! crosswalk, rejected rows, the letters' outbox.
//!
//! Only `handover_fence`, `handover_session` and `handover_effect` are exportable; the others hold
//! keys or values and never leave the database.
//!
//! Not here: writing effects (`pen`, `load`), taking them back (`undo`).

pub(super) mod effect;
pub mod kept;
pub(super) mod packed;
pub(super) mod pen;
pub mod seen;

use std::sync::OnceLock;

use uuid::Uuid;

pub use pen::Pen;

use crate::machine::key::RunKey;
use crate::orgdb::link::Begin;
use crate::orgdb::{DbFault, DbTrouble, Dialect, Link, OrgReader, OrgWriter, Sql};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;
use crate::sql;
use crate::values;

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
    "DELETE FROM handover_session WHERE run = ?1",
    "DELETE FROM handover_key WHERE run = ?1",
    "DELETE FROM handover_reject WHERE run = ?1",
    "DELETE FROM handover_outbox WHERE run = ?1",
    "DELETE FROM handover_effect WHERE run = ?1",
    "DELETE FROM handover_fence WHERE run = ?1",
];

/// All of them.
const DROP: &str = "
DROP TABLE handover_session; DROP TABLE handover_key; DROP TABLE handover_reject;
DROP TABLE handover_outbox; DROP TABLE handover_effect; DROP TABLE handover_fence;
DROP TABLE handover_undo;
";

/// What is written otherwise for `MariaDB` and `MySQL`: columns of keys have widths (an index holds 3,072
/// bytes, four of them for each character), text is told apart letter by letter and by its trailing
/// spaces.
const MARIADB: [(&str, &str); 24] = [
    (") WITHOUT ROWID;", ");"),
    (
        "\n);",
        "\n) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;",
    ),
    (
        "effect INTEGER PRIMARY KEY",
        "effect BIGINT AUTO_INCREMENT PRIMARY KEY",
    ),
    (" rows INTEGER", " \"rows\" INTEGER"),
    ("head TEXT", "head LONGTEXT"),
    ("run TEXT", "run varchar(36)"),
    ("dataset TEXT", "dataset varchar(100)"),
    ("org TEXT", "org varchar(50)"),
    ("source_key TEXT", "source_key varchar(400)"),
    ("target_key TEXT", "target_key varchar(400)"),
    ("step TEXT", "step varchar(160)"),
    ("started TEXT", "started varchar(160)"),
    ("purpose TEXT", "purpose varchar(100)"),
    ("person TEXT", "person varchar(400)"),
    ("reference TEXT", "reference varchar(400)"),
    ("kind TEXT", "kind varchar(200)"),
    ("digest TEXT", "digest varchar(80)"),
    ("sum TEXT", "sum varchar(80)"),
    ("code TEXT", "code varchar(20)"),
    ("col TEXT", "col varchar(200)"),
    ("channel TEXT", "channel varchar(20)"),
    ("state TEXT", "state varchar(20)"),
    (" INTEGER", " BIGINT"),
    (" BLOB", " LONGBLOB"),
];

/// The same where each of them goes for itself.
const DROP_WHAT_IS_THERE: &str = "
DROP TABLE IF EXISTS handover_session, handover_key, handover_reject, handover_effect,
  handover_fence, handover_undo;
DROP TABLE IF EXISTS handover_outbox;
";

/// The schema goes with them, unless a freeze of ours still stands on its function.
const DROP_SCHEMA: &str = "DO $$ BEGIN
  DROP FUNCTION IF EXISTS handover.frozen(); DROP SCHEMA handover;
EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$";

/// Our tables as a database makes them.
fn tables(dialect: Dialect) -> Sql {
    match dialect {
        Dialect::Sqlite => Sql::new(TABLES),
        Dialect::Postgres => Sql::new(TABLES).rewritten(&[
            (") WITHOUT ROWID;", ");"),
            (
                "effect INTEGER PRIMARY KEY",
                "effect BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            ),
            (" INTEGER", " BIGINT"),
            (" BLOB", " BYTEA"),
            // Digests do not shrink: trying costs more than the insert.
            (
                "CREATE TABLE IF NOT EXISTS handover_key",
                "ALTER TABLE handover_undo ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS handover_key",
            ),
        ]),
        Dialect::Mariadb => Sql::new(TABLES).rewritten(&MARIADB),
    }
}

/// Makes our tables where they are missing. On `PostgreSQL` they stand in a schema of their own, and an
/// account without the right to make one finds it made beforehand.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(writer: &OrgWriter) -> Result<(), DbFault> {
    writer
        .with(|link| {
            if prepared(link)? {
                return Ok(());
            }
            if link.dialect() == Dialect::Postgres && !has_schema(link)? {
                link.script(&Sql::new("CREATE SCHEMA IF NOT EXISTS handover"))?;
            }
            link.script(&tables(link.dialect()))
        })
        .await
}

/// An account that may not make a schema may still own one that was made for it.
fn has_schema(link: &Link) -> Result<bool, DbTrouble> {
    let query = Sql::new("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'handover'");
    Ok(link.row(&query, &[])?.is_some_and(|row| row[0].count() > 0))
}

/// Raises the fence of `run` to `epoch`; `head` is the journal's durable head. Raising it again from
/// the same process changes nothing. On a server the sessions of older numbers are ended: an executor
/// that was stopped in the middle of a transaction would keep the fence from being raised.
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
        .with(move |link| {
            end_sessions(link, run, epoch)?;
            link.begin(Begin::Alone)?;
            look_before_raising(link, run, epoch, head)?;
            let raise = sql!(
                "INSERT INTO handover_fence (run, epoch, log_seq) VALUES (?1, ?2, ?3) {}",
                match link.dialect() {
                    Dialect::Sqlite | Dialect::Postgres => Sql::new(
                        "ON CONFLICT (run) DO UPDATE
                         SET epoch = excluded.epoch, log_seq = excluded.log_seq"
                    ),
                    Dialect::Mariadb => Sql::new(
                        "ON DUPLICATE KEY UPDATE epoch = VALUES(epoch), log_seq = VALUES(log_seq)"
                    ),
                }
            );
            link.execute(&raise, &values![run.to_string(), epoch, head])?;
            if link.dialect() == Dialect::Sqlite {
                let process = i64::from(std::process::id());
                note_session(link, run, epoch, process, incarnation())?;
            }
            link.commit()?;
            // Whoever slipped in between found the old number; nobody finds it from here on.
            end_sessions(link, run, epoch)?;
            register(link, run, epoch)
        })
        .await
}

/// Notes this session of a server, once, so that a later claim can end it.
pub(super) fn register(link: &Link, run: Uuid, epoch: u64) -> Result<(), DbTrouble> {
    let Some((backend, started)) = link.backend()? else {
        return Ok(());
    };
    if !link.first_time(&format!("{run} {epoch}")) {
        return Ok(());
    }
    let started = format!("{} {started}", incarnation());
    note_session(link, run, epoch, backend, &started)
}

fn note_session(
    link: &Link,
    run: Uuid,
    epoch: u64,
    backend: i64,
    started: &str,
) -> Result<(), DbTrouble> {
    let note = sql!(
        "INSERT INTO handover_session (run, epoch, backend, started) VALUES (?1, ?2, ?3, ?4) {}",
        link.dialect().or_leave(&Sql::new("run"))
    );
    link.execute(&note, &values![run.to_string(), epoch, backend, started])?;
    Ok(())
}

/// Ends the sessions that executors of older numbers have open on a server.
fn end_sessions(link: &Link, run: Uuid, epoch: u64) -> Result<(), DbTrouble> {
    let older =
        Sql::new("SELECT backend, started FROM handover_session WHERE run = ?1 AND epoch < ?2");
    if link.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    for row in link.rows(&older, &values![run.to_string(), epoch])? {
        let started = row[1].text().unwrap_or_default();
        let started = started.split_once(' ').map_or("", |(_, started)| started);
        link.end_backend(row[0].int().unwrap_or_default(), started)?;
    }
    Ok(())
}

fn look_before_raising(link: &Link, run: Uuid, epoch: u64, head: u64) -> Result<(), DbTrouble> {
    let run = run.to_string();
    let fence = Sql::new("SELECT epoch, log_seq FROM handover_fence WHERE run = ?1");
    let fence = link.row(&fence, &values![run.as_str()])?;
    let (theirs, raised_at) = fence.map_or((0, 0), |row| (row[0].count(), row[1].count()));
    // Our number was one above the journal's highest when we claimed: a higher fence was raised out of
    // a journal that knew more.
    if theirs > epoch {
        return Err(DbTrouble::AheadOfJournal { seen: raised_at });
    }
    let strangers = Sql::new(
        "SELECT count(*) FROM handover_session WHERE run = ?1 AND epoch = ?2
         AND substr(started, 1, 36) <> ?3",
    );
    let strangers = link.row(&strangers, &values![run.as_str(), epoch, incarnation()])?;
    let written = Sql::new("SELECT max(log_seq) FROM handover_effect WHERE run = ?1");
    let written = link.row(&written, &values![run.as_str()])?;
    let written = written.map_or(0, |row| row[0].count());
    if strangers.is_some_and(|row| row[0].count() > 0) || written > head {
        return Err(DbTrouble::AheadOfJournal {
            seen: written.max(raised_at),
        });
    }
    Ok(())
}

/// Tells this process from every other.
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
        .with(move |link| {
            if !prepared(link)? {
                return Ok(Vec::new());
            }
            let kept = effect::standing(link, run, step.as_str(), generation)?;
            Ok(kept.into_iter().map(|kept| kept.effect).collect())
        })
        .await
}

/// Whether our tables are there.
pub(super) fn prepared(link: &Link) -> Result<bool, DbTrouble> {
    let query = match link.dialect() {
        Dialect::Sqlite => {
            Sql::new("SELECT count(*) FROM sqlite_schema WHERE name = 'handover_outbox'")
        }
        Dialect::Postgres => Sql::new(
            "SELECT count(*) FROM pg_catalog.pg_tables
             WHERE schemaname = 'handover' AND tablename = 'outbox'",
        ),
        Dialect::Mariadb => Sql::new(
            "SELECT count(*) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = 'handover_outbox'",
        ),
    };
    Ok(link.row(&query, &[])?.is_some_and(|row| row[0].count() > 0))
}

/// Removes everything of `run`, and our tables when no other run is left: `close` has exported before.
/// Undo ends here.
///
/// # Errors
/// When the database refuses.
pub async fn remove_run(writer: &OrgWriter, run: Uuid) -> Result<(), DbFault> {
    writer
        .with(move |link| {
            link.begin(Begin::Write)?;
            if !prepared(link)? {
                return Ok(());
            }
            let ours = values![run.to_string()];
            let undo = "DELETE FROM handover_undo
                 WHERE effect IN (SELECT effect FROM handover_effect WHERE run = ?1)";
            for delete in std::iter::once(undo).chain(OURS) {
                link.execute(&Sql::new(delete), &ours)?;
            }
            let left = link.row(&Sql::new("SELECT count(*) FROM handover_fence"), &[])?;
            if left.is_some_and(|row| row[0].count() == 0) {
                if link.dialect() == Dialect::Mariadb {
                    // Dropping commits by itself; a crash in between leaves the table that is looked for.
                    link.commit()?;
                    return link.script(&Sql::new(DROP_WHAT_IS_THERE));
                }
                link.script(&Sql::new(DROP))?;
                if link.dialect() == Dialect::Postgres {
                    link.script(&Sql::new(DROP_SCHEMA))?;
                }
            }
            link.commit()
        })
        .await
}
