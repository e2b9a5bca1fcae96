//! Facts become entries: the place in the chain, the bytes, the commit.
//!
//! A batch is one transaction: what is ready together becomes durable together (group commit). It commits only if
//! the run's epoch and size are still what the writer believes, so an executor that was taken over
//! writes nothing.
//! Not here: who may write (`claim`), how bytes look (`machine::line`).

use jiff::SignedDuration;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite};
use uuid::Uuid;

use super::claim::Lease;
use super::fault::JournalFault;
use super::lines::parsed;
use super::store::{Journal, digest, integer};
use crate::machine::event::{About, Actor, ClockStepped, Entry, Event};
use crate::machine::line;
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::seal::tree::leaf_hash;

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
    number: i64,
    paper: Digest,
    size: u64,
    head: Digest,
    last: Option<Moment>,
    closed: bool,
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
            closed: false,
        }
    }

    /// Whether nothing may follow.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }
}

/// Who writes, as each entry says it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand {
    pub(super) run: Uuid,
    pub(super) exec: Uuid,
    pub(super) epoch: u64,
}

/// Lines that have their places and are to be committed together.
#[derive(Debug)]
pub(super) struct Batch {
    /// The end of the log in the file.
    before: Tail,
    /// The end of the log with these lines.
    after: Tail,
    lines: Vec<(Vec<u8>, Digest)>,
}

impl Journal {
    /// Appends `drafts` in one durable transaction, with what was staged before them, and returns
    /// their entries. A wall clock that went back is put on record first (`clock.stepped`), as an
    /// entry of its own at the head of what is returned.
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
        let entries = self.stage(lease, now, drafts).await?;
        self.commit(lease).await?;
        Ok(entries)
    }

    /// Gives `drafts` their places and returns their entries, which are not durable before
    /// [`Journal::commit`]: so that one commit holds an outcome and the intents that follow from it.
    /// Nothing may be done for an intent that is only staged.
    ///
    /// # Errors
    /// When a draft does not fit the format (none of them is staged) or the file cannot be read.
    pub async fn stage(
        &mut self,
        lease: &Lease,
        now: &Moment,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Entry>, JournalFault> {
        if !self.staged.contains_key(&lease.run) {
            let tail = self.tail(lease.run).await?;
            self.staged.insert(lease.run, Batch::after(tail));
        }
        let batch = self.staged.get_mut(&lease.run);
        batch.map_or(Ok(Vec::new()), |batch| batch.add(lease.hand(), now, drafts))
    }

    /// Makes durable what was staged.
    ///
    /// # Errors
    /// When the lease was taken over or the file cannot be written: what was staged is then gone, and
    /// whoever applied it must read the log again.
    pub async fn commit(&mut self, lease: &Lease) -> Result<(), JournalFault> {
        // Taken out first: if this call fails or is dropped, the next one asks the file again.
        let Some(mut batch) = self.staged.remove(&lease.run) else {
            return Ok(());
        };
        if !batch.lines.is_empty() {
            let refused = self.fault();
            let mut whole = self
                .db
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map_err(&refused)?;
            if !batch
                .store(&mut whole, lease.epoch)
                .await
                .map_err(&refused)?
            {
                whole.rollback().await.map_err(&refused)?;
                return Err(self.taken_over(lease).await?);
            }
            whole.commit().await.map_err(&refused)?;
            batch = batch.stored();
        }
        self.staged.insert(lease.run, batch);
        Ok(())
    }

    /// Leaf hashes of what is staged and not committed, in order: what they add to the log's tree.
    #[must_use]
    pub fn staged_leaves(&self, lease: &Lease) -> Vec<Digest> {
        let batch = self.staged.get(&lease.run);
        let lines = batch.into_iter().flat_map(|batch| &batch.lines);
        lines.map(|(line, _)| leaf_hash(line)).collect()
    }

    /// Forgets what was staged and not committed.
    pub fn discard(&mut self, lease: &Lease) {
        self.staged.remove(&lease.run);
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
        tail.last = Some(moment_of(&entry));
        tail.closed = matches!(entry.event, Event::LogClosed(_));
        Ok(tail)
    }
}

