//! Types of servers, each with its edges: what is written reads back the same, what does not fit is
//! refused before anything is bent.

use handover::orgdb::link::Load;
use handover::orgdb::{DbTrouble, Sql, Value};

use super::bases::{Base, Engine};

/// A column's type, and texts that must come back as they are.
const KEPT: &[(&str, &[&str])] = &[
    ("smallint", &["-32768", "32767", "0"]),
    ("integer", &["-2147483648", "2147483647"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807"]),
    (
        "numeric",
        &[
            "0",
            "-0.001",
            "12345678901234567890123456789012345678.12345678901234567890",
        ],
    ),
    (
        "numeric(38,10)",
        &["1234567890123456789012345678.1234567890"],
    ),
    ("numeric(6,2)", &["9999.99", "-0.01"]),
    (
        "text",
        &["", " ", "  two  ", "Zoë", "🏠", "a\nb\tc\\d", "'", "\""],
    ),
    ("varchar(5)", &["abcde", "äöüßé", "a    "]),
    (
        "date",
        &["0001-01-01", "1752-09-02", "2020-02-29", "9999-12-31"],
    ),
    (
        "timestamptz",
        &[
            "2019-10-27T00:30:00Z",
            "2019-10-27T01:30:00Z",
            "1969-12-31T23:59:59.999999Z",
        ],
    ),
    (
        "timestamp",
        &["2019-10-27 01:30:00", "2019-10-27 01:30:00.000001"],
    ),
    ("time", &["00:00:00", "23:59:59.999999", "24:00:00"]),
    ("uuid", &["00000000-0000-8000-8000-00000000000f"]),
    ("json", &["{\"b\": 1, \"a\":  [true, null]}"]),
    ("interval", &["P1Y2M3DT4H5M6S"]),
    ("integer[]", &["{1,NULL,3}"]),
];

#[tokio::test]
async fn every_type_of_a_housing_system_reads_back_as_it_was_written() {
    for (kind, texts) in KEPT {
        let shape = format!("CREATE TABLE t (id integer PRIMARY KEY, v {kind})");
        let base = Base::make(Engine::Postgres, &shape).await;
        let rows: Vec<[Value; 2]> = (0_i64..)
            .zip(texts.iter())
            .map(|(id, text)| [Value::Int(id), Value::from(*text)])
            .chain([[Value::Int(-1), Value::Null]])
            .collect();
        let columns = ["id", "v"].map(str::to_owned);
        let writer = base.bare_writer().await;
        let load = writer.with(move |link| {
            let load = Load {
                table: Sql::new("t"),
                columns: &columns,
            };
            let rows = rows.iter().map(|row| row.iter().map(Value::lend));
            link.load(&load, rows).map_err(|stop| stop.trouble)
        });
        load.await.unwrap();
        let reader = base.reader().await;
        let query = Sql::new("SELECT v FROM t ORDER BY id");
        let read = reader.rows(query, Vec::new()).await.unwrap();
        let read: Vec<String> = read
            .into_iter()
            .map(|mut row| match row.remove(0) {
                Value::Null => "NULL".to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Text(text) => text,
                other => format!("{other:?}"),
            })
            .collect();
        let mut wanted = vec!["NULL".to_owned()];
        wanted.extend(texts.iter().map(|text| (*text).to_owned()));
        assert_eq!(read, wanted, "{kind}");
    }
}

/// A column's type, and a text that it cannot hold.
const REFUSED: &[(&str, &str)] = &[
    ("smallint", "32768"),
    ("integer", "1.5"),
    ("numeric", "12,50"),
    ("numeric", "1e3"),
    ("date", "2019-02-29"),
    ("date", "0000-00-00"),
    ("boolean", "2"),
    ("uuid", "nobody"),
    ("text", "a\0b"),
    ("varchar(3)", "abcd"),
];

#[tokio::test]
async fn what_a_column_cannot_hold_is_refused_by_row_and_nothing_of_it_stays() {
    for (kind, text) in REFUSED {
        let shape = format!("CREATE TABLE t (id integer PRIMARY KEY, v {kind})");
        let base = Base::make(Engine::Postgres, &shape).await;
        let rows = [
            [Value::Int(1), Value::Null],
            [Value::Int(2), Value::from(*text)],
        ];
        let columns = ["id", "v"].map(str::to_owned);
        let writer = base.bare_writer().await;
        let load = writer.with(move |link| {
            let load = Load {
                table: Sql::new("t"),
                columns: &columns,
            };
            let rows = rows.iter().map(|row| row.iter().map(Value::lend));
            Ok(link
                .load(&load, rows)
                .map_err(|stop| (stop.trouble, stop.row)))
        });
        let (trouble, row) = load.await.unwrap().unwrap_err();
        assert!(
            matches!(trouble, DbTrouble::Constraint { kind: "type", .. }),
            "{kind} {text}: {trouble:?}"
        );
        assert_eq!(row, Some(1), "{kind} {text}");
        assert!(
            !trouble.words().contains(text),
            "{kind}: {}",
            trouble.words()
        );
        assert!(base.everything().await["t"].is_empty(), "{kind} {text}");
    }
}

#[tokio::test]
async fn numbers_that_a_table_counts_by_itself_come_behind_those_that_were_loaded() {
    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE a (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text);
         CREATE TABLE b (id bigserial PRIMARY KEY, v text);",
    )
    .await;
    let writer = base.bare_writer().await;
    writer
        .with(|link| {
            let columns = ["id", "v"].map(str::to_owned);
            for table in ["a", "b"] {
                let load = Load {
                    table: Sql::new(table),
                    columns: &columns,
                };
                let rows = [[Value::Int(0), "x".into()], [Value::Int(41), "y".into()]];
                let rows = rows.iter().map(|row| row.iter().map(Value::lend));
                link.load(&load, rows).map_err(|stop| stop.trouble)?;
                link.count_on(table, &columns)?;
            }
            Ok(())
        })
        .await
        .unwrap();
    base.does("INSERT INTO a (v) VALUES ('next'); INSERT INTO b (v) VALUES ('next')")
        .await;
    for table in ["a", "b"] {
        let reader = base.reader().await;
        let query = match table {
            "a" => "SELECT max(id) FROM a",
            _ => "SELECT max(id) FROM b",
        };
        let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
        assert!(rows[0][0].int() > Some(41), "{table}: {:?}", rows[0]);
    }
}
