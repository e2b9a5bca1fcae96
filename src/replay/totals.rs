//! The control totals that a log tells: those of each step's newest carrying-out, by entry.
//!
//! In: the lines of a log and its papers. Out: the run as they leave it, and its totals.
//!
//! Not here: making totals (`steps::verify`), the pack that people read (`report`).

use std::collections::BTreeMap;

use super::fold::{Divergence, fold};
use super::papers::Outlines;
use crate::journal::JournalFault;
use crate::machine::event::{Check, Entry, Event};
use crate::machine::run::Run;
use crate::machine::total::Total;
use crate::plan::outline::StepId;

/// What a log tells of control totals.
#[derive(Debug, Clone)]
pub struct Told {
    /// The run as its log leaves it.
    pub run: Run,
    /// By step, in the order of the log: the entry and the total.
    pub totals: BTreeMap<StepId, Vec<(u64, Total)>>,
    /// Entries that say that they are a control total, in words that are none.
    pub unread: u64,
}

/// Folds a log and keeps its control totals. What was told before a step began anew, or was undone,
/// counts no more.
///
/// # Errors
/// The first divergence.
pub fn told(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
) -> Result<Told, Divergence> {
    let (mut totals, mut unread) = (BTreeMap::new(), 0);
    let replayed = fold(papers, lines, None, |entry, _| {
        unread += take(&mut totals, entry);
    })?;
    Ok(Told {
        run: replayed.run,
        totals,
        unread,
    })
}

/// Takes one entry in; how many totals of it could not be read.
fn take(totals: &mut BTreeMap<StepId, Vec<(u64, Total)>>, entry: &Entry) -> u64 {
    let Some(about) = &entry.about else {
        return 0;
    };
    match &entry.event {
        Event::StepStarted(_) | Event::UndoStarted(_) => drop(totals.remove(&about.step)),
        Event::CheckPassed(check) | Event::CheckFailed(check) if Total::is_one(check) => {
            return keep(totals, &about.step, entry.seq, check);
        }
        _ => {}
    }
    0
}

fn keep(
    totals: &mut BTreeMap<StepId, Vec<(u64, Total)>>,
    step: &StepId,
    seq: u64,
    check: &Check,
) -> u64 {
    let Some(total) = Total::read(check) else {
        return 1;
    };
    totals.entry(step.clone()).or_default().push((seq, total));
    0
}
