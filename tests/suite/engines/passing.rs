//! Rows between two servers of one kind: those that stay as they are go on in the bytes that they came in,
//! and land, are digested and are refused just as if they had been read and written anew.

use std::fmt::Write as _;
use std::sync::Arc;

use handover::copy::load::{Load, Loaded, load};
use handover::copy::verify;
use handover::orgdb::{Sql, Value};
use handover::plan::map::{Becomes, Map};

use super::bases::{Base, Engine};
use super::rows::{deed, what};
use crate::copying::town;

/// A column, its type, and values of which each row takes one; all are wild somewhere.
const COLUMNS: [(&str, &str, &[&str]); 16] = [
    ("flag", "boolean", &["true", "false", "NULL"]),
    ("small", "smallint", &["-32768", "32767"]),
    ("whole", "integer", &["-2147483648", "2147483647", "0"]),
    (
        "large",
        "bigint",
        &["-9223372036854775808", "9223372036854775807"],
    ),
    (
        "digits",
        "numeric(38,10)",
        &["1234567890123456789012345678.1234567890", "0", "-0.5"],
    ),
    (
        "money",
        "numeric(6,2)",
        &["9999.99", "-0.01", "0.00", "'NaN'"],
    ),
    (
        "free",
        "numeric",
        &["10000", "0.0001", "-12345678901234567890.5"],
    ),
    (
        "words",
        "text",
        &[
            "'plain'", "''", "' two '", "'Zoë'", "'🏠'", "E'a\\nb'", "NULL",
        ],
    ),
    ("short", "varchar(5)", &["'abcde'", "'äöüßé'", "'a    '"]),
    ("padded", "char(4)", &["'DBR'", "'DBRX'", "' D'"]),
    (
        "day",
        "date",
        &["'0001-01-01'", "'2020-02-29'", "'infinity'", "'9999-12-31'"],
    ),
    (
        "moment",
        "timestamptz",
        &[
            "'2019-10-27T00:30:00Z'",
            "'1969-12-31T23:59:59.999999Z'",
            "NULL",
        ],
    ),
    (
        "clock",
        "timestamp",
        &["'2019-10-27 01:30:00'", "'2019-10-27 01:30:00.000001'"],
    ),
    ("hour", "time", &["'00:00:00'", "'23:59:59.999999'"]),
    (
        "mark",
        "uuid",
        &["'00000000-0000-8000-8000-00000000000f'", "NULL"],
    ),
    ("tree", "json", &["'{\"b\": 1, \"a\":  [true]}'", "NULL"]),
];

const ROWS: usize = 120;

fn shape(id: &str) -> String {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, kind, _)| format!("{name} {kind}"))
        .collect();
    format!(
        "CREATE TABLE things (id {id} PRIMARY KEY, {});",
        columns.join(", ")
    )
}

async fn source(id: &str) -> Base {
    let mut text = shape(id);
    for row in 0..ROWS {
        let values: Vec<&str> = (COLUMNS.iter().enumerate())
            .map(|(at, (_, _, values))| values[(row / (at + 1)) % values.len()])
            .collect();
        let values = values.join(", ");
        let _ = write!(text, "INSERT INTO things VALUES ({row}, {values});");
    }
    Base::make(Engine::Postgres, &text).await
}

/// A row of the target's own stands where one of ours wants to be.
async fn target() -> Base {
    let text = shape("bigint") + "INSERT INTO things (id) VALUES (17);";
    Base::make(Engine::Postgres, &text).await
}

fn things() -> Load {
    let mut columns = vec![town::column("things", "id", "id", Becomes::Integer)];
    let further = COLUMNS.map(|(name, _, _)| town::column("things", name, name, Becomes::Text));
    columns.extend(further);
    let dataset = handover::plan::map::Dataset {
        id: None,
        ..town::dataset("things", "things", "id", "", columns)
    };
    Load {
        map: Arc::new(Map {
            datasets: vec![dataset],
            ..Map::default()
        }),
        tables: vec!["things".to_owned()],
        ..what()
    }
}

/// What came of it, and all that stands then as the server writes it.
async fn copied(source: &Base, target: &Base) -> (Loaded, String) {
    let deed = deed();
    let (reader, writer) = (source.reader().await, target.writer(&deed).await);
    let loaded = load(&reader, &writer, things(), &deed, |_| {}).await;
    let reader = target.reader().await;
    let seen = verify::digests(&reader, &deed).await.unwrap();
    assert_eq!(seen.differing, 0);
    let query = Sql::new("SELECT string_agg(things::text, '|' ORDER BY id) FROM things");
    let all = reader.rows(query, Vec::new()).await.unwrap();
    (loaded.unwrap(), all[0][0].text().unwrap().to_owned())
}

#[tokio::test]
async fn a_row_that_goes_on_as_it_came_lands_and_is_digested_as_if_it_had_been_read() {
    // A key of another width: each row must be written anew.
    let (passing, written) = (source("bigint").await, source("integer").await);
    let (left, right) = (target().await, target().await);
    let (passed, stands) = copied(&passing, &left).await;
    let (read, wanted) = copied(&written, &right).await;
    assert_eq!(stands, wanted);
    assert_eq!(passed.roots, read.roots);
    assert_eq!(passed.datasets, read.datasets);
    let things = &passed.datasets["things"];
    assert_eq!(things.rejected["HO506 id"], 1, "{things:?}");
    assert!(things.copied > 20, "{things:?}");
    let own = Sql::new("SELECT words FROM things WHERE id = 17");
    let own = left.reader().await.rows(own, Vec::new()).await.unwrap();
    assert_eq!(own[0][0], Value::Null);
}
