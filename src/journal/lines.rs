//! Reading a log back: a page of rows at a time, whatever its length, every byte checked. Entries are
//! read and parsed side by side, a few pages ahead of whoever folds them.
//!
//! Not here: what the entries mean for a run (`machine::run`), logs in a folder (`export`).

use std::collections::VecDeque;

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use super::fault::JournalFault;
use super::sealing::Passed;
use super::store::{Journal, RunHead, count, digest, integer};
use crate::machine::event::{Entry, VERSION};
use crate::machine::line::{self, LineFault};
use crate::plan::digest::Digest;
use crate::seal::Tree;
use crate::seal::tree::leaf_hash;

/// Rows read at a time: what memory holds of a log, at most 65,535 bytes each and mostly 500.
pub(super) const PAGE: usize = 256;

/// Pages that are read ahead of the one that is being folded.
const AHEAD: usize = 3;

/// One line of a step log: the very bytes, without the line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log.
    pub seq: u64,
    /// What was written.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`.
    pub hash: Digest,
}

/// The lines of a run in order, over a snapshot of the journal. Each is the one that was written
/// (its digest), none is missing, and the last one is the head that the journal knows.
#[derive(Debug)]
pub struct Lines {
    db: SqliteConnection,
    path: std::path::PathBuf,
    head: RunHead,
    next: u64,
    page: VecDeque<(u64, Vec<u8>, Digest)>,
}

/// The entries of a run in order: its lines, parsed, each naming the one before it.
#[derive(Debug)]
pub struct Entries {
    path: std::path::PathBuf,
    head: RunHead,
    /// How many were given.
    given: u64,
    prev: Digest,
    passed: Passed,
    ahead: Receiver<Result<JoinHandle<Vec<Parsed>>, JournalFault>>,
    page: std::vec::IntoIter<Parsed>,
}

/// A line's place and digest, and the entry in it.
type Parsed = (u64, Hashes, Result<Entry, LineFault>);

/// What the chain and the tree know a line by.
#[derive(Debug, Clone, Copy)]
struct Hashes {
    hash: Digest,
    leaf: Digest,
}

impl Journal {
    /// The lines of a run as they are now; other calls may go on meanwhile.
    ///
    /// # Errors
    /// When there is no such run or the file cannot be read.
    pub async fn read(&mut self, run: Uuid) -> Result<Lines, JournalFault> {
        let refused = self.fault();
        let mut db = self.reader().await?;
        // A snapshot: head and lines are of one moment, even while another process appends.
        sqlx::raw_sql("BEGIN")
            .execute(&mut db)
            .await
            .map_err(&refused)?;
        let head = super::store::heads(&mut db).await.map_err(&refused)?;
        let head = head.into_iter().find(|head| head.id == run);
        Ok(Lines {
            db,
            path: self.path.clone(),
            head: head.ok_or_else(|| JournalFault::NoRun(run.to_string()))?,
            next: 0,
            page: VecDeque::new(),
        })
    }

    /// The entries of a run as they are now.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub async fn entries(&mut self, run: Uuid) -> Result<Entries, JournalFault> {
        let lines = self.read(run).await?;
        let (pages, ahead) = channel(AHEAD);
        let (path, head) = (lines.path.clone(), lines.head.clone());
        let passed = Passed::of(self, &head)?;
        tokio::spawn(read_ahead(lines, pages));
        Ok(Entries {
            path,
            head,
            given: 0,
            prev: Digest::ZERO,
            passed,
            ahead,
            page: Vec::new().into_iter(),
        })
    }
}

/// Reads until the end, a fault, or until nobody listens any more; each page is parsed on its own.
async fn read_ahead(
    mut lines: Lines,
    pages: Sender<Result<JoinHandle<Vec<Parsed>>, JournalFault>>,
) {
    loop {
        let (page, more) = page(&mut lines).await;
        if pages
            .send(Ok(spawn_blocking(|| parse(page))))
            .await
            .is_err()
        {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => return,
            Err(fault) => {
                // Nobody listens: nobody needs to know.
                let _ = pages.send(Err(fault)).await;
                return;
            }
        }
    }
}

/// The next lines, and whether there are more, or why not.
async fn page(lines: &mut Lines) -> (Vec<Line>, Result<bool, JournalFault>) {
    let mut page = Vec::with_capacity(PAGE);
    while page.len() < PAGE {
        match lines.next().await {
            Ok(Some(line)) => page.push(line),
            Ok(None) => return (page, Ok(false)),
            Err(fault) => return (page, Err(fault)),
        }
    }
    (page, Ok(true))
}

fn parse(page: Vec<Line>) -> Vec<Parsed> {
    let each = page.into_iter();
    each.map(|line| {
        let leaf = leaf_hash(&line.bytes);
        let hashes = Hashes {
            hash: line.hash,
            leaf,
        };
        (line.seq, hashes, line::parse(&line.bytes))
    })
    .collect()
}

