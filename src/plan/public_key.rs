//! Somebody's public key as OpenSSH writes it: `ssh-ed25519 AAAA… comment`, or the same kept in a
//! FIDO2 token (`sk-ssh-ed25519@openssh.com`). Bytes after RFC 4251, section 5 and RFC 8709; the
//! token's after OpenSSH's PROTOCOL.u2f.
//!
//! In: a line, or a key's wire form. Out: a [`PublicKey`] that can be compared, shown and written again,
//! without its comment: comments hold names and addresses.
//!
//! Not here: signatures and what they are over (`signature`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A key in a file.
const PLAIN: &str = "ssh-ed25519";
/// A key in a token that wants to be touched.
const TOKEN: &str = "sk-ssh-ed25519@openssh.com";

/// Longest key line with its comment; ours are below 200.
const LINE_BYTES_MAX: usize = 1_000;
/// Longest name of an application that a token's key is for; usually `ssh:`.
const APPLICATION_BYTES_MAX: usize = 100;

/// An Ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    /// The point itself. Two keys with one point are one key, whatever kind they say they are.
    pub point: [u8; 32],
    /// What the token's key is for; none where it is a key in a file.
    pub application: Option<Arc<str>>,
}

/// A line, or bytes, that hold no key we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Longer than any key.
    #[error("it is too long for a key")]
    TooLong,
    /// No `TYPE BASE64` there.
    #[error("it is not `TYPE BASE64`, as in a `.pub` file")]
    Shape,
    /// Another kind of key.
    #[error("it is neither `ssh-ed25519` nor `sk-ssh-ed25519@openssh.com`")]
    Kind,
    /// The base64 is damaged.
    #[error("its base64 is damaged")]
    Base64,
    /// The bytes are not those of a key of that kind.
    #[error("its bytes are not those of such a key")]
    Bytes,
    /// Everybody could sign for it.
    #[error("its point is none that a key can have")]
    Point,
}

impl PublicKey {
    /// A key that lies in a file, by its point.
    ///
    /// # Errors
    /// When the point is none of a key's.
    pub fn plain(point: [u8; 32]) -> Result<PublicKey, KeyFault> {
        PublicKey {
            point,
            application: None,
        }
        .sound()
    }

    /// The key in its wire form, all of it.
    ///
    /// # Errors
    /// When it is no key we take, or something follows it.
    pub fn from_wire(bytes: &[u8]) -> Result<PublicKey, KeyFault> {
        let mut wire = Wire(bytes);
        let kind = wire.string().ok_or(KeyFault::Bytes)?;
        let token = match kind {
            kind if kind == PLAIN.as_bytes() => false,
            kind if kind == TOKEN.as_bytes() => true,
            _ => return Err(KeyFault::Kind),
        };
        let point = wire.string().and_then(|point| point.try_into().ok());
        let application = if token {
            let text = wire.string().ok_or(KeyFault::Bytes)?;
            let text = std::str::from_utf8(text).map_err(|_| KeyFault::Bytes)?;
            let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
            if !plain || text.len() > APPLICATION_BYTES_MAX {
                return Err(KeyFault::Bytes);
            }
            Some(text.into())
        } else {
            None
        };
        if !wire.0.is_empty() {
            return Err(KeyFault::Bytes);
        }
        let point = point.ok_or(KeyFault::Bytes)?;
        PublicKey { point, application }.sound()
    }

    fn sound(self) -> Result<PublicKey, KeyFault> {
        let key = VerifyingKey::from_bytes(&self.point).map_err(|_| KeyFault::Point)?;
        if key.is_weak() {
            return Err(KeyFault::Point);
        }
        Ok(self)
    }

    /// `ssh-ed25519` or `sk-ssh-ed25519@openssh.com`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.application {
            None => PLAIN,
            Some(_) => TOKEN,
        }
    }

    /// Its wire form.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(100);
        put_string(&mut bytes, self.kind().as_bytes());
        put_string(&mut bytes, &self.point);
        if let Some(application) = &self.application {
            put_string(&mut bytes, application.as_bytes());
        }
        bytes
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.wire());
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest))
    }
}

/// The line of a `.pub` file, without a comment.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), STANDARD.encode(self.wire()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyFault;

    /// Reads the line of a `.pub` file; its comment is dropped.
    fn from_str(line: &str) -> Result<PublicKey, KeyFault> {
        if line.len() > LINE_BYTES_MAX {
            return Err(KeyFault::TooLong);
        }
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
            return Err(KeyFault::Shape);
        };
        if kind != PLAIN && kind != TOKEN {
            return Err(KeyFault::Kind);
        }
        let bytes = STANDARD.decode(base64).map_err(|_| KeyFault::Base64)?;
        let key = PublicKey::from_wire(&bytes)?;
        if key.kind() == kind {
            Ok(key)
        } else {
            Err(KeyFault::Kind)
        }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What is left to read of bytes in SSH's wire form: big-endian numbers, and strings behind their length.
#[derive(Debug, Clone, Copy)]
pub struct Wire<'a>(pub &'a [u8]);

impl<'a> Wire<'a> {
    /// The next `count` bytes; nothing where fewer are left.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of four bytes.
    pub fn number(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    /// A string: its length, then its bytes.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }
}

/// Appends a string in wire form. Ours are all short; a longer one than a length can say is cut.
pub fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.extend(string.iter().take(length as usize));
}
