//! Sealing a log: a head is signed when it is at least as long as the last one that was signed, and goes
//! on from it. What was signed last is in a file of its own, durable before the signature leaves us:
//! so a journal that was cut or put back from a copy is never signed over, and a kill between signing
//! and storing forks nothing.
//!
//! ```text
//!  tree --> head --> `signed` (fsync) --> seal --> journal
//! ```
//!
//! In: the tree over the lines, kept by whoever appends. Out: seals in the journal.
//!
//! Not here: stored seals (`seals`), when to seal (`run::session`).

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use uuid::Uuid;

use super::fault::JournalFault;
use super::log_key::load_log_key;
use super::place;
use super::store::{Journal, RunHead};
use super::whole::{self, For};
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::seal::{Head, LogKey, Seal, Tree};

/// The file in the run's folder that holds the newest head that was signed.
const SIGNED: &str = "signed";

/// How old the newest seal may be while a run drives.
const SEAL_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// How often, and how far apart, the key's lock is tried.
const LOOKS_MAX: u32 = 100;
const LOOK: Duration = Duration::from_millis(20);

/// Signs heads of one log.
#[derive(Debug)]
pub struct Sealer {
    key: LogKey,
    path: PathBuf,
    /// The newest head that was signed.
    signed: Option<Head>,
    /// What the newest seal in the journal covers: less than was signed after a kill in between.
    stored: u64,
    /// When that was made; the log's opening before the first.
    at: Time,
}

impl Sealer {
    /// The sealer of a log that `log.opened` says is sealed by `log_key`. What was signed before has
    /// been held against the log by whoever read it ([`Passed`]).
    ///
    /// # Errors
    /// When the key is missing or another log's, or what was signed last is not known any more.
    pub async fn open(
        journal: &mut Journal,
        head: &RunHead,
        log_key: &str,
    ) -> Result<Sealer, JournalFault> {
        let folder = journal.run_folder(head.id);
        let key = load_log_key(&folder, &head.origin, log_key)?;
        let path = signed_path(&folder, head.part);
        let signed = read_signed(&path)?;
        let newest = journal.newest_seal(head.id).await?;
        let known = signed.as_ref().map_or(0, |head| head.size);
        if newest.as_ref().is_some_and(|(size, _)| *size > known) {
            return Err(JournalFault::SignedMissing(path));
        }
        Ok(Sealer {
            key,
            path,
            signed,
            stored: newest.map_or(0, |(size, _)| size),
            at: newest.map_or(head.opened, |(_, at)| at),
        })
    }

    /// Signs the log as `tree` has it; nothing where the journal holds that seal already. To be handed
    /// to [`Sealer::keep`].
    ///
    /// # Errors
    /// When a head that was signed is not a part of it, somebody else signed meanwhile, or nothing can
    /// be written. Nothing is signed then.
    pub fn sign(&mut self, label: &str, tree: &Tree) -> Result<Option<Seal>, JournalFault> {
        let size = tree.size();
        if size == self.stored {
            return Ok(None);
        }
        let known = self.signed.as_ref().map_or(0, |head| head.size);
        if size < known {
            return Err(JournalFault::SealedAhead {
                label: label.to_owned(),
                sealed: known,
                size,
            });
        }
        let seal = self.key.seal(size, tree.root());
        self.remember(&seal, label)?;
        self.signed = Some(seal.head.clone());
        Ok(Some(seal))
    }

    /// Stores a seal that was signed.
    ///
    /// # Errors
    /// When the journal cannot be written: the seal is then signed and stored by whoever goes on.
    pub async fn keep(
        &mut self,
        journal: &mut Journal,
        run: Uuid,
        seal: &Seal,
        at: Time,
    ) -> Result<(), JournalFault> {
        journal.put_seal(run, seal, at).await?;
        self.stored = seal.head.size;
        self.at = at;
        Ok(())
    }

    /// Whether the newest seal is older than a day.
    #[must_use]
    pub fn is_stale(&self, now: Time) -> bool {
        now.moment().duration_since(self.at.moment()) >= SEAL_AGE_MAX
    }

    /// Makes durable that this head was signed, under a kernel lock on the key: nobody else may sign
    /// between our look at what was signed and our own word.
    fn remember(&self, seal: &Seal, label: &str) -> Result<(), JournalFault> {
        let folder = place::folder_of(&self.path);
        let refused = |fault| place::refused(&self.path, fault);
        let lock = fs::File::open(folder.join(super::log_key::NAME)).map_err(refused)?;
        lock_soon(&lock).map_err(refused)?;
        let found = read_signed(&self.path)?;
        if found != self.signed {
            return Err(JournalFault::SealedAhead {
                label: label.to_owned(),
                sealed: found.map_or(0, |head| head.size),
                size: seal.head.size,
            });
        }
        if found.is_some_and(|head| head.size == seal.head.size && head.root != seal.head.root) {
            return Err(JournalFault::Forked {
                label: label.to_owned(),
                size: seal.head.size,
            });
        }
        whole::put_whole(&self.path, &seal.bytes(), For::Owner).map_err(refused)
    }
}

/// Whoever signs holds the lock for the length of an `fsync`.
fn lock_soon(file: &fs::File) -> io::Result<()> {
    for _ in 0..LOOKS_MAX {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            Err(fs::TryLockError::Error(fault)) => return Err(fault),
            Ok(()) => return Ok(()),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::WouldBlock,
        "another process is signing, or stopped while it did",
    ))
}

/// The head that a log must pass through as it is read: the newest one that was signed.
#[derive(Debug, Default)]
pub(super) struct Passed {
    label: String,
    head: Option<Head>,
    tree: Tree,
}

impl Passed {
    /// What was signed of this log, from its folder.
    pub(super) fn of(journal: &Journal, head: &RunHead) -> Result<Passed, JournalFault> {
        let folder = journal.run_folder(head.id);
        Ok(Passed {
            label: head.label.clone(),
            head: read_signed(&signed_path(&folder, head.part))?,
            tree: Tree::default(),
        })
    }

    /// Takes the next line by its leaf hash.
    pub(super) fn leaf(&mut self, leaf: Digest) -> Result<(), JournalFault> {
        self.tree.add_hash(leaf);
        match &self.head {
            Some(head) if head.size == self.tree.size() && head.root != self.tree.root() => {
                Err(JournalFault::Forked {
                    label: self.label.clone(),
                    size: head.size,
                })
            }
            _ => Ok(()),
        }
    }

    /// Held against a log that has no more lines.
    pub(super) fn end(&self) -> Result<(), JournalFault> {
        match &self.head {
            Some(head) if head.size > self.tree.size() => Err(JournalFault::SealedAhead {
                label: self.label.clone(),
                sealed: head.size,
                size: self.tree.size(),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// Whether anything was ever signed in that folder.
pub(super) fn has_signed(folder: &Path) -> bool {
    folder.join(SIGNED).exists()
}

fn signed_path(folder: &Path, part: u64) -> PathBuf {
    match part {
        1 => folder.join(SIGNED),
        part => folder.join(format!("{SIGNED}.{part}")),
    }
}

fn read_signed(path: &Path) -> Result<Option<Head>, JournalFault> {
    let mut bytes = Vec::new();
    match fs::File::open(path).and_then(|file| file.take(64 * 1024).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(place::refused(path, fault)),
    }
    let seal = Seal::parse(&bytes);
    let seal = seal.map_err(|_| JournalFault::SignedMissing(path.to_owned()))?;
    Ok(Some(seal.head))
}
