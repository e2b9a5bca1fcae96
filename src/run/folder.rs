//! The run's folder beside the journal: statements, evidence, restricted details, the outbox. What
//! lies here holds names and reasons; the log holds digests of it.

use std::io;
use std::path::{Path, PathBuf};

use crate::journal::{For, put_whole};
use crate::plan::digest::Digest;

/// `.handover/<run>/`
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

/// Words of people about decisions, as JSON.
pub const STATEMENTS: &str = "statements";
/// Files that were handed in.
pub const EVIDENCE: &str = "evidence";
/// What must not stand in the log: differing rows, by keyed digests.
pub const DETAILS: &str = "details";
/// Rows of the ledgers, kept when the run is closed and the ledgers go.
pub const EFFECTS: &str = "effects";
/// Time-stamps over seals.
pub const ANCHORS: &str = "anchors";
/// The restricted annex, as it was when the run was closed.
pub const ANNEX: &str = "annex";

impl RunFolder {
    /// The folder of a run, below the journal's own.
    #[must_use]
    pub fn new(path: PathBuf) -> RunFolder {
        RunFolder(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps `bytes` durably in a part of the folder, under their digest; twice is once.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn keep(&self, part: &str, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        let folder = self.0.join(part);
        private_folder(&folder)?;
        let name = digest.to_string();
        if !folder.join(&name).exists() {
            put_whole(&folder.join(&name), bytes, For::Owner)?;
        }
        Ok(digest)
    }

    /// Keeps a file by a name of ours, whole or not at all; an older one of that name goes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        private_folder(&self.0)?;
        put_whole(&self.0.join(name), bytes, For::Owner)
    }

    /// Keeps a file by a name of ours in a part of the folder, whole or not at all; an older one goes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn put_in(&self, part: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.0.join(part);
        private_folder(&folder)?;
        put_whole(&folder.join(name), bytes, For::Owner)
    }

    /// Where the file of that name is, if it is there.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<PathBuf> {
        Some(self.0.join(name)).filter(|path| path.is_file())
    }

    /// What was kept under `digest`, held against it.
    ///
    /// # Errors
    /// When it is not there or is not what was kept.
    pub fn fetch(&self, part: &str, digest: &Digest) -> io::Result<Vec<u8>> {
        let bytes = std::fs::read(self.0.join(part).join(digest.to_string()))?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file is not what was kept",
            ))
        }
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
