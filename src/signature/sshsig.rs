//! A detached OpenSSH signature: `-----BEGIN SSH SIGNATURE-----`, after OpenSSH's PROTOCOL.sshsig. Keys
//! are Ed25519, in a file or in a FIDO2 token (PROTOCOL.u2f), and the token must have been touched.
//!
//! In: the armoured text, the bytes that were signed, the namespace that they must have been signed for.
//! Out: whose key signed. `ssh-keygen -Y verify` says the same of the same files.
//!
//! Not here: whose key it is and until when (`allowed_signers`), what the bytes say (`statement`).

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

use super::armour::{self, ArmourFault};
use crate::plan::public_key::{KeyFault, PublicKey, Wire, put_string};

/// What the armour says it holds.
const KIND: &str = "SSH SIGNATURE";
/// What every signature, and every signed text, begins with.
const MAGIC: &[u8; 6] = b"SSHSIG";
/// The one version of the format there is.
const VERSION: u32 = 1;
/// Longest namespace.
const NAMESPACE_BYTES_MAX: usize = 100;
/// The token was touched.
const TOUCHED: u8 = 0x01;

/// A signature that has the right form; whether it holds says [`Sshsig::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sshsig {
    key: PublicKey,
    namespace: String,
    hash: Hash,
    signature: [u8; 64],
    token: Option<Token>,
}

/// How the text is digested before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

/// What a token adds to what it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    flags: u8,
    counter: u32,
}

/// Why a text is no signature, or not one over these bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigFault {
    /// The armour.
    #[error("the signature cannot be read: {0}")]
    Armour(#[from] ArmourFault),
    /// Its bytes.
    #[error("the signature's bytes are not those of an OpenSSH signature")]
    Bytes,
    /// A newer version.
    #[error("the signature has version {0} of its format, where 1 is known")]
    Version(u32),
    /// Its key.
    #[error("the signature's key cannot be used: {0}")]
    Key(#[from] KeyFault),
    /// Made for something else.
    #[error("it was made for the namespace `{found}`, not for `{wanted}`")]
    Namespace {
        /// What it was made for.
        found: String,
        /// What it should have been made for.
        wanted: String,
    },
    /// A token that nobody touched.
    #[error("nobody touched the token that made it")]
    Untouched,
    /// Other bytes were signed, or another key signed them.
    #[error("it is not a signature of that key over these bytes")]
    Forged,
}

impl Sshsig {
    /// Reads an armoured signature.
    ///
    /// # Errors
    /// When it is anything but one whole signature of a kind we take.
    pub fn parse(armoured: &[u8]) -> Result<Sshsig, SigFault> {
        let bytes = armour::open(armoured, KIND)?;
        let mut wire = Wire(&bytes);
        if wire.take(MAGIC.len()) != Some(MAGIC) {
            return Err(SigFault::Bytes);
        }
        match wire.number() {
            Some(VERSION) => {}
            Some(other) => return Err(SigFault::Version(other)),
            None => return Err(SigFault::Bytes),
        }
        let parts: [&[u8]; 5] = parts(&mut wire).ok_or(SigFault::Bytes)?;
        let [key, namespace, reserved, hash, signature] = parts;
        if !wire.0.is_empty() || !reserved.is_empty() {
            return Err(SigFault::Bytes);
        }
        let key = PublicKey::from_wire(key)?;
        let (signature, token) = signed(&key, signature).ok_or(SigFault::Bytes)?;
        Ok(Sshsig {
            key,
            namespace: printable(namespace).ok_or(SigFault::Bytes)?,
            hash: Hash::named(hash).ok_or(SigFault::Bytes)?,
            signature,
            token,
        })
    }

    /// The key that it says made it.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Holds it against the bytes that should have been signed, for that namespace; the key that did.
    ///
    /// # Errors
    /// When it was made for another namespace, over other bytes, by another key, or by a token that
    /// nobody touched.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<&PublicKey, SigFault> {
        if self.namespace != namespace {
            return Err(SigFault::Namespace {
                found: self.namespace.clone(),
                wanted: namespace.to_owned(),
            });
        }
        let mut text = to_sign(namespace, self.hash, message);
        if let (Some(token), Some(application)) = (self.token, &self.key.application) {
            if token.flags & TOUCHED == 0 {
                return Err(SigFault::Untouched);
            }
            text = by_token(application, token, &text);
        }
        let key = VerifyingKey::from_bytes(&self.key.point).map_err(|_| SigFault::Forged)?;
        key.verify_strict(&text, &Signature::from_bytes(&self.signature))
            .map_err(|_| SigFault::Forged)?;
        Ok(&self.key)
    }
}

