//! The evidence pack: what an auditor keeps for twelve years and checks without us.
//!
//! ```text
//! data/README.txt VERIFY.md SPEC.md      for people
//! data/log/steps.jsonl …                 the evidence: the very lines, their seals
//! data/plan/01.sha256 01/…               each paper that was in force, by its manifest
//! data/approvals/ effects/ anchors/      what people signed, what the databases held, who stamped it
//! data/exports/ reports/ manifests/ …    derived from the log, and made again when it is verified
//! ```
//!
//! In: a log and what was kept beside it. Out: a bag of files, the same bytes every time; [`Pack::open`]
//! reads it back. Names and reasons stand in an annex of their own, for fewer eyes.
//!
//! Not here: `BagIt` itself (`bag`), what the log proves (`replay`).

use std::path::Path;

use super::bag::{Bag, BagFault};
use super::views::ViewFault;
use crate::journal::{JournalFault, LogFolder};
use crate::machine::line::LineFault;

pub mod annex;
mod check;
mod derived;
mod description;
mod facts;
mod files;
mod ledgers;
mod outside;
mod pages;
mod papers;
mod seals;
mod write;

pub use annex::Annex;
pub use check::Checked;
pub use derived::{described, drift};
pub use facts::decisions;
pub use write::{Beside, Packed, Signed, told_by, write};

/// Paths in a pack, below `data/`.
pub mod at {
    /// The step log.
    pub const STEPS: &str = "log/steps.jsonl";
    /// The newest seal.
    pub const SEAL: &str = "log/checkpoint";
    /// What `log.opened` holds the digest of.
    pub const SCHEMA: &str = "schema/entry-v1.schema.json";
    /// Digests of the files below `effects/`, as `log.closed` has it.
    pub const EFFECTS: &str = "effects/effects.sha256";
}

/// Why a pack cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PackFault {
    /// Its folder.
    #[error(transparent)]
    Bag(#[from] BagFault),
    /// The log cannot be read.
    #[error("the step log cannot be read")]
    Log(#[from] JournalFault),
    /// A view of the log.
    #[error(transparent)]
    View(#[from] ViewFault),
    /// A line is no entry.
    #[error("line {seq} is no entry of a step log")]
    Line {
        /// Which, from 0.
        seq: u64,
        /// Why.
        #[source]
        fault: LineFault,
    },
    /// The log does not begin with `log.opened`.
    #[error("the step log has no beginning")]
    NoOpening,
    /// What was kept beside the run is not what was kept.
    #[error("`{}` cannot be read", .0.display())]
    Kept(std::path::PathBuf, #[source] std::io::Error),
}

/// A pack that was opened.
#[derive(Debug)]
pub struct Pack {
    bag: Bag,
}

impl Pack {
    /// Opens a pack: its folder is walked and its lists are read, strictly.
    ///
    /// # Errors
    /// When it is no bag, is beyond every limit, or cannot be read.
    pub fn open(root: &Path) -> Result<Pack, BagFault> {
        let bag = Bag::open(root)?;
        Ok(Pack { bag })
    }

    /// Its files, and what is wrong with them.
    #[must_use]
    pub fn bag(&self) -> &Bag {
        &self.bag
    }

    /// Its step log and papers, as an exported log has them: every file is found by its digest. A pack
    /// that lists no log has one without lines.
    #[must_use]
    pub fn log(&self) -> LogFolder {
        let steps = self.bag.place(at::STEPS);
        let seals = self.bag.paths().filter(|path| {
            let every = path.strip_prefix("log/checkpoints/");
            *path == at::SEAL || every.is_some_and(|name| !name.contains('/'))
        });
        let seals = seals.filter_map(|path| self.bag.place(path)).collect();
        LogFolder::listed(steps, self.bag.by_digest()).sealed(seals)
    }
}

/// A lawful file name for a text: other bytes than `a-z 0-9 . _ -` stand as `=` and two hexadecimal
/// digits; a text that gives no lawful name that way stands as its digest.
fn file_name(text: &str, ending: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => name.push(char::from(byte)),
            _ => drop(write!(name, "={byte:02x}")),
        }
    }
    name.push_str(ending);
    if super::bag::lawful(&name).is_ok() {
        name
    } else {
        let digest = crate::plan::digest::Digest::of(text.as_bytes());
        format!("={digest}{ending}")
    }
}
