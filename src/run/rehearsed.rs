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

/// When what has not ended yet was begun, by step. What failed, was held or was begun anew after a kill
/// has no such moment: neither it nor its undo would tell how long the whole of it takes.
#[derive(Default)]
struct Timing {
    begun: BTreeMap<StepId, Option<Timestamp>>,
}

impl Timing {
    fn note(&mut self, entry: &Entry, took: &mut Rehearsed) {
        let Some(about) = &entry.about else { return };
        // The wall's clock: in a rehearsal, `as_at` stands still while a step works.
        let at = entry.at.moment();
        let into = match &entry.event {
            Event::StepStarted(_) | Event::UndoStarted(_) => {
                let begun = self.begun.entry(about.step.clone());
                begun.and_modify(|begun| *begun = None).or_insert(Some(at));
                return;
            }
            Event::StepFailed(_) | Event::UndoFailed(_) => {
                self.begun.insert(about.step.clone(), None);
                return;
            }
            Event::StepCommitted(_) => &mut took.forward_s,
            Event::UndoCommitted(_) => &mut took.undo_s,
            _ => return,
        };
        if let Some(begun) = self.begun.remove(&about.step).flatten() {
            into.insert(about.step.clone(), whole_seconds(begun, at));
        }
    }
}

/// Begun seconds count whole: a timetable must not promise too much.
fn whole_seconds(from: Timestamp, to: Timestamp) -> u64 {
    let millis = to.duration_since(from).as_millis();
    u64::try_from(millis).unwrap_or(0).div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::machine::event::{
        About, Actor, FaultKind, StepCommitted, StepFailed, StepStarted, UndoCommitted, UndoMode,
        UndoStarted,
    };
    use crate::machine::time::Time;
    use crate::plan::digest::Digest;

    fn started() -> Event {
        Event::StepStarted(StepStarted {
            key: Digest::ZERO,
            reversible: true,
            deps: Vec::new(),
            approvals: Vec::new(),
        })
    }

    fn committed() -> Event {
        Event::StepCommitted(StepCommitted {
            outputs: Vec::new(),
            effects: 0,
        })
    }

    fn failed() -> Event {
        Event::StepFailed(StepFailed {
            kind: FaultKind::Refused,
            code: "HO511".into(),
            about: None,
            rows: 0,
            detail: None,
        })
    }

    fn undoing() -> Event {
        let mode = UndoMode::Refuse;
        Event::UndoStarted(UndoStarted { mode })
    }

    fn undone() -> Event {
        Event::UndoCommitted(UndoCommitted {
            mode: UndoMode::Refuse,
            removed: 0,
            restored: 0,
            reported: 0,
        })
    }

    /// What events of one step tell, ten seconds after one another.
    fn told(events: Vec<Event>) -> (Option<u64>, Option<u64>) {
        let (mut timing, mut took) = (Timing::default(), Rehearsed::default());
        let step = StepId::from("copy-homes");
        for (seq, event) in (0..).zip(events) {
            let at = Time::new(Timestamp::from_second(10 * seq).unwrap());
            let entry = Entry {
                seq: seq.unsigned_abs(),
                prev: Digest::ZERO,
                run: Uuid::nil(),
                plan: Digest::ZERO,
                at,
                as_at: at,
                boot: Uuid::nil(),
                mono: 0,
                exec: Uuid::nil(),
                epoch: 1,
                about: Some(About {
                    step: step.clone(),
                    generation: 1,
                    attempt: 1,
                }),
                actor: Actor::Executor,
                event,
            };
            timing.note(&entry, &mut took);
        }
        let of = |times: &BTreeMap<StepId, u64>| times.get(&step).copied();
        (of(&took.forward_s), of(&took.undo_s))
    }

    #[test]
    fn only_what_went_through_in_one_go_is_timed() {
        let whole = vec![started(), committed(), undoing(), undone()];
        assert_eq!(told(whole), (Some(10), Some(10)));
        let own_work_taken_back = vec![started(), failed(), undoing(), undone()];
        assert_eq!(told(own_work_taken_back), (None, None));
        let killed = vec![
            started(),
            started(),
            committed(),
            undoing(),
            undoing(),
            undone(),
        ];
        assert_eq!(told(killed), (None, None));
        let again = vec![
            started(),
            failed(),
            undoing(),
            undone(),
            started(),
            committed(),
        ];
        assert_eq!(told(again), (Some(10), None));
    }
}
