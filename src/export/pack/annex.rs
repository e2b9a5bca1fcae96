//! The restricted annex: a bag of its own with what must not stand in the log. Who the codes stand for,
//! what people gave as their reasons, the files they handed in, details of errors by keyed digest. The
//! log holds digests of these files, and `log.closed` that of the annex's list.
//!
//! Not here: who may read it (the organisations decide).

use std::path::{Path, PathBuf};

use super::{PackFault, files};
use crate::export::bag::{Bag, BagWriter};
use crate::plan::digest::Digest;

/// What goes into an annex.
#[derive(Debug, Clone)]
pub struct Annex {
    /// The log's origin.
    pub origin: String,
    /// The run's folder: its parts are taken as they are.
    pub folder: PathBuf,
    /// Folders in it, each with files called by their digests.
    pub parts: Vec<&'static str>,
    /// `people.toml` as it was when the run was closed, where it was there.
    pub people: Option<Vec<u8>>,
}

const README: &str = include_str!("pages/annex.txt");

/// Writes an annex to `root`; the digest of its `manifest-sha256.txt`.
///
/// # Errors
/// When something cannot be read, or the bag cannot be written.
pub fn write(root: &Path, annex: &Annex) -> Result<Digest, PackFault> {
    let mut bag = BagWriter::new(root)?;
    bag.put(
        "README.txt",
        README.replace("{origin}", &annex.origin).as_bytes(),
    )?;
    if let Some(people) = &annex.people {
        bag.put("people.toml", people)?;
    }
    for part in &annex.parts {
        files::copy_all(&mut bag, part, &annex.folder.join(part))?;
    }
    Ok(bag.finish(&info(&annex.origin))?)
}

/// Writes an annex again that was made when its run was closed: the same files, the same digest.
///
/// # Errors
/// As [`write`], and when `kept` is no bag.
pub fn again(root: &Path, kept: &Path, origin: &str) -> Result<Digest, PackFault> {
    let kept = Bag::open(kept)?;
    let mut bag = BagWriter::new(root)?;
    for path in kept.paths() {
        if let Some(from) = kept.place(path) {
            files::copy(&mut bag, path, &from)?;
        }
    }
    Ok(bag.finish(&info(origin))?)
}

fn info(origin: &str) -> Vec<(&'static str, String)> {
    let says = "Restricted: names of people, their reasons and what they handed in";
    vec![
        (
            "Bag-Software-Agent",
            format!("Handover {}", env!("CARGO_PKG_VERSION")),
        ),
        ("External-Description", says.to_owned()),
        (
            "External-Identifier",
            format!("restricted-{}", origin.replace('/', "-")),
        ),
    ]
}
