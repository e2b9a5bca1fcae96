//! Time-stamps over seals (RFC 3161). A stamp is somebody else's signature and stays opaque: we only see
//! to it that it speaks of a seal of this run; `openssl ts -verify` judges it.
//!
//! What is stamped is the seal as the log signed it, without witnesses' lines, which may come later: the
//! first five lines of its file.
//!
//! Not here: asking an authority for a stamp (whoever may use a network does).

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::seal::Seal;

/// A stamp with its certificates is a few thousand bytes.
pub const STAMP_BYTES_MAX: u64 = 256 * 1024;

/// What is stamped of a seal: text and the log's own line.
#[must_use]
pub fn stamped(seal: &Seal) -> Vec<u8> {
    let mut bare = seal.clone();
    bare.note.lines.truncate(1);
    bare.bytes()
}

/// The seal that a stamp speaks of: its imprint (SHA-256, 384 or 512) stands in it, as ASN.1 writes it.
/// None where it speaks of no seal of these, or is no stamp.
#[must_use]
pub fn of<'s>(stamp: &[u8], seals: &'s [Seal]) -> Option<&'s Seal> {
    // DER: a sequence comes first.
    if stamp.first() != Some(&0x30) {
        return None;
    }
    seals.iter().find(|seal| {
        let bytes = stamped(seal);
        let imprints: [Vec<u8>; 3] = [
            Sha256::digest(&bytes).to_vec(),
            Sha384::digest(&bytes).to_vec(),
            Sha512::digest(&bytes).to_vec(),
        ];
        imprints.iter().any(|imprint| holds(stamp, imprint))
    })
}

/// Whether an octet string of exactly these bytes stands in it.
fn holds(stamp: &[u8], imprint: &[u8]) -> bool {
    let Ok(length) = u8::try_from(imprint.len()) else {
        return false;
    };
    let string = [&[0x04, length], imprint].concat();
    stamp.windows(string.len()).any(|window| window == string)
}
