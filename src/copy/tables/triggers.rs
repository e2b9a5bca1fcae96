//! Setting a target table's own triggers aside inside a transaction, and putting them back exactly.
//!
//! DDL of `SQLite` and of `PostgreSQL` is transactional: what happens inside one transaction is seen by
//! nobody, and a crash leaves the triggers as they were. `SQLite` keeps a trigger's text as it was
//! written and it is created anew; `PostgreSQL` disables and enables it (which locks out other
//! writers of the table until the transaction ends).
//!
//! `MariaDB` can do neither: it has no switch for a trigger, and a change of the schema commits whatever
//! stands before it.
//!
//! Not here: whether they may be set aside (the plan says so).

use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql};
use crate::sql;

/// Sets the triggers of `table` aside; the statements that put them back.
pub(crate) fn set_aside(link: &Link, table: &str) -> Result<Vec<Sql>, DbTrouble> {
    let found = link.table(table)?.unwrap_or_default();
    let mut back = Vec::new();
    for (name, definition) in found.triggers {
        let (name, table) = (Ident::new(&name), Ident::new(table));
        match link.dialect() {
            Dialect::Sqlite => {
                link.script(&sql!("DROP TRIGGER {}", name))?;
                back.push(Sql::definition(definition));
            }
            Dialect::Postgres => {
                link.script(&sql!("ALTER TABLE {} DISABLE TRIGGER {}", table, name))?;
                // One that fires for replicas, too, is told so behind its definition.
                let always = if definition.ends_with(" ALWAYS") {
                    Sql::new("ALWAYS ")
                } else {
                    Sql::new("")
                };
                back.push(sql!(
                    "ALTER TABLE {} ENABLE {}TRIGGER {}",
                    table,
                    always,
                    name
                ));
            }
            Dialect::Mariadb => return Err(DbTrouble::Cannot("set triggers aside")),
        }
    }
    Ok(back)
}

/// Puts them back.
pub(crate) fn put_back(link: &Link, statements: &[Sql]) -> Result<(), DbTrouble> {
    statements
        .iter()
        .try_for_each(|statement| link.script(statement))
}
