//! Files that were kept beside a run, into a bag as they are.

use std::fs;
use std::path::Path;

use super::PackFault;
use crate::export::bag::{BagFault, BagWriter};
use crate::journal::listed;

/// People hand in some of them: larger is refused.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Copies every file of a folder, if it is there, to below `to`.
///
/// # Errors
/// As [`copy`].
pub(super) fn copy_all(bag: &mut BagWriter, to: &str, folder: &Path) -> Result<(), PackFault> {
    for name in names(folder)? {
        copy(bag, &format!("{to}/{name}"), &folder.join(&name))?;
    }
    Ok(())
}

/// Copies a list of digests that stands in a folder to `list`, and the files that it names to beside it.
///
/// # Errors
/// As [`copy`], and when the list cannot be read.
pub(super) fn copy_listed(bag: &mut BagWriter, list: &str, folder: &Path) -> Result<(), PackFault> {
    let (to, name) = list.rsplit_once('/').unwrap_or(("", list));
    let place = folder.join(name);
    let text = fs::read_to_string(&place).map_err(|fault| PackFault::Kept(place, fault))?;
    bag.put(list, text.as_bytes())?;
    for (_, name) in listed(&text) {
        copy(bag, &format!("{to}/{name}"), &folder.join(name))?;
    }
    Ok(())
}

/// Copies one file.
///
/// # Errors
/// When it is too large or cannot be read, or the bag cannot be written.
pub(super) fn copy(bag: &mut BagWriter, path: &str, from: &Path) -> Result<(), PackFault> {
    let refused = |fault| PackFault::Kept(from.to_owned(), fault);
    let mut file = fs::File::open(from).map_err(refused)?;
    if file.metadata().map_err(refused)?.len() > FILE_BYTES_MAX {
        let why = "larger than a file that is kept beside a run may be";
        let path = from.to_owned();
        return Err(BagFault::TooLarge { path, why }.into());
    }
    bag.stream(path, |out| {
        std::io::copy(&mut file, out).map_err(refused)?;
        Ok(())
    })
}

/// Names of the files in a folder, in order; none where there is no folder. Unfinished ones, which
/// begin with a full stop, are left out.
fn names(folder: &Path) -> Result<Vec<String>, PackFault> {
    let refused = |fault| PackFault::Kept(folder.to_owned(), fault);
    let entries = match fs::read_dir(folder) {
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().map_err(refused)?.is_file() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
