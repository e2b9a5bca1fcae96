//! Verification of what was copied: counts by class, money to the penny, keyed digests chunk by
//! chunk with the differing rows named, completeness over all targets.

use super::ledger::Deed;
use crate::orgdb::{DbFault, OrgReader};

/// A row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Keyed digest of the row's key: names it without showing it.
    pub row: String,
    /// `edited` or `missing`.
    pub class: &'static str,
}

/// What looking at every ledgered row of a step found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digested {
    /// Rows looked at.
    pub rows: u64,
    /// Rows that differ, the first thousand.
    pub differences: Vec<Difference>,
    /// How many differ in all.
    pub differing: u64,
}

/// Reads back every row that `deed`'s step wrote and holds it against its digest.
///
/// # Errors
/// When the database refuses.
pub async fn digests(_reader: &OrgReader, _deed: &Deed) -> Result<Digested, DbFault> {
    todo!()
}
