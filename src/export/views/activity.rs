//! An entry as a process miner reads it: case, activity, place in the activity's life, resource. The
//! case is the run's step, or the run itself; the life is that of the XES standard's transaction model.
//!
//! ```text
//! step.started      copy-homes        start          undo.started     undo copy-homes  start
//! hold.begun        copy-homes        suspend        undo.committed   undo copy-homes  complete
//! hold.answered     copy-homes        resume         undo.failed      undo copy-homes  ate_abort
//! step.committed    copy-homes        complete       any other        its type         complete
//! step.failed       copy-homes        ate_abort
//! step.skipped      copy-homes        manualskip     step.marked      (progress: no activity)
//! ```

use super::Told;
use crate::machine::event::{Actor, Entry, Event};

/// What a miner needs of an entry.
pub(super) struct Activity {
    /// `<origin>/<step>`, or the origin.
    pub(super) case: String,
    /// The step's authored name, or the entry's type in words.
    pub(super) name: String,
    /// A transition of the XES lifecycle extension.
    pub(super) lifecycle: &'static str,
}

/// The activity of an entry; none for a mark.
pub(super) fn of(entry: &Entry, told: &Told) -> Option<Activity> {
    let step = entry.about.as_ref().map(|about| about.step.as_str());
    let authored = step.and_then(|step| step.split('/').next());
    let authored = authored.unwrap_or_default();
    let (name, lifecycle) = match &entry.event {
        Event::StepMarked(_) => return None,
        Event::StepStarted(_) => (authored.to_owned(), "start"),
        Event::StepCommitted(_) => (authored.to_owned(), "complete"),
        Event::StepFailed(_) => (authored.to_owned(), "ate_abort"),
        Event::StepSkipped(_) => (authored.to_owned(), "manualskip"),
        Event::HoldBegun(_) => (authored.to_owned(), "suspend"),
        Event::HoldAnswered(_) => (authored.to_owned(), "resume"),
        Event::UndoStarted(_) => (format!("undo {authored}"), "start"),
        Event::UndoCommitted(_) => (format!("undo {authored}"), "complete"),
        Event::UndoFailed(_) => (format!("undo {authored}"), "ate_abort"),
        other => (other.name().replace('.', " "), "complete"),
    };
    let origin = &told.origin;
    let case = step.map_or_else(|| origin.clone(), |step| format!("{origin}/{step}"));
    Some(Activity {
        case,
        name,
        lifecycle,
    })
}

/// Who did it: a person's code, or the executor.
pub(super) fn resource(entry: &Entry) -> &str {
    match &entry.actor {
        Actor::Executor => "executor",
        Actor::Person { person, .. } => person,
    }
}
