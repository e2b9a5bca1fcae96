//! A witness's own record: the newest head that it signed of each log, in a file beside its key
//! (`<key>.heads`). It is durable before a cosignature leaves, and under a kernel lock meanwhile.
//!
//! Not here: what a witness signs (`seal::witness`), its key (`log_key`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::JournalFault;
use super::place;
use super::whole::{self, For};
use crate::seal::Ledger;

/// The record of a witness; nobody else reads or writes it while this value lives.
#[derive(Debug)]
pub struct WitnessBook {
    /// What the witness signed.
    pub ledger: Ledger,
    path: PathBuf,
    _lock: fs::File,
}

impl WitnessBook {
    /// The record beside the key at `key`; an empty one at first.
    ///
    /// # Errors
    /// When the key is missing, or the record cannot be read or is not one.
    pub fn open(key: &Path) -> Result<WitnessBook, JournalFault> {
        let lock = fs::File::open(key).map_err(|fault| place::refused(key, fault))?;
        lock.lock().map_err(|fault| place::refused(key, fault))?;
        let mut name = key.as_os_str().to_owned();
        name.push(".heads");
        let path = PathBuf::from(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => String::new(),
            Err(fault) => return Err(place::refused(&path, fault)),
        };
        let ledger = Ledger::parse(&text);
        let ledger = ledger.map_err(|_| JournalFault::SignedMissing(path.clone()))?;
        Ok(WitnessBook {
            ledger,
            path,
            _lock: lock,
        })
    }

    /// Makes the ledger durable, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self) -> Result<(), JournalFault> {
        whole::put_whole(&self.path, self.ledger.text().as_bytes(), For::Owner)
            .map_err(|fault| place::refused(&self.path, fault))
    }
}
