//! What an `SQLite` file says of its own shape.
//!
//! Not here: what a shape is made of (`orgdb::catalogue`).

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::orgdb::DbTrouble;
use crate::orgdb::catalogue::{Catalogue, Column, Hanging, Table, TableName};
use crate::orgdb::kind::{Affinity, Kind};

/// Reads the whole shape.
pub(in crate::orgdb) fn read(connection: &Connection) -> Result<Catalogue, DbTrouble> {
    let mut names = connection.prepare_cached(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' ORDER BY name",
    )?;
    let names: Result<Vec<String>, _> = names.query_map([], |row| row.get(0))?.collect();
    let names = names?;
    let made_up = names.iter().any(|name| name == "handover_made_up");
    let theirs = |name: &String| !name.starts_with("handover_") && !name.starts_with("sqlite_");
    let mut tables = BTreeMap::new();
    for name in names.into_iter().filter(theirs) {
        if let Some(found) = table(connection, &name)? {
            tables.insert(name, found);
        }
    }
    let mut whole = Catalogue { tables, made_up };
    name_parent_keys(&mut whole);
    Ok(whole)
}

/// Reads one table's shape; none where there is no such table. A foreign key that names no parent
/// columns (it means the parent's key) has none here.
pub(in crate::orgdb) fn table(
    connection: &Connection,
    name: &str,
) -> Result<Option<Table>, DbTrouble> {
    let columns = columns(connection, name)?;
    if columns.is_empty() {
        return Ok(None);
    }
    let key = ordered(
        connection,
        "SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk",
        name,
    )?;
    let mut flag =
        connection.prepare_cached("SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'")?;
    Ok(Some(Table {
        triggers_hidden: false,
        columns,
        key,
        references: references(connection, name)?,
        indexes: indexes(connection, name)?,
        triggers: triggers(connection, name)?,
        without_rowid: flag.query_row([name], |row| row.get(0))?,
        untransactional: false,
    }))
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", dflt_value, hidden FROM pragma_table_xinfo(?1) ORDER BY cid",
    )?;
    let rows = statement.query_map([table], |row| {
        let declared: String = row.get(1)?;
        Ok(Column {
            name: row.get(0)?,
            kind: Kind::Loose(Affinity::of(&declared)),
            declared,
            required: row.get(2)?,
            default: row.get(3)?,
            generated: row.get::<_, i64>(4)? > 1,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn ordered(
    connection: &Connection,
    sql: &'static str,
    name: &str,
) -> Result<Vec<String>, DbTrouble> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([name], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

type Reference = (Vec<String>, String, Vec<String>);

fn references(connection: &Connection, table: &str) -> Result<Vec<Reference>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id, seq",
    )?;
    let mut rows = statement.query([table])?;
    let mut found: BTreeMap<i64, Reference> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let parent: String = row.get(1)?;
        let entry = found
            .entry(row.get(0)?)
            .or_insert_with(|| (Vec::new(), parent, Vec::new()));
        entry.0.push(row.get(2)?);
        entry.2.extend(row.get::<_, Option<String>>(3)?);
    }
    Ok(found.into_values().collect())
}

/// A reference without parent columns means the parent's key.
fn name_parent_keys(catalogue: &mut Catalogue) {
    let keys: BTreeMap<String, Vec<String>> = catalogue
        .tables
        .iter()
        .map(|(name, table)| (name.to_lowercase(), table.key.clone()))
        .collect();
    for table in catalogue.tables.values_mut() {
        for (_, parent, columns) in &mut table.references {
            if columns.is_empty() {
                *columns = keys
                    .get(&parent.to_lowercase())
                    .cloned()
                    .unwrap_or_default();
            }
        }
    }
}

type Indexes = BTreeMap<String, (bool, Vec<String>)>;

fn indexes(connection: &Connection, table: &str) -> Result<Indexes, DbTrouble> {
    let mut statement = connection
        .prepare_cached("SELECT name, \"unique\" FROM pragma_index_list(?1) ORDER BY name")?;
    let listed: Result<Vec<(String, bool)>, _> = statement
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect();
    let mut found = BTreeMap::new();
    for (name, unique) in listed? {
        let columns = ordered(
            connection,
            "SELECT coalesce(name, '') FROM pragma_index_info(?1) ORDER BY seqno",
            &name,
        )?;
        found.insert(name, (unique, columns));
    }
    Ok(found)
}

fn triggers(connection: &Connection, table: &str) -> Result<BTreeMap<String, String>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sql FROM sqlite_schema
         WHERE type = 'trigger' AND lower(tbl_name) = lower(?1) AND name NOT GLOB 'handover_*'",
    )?;
    let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The foreign keys that point at a table.
pub(in crate::orgdb) fn hanging(
    connection: &Connection,
    parent: &str,
) -> Result<Vec<Hanging>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT t.name, f.id, f.\"from\", f.\"to\", f.on_delete
         FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
         WHERE t.schema = 'main' AND t.type = 'table' AND lower(f.\"table\") = lower(?1)
         ORDER BY t.name, f.id, f.seq",
    )?;
    let mut rows = statement.query([parent])?;
    let mut found: BTreeMap<(String, i64), Hanging> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let child: String = row.get(0)?;
        let action: String = row.get(4)?;
        let entry = found
            .entry((child.clone(), row.get(1)?))
            .or_insert(Hanging {
                child: TableName {
                    elsewhere: None,
                    table: child,
                },
                columns: Vec::new(),
                parent_columns: Vec::new(),
                reaches: action != "NO ACTION" && action != "RESTRICT",
            });
        entry.columns.push(row.get(2)?);
        entry
            .parent_columns
            .extend(row.get::<_, Option<String>>(3)?);
    }
    Ok(found.into_values().collect())
}
