//! Crash proof, through the real binary: killed at any entry and in any chunk a run ends in the same
//! rows, and a rollback to any checkpoint gives back the rows that stood there. Bad input is refused in
//! plain words, with the exit code that the surface promises, and nothing is lost.
//!
//! `HANDOVER_FULL=1 cargo test --profile crash --test suite crash::kills -- --nocapture` kills after
//! commits and in chunks all along the story, and says how often; without it a sample is drawn, whose seed is
//! printed (`HANDOVER_SEED` sets it).
//!
//! Not here: the machine's own crash points (`machine`), torn journals (`journal`).

mod catching;
mod chance;
mod checkpoints;
mod closing;
mod databases;
mod edited;
mod journals;
mod kills;
mod merging;
mod moved;
mod pairs;
mod played;
mod rehearsed;
mod room;
mod rows;
mod stage;
mod sums;
mod sweep;
mod trouble;
