//! One column of the legacy shape as an engine declares it.
//!
//! On the servers a column has the type that its name promises, unless its rows break the promise:
//! dates in two formats stay text, and text that is no text stays bytes.
//!
//! Not here: which columns there are (`legacy-columns.csv`, `extra-columns.csv`).

use super::Engine;

/// Dates and moments that stay text: `00/00/0000`, or a day-first form among the others.
const MIXED_DATES: [(&str, &str); 4] = [
    ("property", "practical_completion"),
    ("tenagree", "cot"),
    ("member", "dob"),
    ("rmreqst", "rq_date"),
];

/// Text in which some rows are Windows-1252 or hold a NUL, which no UTF-8 text column takes.
const NOT_TEXT: [(&str, &str); 3] = [
    ("member", "surname"),
    ("rmreqst", "rq_problem"),
    ("complaint", "summary"),
];

/// Holds `DEMO` while the demo's story is broken (`home`).
const WIDER: (&str, &str) = ("tenagree", "tenure");

/// `char(n)` up to here stays `char(n)`. A wider one is never padded by the generator, one of them
/// is read untrimmed (`property.address1`), and MariaDB has no room for it in a row.
const WIDEST_CHAR: u32 = 64;

/// The column's line in a CREATE TABLE.
pub(super) fn column(engine: Engine, table: &str, name: &str, kind: &str) -> String {
    let quoted = engine.quoted(name);
    if engine != Engine::Sqlite {
        return format!("  {quoted} {}", server_type(engine, (table, name), kind));
    }
    let declared = declared_type(kind);
    if kind.starts_with("numeric") && kind.ends_with(",2)") {
        return format!(
            "  {quoted} {declared} CHECK ({quoted} GLOB '*[0-9].[0-9][0-9]' AND {quoted} NOT GLOB '*[^-0-9.]*')"
        );
    }
    format!("  {quoted} {declared}")
}

/// A column of the table that marks a made-up database.
pub(super) fn mark(engine: Engine, name: &str) -> String {
    let text = match engine {
        Engine::Sqlite => "TEXT",
        Engine::Postgres => "text",
        Engine::Mariadb => "varchar(255)",
    };
    format!("  {} {text} NOT NULL", engine.quoted(name))
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

fn server_type(engine: Engine, column: (&str, &str), kind: &str) -> String {
    let by_engine = |postgres: &str, mariadb: &str| match engine {
        Engine::Mariadb => mariadb.to_owned(),
        Engine::Sqlite | Engine::Postgres => postgres.to_owned(),
    };
    if MIXED_DATES.contains(&column) {
        return "varchar(20)".to_owned();
    }
    if NOT_TEXT.contains(&column) {
        return by_engine("bytea", "longblob");
    }
    if column == WIDER {
        return "varchar(4)".to_owned();
    }
    match kind {
        "bit" => by_engine("boolean", "tinyint(1)"),
        "int(4)" => "integer".to_owned(),
        "smallint(2)" => "smallint".to_owned(),
        // Its rows hold days without a time.
        "smalldatetime" => "date".to_owned(),
        // The clock on the wall: this system knows no time zone.
        "datetime" => by_engine("timestamp(0)", "datetime"),
        // SQL Server's row version: eight bytes, no time at all.
        "timestamp" => by_engine("bytea", "varbinary(8)"),
        "uniqueidentifier" => by_engine("uuid", "char(36)"),
        "text" | "varchar(max)" => by_engine("text", "longtext"),
        _ => sized(kind),
    }
}

/// `numeric(p,s)` as it is; characters by their width.
fn sized(kind: &str) -> String {
    let Some((_, width)) = kind.split_once("char(") else {
        return kind.to_owned();
    };
    let width = width.trim_end_matches(')');
    let narrow = width.parse().is_ok_and(|width: u32| width <= WIDEST_CHAR);
    if narrow && kind.starts_with("char") {
        return kind.to_owned();
    }
    format!("varchar({width})")
}
