//! The evidence pack: what an auditor keeps for twelve years and checks without us.
//!
//! ```text
//! data/README.txt VERIFY.md SPEC.md      for people
//! data/log/steps.jsonl …                 the evidence: the very lines, their seals
//! data/plan/01.sha256 01/…               each paper that was in force, by its manifest
//! data/approvals/ effects/ anchors/      what people signed, what the databases held, who stamped it
//! data/exports/ reports/ schema/         derived from the rest, and compared when it is verified
//! ```
//!
//! In: a log and what was kept beside it. Out: a [`Bag`] of files, the same bytes every time;
//! [`Pack::open`] reads it back.
//!
//! Not here: BagIt itself (`bag`), what the log proves (`replay`).

use std::path::Path;

use crate::export::bag::{Bag, BagFault};
use crate::journal::LogFolder;

/// Paths in a pack, below `data/`.
pub mod at {
    /// The step log.
    pub const STEPS: &str = "log/steps.jsonl";
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

    /// Its step log and papers, as an exported log has them: every file is found by its digest. None
    /// where the pack lists no log.
    #[must_use]
    pub fn log(&self) -> Option<LogFolder> {
        let steps = self.bag.place(at::STEPS)?;
        Some(LogFolder::listed(steps, self.bag.by_digest()))
    }
}
