//! Reading a bag that somebody else had in hand: its folder is walked without following a link, its
//! lists are read strictly, every file is held against every list. What is wrong is named; nothing is
//! taken from a path that is not lawful.
//!
//! Not here: what the files mean (`pack`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{
    BAGIT, BagFault, DATA, DECLARATION, DEPTH_MAX, FILES_MAX, LIST_BYTES_MAX, MANIFEST_256,
    MANIFEST_512, Summing, Sums, TAG_FILES, TAG_MANIFEST, hex, lawful,
};
use crate::machine::shown::shown;
use crate::plan::digest::Digest;

/// Findings kept one by one; a hostile bag must not fill memory.
const FINDINGS_MAX: usize = 100;

/// Something about a bag that is not as its lists say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BagFinding {
    /// `BAG` (a file is not what the lists say) or `PATH` (it should not be there, by its name or kind).
    pub code: &'static str,
    /// Which file, from the bag's root, shortened and printable.
    pub path: String,
    /// What is wrong, in a sentence.
    pub says: &'static str,
}

/// A bag that was opened: which files there are, and what is wrong with its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    root: PathBuf,
    /// Lawful payload files that the SHA-256 list names and the folder holds, with their sizes.
    files: BTreeMap<String, File>,
    findings: Vec<BagFinding>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    sha256: Digest,
    bytes: u64,
}

impl Bag {
    /// Whether a bag stands there, or what somebody left of one.
    #[must_use]
    pub fn stands_at(root: &Path) -> bool {
        TAG_FILES.iter().any(|name| is_file(&root.join(name)))
    }

    /// Walks the folder and reads its lists; contents are read by [`Bag::check`].
    ///
    /// # Errors
    /// When there is no bag, it is beyond every limit, or the operating system refuses.
    pub fn open(root: &Path) -> Result<Bag, BagFault> {
        if !Bag::stands_at(root) {
            return Err(BagFault::NoBag(root.to_owned()));
        }
        let mut findings = Findings::default();
        let found = walk(root, &mut findings)?;
        let list = list(root, MANIFEST_256, &mut findings)?;
        let mut files = BTreeMap::new();
        for (path, sum) in &list {
            let Some(bytes) = found.get(path.as_str()) else {
                findings.bag(path, "the list of digests names it, and it is not there");
                continue;
            };
            match (path.strip_prefix(DATA), sum.parse()) {
                (Some(inner), Ok(sha256)) => {
                    let bytes = *bytes;
                    files.insert(inner.to_owned(), File { sha256, bytes });
                }
                _ => findings.bag(path, "no digest of a payload file"),
            }
        }
        for path in found.keys().filter(|path| path.starts_with(DATA)) {
            if !list.contains_key(path) {
                findings.bag(path, "no list of digests names it");
            }
        }
        Ok(Bag {
            root: root.to_owned(),
            files,
            findings: findings.0,
        })
    }

    /// Where it stands.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Paths below `data/`, in order: those that are listed, lawful and there.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The digest that the list gives a file; [`Bag::check`] says whether it has it.
    #[must_use]
    pub fn digest(&self, path: &str) -> Option<Digest> {
        self.files.get(path).map(|file| file.sha256)
    }

    /// Where a listed file is.
    #[must_use]
    pub fn place(&self, path: &str) -> Option<PathBuf> {
        let known = self.files.contains_key(path);
        known.then(|| self.root.join(DATA).join(path))
    }

    /// A listed file's bytes, none where there is no such file.
    ///
    /// # Errors
    /// When it is larger than `most` bytes, or cannot be read.
    pub fn read(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, BagFault> {
        match self.place(path) {
            Some(place) => read_whole(&place, most).map(Some),
            None => Ok(None),
        }
    }

    /// What the bag says of itself (`bag-info.txt`); nothing where it cannot be read.
    #[must_use]
    pub fn info(&self) -> String {
        let info = read_whole(&self.root.join(super::INFO), LIST_BYTES_MAX);
        String::from_utf8_lossy(&info.unwrap_or_default()).into_owned()
    }

    /// The digest of the list that stands for every file (`manifest-sha256.txt`).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn manifest(&self) -> Result<Digest, BagFault> {
        Ok(sums(&self.root.join(MANIFEST_256))?.sha256)
    }

