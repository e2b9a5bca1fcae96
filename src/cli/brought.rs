//! Files that people bring: read whole, within a limit, whatever their size is said to be (a pipe says
//! none).
//!
//! Not here: what the bytes mean, files of a project (`settings`), folders (`log`).

use std::path::Path;

use super::failure::{Failure, hint};
use crate::plan::bounded;

/// A paper, its preview, somebody's evidence: no database.
pub(super) const PAPER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The bytes of a file, if they are at most `most`; `what` says in messages what it was brought as.
pub(super) fn bytes(path: &Path, what: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let file = path.display();
    match bounded::read(path, most) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            let mib = most / 1024 / 1024;
            let says =
                format!("the {what} `{file}` is too large to be one: at most {mib} MiB are read");
            Err(Failure::usage(says).with(hint(format!("name the {what} itself"))))
        }
        Err(fault) => {
            let says = format!("the {what} `{file}` cannot be read: {fault}");
            Err(Failure::usage(says).with(hint("name a file that this user may read")))
        }
    }
}
