//! Effects inside a write transaction: the fence is compared first, the effect's row is there before
//! its rows are, and what undo needs follows it.
//!
//! In: a connection, a deed. Out: rows of `handover_effect` and `handover_undo`.
//!
//! Not here: the tables themselves (`ledger`), rows of step kinds (`pen`), bulk rows (`load`).

use serde::{Deserialize, Serialize};

use super::{Deed, Effect};
use crate::copy::tables::position::Position;
use crate::copy::tables::shape::Shape;
use crate::copy::value::tally::Tally;
use crate::orgdb::catalogue::Accessory;
use crate::orgdb::horizon::Horizon;
use crate::orgdb::link::Begin;
use crate::orgdb::{DbTrouble, Dialect, Link, Sql, Value, crash};
use crate::sql;
use crate::values;

/// What a packed body holds, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "lowercase")]
pub(crate) enum Head {
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
    /// Rows that were taken out, since their lines are gone at the source: key, the row before, 16 bytes
    /// of its digest.
    Delete {
        shape: Shape,
        /// As above.
        label: String,
        /// The target's triggers were set aside, and are for the undo.
        quiet: bool,
        /// Names under which the crosswalk knew these rows, the column that it knew them by, and the
        /// source that they came from.
        names: Vec<String>,
        target: Option<String>,
        source: String,
    },
    /// The statement that takes a change of the schema back.
    Change,
    /// An index or a foreign key that stands aside while rows are loaded.
    Aside {
        /// The table that it is of.
        table: String,
        accessory: Accessory,
    },
    /// A table that is being emptied, all of its rows being ours: where a server empties one outside of
    /// any transaction, this is durable first.
    Emptying {
        /// The table.
        table: String,
    },
    /// How far the step had got, with its counts.
    Position,
    /// The lines that were looked at, each as a number (`lines`). Those whose rows stand are in the
    /// order of the rows.
    Lines {
        /// All that stood behind this position and up to the effect's own; absent: single lines,
        /// wherever they stand, each followed by the digest of its source key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Position>,
    },
    /// Where each of a chunk's lines stands, as a digest, in their order; and what tells the rows of that
    /// look from later ones.
    Places { horizon: Horizon },
}

/// One row of `handover_undo`.
pub(crate) struct Part {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// What one commit makes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// Each effect by itself.
    Each,
    /// All of them, in a transaction that was begun before the first and ends behind the last.
    Once,
}

impl Commits {
    /// Begins the transaction of one effect.
    pub(crate) fn begin(self, link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
        match self {
            Commits::Each => begin(link, deed),
            Commits::Once => Ok(()),
        }
    }

    /// Makes one effect durable.
    pub(crate) fn commit(self, link: &Link) -> Result<(), DbTrouble> {
        match self {
            Commits::Each => link.commit(),
            Commits::Once => Ok(()),
        }
    }
}

/// Begins a write transaction with the fence compared.
pub(crate) fn begin(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    super::register(link, deed.run, deed.epoch)?;
    link.begin(Begin::Write)?;
    compare_fence(link, deed)
}

/// Our number must be the one that stands there. A server holds it so until the transaction ends.
pub(super) fn compare_fence(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    let query = match link.dialect() {
        Dialect::Sqlite => Sql::new("SELECT epoch FROM handover_fence WHERE run = ?1"),
        Dialect::Postgres => Sql::new("SELECT epoch FROM handover_fence WHERE run = ?1 FOR SHARE"),
        Dialect::Mariadb => {
            Sql::new("SELECT epoch FROM handover_fence WHERE run = ?1 LOCK IN SHARE MODE")
        }
    };
    let theirs = link.row(&query, &values![deed.run.to_string()])?;
    let theirs = theirs.map_or(0, |row| row[0].count());
    if theirs == deed.epoch {
        return Ok(());
    }
    Err(DbTrouble::Fenced {
        ours: deed.epoch,
        theirs,
    })
}

/// Writes the effect's row, still empty; none when it stands there already.
pub(crate) fn open(
    link: &Link,
    deed: &Deed,
    ordinal: u64,
    kind: &str,
) -> Result<Option<i64>, DbTrouble> {
    let insert = sql!(
        "INSERT INTO handover_effect (run, step, generation, ordinal, kind, epoch, log_seq, rows, digest, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', ''){}",
        match link.dialect() {
            Dialect::Sqlite | Dialect::Postgres => Sql::new(
                " ON CONFLICT (run, step, generation, ordinal) DO NOTHING RETURNING effect"
            ),
            Dialect::Mariadb => Sql::new(""),
        }
    );
    let values = values![
        deed.run.to_string(),
        deed.step.as_str(),
        deed.generation,
        ordinal,
        kind,
        deed.epoch,
        deed.log_seq
    ];
    if link.dialect() != Dialect::Mariadb {
        return Ok(link.row(&insert, &values)?.and_then(|row| row[0].int()));
    }
    match link.execute(&insert, &values) {
        Ok(_) => {}
        // The server undoes this statement by itself, and nothing else.
        Err(DbTrouble::Constraint { kind: "unique", .. }) => return Ok(None),
        Err(trouble) => return Err(trouble),
    }
    let number = link.row(&Sql::new("SELECT LAST_INSERT_ID()"), &[])?;
    Ok(number.and_then(|row| row[0].int()))
}

