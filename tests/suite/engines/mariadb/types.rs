//! Every type with its edges, a table's shape, and days that never were.
//!
//! Not here: what is refused (`loads`).

use handover::copy::ledger::Pen;
use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::link::{Flow, Load};
use handover::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, Value};
use handover::sql;

use super::{all, database, prepared, told, writer};
use crate::copying::town::deed;

/// A column's type, a value, and how it reads.
fn edges() -> Vec<(&'static str, Value, String)> {
    let text = |kind, text: &str| (kind, Value::from(text), format!("'{text}'"));
    let whole = |kind, number: i64| (kind, Value::Int(number), number.to_string());
    let digits = format!("-{}.{}", "9".repeat(35), "8".repeat(30));
    vec![
        whole("tinyint", -128),
        whole("tinyint(1)", 127),
        whole("smallint unsigned", 65_535),
        whole("mediumint", -8_388_608),
        whole("int unsigned", 4_294_967_295),
        whole("bigint", i64::MIN),
        whole("bigint unsigned", i64::MAX),
        text("bigint unsigned", "18446744073709551615"),
        whole("bit(1)", 1),
        whole("bit(62)", (1 << 62) - 1),
        whole("year", 2155),
        text("decimal(65,30)", &digits),
        ("decimal(14,2)", "0.50".into(), "'0.50'".to_owned()),
        (
            "decimal(14,2) zerofill",
            "12.50".into(),
            "'12.50'".to_owned(),
        ),
        ("double", Value::Real(0.1), "0.1".to_owned()),
        (
            "double",
            Value::Real(f64::MIN_POSITIVE),
            "2.2250738585072014e-308".to_owned(),
        ),
        ("float", Value::Real(0.1), "0.1".to_owned()),
        text("char(5)", "ab"),
        text("varchar(5)", "ab  "),
        text("varchar(5)", ""),
        text("varchar(10)", "Zoë 🏠"),
        text("varchar(10) CHARACTER SET latin1", "Zoë £"),
        text("longtext", "a\tb\nc\\d\\N\r\n'\"\0\u{1a}"),
        text("text", &"ü".repeat(32_767)),
        text("enum('open','shut')", "shut"),
        text("set('a','b')", "a,b"),
        text("json", "{\"a\": [1, \"\\u00e9\"]}"),
        text("uuid", "123e4567-e89b-12d3-a456-426655440000"),
        text("date", "1000-01-01"),
        text("date", "9999-12-31"),
        text("time(6)", "-838:59:59.000001"),
        text("time", "23:59:59"),
        text("datetime(6)", "9999-12-31 23:59:59.999999"),
        text("datetime", "2020-10-25 01:30:00"),
        (
            "datetime(6)",
            "2020-10-24T23:30:00Z".into(),
            "'2020-10-24 23:30:00'".to_owned(),
        ),
        (
            "datetime",
            "2020-10-25T00:30:00+01:00".into(),
            "'2020-10-24 23:30:00'".to_owned(),
        ),
        text("timestamp(6)", "2020-10-24T23:30:00.000001Z"),
        text("timestamp", "1970-01-01T00:00:01Z"),
        (
            "blob",
            Value::Blob(b"\x00\t\n\\\xff'".to_vec()),
            "x00090a5cff27".to_owned(),
        ),
        ("varbinary(4)", Value::Blob(Vec::new()), "x".to_owned()),
        ("binary(3)", Value::Blob(vec![1]), "x010000".to_owned()),
    ]
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in_by_a_load_and_by_an_insert() {
    let edges = edges();
    let columns: Vec<String> = (0..edges.len()).map(|at| format!("c{at}")).collect();
    let declared: Vec<String> = edges
        .iter()
        .zip(&columns)
        .map(|((kind, ..), name)| format!("{name} {kind} NULL"))
        .collect();
    let make = format!(
        "CREATE TABLE edges (id int AUTO_INCREMENT PRIMARY KEY, {}) ENGINE=InnoDB",
        declared.join(", ")
    );
    let writer = writer(&database("edges", &make)).await;
    let names: Vec<String> = std::iter::once("id".to_owned()).chain(columns).collect();
    let found = writer
        .with(move |link| {
            let row = |id| {
                let values = edges.iter().map(|(_, value, _)| value.clone());
                std::iter::once(Value::Int(id))
                    .chain(values)
                    .collect::<Vec<_>>()
            };
            let nothing = std::iter::once(Value::Int(7)).chain(edges.iter().map(|_| Value::Null));
            let load = Load {
                table: Sql::new("\"edges\""),
                columns: &names,
            };
            let rows = [row(0), nothing.collect()];
            let loaded = link.load(&load, rows.iter().map(|row| row.iter().map(Value::lend)));
            assert_eq!(loaded.unwrap(), 2);
            let idents: Vec<Ident> = names.iter().map(|name| Ident::new(name)).collect();
            let places: Vec<Sql> = (1..=names.len()).map(|at| sql!("?{}", at)).collect();
            let insert = sql!(
                "INSERT INTO \"edges\" ({}) VALUES ({})",
                idents,
                Sql::join(", ", &places)
            );
            assert_eq!(link.execute(&insert, &row(9))?, 1);
            let mut wrong = Vec::new();
            for (at, (kind, value, wanted)) in edges.iter().enumerate() {
                let column = Ident::new(&format!("c{at}"));
                let query = sql!("SELECT {} FROM \"edges\" ORDER BY id", column);
                let mut read = Vec::new();
                link.each(&query, &[], |row| {
                    read.push(told(row.get(0)));
                    Ok::<Flow, DbTrouble>(Flow::Continue(()))
                })?;
                if read != [wanted.as_str(), "NULL", wanted.as_str()] {
                    wrong.push(format!("{kind}: {read:?}, not {wanted}"));
                }
                // What was written is found by what was written.
                let query = sql!("SELECT count(*) FROM \"edges\" WHERE {} <=> ?1", column);
                let found = link.row(&query, std::slice::from_ref(value))?;
                let padded = kind.starts_with("binary");
                if !padded && found != Some(vec![Value::Int(2)]) {
                    wrong.push(format!("{kind} is not found: {found:?}"));
                }
            }
            Ok(wrong)
        })
        .await
        .unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn a_shape_is_told_with_its_keys_defaults_and_kinds() {
    let there = database(
        "shape",
        "CREATE TABLE p (id int AUTO_INCREMENT PRIMARY KEY, at datetime(6), code varchar(4) NOT NULL
           DEFAULT 'it''s', twice int AS (id * 2) VIRTUAL, b bit(1) DEFAULT b'1', UNIQUE KEY by_code (code));
         CREATE TABLE c (a varchar(3), b int, n int, PRIMARY KEY (b, a),
           FOREIGN KEY (n) REFERENCES p (id) ON DELETE CASCADE);
         CREATE TABLE old (a int) ENGINE=MyISAM;
         CREATE TABLE handover_key (a int);
         CREATE TRIGGER t BEFORE INSERT ON c FOR EACH ROW SET NEW.n = NULL",
    );
    let link = Link::reader(&there).unwrap();
    assert_eq!(link.dialect(), Dialect::Mariadb);
    let shape = link.catalogue().unwrap();
    let tables: Vec<&str> = shape.tables.keys().map(String::as_str).collect();
    assert_eq!(tables, ["c", "old", "p"]);
    let (c, p) = (&shape.tables["c"], &shape.tables["p"]);
    assert_eq!(c.key, ["b", "a"]);
    assert_eq!(
        c.references,
        [(vec!["n".to_owned()], "p".to_owned(), vec!["id".to_owned()])]
    );
    assert_eq!(c.triggers.keys().collect::<Vec<_>>(), ["t"]);
    assert_eq!(p.indexes["by_code"], (true, vec!["code".to_owned()]));
    let defaults: Vec<Option<&str>> = p.columns.iter().map(|one| one.default.as_deref()).collect();
    assert_eq!(
        defaults,
        [
            Some("identity"),
            Some("NULL"),
            Some("'it''s'"),
            Some("NULL"),
            Some("1")
        ]
    );
    let generated: Vec<bool> = p.columns.iter().map(|one| one.generated).collect();
    assert_eq!(generated, [false, false, false, true, false]);
    assert!(shape.tables["old"].untransactional && !p.untransactional);
    let hanging = link.hanging("p").unwrap();
    assert_eq!((hanging.len(), hanging[0].reaches), (1, true));
}

#[tokio::test]
async fn a_day_that_never_was_can_be_read_and_put_back() {
    let there = database(
        "zero",
        "SET sql_mode = ''; CREATE TABLE z (id int PRIMARY KEY, d date, m datetime, t timestamp NULL, x int);
         INSERT INTO z VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00', 1), (2, '2020-00-00', NULL, NULL, 1)",
    );
    let writer = prepared(&there).await;
    let query = "SELECT d, m, t, x FROM z ORDER BY id";
    let before = writer.with(move |link| all(link, query)).await.unwrap();
    let zero = "'0000-00-00 00:00:00'";
    assert_eq!(
        before,
        [
            format!("'0000-00-00' {zero} {zero} 1"),
            "'2020-00-00' NULL NULL 1".to_owned()
        ]
    );
    let deed = deed();
    let mut pen = Pen::begin(&writer, &deed, 1, "update:z")
        .await
        .unwrap()
        .unwrap();
    let name = |text| Ident::new(text);
    let (was, becomes) = ([(name("x"), Value::Int(1))], [(name("x"), Value::Int(2))]);
    let changed = pen.update(&name("z"), &was, &becomes).await;
    assert_eq!(changed.unwrap(), 2);
    pen.commit().await.unwrap();
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert_eq!(undone.restored, 2, "{undone:?}");
    assert_eq!(
        writer.with(move |link| all(link, query)).await.unwrap(),
        before
    );
}