impl Lines {
    /// The run as it stood when reading began.
    #[must_use]
    pub fn head(&self) -> &RunHead {
        &self.head
    }

    /// The next line; none after the last.
    ///
    /// # Errors
    /// [`JournalFault::Edited`] or [`JournalFault::Cut`] where the log is not what was written.
    pub async fn next(&mut self) -> Result<Option<Line>, JournalFault> {
        if self.page.is_empty() {
            self.turn().await?;
        }
        let Some((seq, bytes, hash)) = self.page.pop_front() else {
            return self.end();
        };
        if seq != self.next {
            return Err(self.cut());
        }
        if Digest::of(&bytes) != hash {
            return Err(self.edited(seq));
        }
        self.next += 1;
        if self.next == self.head.size && hash != self.head.head {
            return Err(self.edited(seq));
        }
        if self.next > self.head.size {
            // More than was ever committed together with a head: not written by us.
            return Err(self.edited(seq));
        }
        Ok(Some(Line { seq, bytes, hash }))
    }

    fn end(&self) -> Result<Option<Line>, JournalFault> {
        if self.next == self.head.size {
            Ok(None)
        } else {
            Err(self.cut())
        }
    }

    async fn turn(&mut self) -> Result<(), JournalFault> {
        let refused = |fault| JournalFault::from_sqlx(&self.path, fault);
        let rows = sqlx::query(
            "SELECT seq, line, hash FROM entry WHERE run = ? AND seq >= ? ORDER BY seq LIMIT ?",
        )
        .bind(self.head.number)
        .bind(integer(self.next))
        .bind(integer(PAGE as u64))
        .fetch_all(&mut self.db)
        .await
        .map_err(refused)?;
        for row in rows {
            let line = || {
                Ok((
                    count(&row, "seq")?,
                    row.try_get("line")?,
                    digest(&row, "hash")?,
                ))
            };
            self.page.push_back(line().map_err(refused)?);
        }
        Ok(())
    }

    fn cut(&self) -> JournalFault {
        JournalFault::Cut {
            label: self.head.label.clone(),
            seq: self.next,
        }
    }

    fn edited(&self, seq: u64) -> JournalFault {
        JournalFault::Edited {
            label: self.head.label.clone(),
            seq,
        }
    }
}

impl Entries {
    /// The run as it stood when reading began.
    #[must_use]
    pub fn head(&self) -> &RunHead {
        &self.head
    }

    /// Digest of the last line that was read; zeros before the first.
    #[must_use]
    pub fn last(&self) -> Digest {
        self.prev
    }

    /// The tree over the lines that were read.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        self.passed.tree()
    }

    /// The next entry; none after the last.
    ///
    /// # Errors
    /// As [`Lines::next`], where an entry does not name the line before it, and where the log is not
    /// the one of which a head was signed.
    pub async fn next(&mut self) -> Result<Option<Entry>, JournalFault> {
        let Some((seq, hashes, read)) = self.parsed().await? else {
            // Whoever reads ahead may have come to nothing: a log that ends early is never taken whole.
            let (label, seq) = (self.head.label.clone(), self.given);
            let whole = seq == self.head.size;
            return if whole {
                self.passed.end().map(|()| None)
            } else {
                Err(JournalFault::Cut { label, seq })
            };
        };
        let label = &self.head.label;
        let entry = read.map_err(|fault| unreadable(label, seq, &fault))?;
        let fits = entry.seq == seq && entry.prev == self.prev && entry.run == self.head.id;
        if !fits {
            let label = label.clone();
            return Err(JournalFault::Edited { label, seq });
        }
        self.passed.leaf(hashes.leaf)?;
        self.prev = hashes.hash;
        self.given += 1;
        Ok(Some(entry))
    }

    async fn parsed(&mut self) -> Result<Option<Parsed>, JournalFault> {
        loop {
            if let Some(parsed) = self.page.next() {
                return Ok(Some(parsed));
            }
            let Some(page) = self.ahead.recv().await else {
                return Ok(None);
            };
            let page = page?.await;
            let page = page.map_err(|fault| JournalFault::Io(self.path.clone(), fault.into()))?;
            self.page = page.into_iter();
        }
    }
}

/// The entry in a line.
pub(super) fn parsed(label: &str, seq: u64, line: &[u8]) -> Result<Entry, JournalFault> {
    line::parse(line).map_err(|fault| unreadable(label, seq, &fault))
}

fn unreadable(label: &str, seq: u64, fault: &LineFault) -> JournalFault {
    match fault {
        LineFault::Newer(found) => JournalFault::Newer {
            found: *found,
            known: u64::from(VERSION),
        },
        _ => JournalFault::Unreadable {
            label: label.to_owned(),
            seq,
        },
    }
}
