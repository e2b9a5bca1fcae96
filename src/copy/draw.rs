//! Drawing target keys: a UUID version 8 from a keyed digest of where a row comes from, so that a
//! repeated chunk draws the same keys, and a generation that runs again after an undo draws others.
//!
//! Not here: keeping them (the crosswalk, `load`).

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::ledger::Deed;

/// Draws the keys of one dataset.
pub(super) struct Draw(Hmac<Sha256>);

impl Draw {
    /// For rows of `source` in this generation.
    pub(super) fn new(deed: &Deed, dataset: &str, source: &str) -> Draw {
        let mut mac = deed.key.mac(&format!("id/v1/{dataset}"));
        mac.update(source.as_bytes());
        mac.update(&[0]);
        mac.update(&deed.generation.to_be_bytes());
        Draw(mac)
    }

    /// The key for a source key, in lower-case text. Its first 48 bits are the row's place in the
    /// source, so that rows lie in the target as they are written: keys without any order would send
    /// every insert, read-back and undo to another page.
    pub(super) fn id(&self, place: i64, source_key: &[u8]) -> [u8; 36] {
        let mut mac = self.0.clone();
        mac.update(source_key);
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&place.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&digest[..10]);
        let mut text = [0; 36];
        uuid::Builder::from_custom_bytes(bytes)
            .into_uuid()
            .hyphenated()
            .encode_lower(&mut text);
        text
    }
}
