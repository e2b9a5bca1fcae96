//! Paper files by path and digest: what a signature binds to and what a journal stores.
//!
//! Not here: where they are stored (`journal`), what they say (`read`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bounded;
use super::digest::Digest;
use super::people::nameless;

/// Files that may enter the paper, and how large one may be: a plan is read by people.
const ENDINGS: [&str; 4] = ["toml", "md", "txt", "csv"];
/// Files of such endings that say nothing about a plan; the last three are what `export` wrote.
const NO_PAPERS: [&str; 5] = [
    "README.md",
    "handover.toml",
    "reconciliation.txt",
    "reconciliation.csv",
    "events.csv",
];
/// A folder that holds this is a bag, such as an evidence pack: no part of a plan.
const BAG: &str = "bagit.txt";
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Files in a plan folder, at most.
pub const FILES_MAX: usize = 500;
const FOLDER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Every file of a plan folder that counts, by its path in the folder (`/` between parts).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Papers(BTreeMap<String, Arc<[u8]>>);

/// A plan folder that cannot be read as one.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    /// There is no such folder, or it holds no plan.
    #[error("there is no plan at `{}`", .0.display())]
    NoPlan(PathBuf),
    /// The operating system refused.
    #[error("`{}` cannot be read", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// Larger than any paper should be.
    #[error("`{}` is too large for a paper: at most {FILES_MAX} files of {FILE_BYTES_MAX} bytes, {FOLDER_BYTES_MAX} in all", .0.display())]
    TooLarge(PathBuf),
}

impl Papers {
    /// Reads every paper file below `folder`: TOML, Markdown, text and CSV; hidden ones, `README.md`
    /// and our own settings `handover.toml` left out. Links are not followed. `folder` may also be
    /// the path of the `plan.toml` in it.
    ///
    /// # Errors
    /// When the folder holds no `plan.toml`, cannot be read, or is too large.
    pub fn open(folder: &Path) -> Result<Papers, FolderFault> {
        let folder = folder_of(folder);
        let mut papers = Papers::default();
        papers.gather(folder, "")?;
        if papers.get("plan.toml").is_none() {
            return Err(FolderFault::NoPlan(folder.to_owned()));
        }
        Ok(papers)
    }

    fn gather(&mut self, folder: &Path, under: &str) -> Result<(), FolderFault> {
        let refused = |fault| FolderFault::Read(folder.to_owned(), fault);
        let entries = match std::fs::read_dir(folder) {
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => {
                return Err(FolderFault::NoPlan(folder.to_owned()));
            }
            entries => entries.map_err(refused)?,
        };
        for entry in entries {
            let entry = entry.map_err(refused)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(refused)?;
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                if !entry.path().join(BAG).is_file() {
                    self.gather(&entry.path(), &format!("{under}{name}/"))?;
                }
            } else if kind.is_file() && counts(&name) {
                self.take(&entry.path(), format!("{under}{name}"))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &Path, name: String) -> Result<(), FolderFault> {
        let read = bounded::read(path, FILE_BYTES_MAX);
        let bytes = read.map_err(|fault| FolderFault::Read(path.to_owned(), fault))?;
        let fits = bytes.filter(|bytes| self.fits(bytes.len() as u64));
        let bytes = fits.ok_or_else(|| FolderFault::TooLarge(path.to_owned()))?;
        self.put(name, bytes);
        Ok(())
    }

    /// Whether one more file of that many bytes is no more than papers may be.
    #[must_use]
    pub fn fits(&self, bytes: u64) -> bool {
        let held: u64 = self.0.values().map(|file| file.len() as u64).sum();
        bytes <= FILE_BYTES_MAX && self.0.len() < FILES_MAX && held + bytes <= FOLDER_BYTES_MAX
    }

    /// Adds or replaces one file.
    pub fn put(&mut self, path: String, bytes: Vec<u8>) {
        self.0.insert(path, bytes.into());
    }

    /// One file's bytes.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(AsRef::as_ref)
    }

    /// One file as text, as it is read: without a byte-order mark, wrong bytes shown as such.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        let text = String::from_utf8_lossy(self.get(path)?);
        Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    /// Keeps the files whose path `counts`.
    pub fn keep(&mut self, counts: impl Fn(&str) -> bool) {
        self.0.retain(|path, _| counts(path));
    }

    /// What a journal stores and what the fingerprint is made of: every file's bytes, `people.toml`
    /// without its names.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<String, Arc<[u8]>> {
        let mut kept = self.0.clone();
        if let Some(people) = self.get("people.toml").and_then(nameless) {
            kept.insert("people.toml".to_owned(), people.into_bytes().into());
        }
        kept
    }

    /// The paper fingerprint: the digest of the manifest of what is kept.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let kept = self.kept();
        let digests = kept
            .into_iter()
            .map(|(path, bytes)| (path, Digest::of(&bytes)));
        Digest::of(manifest(digests).as_bytes())
    }

    /// Paths and bytes in the order of paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_ref()))
    }
}

/// The plan folder that `path` means: itself, or where it is a `plan.toml`, the folder around it.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    if path.file_name().is_some_and(|name| name == "plan.toml") && path.is_file() {
        let around = path.parent().unwrap_or(path);
        return if around.as_os_str().is_empty() {
            Path::new(".")
        } else {
            around
        };
    }
    path
}

/// The plan's name: that of its folder.
#[must_use]
pub fn name_of(path: &Path) -> String {
    let folder = folder_of(path);
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.file_name().map_or_else(
        || "plan".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn counts(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.contains(&ending) && !NO_PAPERS.contains(&name)
}

/// One line of the manifest per file, `<sha256>  <path>\n` in the order of paths: what the paper
/// fingerprint is the digest of. `people.toml` stands in it without its names.
#[must_use]
pub fn manifest(files: impl IntoIterator<Item = (String, Digest)>) -> String {
    let sorted: BTreeMap<String, Digest> = files.into_iter().collect();
    sorted
        .iter()
        .map(|(path, digest)| format!("{digest}  {path}\n"))
        .collect::<Vec<String>>()
        .concat()
}