    /// Places of listed files by their digests: what a log's papers are found by.
    #[must_use]
    pub fn by_digest(&self) -> BTreeMap<Digest, PathBuf> {
        let files = self.files.iter();
        files
            .map(|(path, file)| (file.sha256, self.root.join(DATA).join(path)))
            .collect()
    }

    /// What is wrong with the form of the bag, at most a hundred.
    #[must_use]
    pub fn findings(&self) -> &[BagFinding] {
        &self.findings
    }

    /// Reads every byte of the bag and holds it against every list; what is wrong with form or content,
    /// at most a hundred.
    ///
    /// # Errors
    /// When a list is beyond every limit or the operating system refuses.
    pub fn check(&self) -> Result<Vec<BagFinding>, BagFault> {
        let mut findings = Findings(self.findings.clone());
        let long = list(&self.root, MANIFEST_512, &mut findings)?;
        let (here, there): (BTreeSet<&str>, BTreeSet<&str>) = (
            self.files.keys().map(String::as_str).collect(),
            long.keys()
                .filter_map(|path| path.strip_prefix(DATA))
                .collect(),
        );
        for path in here.symmetric_difference(&there) {
            findings.bag(path, "one list of digests names it and the other does not");
        }
        let mut payload = 0;
        for (path, file) in &self.files {
            payload += file.bytes;
            let place = self.root.join(DATA).join(path);
            let sums = sums(&place)?;
            let listed = long.get(&format!("{DATA}{path}"));
            let fits = sums.sha256 == file.sha256
                && listed.is_none_or(|listed| *listed == hex(&sums.sha512));
            if !fits {
                findings.bag(
                    path,
                    "it was changed: its digest is another than the list's",
                );
            }
        }
        self.check_tags(&mut findings)?;
        let oxum = format!("Payload-Oxum: {payload}.{}", self.files.len());
        if !self.info().lines().any(|line| line == oxum) {
            findings.bag(super::INFO, "it tells another number of files or bytes");
        }
        Ok(findings.0)
    }

    /// The lists themselves are listed once more.
    fn check_tags(&self, findings: &mut Findings) -> Result<(), BagFault> {
        let tags = list(&self.root, TAG_MANIFEST, findings)?;
        let named = tags.keys().map(String::as_str).chain([TAG_MANIFEST]);
        let named: BTreeSet<&str> = named.collect();
        if named != BTreeSet::from(TAG_FILES) {
            findings.bag(
                TAG_MANIFEST,
                "it does not name exactly the files beside `data`",
            );
        }
        for (name, sum) in &tags {
            let place = self.root.join(name);
            let fits = TAG_FILES.contains(&name.as_str())
                && is_file(&place)
                && hex(&sums(&place)?.sha512) == *sum;
            if !fits {
                findings.bag(
                    name,
                    "it was changed: its digest is another than the list's",
                );
            }
        }
        let declared = read_whole(&self.root.join(BAGIT), LIST_BYTES_MAX);
        if !declared.is_ok_and(|declared| declared == DECLARATION.as_bytes()) {
            findings.bag(BAGIT, "it declares something else than BagIt 1.0");
        }
        Ok(())
    }
}

#[derive(Default)]
struct Findings(Vec<BagFinding>);

impl Findings {
    fn bag(&mut self, path: &str, says: &'static str) {
        self.note("BAG", path, says);
    }

    fn note(&mut self, code: &'static str, path: &str, says: &'static str) {
        if self.0.len() < FINDINGS_MAX {
            let path = shown(&path.chars().take(200).collect::<String>());
            self.0.push(BagFinding { code, path, says });
        }
    }
}

