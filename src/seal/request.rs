//! What goes out to a witness, as a file: the size it saw last, the proof from there, and the seal (the
//! body of an `add-checkpoint` request, C2SP tlog-witness).
//!
//! Not here: what a witness makes of it (`witness`).

use super::base64;
use super::head::{NoHead, Seal};
use super::note::NOTE_BYTES_MAX;
use super::proof::{PROOF_MAX, Proof};

/// A request for a cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The size of the head that the witness signed last; 0 at first.
    pub old: u64,
    /// The consistency proof from there; empty from 0.
    pub proof: Proof,
    /// What is to be signed.
    pub seal: Seal,
}

/// Why bytes are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRequest {
    /// Not `old`, hashes, a blank line and a seal.
    #[error("this is not the request file that `handover witness request` writes")]
    Shape,
    /// No seal below the blank line.
    #[error("the seal in the request cannot be read: {0}")]
    Seal(#[from] NoHead),
}

impl Request {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("old {}\n", self.old);
        for hash in &self.proof {
            text.push_str(&base64::encode(&hash.0));
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend(self.seal.bytes());
        bytes
    }

    /// The request that these bytes are; nothing in it is checked.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Request, NoRequest> {
        let head = bytes.len() <= 2 * NOTE_BYTES_MAX;
        let text = std::str::from_utf8(bytes).ok().filter(|_| head);
        let (above, seal) = text
            .and_then(|text| text.split_once("\n\n"))
            .ok_or(NoRequest::Shape)?;
        let (old, proof) = above_seal(above).ok_or(NoRequest::Shape)?;
        Ok(Request {
            old,
            proof,
            seal: Seal::parse(seal.as_bytes())?,
        })
    }
}

fn above_seal(text: &str) -> Option<(u64, Proof)> {
    let mut lines = text.split('\n');
    let old = base64::number(lines.next()?.strip_prefix("old ")?)?;
    let proof: Proof = lines.map(base64::hash).collect::<Option<_>>()?;
    (proof.len() <= PROOF_MAX).then_some((old, proof))
}
