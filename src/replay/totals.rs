//! The control totals and the proofs of parts that a log tells: those of each step's newest carrying-out,
//! by entry.
//!
//! In: the lines of a log and its papers. Out: the run as they leave it, its totals and shares.
//!
//! Not here: making totals (`steps::verify`), the pack that people read (`report`).

use std::collections::BTreeMap;

use super::fold::{Divergence, fold};
use super::papers::Outlines;
use crate::journal::JournalFault;
use crate::machine::event::{Check, Entry, Event};
use crate::machine::run::Run;
use crate::machine::share::Share;
use crate::machine::total::Total;
use crate::plan::outline::StepId;

/// What a log tells of control totals.
#[derive(Debug, Clone)]
pub struct Told {
    /// The run as its log leaves it.
    pub run: Run,
    /// By step, in the order of the log: the entry and the total.
    pub totals: BTreeMap<StepId, Vec<(u64, Total)>>,
    /// By step, in the order of the log: the entry and the fact of a proof of parts.
    pub shares: BTreeMap<StepId, Vec<(u64, Share)>>,
    /// Entries that say that they are one of these, in words that are none.
    pub unread: u64,
}

/// Folds a log and keeps its control totals and shares. What was told before a step began anew, or was
/// undone, counts no more.
///
/// # Errors
/// The first divergence.
pub fn told(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
) -> Result<Told, Divergence> {
    let mut taken = Taken::default();
    let replayed = fold(papers, lines, None, |entry, _| taken.take(entry))?;
    Ok(Told {
        run: replayed.run,
        totals: taken.totals,
        shares: taken.shares,
        unread: taken.unread,
    })
}

/// What has been told so far.
#[derive(Default)]
struct Taken {
    totals: BTreeMap<StepId, Vec<(u64, Total)>>,
    shares: BTreeMap<StepId, Vec<(u64, Share)>>,
    unread: u64,
}

impl Taken {
    fn take(&mut self, entry: &Entry) {
        let Some(about) = &entry.about else {
            return;
        };
        match &entry.event {
            Event::StepStarted(_) | Event::UndoStarted(_) => {
                self.totals.remove(&about.step);
                self.shares.remove(&about.step);
            }
            Event::CheckPassed(check) | Event::CheckFailed(check) => {
                self.check(&about.step, entry.seq, check);
            }
            _ => {}
        }
    }

    fn check(&mut self, step: &StepId, seq: u64, check: &Check) {
        if Total::is_one(check) {
            self.unread += keep(&mut self.totals, step, seq, Total::read(check));
        } else if Share::is_one(check) {
            self.unread += keep(&mut self.shares, step, seq, Share::read(check));
        }
    }
}

/// Keeps what could be read; how many could not.
fn keep<T>(
    kept: &mut BTreeMap<StepId, Vec<(u64, T)>>,
    step: &StepId,
    seq: u64,
    read: Option<T>,
) -> u64 {
    let Some(read) = read else {
        return 1;
    };
    kept.entry(step.clone()).or_default().push((seq, read));
    0
}
