//! Tables in use are filled under a lock. Whoever else reads or writes them waits; their foreign keys and
//! indexes stand aside for as long, which nobody sees; rows, ledger, undo, crosswalk and all that is built
//! again become durable by one commit. A stop leaves everything as it was, so that nothing need be noted
//! first.
//!
//! Only where changes of a schema are part of a transaction like any other, and a lock holds others off one
//! table: `PostgreSQL`.
//!
//! In: a deed, the tables that its copy fills. Out: what stands aside; all of it built again.
//!
//! Not here: empty tables, filled chunk by chunk (`aside`), the copy in between (`load`).

use super::aside::{Broken, judge, keys_first, with_parents};
use crate::copy::ledger::Deed;
use crate::copy::ledger::effect;
use crate::copy::tables::indexes;
use crate::orgdb::catalogue::Accessory;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql};
use crate::sql;
use crate::values;

/// What stands aside: each with its table, in the order in which it went.
pub(crate) type Aside = Vec<(String, Accessory)>;

/// Begins the one transaction: the fence is held until it ends, and nobody else comes to `tables` nor to what
/// their foreign keys refer to. A sibling of the same run that holds one of them is waited for, however long
/// it takes; everybody else as long as we wait for any lock.
pub(crate) fn lock(link: &Link, deed: &Deed, tables: &[String]) -> Result<(), DbTrouble> {
    if link.dialect() != Dialect::Postgres {
        return Err(DbTrouble::Cannot(
            "hold tables locked while their indexes and foreign keys are built again",
        ));
    }
    loop {
        // This session must be known durably before anything is open in it.
        link.rollback()?;
        let before = sibling_holds(link, deed)?;
        effect::begin(link, deed)?;
        // A change of a table is refused while a deferred check of its rows is still to come.
        link.script(&Sql::new("SET CONSTRAINTS ALL IMMEDIATE"))?;
        match indexes::lock(link, &with_parents(link, tables)?) {
            Err(DbTrouble::Locked(by)) => {
                link.rollback()?;
                if !before && !sibling_holds(link, deed)? {
                    return Err(DbTrouble::Locked(by));
                }
            }
            answer => return answer,
        }
    }
}

/// Sets aside what may be, of these tables.
pub(crate) fn set_aside(link: &Link, tables: &[String]) -> Result<Aside, DbTrouble> {
    let mut aside = Aside::new();
    for table in tables {
        for accessory in keys_first(link, table)? {
            indexes::set_aside(link, table, &accessory)?;
            aside.push((table.clone(), accessory));
        }
    }
    Ok(aside)
}

/// Builds everything again. What cannot be built ends the transaction.
pub(crate) fn build(link: &Link, aside: &[(String, Accessory)]) -> Result<(), Broken> {
    // Indexes first, by which foreign keys are then checked.
    for (table, accessory) in aside.iter().rev() {
        let built = link.within_savepoint(|| indexes::build(link, table, accessory));
        judge(link, table, accessory, built)?;
    }
    Ok(())
}

/// How many rows a table holds.
pub(crate) fn rows(link: &Link, table: &str) -> Result<u64, DbTrouble> {
    let query = sql!("SELECT count(*) FROM {}", Ident::new(table));
    Ok(link.row(&query, &[])?.map_or(0, |row| row[0].count()))
}

/// The same of a few tables together, without counting beyond `enough` in any of them.
pub(crate) fn rows_up_to(link: &Link, tables: &[String], enough: u64) -> Result<u64, DbTrouble> {
    let mut rows = 0;
    for table in tables {
        let query = sql!(
            "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT ?1) AS few",
            Ident::new(table)
        );
        let found = link.row(&query, &values![enough])?;
        rows += found.map_or(0, |row| row[0].count());
    }
    Ok(rows)
}

/// Whether another session of this run's executor keeps others off a table.
fn sibling_holds(link: &Link, deed: &Deed) -> Result<bool, DbTrouble> {
    let query = Sql::new(
        "SELECT count(*) FROM pg_catalog.pg_locks AS l JOIN handover_session AS s ON s.backend = l.pid
         WHERE s.run = ?1 AND s.epoch = ?2 AND l.pid <> pg_backend_pid() AND l.granted
         AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())",
    );
    let found = link.row(&query, &values![deed.run.to_string(), deed.epoch])?;
    Ok(found.is_some_and(|row| row[0].count() > 0))
}
