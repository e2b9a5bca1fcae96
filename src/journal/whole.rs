//! Files that are written whole or not at all, durably, and in nobody else's way: under a name of their own
//! first, then under the one they are to have. The one way in which keys, seals, previews and statements are
//! written.
//!
//! Not here: a file that grows (`place`), a folder of files (`export::bag`).

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::place::{durable_list, durable_name, folder_of, private_options};

/// Whom a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Its owner alone: nobody else may read it.
    Owner,
    /// Whoever may read files of this person, in a folder that is theirs, wherever that is.
    People,
}

/// Writes a file in the place of one that is there; durable on return.
pub(crate) fn put_whole(path: &Path, bytes: &[u8], whom: For) -> io::Result<()> {
    let unfinished = unfinished(path, bytes, whom)?;
    kept(&unfinished, fs::rename(&unfinished, path))?;
    durable(path, whom)
}

/// Writes a new file that only its owner may read; durable on return. Fails where there is one.
pub(super) fn put_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path, bytes, For::Owner)?;
    kept(&unfinished, name_new(&unfinished, path))?;
    durable(path, For::Owner)
}

/// Gives a file its name where nobody has that name yet.
fn name_new(unfinished: &Path, path: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, unfinished, CWD, path, RenameFlags::NOREPLACE) {
            // This file system cannot: a second name can be new as well.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            answer => return Ok(answer?),
        }
    }
    fs::hard_link(unfinished, path)?;
    fs::remove_file(unfinished)
}

/// What is unfinished goes away where it did not become what it was to be.
fn kept<T>(unfinished: &Path, answer: io::Result<T>) -> io::Result<T> {
    answer.inspect_err(|_| drop(fs::remove_file(unfinished)))
}

/// Under a name of its own first: two that write at once never share it.
fn unfinished(path: &Path, bytes: &[u8], whom: For) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.unfinished", Uuid::now_v7().simple()));
    let unfinished = PathBuf::from(name);
    let mut options = match whom {
        For::Owner => private_options(),
        For::People => fs::OpenOptions::new(),
    };
    let mut file = options.write(true).create_new(true).open(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    kept(&unfinished, written)?;
    Ok(unfinished)
}

/// Returns once the file's name would survive a power cut. A folder of people's own was there before, and may
/// be one that cannot be asked for that: to be written and not read, on a stick, on a share.
fn durable(path: &Path, whom: For) -> io::Result<()> {
    let folder = folder_of(path);
    match whom {
        For::Owner => durable_name(&folder),
        For::People => durable_list(&folder).or_else(|fault| match fault.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported => Ok(()),
            _ => Err(fault),
        }),
    }
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
            put_whole(&ours, text.as_bytes(), For::People).expect("saved");
            assert_eq!(fs::read_to_string(&ours).expect("ours"), text);
        }
        assert_eq!(fs::read_to_string(&theirs).expect("theirs"), "theirs");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_for_its_owner_nobody_else_may_read_and_what_is_for_people_they_may() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::TempDir::new().expect("a folder");
        let mode = |name: &str, whom| {
            let path = folder.path().join(name);
            put_whole(&path, b"x", whom).expect("written");
            fs::metadata(&path).expect("a file").permissions().mode() & 0o777
        };
        let usual = folder.path().join("usual");
        fs::write(&usual, "x").expect("a file");
        let usual = fs::metadata(&usual).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode("key", For::Owner), 0o600);
        assert_eq!(mode("preview", For::People), usual);
    }

    #[test]
    fn of_two_who_write_the_same_new_file_at_once_one_has_written_all_of_it() {
        let folder = tempfile::TempDir::new().expect("a folder");
        for round in 0..50 {
            let path = folder.path().join(round.to_string());
            let write = |byte: u8| put_new(&path, &[byte; 4_096]).is_ok();
            let won = std::thread::scope(|scope| {
                let both = [1, 2].map(|byte| scope.spawn(move || write(byte)));
                both.map(|one| one.join().expect("no panic"))
            });
            let kept = if won[0] { 1 } else { 2 };
            assert_eq!(won.iter().filter(|won| **won).count(), 1);
            assert_eq!(fs::read(&path).expect("the file"), [kept; 4_096]);
        }
        let files = fs::read_dir(folder.path()).expect("the folder").count();
        assert_eq!(files, 50, "what was unfinished stays nowhere");
    }
}
