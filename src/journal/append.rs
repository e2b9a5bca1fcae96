//! Facts become entries: the place in the chain, the bytes, the commit.
//!
//! A batch is one transaction: what is ready together becomes durable together. It commits only if
//! the run's epoch and size are still what the writer believes, so an executor that was taken over
//! writes nothing.
//! Not here: who may write (`claim`), how bytes look (`machine::line`).

use jiff::SignedDuration;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite};
use uuid::Uuid;

use super::claim::Lease;
use super::fault::JournalFault;
use super::interim::line;
use super::lines::parsed;
use super::store::{Journal, digest, integer};
use crate::machine::event::{About, Actor, ClockStepped, Entry, Event};
use crate::machine::time::Time;
use crate::plan::digest::Digest;

/// A line of the step log is at most this long: foreign tools prefix entries with 16 bits.
const LINE_BYTES_MAX: usize = 65_535;

/// Rows in one INSERT: enough to fill a commit, few enough shapes of statement to stay prepared.
const ROWS_AT_ONCE: usize = 32;

/// One reading of the clocks, made by whoever drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock, always real.
    pub at: Time,
    /// The plan's time.
    pub as_at: Time,
    /// This boot of the machine ([`super::boot`]).
    pub boot: Uuid,
    /// Nanoseconds since a fixed moment of this boot.
    pub mono: u64,
}

/// A fact that has no place in the chain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The step it is about.
    pub about: Option<About>,
    /// Who acted.
    pub actor: Actor,
    /// What happened.
    pub event: Event,
}

impl Draft {
    /// A fact about the run as a whole, by the executor.
    #[must_use]
    pub fn of_run(event: Event) -> Draft {
        Draft {
            about: None,
            actor: Actor::Executor,
            event,
        }
    }

    /// A fact about a step, by the executor.
    #[must_use]
    pub fn of_step(about: About, event: Event) -> Draft {
        Draft {
            about: Some(about),
            actor: Actor::Executor,
            event,
        }
    }
}

/// A run that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id, drawn by the caller.
    pub id: Uuid,
    /// The plan's short name: the label begins with it.
    pub short: String,
    /// Fingerprint of its paper, which must have been put.
    pub paper: Digest,
}

/// The last entry of a log, as far as the next one depends on it.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    pub(super) number: i64,
    pub(super) paper: Digest,
    size: u64,
    head: Digest,
    last: Option<(Time, Uuid, u64)>,
}

impl Tail {
    /// The tail of a log that has no entry yet.
    pub(super) fn empty(number: i64, paper: Digest) -> Tail {
        Tail {
            number,
            paper,
            size: 0,
            head: Digest::ZERO,
            last: None,
        }
    }
}

/// Who writes, as each entry says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) run: Uuid,
    pub(super) exec: Uuid,
    pub(super) epoch: u64,
}

/// Entries that are ready to be stored after a given tail.
pub(super) struct Batch {
    entries: Vec<Entry>,
    lines: Vec<Vec<u8>>,
    hashes: Vec<Digest>,
    /// The tail that they make.
    pub(super) tail: Tail,
}

impl Journal {
    /// Appends `drafts` in one durable transaction and returns their entries; a wall clock that went
    /// back is put on record first (`clock.stepped`), as an entry of its own at the head of what is
    /// returned.
    ///
    /// # Errors
    /// When the lease was taken over (nothing is written), a draft does not fit the format, or the
    /// file cannot be written. After any error the log on disk is whole: all drafts or none.
    pub async fn append(
        &mut self,
        lease: &Lease,
        now: &Moment,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Entry>, JournalFault> {
        // Taken out first: if this call fails or is dropped, the next one asks the file again.
        let tail = match self.tails.remove(&lease.run) {
            Some(tail) => tail,
            None => self.tail(lease.run).await?,
        };
        let batch = Batch::new(tail.clone(), lease.hand(), now, drafts)?;
        if batch.entries.is_empty() {
            self.tails.insert(lease.run, tail);
            return Ok(Vec::new());
        }
        let refused = self.fault();
        let mut whole = self
            .db
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(&refused)?;
        if !batch
            .store(&mut whole, &tail, lease.epoch)
            .await
            .map_err(&refused)?
        {
            whole.rollback().await.map_err(&refused)?;
            return Err(self.taken_over(lease).await?);
        }
        whole.commit().await.map_err(&refused)?;
        self.tails.insert(lease.run, batch.tail);
        Ok(batch.entries)
    }

    async fn taken_over(&mut self, lease: &Lease) -> Result<JournalFault, JournalFault> {
        let theirs = self.head(lease.run).await?.epoch;
        Ok(JournalFault::TakenOver {
            run: lease.run,
            ours: lease.epoch,
            theirs,
        })
    }

    /// The end of a run's log, from the file: its last entry must be the one that the run's row
    /// speaks of.
    pub(super) async fn tail(&mut self, run: Uuid) -> Result<Tail, JournalFault> {
        let head = self.head(run).await?;
        let mut tail = Tail::empty(head.number, head.paper);
        let Some(seq) = head.size.checked_sub(1) else {
            return Ok(tail);
        };
        let refused = self.fault();
        let row = sqlx::query("SELECT line, hash FROM entry WHERE run = ? AND seq = ?")
            .bind(head.number)
            .bind(integer(seq))
            .fetch_optional(&mut self.db)
            .await
            .map_err(&refused)?;
        let label = head.label;
        let Some(row) = row else {
            return Err(JournalFault::Cut { label, seq });
        };
        let line: Vec<u8> = row.try_get("line").map_err(&refused)?;
        let hash = digest(&row, "hash").map_err(&refused)?;
        if hash != head.head || Digest::of(&line) != hash {
            return Err(JournalFault::Edited { label, seq });
        }
        let entry = parsed(&label, seq, &line)?;
        tail.size = head.size;
        tail.head = head.head;
        tail.last = Some((entry.at, entry.boot, entry.mono));
        Ok(tail)
    }
}

impl Batch {
    /// Gives `drafts` their places after `tail`.
    pub(super) fn new(
        mut tail: Tail,
        hand: Hand,
        now: &Moment,
        drafts: Vec<Draft>,
    ) -> Result<Batch, JournalFault> {
        let mut batch = Batch {
            entries: Vec::with_capacity(drafts.len()),
            lines: Vec::with_capacity(drafts.len()),
            hashes: Vec::with_capacity(drafts.len()),
            tail: tail.clone(),
        };
        let stepped = (!drafts.is_empty()).then(|| stepped(&tail, now)).flatten();
        for draft in stepped.into_iter().chain(drafts) {
            if let Event::PlanAmended(amended) = &draft.event {
                tail.paper = amended.new;
            }
            let entry = entry(&tail, hand, now, draft);
            let bytes =
                line::write(&entry).map_err(|fault| JournalFault::Draft(fault.to_string()))?;
            if bytes.len() > LINE_BYTES_MAX {
                return Err(JournalFault::Draft(format!(
                    "its line has {} bytes, at most {LINE_BYTES_MAX} are allowed",
                    bytes.len()
                )));
            }
            tail.size += 1;
            tail.head = Digest::of(&bytes);
            tail.last = Some((entry.at, entry.boot, entry.mono));
            batch.hashes.push(tail.head);
            batch.lines.push(bytes);
            batch.entries.push(entry);
        }
        batch.tail = tail;
        Ok(batch)
    }

