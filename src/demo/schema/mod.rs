//! The two database shapes of the demo. The legacy shape: fourteen tables with all 1,149 columns of a
//! real housing system (facts about a schema only) and five more in its style, with no key, index or
//! relation. The reference shape: the housing database of an organisation that looks after its data.
//!
//! In: column lists and SQL that stand beside this file. Out: DDL for SQLite.
//!
//! Types in the legacy shape keep their original names but always have an affinity that leaves
//! values alone: `numeric(9,2)` becomes `TEXT NUMERIC(9,2)`, whose affinity is text, so `00012345`
//! and `612480.10` stay what they are. Money (two digits after the point) is held to its scale by a
//! CHECK, as the real engine's own type would.
//!
//! Not here: rows (`generate`).

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

/// DDL of the legacy shape, with the table that marks a made-up database.
#[must_use]
pub fn legacy_ddl() -> String {
    let mut ddl =
        String::from("CREATE TABLE handover_made_up (seed TEXT NOT NULL, world TEXT NOT NULL);\n");
    for (table, columns) in legacy_tables() {
        let lines: Vec<String> = columns
            .iter()
            .map(|(name, kind)| column_ddl(name, kind))
            .collect();
        let body = lines.join(",\n");
        ddl.extend(["CREATE TABLE \"", &table, "\" (\n", &body, "\n);\n"]);
    }
    ddl
}

fn column_ddl(name: &str, kind: &str) -> String {
    let declared = declared_type(kind);
    if kind.starts_with("numeric") && kind.ends_with(",2)") {
        return format!(
            "  \"{name}\" {declared} CHECK (\"{name}\" GLOB '*[0-9].[0-9][0-9]' AND \"{name}\" NOT GLOB '*[^-0-9.]*')"
        );
    }
    format!("  \"{name}\" {declared}")
}

/// The original type's name behind a word that settles SQLite's affinity. (SQLite looks for `INT`
/// first, then `CHAR`, `CLOB` or `TEXT`: <https://sqlite.org/datatype3.html#determination_of_column_affinity>.)
fn declared_type(kind: &str) -> String {
    let upper = kind.to_uppercase();
    match upper.as_str() {
        "BIT" => "INTEGER BIT".to_owned(),
        "VARCHAR(MAX)" => "VARCHAR MAX".to_owned(),
        _ if upper.contains("INT(") || upper.contains("CHAR(") || upper == "TEXT" => upper,
        _ => format!("TEXT {upper}"),
    }
}
