//! Loads by file and by insert: whole, or refused with the row that was wrong; savepoints.
//!
//! Not here: the types of values (`types`).

use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::link::Begin;
use handover::orgdb::{Link, Sql, Value};
use handover::values;

use super::{address, all, database, put, writer};

const STRICT: &str = "CREATE TABLE p (id int PRIMARY KEY);
    INSERT INTO p VALUES (1), (2);
    CREATE TABLE strict (id int PRIMARY KEY, name varchar(3) NOT NULL, p int REFERENCES p (id),
      day date, CHECK (id < 1000), UNIQUE KEY by_name (name),
      CONSTRAINT to_p FOREIGN KEY (p) REFERENCES p (id))";

fn strict(id: i64, name: &str, p: i64, day: &str) -> Vec<Value> {
    values![id, name, p, day].to_vec()
}

/// What is wrong with a row, in words, and whether the server says which.
fn refusals() -> Vec<(Vec<Value>, &'static str, bool)> {
    let (wide, day) = (1 << 40, "2020-01-01");
    let nameless = vec![Value::Int(3), Value::Null, Value::Int(1), Value::Null];
    [
        (strict(1, "x", 1, day), "unique on `strict.PRIMARY`", false),
        (strict(3, "A", 1, day), "unique on `strict.by_name`", false),
        (strict(3, "x", 9, day), "foreign key on `strict.p`", false),
        (strict(3, "long", 1, day), "type on `strict.name`", true),
        (
            strict(3, "x", 1, "2020-02-30"),
            "type on `strict.day`",
            true,
        ),
        (strict(wide, "x", 1, day), "type on `strict.id`", true),
        (
            strict(2000, "x", 1, day),
            "check on `strict.CONSTRAINT_1`",
            false,
        ),
        (nameless, "not null on `strict.name`", true),
    ]
    .into()
}

fn refuses(link: &Link, database: &str) {
    for (bad, wanted, named) in refusals() {
        link.begin(Begin::Write).unwrap();
        let rows = [
            strict(1, "a", 1, "2020-01-01"),
            strict(2, "b", 2, "2020-01-02"),
            bad,
        ];
        let columns = ["id", "name", "p", "day"];
        let stop = link
            .within_savepoint(|| put(link, "strict", &columns, &rows).map(drop))
            .unwrap_err();
        let words = stop.trouble.words();
        assert_eq!(words, format!("refused a row: {wanted}"), "{database}");
        assert!(
            stop.row == Some(2) || (stop.row.is_none() && (!named || database == "by insert")),
            "{wanted}: {:?}",
            stop.row
        );
        let left = all(link, "SELECT count(*) FROM strict").unwrap();
        assert_eq!(left, ["0"], "{wanted}: something was left behind");
        link.commit().unwrap();
    }
}

#[tokio::test]
async fn a_load_is_whole_or_it_is_refused_with_its_row() {
    let writer = writer(&database("strict", STRICT)).await;
    writer
        .with(|link| {
            refuses(link, "by file");
            let rows: Vec<Vec<Value>> = (0..900)
                .map(|id| strict(id, &id.to_string(), 1, "2020-01-01"))
                .collect();
            assert_eq!(
                put(link, "strict", &["id", "name", "p", "day"], &rows).unwrap(),
                900
            );
            assert_eq!(put(link, "strict", &["id"], &[]).unwrap(), 0);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn where_no_file_may_be_loaded_rows_are_inserted_and_refused_just_so() {
    let server = Server::throw_away(Kind::Mariadb, Durability::Process).unwrap();
    server.ask("", "SET GLOBAL local_infile = 0").unwrap();
    server.create_database("strict").unwrap();
    server.ask("strict", STRICT).unwrap();
    let writer = writer(&address(&server.url("strict"))).await;
    writer
        .with(|link| {
            refuses(link, "by insert");
            link.script(&Sql::new(
                "CREATE TABLE wide (id int PRIMARY KEY, at datetime(6), b blob)",
            ))?;
            let row = |id: i64| values![id, "2020-10-24T23:30:00Z", vec![0_u8, 255]].to_vec();
            let rows: Vec<Vec<Value>> = (0..2_500).map(row).collect();
            assert_eq!(put(link, "wide", &["id", "at", "b"], &rows).unwrap(), 2_500);
            let found = all(link, "SELECT DISTINCT at, b FROM wide")?;
            assert_eq!(found, ["'2020-10-24 23:30:00' x00ff"]);
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_savepoint_takes_back_what_failed_and_nothing_before_it() {
    let writer = writer(&database("points", "CREATE TABLE t (a int PRIMARY KEY)")).await;
    writer
        .with(|link| {
            let insert = Sql::new("INSERT INTO t (a) VALUES (?1)");
            link.begin(Begin::Write)?;
            link.execute(&insert, &values![1_i64])?;
            let failed = link.within_savepoint(|| {
                link.execute(&insert, &values![2_i64])?;
                link.execute(&insert, &values![1_i64])
            });
            assert_eq!(
                failed.unwrap_err().words(),
                "refused a row: unique on `t.PRIMARY`"
            );
            link.within_savepoint(|| link.execute(&insert, &values![3_i64]))?;
            link.commit()?;
            assert_eq!(all(link, "SELECT a FROM t ORDER BY a")?, ["1", "3"]);
            link.begin(Begin::Write)?;
            link.execute(&insert, &values![4_i64])
        })
        .await
        .unwrap();
    let left = writer
        .with(|link| all(link, "SELECT count(*) FROM t"))
        .await;
    assert_eq!(left.unwrap(), ["2"], "what was left open is rolled back");
}