/// Fills the effect's row in and keeps what undo needs.
pub(crate) fn close(
    link: &Link,
    id: i64,
    tally: &Tally,
    parts: Vec<Part>,
) -> Result<(), DbTrouble> {
    for (at, part) in (0_i64..).zip(parts) {
        keep(link, (id, at), part)?;
    }
    let fill =
        Sql::new("UPDATE handover_effect SET rows = ?2, digest = ?3, sum = ?4 WHERE effect = ?1");
    let (root, sum) = (tally.root().to_string(), tally.sum.digest().to_string());
    link.execute(&fill, &values![id, tally.rows, root, sum])?;
    Ok(())
}

fn keep(link: &Link, (id, at): (i64, i64), part: Part) -> Result<(), DbTrouble> {
    let keep =
        Sql::new("INSERT INTO handover_undo (effect, part, head, body) VALUES (?1, ?2, ?3, ?4)");
    let head = serde_json::to_string(&part.head).map_err(|_| DbTrouble::Other(0))?;
    link.execute(&keep, &values![id, at, head, part.body])?;
    Ok(())
}

/// Keeps one more part of an effect, behind all others.
pub(crate) fn keep_also(link: &Link, id: i64, part: Part) -> Result<(), DbTrouble> {
    let last = Sql::new("SELECT max(part) FROM handover_undo WHERE effect = ?1");
    let last = link.row(&last, &values![id])?.and_then(|row| row[0].int());
    keep(link, (id, last.map_or(0, |at| at + 1)), part)
}

/// An effect with its number in the ledger.
pub(crate) struct Kept {
    pub(crate) id: i64,
    pub(crate) effect: Effect,
}

/// Effects of a step's generation that stand, oldest first.
pub(crate) fn standing(
    link: &Link,
    run: uuid::Uuid,
    step: &str,
    generation: u32,
) -> Result<Vec<Kept>, DbTrouble> {
    let query = Sql::new(
        "SELECT effect, ordinal, kind, rows, digest FROM handover_effect
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL ORDER BY ordinal",
    );
    let rows = link.rows(&query, &values![run.to_string(), step, generation])?;
    rows.into_iter().map(kept).collect()
}

fn kept(row: Vec<Value>) -> Result<Kept, DbTrouble> {
    let [id, ordinal, kind, rows, root] =
        <[Value; 5]>::try_from(row).map_err(|_| DbTrouble::Damaged)?;
    Ok(Kept {
        id: id.int().ok_or(DbTrouble::Damaged)?,
        effect: Effect {
            ordinal: ordinal.count(),
            kind: kind.into_text(),
            rows: rows.count(),
            root: root.into_text().parse().map_err(|_| DbTrouble::Damaged)?,
        },
    })
}

/// What undo needs of one effect, oldest part first.
pub(crate) fn parts(link: &Link, id: i64) -> Result<Vec<Part>, DbTrouble> {
    let query = Sql::new(
        "SELECT head, body FROM handover_undo
         WHERE effect = ?1 AND head NOT LIKE ?2 AND head NOT LIKE ?3 AND head NOT LIKE ?4 ORDER BY part",
    );
    let [positions, lines, places] = ["position", "lines", "places"].map(like);
    let rows = link.rows(&query, &values![id, positions, lines, places])?;
    rows.into_iter()
        .map(|row| part(row, link.dialect()))
        .collect()
}

fn like(kind: &str) -> String {
    format!("{{\"part\":\"{kind}\"%")
}

/// What is kept of one effect, of one kind of part: `insert`, `update`, `delete`, `position`, `lines`,
/// `places`. (A head's text begins with its kind.)
pub(crate) fn parts_like(link: &Link, id: i64, kind: &str) -> Result<Vec<Part>, DbTrouble> {
    let query = Sql::new(
        "SELECT head, body FROM handover_undo WHERE effect = ?1 AND head LIKE ?2 ORDER BY part",
    );
    let rows = link.rows(&query, &values![id, like(kind)])?;
    rows.into_iter()
        .map(|row| part(row, link.dialect()))
        .collect()
}

fn part(row: Vec<Value>, dialect: Dialect) -> Result<Part, DbTrouble> {
    let [head, body] = <[Value; 2]>::try_from(row).map_err(|_| DbTrouble::Damaged)?;
    let mut head: Head = serde_json::from_str(&head.into_text()).map_err(|_| DbTrouble::Damaged)?;
    if let Head::Insert { shape, .. } | Head::Update { shape, .. } | Head::Delete { shape, .. } =
        &mut head
    {
        shape.dialect = dialect;
    }
    match body {
        Value::Blob(body) => Ok(Part { head, body }),
        _ => Err(DbTrouble::Damaged),
    }
}

