//! The key that seals one log: `log.key` in the run's folder, 0600. It is drawn before the run begins,
//! so that a committee's minute can hold its verifier key and the log's origin; with it the run's id.
//!
//! Not here: what a key signs (`seal`), when (`sealing`).

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::fault::JournalFault;
use super::place;
use super::sealing::has_signed;
use super::store::Journal;
use super::whole::{self, For};
use crate::plan::vkey::Vkey;
use crate::seal::{LogKey, WitnessKey};

/// Its name in the run's folder.
pub(super) const NAME: &str = "log.key";

/// An empty file in the folder of a rehearsal.
const REHEARSAL: &str = "rehearsal";

/// No key's file is longer.
const KEY_BYTES_MAX: u64 = 4096;

impl Journal {
    /// Draws the key of a run that is to come, and with it the run's id; durable on return.
    ///
    /// # Errors
    /// When the project has a key that no run has used yet, or the folder cannot be written.
    pub async fn prepare_log_key(&mut self, project: &str) -> Result<LogKey, JournalFault> {
        if let Some((run, _)) = self.prepared_log_key(project).await? {
            return Err(JournalFault::KeyReady(self.run_folder(run).join(NAME)));
        }
        self.draw_log_key(project, Uuid::now_v7())
    }

    /// Draws the key of a rehearsal, and the rehearsal's id; durable on return. Its folder says what it is,
    /// so that nobody takes the key of one that never began for the key that a minute holds.
    ///
    /// # Errors
    /// When the folder cannot be written, or the project's name will not do for a key.
    pub fn rehearsal_log_key(&self, project: &str) -> Result<(Uuid, LogKey), JournalFault> {
        let run = Uuid::now_v7();
        let folder = self.run_folder(run);
        place::private_folder(&folder)?;
        let mark = folder.join(REHEARSAL);
        whole::put_whole(&mark, &[], For::Owner).map_err(|fault| place::refused(&mark, fault))?;
        Ok((run, self.draw_log_key(project, run)?))
    }

    /// Draws the key of the run `run`; durable on return.
    ///
    /// # Errors
    /// When there is one already, or the folder cannot be written.
    pub fn draw_log_key(&self, project: &str, run: Uuid) -> Result<LogKey, JournalFault> {
        let folder = self.run_folder(run);
        let path = folder.join(NAME);
        let seed = seed(&path)?;
        let key = LogKey::new(&format!("{project}/{run}"), &seed);
        let key = key.map_err(|fault| JournalFault::NoKey(path.clone(), fault))?;
        write_key(&path, &key.text())?;
        Ok(key)
    }

    /// The key that was drawn for a run of `project` which has not begun, and that run's id.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn prepared_log_key(
        &mut self,
        project: &str,
    ) -> Result<Option<(Uuid, LogKey)>, JournalFault> {
        let begun: Vec<Uuid> = self.runs().await?.iter().map(|head| head.id).collect();
        let folder = place::folder_of(&self.path);
        let refused = |fault| place::refused(&folder, fault);
        let mut ready = Vec::new();
        for entry in fs::read_dir(&folder).map_err(refused)? {
            let path = entry.map_err(refused)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(run) = name.and_then(|name| name.parse::<Uuid>().ok()) else {
                continue;
            };
            // A log that was sealed once has begun, whatever this journal knows of it.
            let rehearsal = path.join(REHEARSAL).exists();
            if begun.contains(&run) || rehearsal || has_signed(&path) || !path.join(NAME).is_file()
            {
                continue;
            }
            let key = read_key(&path.join(NAME))?;
            if key.origin() == format!("{project}/{run}") {
                ready.push((run, key));
            }
        }
        ready.sort_by_key(|(run, _)| *run);
        Ok(ready.pop())
    }
}

/// The key of the log `origin` in a run's folder, held against what `log.opened` says of it.
///
/// # Errors
/// When it is missing or another log's.
pub fn load_log_key(folder: &Path, origin: &str, opened: &str) -> Result<LogKey, JournalFault> {
    let path = folder.join(NAME);
    let key = read_key(&path)?;
    // A successor log is sealed by its predecessor's key, under its own name.
    let key = key.for_origin(origin);
    let key = key.map_err(|fault| JournalFault::NoKey(path.clone(), fault))?;
    let same = opened.parse::<Vkey>().is_ok_and(|vkey| vkey == *key.vkey());
    if same {
        Ok(key)
    } else {
        Err(JournalFault::LogKeyWrong(path))
    }
}

/// The public part of the key in a run's folder, under the name of the log `origin`, where it is that log's or
/// a predecessor's; under its own name otherwise. None where there is no key.
///
/// # Errors
/// When there is one that cannot be read.
pub fn own_log_vkey(folder: &Path, origin: &str) -> Result<Option<Vkey>, JournalFault> {
    let path = folder.join(NAME);
    let key = match read_key(&path) {
        Err(JournalFault::LogKeyMissing(_)) => return Ok(None),
        key => key?,
    };
    let later = origin.strip_prefix(key.origin());
    let key = if later.is_some_and(|rest| rest.starts_with('.')) {
        let key = key.for_origin(origin);
        key.map_err(|fault| JournalFault::NoKey(path.clone(), fault))?
    } else {
        key
    };
    Ok(Some(key.vkey().clone()))
}

/// Draws the key of a witness into a file of its own (0600); durable on return.
///
/// # Errors
/// When the file is there already, the name will not do, or the folder cannot be written.
pub fn draw_witness_key(path: &Path, name: &str) -> Result<WitnessKey, JournalFault> {
    let seed = seed(path)?;
    let key = WitnessKey::new(name, &seed);
    let key = key.map_err(|fault| JournalFault::NoKey(path.to_owned(), fault))?;
    keep_witness_key(path, &key)?;
    Ok(key)
}

/// Keeps the key of a witness in a file of its own (0600); durable on return.
///
/// # Errors
/// When the file is there already, or the folder cannot be written.
pub fn keep_witness_key(path: &Path, key: &WitnessKey) -> Result<(), JournalFault> {
    write_key(path, &key.text())
}

/// The key of a witness.
///
/// # Errors
/// When the file cannot be read or holds none.
pub fn load_witness_key(path: &Path) -> Result<WitnessKey, JournalFault> {
    let text = read(path)?;
    WitnessKey::parse(&text).map_err(|fault| JournalFault::NoKey(path.to_owned(), fault))
}

fn seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, JournalFault> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|fault| place::refused(path, io::Error::other(fault)))?;
    Ok(seed)
}

fn read_key(path: &Path) -> Result<LogKey, JournalFault> {
    let text = read(path)?;
    LogKey::parse(&text).map_err(|fault| JournalFault::NoKey(path.to_owned(), fault))
}

fn read(path: &Path) -> Result<Zeroizing<String>, JournalFault> {
    let mut text = Zeroizing::new(String::with_capacity(512));
    let read =
        fs::File::open(path).and_then(|file| file.take(KEY_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            Err(JournalFault::LogKeyMissing(path.to_owned()))
        }
        Err(fault) => Err(place::refused(path, fault)),
    }
}

fn write_key(path: &Path, text: &str) -> Result<(), JournalFault> {
    place::private_folder(&place::folder_of(path))?;
    whole::put_new(path, text.as_bytes()).map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => JournalFault::KeyReady(path.to_owned()),
        _ => place::refused(path, fault),
    })
}
