//! What stands above a seal in a file that proves something of it: a line that says what, the hashes of a
//! proof, a blank line.
//!
//! Not here: what is proved (`request`, `tlog_proof`).

use super::base64;
use super::head::Seal;
use super::note::NOTE_BYTES_MAX;
use super::proof::{PROOF_MAX, Proof};

/// The bytes of such a file.
pub(super) fn bytes(mut first: String, proof: &Proof, seal: &Seal) -> Vec<u8> {
    for hash in proof {
        first.push('\n');
        first.push_str(&base64::encode(&hash.0));
    }
    first.push_str("\n\n");
    let mut bytes = first.into_bytes();
    bytes.extend(seal.bytes());
    bytes
}

/// What is above and what is the seal; none where the bytes are too many, or no such file.
pub(super) fn split(bytes: &[u8]) -> Option<(&str, &str)> {
    let few = bytes.len() <= 2 * NOTE_BYTES_MAX;
    let text = std::str::from_utf8(bytes).ok().filter(|_| few)?;
    text.split_once("\n\n")
}

/// The hashes below the first line.
pub(super) fn hashes<'t>(lines: impl Iterator<Item = &'t str>) -> Option<Proof> {
    let proof: Proof = lines.map(base64::hash).collect::<Option<_>>()?;
    (proof.len() <= PROOF_MAX).then_some(proof)
}
