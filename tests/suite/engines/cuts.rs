//! What only servers do: they cut connections, they die, and they keep the locks of an executor that
//! was stopped. A run that was taken over is never written to by the one who had it before.

use std::time::Duration;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::{self, Deed};
use handover::copy::load::load;
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::link::Begin;
use handover::orgdb::{Address, DbTrouble, OrgReader, OrgWriter, Sql};
use tempfile::TempDir;

use super::bases::{Base, Engine, in_tongue};
use super::rows::{self, TARGET, copy, deed, what};

#[tokio::test]
async fn an_executor_that_was_stopped_in_a_transaction_and_taken_over_writes_nothing_more() {
    let source = rows::source(Engine::Sqlite).await;
    let target = Base::make(Engine::Postgres, TARGET).await;
    let old = target.writer(&deed()).await;
    // It holds the fence in an open transaction, as one does that SIGSTOP met in a chunk.
    let stopped = old.begin().await.unwrap();
    let mut stopped = stopped;
    let held = "SELECT epoch FROM handover_fence WHERE run = ?1 FOR SHARE";
    let run = vec![deed().run.to_string().into()];
    stopped.rows(Sql::new(held), run).await.unwrap();
    let taken = Deed { epoch: 2, ..deed() };
    let raised = tokio::time::timeout(Duration::from_secs(20), target.writer(&taken)).await;
    assert!(
        raised.is_ok(),
        "the claim waited for the executor that it takes over from"
    );
    // It is continued now.
    let goes_on = stopped
        .execute(Sql::new("DELETE FROM line"), Vec::new())
        .await;
    assert_eq!(goes_on.unwrap_err().trouble, DbTrouble::Cut);
    let before = target.everything().await;
    let reader = source.reader().await;
    let again = target.bare_writer().await;
    match load(&reader, &again, what(), &deed(), |_| {}).await {
        Err(LoadFault::Db(fault)) => {
            assert_eq!(fault.trouble, DbTrouble::Fenced { ours: 1, theirs: 2 });
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(target.everything().await, before);
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_of_a_copy_loses_nothing_and_doubles_nothing() {
    for (from, to) in [
        (Engine::Sqlite, Engine::Postgres),
        (Engine::Postgres, Engine::Sqlite),
        (Engine::Postgres, Engine::Postgres),
    ] {
        let source = rows::source(from).await;
        let right = Base::make(to, TARGET).await;
        copy(&source, &right, &deed()).await.unwrap();
        let target = Base::make(to, TARGET).await;
        let mut cuts = 0;
        for attempt in 0..40 {
            let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
            let ours = deed();
            let cutting = async {
                tokio::time::sleep(Duration::from_millis(2 + 3 * attempt)).await;
                for base in [&source, &target] {
                    if base.engine == Engine::Postgres {
                        cut_others(base).await;
                    }
                }
            };
            let (copied, ()) = tokio::join!(load(&reader, &writer, what(), &ours, |_| {}), cutting);
            match copied {
                Ok(_) => break,
                Err(LoadFault::Db(fault)) => {
                    let passing = [DbTrouble::Cut, DbTrouble::Interrupted];
                    assert!(
                        passing.contains(&fault.trouble),
                        "{from:?} to {to:?}: {fault:?}"
                    );
                    cuts += 1;
                }
                Err(fault) => panic!("{fault:?}"),
            }
        }
        copy(&source, &target, &deed()).await.unwrap();
        assert!(cuts > 0, "{from:?} to {to:?}: nothing was ever cut");
        let (rows, wanted) = (target.everything().await, right.everything().await);
        assert_eq!(rows["account"], wanted["account"], "{from:?} to {to:?}");
        assert_eq!(rows["line"], wanted["line"], "{from:?} to {to:?}");
    }
}

async fn cut_others(base: &Base) {
    let cutter = base.bare_writer().await;
    cutter
        .with(|link| {
            link.rows(
                &Sql::new(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                ),
                &[],
            )
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_dies_under_a_copy_and_comes_back_has_every_row_once() {
    let folder = TempDir::new().unwrap();
    let source = rows::source(Engine::Sqlite).await;
    let right = Base::make(Engine::Postgres, TARGET).await;
    copy(&source, &right, &deed()).await.unwrap();
    let mut server = Server::throw_away(Kind::Postgres, Durability::Full).unwrap();
    server.create_database("mortal").unwrap();
    let address = Address::parse(&server.url("mortal"), folder.path()).unwrap();
    let shape = in_tongue(Engine::Postgres, TARGET);
    server.ask("mortal", &shape).unwrap();
    let mut deaths = 0;
    for chunks in [1, 3, 5] {
        let reader = source.reader().await;
        let writer = fenced(&address).await;
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let ours = deed();
        let copying = load(&reader, &writer, what(), &ours, |_| {
            let _ = tell.send(());
        });
        let killing = async {
            for _ in 0..chunks {
                told.recv().await;
            }
            server.kill();
        };
        let (copied, ()) = tokio::join!(copying, killing);
        deaths += u32::from(copied.is_err());
        server.start_again().unwrap();
    }
    assert!(deaths > 0, "no copy was ever killed");
    let writer = fenced(&address).await;
    load(&source.reader().await, &writer, what(), &deed(), |_| {})
        .await
        .unwrap();
    let reader = OrgReader::open("base", &address).await.unwrap();
    for (table, query) in [
        ("account", "SELECT * FROM account"),
        ("line", "SELECT * FROM line"),
    ] {
        let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        assert_eq!(rows, right.everything().await[table], "{table}");
    }
}

async fn fenced(address: &Address) -> OrgWriter {
    let writer = OrgWriter::open("base", address).await.unwrap();
    ledger::prepare(&writer).await.unwrap();
    ledger::raise_fence(&writer, deed().run, 1, 10)
        .await
        .unwrap();
    writer
}

#[tokio::test]
async fn a_reader_of_a_server_cannot_write() {
    let base = Base::make(Engine::Postgres, "CREATE TABLE t (id integer)").await;
    let reader = base.reader().await;
    for lift in ["SELECT 1", "SET default_transaction_read_only = on"] {
        let written = reader
            .with(move |link| {
                link.script(&Sql::new(lift))?;
                link.execute(&Sql::new("INSERT INTO t VALUES (1)"), &[])
            })
            .await;
        assert_eq!(written.unwrap_err().trouble, DbTrouble::ReadOnly);
    }
    let begun = reader
        .with(|link| {
            link.begin(Begin::Read)?;
            link.execute(&Sql::new("INSERT INTO t VALUES (1)"), &[])
        })
        .await;
    assert_eq!(begun.unwrap_err().trouble, DbTrouble::ReadOnly);
}
