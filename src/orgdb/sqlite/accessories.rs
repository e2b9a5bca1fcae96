//! Indexes of a table in a file that may be set aside while rows are loaded, as they were written.
//! Unique ones decide about single rows and stay; a foreign key cannot be taken off a table.
//!
//! Not here: setting them aside and building them again (`copy`).

use rusqlite::Connection;

use crate::orgdb::DbTrouble;
use crate::orgdb::catalogue::Accessory;

/// In the order of their names.
pub(in crate::orgdb) fn read(
    connection: &Connection,
    table: &str,
) -> Result<Vec<Accessory>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT s.name, s.sql FROM pragma_index_list(?1) AS i
         JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = i.name
         WHERE i.\"unique\" = 0 AND s.sql IS NOT NULL ORDER BY s.name",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok(Accessory {
            name: row.get(0)?,
            reference: None,
            made_by: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
