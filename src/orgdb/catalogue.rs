//! What a database says of its own shape: tables, columns, keys, indexes, foreign keys, triggers.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::DbTrouble;
use crate::plan::digest::Digest;

/// A database's shape, our own `handover_*` tables left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// Tables by name.
    pub tables: BTreeMap<String, Table>,
    /// Whether the table `handover_made_up` is there: only made-up databases have it.
    pub made_up: bool,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Table {
    /// Columns in the table's order.
    pub columns: Vec<Column>,
    /// Columns of the primary key, in the key's order; empty where none is declared.
    pub key: Vec<String>,
    /// Foreign keys: columns, other table, its columns.
    pub references: Vec<(Vec<String>, String, Vec<String>)>,
    /// Unique indexes and other indexes by name: unique?, columns.
    pub indexes: BTreeMap<String, (bool, Vec<String>)>,
    /// The target's own triggers by name, with their definition.
    pub triggers: BTreeMap<String, String>,
    /// Declared `WITHOUT ROWID`: its rows have no number of their own.
    pub without_rowid: bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub declared: String,
    /// NOT NULL.
    pub required: bool,
    /// Its default, as SQL text.
    pub default: Option<String>,
    /// Computed by the database: never written.
    pub generated: bool,
}

impl Catalogue {
    /// Digest over everything in it: a schema that changed shows.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        // Maps with names for keys always have a form.
        Digest::of(&serde_json::to_vec(&self.tables).unwrap_or_default())
    }
}

impl Table {
    /// The column of that name, in whatever case it is written.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Reads the whole shape.
pub(super) fn read(connection: &Connection) -> Result<Catalogue, DbTrouble> {
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
pub(crate) fn table(connection: &Connection, name: &str) -> Result<Option<Table>, DbTrouble> {
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
        columns,
        key,
        references: references(connection, name)?,
        indexes: indexes(connection, name)?,
        triggers: triggers(connection, name)?,
        without_rowid: flag.query_row([name], |row| row.get(0))?,
    }))
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", dflt_value, hidden FROM pragma_table_xinfo(?1) ORDER BY cid",
    )?;
    let rows = statement.query_map([table], |row| {
        Ok(Column {
            name: row.get(0)?,
            declared: row.get(1)?,
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
