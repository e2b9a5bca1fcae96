//! The tree over leaves: RFC 6962 section 2.1 (RFC 9162 section 2.1.1 describes the same). A leaf of
//! the step log is a line without its line feed; a leaf of a chunk is a row's keyed digest.
//!
//! Not here: proofs (`proof`), what is done with a root (`head`; `copy` for rows).

use sha2::{Digest as _, Sha256};

use crate::plan::digest::Digest;

/// A tree that is only ever added to: the roots of its full subtrees, largest first. A few dozen
/// hashes, however many leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    subtrees: Vec<[u8; 32]>,
    leaves: u64,
}

impl Tree {
    /// Adds a leaf.
    #[inline]
    pub fn add(&mut self, leaf: &[u8]) {
        self.add_hash(leaf_hash(leaf));
    }

    /// Adds a leaf by its hash ([`leaf_hash`]).
    #[inline]
    pub fn add_hash(&mut self, leaf: Digest) {
        let mut node = leaf.0;
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                node = join(&left, &node);
            }
        }
        self.subtrees.push(node);
        self.leaves += 1;
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.leaves
    }

    /// The root; of nothing it is SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut right_to_left = self.subtrees.iter().rev();
        let Some(last) = right_to_left.next() else {
            return Digest::of(b"");
        };
        Digest(right_to_left.fold(*last, |right, left| join(left, &right)))
    }
}

/// The hash of a leaf: SHA-256 of a zero byte and the leaf.
#[must_use]
#[inline]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let hash = Sha256::new().chain_update([0]).chain_update(leaf);
    Digest(hash.finalize().into())
}

/// The hash of a node: SHA-256 of a one byte and both children. Leaves and nodes cannot be confused.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(join(&left.0, &right.0))
}

fn join(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let hash = Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right);
    hash.finalize().into()
}

/// The root over leaves of which the hashes are at hand.
#[must_use]
pub fn root_of_hashes(leaves: &[Digest]) -> Digest {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.add_hash(*leaf);
    }
    tree.root()
}
