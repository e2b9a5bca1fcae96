//! Who holds a lock on a database file, as the kernel tells it.
//!
//! In: a path. Out: a pid, where `/proc/locks` names one. Elsewhere than on Linux: nothing.
//!
//! Not here: waiting for a lock (`open` sets the patience).

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The process that holds a write lock on the database or its shared-memory file.
pub(in crate::orgdb) fn pid(path: &Path) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let inodes: Vec<u64> = ["-shm", ""]
        .iter()
        .filter_map(|suffix| inode(path, suffix))
        .collect();
    inodes.iter().find_map(|inode| holder(&locks, *inode))
}

fn inode(path: &Path, suffix: &str) -> Option<u64> {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    Some(std::fs::metadata(PathBuf::from(name)).ok()?.ino())
}

/// A line is `1: POSIX  ADVISORY  WRITE 4242 fd:01:131094 120 120`.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let suffix = format!(":{inode}");
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let write = words.get(3) == Some(&"WRITE");
        let here = words.get(5).is_some_and(|file| file.ends_with(&suffix));
        let pid = words.get(4)?.parse().ok();
        if write && here { pid } else { None }
    })
}
