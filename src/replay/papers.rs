//! Papers by fingerprint, turned into outlines when the log first speaks of them.
//!
//! Not here: where papers are stored (`journal`), how they are read (`plan`).

use std::sync::Arc;

use crate::journal::LogFolder;
use crate::machine::state::Shelf;
use crate::plan::digest::Digest;
use crate::plan::outline::Outline;
use crate::plan::papers::Papers;

/// Where outlines come from; nothing for a paper that is missing or cannot be read.
pub trait Outlines {
    /// The outline of the paper with exactly this fingerprint.
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>>;
}

impl Outlines for Shelf {
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>> {
        self.get(&paper).cloned()
    }
}

impl Outlines for LogFolder {
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>> {
        read(paper, self.papers(paper).ok()?)
    }
}

/// Reads papers and takes their outline only if its fingerprint is the one that was asked for: a file
/// that was swapped gives another, and so no outline at all.
#[must_use]
pub fn read(paper: Digest, papers: Papers) -> Option<Arc<Outline>> {
    let plan = crate::plan::read("replay", papers).ok()?;
    (plan.fingerprint() == paper).then_some(plan.outline)
}
