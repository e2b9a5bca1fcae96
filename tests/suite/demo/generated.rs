//! What the generator makes: the same every time, with every mess, and as `truth.json` says.

use std::sync::LazyLock;

use handover::demo::generate::{Spec, Truth, World, generate};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) fn small(world: World) -> Spec {
    Spec {
        homes: 200,
        ..Spec::new(world)
    }
}

/// The small East Kent, made once for all tests of this file.
static EAST_KENT: LazyLock<(TempDir, Truth)> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let truth = generate(folder.path(), &small(World::EastKent2020)).unwrap();
    (folder, truth)
});

fn source() -> Connection {
    Connection::open(EAST_KENT.0.path().join("ekh.db")).unwrap()
}

fn count(connection: &Connection, sql: &str) -> u64 {
    connection
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .unwrap()
        .try_into()
        .unwrap()
}

#[test]
fn truth_counts_every_source_row() {
    for (table, rows) in &EAST_KENT.1.source {
        assert_eq!(
            count(&source(), &format!("SELECT count(*) FROM \"{table}\"")),
            *rows,
            "{table}"
        );
    }
}
