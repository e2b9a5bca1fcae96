//! A run's log as files. An auditor needs no more, and none of our databases:
//!
//! ```text
//! steps.jsonl               the very bytes that the journal holds, with a line feed after each
//! papers/<sha256>           every file of every paper that the run was bound to
//! signed/<sha256>           every statement that was signed, and every signature
//! checkpoints/000000000011  every seal, with its witnesses' lines
//! ```
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
use crate::machine::event::Event;
use crate::machine::line;
use crate::plan::digest::Digest;
use crate::plan::papers::Papers;
use crate::seal::Seal;
use crate::seal::note::NOTE_BYTES_MAX;

const STEPS: &str = "steps.jsonl";
const PAPERS: &str = "papers";
const SIGNED: &str = "signed";
const SEALS: &str = "checkpoints";

/// A line of a log that comes from outside may be this long and no longer, line feed included.
const LINE_BYTES_MAX: u64 = 65_536;

impl Journal {
    /// Writes a run's log, papers, signatures and seals into `folder`, which must not hold a log yet; how many lines.
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
        let mut signed = Vec::new();
        while let Some(line) = lines.next().await? {
            out.write_all(&line.bytes).map_err(refused)?;
            out.write_all(b"\n").map_err(refused)?;
            signed.extend(named(&line.bytes));
        }
        let file = out
            .into_inner()
            .map_err(|fault| refused(fault.into_error()))?;
        place::durable(&file, folder).map_err(refused)?;
        for fingerprint in self.papers_of(run).await? {
            self.export_paper(fingerprint, &papers).await?;
        }
        self.export_signed(&signed, &folder.join(SIGNED)).await?;
        let size = lines.head().size;
        self.export_seals(run, size, &folder.join(SEALS)).await?;
        Ok(size)
    }

    async fn export_signed(&mut self, signed: &[Digest], to: &Path) -> Result<(), JournalFault> {
        for digest in signed {
            place::private_folder(to)?;
            write_blob(to, *digest, &self.blob(*digest).await?)?;
        }
        Ok(())
    }

    /// A run that goes on meanwhile seals more than the lines that were read.
    async fn export_seals(&mut self, run: Uuid, lines: u64, to: &Path) -> Result<(), JournalFault> {
        let seals = self.seals(run).await?;
        for stored in seals.iter().filter(|stored| stored.seal.head.size <= lines) {
            place::private_folder(to)?;
            let path = to.join(format!("{:012}", stored.seal.head.size));
            fs::write(&path, stored.seal.bytes()).map_err(|fault| place::refused(&path, fault))?;
        }
        Ok(())
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

/// The statement and the signature that an entry speaks of, where it is a signed decision.
fn named(line: &[u8]) -> Vec<Digest> {
    const TYPE: &[u8] = b"\"type\":\"approval.";
    if !line.windows(TYPE.len()).any(|window| window == TYPE) {
        return Vec::new();
    }
    let Ok(
        Event::ApprovalGranted(decision)
        | Event::ApprovalRefused(decision)
        | Event::ApprovalRevoked(decision),
    ) = line::parse(line).map(|entry| entry.event)
    else {
        return Vec::new();
    };
    let signed = decision.signed.map(|signed| signed.signature);
    signed.map_or(Vec::new(), |signature| vec![decision.statement, signature])
}

fn write_blob(folder: &Path, digest: Digest, bytes: &[u8]) -> Result<(), JournalFault> {
    let path = folder.join(digest.to_string());
    fs::write(&path, bytes).map_err(|fault| place::refused(&path, fault))
}

/// A file that a log names by its digest has this many bytes at most: papers are read by people.
const BLOB_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// More seals than a run of a hundred years makes; more are not looked at.
const SEALS_MAX: usize = 100_000;

/// A log that was exported: `steps.jsonl`, the files it names by their digests, and its seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFolder {
    /// None: no line of it is at hand.
    steps: Option<PathBuf>,
    files: Files,
    seals: Vec<PathBuf>,
}

/// Where the files of a log are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Files {
    /// In folders, each by its digest.
    Named([PathBuf; 2]),
    /// Wherever a list says.
    Listed(BTreeMap<Digest, PathBuf>),
}