    /// Writes the entries after `before`; false, and nothing is to be committed, if the log or the
    /// epoch is no longer what the writer believes.
    pub(super) async fn store(
        &self,
        db: &mut SqliteConnection,
        before: &Tail,
        epoch: u64,
    ) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query(
            "UPDATE run SET size = ?, head = ?, paper = ? WHERE number = ? AND size = ? AND head = ? \
             AND (SELECT epoch FROM lease WHERE lease.run = run.number) = ?",
        )
        .bind(integer(self.tail.size))
        .bind(self.tail.head.0.to_vec())
        .bind(self.tail.paper.0.to_vec())
        .bind(before.number)
        .bind(integer(before.size))
        .bind(before.head.0.to_vec())
        .bind(integer(epoch))
        .execute(&mut *db)
        .await?;
        if moved.rows_affected() != 1 {
            return Ok(false);
        }
        if self.tail.paper != before.paper {
            bind_paper(db, before.number, self.tail.paper).await?;
        }
        let rows: Vec<(&Entry, &Vec<u8>, &Digest)> = self
            .entries
            .iter()
            .zip(&self.lines)
            .zip(&self.hashes)
            .map(|((entry, line), hash)| (entry, line, hash))
            .collect();
        for some in rows.chunks(ROWS_AT_ONCE) {
            let mut insert: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO entry (run, seq, line, hash) ");
            insert.push_values(some, |mut row, (entry, line, hash)| {
                row.push_bind(before.number)
                    .push_bind(integer(entry.seq))
                    .push_bind(line.as_slice().to_vec())
                    .push_bind(hash.0.to_vec());
            });
            insert.build().execute(&mut *db).await?;
        }
        Ok(true)
    }
}

/// Says that a run is bound to a paper, which must have been put.
pub(super) async fn bind_paper(
    db: &mut SqliteConnection,
    number: i64,
    paper: Digest,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT OR IGNORE INTO paper (run, fingerprint) VALUES (?, ?)")
        .bind(number)
        .bind(paper.0.to_vec())
        .execute(db)
        .await?;
    Ok(())
}

fn entry(tail: &Tail, hand: Hand, now: &Moment, draft: Draft) -> Entry {
    Entry {
        seq: tail.size,
        prev: tail.head,
        run: hand.run,
        plan: tail.paper,
        at: now.at,
        as_at: now.as_at,
        boot: now.boot,
        mono: now.mono,
        exec: hand.exec,
        epoch: hand.epoch,
        about: draft.about,
        actor: draft.actor,
        event: draft.event,
    }
}

/// The wall clock goes back behind the last entry: what it would have said by the monotonic clock of
/// the same boot, or the last entry's time where the machine was started anew.
fn stepped(tail: &Tail, now: &Moment) -> Option<Draft> {
    let (at, boot, mono) = tail.last?;
    if now.at >= at {
        return None;
    }
    let passed = if boot == now.boot {
        SignedDuration::from_nanos_i128(i128::from(now.mono.saturating_sub(mono)))
    } else {
        SignedDuration::ZERO
    };
    let before = at.moment().checked_add(passed).map_or(at, Time::new);
    Some(Draft::of_run(Event::ClockStepped(ClockStepped {
        before,
        after: now.at,
    })))
}
