//! A temporary place with databases in it, and a look at everything a database holds.
//!
//! Not here: what is tested.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use handover::copy::ledger::{self, Deed};
use handover::machine::key::RunKey;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use uuid::Uuid;

/// A folder that goes away with its owner.
pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a database from SQL.
    pub(super) fn database(&self, name: &str, sql: &str) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        path
    }
}

/// What every test's deed starts as.
pub fn deed() -> Deed {
    Deed {
        run: Uuid::from_u128(7),
        step: "copy-homes/dover".into(),
        generation: 1,
        epoch: 1,
        log_seq: 10,
        key: RunKey::new([9; 32]),
    }
}

/// A writer with our tables made and the fence raised.
pub(super) async fn writer(path: &Path, deed: &Deed) -> OrgWriter {
    let writer = OrgWriter::open("dover", &Address::Sqlite(path.to_owned()))
        .await
        .unwrap();
    ledger::prepare(&writer).await.unwrap();
    ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
        .await
        .unwrap();
    writer
}

pub(super) async fn reader(path: &Path) -> OrgReader {
    OrgReader::open("dover", &Address::Sqlite(path.to_owned()))
        .await
        .unwrap()
}

pub(super) fn run_sql(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Everything in a database but our own tables: schema and rows.
pub(super) fn contents(path: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let connection = Connection::open(path).unwrap();
    let mut all = BTreeMap::new();
    all.insert(
        "(schema)".to_owned(),
        rows(
            &connection,
            "SELECT type, name, tbl_name, sql FROM sqlite_schema
             WHERE tbl_name NOT LIKE 'handover\\_%' ESCAPE '\\' ORDER BY type, name",
        ),
    );
    let tables = rows(
        &connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'handover\\_%' ESCAPE '\\'",
    );
    for table in tables {
        let [Value::Text(name)] = table.as_slice() else {
            panic!("a table without a name")
        };
        let mut found = rows(&connection, &format!("SELECT * FROM \"{name}\""));
        found.sort_by_key(|row| format!("{row:?}"));
        all.insert(name.clone(), found);
    }
    all
}

/// The rows of a query.
pub(super) fn rows(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// One number.
pub(super) fn number(path: &Path, sql: &str) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