impl LogFolder {
    /// A log whose parts stand elsewhere: its lines in `steps`, where they are at hand, its files where
    /// `files` says.
    #[must_use]
    pub fn listed(steps: Option<PathBuf>, files: BTreeMap<Digest, PathBuf>) -> LogFolder {
        LogFolder {
            steps,
            files: Files::Listed(files),
            seals: Vec::new(),
        }
    }

    /// The same with these files as its seals.
    #[must_use]
    pub fn sealed(self, mut seals: Vec<PathBuf>) -> LogFolder {
        seals.truncate(SEALS_MAX);
        LogFolder { seals, ..self }
    }

    /// A folder that holds a log.
    ///
    /// # Errors
    /// When there is no `steps.jsonl` in it.
    pub fn open(folder: &Path) -> Result<LogFolder, JournalFault> {
        let steps = folder.join(STEPS);
        match fs::metadata(&steps) {
            Ok(found) if found.is_file() => Ok(LogFolder {
                files: Files::Named([folder.join(PAPERS), folder.join(SIGNED)]),
                steps: Some(steps),
                seals: Vec::new(),
            }
            .sealed(files_in(&folder.join(SEALS))?)),
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
        let path = self.steps.clone().unwrap_or_default();
        let file = self.steps.as_ref().map(fs::File::open).transpose();
        let file = file.map_err(|fault| place::refused(&path, fault))?;
        let mut file = file.map(BufReader::new);
        let mut seq = 0;
        let mut whole = true;
        Ok(std::iter::from_fn(move || {
            let mut line = Vec::new();
            let file = file.as_mut().filter(|_| whole)?;
            let read = io::Read::take(file, LINE_BYTES_MAX).read_until(b'\n', &mut line);
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

    /// Its seals, each read when it is asked for; `None` is a file that is no seal.
    pub fn seals(&self) -> impl Iterator<Item = Option<Seal>> {
        let read = |path: &PathBuf| {
            let file = is_file(path).then(|| fs::File::open(path).ok())??;
            let mut bytes = Vec::new();
            // One byte more than a note may have, so that a longer one is none.
            let mut some = io::Read::take(file, NOTE_BYTES_MAX as u64 + 1);
            some.read_to_end(&mut bytes).ok()?;
            Seal::parse(&bytes).ok()
        };
        self.seals.iter().map(read)
    }

    /// A file by its digest.
    ///
    /// # Errors
    /// When it is missing or is not what its digest says.
    pub fn blob(&self, digest: Digest) -> Result<Vec<u8>, JournalFault> {
        let bytes = self.named(digest)?;
        if Digest::of(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(JournalFault::Blob(digest))
        }
    }

    /// What stands under that digest, whether it has it or not.
    ///
    /// # Errors
    /// When nothing does, or it cannot be read.
    pub fn named(&self, digest: Digest) -> Result<Vec<u8>, JournalFault> {
        let path = match &self.files {
            Files::Named(folders) => {
                let mut paths = folders.iter().map(|folder| folder.join(digest.to_string()));
                paths.find(|path| path.is_file())
            }
            Files::Listed(files) => files.get(&digest).cloned(),
        };
        let path = path.ok_or(JournalFault::Blob(digest))?;
        let refused = |fault| place::refused(&path, fault);
        let file = fs::File::open(&path).map_err(refused)?;
        let mut bytes = Vec::new();
        let read = io::Read::take(file, BLOB_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(refused)?;
        Ok(bytes)
    }

    /// The files of the paper with that fingerprint.
    ///
    /// # Errors
    /// When one is missing or is not what its digest says, or they are more than papers may be.
    pub fn papers(&self, fingerprint: Digest) -> Result<Papers, JournalFault> {
        let manifest = self.blob(fingerprint)?;
        let manifest = String::from_utf8(manifest).map_err(|_| JournalFault::Blob(fingerprint))?;
        let mut papers = Papers::default();
        for (digest, path) in listed(&manifest) {
            let bytes = self.blob(digest)?;
            if !papers.fits(bytes.len() as u64) {
                return Err(JournalFault::Blob(fingerprint));
            }
            papers.put(path.to_owned(), bytes);
        }
        Ok(papers)
    }
}

/// A file itself: whoever opens a pipe waits for ever.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// The files in a folder, in the order of their names; none where there is no folder.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, JournalFault> {
    let refused = |fault| place::refused(folder, fault);
    let entries = match fs::read_dir(folder) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(refused)?;
    paths.sort();
    Ok(paths)
}
