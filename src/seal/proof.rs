//! Proofs about trees, made from leaf hashes and checked without them: that a leaf is in a tree, and
//! that a tree goes on from an older one.
//!
//! Making follows the recursive definitions (RFC 6962 sections 2.1.1 and 2.1.2); checking follows the
//! iterative algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2. They share no code on purpose.
//!
//! Not here: files that hold proofs (`tlog_proof`, `request`).

use super::tree::{node_hash, root_of_hashes};
use crate::plan::digest::Digest;

/// Hashes of a proof, from the leaf's side up. A tree of 2^63 leaves needs 63.
pub type Proof = Vec<Digest>;

/// Most hashes that a proof may have.
pub const PROOF_MAX: usize = 63;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// There is no such leaf, or the older tree is the larger one.
    #[error("the proof is about a place outside of the tree")]
    Outside,
    /// Too many or too few hashes.
    #[error("the proof has not as many hashes as such a proof has")]
    Length,
    /// It leads to another root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// The inclusion proof of leaf `index` in the tree over `leaves`: RFC 6962 section 2.1.1.
///
/// # Errors
/// When there is no such leaf.
pub fn inclusion(leaves: &[Digest], index: usize) -> Result<Proof, NoProof> {
    if index >= leaves.len() {
        return Err(NoProof::Outside);
    }
    Ok(path(leaves, index))
}

/// PATH(m, D[n]) of RFC 6962.
fn path(leaves: &[Digest], index: usize) -> Proof {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = halves(leaves);
    let (mut proof, other) = if index < left.len() {
        (path(left, index), right)
    } else {
        (path(right, index - left.len()), left)
    };
    proof.push(root_of_hashes(other));
    proof
}

/// The consistency proof between the tree over the first `old` leaves and that over all `leaves`: RFC
/// 6962 section 2.1.2. Nothing for no leaves and for all of them.
///
/// # Errors
/// When the older tree is the larger one.
pub fn consistency(leaves: &[Digest], old: usize) -> Result<Proof, NoProof> {
    if old > leaves.len() {
        return Err(NoProof::Outside);
    }
    if old == 0 || old == leaves.len() {
        return Ok(Vec::new());
    }
    Ok(subproof(leaves, old, true))
}

/// SUBPROOF(m, D[n], b) of RFC 6962.
fn subproof(leaves: &[Digest], old: usize, whole: bool) -> Proof {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![root_of_hashes(leaves)]
        };
    }
    let (left, right) = halves(leaves);
    let (mut proof, other) = if old <= left.len() {
        (subproof(left, old, whole), right)
    } else {
        (subproof(right, old - left.len(), false), left)
    };
    proof.push(root_of_hashes(other));
    proof
}

/// Cut at the largest power of two that is smaller than the number of leaves.
fn halves(leaves: &[Digest]) -> (&[Digest], &[Digest]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

/// Checks that `leaf` (a leaf's hash) stands at `index` of the tree of `size` leaves with `root`: RFC
/// 9162 section 2.1.3.2.
///
/// # Errors
/// When that is not proved.
pub fn check_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), NoProof> {
    if index >= size {
        return Err(NoProof::Outside);
    }
    let (mut place, mut last) = (index, size - 1);
    let mut node = *leaf;
    for other in proof {
        if last == 0 {
            return Err(NoProof::Length);
        }
        if place & 1 == 1 || place == last {
            node = node_hash(other, &node);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            node = node_hash(&node, other);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    ended(last, &[(&node, root)])
}

/// Checks that the tree of `new` leaves with `new_root` begins with the tree of `old` leaves with
/// `old_root`: RFC 9162 section 2.1.4.2.
///
/// # Errors
/// When that is not proved.
pub fn check_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), NoProof> {
    if old > new {
        return Err(NoProof::Outside);
    }
    if old == 0 || old == new {
        // Nothing is in every tree, and a tree is in itself: there is nothing to prove.
        let first = if old == 0 { Digest::of(b"") } else { *new_root };
        return match proof {
            [] if first == *old_root => Ok(()),
            [] => Err(NoProof::Root),
            _ => Err(NoProof::Length),
        };
    }
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    // An older tree that is one full subtree is itself the first hash, and is left out.
    let (seed, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return Err(NoProof::Length),
    };
    let (mut first, mut second) = (*seed, *seed);
    for other in rest {
        if last == 0 {
            return Err(NoProof::Length);
        }
        if place & 1 == 1 || place == last {
            first = node_hash(other, &first);
            second = node_hash(other, &second);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            second = node_hash(&second, other);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    ended(last, &[(&first, old_root), (&second, new_root)])
}

fn ended(last: u64, pairs: &[(&Digest, &Digest)]) -> Result<(), NoProof> {
    if last != 0 {
        return Err(NoProof::Length);
    }
    if pairs.iter().all(|(found, wanted)| found == wanted) {
        Ok(())
    } else {
        Err(NoProof::Root)
    }
}
