//! Files that people bring: read whole, within a limit, whatever their size is said to be (a pipe says
//! none).
//!
//! Not here: what the bytes mean, files of a project (`settings`), folders (`log`).

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::failure::{Failure, hint};

/// A paper, its preview, somebody's evidence: no database.
pub(super) const PAPER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The bytes of a file, if they are at most `most`; `what` says in messages what it was brought as.
pub(super) fn bytes(path: &Path, what: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    if let Err(fault) = read {
        let says = format!("the {what} `{}` cannot be read: {fault}", path.display());
        return Err(Failure::usage(says).with(hint("name a file that this user may read")));
    }
    if bytes.len() as u64 > most {
        let (file, mib) = (path.display(), most / 1024 / 1024);
        let says =
            format!("the {what} `{file}` is too large to be one: at most {mib} MiB are read");
        return Err(Failure::usage(says).with(hint(format!("name the {what} itself"))));
    }
    Ok(bytes)
}
