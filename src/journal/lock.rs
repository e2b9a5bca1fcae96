//! Kernel locks on claim files: the kernel frees them when their process ends, however it ends.
//!
//! Not here: what a lock entitles to (`claim`).

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::JournalFault;
use super::place;

/// `status` glances at a claim file with a lock that lasts microseconds: a claimer looks this often,
/// this far apart, before it believes that the file is held.
const GLANCES_MAX: u32 = 4;
const GLANCE: Duration = Duration::from_millis(5);

/// A claim file that this process has locked; the lock goes with the value.
#[derive(Debug)]
pub(super) struct ClaimFile {
    path: PathBuf,
    _file: File,
}

impl ClaimFile {
    /// Locks the file of `epoch` and writes our pid into it; none where another process has it.
    pub(super) async fn take(folder: &Path, epoch: u64) -> Result<Option<ClaimFile>, JournalFault> {
        let path = claim_path(folder, epoch);
        let refused = |fault| place::refused(&path, fault);
        let opened = place::private_options()
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = opened.map_err(refused)?;
        let mut glances = 0;
        while !lock(&file).map_err(refused)? {
            if glances == GLANCES_MAX {
                return Ok(None);
            }
            glances += 1;
            tokio::time::sleep(GLANCE).await;
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(refused)?;
        Ok(Some(ClaimFile { path, _file: file }))
    }

    /// Takes the file of an epoch that has passed out of the folder.
    pub(super) fn remove(self) {
        // One that stays is harmless: the lease row no longer names its epoch.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether another process holds the file: by a glance, a shared lock that ends at once.
pub(super) fn is_locked(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(fault)) => Err(fault),
        },
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// True if the lock is ours now; std's locks are the kernel's `flock` on Linux and macOS.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(fault)) => Err(fault),
    }
}

/// The file whose lock says that the holder of `epoch` is alive.
pub(super) fn claim_path(folder: &Path, epoch: u64) -> PathBuf {
    folder.join(format!("claim.{epoch}.lock"))
}

/// The process that locked the file last; 0 where it does not say.
pub(super) fn pid_in(path: &Path) -> u32 {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(20).read_to_string(&mut text));
    read.ok()
        .and_then(|_| text.trim().parse().ok())
        .unwrap_or_default()
}
