//! The run key and what is derived from it: row digests, drawn ids, references. One scheme
//! everywhere (`docs/`): k = HKDF-SHA-256(run key, label), digests are HMAC-SHA-256.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::plan::digest::Digest;

/// 32 random bytes that belong to one run. Destroying them ends undo and row verification, and makes
/// every digest in the log unlinkable.
#[derive(Clone)]
pub struct RunKey(std::sync::Arc<Zeroizing<[u8; 32]>>);

impl RunKey {
    /// A key from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> RunKey {
        RunKey(std::sync::Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes, for the file that keeps them.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC under a key derived for `label`.
    #[must_use]
    pub fn keyed(&self, label: &str, message: &[u8]) -> Digest {
        let mut mac = self.mac(label);
        mac.update(message);
        Digest(mac.finalize().into_bytes().into())
    }

    /// HMAC-SHA-256 keyed for `label`, for messages that come in parts; clone it for each message.
    ///
    /// # Panics
    /// Never: HKDF can give 32 bytes, and HMAC takes keys of any length.
    #[must_use]
    pub fn mac(&self, label: &str) -> Hmac<Sha256> {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.bytes())
            .expand(label.as_bytes(), derived.as_mut())
            .expect("32 bytes are within what HKDF can give");
        Hmac::new_from_slice(derived.as_ref()).expect("HMAC takes keys of any length")
    }

    /// What `log.opened` holds of it: HMAC of nothing under its own label.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        self.keyed("commitment/v1", b"")
    }
}

impl std::fmt::Debug for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunKey(secret)")
    }
}
