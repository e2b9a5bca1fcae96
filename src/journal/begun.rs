//! What was signed lets one run begin: asked in the very transaction that opens a log, so that of two who
//! begin at one moment one is second, whatever each of them saw before.
//!
//! Not here: what a signed preview leads to (`cli`), whose signatures count (`machine`).

use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::append::{Draft, NewRun};
use super::fault::JournalFault;
use super::lines::parsed;
use super::store::{Journal, RunHead, heads, integer};
use crate::machine::event::{ClockKind, Event};
use crate::plan::digest::Digest;

impl Journal {
    /// Every run that was ever bound to this paper, oldest first: one that was amended since, or went on in
    /// another log, too.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn runs_under(&mut self, paper: Digest) -> Result<Vec<RunHead>, JournalFault> {
        under(&mut self.db, paper).await.map_err(self.fault())
    }

    /// Runs whose clock is real and whose log has no last entry, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn live_runs(&mut self) -> Result<Vec<RunHead>, JournalFault> {
        let refused = self.fault();
        let mut live = Vec::new();
        for head in heads(&mut self.db).await.map_err(&refused)? {
            let real = clock(&mut self.db, &head, &refused).await? == Some(ClockKind::Real);
            if real && !closed(&mut self.db, &head, &refused).await? {
                live.push(head);
            }
        }
        Ok(live)
    }
}

/// Refuses a run where another of the same paper is not closed, or has taken a statement that is signed
/// here. Rehearsals count for nothing.
///
/// # Errors
/// [`JournalFault::Begun`] with that run; or when the file cannot be read.
pub(super) async fn refuse_second(
    db: &mut SqliteConnection,
    new: &NewRun,
    words: &[Draft],
    refused: impl Fn(sqlx::Error) -> JournalFault,
) -> Result<(), JournalFault> {
    let statements: Vec<Digest> = words.iter().filter_map(signed_statement).collect();
    for head in under(db, new.paper).await.map_err(&refused)? {
        if clock(db, &head, &refused).await? == Some(ClockKind::MadeUp) {
            continue;
        }
        let mut used = !closed(db, &head, &refused).await?;
        for statement in &statements {
            used = used || speaks_of(db, head.id, statement).await.map_err(&refused)?;
        }
        if used {
            return Err(JournalFault::Begun(head.label));
        }
    }
    Ok(())
}

/// What somebody signed with a key, if this is that.
fn signed_statement(word: &Draft) -> Option<Digest> {
    match &word.event {
        Event::ApprovalGranted(decision) => decision.signed.map(|_| decision.statement),
        _ => None,
    }
}

async fn under(db: &mut SqliteConnection, paper: Digest) -> Result<Vec<RunHead>, sqlx::Error> {
    let bound: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT DISTINCT run.id FROM paper JOIN run ON run.number = paper.run \
         WHERE paper.fingerprint = ?",
    )
    .bind(paper.0.to_vec())
    .fetch_all(&mut *db)
    .await?;
    let mut runs = heads(db).await?;
    runs.retain(|head| bound.iter().any(|id| *id == head.id.as_bytes()));
    Ok(runs)
}

/// What the log was opened with; none where its first entry is gone.
async fn clock(
    db: &mut SqliteConnection,
    head: &RunHead,
    refused: impl Fn(sqlx::Error) -> JournalFault,
) -> Result<Option<ClockKind>, JournalFault> {
    Ok(match event(db, head, 0, refused).await? {
        Some(Event::LogOpened(opened)) => Some(opened.clock),
        _ => None,
    })
}

/// Whether the log has its last entry, behind which only seals follow.
async fn closed(
    db: &mut SqliteConnection,
    head: &RunHead,
    refused: impl Fn(sqlx::Error) -> JournalFault,
) -> Result<bool, JournalFault> {
    for seq in (0..head.size).rev() {
        match event(db, head, seq, &refused).await? {
            Some(Event::SealCosigned(_) | Event::SealHeartbeat(_)) => {}
            last => return Ok(matches!(last, Some(Event::LogClosed(_)))),
        }
    }
    Ok(false)
}

async fn event(
    db: &mut SqliteConnection,
    head: &RunHead,
    seq: u64,
    refused: impl Fn(sqlx::Error) -> JournalFault,
) -> Result<Option<Event>, JournalFault> {
    let line: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT line FROM entry WHERE run = ? AND seq = ?")
            .bind(head.number)
            .bind(integer(seq))
            .fetch_optional(db)
            .await
            .map_err(refused)?;
    let entry = line.map(|line| parsed(&head.label, seq, &line));
    Ok(entry.transpose()?.map(|entry| entry.event))
}

/// Whether any log of the run speaks of that statement, whatever became of it.
async fn speaks_of(
    db: &mut SqliteConnection,
    run: Uuid,
    statement: &Digest,
) -> Result<bool, sqlx::Error> {
    let found: i64 = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM entry JOIN run ON run.number = entry.run \
         WHERE run.id = ? AND instr(entry.line, ?) > 0)",
    )
    .bind(run.as_bytes().to_vec())
    .bind(statement.to_string().into_bytes())
    .fetch_one(db)
    .await?;
    Ok(found != 0)
}
