//! What goes out to a witness, as a file: the size it saw last, the proof from there, and the seal (the
//! body of an `add-checkpoint` request, C2SP tlog-witness).
//!
//! Not here: what a witness makes of it (`witness`).

use super::head::{NoHead, Seal};
use super::proof::Proof;
use super::{above, base64};

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
        above::bytes(format!("old {}", self.old), &self.proof, &self.seal)
    }

    /// The request that these bytes are; nothing in it is checked.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Request, NoRequest> {
        let (lines, seal) = above::split(bytes).ok_or(NoRequest::Shape)?;
        let (old, proof) = read(lines).ok_or(NoRequest::Shape)?;
        Ok(Request {
            old,
            proof,
            seal: Seal::parse(seal.as_bytes())?,
        })
    }
}

fn read(lines: &str) -> Option<(u64, Proof)> {
    let mut lines = lines.split('\n');
    let old = base64::number(lines.next()?.strip_prefix("old ")?)?;
    Some((old, above::hashes(lines)?))
}
