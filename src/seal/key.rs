//! Secret keys of logs and witnesses, and the one line that keeps each:
//! `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, as Go's note package writes them too.
//!
//! Not here: the file, its mode and its folder (`journal`), randomness (whoever makes a key).

use ed25519_dalek::{Signer, SigningKey};
use zeroize::Zeroizing;

use super::base64;
use super::cosign::{self, Cosignature};
use super::head::{Head, Seal};
use super::note::{Line, Note};
use crate::plan::vkey::{KeyKind, NoVkey, Vkey};

const PRIVATE: &str = "PRIVATE+KEY+";

/// Why a text is no secret key. It never says what the text was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// Not the one line that a key is.
    #[error("this is not the file of a key that `handover key new` made")]
    Shape,
    /// A log's key where a witness's is needed, or the other way round.
    #[error("this is the key of a log where a witness's is needed, or the other way round")]
    Kind,
    /// Its name or id will not do.
    #[error(transparent)]
    Vkey(#[from] NoVkey),
}

/// The key that seals one log.
pub struct LogKey(Secret);

/// The key of a witness.
pub struct WitnessKey(Secret);

struct Secret {
    vkey: Vkey,
    key: SigningKey,
}

impl LogKey {
    /// The key of the log `origin`, from 32 random bytes.
    ///
    /// # Errors
    /// When that is no name for a key.
    pub fn new(origin: &str, seed: &[u8; 32]) -> Result<LogKey, NoKey> {
        Secret::new(origin, KeyKind::Log, seed).map(LogKey)
    }

    /// The same key for another origin: a successor log goes on with its predecessor's.
    ///
    /// # Errors
    /// When that is no name for a key.
    pub fn for_origin(&self, origin: &str) -> Result<LogKey, NoKey> {
        LogKey::new(origin, self.0.key.as_bytes())
    }

    /// The key in a file's text.
    ///
    /// # Errors
    /// When there is none, or another kind of key.
    pub fn parse(text: &str) -> Result<LogKey, NoKey> {
        Secret::parse(text, KeyKind::Log).map(LogKey)
    }

    /// What its file holds.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        self.0.text()
    }

    /// What others check with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.0.vkey
    }

    /// The log's origin: the key's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.0.vkey.name()
    }

    /// Seals a head of this key's log; the same head gives the same bytes.
    #[must_use]
    pub fn seal(&self, size: u64, root: crate::plan::digest::Digest) -> Seal {
        let head = Head {
            origin: self.origin().to_owned(),
            size,
            root,
        };
        let text = head.text();
        let signature = self.0.sign(text.as_bytes());
        let note = Note {
            text,
            lines: vec![Line::new(self.vkey(), signature)],
        };
        Seal { head, note }
    }
}

impl WitnessKey {
    /// The key of the witness of that name, from 32 random bytes.
    ///
    /// # Errors
    /// When that is no name for a key.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<WitnessKey, NoKey> {
        Secret::new(name, KeyKind::Witness, seed).map(WitnessKey)
    }

    /// The key in a file's text.
    ///
    /// # Errors
    /// When there is none, or another kind of key.
    pub fn parse(text: &str) -> Result<WitnessKey, NoKey> {
        Secret::parse(text, KeyKind::Witness).map(WitnessKey)
    }

    /// What its file holds.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        self.0.text()
    }

    /// What others check with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.0.vkey
    }

    /// Signs that `head` was seen at `time` (seconds since 1970). Whether it may is for
    /// [`super::witness::Ledger`] to say.
    #[must_use]
    pub fn cosign(&self, head: &Head, time: u64) -> Cosignature {
        let message = cosign::message(&head.text(), time);
        Cosignature {
            line: Line::new(
                self.vkey(),
                [
                    &time.to_be_bytes(),
                    self.0.sign(message.as_bytes()).as_slice(),
                ]
                .concat(),
            ),
            time,
        }
    }
}

impl Secret {
    fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Secret, NoKey> {
        let key = SigningKey::from_bytes(seed);
        let vkey = Vkey::new(name, kind, key.verifying_key().to_bytes())?;
        Ok(Secret { vkey, key })
    }

    fn parse(text: &str, kind: KeyKind) -> Result<Secret, NoKey> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let key = line.strip_prefix(PRIVATE).ok_or(NoKey::Shape)?;
        let mut parts = key.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoKey::Shape);
        };
        let bytes = Zeroizing::new(base64::decode(key).ok_or(NoKey::Shape)?);
        let (first, seed) = bytes.split_first().ok_or(NoKey::Shape)?;
        if *first != kind as u8 {
            let known = [KeyKind::Log as u8, KeyKind::Witness as u8].contains(first);
            return Err(if known { NoKey::Kind } else { NoKey::Shape });
        }
        let seed = <&[u8; 32]>::try_from(seed).map_err(|_| NoKey::Shape)?;
        let secret = Secret::new(name, kind, seed)?;
        if format!("{:08x}", u32::from_be_bytes(secret.vkey.id())) == id {
            Ok(secret)
        } else {
            Err(NoVkey::Id.into())
        }
    }

    fn text(&self) -> Zeroizing<String> {
        let kind = [self.vkey.kind() as u8];
        let bytes = Zeroizing::new([kind.as_slice(), self.key.as_bytes()].concat());
        let key = Zeroizing::new(base64::encode(&bytes));
        let id = u32::from_be_bytes(self.vkey.id());
        Zeroizing::new(format!("{PRIVATE}{}+{id:08x}+{}\n", self.vkey.name(), *key))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_bytes().to_vec()
    }
}

impl std::fmt::Debug for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogKey(secret of {})", self.0.vkey)
    }
}

impl std::fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WitnessKey(secret of {})", self.0.vkey)
    }
}
