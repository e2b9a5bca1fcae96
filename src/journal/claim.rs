//! Who may write to a run: one process, known by a kernel lock, numbered by an epoch.
//!
//! The lock on `<run>/claim.<epoch>.lock` is taken before the lease row is written. The kernel frees
//! it when its process ends, however it ends: so a killed run resumes at once. Where the lock is
//! held but the lease has run out (a stopped process), the run is claimed with the next epoch, and
//! what the old holder still tries to append is refused. The database file itself is never locked
//! by us: closing any descriptor of it would drop SQLite's own locks.
//! Not here: fences in the organisations' databases (`orgdb`, `run`).

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

use super::append::{Batch, Draft, Hand, Moment, NewRun, Tail, bind_paper};
use super::begun::refuse_second;
use super::fault::JournalFault;
use super::lock::{ClaimFile, claim_path, is_locked, pid_in};
use super::place;
use super::store::{Journal, RunHead, count, integer, moment};
use crate::machine::event::{ClockKind, Empty, Entry, Event, LeaseAcquired, LogOpened, PlanBound};
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::Code;

/// Who wants to drive a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// This executor: a random id, not a host or user name.
    pub exec: Uuid,
    /// Organisations whose fences will be raised to the new epoch.
    pub fences: Vec<Code>,
    /// How long the lease runs without being renewed.
    pub term: Duration,
}

/// The right to append to one run, as long as it lives and is not taken over.
#[derive(Debug)]
pub struct Lease {
    /// Which run.
    pub run: Uuid,
    /// Its fencing number.
    pub epoch: u64,
    /// The executor that holds it.
    pub exec: Uuid,
    term: Duration,
    lock: ClaimFile,
}

/// What a new run's log begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// `log.opened`.
    pub opened: LogOpened,
    /// `plan.bound`.
    pub bound: PlanBound,
    /// What those said who signed the paper.
    pub words: Vec<Draft>,
}

/// Where a new log stands among the logs of its run.
pub(super) struct NewLog {
    pub(super) origin: String,
    /// The run's label, where it has one.
    pub(super) label: Option<String>,
    pub(super) part: u64,
    /// It begins a run that is no rehearsal.
    pub(super) begins: bool,
}

/// Who drives a run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The process, 0 where it could not be told.
    pub pid: u32,
    /// Its fencing number.
    pub epoch: u64,
    /// When its lease ends unless it is renewed.
    pub until: Time,
}

impl Lease {
    /// Takes the kernel lock of `epoch`; the lease counts once its row is written.
    pub(super) async fn take(
        folder: &Path,
        label: &str,
        run: Uuid,
        epoch: u64,
        claimant: &Claimant,
        at: Time,
    ) -> Result<Lease, JournalFault> {
        place::private_folder(folder)?;
        let lock = ClaimFile::take(folder, epoch).await?;
        Ok(Lease {
            run,
            epoch,
            exec: claimant.exec,
            term: claimant.term,
            lock: lock.ok_or_else(|| held(label, folder, epoch, at))?,
        })
    }

    pub(super) fn hand(&self) -> Hand {
        Hand {
            run: self.run,
            exec: self.exec,
            epoch: self.epoch,
        }
    }
}

impl Journal {
    /// Opens the log of a new run and claims it: `log.opened`, `plan.bound`, `lease.acquired` and the
    /// words of those who signed become durable together, so a run that exists has all of them. `judge`
    /// sees the entries before.
    ///
    /// # Errors
    /// What `judge` says; [`JournalFault::Begun`] where what was signed has let another begin; when the paper
    /// was not put, the run exists, or the file cannot be written. Nothing was written then.
    pub async fn begin<E: From<JournalFault>>(
        &mut self,
        new: &NewRun,
        opening: Opening,
        claimant: &Claimant,
        now: &Moment,
        judge: impl FnOnce(&[Entry]) -> Result<(), E>,
    ) -> Result<Lease, E> {
        let folder = self.run_folder(new.id);
        let lease = Lease::take(&folder, &new.short, new.id, 1, claimant, now.at).await?;
        let begins_for_real = opening.opened.clock == ClockKind::Real;
        let log = NewLog {
            origin: opening.opened.origin.clone(),
            label: None,
            part: 1,
            begins: begins_for_real,
        };
        let mut drafts = vec![
            Draft::of_run(Event::LogOpened(opening.opened)),
            Draft::of_run(Event::PlanBound(opening.bound)),
            acquired(1, &claimant.fences),
        ];
        drafts.extend(opening.words);
        self.open_log(new, &log, &lease, (drafts, now), judge)
            .await?;
        Ok(lease)
    }