/// Numbers of every effect of a run that stands, in the order in which they were made.
pub(crate) fn all_standing(link: &Link, run: uuid::Uuid) -> Result<Vec<i64>, DbTrouble> {
    let query = Sql::new(
        "SELECT effect FROM handover_effect WHERE run = ?1 AND undone_at IS NULL ORDER BY effect",
    );
    let rows = link.rows(&query, &values![run.to_string()])?;
    Ok(rows.iter().filter_map(|row| row[0].int()).collect())
}

/// How many lines a step's generation rejected, by dataset.
pub(crate) fn rejected(link: &Link, deed: &Deed) -> Result<Vec<(String, u64)>, DbTrouble> {
    let query = Sql::new(
        "SELECT dataset, count(*) FROM handover_reject
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL GROUP BY dataset",
    );
    let values = values![deed.run.to_string(), deed.step.as_str(), deed.generation];
    let rows = link.rows(&query, &values)?;
    let told = |row: Vec<Value>| Some((row.first()?.text()?.to_owned(), row.get(1)?.count()));
    Ok(rows.into_iter().filter_map(told).collect())
}

/// Marks an effect as undone at a position of the step log.
pub(crate) fn mark_undone(link: &Link, id: i64, deed: &Deed) -> Result<(), DbTrouble> {
    let mark = Sql::new("UPDATE handover_effect SET undone_at = ?2 WHERE effect = ?1");
    link.execute(&mark, &values![id, deed.log_seq])?;
    crash::reached("undo");
    Ok(())
}

/// Marks what else the generation left: its crosswalk and its rejected rows.
pub(crate) fn entomb(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    for text in [
        "UPDATE handover_key SET undone_at = ?4
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL",
        "UPDATE handover_reject SET undone_at = ?4
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL",
    ] {
        let values = values![
            deed.run.to_string(),
            deed.step.as_str(),
            deed.generation,
            deed.log_seq
        ];
        link.execute(&Sql::new(text), &values)?;
    }
    Ok(())
}

/// What a note in the crosswalk does where one stands under its name: the first keeps it, unless it was
/// forgotten.
pub(crate) fn or_known(dialect: Dialect) -> Sql {
    Sql::new(match dialect {
        Dialect::Sqlite | Dialect::Postgres => {
            "ON CONFLICT (run, dataset, org, source_key, step, generation) DO UPDATE
             SET target_key = excluded.target_key, undone_at = NULL
             WHERE handover_key.undone_at IS NOT NULL"
        }
        // Set from left to right, each seeing what the one before has set.
        Dialect::Mariadb => {
            "ON DUPLICATE KEY UPDATE
             target_key = CASE WHEN undone_at IS NULL THEN target_key ELSE VALUES(target_key) END,
             undone_at = NULL"
        }
    })
}

/// The crosswalk forgets rows that were taken out, under every name of their dataset.
pub(crate) fn forget_keys(
    link: &Link,
    deed: &Deed,
    (source, names): (&str, &[String]),
    targets: &[Value],
) -> Result<(), DbTrouble> {
    for some in targets.chunks(KEYS_AT_ONCE) {
        let (rows, mut values) = crosswalk_rows((source, names), some);
        values.extend(values![deed.run.to_string(), deed.log_seq]);
        let text = sql!(
            "UPDATE handover_key SET undone_at = ?{} WHERE run = ?{} AND {} AND undone_at IS NULL",
            values.len(),
            values.len() - 1,
            rows
        );
        link.execute(&text, &values)?;
    }
    Ok(())
}

/// It knows again what an effect made it forget.
pub(crate) fn remember_keys(
    link: &Link,
    id: i64,
    (source, names): (&str, &[String]),
    targets: &[Value],
) -> Result<(), DbTrouble> {
    let effect = Sql::new("SELECT run, log_seq FROM handover_effect WHERE effect = ?1");
    let effect = link.row(&effect, &values![id])?.ok_or(DbTrouble::Damaged)?;
    for some in targets.chunks(KEYS_AT_ONCE) {
        let (rows, mut values) = crosswalk_rows((source, names), some);
        values.extend(effect.iter().cloned());
        let text = sql!(
            "UPDATE handover_key SET undone_at = NULL WHERE run = ?{} AND undone_at = ?{} AND {}",
            values.len() - 1,
            values.len(),
            rows
        );
        link.execute(&text, &values)?;
    }
    Ok(())
}

/// Target keys that one statement names.
const KEYS_AT_ONCE: usize = 100;

/// `org = ?1 AND dataset IN (…) AND target_key IN (…)`
fn crosswalk_rows((source, names): (&str, &[String]), targets: &[Value]) -> (Sql, Vec<Value>) {
    let mut values = values![source].to_vec();
    values.extend(names.iter().map(|name| Value::from(name.as_str())));
    values.extend(targets.iter().cloned());
    let text = sql!(
        "org = ?1 AND dataset IN ({}) AND target_key IN ({})",
        Sql::places(2, names.len()),
        Sql::places(2 + names.len(), targets.len())
    );
    (text, values)
}
