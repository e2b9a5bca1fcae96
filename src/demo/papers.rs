//! The shipped plans, out of the binary into a folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use include_dir::{Dir, DirEntry, include_dir};

static PLANS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/plans");

/// Names of the shipped plans.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let folders = PLANS
        .dirs()
        .filter(|dir| dir.get_file(dir.path().join("plan.toml")).is_some());
    folders.filter_map(|dir| dir.path().to_str()).collect()
}

/// One file of a shipped plan.
#[must_use]
pub fn text(name: &str, path: &str) -> Option<&'static str> {
    PLANS.get_file(Path::new(name).join(path))?.contents_utf8()
}

/// Writes a shipped plan into `folder`, whole or not at all: false when there is no such plan. Files
/// beside it, readable by their owner only, take the place of the plan's own.
///
/// # Errors
/// When the file system refuses.
pub fn lay_out(name: &str, folder: &Path, beside: &[(String, String)]) -> io::Result<bool> {
    let Some(plan) = PLANS.get_dir(name) else {
        return Ok(false);
    };
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    write_all(plan, Path::new(name), &unfinished)?;
    for (path, text) in beside {
        let path = unfinished.join(path);
        write(&path, text.as_bytes())?;
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    fs::rename(&unfinished, folder)?;
    Ok(true)
}

fn write_all(dir: &Dir<'_>, root: &Path, to: &Path) -> io::Result<()> {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => write_all(dir, root, to)?,
            DirEntry::File(file) => {
                let path = file.path().strip_prefix(root).map_err(io::Error::other)?;
                write(&to.join(path), file.contents())?;
            }
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create(path)?.write_all(bytes)
}
