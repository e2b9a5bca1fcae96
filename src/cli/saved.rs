//! Files that a command writes for people: whole or not at all, durable, and in nobody else's way.
//!
//! Not here: files that only their owner may read (`journal::place`), packs (`export::bag`).

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;

/// Writes a file under a name of its own first, and then in the place of one that is there.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let refused = |fault: std::io::Error| {
        Failure::new(
            Exit::Database,
            format!("`{}` cannot be written: {fault}", path.display()),
        )
    };
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.unfinished", uuid::Uuid::now_v7().simple()));
    let unfinished = PathBuf::from(name);
    let put = || {
        let mut file = fs::File::create_new(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    put().map_err(|fault| {
        drop(fs::remove_file(&unfinished));
        refused(fault)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_somebodys_own_that_is_called_unfinished_is_left_alone() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let theirs = folder.path().join("q3.unfinished");
        fs::write(&theirs, "theirs").expect("a file");
        let ours = folder.path().join("q3.preview");
        for text in ["first", "second"] {
            whole(&ours, text.as_bytes()).expect("saved");
            assert_eq!(fs::read_to_string(&ours).expect("ours"), text);
        }
        assert_eq!(fs::read_to_string(&theirs).expect("theirs"), "theirs");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    }
}
