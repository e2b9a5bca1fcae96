//! Where a journal may live: a folder of our own, private, on a disk of this machine.
//!
//! Not here: what is in the file (`schema`), who holds a run (`claim`), files that are written whole (`whole`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::fault::JournalFault;

/// Makes the folder of `journal` (mode 0700) and the file (0600) where they are missing, after
/// refusing a network file system.
pub(super) fn prepare(journal: &Path) -> Result<(), JournalFault> {
    let folder = folder_of(journal);
    private_folder(&folder)?;
    refuse_network(&folder)?;
    match private_file(journal) {
        Ok(file) => durable(&file, &folder).map_err(|fault| refused(journal, fault)),
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(refused(journal, fault)),
    }
}

/// The folder that holds `journal`, and beside it one folder per run.
pub(super) fn folder_of(journal: &Path) -> PathBuf {
    match journal.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Where a run keeps its key and its claim files.
pub(super) fn run_folder(journal: &Path, run: Uuid) -> PathBuf {
    folder_of(journal).join(run.to_string())
}

/// Makes a folder that only its owner may enter; one that exists stays as it is.
pub(super) fn private_folder(folder: &Path) -> Result<(), JournalFault> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|fault| refused(folder, fault))
}

/// Makes a new file that only its owner may read; fails where there is one.
pub(super) fn private_file(path: &Path) -> io::Result<fs::File> {
    private_options().create_new(true).open(path)
}

/// Options to write a file that, if it is made, only its owner may read.
pub(super) fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns once the file, and its name in `folder`, would survive a power cut.
pub(super) fn durable(file: &fs::File, folder: &Path) -> io::Result<()> {
    file.sync_all()?;
    durable_name(folder)
}

/// Returns once what `folder` lists, and its own name above it, would survive a power cut.
pub(super) fn durable_name(folder: &Path) -> io::Result<()> {
    durable_list(folder)?;
    durable_list(&folder.join(".."))
}

/// Returns once what `folder` lists would survive a power cut.
pub(super) fn durable_list(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

pub(super) fn refused(path: &Path, fault: io::Error) -> JournalFault {
    JournalFault::Io(path.to_owned(), fault)
}

/// Refuses folders where kernel locks and `fsync` cannot be trusted.
fn refuse_network(folder: &Path) -> Result<(), JournalFault> {
    let found = network_kind(folder).map_err(|fault| refused(folder, fault))?;
    found.map_or(Ok(()), |kind| {
        Err(JournalFault::Network {
            path: folder.to_owned(),
            kind,
        })
    })
}

#[cfg(target_os = "linux")]
fn network_kind(folder: &Path) -> io::Result<Option<&'static str>> {
    let found = rustix::fs::statfs(folder)?;
    // The field's width differs between processors; the numbers are 32 bits wide.
    let magic = u32::try_from(i128::from(found.f_type) & 0xffff_ffff).unwrap_or_default();
    if magic == FUSE {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        return Ok(fuse_kind(&fs::canonicalize(folder)?, &mounts));
    }
    Ok(kind_of(magic))
}

#[cfg(not(target_os = "linux"))]
fn network_kind(_folder: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Magic numbers of statfs(2).
#[cfg(target_os = "linux")]
const FUSE: u32 = 0x6573_5546;

#[cfg(target_os = "linux")]
fn kind_of(magic: u32) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x0102_1997 => Some("9p"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x00c3_6400 => Some("Ceph"),
        0x7375_7245 => Some("Coda"),
        0x0bd0_0bd0 => Some("Lustre"),
        _ => None,
    }
}

/// The kind of the deepest FUSE mount above `folder`, where it is one that goes over a network.
#[cfg(target_os = "linux")]
fn fuse_kind(folder: &Path, mounts: &str) -> Option<&'static str> {
    let deepest = mounts
        .lines()
        .filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let point = mount.split(' ').nth(4)?;
            folder.starts_with(point).then_some((point.len(), kind))
        })
        .max_by_key(|(length, _)| *length)?;
    let kind = deepest.1.split(' ').next()?;
    match kind {
        "fuse.sshfs" => Some("sshfs"),
        "fuse.rclone" => Some("rclone"),
        "fuse.s3fs" => Some("s3fs"),
        "fuse.glusterfs" => Some("GlusterFS"),
        "fuse.davfs" => Some("WebDAV"),
        _ => None,
    }
}

/// This boot of the machine: orders entries when the wall clock jumps. Where the kernel does not
/// tell, a number of this process, so that readings of two processes are never compared.
#[must_use]
pub fn boot() -> Uuid {
    let told = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    told.ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or_else(|| Uuid::from_u64_pair(0, u64::from(std::process::id())))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_journal_on_a_network_drive_is_recognised() {
        assert_eq!(kind_of(0xff53_4d42), Some("CIFS"));
        assert_eq!(kind_of(0xef53), None, "ext4");
        let mounts = "22 1 0:20 / / rw - ext4 /dev/vda rw\n\
                      40 22 0:50 / /mnt/share rw - fuse.sshfs host:/ rw\n";
        assert_eq!(
            fuse_kind(Path::new("/mnt/share/plan"), mounts),
            Some("sshfs")
        );
        assert_eq!(fuse_kind(Path::new("/home/plan"), mounts), None);
    }
}
