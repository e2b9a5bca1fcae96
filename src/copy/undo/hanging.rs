//! The foreign keys that point at a table: those that the engine knows, and those that a load has set aside
//! and not built again. By the latter the engine keeps nobody from hanging rows on ours, nor us from
//! deleting their parents: whoever deletes must look himself, as where the engine would delete along.
//!
//! In: a table. Out: foreign keys, whether their rows may be read.
//!
//! Not here: setting them aside (`writing::aside`).

use crate::copy::writing::aside;
use crate::orgdb::catalogue::{Hanging, TableName};
use crate::orgdb::{DbTrouble, Dialect, Link};
use crate::sql;

/// The foreign keys that point at `parent`, standing or not.
pub(super) fn hanging(link: &Link, parent: &str) -> Result<Vec<Hanging>, DbTrouble> {
    let mut all = link.hanging(parent)?;
    let absent = aside::absent_keys(link)?.into_iter();
    let mine = absent.filter(|(_, asked)| asked.parent == parent);
    all.extend(mine.map(|(child, asked)| Hanging {
        child: TableName {
            elsewhere: None,
            table: child,
        },
        columns: asked.columns,
        parent_columns: asked.parent_columns,
        reaches: true,
    }));
    Ok(all)
}

/// Whether we may look at the rows of others that hang by this foreign key. Where we may not, the engine itself
/// must keep their parents.
///
/// # Errors
/// `Unread` where it would not; when the database refuses otherwise.
pub(super) fn may_look(link: &Link, hanging: &Hanging) -> Result<bool, DbTrouble> {
    if hanging.child.beside_ours().is_some() {
        return Ok(true);
    }
    let one = sql!("SELECT 1 FROM {} LIMIT 1", hanging.child);
    let look = || link.row(&one, &[]);
    let looked = match link.dialect() {
        Dialect::Postgres => link.within_savepoint(look),
        Dialect::Sqlite | Dialect::Mariadb => look(),
    };
    match looked {
        Err(DbTrouble::ReadOnly) if hanging.reaches => {
            Err(DbTrouble::Unread(hanging.child.shown()))
        }
        Err(DbTrouble::ReadOnly) => Ok(false),
        answer => answer.map(|_| true),
    }
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
