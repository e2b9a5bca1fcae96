//! One entry, handed out by itself: its line, and a proof that it stands in the sealed log. Whoever has
//! both and the log's key needs no other entry.
//!
//! Not here: the proof's form (`seal::tlog_proof`).

use crate::journal::{JournalFault, LogFolder};
use crate::seal::tree::leaf_hash;
use crate::seal::{Seal, TlogProof, proof};

/// An entry and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The very line, without its line feed.
    pub line: Vec<u8>,
    /// The proof file.
    pub proof: TlogProof,
}

/// Why an entry cannot be handed out.
#[derive(Debug, thiserror::Error)]
pub enum NotDisclosed {
    /// The log cannot be read.
    #[error("the step log cannot be read")]
    Log(#[from] JournalFault),
    /// No seal covers it.
    #[error("no seal covers entry {0}: nothing proves that it stands in the log")]
    Unsealed(u64),
    /// A seal covers more than the log has.
    #[error("the log has fewer entries than its seal says")]
    Short,
}

/// Finds entry `seq` and proves it under the seal that most witnesses signed, the newest of those.
///
/// # Errors
/// When no seal covers it, or the log cannot be read.
pub fn disclose(log: &LogFolder, seals: &[Seal], seq: u64) -> Result<Disclosed, NotDisclosed> {
    let covering = seals.iter().filter(|seal| seal.head.size > seq);
    let best = covering.max_by_key(|seal| (seal.note.lines.len(), seal.head.size));
    let seal = best.ok_or(NotDisclosed::Unsealed(seq))?;
    let (mut leaves, mut found) = (Vec::new(), None);
    for line in log.lines()? {
        if leaves.len() as u64 == seal.head.size {
            break;
        }
        let line = line?;
        leaves.push(leaf_hash(&line));
        if leaves.len() as u64 == seq + 1 {
            found = Some(line);
        }
    }
    let index = usize::try_from(seq).unwrap_or(usize::MAX);
    let whole = leaves.len() as u64 == seal.head.size;
    let path = proof::inclusion(&leaves, index).ok().filter(|_| whole);
    match (found, path) {
        (Some(line), Some(path)) => Ok(Disclosed {
            line,
            proof: TlogProof {
                index: seq,
                proof: path,
                seal: seal.clone(),
            },
        }),
        _ => Err(NotDisclosed::Short),
    }
}
