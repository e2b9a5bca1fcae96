//! Seals as the journal keeps them: one for each head that was signed, with its witnesses' lines.
//!
//! Not here: signing (`sealing`), what a seal proves (`seal::check`).

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::fault::JournalFault;
use super::store::{Journal, count, integer, moment};
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::seal::note::{Line, read_lines};
use crate::seal::tree::leaf_hash;
use crate::seal::{Head, Note, Seal};

/// A seal and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSeal {
    /// The seal, with every cosignature that was added.
    pub seal: Seal,
    /// When it was made.
    pub at: Time,
}

impl Journal {
    /// Stores a seal of a run; the same one twice is once.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn put_seal(&mut self, run: Uuid, seal: &Seal, at: Time) -> Result<(), JournalFault> {
        let number = self.head(run).await?.number;
        let refused = self.fault();
        let line = seal.note.lines.first().map(ToString::to_string);
        sqlx::query(
            "INSERT OR IGNORE INTO seal (run, size, text, line, at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(number)
        .bind(integer(seal.head.size))
        .bind(&seal.note.text)
        .bind(line.unwrap_or_default())
        .bind(at.to_string())
        .execute(&mut self.db)
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Stores a witness's line below the seal of that size; the first one stays.
    ///
    /// # Errors
    /// When there is no such seal or the file cannot be written.
    pub async fn put_cosignature(
        &mut self,
        run: Uuid,
        size: u64,
        witness: &str,
        line: &Line,
    ) -> Result<(), JournalFault> {
        let number = self.head(run).await?.number;
        let refused = self.fault();
        sqlx::query(
            "INSERT OR IGNORE INTO cosignature (run, size, witness, line) VALUES (?, ?, ?, ?)",
        )
        .bind(number)
        .bind(integer(size))
        .bind(witness)
        .bind(line.to_string())
        .execute(&mut self.db)
        .await
        .map_err(refused)?;
        Ok(())
    }

    /// Every seal of a run, smallest first.
    ///
    /// # Errors
    /// When there is no such run, the file cannot be read, or a seal in it is none.
    pub async fn seals(&mut self, run: Uuid) -> Result<Vec<StoredSeal>, JournalFault> {
        let head = self.head(run).await?;
        let refused = self.fault();
        let rows = sqlx::query(
            "SELECT seal.size, text, at, seal.line || coalesce(\
             (SELECT group_concat(line, '') FROM (SELECT line FROM cosignature AS below \
             WHERE below.run = seal.run AND below.size = seal.size ORDER BY witness)), '') AS lines \
             FROM seal WHERE run = ? ORDER BY size",
        )
        .bind(head.number)
        .fetch_all(&mut self.db)
        .await
        .map_err(&refused)?;
        let mut seals = Vec::with_capacity(rows.len());
        for row in &rows {
            let seal = stored(row).map_err(&refused)?;
            seals.push(seal.ok_or_else(|| JournalFault::NoSeal(head.label.clone()))?);
        }
        Ok(seals)
    }

    /// Size and time of the newest seal.
    ///
    /// # Errors
    /// When there is no such run or the file cannot be read.
    pub async fn newest_seal(&mut self, run: Uuid) -> Result<Option<(u64, Time)>, JournalFault> {
        let head = self.head(run).await?;
        let refused = self.fault();
        let row = sqlx::query("SELECT size, at FROM seal WHERE run = ? ORDER BY size DESC LIMIT 1")
            .bind(head.number)
            .fetch_optional(&mut self.db)
            .await
            .map_err(&refused)?;
        let read = |row: SqliteRow| Ok((count(&row, "size")?, moment(row.try_get("at")?)?));
        row.map(read).transpose().map_err(refused)
    }

    /// Leaf hashes of the first `size` lines of a run, for proofs: 32 bytes a line.
    ///
    /// # Errors
    /// When the log is not what was written.
    pub async fn leaves(&mut self, run: Uuid, size: u64) -> Result<Vec<Digest>, JournalFault> {
        let mut lines = self.read(run).await?;
        let mut leaves = Vec::new();
        while (leaves.len() as u64) < size {
            let Some(line) = lines.next().await? else {
                break;
            };
            leaves.push(leaf_hash(&line.bytes));
        }
        Ok(leaves)
    }
}

fn stored(row: &SqliteRow) -> Result<Option<StoredSeal>, sqlx::Error> {
    let (text, lines): (String, String) = (row.try_get("text")?, row.try_get("lines")?);
    let at = moment(row.try_get("at")?)?;
    let size = count(row, "size")?;
    let (Ok(head), Ok(lines)) = (Head::parse(&text), read_lines(lines.as_bytes())) else {
        return Ok(None);
    };
    let seal = Seal {
        head,
        note: Note { text, lines },
    };
    Ok((seal.head.size == size).then_some(StoredSeal { seal, at }))
}
