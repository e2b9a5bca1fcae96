//! Papers by fingerprint, turned into outlines when the log first speaks of them.
//!
//! Not here: where papers are stored (`journal`), how they are read (`plan`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::approvals::roots;
use crate::journal::{LogFolder, listed};
use crate::machine::state::Shelf;
use crate::plan::digest::Digest;
use crate::plan::outline::Outline;
use crate::plan::papers::{FILES_MAX, Papers};
use crate::seal::Seal;

/// What lies beside the lines of a log; nothing for what is missing or cannot be read.
pub trait Outlines {
    /// The outline of the paper with exactly this fingerprint.
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>>;

    /// Whether another file stands where one of that paper should.
    fn swapped(&self, _paper: Digest) -> bool {
        false
    }

    /// What stands under the digest of a statement or a signature, whether it has it or not.
    fn file(&self, _digest: Digest) -> Option<Vec<u8>> {
        None
    }

    /// Seals; `None` is a file among them that is none.
    fn seals(&self) -> Box<dyn Iterator<Item = Option<Seal>> + '_> {
        Box::new(std::iter::empty())
    }

    /// The root of the log at each of these sizes, from its start once more; none where it never was so
    /// long.
    fn roots(&self, _sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
        BTreeMap::new()
    }
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

    fn swapped(&self, paper: Digest) -> bool {
        let other = |digest: Digest| {
            let found = self.named(digest);
            found.is_ok_and(|bytes| Digest::of(&bytes) != digest)
        };
        let manifest = self.blob(paper).unwrap_or_default();
        let manifest = String::from_utf8_lossy(&manifest);
        other(paper)
            || listed(&manifest)
                .take(FILES_MAX)
                .any(|(digest, _)| other(digest))
    }

    fn file(&self, digest: Digest) -> Option<Vec<u8>> {
        self.named(digest).ok()
    }

    fn seals(&self) -> Box<dyn Iterator<Item = Option<Seal>> + '_> {
        Box::new(LogFolder::seals(self))
    }

    fn roots(&self, sizes: &BTreeSet<u64>) -> BTreeMap<u64, Digest> {
        let Ok(lines) = self.lines() else {
            return BTreeMap::new();
        };
        roots(lines.map_while(Result::ok), sizes)
    }
}

/// Reads papers and takes their outline only if its fingerprint is the one that was asked for: a file
/// that was swapped gives another, and so no outline at all.
#[must_use]
pub fn read(paper: Digest, papers: Papers) -> Option<Arc<Outline>> {
    let plan = crate::plan::read("replay", papers).ok()?;
    (plan.fingerprint() == paper).then_some(plan.outline)
}
