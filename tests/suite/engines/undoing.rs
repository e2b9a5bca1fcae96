//! Undo in one go: what nobody touched goes at once, and nothing else ever does, whoever writes beside
//! it, whatever the target does with deleted rows, wherever it is stopped.

use std::time::Duration;

use handover::copy::ledger::Deed;
use handover::copy::undo::{self, Undone};
use handover::machine::event::UndoMode;
use handover::orgdb::{DbTrouble, Sql};

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, copy, deed};

/// The rows that a copy writes.
pub(super) const OURS: u64 = 440;

/// A table that refers to one of them.
const VISIT: &str = "CREATE TABLE visit (visit_id {number} NOT NULL PRIMARY KEY, account_id {text},
       FOREIGN KEY (account_id) REFERENCES account (account_id));";

/// A target without a row of its own.
pub(super) async fn empty(engine: Engine) -> Base {
    let (shape, _) = TARGET.split_once("INSERT").unwrap();
    Base::make(engine, shape).await
}

pub(super) async fn filled(target: Base) -> Base {
    let source = rows::source(Engine::Sqlite).await;
    copy(&source, &target, &deed()).await.unwrap();
    target
}

pub(super) async fn undone(target: &Base, mode: UndoMode) -> Undone {
    let writer = target.writer(&deed()).await;
    undo::undo(&writer, &deed(), mode).await.unwrap()
}

pub(super) async fn number(base: &Base, query: &'static str) -> i64 {
    let rows = base.reader().await.rows(Sql::new(query), Vec::new()).await;
    rows.unwrap()[0][0].int().unwrap()
}

