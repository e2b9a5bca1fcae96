//! MariaDB, a real one: every type with its edges, what is refused and of which row, transactions, the
//! fence, a whole copy and its undo.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use handover::copy::ledger::{self, Deed, Pen};
use handover::copy::load::{Load as Copying, load};
use handover::copy::undo;
use handover::demo::servers::{Durability, Kind, Server};
use handover::machine::event::UndoMode;
use handover::machine::key::RunKey;
use handover::orgdb::link::{Begin, Flow, Load, LoadStop};
use handover::orgdb::{
    Address, DbTrouble, Dialect, Ident, Link, OrgReader, OrgWriter, Sql, Value, ValueRef,
};
use handover::{sql, values};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::copying::town;

static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::throw_away(Kind::Mariadb, Durability::Process).unwrap());

/// A database of a test's own, made from SQL.
fn database(name: &str, sql: &str) -> Address {
    SERVER.create_database(name).unwrap();
    if !sql.is_empty() {
        SERVER.ask(name, sql).unwrap();
    }
    address(&SERVER.url(name))
}

fn address(url: &str) -> Address {
    Address::parse(url, std::path::Path::new("/")).unwrap()
}

async fn writer(address: &Address) -> OrgWriter {
    OrgWriter::open("dover", address).await.unwrap()
}

fn told(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(bytes) => format!("'{}'", String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => {
            let mut told = "x".to_owned();
            for byte in bytes {
                write!(told, "{byte:02x}").unwrap();
            }
            told
        }
    }
}

