//! How transactions end where something went wrong before: nothing of a transaction that was given up is
//! ever committed by another, and a commit that was none is told.
//!
//! Not here: executors that are taken over, connections that are cut (`cuts`).

use std::time::Duration;

use handover::orgdb::link::Begin;
use handover::orgdb::{DbTrouble, OrgWriter, Sql};

use super::bases::{Base, Engine};

async fn numbers(base: &Base) -> Vec<String> {
    base.everything().await["t"].clone()
}

async fn insert(writer: &OrgWriter, row: &'static str) {
    let mut next = writer.begin().await.unwrap();
    next.execute(Sql::new(row), Vec::new()).await.unwrap();
    next.commit().await.unwrap();
}

#[tokio::test]
async fn what_was_written_before_its_asker_went_away_is_not_committed_by_the_next() {
    for (engine, slow) in [
        (Engine::Postgres, "SELECT pg_sleep(1)"),
        (Engine::Mariadb, "SELECT SLEEP(1)"),
    ] {
        let base = Base::make(engine, "CREATE TABLE t (id {number} PRIMARY KEY)").await;
        let writer = base.bare_writer().await;
        let mut given_up = writer.begin().await.unwrap();
        let first = Sql::new("INSERT INTO t VALUES (1)");
        given_up.execute(first, Vec::new()).await.unwrap();
        let waits = given_up.rows(Sql::new(slow), Vec::new());
        let waited = tokio::time::timeout(Duration::from_millis(200), waits).await;
        assert!(waited.is_err(), "{engine:?}");
        drop(given_up);
        insert(&writer, "INSERT INTO t VALUES (2)").await;
        assert_eq!(numbers(&base).await, ["[Int(2)]"], "{engine:?}");
    }
}

#[tokio::test]
async fn what_work_leaves_open_as_its_asker_goes_away_is_not_committed_by_the_next() {
    for (engine, slow) in [
        (Engine::Postgres, "SELECT pg_sleep(1)"),
        (Engine::Mariadb, "SELECT SLEEP(1)"),
    ] {
        let base = Base::make(engine, "CREATE TABLE t (id {number} PRIMARY KEY)").await;
        let writer = base.bare_writer().await;
        let work = writer.with(move |link| {
            link.begin(Begin::Write)?;
            link.execute(&Sql::new("INSERT INTO t VALUES (1)"), &[])?;
            link.rows(&Sql::new(slow), &[])
        });
        let waited = tokio::time::timeout(Duration::from_millis(200), work).await;
        assert!(waited.is_err(), "{engine:?}");
        insert(&writer, "INSERT INTO t VALUES (2)").await;
        assert_eq!(numbers(&base).await, ["[Int(2)]"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_commit_that_the_server_makes_a_rollback_of_is_told() {
    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE t (id {number} PRIMARY KEY); INSERT INTO t VALUES (1)",
    )
    .await;
    let writer = base.bare_writer().await;
    let mut tx = writer.begin().await.unwrap();
    let twice = Sql::new("INSERT INTO t VALUES (1)");
    tx.execute(Sql::new("INSERT INTO t VALUES (2)"), Vec::new())
        .await
        .unwrap();
    tx.execute(twice, Vec::new()).await.unwrap_err();
    let trouble = tx.commit().await.unwrap_err().trouble;
    assert_eq!(trouble, DbTrouble::State("25P02".to_owned()));
    insert(&writer, "INSERT INTO t VALUES (3)").await;
    assert_eq!(numbers(&base).await, ["[Int(1)]", "[Int(3)]"]);
}
