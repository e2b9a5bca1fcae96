//! The heart, pure: facts (`Event`, `Entry`), the state they fold into (`Run::apply`), and what should
//! happen next (`Run::decide`). No database, no clock, no randomness.
//!
//! ```text
//!  decides, pure (this room)               |  acts (`run`), stores (`journal`)
//!  Run::decide(now, busy, limits)          |
//!     -> Command --Command::intent-------->|  entry durable, then apply, then the act
//!  Run::apply(entry)  <--------------------|  its outcome as an entry, then apply
//! ```
//!
//! One step, as `apply` lets it move:
//!
//! ```text
//!             step.started             step.committed
//!  pending ----------------> running ------------------> committed
//!     |  ^                    |   ^                          |
//!     |  | rollback passes    |   | step.started             |
//!     |  | (word: nothing)    |   | (attempt + 1)            |
//!     |  |        hold.begun  v   |                          |
//!     |  |                  held / failed                    |
//!     | step.skipped              |                          |
//!     v                           | undo.started             | undo.started
//!  skipped                        v                          v
//!                              undoing <---------------------+
//!                               |   ^  \
//!                undo.committed |   |   \ undo.failed
//!                               v   |    v
//!                            undone +-- stuck    (undo.started: a person, or the rollback again)
//!                               |         |
//!                               |         +-- hold.answered{undone} --> undone
//!                               +-- step.started (generation + 1, attempt 1) --> running
//! ```
//!
//! A *running* or *undoing* step of an older lease has lost its executor: it is started (undone) again
//! as it stands. A by-hand step that a rollback passed becomes *undone* when a person attests it. A
//! step that took its own work back after a failure is *undone* with its failure remembered: it starts
//! again only after a `retry` answer or an amendment.
//!
//! Not here: the wall clock, databases, the hash chain, words for people.

pub mod amend;
mod apply;
pub mod approval;
pub mod canonical;
pub mod decide;
pub mod effects;
pub mod event;
pub mod gate;
mod graph;
pub mod illegal;
pub mod key;
pub mod line;
pub mod rests;
pub mod rollback;
pub mod run;
pub mod schema;
pub mod share;
pub mod shown;
pub mod state;
mod take;
pub mod time;
pub mod total;
pub mod witnessed;
