//! Undo of any step from its ledger: exact keys, before-images, definitions, newest first; rows that
//! somebody changed since are found first.

use super::ledger::Deed;
use crate::machine::event::UndoMode;
use crate::orgdb::{DbFault, OrgReader, OrgWriter};

/// What an undo did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Rows taken out.
    pub removed: u64,
    /// Rows put back.
    pub restored: u64,
    /// Rows changed since, by table and class (`edited`, `deleted`, `has children`).
    pub changed: Vec<(String, &'static str, u64)>,
    /// Nothing was undone, since rows had changed and the mode is `refuse`.
    pub refused: bool,
}

/// What `undo` would find, without writing.
///
/// # Errors
/// When the database refuses.
pub async fn look(_reader: &OrgReader, _deed: &Deed) -> Result<Undone, DbFault> {
    todo!()
}

/// Undoes every effect of `deed`'s step and generation in this database; nothing to undo is fine, and
/// so is half of it. Ledger rows stay, marked undone.
///
/// # Errors
/// When the database refuses; `Fenced` when another executor has taken over.
pub async fn undo(_writer: &OrgWriter, _deed: &Deed, _mode: UndoMode) -> Result<Undone, DbFault> {
    todo!()
}