/// Every regular file with a lawful name, by its path from the root, and its size. Links, devices and
/// odd names are findings and are not gone into.
fn walk(root: &Path, findings: &mut Findings) -> Result<BTreeMap<String, u64>, BagFault> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    let mut seen = 0;
    while let Some(under) = folders.pop() {
        let folder = root.join(&under);
        let refused = |fault| BagFault::Io(folder.clone(), fault);
        for entry in fs::read_dir(&folder).map_err(refused)? {
            seen += 1;
            if seen > FILES_MAX {
                let why = "more than 200,000 files and folders";
                return Err(BagFault::TooLarge {
                    path: root.to_owned(),
                    why,
                });
            }
            let entry = entry.map_err(refused)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{under}{name}");
            let kind = entry.file_type().map_err(refused)?;
            if let Err(why) = belongs(&path, kind) {
                findings.note("PATH", &path, why);
            } else if kind.is_dir() {
                folders.push(format!("{path}/"));
            } else {
                found.insert(path, entry.metadata().map_err(refused)?.len());
            }
        }
    }
    Ok(found)
}

fn belongs(path: &str, kind: fs::FileType) -> Result<(), &'static str> {
    if kind.is_symlink() {
        return Err("it is a link: a pack stands alone");
    }
    if !kind.is_dir() && !kind.is_file() {
        return Err("it is neither a file nor a folder");
    }
    match path.strip_prefix(DATA) {
        Some(inner) if kind.is_dir() && inner.split('/').count() >= DEPTH_MAX => {
            Err("it is more than 8 folders deep")
        }
        Some(inner) => lawful(inner),
        None if kind.is_dir() && path == "data" => Ok(()),
        None if kind.is_file() && TAG_FILES.contains(&path) => Ok(()),
        None => Err("it stands beside the pack's own files"),
    }
}

/// Paths and digests (lower-case hexadecimal, as written) of a list. Its lines are `<digest>  <path>`, in
/// the order of paths; any other line is a finding.
fn list(
    root: &Path,
    name: &str,
    findings: &mut Findings,
) -> Result<BTreeMap<String, String>, BagFault> {
    let place = root.join(name);
    if !is_file(&place) {
        findings.bag(name, "a list of digests is not there");
        return Ok(BTreeMap::new());
    }
    let bytes = read_whole(&place, LIST_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut listed: BTreeMap<String, String> = BTreeMap::new();
    for line in text.split_inclusive('\n') {
        let read = line
            .strip_suffix('\n')
            .and_then(|line| line.split_once("  "));
        let last = listed.last_key_value().map(|(path, _)| path.as_str());
        match read {
            Some((sum, path)) if is_sum(sum, name) && last.is_none_or(|last| last < path) => {
                let inner = path.strip_prefix(DATA);
                if let Some(Err(why)) = inner.map(lawful) {
                    findings.note("PATH", path, why);
                } else if inner.is_none() && !TAG_FILES.contains(&path) {
                    findings.note("PATH", path, "it stands outside the pack");
                } else {
                    listed.insert(path.to_owned(), sum.to_owned());
                }
            }
            _ => findings.bag(name, "a line that is no digest and path, or out of order"),
        }
    }
    Ok(listed)
}

fn is_sum(sum: &str, list: &str) -> bool {
    let digits = if list == MANIFEST_256 { 64 } else { 128 };
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    sum.len() == digits && sum.bytes().all(digit)
}

/// A file itself, behind no link.
fn is_file(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|found| found.is_file())
}

/// Opens a file and nothing else: whoever opens a pipe waits for ever.
fn open(place: &Path) -> io::Result<fs::File> {
    if is_file(place) {
        fs::File::open(place)
    } else {
        Err(io::Error::other("it is no file"))
    }
}

fn read_whole(place: &Path, most: u64) -> Result<Vec<u8>, BagFault> {
    let refused = |fault| BagFault::Io(place.to_owned(), fault);
    let file = open(place).map_err(refused)?;
    let too_large = || BagFault::TooLarge {
        path: place.to_owned(),
        why: "larger than a file of its kind may be",
    };
    // What is too long is not read at all; what grows meanwhile, no further.
    if file.metadata().map_err(refused)?.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(refused)?;
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

fn sums(place: &Path) -> Result<Sums, BagFault> {
    let refused = |fault| BagFault::Io(place.to_owned(), fault);
    let mut file = BufReader::with_capacity(64 * 1024, open(place).map_err(refused)?);
    let mut sums = Summing::default();
    let mut some = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut some).map_err(refused)?;
        if read == 0 {
            return Ok(sums.end());
        }
        sums.take(&some[..read]);
    }
}