fn all(link: &Link, query: &'static str) -> Result<Vec<String>, DbTrouble> {
    let mut rows = Vec::new();
    link.each(&Sql::new(query), &[], |row| {
        let row: Vec<String> = (0..row.width()).map(|at| told(row.get(at))).collect();
        rows.push(row.join(" "));
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    Ok(rows)
}

fn put(
    link: &Link,
    table: &'static str,
    columns: &[&str],
    rows: &[Vec<Value>],
) -> Result<u64, LoadStop> {
    let load = Load {
        table: sql!("{}", Ident::new(table)),
        columns: &columns
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    };
    link.load(&load, rows.iter().map(|row| row.iter().map(Value::lend)))
}

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
    let null = |id: i64| vec![Value::Int(id), Value::Null, Value::Int(1), Value::Null];
    vec![
        (
            strict(1, "x", 1, "2020-01-01"),
            "unique on `strict.PRIMARY`",
            false,
        ),
        (
            strict(3, "A", 1, "2020-01-01"),
            "unique on `strict.by_name`",
            false,
        ),
        (
            strict(3, "x", 9, "2020-01-01"),
            "foreign key on `strict.p`",
            false,
        ),
        (
            strict(3, "long", 1, "2020-01-01"),
            "type on `strict.name`",
            true,
        ),
        (
            strict(3, "x", 1, "2020-02-30"),
            "type on `strict.day`",
            true,
        ),
        (
            strict(1 << 40, "x", 1, "2020-01-01"),
            "type on `strict.id`",
            true,
        ),
        (
            strict(2000, "x", 1, "2020-01-01"),
            "check on `strict.CONSTRAINT_1`",
            false,
        ),
        (null(3), "not null on `strict.name`", true),
    ]
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

#[tokio::test]
async fn a_long_read_takes_no_more_memory_than_a_short_one() {
    let link = Link::reader(&database("long", "")).unwrap();
    let resident = || {
        let told = std::fs::read_to_string("/proc/self/statm").unwrap();
        told.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let (before, mut most, mut rows) = (resident(), 0, 0);
    let query = Sql::new("SELECT seq, repeat('x', 4000) FROM seq_1_to_100000");
    link.each(&query, &[], |_| {
        rows += 1;
        if rows % 10_000 == 0 {
            most = most.max(resident());
        }
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
    .unwrap();
    assert_eq!(rows, 100_000);
    // Whoever has seen enough does not wait for the rest.
    let (begun, query) = (
        Instant::now(),
        Sql::new("SELECT seq FROM seq_1_to_1000000000"),
    );
    link.each(&query, &[], |_| Ok::<Flow, DbTrouble>(Flow::Break(())))
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(all(&link, "SELECT 1").unwrap(), ["1"]);
    assert!(most.saturating_sub(before) < 200 << 20, "{before} {most}");
}

#[tokio::test]
async fn a_reader_cannot_write_whatever_it_is_asked() {
    let there = database("only", "CREATE TABLE t (a int)");
    let link = Link::reader(&there).unwrap();
    for write in [
        "INSERT INTO t VALUES (1)",
        "CREATE TABLE u (a int)",
        "DROP TABLE t",
        "DELETE FROM t",
    ] {
        assert_eq!(
            link.script(&Sql::new(write)),
            Err(DbTrouble::ReadOnly),
            "{write}"
        );
    }
    link.begin(Begin::Read).unwrap();
    SERVER.ask("only", "INSERT INTO t VALUES (7)").unwrap();
    assert_eq!(
        all(&link, "SELECT count(*) FROM t").unwrap(),
        ["0"],
        "one moment for all"
    );
    link.commit().unwrap();
    assert_eq!(all(&link, "SELECT count(*) FROM t").unwrap(), ["1"]);
}

#[tokio::test]
async fn trouble_is_told_in_words_without_a_value() {
    let there = database(
        "trouble",
        "CREATE TABLE t (a int PRIMARY KEY, n int NOT NULL);
         CREATE USER IF NOT EXISTS known@localhost IDENTIFIED BY 'secret';
         CREATE TRIGGER no BEFORE UPDATE ON t FOR EACH ROW
           SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret'",
    );
    let writer = writer(&there).await;
    writer
        .with(|link| {
            let fails = |text: &'static str| link.execute(&Sql::new(text), &[]).unwrap_err();
            assert_eq!(
                fails("SELECT * FROM gone"),
                DbTrouble::NoSuch("gone".to_owned())
            );
            assert_eq!(
                fails("SELECT gone FROM t"),
                DbTrouble::NoSuch("gone".to_owned())
            );
            link.execute(&Sql::new("INSERT INTO t VALUES (1, 1)"), &[])?;
            assert_eq!(
                fails("UPDATE t SET a = 2").words(),
                "refused a row: trigger"
            );
            assert_eq!(
                fails("INSERT INTO t (a) VALUES (2)").words(),
                "refused a row: not null on `t.n`"
            );
            assert_eq!(
                fails("INSERT INTO t (a, n) VALUES ('secret', 2)").words(),
                "refused a row: type on `t.a`"
            );
            Ok(())
        })
        .await
        .unwrap();
    let nowhere = |url: &str| Link::reader(&address(url)).err().unwrap();
    let url = SERVER.url("trouble");
    assert_eq!(nowhere(&SERVER.url("nobody_made_this")), DbTrouble::Missing);
    let wrong = nowhere(&url.replace("root@", "known:wrong@"));
    assert_eq!(
        wrong.words(),
        "cannot be reached: it does not let this user in"
    );
    let silent = nowhere("mysql://a@localhost/d?socket=%2Ftmp%2Fnobody-listens-here");
    assert!(matches!(silent, DbTrouble::Unreachable(_)), "{silent:?}");
}

#[tokio::test]
async fn two_who_stand_in_each_others_way_are_told_so_and_nothing_is_half_done() {
    let there = database(
        "clash",
        "CREATE TABLE t (a int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)",
    );
    let (one, two) = (writer(&there).await, writer(&there).await);
    let change = |first: i64, last: i64| {
        move |link: &Link| {
            link.begin(Begin::Write)?;
            let set = Sql::new("UPDATE t SET n = n + 1 WHERE a = ?1");
            link.execute(&set, &values![first])?;
            std::thread::sleep(Duration::from_millis(500));
            let answer = link.within_savepoint(|| link.execute(&set, &values![last]));
            if answer.is_err() {
                // Nothing is written behind the back of a transaction that is gone.
                assert_eq!(link.execute(&set, &values![first]), Err(DbTrouble::Clash));
            } else {
                link.commit()?;
            }
            Ok(answer.err())
        }
    };
    let (first, second) = tokio::join!(one.with(change(1, 2)), two.with(change(2, 1)));
    let found = [first.unwrap(), second.unwrap()];
    assert!(
        found.contains(&None) && found.contains(&Some(DbTrouble::Clash)),
        "{found:?}"
    );
    let left = one.with(|link| all(link, "SELECT n FROM t")).await.unwrap();
    assert_eq!(left, ["1", "1"]);
}

#[tokio::test]
async fn who_stops_waiting_ends_their_own_question_and_no_other() {
    let reader = OrgReader::open("dover", &database("patience", ""))
        .await
        .unwrap();
    let begun = Instant::now();
    let slow = reader.rows(Sql::new("SELECT SLEEP(60)"), Vec::new());
    assert!(
        tokio::time::timeout(Duration::from_millis(300), slow)
            .await
            .is_err()
    );
    let next = reader.rows(Sql::new("SELECT 1"), Vec::new()).await.unwrap();
    assert_eq!(next, [[Value::Int(1)]]);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

fn deed() -> Deed {
    Deed {
        run: Uuid::from_u128(7),
        step: "copy-homes/dover".into(),
        generation: 1,
        epoch: 1,
        log_seq: 10,
        key: RunKey::new([9; 32]),
    }
}

async fn prepared(address: &Address) -> OrgWriter {
    let (writer, deed) = (writer(address).await, deed());
    ledger::prepare(&writer).await.unwrap();
    ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
        .await
        .unwrap();
    writer
}

#[tokio::test]
async fn an_executor_that_was_overtaken_is_cut_off_and_its_rows_are_gone() {
    let there = database(
        "fence",
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, name varchar(9))",
    );
    let (old, ours) = (prepared(&there).await, deed());
    let mut pen = Pen::begin(&old, &ours, 1, "insert:t")
        .await
        .unwrap()
        .unwrap();
    let (table, column) = (Ident::new("t"), [Ident::new("name")]);
    pen.insert(&table, &column, vec![vec!["a".into()]])
        .await
        .unwrap();
    let new = writer(&there).await;
    ledger::raise_fence(&new, ours.run, 2, 10).await.unwrap();
    let trouble = pen.commit().await.unwrap_err().trouble;
    assert_eq!(trouble, DbTrouble::Cut);
    let late = Pen::begin(&writer(&there).await, &ours, 2, "insert:t").await;
    assert_eq!(
        late.err().unwrap().trouble,
        DbTrouble::Fenced { ours: 1, theirs: 2 }
    );
    let left = new.with(|link| all(link, "SELECT count(*) FROM t")).await;
    assert_eq!(left.unwrap(), ["0"]);
    ledger::remove_run(&new, ours.run).await.unwrap();
    let left = SERVER.ask("fence", "SHOW TABLES").unwrap();
    assert_eq!(left.trim(), "t");
}

#[tokio::test]
async fn a_pen_finds_its_rows_letter_by_letter_and_undo_gives_all_of_it_back() {
    let there = database(
        "pens",
        "CREATE TABLE staff (name varchar(20) COLLATE utf8mb4_bin, pay decimal(8,2), since timestamp(6) NULL,
           aware datetime(6), grade varchar(4) DEFAULT 'G5', PRIMARY KEY (name)) COLLATE utf8mb4_general_ci;
         CREATE TABLE notes (who varchar(20), what varchar(20), INDEX (who)) COLLATE utf8mb4_general_ci;
         INSERT INTO notes VALUES ('ann', 'x'), ('ANN', 'x'), ('ann', 'x'), ('ann ', 'x');
         INSERT INTO staff (name, pay) VALUES ('own', 1), ('Own', 2)",
    );
    let before = SERVER
        .ask("pens", "SELECT * FROM staff; SELECT * FROM notes")
        .unwrap();
    let (writer, deed) = (prepared(&there).await, deed());
    let mut pen = Pen::begin(&writer, &deed, 1, "insert:staff")
        .await
        .unwrap()
        .unwrap();
    let name = |text| Ident::new(text);
    let columns = ["name", "pay", "since", "aware"].map(name);
    let moment = "2020-10-24T23:30:00Z";
    let row = |who: &str| vec![who.into(), "20.00".into(), moment.into(), moment.into()];
    pen.insert(&name("staff"), &columns, vec![row("e1"), row("E1")])
        .await
        .unwrap();
    let own = [(name("name"), Value::from("own"))];
    let set = [
        (name("pay"), Value::from("3.50")),
        (name("since"), moment.into()),
    ];
    assert_eq!(pen.update(&name("staff"), &own, &set).await.unwrap(), 1);
    let ann = [(name("who"), Value::from("ann"))];
    let set = [(name("what"), Value::from("y"))];
    pen.update(&name("notes"), &ann, &set).await.unwrap();
    pen.commit().await.unwrap();
    let notes = writer
        .with(|link| all(link, "SELECT who, what FROM notes"))
        .await
        .unwrap();
    assert_eq!(notes, ["'ann' 'y'", "'ANN' 'x'", "'ann' 'y'", "'ann ' 'x'"]);
    let again = Pen::begin(&writer, &deed, 1, "insert:staff").await.unwrap();
    assert!(again.is_none(), "an effect happens once");
    let reader = OrgReader::open("dover", &there).await.unwrap();
    let seen = undo::look(&reader, &deed).await.unwrap();
    assert!(seen.changed.is_empty(), "{:?}", seen.changed);
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert_eq!(undone, seen);
    let after = SERVER
        .ask("pens", "SELECT * FROM staff; SELECT * FROM notes")
        .unwrap();
    assert_eq!(after, before);
}

/// The town's source, with keys that only a collation takes for the same, and no key at all.
const LEGACY: &str = "
CREATE TABLE property (prop_ref char(12), major_ref char(12), owner_conf char(3), address varchar(99), uprn varchar(20));
INSERT INTO property VALUES
  ('00000002', '00000001', 'DOV', '2 High St', '100061234567'),
  ('00000001', NULL, 'DOV', 'High Block', '100061234568.0'),
  ('00000003', '00009999', 'DOV', NULL, NULL),
  ('00000004', NULL, 'CAN', 'Zoë’s Court', '1.00061E+11'),
  ('00000005', '00000001', 'CAN', '5 Mill Ln', NULL),
  ('00000006', NULL, 'XXX', '6 Nowhere', NULL);
CREATE TABLE tenagree (tag_ref varchar(11), prop_ref varchar(20), tenure char(3), cot varchar(20), eot date,
  cur_bal decimal(10,2), active tinyint(1), notes longtext, UNIQUE KEY (cot, tag_ref));
INSERT INTO tenagree VALUES
  ('000001/01', '00000002', 'SEC', '2019-04-01 00:00:00', '1900-01-01', 12.5, 1, 'fine'),
  ('000001/02', '00000003', 'INT', '2019-04-01', '2020-01-31', -3.10, 1, 'O’Brien'),
  ('000001/02', '00000003', 'SEC', '2019-05-01', NULL, 0, 1, NULL),
  ('000002/01', '00000004', 'SEC', '2019-04-01', NULL, 100, 1, 'x'),
  ('000002/04', '00000004', 'SEC', '2019-04-01', NULL, 0.1, 0, NULL);
CREATE TABLE rtrans (tag_ref varchar(11), real_value decimal(10,2), post_date date, rtrans_sid int PRIMARY KEY);
INSERT INTO rtrans VALUES
  ('000001/01', 100.00, '2019-04-08', 1), ('000001/01', -87.5, '2019-04-09', 2),
  ('000001/02', -3.10, '2019-04-08', 3), ('000002/01', 100.00, '2019-04-08', 4);";

const TARGET: &str = "
CREATE TABLE asset (asset_id varchar(64) PRIMARY KEY, asset_ref varchar(50) NOT NULL, parent_asset_id varchar(64),
  address varchar(99), uprn varchar(12), owner varchar(50) NOT NULL, level varchar(20) NOT NULL DEFAULT 'dwelling',
  run varchar(36), made timestamp(6) DEFAULT current_timestamp(6), UNIQUE (owner, asset_ref),
  FOREIGN KEY (parent_asset_id) REFERENCES asset (asset_id));
CREATE TABLE tenancy (tenancy_id varchar(64) PRIMARY KEY, tenancy_ref varchar(50) NOT NULL, asset_id varchar(64) NOT NULL,
  tenure varchar(20) NOT NULL, starts date NOT NULL, ends date, balance decimal(14,2), notes longtext,
  FOREIGN KEY (asset_id) REFERENCES asset (asset_id));
CREATE TABLE txn (txn_id varchar(64) PRIMARY KEY, tenancy_id varchar(64) NOT NULL, amount decimal(14,2) NOT NULL,
  posted date NOT NULL, source_ref varchar(20), FOREIGN KEY (tenancy_id) REFERENCES tenancy (tenancy_id));
INSERT INTO asset (asset_id, asset_ref, owner, made) VALUES ('own', '00000001', 'elsewhere', '2020-01-01');";

const EVERYTHING: &str = "SELECT * FROM asset ORDER BY 1; SELECT * FROM tenancy ORDER BY 1; SELECT * FROM txn ORDER BY 1";

#[tokio::test]
async fn a_town_is_copied_from_one_server_to_another_and_taken_back() {
    let (source, target) = (database("almo", LEGACY), database("dover", TARGET));
    let before = SERVER.ask("dover", EVERYTHING).unwrap();
    let (writer, deed) = (prepared(&target).await, deed());
    let reader = OrgReader::open("almo", &source).await.unwrap();
    let what = || Copying {
        map: Arc::new(town::map()),
        tables: ["property", "tenagree", "rtrans"].map(str::to_owned).into(),
        route: town::route(),
        target: "dover".into(),
        triggers: None,
        chunk_rows: 2,
    };
    // It is stopped in the middle, again and again, and goes on behind what is durable.
    for most in 1..6 {
        let (seen, stop) = (AtomicUsize::new(0), Notify::new());
        let copy = load(&reader, &writer, what(), &deed, |_| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 >= most {
                stop.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = stop.notified() => {}
            done = copy => drop(done),
        }
        // What was cut off ends in its own time.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let loaded = load(&reader, &writer, what(), &deed, |_| {}).await.unwrap();
    let asked = |query: &str| SERVER.ask("dover", query).unwrap();
    assert_eq!(
        asked("SELECT a.asset_ref, p.asset_ref, a.address, a.uprn, a.level FROM asset AS a LEFT JOIN asset AS p
               ON p.asset_id = a.parent_asset_id WHERE a.owner = 'dover' ORDER BY a.asset_ref"),
        "00000001\tNULL\tHigh Block\t100061234568\tdwelling\n\
         00000002\t00000001\t2 High St\t100061234567\tdwelling\n\
         00000003\tNULL\tunknown\tNULL\tdwelling"
    );
    assert_eq!(
        asked("SELECT tenancy_ref, tenure, starts, ends, balance, notes FROM tenancy ORDER BY 1"),
        "000001/01\tsecure\t2019-04-01\tNULL\t12.50\tfine\n\
         000001/02\tintroductory\t2019-04-01\t2020-01-31\t-3.10\tO’Brien"
    );
    assert_eq!(
        asked("SELECT amount, source_ref FROM txn ORDER BY source_ref"),
        "100.00\t1\n-87.50\t2\n-3.10\t3"
    );
    assert_eq!(loaded.datasets["tenancy"].rejected["HO506 tenancy_id"], 1);
    let again = load(&reader, &writer, what(), &deed, |_| {}).await.unwrap();
    assert_eq!(again.roots, loaded.roots, "nothing is copied twice");
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert!(
        undone.changed.is_empty() && undone.removed == 8,
        "{undone:?}"
    );
    assert_eq!(SERVER.ask("dover", EVERYTHING).unwrap(), before);
}

#[tokio::test]
async fn rows_that_people_changed_or_hung_on_ours_are_found() {
    let (source, target) = (database("almo_2", LEGACY), database("dover_2", TARGET));
    let (writer, deed) = (prepared(&target).await, deed());
    let reader = OrgReader::open("almo", &source).await.unwrap();
    let what = Copying {
        map: Arc::new(town::map()),
        tables: ["property", "tenagree", "rtrans"].map(str::to_owned).into(),
        route: town::route(),
        target: "dover".into(),
        triggers: None,
        chunk_rows: 100,
    };
    load(&reader, &writer, what, &deed, |_| {}).await.unwrap();
    SERVER
        .ask(
            "dover_2",
            "UPDATE txn SET amount = 7 WHERE source_ref = '1'; DELETE FROM txn WHERE source_ref = '2';
             INSERT INTO tenancy SELECT 'theirs', 't', asset_id, 'secure', '2020-01-01', NULL, NULL, NULL
             FROM asset WHERE asset_ref = '00000003' AND owner = 'dover'",
        )
        .unwrap();
    let undone = undo::undo(&writer, &deed, UndoMode::Skip).await.unwrap();
    let found: Vec<(&str, &str, u64)> = undone
        .changed
        .iter()
        .map(|(table, class, rows)| (table.as_str(), *class, *rows))
        .collect();
    assert_eq!(
        found,
        [
            ("asset", "has children", 2),
            ("tenancy", "has children", 1),
            ("txn", "deleted", 1),
            ("txn", "edited", 1)
        ]
    );
}
