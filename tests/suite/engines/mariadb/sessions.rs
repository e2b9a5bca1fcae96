//! Sessions: what a reader may do, what is told of trouble, who stands in whose way, and who is cut off.
//!
//! Not here: transactions that were given up, on every server (`endings`).

use std::time::{Duration, Instant};

use handover::copy::ledger::{self, Pen};
use handover::orgdb::link::{Begin, Flow};
use handover::orgdb::{DbTrouble, Ident, Link, OrgReader, Sql, Value};
use handover::values;

use super::{SERVER, address, all, database, prepared, writer};
use crate::copying::town::deed;

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

#[test]
fn a_table_that_somebody_empties_under_an_open_look_is_somebody_in_our_way() {
    let base = database("emptied", "CREATE TABLE word (word VARCHAR(9));");
    let reader = Link::reader(&base).unwrap();
    reader.begin(Begin::Read).unwrap();
    SERVER.ask("emptied", "TRUNCATE TABLE word").unwrap();
    let read = reader.row(&Sql::new("SELECT word FROM word"), &[]);
    let trouble = read.map(drop).unwrap_err();
    assert!(matches!(trouble, DbTrouble::Clash), "{trouble:?}");
}
