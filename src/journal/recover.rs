//! Going on after a loss: a journal that was cut, edited or restored from a backup is not written to
//! any more, for that would fork its seals. A successor log of the same run names the old head, says
//! what is lost and which effects in the organisations' ledgers are taken over.
//!
//! Not here: what the ledgers say (the caller has read them), who reviews it (`cli`).

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use uuid::Uuid;

use super::append::{Draft, Moment, NewRun};
use super::claim::{Claimant, Lease, NewLog, acquired};
use super::fault::JournalFault;
use super::store::{Journal, RunHead, count, integer};
use crate::machine::event::{Event, LogOpened, LogRecovered, PlanBound, PreviousLog};
use crate::plan::digest::Digest;
use crate::plan::vkey::{KeyKind, Vkey};

/// What the organisations' databases say about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The highest log entry that any ledger names.
    pub entry: u64,
    /// The highest fence that stands in any of them.
    pub fence: u64,
    /// Effects that entries now lost had announced.
    pub effects: u64,
}

/// What is left of a log and what is not: for review, before [`Journal::recover`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The run by its newest part.
    pub head: RunHead,
    /// How many entries from the start are whole.
    pub size: u64,
    /// Digest of the last of them.
    pub last: Digest,
    /// The paper in force after them: the successor is bound to it.
    pub paper: Digest,
    /// Last position lost; the first is `size`.
    pub lost_to: u64,
    /// Digest of lines that stand after the whole part and cannot be trusted.
    pub cut: Option<Digest>,
    opened: LogOpened,
    epoch: u64,
}

impl Journal {
    /// Looks how much of a run's log is whole, held against what the ledgers have `seen`. Writes
    /// nothing.
    ///
    /// # Errors
    /// [`JournalFault::Whole`] where nothing is lost; [`JournalFault::Cut`] where not even the first
    /// entry is left; else when the file cannot be read.
    pub async fn loss(&mut self, run: Uuid, seen: Seen) -> Result<Loss, JournalFault> {
        let mut entries = self.entries(run).await?;
        let head = entries.head().clone();
        let (mut opened, mut size, mut paper) = (None, 0, head.paper);
        let mut last_sealed = 0;
        let damaged = loop {
            let entry = match entries.next().await {
                Ok(Some(entry)) => entry,
                Ok(None) => break false,
                Err(JournalFault::SealedAhead { sealed, .. }) => {
                    last_sealed = sealed.saturating_sub(1);
                    break true;
                }
                Err(fault) if is_loss(&fault) => break true,
                Err(fault) => return Err(fault),
            };
            size = entry.seq + 1;
            paper = entry.plan;
            match entry.event {
                Event::LogOpened(body) => opened = Some(body),
                Event::PlanAmended(body) => paper = body.new,
                _ => {}
            }
        };
        if !damaged && seen.entry < size && seen.fence <= head.epoch {
            return Err(JournalFault::Whole(head.label));
        }
        let Some(opened) = opened else {
            return Err(JournalFault::Cut {
                label: head.label,
                seq: 0,
            });
        };
        let (cut, last_row) = self.rest(&head, size).await?;
        Ok(Loss {
            size,
            last: entries.last(),
            paper,
            lost_to: seen
                .entry
                .max(last_row)
                .max(last_sealed)
                .max(head.size.saturating_sub(1)),
            cut,
            opened,
            epoch: head.epoch.max(seen.fence) + 1,
            head,
        })
    }

    /// Opens the successor of a log that was lost in part and claims it, above every fence that was
    /// seen. `bound` describes the paper `loss.paper`. The old log stays as it is, as evidence.
    ///
    /// # Errors
    /// When another process drives the run, a successor stands already, or the file cannot be
    /// written.
    pub async fn recover(
        &mut self,
        loss: &Loss,
        seen: Seen,
        bound: PlanBound,
        claimant: &Claimant,
        now: &Moment,
    ) -> Result<Lease, JournalFault> {
        let Loss { head, .. } = loss;
        if let Some(holder) = self.holder(head.id).await? {
            return Err(JournalFault::Held {
                label: head.label.clone(),
                pid: holder.pid,
                until: holder.until,
            });
        }
        let folder = self.run_folder(head.id);
        let lease =
            Lease::take(&folder, &head.label, head.id, loss.epoch, claimant, now.at).await?;
        let log = NewLog {
            origin: successor(&head.origin, head.part),
            label: Some(head.label.clone()),
            part: head.part + 1,
            begins: false,
        };
        let new = NewRun {
            id: head.id,
            short: head.label.clone(),
            paper: loss.paper,
        };
        let drafts = vec![
            Draft::of_run(Event::LogOpened(loss.opening(&log, seen))),
            Draft::of_run(Event::PlanBound(bound)),
            acquired(loss.epoch, &claimant.fences),
            Draft::of_run(Event::LogRecovered(LogRecovered {
                cut: loss.cut,
                lost_from: loss.size,
                lost_to: loss.lost_to,
                adopted: seen.effects,
            })),
        ];
        self.open_log::<JournalFault>(&new, &log, &lease, (drafts, now), |_| Ok(()))
            .await?;
        Ok(lease)
    }

    /// Digest and last position of the lines that stand after the whole part of a log.
    async fn rest(
        &mut self,
        head: &RunHead,
        mut from: u64,
    ) -> Result<(Option<Digest>, u64), JournalFault> {
        let refused = self.fault();
        let (mut hash, start) = (Sha256::new(), from);
        loop {
            let row = sqlx::query(
                "SELECT seq, line FROM entry WHERE run = ? AND seq >= ? ORDER BY seq LIMIT 1",
            )
            .bind(head.number)
            .bind(integer(from))
            .fetch_optional(&mut self.db)
            .await
            .map_err(&refused)?;
            let Some(row) = row else { break };
            let line: Vec<u8> = row.try_get("line").map_err(&refused)?;
            hash.update(&line);
            hash.update(b"\n");
            from = count(&row, "seq").map_err(&refused)? + 1;
        }
        let cut = (from > start).then(|| Digest(hash.finalize().into()));
        Ok((cut, from.saturating_sub(1)))
    }
}

impl Loss {
    fn opening(&self, log: &NewLog, seen: Seen) -> LogOpened {
        LogOpened {
            origin: log.origin.clone(),
            log_key: self.log_key(&log.origin),
            product: env!("CARGO_PKG_VERSION").to_owned(),
            manifest: self.paper,
            previous: Some(PreviousLog {
                origin: self.head.origin.clone(),
                size: self.size,
                head: self.last,
                seen: seen.entry,
            }),
            ..self.opened.clone()
        }
    }
}

impl Loss {
    /// The successor is sealed by the same key under its own name.
    fn log_key(&self, origin: &str) -> Option<String> {
        let old: Vkey = self.opened.log_key.as_ref()?.parse().ok()?;
        let new = Vkey::new(origin, KeyKind::Log, *old.key()).ok()?;
        Some(new.to_string())
    }
}

/// Damage that leaves the entries before it as they were.
fn is_loss(fault: &JournalFault) -> bool {
    matches!(
        fault,
        JournalFault::Cut { .. } | JournalFault::Edited { .. } | JournalFault::Unreadable { .. }
    )
}

/// `<project>/<run>` becomes `<project>/<run>.2`, and that `.3`.
fn successor(origin: &str, part: u64) -> String {
    let first = origin.strip_suffix(&format!(".{part}")).unwrap_or(origin);
    format!("{first}.{}", part + 1)
}
