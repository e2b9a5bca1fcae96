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
use rusqlite::{CachedStatement, Connection, Statement};

use super::link::{self, Load, LoadStop, Pour, See};
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
pub(super) fn pour(
    connection: &Connection,
    load: &Load<'_>,
    pour: &mut Pour<'_>,
) -> Result<u64, LoadStop> {
    let columns: Vec<Ident> = load.columns.iter().map(|name| Ident::new(name)).collect();
    let text = sql!(
        "INSERT INTO {} ({}) VALUES ({})",
        load.table,
        columns,
        Sql::places(1, columns.len())
    );
    let insert = connection.prepare_cached(text.as_str());
    let mut sink = Sink {
        insert: insert.map_err(|error| LoadStop::from(DbTrouble::from(error)))?,
        taken: 0,
        loaded: 0,
    };
    pour(&mut link::Sink::Sqlite(&mut sink))?;
    crash::reached("load");
    Ok(sink.loaded)
}

/// The rows of one load.
pub(crate) struct Sink<'c> {
    insert: CachedStatement<'c>,
    taken: usize,
    loaded: u64,
}

impl Sink<'_> {
    pub(super) fn row<'v>(
        &mut self,
        row: impl Iterator<Item = ValueRef<'v>>,
    ) -> Result<(), LoadStop> {
        let done = bind(&mut self.insert, row).and_then(|()| Ok(self.insert.raw_execute()?));
        self.loaded += done.map_err(|trouble| LoadStop {
            trouble,
            row: Some(self.taken),
        })? as u64;
        self.taken += 1;
        Ok(())
    }
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
