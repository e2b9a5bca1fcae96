//! What stands in a database: every row of every table of the organisation's own as text, and what is
//! declared of them. Plain SQL through the engine's own client; no code of the copier.
//!
//! Not here: files (`rows`).

use std::fmt::Write as _;
use std::path::Path;

use super::super::rows::{self, Held};
use super::ground::Side;
use crate::engines::bases::Engine;

/// Adds what stands in `side`.
pub(super) fn held(side: &Side, held: &mut Held) {
    let (rows, shape) = match side.engine {
        Engine::Sqlite => return rows::database(Path::new(&side.name), held),
        Engine::Postgres => (postgres(side), POSTGRES_SHAPE),
        Engine::Mariadb => (mariadb(side), MARIADB_SHAPE),
    };
    for line in side.ask(&rows).lines() {
        let (table, row) = line.split_once('\t').unwrap();
        let rows = held.entry(format!("{}.{table}", side.org)).or_default();
        // A table's own line comes first of all: it says that the table is there, though empty.
        if row != "there" {
            rows.push(row.to_owned());
        }
    }
    let shape = side
        .ask(shape)
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    held.insert(format!("{}: shape", side.org), shape);
    for rows in held.values_mut() {
        rows.sort_unstable();
    }
}

/// A row as JSON is one line, whatever is in it.
fn postgres(side: &Side) -> String {
    let named =
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                 AND relname NOT LIKE 'handover\\_%'";
    let mut all = Vec::new();
    for table in side.ask(named).lines() {
        all.push(format!(
            "SELECT '{table}' || E'\\t' || 'there' UNION ALL
             SELECT '{table}' || E'\\t' || row_to_json(t)::text FROM \"{table}\" AS t"
        ));
    }
    all.join(" UNION ALL ")
}

const POSTGRES_SHAPE: &str = "
  SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' ' || convalidated::text || ' '
    || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || tgenabled::text FROM pg_trigger t
    JOIN pg_class c ON c.oid = tgrelid AND relnamespace = 'public'::regnamespace
    WHERE NOT tgisinternal AND tgname NOT LIKE 'handover\\_%'
  UNION ALL SELECT 'column ' || table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'handover\\_%'";

/// The client writes a line a row and escapes what would break it.
fn mariadb(side: &Side) -> String {
    let named = "SELECT table_name, column_name, data_type FROM information_schema.columns
                 WHERE table_schema = DATABASE() AND table_name NOT LIKE 'handover\\_%'
                 ORDER BY table_name, ordinal_position";
    let mut all: Vec<(String, String)> = Vec::new();
    for line in side.ask(named).lines() {
        let [table, column, kind] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let bytes = kind.ends_with("blob") || kind.ends_with("binary");
        let value = if bytes { "HEX" } else { "" };
        if all.last().is_none_or(|(last, _)| last != table) {
            all.push((table.to_owned(), String::new()));
        }
        let columns = &mut all.last_mut().unwrap().1;
        write!(columns, ", QUOTE({value}(`{column}`))").unwrap();
    }
    let of = |(table, columns): &(String, String)| {
        format!(
            "SELECT '{table}' AS a, 'there' AS b UNION ALL
             SELECT '{table}', CONVERT(CONCAT_WS('|'{columns}) USING utf8mb4) FROM `{table}`"
        )
    };
    all.iter().map(of).collect::<Vec<_>>().join(" UNION ALL ")
}

const MARIADB_SHAPE: &str = "
  SELECT CONCAT_WS(' ', 'index', table_name, index_name, seq_in_index, column_name, non_unique)
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name NOT LIKE 'handover\\_%'
  UNION ALL SELECT CONCAT_WS(' ', 'foreign key', table_name, constraint_name, column_name,
    referenced_table_name, referenced_column_name) FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND table_name NOT LIKE 'handover\\_%'
  UNION ALL SELECT CONCAT_WS(' ', 'check', table_name, constraint_name, check_clause)
    FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
    AND table_name NOT LIKE 'handover\\_%'
  UNION ALL SELECT CONCAT_WS(' ', 'trigger', event_object_table, trigger_name, event_manipulation, action_statement)
    FROM information_schema.triggers
    WHERE trigger_schema = DATABASE() AND trigger_name NOT LIKE 'handover\\_%'
  UNION ALL SELECT CONCAT_WS(' ', 'column', table_name, column_name, column_type, is_nullable, column_default, extra)
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name NOT LIKE 'handover\\_%'";
