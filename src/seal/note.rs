//! Signed notes: a text and lines of signatures below it, as C2SP signed-note v1.0.0 writes them.
//!
//! In: bytes of any origin. Out: a note whose bytes are exactly those; signatures unchecked.
//!
//! Not here: what a signature is over (`head`, `cosign`).

use super::base64;
use crate::plan::vkey::{Vkey, is_key_name};

/// What a signature line begins with: an em dash and a space.
pub const DASH: &str = "— ";

/// Most bytes of a note that is read.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;

/// Most signature lines that are read.
pub const LINES_MAX: usize = 100;

/// A text and the signatures below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed: lines, the last with its line feed.
    pub text: String,
    /// Signatures in their order.
    pub lines: Vec<Line>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the key.
    pub name: String,
    /// The key's id.
    pub id: [u8; 4],
    /// What the key's kind makes of it: a signature, or a time and a signature.
    pub signature: Vec<u8>,
}

/// Why bytes are no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoNote {
    /// More than a note may have.
    #[error("more bytes or lines than a signed note may have")]
    TooLong,
    /// Not UTF-8, or with control characters.
    #[error("not a text without control characters")]
    Text,
    /// No blank line, or nothing above or below it.
    #[error("no text with a blank line and signatures below it")]
    Shape,
    /// A line below the blank one that is no signature.
    #[error("a line below the text that is no signature")]
    Line,
}

impl Note {
    /// The note that these bytes are.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoNote> {
        let note = text(bytes)?;
        let (above, below) = note.rsplit_once("\n\n").ok_or(NoNote::Shape)?;
        if above.is_empty() {
            return Err(NoNote::Shape);
        }
        Ok(Note {
            text: format!("{above}\n"),
            lines: lines(below)?,
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let lines = self.lines.iter().map(ToString::to_string);
        format!("{}\n{}", self.text, lines.collect::<String>()).into_bytes()
    }

    /// The lines that say they are by `key` (name and id; nothing is proved by that).
    pub fn by<'a>(&'a self, key: &'a Vkey) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(|line| line.is_by(key))
    }
}

/// Signature lines without a note, as a witness hands them back.
///
/// # Errors
/// When there is none, or a line is something else.
pub fn read_lines(bytes: &[u8]) -> Result<Vec<Line>, NoNote> {
    lines(text(bytes)?)
}

fn text(bytes: &[u8]) -> Result<&str, NoNote> {
    if bytes.len() > NOTE_BYTES_MAX {
        return Err(NoNote::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| NoNote::Text)?;
    let sound = text.chars().all(|letter| letter == '\n' || letter >= ' ');
    if sound { Ok(text) } else { Err(NoNote::Text) }
}

fn lines(below: &str) -> Result<Vec<Line>, NoNote> {
    let below = below.strip_suffix('\n').ok_or(NoNote::Shape)?;
    let lines: Vec<&str> = below.split('\n').take(LINES_MAX + 1).collect();
    if lines.len() > LINES_MAX {
        return Err(NoNote::TooLong);
    }
    lines.into_iter().map(line).collect()
}

fn line(text: &str) -> Result<Line, NoNote> {
    let read = || {
        let (name, signature) = text.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = base64::decode(signature)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        let sound = is_key_name(name) && !signature.is_empty();
        sound.then(|| Line {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    };
    read().ok_or(NoNote::Line)
}

impl Line {
    /// A signature by `key`.
    #[must_use]
    pub fn new(key: &Vkey, signature: Vec<u8>) -> Line {
        Line {
            name: key.name().to_owned(),
            id: key.id(),
            signature,
        }
    }

    /// Whether it says that it is by `key`.
    #[must_use]
    pub fn is_by(&self, key: &Vkey) -> bool {
        self.id == key.id() && self.name == key.name()
    }
}

/// The line as it stands in a note, with its line feed.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.id, self.signature.as_slice()].concat();
        writeln!(f, "{DASH}{} {}", self.name, base64::encode(&bytes))
    }
}
