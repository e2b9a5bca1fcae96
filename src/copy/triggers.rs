//! Setting a target table's own triggers aside inside a transaction, and putting them back exactly.
//!
//! `SQLite` keeps a trigger's text as it was written and its DDL is transactional: dropping and
//! recreating inside one transaction is seen by nobody, and a crash leaves the triggers as they were.
//!
//! Not here: whether they may be set aside (the plan says so).

use rusqlite::Connection;

use crate::orgdb::{DbTrouble, Ident, catalogue};
use crate::sql;

/// Drops the triggers of `table`; their definitions.
pub(super) fn set_aside(connection: &Connection, table: &str) -> Result<Vec<String>, DbTrouble> {
    let found = catalogue::table(connection, table)?.unwrap_or_default();
    for name in found.triggers.keys() {
        connection.execute_batch(sql!("DROP TRIGGER {}", Ident::new(name)).as_str())?;
    }
    Ok(found.triggers.into_values().collect())
}

/// Recreates them.
pub(super) fn put_back(connection: &Connection, definitions: &[String]) -> Result<(), DbTrouble> {
    for definition in definitions {
        connection.execute_batch(definition)?;
    }
    Ok(())
}
