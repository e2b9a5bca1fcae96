//! A read-only look at a plan before anything happens, and everything that hangs on it: what people
//! sign, what makes a signature lapse, what a rollback would do, what came out otherwise.
//!
//! In: a checked plan, read-only connections, a moment. Out: a [`Preview`] (the file of
//! `preview --out`), a [`RollbackPreview`], a [`Stale`] that lists what changed.
//!
//! Not here: any write, the clock (moments are handed in), how a preview is drawn (`report`).

pub mod amend;
pub mod compare;
mod lines;
pub mod look;
pub mod model;
pub mod moved;
pub mod paper;
pub mod reading;
pub mod rollback;
pub mod sign;
pub mod stale;
pub mod timetable;
mod touch;

pub use amend::{amend, astray, carry_over, changed};
pub use compare::{Difference, compare};
pub use look::{LookFault, Moment, look};
pub use model::{FileFault, Preview, Signature};
pub use moved::{Moved, moved, of_rows};
pub use paper::Paper;
pub use rollback::{RollbackPreview, look_rollback};
pub use sign::{Ask, SignFault, Statement, missing, sign, sign_rollback};
pub use stale::{Stale, stale};
pub use timetable::Rehearsed;
