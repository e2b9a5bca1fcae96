//! The head of a log and its seal: origin, size and root in three lines (C2SP tlog-checkpoint v1.0.0,
//! without extension lines), signed as a note by the log's key.
//!
//! Not here: when a head may be signed (`journal`), witnesses' lines (`cosign`).

use ed25519_dalek::{Signature, VerifyingKey};

use super::base64;
use super::note::{NoNote, Note};
use crate::plan::digest::Digest;
use crate::plan::vkey::{KeyKind, Vkey, is_key_name};

/// A log as it stood once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Which log: `<project>/<run id>`.
    pub origin: String,
    /// How many lines it had.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
}

/// Why bytes are no seal of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoHead {
    /// Not even a signed note.
    #[error(transparent)]
    Note(#[from] NoNote),
    /// Not origin, size and root.
    #[error("its text is not the origin, size and root of a log")]
    Shape,
    /// Nothing has another root than nothing.
    #[error("a log without entries has another root")]
    Empty,
    /// The log's key has not signed it.
    #[error("it is not signed by the log's key")]
    Unsigned,
    /// There is a line of the log's key which that key did not make: the whole note is refused.
    #[error("a signature in it is false")]
    False,
}

impl Head {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let root = base64::encode(&self.root.0);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// The head that a note's text says.
    ///
    /// # Errors
    /// When it says none. Extension lines are refused: our logs have none, and witnesses vouch for none.
    pub fn parse(text: &str) -> Result<Head, NoHead> {
        let mut lines = text.strip_suffix('\n').ok_or(NoHead::Shape)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoHead::Shape);
        };
        if !is_key_name(origin) {
            return Err(NoHead::Shape);
        }
        let head = Head {
            origin: origin.to_owned(),
            size: base64::number(size).ok_or(NoHead::Shape)?,
            root: base64::hash(root).ok_or(NoHead::Shape)?,
        };
        if head.size == 0 && head.root != Digest::of(b"") {
            return Err(NoHead::Empty);
        }
        Ok(head)
    }
}

/// A note that is a head of a log; who signed it is for [`Seal::by_log`] and `cosign` to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// What it says.
    pub head: Head,
    /// The note, with every signature.
    pub note: Note,
}

impl Seal {
    /// The seal that these bytes are; signatures unchecked.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Seal, NoHead> {
        let note = Note::parse(bytes)?;
        Ok(Seal {
            head: Head::parse(&note.text)?,
            note,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.note.bytes()
    }

    /// Whether the log's key signed it. A false line of that key refuses the whole, even beside a good
    /// one.
    ///
    /// # Errors
    /// [`NoHead::Unsigned`] where there is no line of that key (or it is no log's key, or another
    /// log's), [`NoHead::False`].
    pub fn by_log(&self, key: &Vkey) -> Result<(), NoHead> {
        if key.kind() != KeyKind::Log || key.name() != self.head.origin {
            return Err(NoHead::Unsigned);
        }
        let mut signed = Err(NoHead::Unsigned);
        for line in self.note.by(key) {
            if !is_over(key, self.note.text.as_bytes(), &line.signature) {
                return Err(NoHead::False);
            }
            signed = Ok(());
        }
        signed
    }
}

/// Whether these 64 bytes are the signature of `key` over `message`, in the strict reading that every
/// implementation shares.
pub(super) fn is_over(key: &Vkey, message: &[u8], signature: &[u8]) -> bool {
    let checked = || {
        let signature = Signature::from_slice(signature).ok()?;
        let key = VerifyingKey::from_bytes(key.key()).ok()?;
        key.verify_strict(message, &signature).ok()
    };
    checked().is_some()
}
