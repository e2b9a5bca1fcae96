//! The signed preview of the paper in force, kept beside the run: gates hold the databases against it, and
//! the next amendment carries its signatures over.
//!
//! In: a preview that is about to put a paper in force. Out: the same, where it is the one that the log
//! speaks of.
//!
//! Not here: who may sign (`preview::sign`), what differs from it (`preview::moved`).

use super::folder::RunFolder;
use super::site::Site;
use crate::journal::JournalFault;
use crate::machine::event::On;
use crate::machine::run::Run;
use crate::machine::state::Verdict;
use crate::plan::bounded;
use crate::plan::digest::Digest;
use crate::preview::Preview;

/// A longer file is no preview.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What the preview of a paper is called beside a run.
#[must_use]
pub fn name(paper: &Digest) -> String {
    format!("{paper}.preview")
}

/// Keeps a preview beside a run, durably. Before the log says that its paper is in force: a gate that finds
/// none opens to nobody.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(folder: &RunFolder, preview: &Preview) -> Result<(), JournalFault> {
    let name = name(&preview.paper.fingerprint);
    let refused = |fault| JournalFault::Io(folder.path().join(&name), fault);
    let bytes = preview.write().map_err(std::io::Error::other);
    let put = bytes.and_then(|bytes| folder.put(&name, &bytes));
    put.map_err(refused)
}

/// Puts the preview of the paper in force back where none is, or where what lies there is another, or damaged;
/// nothing where it is not that one.
///
/// # Errors
/// When the file cannot be written.
pub fn put_back(site: &Site, preview: &Preview) -> Result<(), JournalFault> {
    if !is_in_force(&site.run, preview) || is_there(site)? {
        return Ok(());
    }
    keep(&site.folder, preview)
}

/// Whether the file of that name is there and is what it should be.
fn is_there(site: &Site) -> Result<bool, JournalFault> {
    let Some(path) = site.folder.named(&name(&site.run.paper())) else {
        return Ok(false);
    };
    let bytes = bounded::read(&path, BYTES_MAX).map_err(|fault| JournalFault::Io(path, fault))?;
    let kept = bytes.and_then(|bytes| Preview::read(&bytes).ok());
    Ok(kept.is_some_and(|kept| is_in_force(&site.run, &kept)))
}

/// Whether a preview is the one by which the paper in force came into force: every word about that paper that
/// the log holds stands in it, and was given on all that it shows.
#[must_use]
pub fn is_in_force(run: &Run, preview: &Preview) -> bool {
    let paper = run.paper();
    let on = On::Paper { paper };
    let given = run.decisions().map(|(_, decided)| decided);
    let mut given = given.filter(|word| word.on == on && word.verdict == Verdict::Granted);
    let in_it = |statement: &Digest| {
        let mut signed = preview.signatures.iter();
        signed.any(|one| one.statement == *statement)
    };
    preview.paper.fingerprint == paper
        && given.all(|word| {
            in_it(&word.statement) && word.reading.is_none_or(|shown| shown == preview.shown)
        })
}
