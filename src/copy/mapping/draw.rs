//! Drawing target keys: a UUID version 8 from a keyed digest of where a row comes from, so that a
//! repeated chunk draws the same keys, and a generation that runs again after an undo draws others.
//!
//! Not here: keeping them (the crosswalk, `load`).

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::copy::ledger::Deed;

/// Draws the keys of one dataset.
pub(crate) struct Draw(Hmac<Sha256>);

impl Draw {
    /// For rows of `source` in this generation.
    pub(crate) fn new(deed: &Deed, dataset: &str, source: &str) -> Draw {
        let mut mac = deed.key.mac(&format!("id/v1/{dataset}"));
        mac.update(source.as_bytes());
        mac.update(&[0]);
        mac.update(&deed.generation.to_be_bytes());
        Draw(mac)
    }

    /// For rows that come new with a later step: another step, or the same again after an undo, draws
    /// other keys.
    pub(crate) fn later(deed: &Deed, dataset: &str, source: &str) -> Draw {
        let Draw(mut mac) = Draw::new(deed, dataset, source);
        mac.update(deed.step.as_str().as_bytes());
        mac.update(&[0]);
        Draw(mac)
    }

    /// The key for a source key, in lower-case text. A source key that is a number leads it, so that
    /// rows of a ledger lie in the target as they were numbered: keys without any order would send
    /// every insert, read-back and undo to another page.
    pub(crate) fn id(&self, source_key: &[u8]) -> [u8; 36] {
        let mut mac = self.0.clone();
        mac.update(source_key);
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        if let Some(number) = number(source_key) {
            bytes[..6].copy_from_slice(&number.to_be_bytes()[2..]);
        }
        let mut text = [0; 36];
        uuid::Builder::from_custom_bytes(bytes)
            .into_uuid()
            .hyphenated()
            .encode_lower(&mut text);
        text
    }
}

/// The number that a key of digits is, if 48 bits hold it.
fn number(key: &[u8]) -> Option<u64> {
    if !(1..=14).contains(&key.len()) || !key.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = key
        .iter()
        .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(value)
}
