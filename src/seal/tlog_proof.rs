//! One line of a log, proved by a file that stands for itself: its place, the inclusion proof and the
//! seal (C2SP tlog-proof v1). Whoever has the line and the log's verifier key needs nothing else.
//!
//! Not here: the line itself, which is handed out beside it.

use super::head::{NoHead, Seal};
use super::proof::{NoProof, Proof, check_inclusion};
use super::tree::leaf_hash;
use super::{above, base64};
use crate::plan::vkey::Vkey;

const FIRST: &str = "c2sp.org/tlog-proof@v1\n";

/// A proof that a line stands in a sealed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Its place, from 0.
    pub index: u64,
    /// From the leaf up.
    pub proof: Proof,
    /// The seal of the tree.
    pub seal: Seal,
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTlogProof {
    /// No proof file.
    #[error("this is not a tlog-proof file")]
    Shape,
    /// Its seal.
    #[error("the seal in the proof: {0}")]
    Seal(#[from] NoHead),
    /// Its hashes.
    #[error(transparent)]
    Proof(#[from] NoProof),
}

impl TlogProof {
    /// Its bytes; there is no extra data.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        above::bytes(
            format!("{FIRST}index {}", self.index),
            &self.proof,
            &self.seal,
        )
    }

    /// The proof that these bytes are; nothing in it is checked. Extra data is passed over: nothing
    /// vouches for it.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<TlogProof, NoTlogProof> {
        let (lines, seal) = above::split(bytes).ok_or(NoTlogProof::Shape)?;
        let (index, proof) = read(lines).ok_or(NoTlogProof::Shape)?;
        Ok(TlogProof {
            index,
            proof,
            seal: Seal::parse(seal.as_bytes())?,
        })
    }

    /// Checks that `line` (without its line feed) stands at the proof's place of the log that `key`
    /// seals.
    ///
    /// # Errors
    /// When that is not proved.
    pub fn check(&self, line: &[u8], key: &Vkey) -> Result<(), NoTlogProof> {
        self.seal.by_log(key)?;
        Ok(self.includes(line)?)
    }

    /// Checks that `line` stands at the proof's place under the seal, whoever signed that.
    ///
    /// # Errors
    /// When that is not proved.
    pub fn includes(&self, line: &[u8]) -> Result<(), NoProof> {
        let head = &self.seal.head;
        let leaf = leaf_hash(line);
        check_inclusion(&leaf, self.index, head.size, &head.root, &self.proof)
    }
}

fn read(lines: &str) -> Option<(u64, Proof)> {
    let mut lines = lines.strip_prefix(FIRST)?.split('\n').peekable();
    let extra = |line: &&str| {
        line.strip_prefix("extra ")
            .and_then(base64::decode)
            .is_some()
    };
    lines.next_if(extra);
    let index = base64::number(lines.next()?.strip_prefix("index ")?)?;
    Some((index, above::hashes(lines)?))
}
