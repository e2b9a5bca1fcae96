//! The folder of written letters beside a run: one file a letter, named by its reference, for the
//! owner's eyes only (0600). A file is there whole or not at all: written under another name, then
//! renamed; a batch is made durable at its end.
//!
//! Not here: whether a letter may be written (`steps::tenant_notification` asks its outbox first).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `outbox/<step>/`
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens (and makes, 0700) the folder of a step's letters below the run's own folder. A `/` in
    /// the step's name stays a folder of its own; nothing else in a name reaches the file system.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn open(run: &Path, step: &str) -> io::Result<Folder> {
        let mut path = run.join("outbox");
        for part in step.split('/') {
            let plain: String = part
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
                .collect();
            path.push(if plain.is_empty() { "step" } else { &plain });
        }
        make_private(&path)?;
        Ok(Folder(path))
    }

    /// What was written under `reference`, if anything was.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn read(&self, reference: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.place(reference)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Writes one letter; it is whole once its name is there, and durable after `settle`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, reference: &str, text: &str) -> io::Result<()> {
        let draft = self.0.join(format!(".{reference}.draft"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&draft, self.place(reference))
    }

    /// Makes everything written so far durable: once a batch, since once a letter would cost hours.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn settle(&self, references: &[&str]) -> io::Result<()> {
        let folder = File::open(&self.0)?;
        #[cfg(target_os = "linux")]
        {
            let _ = references;
            rustix::fs::syncfs(&folder)?;
        }
        #[cfg(not(target_os = "linux"))]
        for reference in references {
            File::open(self.place(reference))?.sync_all()?;
        }
        folder.sync_all()
    }

    fn place(&self, reference: &str) -> PathBuf {
        self.0.join(format!("{reference}.txt"))
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
