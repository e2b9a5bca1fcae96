//! Bytes as the notes write them: standard base64 with padding (RFC 4648 section 4), one form only.
//!
//! Not here: what the bytes mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::plan::digest::Digest;

/// The text of `bytes`.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of `text`; none where it is not the one form of them.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A hash of 32 bytes.
pub(super) fn hash(text: &str) -> Option<Digest> {
    Some(Digest(decode(text)?.try_into().ok()?))
}

/// A number as notes write it: ASCII decimal, no sign, no leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}
