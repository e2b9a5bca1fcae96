//! The reference schema as PostgreSQL and MariaDB declare it, line by line from `target.sql`: keys,
//! references, defaults and indexes are the same words on all three, types follow from what a column
//! holds.
//!
//! Not here: the schema itself (`target.sql`).

use super::Engine;

/// Dates whose names do not end in `_on`.
const DATES: [&str; 17] = [
    "active_from",
    "active_to",
    "balance_as_at",
    "continuous_service_start",
    "dob",
    "eff_from",
    "eff_to",
    "employed_from",
    "employed_to",
    "moved_in",
    "moved_out",
    "next_due",
    "signed_incoming",
    "signed_outgoing",
    "signed_supplier",
    "valid_from",
    "valid_to",
];

/// Moments. `case.opened_at` is none: agreements and court cases open on a day, complaints at a
/// moment, so it stays text.
const MOMENTS: [&str; 4] = ["aware_at", "created_at", "due_at", "reported_at"];

/// Text of any length: on MariaDB everything else has a width, so that it can be indexed.
const NOTES: [&str; 4] = ["narrative", "problem", "raw_text", "summary"];

/// What a column holds.
#[derive(Clone, Copy)]
enum Holds {
    /// 0 or 1.
    Flag,
    Whole,
    /// Bytes of a file: more than four bytes can count.
    Size,
    /// A number with so many digits after the point.
    Decimal(usize),
    Day,
    Moment,
    Json,
    Note,
    /// An id, its own or another row's.
    Key,
    Text,
}

/// The whole of `target.sql` for a server.
pub(super) fn translated(engine: Engine, sql: &str) -> String {
    let lines = sql.lines().filter(|line| !line.starts_with("--"));
    lines
        .map(|line| translated_line(engine, line) + "\n")
        .collect()
}

fn translated_line(engine: Engine, line: &str) -> String {
    if line == ");" {
        return engine.table_end().to_owned();
    }
    column(engine, line).unwrap_or_else(|| match engine {
        Engine::Mariadb => line.replace('"', "`"),
        Engine::Sqlite | Engine::Postgres => line.to_owned(),
    })
}

/// `name TYPE words CHECK (…),` with the engine's type, and the CHECK where the type does not say it.
fn column(engine: Engine, line: &str) -> Option<String> {
    let (name, rest) = line.strip_prefix("  ")?.split_once(' ')?;
    let (declared, rest) = rest.split_at(rest.find([' ', ',']).unwrap_or(rest.len()));
    if !matches!(declared, "TEXT" | "INTEGER") {
        return None;
    }
    let (words, comma) = match rest.strip_suffix(',') {
        Some(words) => (words, ","),
        None => (rest, ""),
    };
    let (words, check) = words.split_once(" CHECK ").unwrap_or((words, ""));
    let holds = holds(name, declared, words, check);
    let check = match (holds, engine) {
        (Holds::Decimal(_), _) | (Holds::Flag, Engine::Postgres) => String::new(),
        _ if check.is_empty() => String::new(),
        _ => format!(" CHECK {}", translated_check(engine, check)),
    };
    let kind = kind(engine, holds);
    Some(format!("  {name} {kind}{words}{check}{comma}"))
}

fn holds(name: &str, declared: &str, words: &str, check: &str) -> Holds {
    if check.ends_with(" IN (0, 1))") {
        return Holds::Flag;
    }
    if let Some(scale) = scale(check) {
        return Holds::Decimal(scale);
    }
    match name {
        "bytes" => Holds::Size,
        _ if declared == "INTEGER" => Holds::Whole,
        "aliases" => Holds::Json,
        _ if name.ends_with("_on") || DATES.contains(&name) => Holds::Day,
        _ if MOMENTS.contains(&name) => Holds::Moment,
        _ if NOTES.contains(&name) => Holds::Note,
        _ if name.ends_with("_id") || words.contains(" REFERENCES ") => Holds::Key,
        _ => Holds::Text,
    }
}

/// Digits after the point, where a CHECK asks for them: `x GLOB '*[0-9].[0-9][0-9]'`.
fn scale(check: &str) -> Option<usize> {
    let (_, digits) = check.split_once(" GLOB '*[0-9].")?;
    let (digits, _) = digits.split_once('\'')?;
    Some(digits.matches("[0-9]").count())
}

fn translated_check(engine: Engine, check: &str) -> String {
    let other = match engine {
        Engine::Mariadb => "NOT REGEXP '[^0-9]'",
        Engine::Sqlite | Engine::Postgres => "!~ '[^0-9]'",
    };
    check
        .replace("NOT GLOB '*[^0-9]*'", other)
        .replace("length(", "char_length(")
}

fn kind(engine: Engine, holds: Holds) -> String {
    let (postgres, mariadb) = match holds {
        Holds::Flag => ("boolean", "tinyint(1)"),
        Holds::Whole => ("integer", "integer"),
        Holds::Size => ("bigint", "bigint"),
        // Money as wide as the legacy system's widest, shares as its numeric(16,6).
        Holds::Decimal(2) => ("numeric(14,2)", "decimal(14,2)"),
        Holds::Decimal(scale) => return format!("numeric(16,{scale})"),
        Holds::Day => ("date", "date"),
        // MariaDB's own `timestamp` ends in 2038; these are UTC by agreement.
        Holds::Moment => ("timestamptz", "datetime(6)"),
        Holds::Json => ("json", "json"),
        Holds::Note => ("text", "longtext"),
        // Drawn keys have 36 characters. An index holds 3,072 bytes: three columns of 255.
        Holds::Key => ("text", "varchar(64)"),
        Holds::Text => ("text", "varchar(255)"),
    };
    let kind = match engine {
        Engine::Mariadb => mariadb,
        Engine::Sqlite | Engine::Postgres => postgres,
    };
    kind.to_owned()
}
