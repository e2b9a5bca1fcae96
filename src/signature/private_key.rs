//! An Ed25519 key file as `ssh-keygen -t ed25519 -N ''` writes it, after OpenSSH's PROTOCOL.key: read it,
//! sign with it, write one. A key with a passphrase stays with `ssh-keygen` and `ssh-agent`, which is
//! where a person's key belongs.
//!
//! Not here: where the file lies and who may read it (`cli`), randomness.

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::armour::{self, ArmourFault};
use super::sshsig;
use crate::plan::public_key::{PublicKey, Wire, put_string};

/// What the armour says it holds.
const KIND: &str = "OPENSSH PRIVATE KEY";
/// What the bytes begin with.
const MAGIC: &[u8; 15] = b"openssh-key-v1\0";
/// The private part is padded to a multiple of this.
const BLOCK: usize = 8;

/// A private key in memory; its bytes are wiped when it goes.
pub struct PrivateKey {
    signing: SigningKey,
    public: PublicKey,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.public.fingerprint())
    }
}

/// Why a file is no key that we can sign with. Nothing of the file is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyFault {
    /// The armour.
    #[error("it cannot be read as a key of OpenSSH: {0}")]
    Armour(#[from] ArmourFault),
    /// It has a passphrase.
    #[error("it is protected by a passphrase")]
    Locked,
    /// Another kind of key.
    #[error("it is no `ssh-ed25519` key")]
    Kind,
    /// The bytes are damaged, or the two halves are not of one key.
    #[error("its bytes are damaged")]
    Bytes,
}

impl PrivateKey {
    /// The key of 32 random bytes.
    ///
    /// # Errors
    /// When no key follows from them, which nobody has seen.
    pub fn from_seed(seed: &[u8; 32]) -> Result<PrivateKey, PrivateKeyFault> {
        let signing = SigningKey::from_bytes(seed);
        let point = signing.verifying_key().to_bytes();
        let public = PublicKey::plain(point).map_err(|_| PrivateKeyFault::Bytes)?;
        Ok(PrivateKey { signing, public })
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// When it is not one whole Ed25519 key without a passphrase.
    pub fn parse(text: &[u8]) -> Result<PrivateKey, PrivateKeyFault> {
        let bytes = Zeroizing::new(armour::open(text, KIND)?);
        let mut wire = Wire(&bytes);
        if wire.take(MAGIC.len()) != Some(MAGIC) {
            return Err(PrivateKeyFault::Bytes);
        }
        match (wire.string(), wire.string(), wire.string()) {
            (Some(b"none"), Some(b"none"), Some(b"")) => {}
            (Some(_), Some(_), Some(_)) => return Err(PrivateKeyFault::Locked),
            _ => return Err(PrivateKeyFault::Bytes),
        }
        let (Some(1), Some(public), Some(private), []) =
            (wire.number(), wire.string(), wire.string(), wire.0)
        else {
            return Err(PrivateKeyFault::Bytes);
        };
        let public = PublicKey::from_wire(public).map_err(|_| PrivateKeyFault::Kind)?;
        if public.application.is_some() {
            return Err(PrivateKeyFault::Kind);
        }
        let key = secret(private).ok_or(PrivateKeyFault::Bytes)??;
        if key.public == public {
            Ok(key)
        } else {
            Err(PrivateKeyFault::Bytes)
        }
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature over `message` for `namespace`, armoured: what `ssh-keygen -Y sign` puts in a file.
    #[must_use]
    pub fn sign(&self, namespace: &str, message: &[u8]) -> String {
        let signed = |text: &[u8]| self.signing.sign(text).to_bytes();
        sshsig::sign(&self.public, namespace, message, signed)
    }

    /// The key file, with a comment. `check` is any number: OpenSSH draws one at random, and reads it back
    /// to tell a wrong passphrase.
    #[must_use]
    pub fn write(&self, comment: &str, check: u32) -> Zeroizing<String> {
        let mut private = Zeroizing::new(Vec::new());
        private.extend(check.to_be_bytes());
        private.extend(check.to_be_bytes());
        put_string(&mut private, self.public.kind().as_bytes());
        put_string(&mut private, &self.public.point);
        put_string(&mut private, &self.signing.to_keypair_bytes());
        put_string(&mut private, comment.as_bytes());
        let padding = (1_u8..).take(private.len().next_multiple_of(BLOCK) - private.len());
        private.extend(padding);
        let mut bytes = Zeroizing::new(MAGIC.to_vec());
        for none in [&b"none"[..], b"none", b""] {
            put_string(&mut bytes, none);
        }
        bytes.extend(1_u32.to_be_bytes());
        put_string(&mut bytes, &self.public.wire());
        put_string(&mut bytes, &private);
        Zeroizing::new(armour::close(&bytes, KIND))
    }
}

/// The private part: two equal numbers, the kind, the point, seed and point again, a comment, a padding
/// that counts up from 1. Nothing where the form is another.
fn secret(bytes: &[u8]) -> Option<Result<PrivateKey, PrivateKeyFault>> {
    let mut wire = Wire(bytes);
    let (first, second) = (wire.number()?, wire.number()?);
    let (kind, point, pair) = (wire.string()?, wire.string()?, wire.string()?);
    let _comment = wire.string()?;
    let padded = wire.0.len() < BLOCK && (1_u8..).zip(wire.0).all(|(at, byte)| at == *byte);
    let seed: &[u8; 32] = pair.first_chunk()?;
    if first != second || !padded || !bytes.len().is_multiple_of(BLOCK) {
        return None;
    }
    let key = PrivateKey::from_seed(seed);
    Some(key.and_then(|key| {
        let same = kind == key.public.kind().as_bytes()
            && point == key.public.point
            && pair == key.signing.to_keypair_bytes();
        if same {
            Ok(key)
        } else {
            Err(PrivateKeyFault::Bytes)
        }
    }))
}
