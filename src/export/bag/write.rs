//! Writing a bag: under another name until it is whole, then by its own. Nothing in it depends on a
//! clock or on the order in which files came.
//!
//! Not here: which files there are (`pack`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{
    BAGIT, BagFault, DATA, DECLARATION, INFO, MANIFEST_256, MANIFEST_512, Summing, Sums,
    TAG_MANIFEST, hex, lawful,
};
use crate::plan::digest::Digest;

/// A bag that is being filled. Dropped before [`BagWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct BagWriter {
    root: PathBuf,
    unfinished: PathBuf,
    files: BTreeMap<String, Sums>,
    bytes: u64,
}

impl BagWriter {
    /// Where the bag for `root` stands while it is being filled.
    #[must_use]
    pub fn unfinished(root: &Path) -> PathBuf {
        let mut unfinished = root.as_os_str().to_owned();
        unfinished.push(".unfinished");
        PathBuf::from(unfinished)
    }

    /// Begins a bag that will stand at `root`, where there must be nothing yet; nor beside it what another
    /// writer left unfinished or is filling, which may be a stranger's.
    ///
    /// # Errors
    /// When there is something, or the file system refuses.
    pub fn new(root: &Path) -> Result<BagWriter, BagFault> {
        let unfinished = BagWriter::unfinished(root);
        for place in [root, &unfinished] {
            if place.symlink_metadata().is_ok() {
                return Err(BagFault::Exists(place.to_owned()));
            }
        }
        let refused = |fault| BagFault::Io(unfinished.clone(), fault);
        private_folder(&unfinished.join(DATA)).map_err(refused)?;
        Ok(BagWriter {
            root: root.to_owned(),
            unfinished,
            files: BTreeMap::new(),
            bytes: 0,
        })
    }

    /// Puts a file below `data/`.
    ///
    /// # Errors
    /// As [`BagWriter::stream`].
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BagFault> {
        self.stream(path, |file| {
            file.write_all(bytes)
                .map_err(|fault| BagFault::Io(PathBuf::from(path), fault))
        })
    }

    /// Puts a file below `data/`, as `write` writes it.
    ///
    /// # Errors
    /// When the path is not [`lawful`] or taken, when the file system refuses, or as `write` does.
    pub fn stream<E: From<BagFault>>(
        &mut self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let unlawful = |why| BagFault::Path {
            path: path.to_owned(),
            why,
        };
        lawful(path).map_err(unlawful)?;
        if self.files.contains_key(path) {
            return Err(unlawful("it stands there already").into());
        }
        let place = self.unfinished.join(DATA).join(path);
        let refused = |fault| BagFault::Io(place.clone(), fault);
        if let Some(folder) = place.parent() {
            private_folder(folder).map_err(refused)?;
        }
        let file = BufWriter::new(private_file(&place).map_err(refused)?);
        let mut summed = Summed {
            file,
            sums: Summing::default(),
            bytes: 0,
        };
        write(&mut summed)?;
        let file = summed.file.into_inner();
        let file = file.map_err(|fault| refused(fault.into_error()))?;
        file.sync_all().map_err(refused)?;
        self.bytes += summed.bytes;
        self.files.insert(path.to_owned(), summed.sums.end());
        Ok(())
    }

    /// The SHA-256 of a file that was put.
    #[must_use]
    pub fn digest(&self, path: &str) -> Option<Digest> {
        self.files.get(path).map(|sums| sums.sha256)
    }

    /// Paths and digests of what was put so far, in the order of paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, Digest)> {
        let files = self.files.iter();
        files.map(|(path, sums)| (path.as_str(), sums.sha256))
    }

    /// Writes the lists and gives the bag its name; the digest of `manifest-sha256.txt`, which stands
    /// for every file in it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn finish(self, info: &[(&str, String)]) -> Result<Digest, BagFault> {
        let oxum = format!("{}.{}", self.bytes, self.files.len());
        let info = info.iter().map(|(label, text)| (*label, text.as_str()));
        let info: String = info
            .chain([("Payload-Oxum", oxum.as_str())])
            .flat_map(|(label, text)| [label, ": ", text, "\n"])
            .collect();
        let short = self.listed(|sums| sums.sha256.to_string());
        let manifest = Digest::of(short.as_bytes());
        let mut tags = BTreeMap::new();
        for (name, text) in [
            (BAGIT, DECLARATION.to_owned()),
            (INFO, info),
            (MANIFEST_256, short),
            (MANIFEST_512, self.listed(|sums| hex(&sums.sha512))),
        ] {
            self.tag(name, &text)?;
            let mut sums = Summing::default();
            sums.take(text.as_bytes());
            tags.insert(name, hex(&sums.end().sha512));
        }
        let list = tags.iter();
        let list = list.flat_map(|(name, sum)| [sum.as_str(), "  ", name, "\n"]);
        self.tag(TAG_MANIFEST, &list.collect::<String>())?;
        let refused = |fault| BagFault::Io(self.root.clone(), fault);
        fs::rename(&self.unfinished, &self.root).map_err(refused)?;
        Ok(manifest)
    }

    fn listed(&self, sum: impl Fn(&Sums) -> String) -> String {
        let lines = self.files.iter();
        lines
            .flat_map(|(path, sums)| [sum(sums), format!("  {DATA}{path}\n")])
            .collect()
    }

    fn tag(&self, name: &str, text: &str) -> Result<(), BagFault> {
        let place = self.unfinished.join(name);
        let refused = |fault| BagFault::Io(place.clone(), fault);
        let mut file = private_file(&place).map_err(refused)?;
        file.write_all(text.as_bytes()).map_err(refused)?;
        file.sync_all().map_err(refused)
    }
}

impl Drop for BagWriter {
    fn drop(&mut self) {
        // Gone already where the bag was finished; what cannot be removed, the next call names.
        let _ = fs::remove_dir_all(&self.unfinished);
    }
}

/// A file that is summed as it is written.
struct Summed {
    file: BufWriter<fs::File>,
    sums: Summing,
    bytes: u64,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sums.take(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A pack is handed on by whoever made it, and read by nobody else on the machine before.
fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
