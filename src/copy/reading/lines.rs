//! What a copy saw of each source line: a short keyed digest of its columns and of its parents', and
//! what came of it. A later look finds by it which lines are as they were, without judging them again.
//!
//! In: lines. Out: packed numbers, kept beside the rows in `handover_undo` and never exported.
//!
//! Not here: what is done with lines that changed (`catch_up`).

use std::hash::Hasher as _;

use hmac::Mac as _;
use siphasher::sip::SipHasher13;

use crate::copy::mapping::sight::Line;
use crate::machine::key::RunKey;
use crate::orgdb::DbTrouble;

/// What came of a line. It takes the lowest two bits of the line's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Its row stands in the target.
    pub(crate) stands: bool,
    /// What came of it hangs on rows of other tables: it must be judged again.
    pub(crate) open: bool,
}

/// A line's digest without its state.
pub(crate) type LineDigest = u64;

const STANDS: u64 = 0b01;
const OPEN: u64 = 0b10;
const STATE: u64 = STANDS | OPEN;

/// A digest and what came of the line, as one number.
pub(crate) fn note(digest: LineDigest, state: State) -> u64 {
    let (stands, open) = (u64::from(state.stands), u64::from(state.open));
    (digest & !STATE) | (stands * STANDS) | (open * OPEN)
}

/// Both again.
pub(crate) fn read(noted: u64) -> (LineDigest, State) {
    let state = State {
        stands: noted & STANDS != 0,
        open: noted & OPEN != 0,
    };
    (noted & !STATE, state)
}

/// Digests lines of one dataset. SipHash-1-3 (Aumasson and Bernstein, 2012) under a key of the run's:
/// nobody who reads the ledger learns from it what a line said.
#[derive(Clone)]
pub(crate) struct LineMac {
    hasher: SipHasher13,
    canonical: Vec<u8>,
}

impl LineMac {
    pub(crate) fn new(key: &RunKey, dataset: &str) -> LineMac {
        let derived = key
            .mac(&format!("line/v1/{dataset}"))
            .finalize()
            .into_bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&derived[..16]);
        LineMac {
            hasher: SipHasher13::new_with_key(&half),
            canonical: Vec::new(),
        }
    }

    /// The digest of a line with its parents; the lowest two bits are free.
    #[inline]
    pub(crate) fn of(&mut self, line: Line<'_>) -> LineDigest {
        self.canonical.clear();
        line.push_all(&mut self.canonical);
        self.of_bytes_here()
    }

    /// The same of where a line stands.
    #[inline]
    pub(crate) fn of_place(&mut self, stand: &[u8]) -> u64 {
        self.of_key(stand)
    }

    /// The same of a source key.
    pub(crate) fn of_key(&mut self, key: &[u8]) -> u64 {
        self.canonical.clear();
        self.canonical.extend_from_slice(key);
        self.of_bytes_here()
    }

    #[inline]
    fn of_bytes_here(&self) -> u64 {
        let mut hasher = self.hasher;
        hasher.write(&self.canonical);
        hasher.finish() & !STATE
    }
}

/// Numbers as they are kept.
pub(crate) fn pack(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let numbers = numbers.into_iter();
    let mut body = Vec::with_capacity(numbers.size_hint().0 * 8);
    numbers.for_each(|number| body.extend_from_slice(&number.to_be_bytes()));
    body
}

/// And read back.
pub(crate) fn unpack(body: &[u8]) -> Result<Vec<u64>, DbTrouble> {
    let (numbers, rest) = body.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(DbTrouble::Damaged);
    }
    Ok(numbers
        .iter()
        .map(|bytes| u64::from_be_bytes(*bytes))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_line_never_touches_its_digest() {
        for (stands, open) in [(false, false), (false, true), (true, false), (true, true)] {
            let state = State { stands, open };
            let digest = 0xfedc_ba98_7654_3210 & !STATE;
            assert_eq!(read(note(digest, state)), (digest, state));
        }
        let kept = [1, u64::MAX, 0];
        assert_eq!(unpack(&pack(kept)).unwrap(), kept);
        assert!(unpack(&[0; 9]).is_err());
    }
}
