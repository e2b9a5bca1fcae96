//! Somebody writes between the moment at which a row of ours is looked at and the moment at which it is taken
//! out or written over: what they wrote is waited for and seen, or they wait and are told.
//!
//! A row of ours is held by somebody, so that whoever works through all of them waits in their midst, whatever
//! the order; then somebody else writes to another one.
//!
//! Not here: rows that changed before (`undoing`, `catching`).

use handover::copy::catch_up::{CatchUp, catch_up};
use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::{OrgReader, Sql};
use tokio::task::JoinHandle;

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, copy, deed, what};
use super::undoing::{filled, number};

/// How many sessions wait for a row of this database that another one holds.
async fn waiting(target: &Base, reader: &OrgReader) -> usize {
    let query = match target.engine {
        Engine::Postgres => {
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
             AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')"
        }
        _ => "SHOW ENGINE INNODB STATUS",
    };
    let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
    if target.engine == Engine::Postgres {
        return rows.len();
    }
    // Names stand in the quotes of whoever waits.
    let table = format!(" of table `{}`.", target.name());
    let told = rows[0][2].text().unwrap().replace('"', "`");
    told.lines()
        .filter(|line| line.contains(&table) && line.ends_with(" waiting"))
        .count()
}

/// Asks the server until so many wait for a row, or the work is done.
async fn until_wait<T>(target: &Base, sessions: usize, work: &JoinHandle<T>) {
    let reader = target.reader().await;
    while !work.is_finished() && waiting(target, &reader).await < sessions {}
}

/// Begins the work while somebody holds a row of the target, writes once it waits for that one, and lets the
/// row go. What the work came to, and whether the writing was taken.
async fn beside<T: Send + 'static>(
    target: &Base,
    holds: &'static str,
    writes: &'static str,
    work: impl Future<Output = T> + Send + 'static,
) -> (T, bool) {
    let somebody = target.bare_writer().await;
    let mut holding = somebody.begin().await.unwrap();
    holding.execute(Sql::new(holds), Vec::new()).await.unwrap();
    let work = tokio::spawn(work);
    until_wait(target, 1, &work).await;
    let clerk = target.bare_writer().await;
    let writing = tokio::spawn(async move {
        let written = clerk.with(move |link| link.execute(&Sql::new(writes), &[]));
        written.await.is_ok_and(|rows| rows == 1)
    });
    // Either the clerk is done, or waits, too.
    until_wait(target, 2, &writing).await;
    drop(holding);
    (work.await.unwrap(), writing.await.unwrap())
}

/// The row that is held, the row that is written to, how a visit to that one comes.
const ENDS: [[&str; 3]; 2] = [
    [
        "UPDATE account SET name = 'Held' WHERE source_ref = 'A0039'",
        "UPDATE account SET name = 'Edited' WHERE source_ref = 'A0000'",
        "INSERT INTO visit SELECT account_id FROM account WHERE source_ref = 'A0000'",
    ],
    [
        "UPDATE account SET name = 'Held' WHERE source_ref = 'A0000'",
        "UPDATE account SET name = 'Edited' WHERE source_ref = 'A0039'",
        "INSERT INTO visit SELECT account_id FROM account WHERE source_ref = 'A0039'",
    ],
];

const EDITED: &str = "SELECT count(*) FROM account WHERE name = 'Edited'";

/// Rows of others would go along with an account, so each of ours goes by itself.
async fn visited(engine: Engine) -> Base {
    let shape = format!(
        "{TARGET} CREATE TABLE visit (account_id {{text}},
           FOREIGN KEY (account_id) REFERENCES account (account_id) ON DELETE CASCADE);"
    );
    filled(Base::make(engine, &shape).await).await
}

#[tokio::test]
async fn what_somebody_writes_while_rows_are_taken_back_is_never_taken_along() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        for [holds, edits, visits] in ENDS {
            let told = [
                (edits, EDITED, "edited"),
                (visits, "SELECT count(*) FROM visit", "has children"),
            ];
            for (writes, there, class) in told {
                let target = visited(engine).await;
                let writer = target.writer(&deed()).await;
                let work = async move { undo::undo(&writer, &deed(), UndoMode::Skip).await };
                let (back, taken) = beside(&target, holds, writes, work).await;
                let there = number(&target, there).await;
                assert_eq!(there, i64::from(taken), "{engine:?}: {writes}");
                let changed = if taken {
                    vec![("account".to_owned(), class, 1)]
                } else {
                    vec![]
                };
                assert_eq!(back.unwrap().changed, changed, "{engine:?}: {writes}");
            }
        }
    }
}

#[tokio::test]
async fn what_somebody_writes_while_changes_are_caught_up_with_is_never_written_over() {
    let later = Deed {
        step: "catch-up".into(),
        ..deed()
    };
    for engine in [Engine::Postgres, Engine::Mariadb] {
        for [holds, edits, _] in ENDS {
            for changes in [
                "UPDATE account SET closed = NULL",
                "DELETE FROM line; DELETE FROM account",
            ] {
                let source = rows::source(Engine::Sqlite).await;
                let target = Base::make(engine, TARGET).await;
                copy(&source, &target, &deed()).await.unwrap();
                source.does(Box::leak(changes.into())).await;
                let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
                let since = [(later.step.clone(), 1)].into();
                let (work, ours) = (CatchUp::with(what(), deed(), since), later.clone());
                let work = async move { catch_up(&reader, &writer, work, &ours, |_| {}).await };
                let (caught, taken) = beside(&target, holds, edits, work).await;
                assert_eq!(
                    number(&target, EDITED).await,
                    i64::from(taken),
                    "{engine:?}: {changes}"
                );
                if let Err(fault) = caught {
                    let edited = matches!(
                        fault,
                        LoadFault::Data {
                            code: "HO541",
                            rows: 1,
                            ..
                        }
                    );
                    assert!(edited && taken, "{engine:?}: {changes}: {fault:?}");
                }
            }
        }
    }
}
