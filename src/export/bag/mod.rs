//! A folder whose every file is listed with its digests: `BagIt` 1.0 (RFC 8493), so that `sha256sum -c`
//! and any archive's tools can check it.
//!
//! In and out: [`BagWriter`] makes one, whole or not at all; [`Bag`] reads one from a stranger, with
//! strict limits.
//!
//! Not here: what the files mean (`pack`).

use std::io;
use std::path::PathBuf;

use sha2::{Sha256, Sha512};

mod read;
mod write;

pub use read::{Bag, BagFinding};
pub use write::BagWriter;

use crate::plan::digest::{Digest, push_hex};

/// What the bag declaration says, exactly.
const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

const BAGIT: &str = "bagit.txt";
const INFO: &str = "bag-info.txt";
const MANIFEST_256: &str = "manifest-sha256.txt";
const MANIFEST_512: &str = "manifest-sha512.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha512.txt";

/// The files beside `data/`, in the order of names; the last lists the others.
const TAG_FILES: [&str; 5] = [INFO, BAGIT, MANIFEST_256, MANIFEST_512, TAG_MANIFEST];

/// Where the payload stands.
const DATA: &str = "data/";

/// Files in a bag, at most: a run of a hundred thousand entries has a few thousand.
const FILES_MAX: usize = 200_000;

/// A list of that many files, at most.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Longest name of one file or folder.
const NAME_BYTES_MAX: usize = 100;

/// Longest path below `data/`, and deepest.
const PATH_BYTES_MAX: usize = 200;
const DEPTH_MAX: usize = 8;

/// The only names with capital letters: those that people look for.
const CAPITALS: [&str; 3] = ["README.txt", "VERIFY.md", "SPEC.md"];

/// A bag that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BagFault {
    /// Something stands there already.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// There is no bag there.
    #[error("`{}` is no BagIt folder: it holds no `bagit.txt`", .0.display())]
    NoBag(PathBuf),
    /// A path that no bag of ours holds.
    #[error("`{path}` cannot stand in a pack: {why}")]
    Path {
        /// The path below `data/`.
        path: String,
        /// Why not.
        why: &'static str,
    },
    /// More than anybody would pack.
    #[error("`{}` is too large: {why}", .path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// Which limit.
        why: &'static str,
    },
    /// The operating system refused.
    #[error("`{}` cannot be used", .0.display())]
    Io(PathBuf, #[source] io::Error),
}

/// Both digests of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sums {
    sha256: Digest,
    sha512: [u8; 64],
}

/// Both digests as bytes come by.
#[derive(Clone, Default)]
struct Summing {
    sha256: Sha256,
    sha512: Sha512,
}

impl Summing {
    fn take(&mut self, bytes: &[u8]) {
        use sha2::Digest as _;
        self.sha256.update(bytes);
        self.sha512.update(bytes);
    }

    fn end(self) -> Sums {
        use sha2::Digest as _;
        Sums {
            sha256: Digest(self.sha256.finalize().into()),
            sha512: self.sha512.finalize().into(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut digits, bytes);
    String::from_utf8(digits).unwrap_or_default()
}

/// May a file of a bag have this path? Relative, no `..`, lower-case ASCII letters, digits and `. _ - =`
/// (three well-known names apart), so that every file system keeps it as it is and no two differ by case
/// alone.
///
/// # Errors
/// Why not.
pub fn lawful(path: &str) -> Result<(), &'static str> {
    if path.len() > PATH_BYTES_MAX {
        return Err("its path is longer than 200 bytes");
    }
    if path.split('/').count() > DEPTH_MAX {
        return Err("it is more than 8 folders deep");
    }
    path.split('/').try_for_each(lawful_name)
}

fn lawful_name(name: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'=');
    if name.is_empty() {
        return Err("it is absolute, or has an empty part");
    }
    if name.len() > NAME_BYTES_MAX {
        return Err("a name in it is longer than 100 bytes");
    }
    if name.starts_with('.') || name.ends_with('.') {
        return Err("a name in it begins or ends with a full stop");
    }
    if !CAPITALS.contains(&name) && !name.bytes().all(plain) {
        return Err("it has more than lower-case letters, digits and `. _ - =`");
    }
    let stem = name.split('.').next().unwrap_or_default();
    if device(stem) {
        return Err("Windows keeps a name in it for a device");
    }
    Ok(())
}

/// Names that Windows gives to devices, whatever ending follows.
fn device(stem: &str) -> bool {
    let port = |head: &str| {
        let number = stem.strip_prefix(head);
        number.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
    };
    matches!(stem, "con" | "prn" | "aux" | "nul") || port("com") || port("lpt")
}

#[cfg(test)]
mod tests {
    use super::lawful;

    #[test]
    fn a_path_that_leaves_the_pack_or_means_another_file_elsewhere_is_not_lawful() {
        let bad = [
            "",
            "/etc/passwd",
            "../steps.jsonl",
            "log/../../x",
            "log//x",
            "log/.hidden",
            "Log/steps.jsonl",
            "plan/été.md",
            "c:\\x",
            "log/nul.txt",
            "log/com1",
            "a/b/c/d/e/f/g/h/i",
            "log/x ",
            "log/steps.",
        ];
        for path in bad {
            assert!(lawful(path).is_err(), "{path}");
        }
        for path in [
            "README.txt",
            "log/steps.jsonl",
            "log/tile/0/x001/234.p/7",
            "com10",
        ] {
            assert_eq!(lawful(path), Ok(()), "{path}");
        }
    }
}
