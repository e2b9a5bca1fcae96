//! A table's indexes and foreign keys, set aside while it is filled and built again behind the last row:
//! a row is then entered into none of them, and a foreign key is checked once for all rows.
//!
//! What a statement makes is exactly what stood there: it is what the engine itself says of it
//! (`orgdb`'s accessories). Each is there or it is not, so that whoever goes on after a crash looks.
//!
//! Not here: noting them in the ledger first (`writing::aside`).

use crate::orgdb::catalogue::{Accessory, Reference};
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql};
use crate::sql;

/// Keeps everybody out of a table until the transaction ends, where the engine's own changes of a
/// schema are part of one.
pub(crate) fn lock(link: &Link, table: &str) -> Result<(), DbTrouble> {
    match link.dialect() {
        Dialect::Postgres => link.script(&sql!(
            "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
            Ident::new(table)
        )),
        // The transaction has the whole file; or each change locks the table by itself.
        Dialect::Sqlite | Dialect::Mariadb => Ok(()),
    }
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
    link.script(&Sql::definition(one.made_by.clone()))
}

/// Whether it is there.
pub(crate) fn stands(link: &Link, table: &str, one: &Accessory) -> Result<bool, DbTrouble> {
    let named = |there: &Accessory| {
        there.name == one.name && there.reference.is_some() == one.reference.is_some()
    };
    Ok(link.accessories(table)?.iter().any(named))
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
