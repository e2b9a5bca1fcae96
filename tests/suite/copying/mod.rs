//! Tests of copying: what the ledger, the pen, the load, undo and verify keep their word about, on
//! real files.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod catching;
mod loading;
mod looking;
mod pen;
mod place;
pub mod town;
mod trouble;
