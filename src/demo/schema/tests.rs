//! The three engines' DDL side by side: the same tables, columns, keys, references and indexes.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Postgres, Engine::Mariadb];

/// What must be the same everywhere.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    columns: Vec<Column>,
    /// PRIMARY KEY, UNIQUE and REFERENCES, with the columns they name.
    keys: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    name: String,
    required: bool,
    default: Option<String>,
}

/// Tables with their shapes, and the indexes' own lines.
fn read(ddl: &str) -> (BTreeMap<String, Shape>, BTreeSet<String>) {
    let ddl = ddl.replace(['"', '`'], "");
    let (mut tables, mut indexes) = (BTreeMap::new(), BTreeSet::new());
    let mut table = String::new();
    for line in ddl.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            name.trim_end_matches(" (").clone_into(&mut table);
            let before = tables.insert(table.clone(), Shape::default());
            assert!(before.is_none(), "{table} stands there twice");
        } else if let Some(line) = line.strip_prefix("  ") {
            tables.get_mut(&table).unwrap().add(line);
        } else if line.starts_with("CREATE") {
            indexes.insert(line.to_owned());
        } else {
            let known = line.is_empty() || line.starts_with(");") || line.starts_with(") ENGINE");
            assert!(known || line.starts_with("--"), "{line}");
        }
    }
    (tables, indexes)
}

impl Shape {
    fn add(&mut self, line: &str) {
        let line = line.trim_end_matches(',');
        if line.starts_with("PRIMARY KEY (") || line.starts_with("UNIQUE (") {
            self.keys.insert(line.to_owned());
            return;
        }
        let (name, rest) = line.split_once(' ').unwrap();
        for word in ["PRIMARY KEY", "UNIQUE"] {
            if format!(" {rest} ").contains(&format!(" {word} ")) {
                self.keys.insert(format!("{word} ({name})"));
            }
        }
        if let Some((_, other)) = rest.split_once(" REFERENCES ") {
            self.keys.insert(format!("{name} REFERENCES {other}"));
        }
        self.columns.push(Column {
            name: name.to_owned(),
            required: rest.contains(" NOT NULL"),
            default: rest.split_once(" DEFAULT ").map(|(_, value)| {
                let (value, _) = value.split_once(' ').unwrap_or((value, ""));
                value.to_owned()
            }),
        });
    }
}

#[test]
fn every_engine_has_the_same_reference_schema() {
    let reference = read(TARGET);
    assert_eq!((reference.0.len(), reference.1.len()), (31, 29));
    for engine in ENGINES {
        assert_eq!(read(&target_ddl(engine)), reference, "{engine:?}");
    }
}

#[test]
fn the_shape_read_from_the_text_is_the_one_that_sqlite_makes() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(TARGET).unwrap();
    for (table, shape) in read(TARGET).0 {
        let sql = "SELECT name, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid";
        let mut columns = connection.prepare(sql).unwrap();
        let columns: Vec<(String, bool)> = columns
            .query_map([&table], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let ours = shape.columns.into_iter();
        let ours: Vec<_> = ours.map(|column| (column.name, column.required)).collect();
        assert_eq!(ours, columns, "{table}");
        let sql = "SELECT count(*) FROM pragma_foreign_key_list(?1)";
        let count: u32 = connection
            .query_row(sql, [&table], |row| row.get(0))
            .unwrap();
        let references = shape.keys.iter().filter(|key| key.contains(" REFERENCES "));
        assert_eq!(references.count(), count as usize, "{table}");
    }
}

#[test]
fn every_check_stays_or_is_said_by_the_type() {
    let lines = |engine| -> Vec<String> {
        let ddl = target_ddl(engine);
        let columns = ddl.lines().filter(|line| line.starts_with("  "));
        columns.map(str::to_owned).collect()
    };
    let typed = [" boolean", " numeric(", " decimal("];
    let sqlite = lines(Engine::Sqlite);
    for engine in [Engine::Postgres, Engine::Mariadb] {
        for (from, to) in sqlite.iter().zip(lines(engine)) {
            assert!(!to.contains("GLOB"), "{to}");
            let said = to.contains(" CHECK (") || typed.iter().any(|kind| to.contains(kind));
            assert_eq!(said, from.contains(" CHECK ("), "{from}\n{to}");
        }
    }
}

#[test]
fn the_legacy_schema_has_the_same_columns_everywhere_and_no_key() {
    let reference = read(&legacy_ddl());
    assert_eq!(reference.0.len(), 20);
    for engine in ENGINES {
        let (tables, indexes) = read(&legacy_ddl_for(engine));
        assert!(tables.values().all(|shape| shape.keys.is_empty()));
        assert!(indexes.is_empty());
        assert_eq!(tables, reference.0, "{engine:?}");
    }
    for (table, columns) in legacy_tables() {
        let names = columns.into_iter().map(|(name, _)| name);
        let ours = reference.0[&table].columns.iter();
        assert!(names.eq(ours.map(|column| column.name.clone())), "{table}");
    }
}

#[test]
fn columns_have_the_types_that_their_rows_need() {
    let lines = |engine| -> BTreeSet<String> {
        let ddl = legacy_ddl_for(engine).replace(['"', '`'], "");
        let lines = ddl.lines().map(|line| line.trim_matches([' ', ',']));
        lines.map(str::to_owned).collect()
    };
    let (postgres, mariadb) = (lines(Engine::Postgres), lines(Engine::Mariadb));
    for (column, on_postgres, on_mariadb) in [
        ("rq_problem", "bytea", "longblob"),
        ("post_comm", "text", "longtext"),
        ("cot", "varchar(20)", "varchar(20)"),
        ("eot", "date", "date"),
        ("received", "timestamp(0)", "datetime"),
        ("tstamp", "bytea", "varbinary(8)"),
        ("rtbelig", "boolean", "tinyint(1)"),
        ("rq_ref", "char(8)", "char(8)"),
        ("address1", "varchar(255)", "varchar(255)"),
        ("u_corraddr", "varchar(255)", "varchar(255)"),
        ("real_value", "numeric(9,2)", "numeric(9,2)"),
        ("rtrans_sid", "integer", "integer"),
    ] {
        let (ours, theirs) = (
            format!("{column} {on_postgres}"),
            format!("{column} {on_mariadb}"),
        );
        assert!(postgres.contains(&ours), "{ours}");
        assert!(mariadb.contains(&theirs), "{theirs}");
    }
}
