//! Cosignatures: a witness's word that a head goes on from every head of that log which it saw before,
//! and when it saw it (C2SP tlog-cosignature v1, Ed25519; other types are passed over).
//!
//! Not here: whether a witness may say so (`witness`), who is needed (`plan::quorum`).

use std::collections::BTreeMap;

use super::head::{NoHead, Seal, is_over};
use super::note::Line;
use crate::plan::model::Code;
use crate::plan::quorum::Quorum;
use crate::plan::vkey::{KeyKind, Vkey};

/// A witness's line under a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The line.
    pub line: Line,
    /// When the witness says it saw the head, in seconds since 1970.
    pub time: u64,
}

/// What a cosignature is over.
pub(super) fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

impl Seal {
    /// The cosignature of `key` under this seal; none where it has not signed. Of several the first.
    ///
    /// # Errors
    /// [`NoHead::False`] where a line says it is that witness's and is not: the whole note is refused.
    pub fn by_witness(&self, key: &Vkey) -> Result<Option<Cosignature>, NoHead> {
        let mut found = None;
        for line in self.note.by(key) {
            let read = check(&self.note.text, line, key).ok_or(NoHead::False)?;
            found.get_or_insert(read);
        }
        Ok(found)
    }

    /// Every witness of `quorum` that signed, by the policy's name, with its time.
    ///
    /// # Errors
    /// As [`Seal::by_witness`].
    pub fn cosigned(&self, quorum: &Quorum) -> Result<BTreeMap<Code, u64>, NoHead> {
        let mut signed = BTreeMap::new();
        for witness in &quorum.witnesses {
            if let Some(cosignature) = self.by_witness(&witness.key)? {
                signed.insert(witness.name.clone(), cosignature.time);
            }
        }
        Ok(signed)
    }

    /// Adds a witness's line; a second one of the same key takes the place of the first.
    pub fn add(&mut self, line: Line) {
        let same = |held: &&mut Line| held.id == line.id && held.name == line.name;
        match self.note.lines.iter_mut().find(same) {
            Some(held) => *held = line,
            None => self.note.lines.push(line),
        }
    }
}

/// The cosignature that a line is, held against its key and the text it is about.
#[must_use]
pub fn check(text: &str, line: &Line, key: &Vkey) -> Option<Cosignature> {
    if key.kind() != KeyKind::Witness || !line.is_by(key) {
        return None;
    }
    let (time, signature) = line.signature.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    // C2SP: at most 2^63 - 1.
    let sound = i64::try_from(time).is_ok();
    (sound && is_over(key, message(text, time).as_bytes(), signature)).then(|| Cosignature {
        line: line.clone(),
        time,
    })
}
