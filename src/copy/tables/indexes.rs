//! A table's indexes and foreign keys, set aside while it is filled and built again behind the last row:
//! a row is then entered into none of them, and a foreign key is checked once for all rows.
//!
//! What a statement makes is exactly what stood there: it is what the engine itself says of it
//! (`orgdb`'s accessories). Each is there or it is not, so that whoever goes on after a crash looks.
//!
//! Not here: noting them in the ledger first (`writing::aside`).

use std::collections::BTreeSet;

use crate::orgdb::catalogue::{Accessory, Reference};
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql};
use crate::sql;
use crate::values;

/// Keeps everybody out of these tables until the transaction ends, where the engine's own changes of a
/// schema are part of one. They are locked in the order of their names, so that two who do this never wait
/// for each other.
pub(crate) fn lock(link: &Link, tables: &BTreeSet<String>) -> Result<(), DbTrouble> {
    if link.dialect() != Dialect::Postgres || tables.is_empty() {
        // The transaction has the whole file; or each change locks the table by itself.
        return Ok(());
    }
    let names: Vec<Ident> = tables.iter().map(|table| Ident::new(table)).collect();
    link.script(&sql!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names))
}

/// Whether it holds no row.
pub(crate) fn is_empty(link: &Link, table: &str) -> Result<bool, DbTrouble> {
    let any = sql!("SELECT 1 FROM {} LIMIT 1", Ident::new(table));
    Ok(link.row(&any, &[])?.is_none())
}

/// Sets one aside.
pub(crate) fn set_aside(link: &Link, table: &str, one: &Accessory) -> Result<(), DbTrouble> {
    let (name, table) = (Ident::new(&one.name), Ident::new(table));
    link.script(&match (link.dialect(), &one.reference) {
        (Dialect::Mariadb, None) => sql!("DROP INDEX IF EXISTS {} ON {}", name, table),
        (_, None) => sql!("DROP INDEX {}", name),
        (_, Some(_)) => sql!("ALTER TABLE {} DROP CONSTRAINT {}", table, name),
    })
}

/// Builds one again, unless it is there.
pub(crate) fn build(link: &Link, table: &str, one: &Accessory) -> Result<(), DbTrouble> {
    if stands(link, table, one)? {
        return Ok(());
    }
    link.script_as_is(&one.made_by)
}

/// Whether one of its name is there, whatever has become of it since: one that somebody has clustered by or
/// has commented on could not be set aside any more, and stands all the same.
pub(crate) fn stands(link: &Link, table: &str, one: &Accessory) -> Result<bool, DbTrouble> {
    let query = match (link.dialect(), &one.reference) {
        (Dialect::Sqlite, _) => {
            "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND name = ?2"
        }
        (Dialect::Postgres, None) => {
            "SELECT 1 FROM pg_catalog.pg_indexes
             WHERE schemaname = current_schema() AND tablename = ?1 AND indexname = ?2"
        }
        (Dialect::Postgres, Some(_)) => {
            "SELECT 1 FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relname = ?1 AND k.conname = ?2"
        }
        (Dialect::Mariadb, _) => {
            "SELECT 1 FROM information_schema.statistics
             WHERE table_schema = DATABASE() AND table_name = ?1 AND index_name = ?2"
        }
    };
    let asked = values![table, one.name.as_str()];
    Ok(link.row(&Sql::new(query), &asked)?.is_some())
}

/// Rows that refer to parents that are not there.
pub(crate) fn orphans(link: &Link, table: &str, asked: &Reference) -> Result<u64, DbTrouble> {
    let of =
        |alias: &'static str, column: &String| sql!("{}.{}", Sql::new(alias), Ident::new(column));
    let filled = asked.columns.iter();
    let filled = filled.map(|column| sql!("{} IS NOT NULL", of("c", column)));
    let same = asked.columns.iter().zip(&asked.parent_columns);
    let same = same.map(|(column, parent)| sql!("{} = {}", of("p", parent), of("c", column)));
    let query = sql!(
        "SELECT count(*) FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        Ident::new(table),
        Sql::join(" AND ", &filled.collect::<Vec<_>>()),
        Ident::new(&asked.parent),
        Sql::join(" AND ", &same.collect::<Vec<_>>())
    );
    Ok(link.row(&query, &[])?.map_or(0, |row| row[0].count()))
}