    /// Writes a log's row, its lease and its first entries, together.
    pub(super) async fn open_log<E: From<JournalFault>>(
        &mut self,
        new: &NewRun,
        log: &NewLog,
        lease: &Lease,
        (drafts, now): (Vec<Draft>, &Moment),
        judge: impl FnOnce(&[Entry]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.blob(new.paper).await?;
        let refused = self.fault();
        let mut whole = self
            .db
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(&refused)?;
        if log.begins {
            refuse_second(&mut whole, new, &drafts, &refused).await?;
        }
        let number = insert_run(&mut whole, new, log, now.at)
            .await
            .map_err(&refused)?;
        write_lease(&mut whole, number, lease, now.at)
            .await
            .map_err(&refused)?;
        bind_paper(&mut whole, number, new.paper)
            .await
            .map_err(&refused)?;
        let mut batch = Batch::after(Tail::empty(number, new.paper));
        judge(&batch.add(lease.hand(), now, drafts)?)?;
        batch
            .store(&mut whole, lease.epoch)
            .await
            .map_err(&refused)?;
        whole.commit().await.map_err(&refused)?;
        self.staged.insert(new.id, batch.stored());
        Ok(())
    }

    /// Claims a run for `claimant` with the next epoch and appends `lease.acquired`.
    ///
    /// # Errors
    /// [`JournalFault::Held`] names the process that drives it; else when the log's end was cut or
    /// edited, or the file cannot be written.
    pub async fn claim(
        &mut self,
        run: Uuid,
        claimant: &Claimant,
        now: &Moment,
    ) -> Result<Lease, JournalFault> {
        let head = self.head(run).await?;
        if self.tail(run).await?.closed() {
            return Err(JournalFault::Closed(head.label));
        }
        let row = self.lease_row(&head).await?;
        let folder = self.run_folder(run);
        place::private_folder(&folder)?;
        // Kept until the new lease is durable, so that nobody else finds the old epoch free.
        let old = ClaimFile::take(&folder, head.epoch).await?;
        if old.is_none() && now.at < row.until {
            return Err(held(&head.label, &folder, head.epoch, row.until));
        }
        let epoch = head.epoch + 1;
        let lease = Lease::take(&folder, &head.label, run, epoch, claimant, row.until).await?;
        self.write_claim(&head, &lease, acquired(epoch, &claimant.fences), now)
            .await?;
        if let Some(old) = old {
            old.remove();
        }
        Ok(lease)
    }

    async fn write_claim(
        &mut self,
        head: &RunHead,
        lease: &Lease,
        acquired: Draft,
        now: &Moment,
    ) -> Result<(), JournalFault> {
        let tail = self.tail(lease.run).await?;
        if tail.closed() {
            return Err(JournalFault::Closed(head.label.clone()));
        }
        let mut batch = Batch::after(tail);
        batch.add(lease.hand(), now, vec![acquired])?;
        let refused = self.fault();
        let mut whole = self
            .db
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(&refused)?;
        let claimed = claim_row(&mut whole, head, lease, now.at)
            .await
            .map_err(&refused)?
            && batch
                .store(&mut whole, lease.epoch)
                .await
                .map_err(&refused)?;
        if !claimed {
            whole.rollback().await.map_err(&refused)?;
            let folder = self.run_folder(lease.run);
            return Err(held(&head.label, &folder, lease.epoch, now.at));
        }
        whole.commit().await.map_err(&refused)?;
        self.staged.insert(lease.run, batch.stored());
        Ok(())
    }

    /// Says that we are still at work: the lease row only, not the log.
    ///
    /// # Errors
    /// When another executor has taken the run over.
    pub async fn renew(&mut self, lease: &Lease, now: &Moment) -> Result<(), JournalFault> {
        let number = self.head(lease.run).await?.number;
        let refused = self.fault();
        let renewed = write_lease(&mut self.db, number, lease, now.at)
            .await
            .map_err(refused)?;
        if renewed {
            return Ok(());
        }
        let theirs = self.head(lease.run).await?.epoch;
        Err(JournalFault::TakenOver {
            run: lease.run,
            ours: lease.epoch,
            theirs,
        })
    }

    /// Ends a claim: appends `lease.released` and frees the lock.
    ///
    /// # Errors
    /// When another executor has taken the run over, or the file cannot be written.
    pub async fn release(&mut self, lease: Lease, now: &Moment) -> Result<(), JournalFault> {
        let released = Draft::of_run(Event::LeaseReleased(Empty {}));
        self.append(&lease, now, vec![released]).await?;
        self.let_go(lease);
        Ok(())
    }

    /// Frees the lock of a claim whose `lease.released` was appended.
    pub fn let_go(&mut self, lease: Lease) {
        self.staged.remove(&lease.run);
        drop(lease.lock);
    }

    /// Who drives a run now, if anybody does.
    ///
    /// # Errors
    /// When there is no such run or the file cannot be read.
    pub async fn holder(&mut self, run: Uuid) -> Result<Option<Holder>, JournalFault> {
        let head = self.head(run).await?;
        let row = self.lease_row(&head).await?;
        let folder = self.run_folder(run);
        let path = claim_path(&folder, head.epoch);
        if !is_locked(&path).map_err(|fault| place::refused(&path, fault))? {
            return Ok(None);
        }
        Ok(Some(Holder {
            pid: pid_in(&path),
            ..row
        }))
    }

    async fn lease_row(&mut self, head: &RunHead) -> Result<Holder, JournalFault> {
        let refused = self.fault();
        let row = sqlx::query("SELECT epoch, pid, expires FROM lease WHERE run = ?")
            .bind(head.number)
            .fetch_one(&mut self.db)
            .await
            .map_err(&refused)?;
        let holder = || {
            let expires: String = row.try_get("expires")?;
            Ok(Holder {
                pid: u32::try_from(count(&row, "pid")?).unwrap_or_default(),
                epoch: count(&row, "epoch")?,
                until: moment(&expires)?,
            })
        };
        holder().map_err(refused)
    }
}

pub(super) fn acquired(epoch: u64, fences: &[Code]) -> Draft {
    Draft::of_run(Event::LeaseAcquired(LeaseAcquired {
        epoch,
        fences: fences.to_vec(),
    }))
}

fn held(label: &str, folder: &Path, epoch: u64, until: Time) -> JournalFault {
    JournalFault::Held {
        label: label.to_owned(),
        pid: pid_in(&claim_path(folder, epoch)),
        until,
    }
}

async fn insert_run(
    db: &mut SqliteConnection,
    new: &NewRun,
    log: &NewLog,
    at: Time,
) -> Result<i64, sqlx::Error> {
    let label = match &log.label {
        Some(label) => label.clone(),
        None => free_label(db, new).await?,
    };
    let done = sqlx::query(
        "INSERT INTO run (id, part, label, origin, opened, paper, size, head) \
         VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
    )
    .bind(new.id.as_bytes().to_vec())
    .bind(integer(log.part))
    .bind(label)
    .bind(&log.origin)
    .bind(at.to_string())
    .bind(new.paper.0.to_vec())
    .bind(Digest::ZERO.0.to_vec())
    .execute(db)
    .await?;
    Ok(done.last_insert_rowid())
}

/// The plan's short name and the last four digits of the run's id, or more of them where another run
/// has that label.
async fn free_label(db: &mut SqliteConnection, new: &NewRun) -> Result<String, sqlx::Error> {
    let digits = new.id.simple().to_string();
    let mut label = String::new();
    for length in [4, 8, 12, 32] {
        label = format!("{}-{}", new.short, &digits[digits.len() - length..]);
        let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM run WHERE label = ?")
            .bind(&label)
            .fetch_one(&mut *db)
            .await?;
        if taken == 0 {
            break;
        }
    }
    Ok(label)
}

/// Takes the lease row over from the epoch that `head` was read with; false if somebody was faster.
async fn claim_row(
    db: &mut SqliteConnection,
    head: &RunHead,
    lease: &Lease,
    at: Time,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE lease SET epoch = ? WHERE run = ? AND epoch = ?")
        .bind(integer(lease.epoch))
        .bind(head.number)
        .bind(integer(head.epoch))
        .execute(&mut *db)
        .await?;
    Ok(done.rows_affected() == 1 && write_lease(db, head.number, lease, at).await?)
}

/// Writes or renews the lease row; false if it is another epoch's.
async fn write_lease(
    db: &mut SqliteConnection,
    number: i64,
    lease: &Lease,
    at: Time,
) -> Result<bool, sqlx::Error> {
    let expires = at.moment().checked_add(lease.term).map_or(at, Time::new);
    let done = sqlx::query(
        "INSERT INTO lease (run, epoch, exec, pid, renewed, expires) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (run) DO UPDATE SET exec = excluded.exec, pid = excluded.pid, \
         renewed = excluded.renewed, expires = excluded.expires WHERE epoch = excluded.epoch",
    )
    .bind(number)
    .bind(integer(lease.epoch))
    .bind(lease.exec.as_bytes().to_vec())
    .bind(i64::from(std::process::id()))
    .bind(at.to_string())
    .bind(expires.to_string())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