impl Batch {
    /// An empty batch at the end of a log.
    pub(super) fn after(tail: Tail) -> Batch {
        Batch {
            before: tail.clone(),
            after: tail,
            lines: Vec::new(),
        }
    }

    /// A batch that starts over where this one, now durable, ends.
    pub(super) fn stored(self) -> Batch {
        Batch::after(self.after)
    }

    /// Gives `drafts` their places: all of them or, where one does not fit the format, none.
    pub(super) fn add(
        &mut self,
        hand: Hand,
        now: &Moment,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Entry>, JournalFault> {
        let stepped = (!drafts.is_empty()).then(|| stepped(&self.after, now));
        let mut tail = self.after.clone();
        let mut lines = Vec::with_capacity(drafts.len());
        let mut entries = Vec::with_capacity(drafts.len());
        for draft in stepped.flatten().into_iter().chain(drafts) {
            if let Event::PlanAmended(amended) = &draft.event {
                // The amendment itself is the first entry under the new paper.
                tail.paper = amended.new;
            }
            let entry = entry(&tail, hand, now, draft);
            let line = line::write(&entry);
            let line = line.map_err(|fault| JournalFault::Draft(fault.to_string()))?;
            tail.size += 1;
            tail.head = Digest::of(&line);
            tail.last = Some(*now);
            lines.push((line, tail.head));
            entries.push(entry);
        }
        self.after = tail;
        self.lines.append(&mut lines);
        Ok(entries)
    }

    /// Writes the lines; false, and nothing is to be committed, if the log or the epoch in the file
    /// is no longer what the writer believes.
    pub(super) async fn store(
        &self,
        db: &mut SqliteConnection,
        epoch: u64,
    ) -> Result<bool, sqlx::Error> {
        if !self.move_head(db, epoch).await? {
            return Ok(false);
        }
        if self.after.paper != self.before.paper {
            bind_paper(db, self.before.number, self.after.paper).await?;
        }
        let mut seq = self.before.size;
        for some in self.lines.chunks(ROWS_AT_ONCE) {
            let mut insert: QueryBuilder<Sqlite> =
                QueryBuilder::new("INSERT INTO entry (run, seq, line, hash) ");
            insert.push_values(some, |mut row, (line, hash)| {
                row.push_bind(self.before.number)
                    .push_bind(integer(seq))
                    .push_bind(line.clone())
                    .push_bind(hash.0.to_vec());
                seq += 1;
            });
            insert.build().execute(&mut *db).await?;
        }
        Ok(true)
    }

    async fn move_head(&self, db: &mut SqliteConnection, epoch: u64) -> Result<bool, sqlx::Error> {
        let moved = sqlx::query(
            "UPDATE run SET size = ?, head = ?, paper = ? WHERE number = ? AND size = ? AND head = ? \
             AND (SELECT epoch FROM lease WHERE lease.run = run.number) = ?",
        )
        .bind(integer(self.after.size))
        .bind(self.after.head.0.to_vec())
        .bind(self.after.paper.0.to_vec())
        .bind(self.before.number)
        .bind(integer(self.before.size))
        .bind(self.before.head.0.to_vec())
        .bind(integer(epoch))
        .execute(db)
        .await?;
        Ok(moved.rows_affected() == 1)
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

fn moment_of(entry: &Entry) -> Moment {
    Moment {
        at: entry.at,
        as_at: entry.as_at,
        boot: entry.boot,
        mono: entry.mono,
    }
}

/// A clock went back behind the last entry: what the wall clock would have said by the monotonic
/// clock of the same boot, or the last entry's time where the machine was started anew.
fn stepped(tail: &Tail, now: &Moment) -> Option<Draft> {
    let last = tail.last?;
    if now.at >= last.at && now.as_at >= last.as_at {
        return None;
    }
    let passed = if last.boot == now.boot {
        SignedDuration::from_nanos_i128(i128::from(now.mono.saturating_sub(last.mono)))
    } else {
        SignedDuration::ZERO
    };
    let before = last.at.moment().checked_add(passed);
    Some(Draft::of_run(Event::ClockStepped(ClockStepped {
        before: before.map_or(last.at, Time::new),
        after: now.at,
    })))
}
