//! Writing a pack: evidence first, then what explains it, then what is derived from it.
//!
//! Not here: which bytes a view or a report has.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::facts::{self, Facts};
use super::{PackFault, at, derived, description, files, pages, papers, seals};
use crate::export::bag::BagWriter;
use crate::journal::LogFolder;
use crate::machine::schema;
use crate::plan::digest::Digest;
use crate::seal::Seal;

/// What was kept beside the log and goes into a pack.
#[derive(Debug, Default)]
pub struct Beside {
    /// Seals, smallest first.
    pub seals: Vec<Seal>,
    /// Signed decisions, by the entry that records each.
    pub signed: BTreeMap<u64, Signed>,
    /// The folder with the ledgers' rows and the list of their digests, kept when the run was closed; left
    /// out where the log does not vouch for it.
    pub effects: Option<PathBuf>,
    /// The schema of entries that the log was opened with, where it is not today's.
    pub schema: Option<Vec<u8>>,
    /// Files by their path in the pack: time-stamps. A key or a policy among them stands instead of the
    /// one that the log gives.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A statement and the detached signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The very bytes that were signed.
    pub statement: Vec<u8>,
    /// The OpenSSH signature, armoured.
    pub signature: Vec<u8>,
}

/// A pack that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// How many entries its log has.
    pub size: u64,
    /// Digest of the last line: what to note down outside.
    pub head: Digest,
    /// Digest of the pack's `manifest-sha256.txt`: what stands for every file in it.
    pub manifest: Digest,
}

/// Writes the pack of a log to `root`, where there must be nothing yet.
///
/// # Errors
/// When the log cannot be read, a paper is not what its digest says, or the folder cannot be written.
pub fn write(root: &Path, log: &LogFolder, beside: &Beside) -> Result<Packed, PackFault> {
    let facts = facts::read(log)?;
    let mut bag = BagWriter::new(root)?;
    bag.stream(at::STEPS, |out| steps(log, out))?;
    // A run that goes on seals more than the lines that were read.
    let seals = beside.seals.iter();
    let seals: Vec<Seal> = seals
        .filter(|seal| seal.head.size <= facts.size)
        .cloned()
        .collect();
    seals::put(&mut bag, log, &seals)?;
    for (number, fingerprint) in (1..).zip(&facts.papers) {
        papers::put(&mut bag, log, number, *fingerprint)?;
    }
    for (seq, signed) in &beside.signed {
        bag.put(&format!("approvals/{seq}.json"), &signed.statement)?;
        bag.put(&format!("approvals/{seq}.json.sig"), &signed.signature)?;
    }
    let vouched = facts
        .closed
        .as_ref()
        .is_some_and(|closed| closed.effects.is_some());
    if let Some(folder) = beside.effects.as_ref().filter(|_| vouched) {
        files::copy_listed(&mut bag, at::EFFECTS, folder)?;
    }
    for (path, bytes) in &beside.files {
        bag.put(path, bytes)?;
    }
    if let Some(schema) = schema_of(&facts, beside) {
        bag.put(at::SCHEMA, &schema)?;
    }
    derived::put(&mut bag, log, &facts)?;
    let has = |folder: &str| bag.files().any(|(path, _)| path.starts_with(folder));
    for (path, text) in pages::newest(&facts, &has) {
        bag.put(path, text.as_bytes())?;
    }
    let described = description::of(&facts, bag.files());
    bag.put(description::PATH, described.as_bytes())?;
    let manifest = bag.finish(&info(&facts))?;
    Ok(Packed {
        size: facts.size,
        head: facts.head,
        manifest,
    })
}

fn steps(log: &LogFolder, out: &mut dyn io::Write) -> Result<(), PackFault> {
    for line in log.lines()? {
        let written = out.write_all(&line?).and_then(|()| out.write_all(b"\n"));
        written.map_err(|fault| PackFault::Kept(PathBuf::from(at::STEPS), fault))?;
    }
    Ok(())
}

/// The schema that the log was opened with: today's, or the one that was kept; never another.
fn schema_of(facts: &Facts, beside: &Beside) -> Option<Vec<u8>> {
    let today = schema::bytes();
    let kept = beside.schema.clone();
    let mut both = kept.into_iter().chain([today]);
    both.find(|bytes| Digest::of(bytes) == facts.opened.schema)
}

/// What a pack says of whoever made it: the program, and its way of deriving.
#[must_use]
pub fn told_by() -> [(&'static str, String); 2] {
    let agent = format!("Handover {}", env!("CARGO_PKG_VERSION"));
    [
        ("Bag-Software-Agent", agent),
        (EDITION, derived::EDITION.to_string()),
    ]
}

/// The label of the way of deriving, in `bag-info.txt`.
pub(super) const EDITION: &str = "Handover-Edition";

fn info(facts: &Facts) -> Vec<(&'static str, String)> {
    let origin = &facts.opened.origin;
    let day = facts.last.to_string();
    let [agent, edition] = told_by();
    vec![
        agent,
        edition,
        ("Bagging-Date", day.get(..10).unwrap_or_default().to_owned()),
        (
            "External-Description",
            "Evidence of a transfer of a council-housing service: read data/README.txt".to_owned(),
        ),
        (
            "External-Identifier",
            format!("evidence-{}-{}", facts.slug(), facts.size),
        ),
        (
            "Internal-Sender-Identifier",
            format!("{origin}#{}", facts.size),
        ),
    ]
}