impl Hash {
    fn named(name: &[u8]) -> Option<Hash> {
        match name {
            b"sha256" => Some(Hash::Sha256),
            b"sha512" => Some(Hash::Sha512),
            _ => None,
        }
    }

    fn name(self) -> &'static [u8] {
        match self {
            Hash::Sha256 => b"sha256",
            Hash::Sha512 => b"sha512",
        }
    }

    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

fn parts<'a, const N: usize>(wire: &mut Wire<'a>) -> Option<[&'a [u8]; N]> {
    let mut parts = [&[][..]; N];
    for part in &mut parts {
        *part = wire.string()?;
    }
    Some(parts)
}

/// The inner signature: its kind, which must be the key's, its bytes, and a token's additions.
fn signed(key: &PublicKey, bytes: &[u8]) -> Option<([u8; 64], Option<Token>)> {
    let mut wire = Wire(bytes);
    let kind = wire.string()?;
    let signature = wire.string()?.try_into().ok()?;
    let token = match key.application {
        Some(_) => Some(Token {
            flags: *wire.take(1)?.first()?,
            counter: wire.number()?,
        }),
        None => None,
    };
    (kind == key.kind().as_bytes() && wire.0.is_empty()).then_some((signature, token))
}

fn printable(namespace: &[u8]) -> Option<String> {
    let fits = !namespace.is_empty() && namespace.len() <= NAMESPACE_BYTES_MAX;
    let plain = namespace.iter().all(u8::is_ascii_graphic);
    let text = std::str::from_utf8(namespace).ok()?;
    (fits && plain).then(|| text.to_owned())
}

/// The text that is signed in the place of `message`.
fn to_sign(namespace: &str, hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut text = MAGIC.to_vec();
    put_string(&mut text, namespace.as_bytes());
    put_string(&mut text, b"");
    put_string(&mut text, hash.name());
    put_string(&mut text, &hash.of(message));
    text
}

/// What a token signs in the place of `text`.
fn by_token(application: &str, token: Token, text: &[u8]) -> Vec<u8> {
    let mut signed = Sha256::digest(application.as_bytes()).to_vec();
    signed.push(token.flags);
    signed.extend(token.counter.to_be_bytes());
    signed.extend(Sha256::digest(text));
    signed
}

/// Signs `message` for `namespace` with a key that gives 64 bytes for a text; armoured as
/// `ssh-keygen -Y sign` would.
pub(super) fn sign(
    key: &PublicKey,
    namespace: &str,
    message: &[u8],
    signed: impl FnOnce(&[u8]) -> [u8; 64],
) -> String {
    let signature = signed(&to_sign(namespace, Hash::Sha512, message));
    let mut inner = Vec::new();
    put_string(&mut inner, key.kind().as_bytes());
    put_string(&mut inner, &signature);
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_be_bytes());
    put_string(&mut bytes, &key.wire());
    put_string(&mut bytes, namespace.as_bytes());
    put_string(&mut bytes, b"");
    put_string(&mut bytes, Hash::Sha512.name());
    put_string(&mut bytes, &inner);
    armour::close(&bytes, KIND)
}
