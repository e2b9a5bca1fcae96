//! The optional live check: the organisations' databases held against the log, in four ways. Reads only.
//!
//! ```text
//! ledgers     every row of `handover_effect` against the marks of the log
//! rows        every row that a step wrote against its digest, and rows that nobody of ours wrote
//! taken_back  rows that a rollback took back: none of them stands
//! sources     every line that was copied: it still is what was copied
//! ```
//!
//! Not here: the log itself (`replay`), what a difference means (people).

mod ledgers;
mod rows;
mod sources;
mod taken_back;

pub use ledgers::{Ledgers, ledgers};
pub use rows::{Ask, Held, look};
pub use sources::{Source, sources};
pub use taken_back::{Back, taken_back};
