//! The log that a `RUN|LOG|PACK` names: an exported folder's, a pack's, or a run's, exported for the moment.

use std::path::{Path, PathBuf};

use super::args::Global;
use super::exit::Exit;
use super::failure::Failure;
use super::settings::Project;
use super::site;
use crate::export::pack::Pack;
use crate::journal::LogFolder;
use crate::run::Site;

/// A log folder, and the run and project it came from where it is a run's. A folder of our own making
/// goes when this does.
pub(super) struct Log {
    pub(super) folder: LogFolder,
    pub(super) of: Option<(Project, Site)>,
    made: Option<PathBuf>,
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(made) = &self.made {
            // A copy that stays behind in the temporary folder harms nobody.
            let _ = std::fs::remove_dir_all(made);
        }
    }
}

pub(super) async fn open(what: &str, global: &Global) -> Result<Log, Failure> {
    let path = Path::new(what);
    if path.join("steps.jsonl").is_file() {
        return Ok(Log {
            folder: LogFolder::open(path)?,
            of: None,
            made: None,
        });
    }
    if path.join("bagit.txt").is_file() {
        return packed(path);
    }
    let (project, mut site) = site::run(Some(what), global).await?;
    let made = std::env::temp_dir().join(format!("handover-log-{}", uuid::Uuid::now_v7()));
    site.journal.export_log(site.head.id, &made).await?;
    Ok(Log {
        folder: LogFolder::open(&made)?,
        of: Some((project, site)),
        made: Some(made),
    })
}

/// The log of a pack whose every file is what its lists say.
fn packed(path: &Path) -> Result<Log, Failure> {
    let pack = Pack::open(path)?;
    if let Some(found) = pack.bag().check()?.first() {
        let says = format!("`{}` is not as it was packed: {}", found.path, found.says);
        return Err(Failure::coded(Exit::Difference, "HO602", says));
    }
    let folder = pack.log().ok_or_else(|| {
        let says = format!("`{}` holds no step log", path.display());
        Failure::new(Exit::CannotTell, says)
    })?;
    Ok(Log {
        folder,
        of: None,
        made: None,
    })
}
