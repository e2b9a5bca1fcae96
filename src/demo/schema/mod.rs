//! The two database shapes of the demo. The legacy shape: fourteen tables with all 1,149 columns of a
//! real housing system (facts about a schema only) and five more in its style, with no key, index or
//! relation. The reference shape: the housing database of an organisation that looks after its data.
//!
//! In: column lists and SQL that stand beside this file. Out: DDL for SQLite, PostgreSQL 13 and
//! MariaDB 10.6: the same tables, columns and keys, with each engine's own types.
//!
//! In SQLite, types in the legacy shape keep their original names but always have an affinity that
//! leaves values alone: `numeric(9,2)` becomes `TEXT NUMERIC(9,2)`, whose affinity is text, so
//! `00012345` and `612480.10` stay what they are. Money (two digits after the point) is held to its
//! scale by a CHECK, as the real engine's own type would.
//!
//! Not here: rows (`generate`).

mod legacy;
mod target;
#[cfg(test)]
mod tests;

/// A database engine that the demo's databases can be made on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// A file.
    #[default]
    Sqlite,
    /// PostgreSQL 13 or newer.
    Postgres,
    /// MariaDB 10.6 or newer.
    Mariadb,
}

impl Engine {
    /// The embedded default.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        *self == Engine::Sqlite
    }

    /// A name as this engine quotes it.
    fn quoted(self, name: &str) -> String {
        match self {
            Engine::Sqlite | Engine::Postgres => format!("\"{name}\""),
            Engine::Mariadb => format!("`{name}`"),
        }
    }

    /// What ends a CREATE TABLE. Text compares byte by byte on all three: on MariaDB only when told.
    fn table_end(self) -> &'static str {
        match self {
            Engine::Sqlite | Engine::Postgres => ");",
            Engine::Mariadb => ") ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;",
        }
    }
}

/// Table, position, column, type of the fourteen tables.
pub const LEGACY_COLUMNS: &str = include_str!("legacy-columns.csv");
/// The same of what the legacy system keeps elsewhere: staff, contracts, certificates, complaints,
/// documents.
pub const EXTRA_COLUMNS: &str = include_str!("extra-columns.csv");
/// DDL of the reference schema, one statement after the other.
pub const TARGET: &str = include_str!("target.sql");

/// The legacy tables with their columns and types, in the files' order.
#[must_use]
pub fn legacy_tables() -> Vec<(String, Vec<(String, String)>)> {
    let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for list in [LEGACY_COLUMNS, EXTRA_COLUMNS] {
        for line in list.lines().skip(1) {
            let mut parts = line.splitn(4, ',');
            let (Some(table), Some(_), Some(column), Some(kind)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if tables.last().is_none_or(|(last, _)| last != table) {
                tables.push((table.to_owned(), Vec::new()));
            }
            if let Some((_, columns)) = tables.last_mut() {
                columns.push((column.to_owned(), kind.trim_matches('"').to_owned()));
            }
        }
    }
    tables
}

/// DDL of the reference schema, one statement after the other.
#[must_use]
pub fn target_ddl(engine: Engine) -> String {
    match engine {
        Engine::Sqlite => TARGET.to_owned(),
        Engine::Postgres | Engine::Mariadb => target::translated(engine, TARGET),
    }
}

/// DDL of the legacy shape for SQLite, with the table that marks a made-up database.
#[must_use]
pub fn legacy_ddl() -> String {
    legacy_ddl_for(Engine::Sqlite)
}

/// DDL of the legacy shape, with the table that marks a made-up database.
#[must_use]
pub fn legacy_ddl_for(engine: Engine) -> String {
    let marks = ["seed", "world"].map(|name| legacy::mark(engine, name));
    let mut ddl = table_ddl(engine, "handover_made_up", &marks);
    for (table, columns) in legacy_tables() {
        let lines: Vec<String> = columns
            .iter()
            .map(|(name, kind)| legacy::column(engine, &table, name, kind))
            .collect();
        ddl.push_str(&table_ddl(engine, &table, &lines));
    }
    ddl
}

fn table_ddl(engine: Engine, table: &str, lines: &[String]) -> String {
    let (table, end) = (engine.quoted(table), engine.table_end());
    format!("CREATE TABLE {table} (\n{}\n{end}\n", lines.join(",\n"))
}
