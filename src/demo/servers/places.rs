//! Where a server's data, log and socket are. A socket's path has at most 107 bytes, so sockets are
//! in a short fresh folder in `/tmp` (or in memory, where nothing is to outlive the machine), the room,
//! that goes with the server.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::programs::{Owner, last_lines, said};
use super::{Durability, GLANCE, Kind, ServerError};

/// How long the server of a process that died just now may take to go.
const LEAVING: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Places {
    pub(super) room: PathBuf,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    /// Where the log of this start begins.
    pub(super) said_before: u64,
    /// The link to the data, where these are not in the folder that was asked for.
    link: Option<PathBuf>,
}

impl Places {
    /// The places below a folder, and its log, locked.
    pub(super) fn kept(
        kind: Kind,
        folder: &Path,
        owner: Option<Owner>,
    ) -> Result<(Places, File), ServerError> {
        let io = |io| ServerError::Io(folder.to_path_buf(), io);
        fs::create_dir_all(folder).map_err(io)?;
        let folder = folder.canonicalize().map_err(io)?;
        let log = folder.join(format!("{}.log", kind.word()));
        let locked = lock(&log)?;
        let asked = folder.join(kind.word());
        let data = match linked(&asked, owner) {
            Some(data) => data,
            None if can_enter(&folder, owner) => asked.clone(),
            None => elsewhere(&asked, owner)?,
        };
        let places = Places {
            room: fresh("/tmp", owner)?,
            link: (data != asked).then_some(asked),
            data,
            log,
            said_before: 0,
        };
        Ok((places, locked))
    }

    /// Places that are all in the room, and the log, locked.
    pub(super) fn thrown_away(
        owner: Option<Owner>,
        durability: Durability,
    ) -> Result<(Places, File), ServerError> {
        let room = match durability {
            Durability::Full => fresh("/tmp", owner)?,
            Durability::Process => fresh(quick(), owner)?,
        };
        let log = room.join("log");
        let locked = lock(&log)?;
        let places = Places {
            data: room.join("data"),
            link: None,
            log,
            said_before: 0,
            room,
        };
        Ok((places, locked))
    }

    pub(super) fn is_thrown_away(&self) -> bool {
        self.data.starts_with(&self.room)
    }

    /// The end of what this start logged; of its errors, if it named any.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let before = usize::try_from(self.said_before).unwrap_or(0);
        let text = String::from_utf8_lossy(log.get(before..).unwrap_or_default()).into_owned();
        let grave = |line: &&str| ["ERROR", "FATAL"].iter().any(|word| line.contains(word));
        let errors: Vec<&str> = text.lines().filter(grave).collect();
        last_lines(if errors.is_empty() {
            text
        } else {
            errors.join("\n")
        })
    }

    pub(super) fn remove_data(&self) -> Result<(), ServerError> {
        remove(&self.data)?;
        if let Some((link, far)) = self.link.as_ref().zip(self.data.parent()) {
            remove(far)?;
            remove(link)?;
        }
        remove(&self.log)
    }
}

/// Data that an earlier start put elsewhere, if the folder there is still the server's own.
fn linked(link: &Path, owner: Option<Owner>) -> Option<PathBuf> {
    let data = fs::read_link(link).ok()?;
    let far = fs::symlink_metadata(data.parent()?).ok()?;
    let user = owner.map_or_else(|| rustix::process::geteuid().as_raw(), |owner| owner.user);
    (far.is_dir() && far.uid() == user).then_some(data)
}

fn elsewhere(link: &Path, owner: Option<Owner>) -> Result<PathBuf, ServerError> {
    let data = fresh("/tmp", owner)?.join("data");
    remove(link)?;
    symlink(&data, link).map_err(|io| ServerError::Io(link.to_path_buf(), io))?;
    Ok(data)
}

fn can_enter(folder: &Path, owner: Option<Owner>) -> bool {
    let mut command = Owner::command(owner, Path::new("sh"));
    command.args(["-c", "cd \"$0\""]).arg(folder);
    said(command).is_ok()
}

/// Where data is kept that need not outlive the machine: in memory, where that has room for it. A server
/// waits for its disk at every table that it makes, whatever it is told about durability.
fn quick() -> &'static str {
    const SHARED: &str = "/dev/shm";
    const ENOUGH: u64 = 4 << 30;
    let room = rustix::fs::statvfs(SHARED).map(|found| found.f_bavail * found.f_frsize);
    if room.is_ok_and(|room| room >= ENOUGH) {
        SHARED
    } else {
        "/tmp"
    }
}

/// Makes `ho-<pid>-<n>` in `above`, which was not there before.
fn fresh(above: &str, owner: Option<Owner>) -> Result<PathBuf, ServerError> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let room = PathBuf::from(format!("{above}/ho-{}-{number}", std::process::id()));
        match make_private(&room, owner) {
            Err(ServerError::Io(_, io)) if io.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| room),
        }
    }
}

/// Makes a folder that only the server (and root) can look into.
pub(super) fn make_private(folder: &Path, owner: Option<Owner>) -> Result<(), ServerError> {
    let made = DirBuilder::new().mode(0o700).create(folder);
    let made = made.and_then(|()| match owner {
        Some(owner) => chown(folder, Some(owner.user), Some(owner.group)),
        None => Ok(()),
    });
    made.map_err(|io| ServerError::Io(folder.to_path_buf(), io))
}

/// Removes a folder with all in it, a file or a link, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), ServerError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(io) => Err(io),
    };
    match removed {
        Err(io) if io.kind() != ErrorKind::NotFound => Err(ServerError::Io(path.to_path_buf(), io)),
        _ => Ok(()),
    }
}

/// Opens a server's log and locks it. The server inherits the lock with the file, so that it is free
/// when the last of its processes is gone.
pub(super) fn lock(log: &Path) -> Result<File, ServerError> {
    let cannot = |io: io::Error| ServerError::Io(log.to_path_buf(), io);
    let mut options = File::options();
    let file = options
        .append(true)
        .create(true)
        .open(log)
        .map_err(cannot)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LEAVING => sleep(GLANCE),
            Err(TryLockError::WouldBlock) => return Err(ServerError::InUse(log.to_path_buf())),
            Err(TryLockError::Error(io)) => return Err(cannot(io)),
        }
    }
}
