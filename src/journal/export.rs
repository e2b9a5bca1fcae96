//! A run's log as files: `steps.jsonl`, the very bytes that the journal holds with a line feed after
//! each, and `papers/<sha256>` for every file of every paper it was bound to. An auditor needs no
//! more, and none of our databases.
//!
//! Not here: what the log proves (`replay`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::fault::JournalFault;
use super::papers::listed;
use super::place;
use super::store::{Journal, digests};
use crate::plan::digest::Digest;
use crate::plan::papers::Papers;

const STEPS: &str = "steps.jsonl";
const PAPERS: &str = "papers";

/// A line of a log that comes from outside may be this long and no longer, line feed included.
const LINE_BYTES_MAX: u64 = 65_536;

impl Journal {
    /// Writes a run's log and papers into `folder`, which must not hold a log yet; how many lines.
    ///
    /// # Errors
    /// When the log is not what was written, a paper is missing, or `folder` cannot be written.
    pub async fn export_log(&mut self, run: Uuid, folder: &Path) -> Result<u64, JournalFault> {
        let papers = folder.join(PAPERS);
        place::private_folder(&papers)?;
        let path = folder.join(STEPS);
        let refused = |fault| place::refused(&path, fault);
        let mut lines = self.read(run).await?;
        let mut out = BufWriter::new(place::private_file(&path).map_err(refused)?);
        while let Some(line) = lines.next().await? {
            out.write_all(&line.bytes).map_err(refused)?;
            out.write_all(b"\n").map_err(refused)?;
        }
        let file = out
            .into_inner()
            .map_err(|fault| refused(fault.into_error()))?;
        place::durable(&file, folder).map_err(refused)?;
        for fingerprint in self.papers_of(run).await? {
            self.export_paper(fingerprint, &papers).await?;
        }
        Ok(lines.head().size)
    }

    async fn export_paper(&mut self, fingerprint: Digest, to: &Path) -> Result<(), JournalFault> {
        let manifest = self.blob(fingerprint).await?;
        let text = String::from_utf8_lossy(&manifest).into_owned();
        write_blob(to, fingerprint, &manifest)?;
        for (digest, _) in listed(&text) {
            write_blob(to, digest, &self.blob(digest).await?)?;
        }
        Ok(())
    }

    /// Fingerprints of every paper that a run was bound to.
    ///
    /// # Errors
    /// When there is no such run or the file cannot be read.
    pub async fn papers_of(&mut self, run: Uuid) -> Result<Vec<Digest>, JournalFault> {
        let head = self.head(run).await?;
        let refused = self.fault();
        let rows = sqlx::query("SELECT fingerprint FROM paper WHERE run = ? ORDER BY fingerprint")
            .bind(head.number)
            .fetch_all(&mut self.db)
            .await
            .map_err(&refused)?;
        digests(&rows, "fingerprint").map_err(refused)
    }
}

fn write_blob(folder: &Path, digest: Digest, bytes: &[u8]) -> Result<(), JournalFault> {
    let path = folder.join(digest.to_string());
    fs::write(&path, bytes).map_err(|fault| place::refused(&path, fault))
}

/// A file that a log names by its digest has this many bytes at most: papers are read by people.
const BLOB_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A log that was exported: `steps.jsonl`, and the files it names by their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFolder {
    steps: PathBuf,
    files: Files,
}

/// Where the files of a log are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Files {
    /// In a folder, each by its digest.
    Named(PathBuf),
    /// Wherever a list says.
    Listed(BTreeMap<Digest, PathBuf>),
}

impl LogFolder {
    /// A log whose parts stand elsewhere: its lines in `steps`, its files where `files` says.
    #[must_use]
    pub fn listed(steps: PathBuf, files: BTreeMap<Digest, PathBuf>) -> LogFolder {
        LogFolder {
            steps,
            files: Files::Listed(files),
        }
    }

    /// A folder that holds a log.
    ///
    /// # Errors
    /// When there is no `steps.jsonl` in it.
    pub fn open(folder: &Path) -> Result<LogFolder, JournalFault> {
        let steps = folder.join(STEPS);
        match fs::metadata(&steps) {
            Ok(found) if found.is_file() => Ok(LogFolder {
                files: Files::Named(folder.join(PAPERS)),
                steps,
            }),
            Ok(_) => Err(JournalFault::Missing(steps)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                Err(JournalFault::Missing(steps))
            }
            Err(fault) => Err(place::refused(&steps, fault)),
        }
    }

    /// Its lines in order, without line feeds, unchecked: whoever replays them judges the chain. A
    /// last line without a line feed, or one that is too long, ends them with a fault.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lines(
        &self,
    ) -> Result<impl Iterator<Item = Result<Vec<u8>, JournalFault>> + use<>, JournalFault> {
        let path = self.steps.clone();
        let file = fs::File::open(&path).map_err(|fault| place::refused(&path, fault))?;
        let mut file = BufReader::new(file);
        let mut seq = 0;
        let mut whole = true;
        Ok(std::iter::from_fn(move || {
            let mut line = Vec::new();
            let read = whole.then(|| {
                let mut some = io::Read::take(&mut file, LINE_BYTES_MAX);
                some.read_until(b'\n', &mut line)
            })?;
            whole = line.pop() == Some(b'\n');
            seq += 1;
            match read {
                Ok(0) => None,
                Ok(_) if whole => Some(Ok(line)),
                Ok(_) => Some(Err(JournalFault::Cut {
                    label: path.display().to_string(),
                    seq: seq - 1,
                })),
                Err(fault) => Some(Err(place::refused(&path, fault))),
            }
        }))
    }

    /// A file by its digest.
    ///
    /// # Errors
    /// When it is missing or is not what its digest says.
    pub fn blob(&self, digest: Digest) -> Result<Vec<u8>, JournalFault> {
        let path = match &self.files {
            Files::Named(folder) => folder.join(digest.to_string()),
            Files::Listed(files) => files
                .get(&digest)
                .ok_or(JournalFault::Blob(digest))?
                .clone(),
        };
        let refused = |fault| place::refused(&path, fault);
        let file = match fs::File::open(&path) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                return Err(JournalFault::Blob(digest));
            }
            opened => opened.map_err(refused)?,
        };
        let mut bytes = Vec::new();
        let read = io::Read::take(file, BLOB_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(refused)?;
        if Digest::of(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(JournalFault::Blob(digest))
        }
    }

    /// The files of the paper with that fingerprint.
    ///
    /// # Errors
    /// When one is missing or is not what its digest says.
    pub fn papers(&self, fingerprint: Digest) -> Result<Papers, JournalFault> {
        let manifest = self.blob(fingerprint)?;
        let manifest = String::from_utf8(manifest).map_err(|_| JournalFault::Blob(fingerprint))?;
        let mut papers = Papers::default();
        for (digest, path) in listed(&manifest) {
            papers.put(path.to_owned(), self.blob(digest)?);
        }
        Ok(papers)
    }
}
