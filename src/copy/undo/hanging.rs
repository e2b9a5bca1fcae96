//! The foreign keys that point at a table: those that the engine knows, and those that a load has set aside
//! and not built again. By the latter the engine keeps nobody from hanging rows on ours, nor us from
//! deleting their parents: whoever deletes must look himself, as where the engine would delete along.
//!
//! In: a table. Out: foreign keys.
//!
//! Not here: setting them aside (`writing::aside`).

use crate::copy::writing::aside;
use crate::orgdb::catalogue::Hanging;
use crate::orgdb::{DbTrouble, Link};

/// The foreign keys that point at `parent`, standing or not.
pub(super) fn hanging(link: &Link, parent: &str) -> Result<Vec<Hanging>, DbTrouble> {
    let mut all = link.hanging(parent)?;
    let absent = aside::absent_keys(link)?.into_iter();
    let mine = absent.filter(|(_, asked)| asked.parent == parent);
    all.extend(mine.map(|(child, asked)| Hanging {
        child,
        columns: asked.columns,
        parent_columns: asked.parent_columns,
        reaches: true,
    }));
    Ok(all)
}

/// Whether any row can hang on a row of this table, or a row of this table on any.
pub(super) fn hangs(link: &Link, table: &str) -> Result<bool, DbTrouble> {
    let known = link.table(table)?.unwrap_or_default();
    let absent = || {
        let mut absent = aside::absent_keys(link)?.into_iter();
        Ok::<bool, DbTrouble>(absent.any(|(child, _)| child == table))
    };
    Ok(!known.references.is_empty() || !hanging(link, table)?.is_empty() || absent()?)
}
