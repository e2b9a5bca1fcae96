//! Rows of others that hang on ours from another schema of the database, or from another database of the
//! server: none of them ever goes along with a row of ours, whatever their foreign key would have done.
//!
//! Not here: rows of others beside ours (`undoing`, `emptied`).

use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::{DbTrouble, Sql};

use super::bases::{Base, Engine};
use super::rights::account;
use super::rows::deed;
use super::undoing::{OURS, empty, filled, number, undone};

/// What a foreign key does with its rows when a row that they name goes.
const THEN: [&str; 3] = ["", "ON DELETE CASCADE", "ON DELETE SET NULL"];

/// A target that was filled, and a visit of others elsewhere on its server, to one of its accounts.
struct Visited {
    target: Base,
    /// Where the visits are.
    place: String,
    _there: Option<Base>,
}

impl Visited {
    async fn made(engine: Engine, then: &str) -> Visited {
        let target = filled(empty(engine).await).await;
        let (place, there) = match engine {
            Engine::Mariadb => {
                let there = Base::make(engine, "CREATE TABLE nothing (id {number})").await;
                (there.name().to_owned(), Some(there))
            }
            _ => ("crm".to_owned(), None),
        };
        let made = if there.is_none() {
            format!("CREATE SCHEMA {place}")
        } else {
            "SELECT 1".to_owned()
        };
        let (here, kind) = match engine {
            Engine::Mariadb => (target.name().to_owned(), "varchar(255)"),
            _ => ("public".to_owned(), "text"),
        };
        let visited = Visited {
            place,
            _there: there,
            target,
        };
        visited.does(&made).await;
        let place = &visited.place;
        let visit = format!(
            "CREATE TABLE {place}.visit (account_id {kind},
               FOREIGN KEY (account_id) REFERENCES {here}.account (account_id) {then});
             INSERT INTO {place}.visit SELECT account_id FROM account WHERE source_ref = 'A0001'"
        );
        visited.does(&visit).await;
        visited
    }

    async fn does(&self, statement: &str) {
        self.target.does(Box::leak(statement.into())).await;
    }

    /// Visits that still say whom they were to.
    async fn visits(&self) -> i64 {
        let query = format!("SELECT count(account_id) FROM {}.visit", self.place);
        number(&self.target, Box::leak(query.into_boxed_str())).await
    }
}

fn one_visited() -> Vec<(String, &'static str, u64)> {
    vec![("account".to_owned(), "has children", 1)]
}

#[tokio::test]
async fn a_row_of_others_elsewhere_on_the_server_stops_the_undo_before_anything_goes() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        for then in THEN {
            let here = Visited::made(engine, then).await;
            let before = here.target.everything().await;
            let refused = undone(&here.target, UndoMode::Refuse).await;
            assert_eq!(refused.changed, one_visited(), "{engine:?} {then}");
            assert!(refused.refused && refused.removed == 0, "{engine:?} {then}");
            assert_eq!(here.target.everything().await, before, "{engine:?} {then}");
            assert_eq!(here.visits().await, 1, "{engine:?} {then}");
            here.does(&format!("DELETE FROM {}.visit", here.place))
                .await;
            let back = undone(&here.target, UndoMode::Refuse).await;
            assert_eq!(
                (back.removed, back.changed),
                (OURS, vec![]),
                "{engine:?} {then}"
            );
            let left = number(&here.target, "SELECT count(*) FROM account").await;
            assert_eq!(left, 0, "{engine:?} {then}");
        }
    }
}

#[tokio::test]
async fn rows_of_others_elsewhere_on_the_server_keep_their_parents_in_every_mode() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        for then in THEN {
            for mode in [UndoMode::Skip, UndoMode::Force] {
                let here = Visited::made(engine, then).await;
                let back = undone(&here.target, mode).await;
                assert_eq!(back.changed, one_visited(), "{engine:?} {then}");
                assert_eq!(back.removed, OURS - 1, "{engine:?} {then}");
                let left = number(&here.target, "SELECT count(*) FROM account").await;
                assert_eq!((left, here.visits().await), (1, 1), "{engine:?} {then}");
            }
        }
    }
}

/// The server tells of its foreign keys, but not everybody may read the rows behind them.
#[tokio::test]
async fn where_rows_of_others_may_not_be_read_none_of_ours_takes_them_along() {
    let rights = |engine| {
        match engine {
        Engine::Postgres => {
            "CREATE ROLE warden LOGIN;
             GRANT USAGE ON SCHEMA public, handover TO warden;
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, handover TO warden"
        }
        _ => {
            "CREATE OR REPLACE USER warden@localhost;
             GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, TRIGGER, LOCK TABLES ON {db}.* TO warden@localhost;
             GRANT REFERENCES ON *.* TO warden@localhost"
        }
    }
    };
    let engines = [(Engine::Postgres, &THEN[..]), (Engine::Mariadb, &THEN[1..])];
    for (engine, then) in engines
        .iter()
        .flat_map(|(engine, all)| all.iter().map(|one| (*engine, *one)))
    {
        let here = Visited::made(engine, then).await;
        let warden = account(&here.target, "warden", rights(engine)).await;
        let before = here.target.everything().await;
        let undone = undo::undo(&warden, &deed(), UndoMode::Refuse).await;
        if then.is_empty() {
            assert_eq!(undone.unwrap().changed, one_visited());
        } else {
            let unread = DbTrouble::Unread(format!("{}.visit", here.place));
            assert_eq!(undone.unwrap_err().trouble, unread, "{engine:?}");
        }
        assert_eq!(here.target.everything().await, before, "{engine:?} {then}");
        assert_eq!(here.visits().await, 1, "{engine:?} {then}");
        drop(warden);
        if engine == Engine::Postgres {
            here.does("DROP OWNED BY warden; DROP ROLE warden").await;
        }
    }
}

/// A table of the same name elsewhere is none of ours.
#[tokio::test]
async fn rows_that_hang_on_a_table_of_the_same_name_elsewhere_stop_nothing() {
    let target = filled(empty(Engine::Postgres).await).await;
    target
        .does(
            "CREATE SCHEMA crm; CREATE TABLE crm.account (account_id text PRIMARY KEY);
             CREATE TABLE visit (account_id text REFERENCES crm.account ON DELETE CASCADE);
             INSERT INTO crm.account SELECT account_id FROM account;
             INSERT INTO visit SELECT account_id FROM account",
        )
        .await;
    let back = undone(&target, UndoMode::Refuse).await;
    assert_eq!((back.removed, back.changed), (OURS, vec![]));
    assert_eq!(number(&target, "SELECT count(*) FROM visit").await, 40);
}

/// Each partition of a table has its foreign key once more.
#[tokio::test]
async fn a_row_of_others_in_a_partition_is_counted_once() {
    let target = filled(empty(Engine::Postgres).await).await;
    target
        .does(
            "CREATE TABLE visit (account_id text REFERENCES account) PARTITION BY HASH (account_id);
             CREATE TABLE visit_0 PARTITION OF visit FOR VALUES WITH (modulus 2, remainder 0);
             CREATE TABLE visit_1 PARTITION OF visit FOR VALUES WITH (modulus 2, remainder 1);
             INSERT INTO visit SELECT account_id FROM account WHERE source_ref = 'A0001'",
        )
        .await;
    let found = undo::look(&target.reader().await, &deed()).await.unwrap();
    assert_eq!(found.changed, one_visited());
    let there = target.reader().await;
    let there = there
        .rows(Sql::new("SELECT account_id FROM visit"), vec![])
        .await;
    assert_eq!(there.unwrap().len(), 1);
}
