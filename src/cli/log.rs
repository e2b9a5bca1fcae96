//! The log that a `RUN|LOG|PACK` names: an exported folder's, a pack's, or a run's, exported for the moment.

use std::path::{Path, PathBuf};

use super::args::Global;
use super::exit::Exit;
use super::failure::Failure;
use super::settings::Project;
use super::site;
use crate::export::bag::Bag;
use crate::export::pack::Pack;
use crate::journal::LogFolder;
use crate::run::Site;

/// A log folder, and the run and project it came from where it is a run's. A folder of our own making
/// goes when this does.
pub(super) struct Log {
    pub(super) folder: LogFolder,
    pub(super) of: Option<(Project, Site)>,
    pub(super) pack: Option<Pack>,
    /// How many entries the journal had when it was exported.
    pub(super) size: Option<u64>,
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

/// Opens it; a pack's every file must be what its lists say.
pub(super) async fn open(what: &str, global: &Global) -> Result<Log, Failure> {
    let log = doubted(what, global).await?;
    if let Some(pack) = &log.pack
        && let Some(found) = pack.bag().check()?.first()
    {
        let says = format!("`{}` is not as it was packed: {}", found.path, found.says);
        return Err(Failure::coded(Exit::Difference, "HO602", says));
    }
    Ok(log)
}

/// Opens it, for somebody who will say everything that is wrong with it.
pub(super) async fn doubted(what: &str, global: &Global) -> Result<Log, Failure> {
    let path = Path::new(what);
    // A pack first: a log that somebody laid beside its lists is a stray file in it, not the record.
    if Bag::stands_at(path) {
        return packed(path);
    }
    if path.join("steps.jsonl").is_file() {
        return Ok(Log {
            folder: LogFolder::open(path)?,
            of: None,
            pack: None,
            size: None,
            made: None,
        });
    }
    let (project, mut site) = site::run(Some(what), global).await?;
    let made = std::env::temp_dir().join(format!("handover-log-{}", uuid::Uuid::now_v7()));
    let entries = site.journal.export_log(site.head.id, &made).await?;
    Ok(Log {
        folder: LogFolder::open(&made)?,
        of: Some((project, site)),
        pack: None,
        size: Some(entries),
        made: Some(made),
    })
}

fn packed(path: &Path) -> Result<Log, Failure> {
    let pack = Pack::open(path)?;
    Ok(Log {
        folder: pack.log(),
        of: None,
        pack: Some(pack),
        size: None,
        made: None,
    })
}
