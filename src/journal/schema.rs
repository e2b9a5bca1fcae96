//! The journal's own schema: numbered SQL files, each applied once, whole or not at all.
//!
//! Not here: the tables' meaning (the files in `migrations/` say it).

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};

use super::fault::Db;
use super::store::count;
use crate::plan::digest::Digest;

/// Marks the file as ours (`PRAGMA application_id`): "HNDO".
const APPLICATION: i64 = 0x484e_444f;

/// Every migration in order; its number is its position, from 1.
const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/0001_journal.sql"),
    include_str!("../../migrations/0002_seals.sql"),
];

/// What `bring_up` found wrong.
pub(super) enum SchemaFault {
    /// Not ours to touch.
    Trouble(Db),
    /// From a later version.
    Newer { found: u64, known: u64 },
    /// The engine refused.
    Engine(sqlx::Error),
}

impl From<sqlx::Error> for SchemaFault {
    fn from(fault: sqlx::Error) -> SchemaFault {
        SchemaFault::Engine(fault)
    }
}

/// Applies what is missing, in one transaction. A file of somebody else, of a later version, or with
/// a migration that differs from ours is left untouched.
pub(super) async fn bring_up(db: &mut SqliteConnection) -> Result<(), SchemaFault> {
    if applied(db).await? == MIGRATIONS.len() {
        return Ok(());
    }
    let mut whole = db.begin_with("BEGIN IMMEDIATE").await?;
    // Asked again under the lock: another process may have brought it up in the meantime.
    let applied = applied(&mut whole).await?;
    if applied == 0 {
        sqlx::raw_sql("PRAGMA application_id = 1213088847")
            .execute(&mut *whole)
            .await?;
        sqlx::query(
            "CREATE TABLE migration (number INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
        )
        .execute(&mut *whole)
        .await?;
    }
    for (number, text) in (1_i64..).zip(MIGRATIONS).skip(applied) {
        sqlx::raw_sql(text).execute(&mut *whole).await?;
        sqlx::query("INSERT INTO migration (number, digest) VALUES (?, ?)")
            .bind(number)
            .bind(Digest::of(text.as_bytes()).0.to_vec())
            .execute(&mut *whole)
            .await?;
    }
    whole.commit().await?;
    Ok(())
}

/// How many of our migrations the file holds; 0 for an empty one.
async fn applied(db: &mut SqliteConnection) -> Result<usize, SchemaFault> {
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *db)
        .await?;
    if application != APPLICATION {
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *db)
            .await?;
        return match tables {
            0 => Ok(0),
            _ => Err(SchemaFault::Trouble(Db::NotAJournal)),
        };
    }
    let rows = sqlx::query("SELECT number, digest FROM migration ORDER BY number")
        .fetch_all(&mut *db)
        .await?;
    let known = MIGRATIONS.len() as u64;
    let newest = rows.last().map_or(Ok(0), |row| count(row, "number"))?;
    if newest > known {
        return Err(SchemaFault::Newer {
            found: newest,
            known,
        });
    }
    for (row, text) in rows.iter().zip(MIGRATIONS) {
        if row.try_get::<Vec<u8>, _>(1)? != Digest::of(text.as_bytes()).0 {
            return Err(SchemaFault::Trouble(Db::NotAJournal));
        }
    }
    Ok(rows.len())
}
