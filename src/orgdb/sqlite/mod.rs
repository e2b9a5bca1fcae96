//! `SQLite` files: opened with the settings that we rely on, asked through prepared statements.
//!
//! Not here: the verbs that every engine has (`link`), the ways that only a file has and that `copy`
//! takes for itself.

pub(super) mod accessories;
pub(super) mod catalogue;
mod fault;
pub(super) mod holder;
pub(super) mod open;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement};

use super::link::{Load, LoadStop, See};
use super::{DbTrouble, Ident, Row, Sql, crash};
use crate::sql;

pub(super) fn execute(
    connection: &Connection,
    sql: &Sql,
    values: &[ValueRef<'_>],
) -> Result<u64, DbTrouble> {
    let mut statement = connection.prepare_cached(sql.as_str())?;
    bind(&mut statement, values.iter().copied())?;
    Ok(statement.raw_execute()? as u64)
}

pub(super) fn each(
    connection: &Connection,
    sql: &Sql,
    values: &[ValueRef<'_>],
    see: &mut See<'_>,
) -> Result<(), DbTrouble> {
    let mut statement = connection.prepare_cached(sql.as_str())?;
    bind(&mut statement, values.iter().copied())?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if see(Row::Sqlite(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

/// One prepared insert, row after row: the fastest way into a file.
pub(super) fn load<'v, R>(
    connection: &Connection,
    load: &Load<'_>,
    rows: impl Iterator<Item = R>,
) -> Result<u64, LoadStop>
where
    R: Iterator<Item = ValueRef<'v>>,
{
    let columns: Vec<Ident> = load.columns.iter().map(|name| Ident::new(name)).collect();
    let places: Vec<Sql> = (1..=columns.len()).map(|at| sql!("?{}", at)).collect();
    let text = sql!(
        "INSERT INTO {} ({}) VALUES ({})",
        load.table,
        columns,
        Sql::join(", ", &places)
    );
    let stopped = |row| move |trouble: DbTrouble| LoadStop { trouble, row };
    let mut insert = connection
        .prepare_cached(text.as_str())
        .map_err(|error| stopped(None)(error.into()))?;
    let mut loaded = 0;
    for (at, row) in rows.enumerate() {
        let done = bind(&mut insert, row).and_then(|()| Ok(insert.raw_execute()?));
        loaded += done.map_err(stopped(Some(at)))? as u64;
    }
    crash::reached("load");
    Ok(loaded)
}

fn bind<'v>(
    statement: &mut Statement<'_>,
    values: impl Iterator<Item = ValueRef<'v>>,
) -> Result<(), DbTrouble> {
    for (at, value) in values.enumerate() {
        statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
    }
    Ok(())
}