#[tokio::test]
async fn tables_that_were_empty_are_empty_again() {
    for engine in Engine::ALL {
        let target = empty(engine).await;
        let before = target.everything().await;
        let target = filled(target).await;
        let back = undone(&target, UndoMode::Refuse).await;
        assert_eq!((back.removed, back.refused), (OURS, false), "{engine:?}");
        assert_eq!(target.everything().await, before, "{engine:?}");
        if engine == Engine::Postgres {
            let pages = "SELECT pg_relation_size('line') + pg_relation_size('account')";
            assert_eq!(
                number(&target, pages).await,
                0,
                "rows were deleted one by one"
            );
        }
        let again = undone(&target, UndoMode::Refuse).await;
        assert_eq!(again, Undone::default(), "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_of_others_in_a_table_of_ours_is_never_lost() {
    let strangers = [
        "INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own')",
        "INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own');
         INSERT INTO line VALUES (150000, 'own', '2001-01-08', '1.00', NULL, NULL, NULL, NULL)",
    ];
    for engine in Engine::ALL {
        for stranger in strangers {
            let target = filled(empty(engine).await).await;
            target.does(stranger).await;
            let back = undone(&target, UndoMode::Refuse).await;
            assert_eq!((back.removed, back.refused), (OURS, false), "{engine:?}");
            let left = target.everything().await;
            let lines = usize::from(stranger.contains("line"));
            assert_eq!(
                (left["account"].len(), left["line"].len()),
                (1, lines),
                "{engine:?}"
            );
        }
    }
}

/// As many rows as we wrote, and every one that we wrote but one: the count alone would prove nothing.
#[tokio::test]
async fn a_row_of_others_in_the_place_of_a_deleted_one_stays() {
    for engine in Engine::ALL {
        let target = filled(empty(engine).await).await;
        target.does("DELETE FROM line WHERE line_id = 200").await;
        target
            .does(
                "INSERT INTO line (line_id, account_id, posted, amount)
                 SELECT 200, account_id, '2020-01-01', '1.00' FROM account WHERE source_ref = 'A0001'",
            )
            .await;
        let refused = undone(&target, UndoMode::Refuse).await;
        assert_eq!(
            refused.changed,
            [("line".to_owned(), "edited", 1)],
            "{engine:?}"
        );
        assert!(refused.refused && refused.removed == 0, "{engine:?}");
        let back = undone(&target, UndoMode::Skip).await;
        assert_eq!(back.removed, OURS - 2, "{engine:?}: {:?}", back.changed);
        let left = target.everything().await;
        assert_eq!(
            (left["account"].len(), left["line"].len()),
            (1, 1),
            "{engine:?}"
        );
    }
}

/// Somebody has written a row that nobody can see yet when the undo begins.
#[tokio::test]
async fn a_row_that_is_written_while_rows_are_taken_back_is_waited_for_or_passed_by_and_stays() {
    for wait in [Duration::from_millis(300), Duration::from_secs(5)] {
        let target = filled(Base::make(Engine::Postgres, TARGET).await).await;
        let somebody = target.bare_writer().await;
        let mut theirs = somebody.begin().await.unwrap();
        let insert = "INSERT INTO line (line_id, account_id, posted, amount) VALUES (5000, 'own', '2020-01-01', 1)";
        theirs.execute(Sql::new(insert), Vec::new()).await.unwrap();
        let later = async {
            tokio::time::sleep(wait).await;
            theirs.commit().await.unwrap();
        };
        let (back, ()) = tokio::join!(undone(&target, UndoMode::Refuse), later);
        assert_eq!((back.removed, back.refused), (OURS, false), "{wait:?}");
        let left = target.everything().await;
        assert_eq!(
            (left["account"].len(), left["line"].len()),
            (1, 3 - 1),
            "{wait:?}"
        );
    }
}

/// What an engine would do along with a deletion, it does; and nothing of others goes by it, nor anything of
/// ours before that is told.
#[tokio::test]
async fn rows_of_others_that_hang_on_ours_stop_the_undo_before_anything_goes() {
    let bare = TARGET.split_once("INSERT").unwrap().0;
    for engine in Engine::ALL {
        for (rows, then) in [
            (TARGET, "ON DELETE CASCADE"),
            (bare, "ON DELETE CASCADE"),
            (bare, ""),
        ] {
            let shape = format!(
                "{rows} CREATE TABLE visit (visit_id {{number}} NOT NULL PRIMARY KEY, account_id {{text}},
                   FOREIGN KEY (account_id) REFERENCES account (account_id) {then});"
            );
            let target = filled(Base::make(engine, &shape).await).await;
            target
                .does("INSERT INTO visit SELECT 1, account_id FROM account WHERE source_ref = 'A0001'")
                .await;
            let before = target.everything().await;
            let refused = undone(&target, UndoMode::Refuse).await;
            assert_eq!(
                refused.changed,
                [("account".to_owned(), "has children", 1)],
                "{engine:?}"
            );
            assert!(refused.refused, "{engine:?}");
            assert_eq!(target.everything().await, before, "{engine:?} {then}");
            let back = undone(&target, UndoMode::Force).await;
            assert_eq!(back.removed, OURS - 1, "{engine:?}");
            assert_eq!(target.everything().await["visit"].len(), 1, "{engine:?}");
        }
    }
}

/// Whoever works in one of them would else find out by having to wait.
#[tokio::test]
async fn the_tables_that_an_undo_shuts_to_other_writers_are_named_before_it_begins() {
    let (shape, _) = TARGET.split_once("INSERT").unwrap();
    let shape = format!("{shape} {VISIT}");
    for engine in Engine::ALL {
        let target = filled(Base::make(engine, &shape).await).await;
        let found = undo::look(&target.reader().await, &deed()).await.unwrap();
        let named: Vec<&str> = found.shuts.iter().map(String::as_str).collect();
        let shut: &[&str] = match engine {
            Engine::Sqlite => &[],
            Engine::Postgres | Engine::Mariadb => &["account", "line", "visit"],
        };
        assert_eq!((found.removed, &named[..]), (OURS, shut), "{engine:?}");
        undone(&target, UndoMode::Refuse).await;
        let found = undo::look(&target.reader().await, &deed()).await.unwrap();
        assert_eq!(found, Undone::default(), "{engine:?}");
    }
}

/// A table that refers to ours stands in the way of emptying them unless it is empty; a row there that
/// refers to nothing is a row all the same.
#[tokio::test]
async fn a_row_that_could_refer_to_ours_and_does_not_stays() {
    let (shape, _) = TARGET.split_once("INSERT").unwrap();
    let shape = format!("{shape} {VISIT}");
    for engine in Engine::ALL {
        for theirs in ["SELECT 1", "INSERT INTO visit VALUES (1, NULL)"] {
            let target = filled(Base::make(engine, &shape).await).await;
            target.does(theirs).await;
            let back = undone(&target, UndoMode::Refuse).await;
            assert_eq!((back.removed, back.refused), (OURS, false), "{engine:?}");
            let left = target.everything().await;
            let visits = usize::from(theirs.starts_with("INSERT"));
            assert_eq!(left["visit"].len(), visits, "{engine:?}");
            assert_eq!(
                (left["account"].len(), left["line"].len()),
                (0, 0),
                "{engine:?}"
            );
        }
    }
}

/// Each of these would have been passed over by TRUNCATE, or would have carried it to others.
#[tokio::test]
async fn a_target_that_does_something_with_deleted_rows_is_told_of_each() {
    let audit = "CREATE TABLE audit (line_id bigint);
        CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (OLD.line_id); RETURN OLD; END $$;
        CREATE TRIGGER gone AFTER DELETE ON line FOR EACH ROW EXECUTE FUNCTION gone()";
    for (does, told) in [
        (audit, "SELECT count(*) FROM audit"),
        (
            "CREATE TABLE audit (line_id bigint);
             CREATE RULE gone AS ON DELETE TO line DO ALSO INSERT INTO audit VALUES (OLD.line_id)",
            "SELECT count(*) FROM audit",
        ),
        (
            "CREATE PUBLICATION everybody FOR TABLE line",
            "SELECT pg_relation_size('line') / 8192 * 100",
        ),
    ] {
        let target = filled(empty(Engine::Postgres).await).await;
        target.does(does).await;
        let back = undone(&target, UndoMode::Refuse).await;
        assert_eq!(back.removed, OURS, "{does}");
        assert_eq!(
            number(&target, "SELECT count(*) FROM line").await,
            0,
            "{does}"
        );
        assert!(number(&target, told).await >= 400, "{does}");
    }
    let target = filled(empty(Engine::Sqlite).await).await;
    target
        .does(
            "CREATE TABLE audit (line_id INTEGER);
             CREATE TRIGGER gone AFTER DELETE ON line BEGIN INSERT INTO audit VALUES (OLD.line_id); END",
        )
        .await;
    undone(&target, UndoMode::Refuse).await;
    assert_eq!(number(&target, "SELECT count(*) FROM audit").await, 400);
}

#[tokio::test]
async fn an_undo_that_is_dropped_at_any_moment_is_done_by_the_next() {
    for engine in Engine::ALL {
        for shape in [TARGET, TARGET.split_once("INSERT").unwrap().0] {
            let target = Base::make(engine, shape).await;
            let before = target.everything().await;
            let target = filled(target).await;
            for moment in [1, 3, 6, 10, 15, 25, 40] {
                let (writer, ours) = (target.writer(&deed()).await, deed());
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(moment)) => {}
                    done = undo::undo(&writer, &ours, UndoMode::Refuse) => drop(done.unwrap()),
                }
            }
            undone(&target, UndoMode::Refuse).await;
            assert_eq!(target.everything().await, before, "{engine:?}");
        }
    }
}

#[tokio::test]
async fn whoever_was_taken_over_from_takes_nothing_back() {
    for engine in Engine::ALL {
        let target = filled(empty(engine).await).await;
        let before = target.everything().await;
        let old = target.bare_writer().await;
        target.writer(&Deed { epoch: 2, ..deed() }).await;
        for undoing in [
            undo::undo(&old, &deed(), UndoMode::Refuse).await,
            undo::take_back(&old, &deed(), UndoMode::Force).await,
        ] {
            let fenced = DbTrouble::Fenced { ours: 1, theirs: 2 };
            assert_eq!(undoing.unwrap_err().trouble, fenced, "{engine:?}");
        }
        assert_eq!(target.everything().await, before, "{engine:?}");
    }
}
