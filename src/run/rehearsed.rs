//! How long a plan's steps took, and took to undo, in the rehearsals that a journal knows.
//!
//! In: a journal, a plan's name. Out: seconds by step; of several rehearsals the newest that did it.
//!
//! Not here: what follows from it for the last safe minute (`preview::timetable`).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::journal::{Journal, JournalFault, RunHead};
use crate::machine::event::{ClockKind, Entry, Event};
use crate::plan::model::Plan;
use crate::plan::outline::StepId;
use crate::preview::Rehearsed;

/// What the rehearsals of a plan took; none where there was none.
///
/// # Errors
/// When the journal cannot be read.
pub async fn rehearsed(
    journal: &mut Journal,
    plan: &Plan,
) -> Result<Option<Rehearsed>, JournalFault> {
    let mut took = Rehearsed::default();
    let of_plan = |head: &RunHead| head.origin.split('/').next() == Some(plan.name.as_ref());
    for head in journal.runs().await?.iter().filter(|head| of_plan(head)) {
        let mut entries = journal.entries(head.id).await?;
        let mut timing = Timing::default();
        while let Some(entry) = entries.next().await? {
            if matches!(&entry.event, Event::LogOpened(opened) if opened.clock == ClockKind::Real) {
                break;
            }
            timing.note(&entry, &mut took);
        }
    }
    let known = !took.forward_s.is_empty() || !took.undo_s.is_empty();
    Ok(known.then_some(took))
}

/// What was begun and has not ended yet, by step: a kill or a retry begins it anew.
#[derive(Default)]
struct Timing {
    started: BTreeMap<StepId, Timestamp>,
}

impl Timing {
    fn note(&mut self, entry: &Entry, took: &mut Rehearsed) {
        let Some(about) = &entry.about else { return };
        // The wall's clock: in a rehearsal, `as_at` stands still while a step works.
        let at = entry.at.moment();
        let into = match &entry.event {
            Event::StepStarted(_) | Event::UndoStarted(_) => {
                self.started.insert(about.step.clone(), at);
                return;
            }
            Event::StepCommitted(_) => &mut took.forward_s,
            Event::UndoCommitted(_) => &mut took.undo_s,
            _ => return,
        };
        if let Some(started) = self.started.remove(&about.step) {
            into.insert(about.step.clone(), whole_seconds(started, at));
        }
    }
}

/// Begun seconds count whole: a timetable must not promise too much.
fn whole_seconds(from: Timestamp, to: Timestamp) -> u64 {
    let millis = to.duration_since(from).as_millis();
    u64::try_from(millis).unwrap_or(0).div_ceil(1000)
}
