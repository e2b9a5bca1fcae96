//! What digests add up to: keyed digests of rows, their sum modulo 2^256, their RFC 6962 root.
//!
//! The sum adds up over the parts of a split, whatever their order; the root proves the order too.
//! Both are over HMAC-SHA-256 of the canonical row (`canon`), keyed for the dataset.
//!
//! Not here: where they are kept (`effect`).

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::machine::key::RunKey;
use crate::plan::digest::Digest;
use crate::seal::Tree;

/// Digests rows of one dataset.
#[derive(Clone)]
pub(crate) struct RowMac(Hmac<Sha256>);

impl RowMac {
    pub(crate) fn new(key: &RunKey, dataset: &str) -> RowMac {
        RowMac(key.mac(&format!("row/v1/{dataset}")))
    }

    /// The digest of a canonical row.
    #[inline]
    pub(crate) fn of(&self, canonical: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(canonical);
        mac.finalize().into_bytes().into()
    }
}

/// A sum of digests modulo 2^256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum([u64; 4]);

impl Sum {
    /// Adds one digest, read as a big-endian number.
    #[inline]
    pub(crate) fn add(&mut self, digest: &[u8; 32]) {
        let mut carry = false;
        for (place, bytes) in self.0.iter_mut().zip(digest.rchunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            let (half, over) = place.overflowing_add(u64::from_be_bytes(word));
            let (whole, again) = half.overflowing_add(u64::from(carry));
            *place = whole;
            carry = over || again;
        }
    }

    /// The sum as 32 bytes.
    pub(crate) fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        for (place, word) in bytes.rchunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        Digest(bytes)
    }
}

/// Count, sum and root of rows as they go by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) sum: Sum,
    tree: Tree,
}

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, digest: &[u8; 32]) {
        self.rows += 1;
        self.sum.add(digest);
        self.tree.add(digest);
    }

    pub(crate) fn root(&self) -> Digest {
        self.tree.root()
    }
}

/// The root over roots: of a dataset over its chunks.
pub(crate) fn root_of(roots: impl IntoIterator<Item = Digest>) -> Digest {
    let mut tree = Tree::default();
    for root in roots {
        tree.add(&root.0);
    }
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_carries_over_all_places_and_wraps_at_the_end() {
        let mut sum = Sum::default();
        sum.add(&[0xff; 32]);
        let mut one = [0; 32];
        one[31] = 1;
        sum.add(&one);
        assert_eq!(sum.digest(), Digest::ZERO);
        sum.add(&[0x01; 32]);
        assert_eq!(sum.digest(), Digest([0x01; 32]));
    }
}
