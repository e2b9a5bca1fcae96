//! Verifier keys as people write them down: `<name>+<key id>+<base64 of type and public key>`, the
//! `vkey` of C2SP signed-note. A committee's minute holds a log's, a plan holds its witnesses'.
//!
//! In: text. Out: a key of which the id was recomputed and the point was found sound.
//!
//! Not here: checking signatures with it, secret keys (`seal`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::digest::Digest;

/// What a key signs. The number is the type byte of C2SP signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Seals: Ed25519 over a note's text.
    Log = 0x01,
    /// Cosignatures: Ed25519 over `cosignature/v1`, a time and a note's text.
    Witness = 0x04,
}

/// An Ed25519 verifier key with its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vkey {
    name: Arc<str>,
    kind: KeyKind,
    id: [u8; 4],
    key: [u8; 32],
}

/// Why a text is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoVkey {
    /// Not three parts joined by `+`, or not base64.
    #[error("a verifier key looks like `name+0123abcd+AQ…`: name, key id and key, joined by `+`")]
    Shape,
    /// Empty, or with a space or a plus in it.
    #[error("a key's name has no spaces and no `+` in it")]
    Name,
    /// A kind of key that this version does not know.
    #[error("this is a key of type {0:#04x}; known are 0x01 (a log's) and 0x04 (a witness's)")]
    Kind(u8),
    /// The id is not the one that belongs to name and key: a typing error.
    #[error("its key id does not belong to this name and key: was a letter lost in copying?")]
    Id,
    /// No point of the curve, or one that anybody could sign for.
    #[error("its key is no sound Ed25519 key")]
    Key,
}

impl Vkey {
    /// The key of that name.
    ///
    /// # Errors
    /// When the name or the key will not do.
    pub fn new(name: &str, kind: KeyKind, key: [u8; 32]) -> Result<Vkey, NoVkey> {
        if !is_key_name(name) {
            return Err(NoVkey::Name);
        }
        let sound = VerifyingKey::from_bytes(&key).is_ok_and(|key| !key.is_weak());
        if !sound {
            return Err(NoVkey::Key);
        }
        // C2SP signed-note: SHA-256(name, line feed, type, key), the first four bytes.
        let named = [name.as_bytes(), b"\n", &[kind as u8], &key].concat();
        let [a, b, c, d, ..] = Digest::of(&named).0;
        Ok(Vkey {
            name: name.into(),
            kind,
            id: [a, b, c, d],
            key,
        })
    }

    /// Its name; a log's is the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// What signature lines name it by, beside its name.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

/// Whether a key may have this name (C2SP signed-note: not empty, no Unicode spaces, no plus).
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    let banned = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '+';
    !name.is_empty() && !name.contains(banned)
}

impl FromStr for Vkey {
    type Err = NoVkey;

    fn from_str(text: &str) -> Result<Vkey, NoVkey> {
        // Base64 has plus signs too: only the first two part the text.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoVkey::Shape);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoVkey::Shape)?;
        let (kind, key) = bytes.split_first().ok_or(NoVkey::Shape)?;
        let kind = match kind {
            0x01 => KeyKind::Log,
            0x04 => KeyKind::Witness,
            other => return Err(NoVkey::Kind(*other)),
        };
        let key = key.try_into().map_err(|_| NoVkey::Shape)?;
        let vkey = Vkey::new(name, kind, key)?;
        if hex_id(vkey.id) == id {
            Ok(vkey)
        } else {
            Err(NoVkey::Id)
        }
    }
}

fn hex_id(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [self.kind as u8; 33];
        bytes[1..].copy_from_slice(&self.key);
        let key = STANDARD.encode(bytes);
        write!(f, "{}+{}+{key}", self.name, hex_id(self.id))
    }
}

impl fmt::Debug for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vkey({self})")
    }
}

impl Serialize for Vkey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Vkey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
