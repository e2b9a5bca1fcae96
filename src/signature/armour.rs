//! Base64 between two lines that say what it is, as OpenSSH armours signatures and private keys.
//!
//! Strict: the lines stand alone, nothing stands before or behind them, the base64 is canonical. Line
//! ends may be Windows', since a file may have been mailed.
//!
//! Not here: what the bytes mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest armoured text. A signature has 300 bytes, a key file 400; RSA's would have 3,000.
pub(super) const ARMOUR_BYTES_MAX: usize = 8 * 1024;
/// Longest line of base64 that any tool writes.
const LINE_CHARS_MAX: usize = 76;
/// How many characters of base64 `ssh-keygen` puts in a line.
const LINE_CHARS: usize = 70;

/// Why a text is no such armour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArmourFault {
    /// Longer than it can be.
    #[error("it has more than {ARMOUR_BYTES_MAX} bytes")]
    TooLong,
    /// Not the lines that it should begin and end with.
    #[error("it does not begin and end with the lines that it should")]
    Frame,
    /// The base64 is damaged.
    #[error("its base64 is damaged")]
    Base64,
}

/// The bytes in the armour of that kind, such as `SSH SIGNATURE`.
///
/// # Errors
/// When it is anything but one whole armour.
pub(super) fn open(text: &[u8], kind: &str) -> Result<Vec<u8>, ArmourFault> {
    if text.len() > ARMOUR_BYTES_MAX {
        return Err(ArmourFault::TooLong);
    }
    let text = std::str::from_utf8(text).map_err(|_| ArmourFault::Frame)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    if lines.next() != Some(&format!("-----BEGIN {kind}-----")) {
        return Err(ArmourFault::Frame);
    }
    let end = format!("-----END {kind}-----");
    let mut base64 = String::with_capacity(text.len());
    let mut ended = false;
    for line in lines {
        if ended {
            return Err(ArmourFault::Frame);
        }
        if line == end {
            ended = true;
        } else if line.is_empty() || line.len() > LINE_CHARS_MAX {
            return Err(ArmourFault::Base64);
        } else {
            base64.push_str(line);
        }
    }
    if !ended {
        return Err(ArmourFault::Frame);
    }
    STANDARD.decode(base64).map_err(|_| ArmourFault::Base64)
}

/// Armours bytes as `ssh-keygen` does.
pub(super) fn close(bytes: &[u8], kind: &str) -> String {
    let base64 = STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {kind}-----\n");
    for (at, character) in base64.chars().enumerate() {
        if at > 0 && at % LINE_CHARS == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text + &format!("\n-----END {kind}-----\n")
}
