//! The journal's file: opened with its guards, and which runs stand in it.
//!
//! One connection writes, with `synchronous=FULL`: what `append` returns would survive a power cut.
//! Not here: claims (`claim`), writing entries (`append`), reading them (`lines`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use uuid::Uuid;

use super::append::Batch;
use super::fault::JournalFault;
use super::place;
use super::schema::{self, SchemaFault};
use crate::machine::time::Time;
use crate::plan::digest::Digest;

/// How long another process may hold the file before we say that it is locked.
const PATIENCE: Duration = Duration::from_secs(5);

/// A journal that is open for reading and, with a lease, for writing.
#[derive(Debug)]
pub struct Journal {
    pub(super) path: PathBuf,
    pub(super) db: SqliteConnection,
    /// Where each run that we write to ends, and what is staged there.
    pub(super) staged: HashMap<Uuid, Batch>,
}

/// A run as the journal knows it without reading its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHead {
    /// Its id.
    pub id: Uuid,
    /// What people type: `ekh-7f3a`.
    pub label: String,
    /// 1, or more where the log goes on from one that was lost in part.
    pub part: u64,
    /// `<project>/<run id>`, with `.2` and so on for later parts.
    pub origin: String,
    /// When its log was opened.
    pub opened: Time,
    /// Fingerprint of the paper in force.
    pub paper: Digest,
    /// How many entries its log has.
    pub size: u64,
    /// Digest of the last one.
    pub head: Digest,
    /// The highest fencing number given out.
    pub epoch: u64,
    /// Its row number in this file.
    pub(super) number: i64,
}

impl Journal {
    /// Opens the journal at `path`, making it (file 0600, folder 0700) where there is none.
    ///
    /// # Errors
    /// When the file cannot be used, is not a journal, or is from a newer version.
    pub async fn open(path: &Path) -> Result<Journal, JournalFault> {
        place::prepare(path)?;
        let mut db = connect(path, false).await?;
        let brought = schema::bring_up(&mut db).await;
        brought.map_err(|fault| unfit(path, fault))?;
        Ok(Journal {
            path: path.to_owned(),
            db,
            staged: HashMap::new(),
        })
    }

    /// Opens a journal that must be there already.
    ///
    /// # Errors
    /// As [`Journal::open`], and when there is none.
    pub async fn existing(path: &Path) -> Result<Journal, JournalFault> {
        if path.exists() {
            Journal::open(path).await
        } else {
            Err(JournalFault::Missing(path.to_owned()))
        }
    }

    /// Closes the file and waits until that is done; what was appended is durable without it, but a
    /// closed journal is one file, ready to be copied.
    ///
    /// # Errors
    /// When the engine cannot close it.
    pub async fn close(self) -> Result<(), JournalFault> {
        let Journal { path, db, .. } = self;
        let closed = db.close().await;
        closed.map_err(|fault| JournalFault::from_sqlx(&path, fault))
    }

    /// Where its file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a run keeps its key, its claim files and other private things: `.handover/<run>/`.
    #[must_use]
    pub fn run_folder(&self, run: Uuid) -> PathBuf {
        place::run_folder(&self.path, run)
    }

    /// Every run, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn runs(&mut self) -> Result<Vec<RunHead>, JournalFault> {
        let found = heads(&mut self.db).await;
        found.map_err(self.fault())
    }

    /// The one run whose label or id begins with `wanted`; a whole label is never ambiguous.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn find(&mut self, wanted: &str) -> Result<RunHead, JournalFault> {
        let mut fits = self.runs().await?;
        if let Some(at) = fits.iter().position(|head| head.label == wanted) {
            return Ok(fits.swap_remove(at));
        }
        fits.retain(|head| {
            !wanted.is_empty()
                && (head.label.starts_with(wanted) || head.id.to_string().starts_with(wanted))
        });
        match fits.len() {
            0 => Err(JournalFault::NoRun(wanted.to_owned())),
            1 => Ok(fits.swap_remove(0)),
            _ => Err(JournalFault::Ambiguous {
                wanted: wanted.to_owned(),
                labels: fits.into_iter().map(|head| head.label).collect(),
            }),
        }
    }

    /// One run by its id.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn head(&mut self, run: Uuid) -> Result<RunHead, JournalFault> {
        let heads = self.runs().await?;
        let found = heads.into_iter().find(|head| head.id == run);
        found.ok_or_else(|| JournalFault::NoRun(run.to_string()))
    }

    /// Puts the journal's words to a fault of the engine.
    pub(super) fn fault(&self) -> impl Fn(sqlx::Error) -> JournalFault + use<> {
        let path = self.path.clone();
        move |fault| JournalFault::from_sqlx(&path, fault)
    }

    /// A connection of its own that cannot write, for long reads.
    pub(super) async fn reader(&self) -> Result<SqliteConnection, JournalFault> {
        connect(&self.path, true).await
    }
}

async fn connect(path: &Path, read_only: bool) -> Result<SqliteConnection, JournalFault> {
    let mut options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(read_only)
        .row_buffer_size(super::lines::PAGE)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .disable_statement_logging();
    if !read_only {
        options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
    }
    let db = options.connect().await;
    db.map_err(|fault| JournalFault::from_sqlx(path, fault))
}

fn unfit(path: &Path, fault: SchemaFault) -> JournalFault {
    match fault {
        SchemaFault::Newer { found, known } => JournalFault::Newer { found, known },
        SchemaFault::Engine(fault) => JournalFault::from_sqlx(path, fault),
        SchemaFault::Trouble(trouble) => JournalFault::Unusable {
            path: path.to_owned(),
            trouble,
        },
    }
}

/// Every run by its newest part, oldest first.
pub(super) async fn heads(db: &mut SqliteConnection) -> Result<Vec<RunHead>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT run.number, id, part, label, origin, opened, paper, size, head, \
         coalesce(epoch, 0) AS epoch FROM run LEFT JOIN lease ON lease.run = run.number \
         WHERE part = (SELECT max(part) FROM run AS other WHERE other.id = run.id) \
         ORDER BY run.number",
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(head).collect()
}

fn head(row: &SqliteRow) -> Result<RunHead, sqlx::Error> {
    let id: Vec<u8> = row.try_get("id")?;
    let opened: String = row.try_get("opened")?;
    Ok(RunHead {
        id: Uuid::from_slice(&id).map_err(odd)?,
        label: row.try_get("label")?,
        part: count(row, "part")?,
        origin: row.try_get("origin")?,
        opened: moment(&opened)?,
        paper: digest(row, "paper")?,
        size: count(row, "size")?,
        head: digest(row, "head")?,
        epoch: count(row, "epoch")?,
        number: row.try_get("number")?,
    })
}

/// A digest from a column of 32 bytes.
pub(super) fn digest(row: &SqliteRow, column: &str) -> Result<Digest, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let bytes: Result<[u8; 32], Vec<u8>> = bytes.try_into();
    bytes
        .map(Digest)
        .map_err(|_| odd(format!("`{column}` is not a digest")))
}

/// Digests from a column of 32 bytes, one a row.
pub(super) fn digests(rows: &[SqliteRow], column: &str) -> Result<Vec<Digest>, sqlx::Error> {
    rows.iter().map(|row| digest(row, column)).collect()
}

/// A count from a column that a CHECK keeps from being negative.
pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(odd)
}

/// A time as the log writes it.
pub(super) fn moment(text: &str) -> Result<Time, sqlx::Error> {
    let moment: jiff::Timestamp = text.parse().map_err(odd)?;
    Ok(Time::new(moment))
}

/// A number for a column of SQLite, whose integers are signed.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn odd(fault: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(fault.into())
}
