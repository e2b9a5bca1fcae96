//! The papers of a log in a pack: each paper's manifest as `plan/NN.sha256`, its files below `plan/NN/`.
//!
//! The manifest's lines are `<sha256>  <path>`, so `sha256sum -c` checks the files, and the manifest's own
//! SHA-256 is the fingerprint that stands as `plan` in every entry. A file whose path cannot stand in a
//! pack stands below `by-digest/`, called what its line begins with.

use super::PackFault;
use crate::export::bag::{BagWriter, lawful};
use crate::journal::{JournalFault, LogFolder};
use crate::plan::digest::Digest;

/// Puts one paper, the `number`-th from 1; true when it is there.
///
/// # Errors
/// When the bag cannot be written, or a file is not what the manifest says.
pub(super) fn put(
    bag: &mut BagWriter,
    log: &LogFolder,
    number: usize,
    fingerprint: Digest,
) -> Result<bool, PackFault> {
    let manifest = match log.blob(fingerprint) {
        Ok(manifest) => manifest,
        Err(JournalFault::Blob(_)) => return Ok(false),
        Err(fault) => return Err(fault.into()),
    };
    bag.put(&format!("plan/{number:02}.sha256"), &manifest)?;
    let papers = log.papers(fingerprint)?;
    for (path, bytes) in papers.iter() {
        let place = place(number, path, Digest::of(bytes));
        if bag.digest(&place).is_none() {
            bag.put(&place, bytes)?;
        }
    }
    Ok(true)
}

/// Where a file of the `number`-th paper stands.
pub(super) fn place(number: usize, path: &str, digest: Digest) -> String {
    let own = format!("plan/{number:02}/{path}");
    if lawful(&own).is_ok() {
        own
    } else {
        format!("plan/{number:02}/by-digest/{digest}")
    }
}
