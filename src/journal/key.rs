//! The run key's file: 32 random bytes that must be there before the log says so, and that no other
//! run may use.
//!
//! Not here: what is derived from the key (`machine::key`).

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::fault::JournalFault;
use super::{place, whole};
use crate::machine::key::RunKey;
use crate::plan::digest::Digest;

/// Its name in the run's folder.
const NAME: &str = "run.key";

/// Draws the key of a run into `run.key` (mode 0600) in `folder` (made with 0700); durable on return.
///
/// # Errors
/// When there is a key already, or the folder cannot be written.
pub fn create_key(folder: &Path) -> Result<RunKey, JournalFault> {
    place::private_folder(folder)?;
    let path = folder.join(NAME);
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())
        .map_err(|fault| place::refused(&path, io::Error::other(fault)))?;
    whole::put_new(&path, bytes.as_ref()).map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => JournalFault::KeyExists(path.clone()),
        _ => place::refused(&path, fault),
    })?;
    Ok(RunKey::new(*bytes))
}

/// The key in the folder of a run whose log was never opened.
///
/// # Errors
/// When it is missing or cut.
pub fn adopt_key(folder: &Path) -> Result<RunKey, JournalFault> {
    read_key(&folder.join(NAME))
}

/// Loads the key of a run and compares it with the commitment that `log.opened` holds.
///
/// # Errors
/// When it is missing, cut, or another run's.
pub fn load_key(folder: &Path, commitment: Digest) -> Result<RunKey, JournalFault> {
    let path = folder.join(NAME);
    let key = read_key(&path)?;
    if key.commitment() == commitment {
        Ok(key)
    } else {
        Err(JournalFault::KeyWrong(path))
    }
}

fn read_key(path: &Path) -> Result<RunKey, JournalFault> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(33));
    match fs::File::open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            return Err(JournalFault::KeyMissing(path.to_owned()));
        }
        Err(fault) => return Err(place::refused(path, fault)),
        // One more than it should be: a longer file is no key.
        Ok(file) => file.take(33).read_to_end(&mut bytes),
    }
    .map_err(|fault| place::refused(path, fault))?;
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(RunKey::new(bytes)),
        Err(_) => Err(JournalFault::KeyWrong(path.to_owned())),
    }
}

/// Destroys the key of a run: its bytes are written over and the file goes. Undo and the
/// verification of rows end with it; the log itself still verifies.
///
/// # Errors
/// When it is missing or cannot be written.
pub fn destroy_key(folder: &Path) -> Result<(), JournalFault> {
    let path = folder.join(NAME);
    let destroy = || {
        let mut file = fs::OpenOptions::new().write(true).open(&path)?;
        file.write_all(&[0; 32])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        place::durable_name(folder)
    };
    destroy().map_err(|fault| match fault.kind() {
        io::ErrorKind::NotFound => JournalFault::KeyMissing(path.clone()),
        _ => place::refused(&path, fault),
    })
}
