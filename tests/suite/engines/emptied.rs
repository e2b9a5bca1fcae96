//! Undo where a server empties a table outside of any transaction: what is left by one that died in
//! between is told from what others did, and nothing of others is ever emptied away.
//!
//! Not here: the same through the real binary (`crash::pairs::back`), other engines (`undoing`).

use std::time::Duration;

use handover::copy::undo;
use handover::demo::servers::{Durability, Kind, Server};
use handover::machine::event::UndoMode;
use handover::orgdb::Sql;

use super::bases::{Base, Engine};
use super::rows::{TARGET, deed};
use super::undoing::{OURS, empty, filled, number, undone};

const NOTES: &str = "SELECT count(*) FROM handover_undo WHERE head LIKE '%emptying%'";

/// As the ledger is while the tables are being emptied.
const NOTED: &str = "INSERT INTO handover_undo (effect, part, head, body)
  SELECT max(effect), 100, '{\"part\":\"emptying\",\"table\":\"account\"}', '' FROM handover_effect WHERE kind LIKE 'insert:account%';
  INSERT INTO handover_undo (effect, part, head, body)
  SELECT max(effect), 100, '{\"part\":\"emptying\",\"table\":\"line\"}', '' FROM handover_effect WHERE kind LIKE 'insert:line%'";

async fn noted() -> Base {
    let target = filled(empty(Engine::Mariadb).await).await;
    target.does(NOTED).await;
    assert_eq!(number(&target, NOTES).await, 2);
    target
}

#[tokio::test]
async fn an_undo_that_died_among_emptied_tables_goes_on_whichever_it_had_come_to() {
    for emptied in [
        "SELECT 1",
        "TRUNCATE line",
        "TRUNCATE line; DELETE FROM account",
    ] {
        let target = noted().await;
        target.does(emptied).await;
        let found = undo::look(&target.reader().await, &deed()).await.unwrap();
        assert_eq!(found.changed, [], "{emptied}");
        let back = undone(&target, UndoMode::Refuse).await;
        assert_eq!((back.refused, back.changed), (false, vec![]), "{emptied}");
        for table in ["SELECT count(*) FROM account", "SELECT count(*) FROM line"] {
            assert_eq!(number(&target, table).await, 0, "{emptied}");
        }
        let again = undone(&target, UndoMode::Refuse).await;
        assert_eq!(again, undo::Undone::default(), "{emptied}");
    }
}

/// The other table stands for the undo that follows as it would without any of this.
#[tokio::test]
async fn what_others_changed_before_a_table_was_emptied_is_still_reported() {
    let target = noted().await;
    target
        .does("DELETE FROM line WHERE line_id < 10; UPDATE line SET note = 'mended' WHERE line_id = 20")
        .await;
    let found = undo::look(&target.reader().await, &deed()).await.unwrap();
    let wanted = [
        ("line".to_owned(), "deleted", 10),
        ("line".to_owned(), "edited", 1),
    ];
    assert_eq!(found.changed, wanted);
    let refused = undone(&target, UndoMode::Refuse).await;
    assert!(refused.refused && refused.removed == 0);
    assert_eq!(refused.changed, wanted);
    let back = undone(&target, UndoMode::Force).await;
    assert_eq!((back.removed, back.changed), (OURS - 10, wanted.to_vec()));
}

/// A row that came into a table after it was emptied, and before the undo went on, is not ours.
#[tokio::test]
async fn a_row_of_others_in_an_emptied_table_stays() {
    let target = noted().await;
    target
        .does(
            "TRUNCATE line; DELETE FROM account;
             INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own')",
        )
        .await;
    let back = undone(&target, UndoMode::Refuse).await;
    assert_eq!((back.refused, back.changed), (false, vec![]));
    assert_eq!(number(&target, "SELECT count(*) FROM account").await, 1);
}

#[tokio::test]
async fn a_row_that_nobody_sees_yet_is_waited_for_or_passed_by_and_stays() {
    for wait in [Duration::from_millis(300), Duration::from_secs(5)] {
        let target = filled(empty(Engine::Mariadb).await).await;
        let somebody = target.bare_writer().await;
        let mut theirs = somebody.begin().await.unwrap();
        let insert = "INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own')";
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
            (1, 0),
            "{wait:?}"
        );
    }
}

/// What a lock finds there is not all that there is: another server may have taken rows that are to come.
#[tokio::test]
async fn a_server_to_which_rows_come_from_another_is_never_emptied_in_one_go() {
    let start = || Server::throw_away(Kind::Mariadb, Durability::Process).unwrap();
    let server = tokio::task::spawn_blocking(start).await.unwrap();
    let server: &'static Server = Box::leak(Box::new(server));
    for (told, noted) in [("SELECT 1", 2), ("SET GLOBAL gtid_slave_pos = '0-2-7'", 0)] {
        let made = || {
            Base::on(
                server,
                Engine::Mariadb,
                TARGET.split_once("INSERT").unwrap().0,
            )
        };
        let target = filled(tokio::task::spawn_blocking(made).await.unwrap()).await;
        target.does(told).await;
        let back = undone(&target, UndoMode::Refuse).await;
        assert_eq!((back.removed, back.changed), (OURS, vec![]), "{told}");
        assert_eq!(number(&target, NOTES).await, noted, "{told}");
    }
}

/// Each of these would have been passed over by TRUNCATE, or is more than it gives back.
#[tokio::test]
async fn a_table_that_is_more_than_its_rows_is_never_emptied_in_one_go() {
    let (shape, _) = TARGET.split_once("INSERT").unwrap();
    let audit = "CREATE TABLE audit (line_id bigint);
        CREATE TRIGGER gone AFTER DELETE ON line FOR EACH ROW INSERT INTO audit VALUES (OLD.line_id)";
    let audited = filled(empty(Engine::Mariadb).await).await;
    audited.does(audit).await;
    let numbered = Base::make(Engine::Mariadb, shape).await;
    let number_of_its_own = "ALTER TABLE line ADD COLUMN own bigint AUTO_INCREMENT UNIQUE";
    numbered.does(number_of_its_own).await;
    let next = "SELECT auto_increment FROM information_schema.tables
      WHERE table_schema = DATABASE() AND table_name = 'line'";
    for (target, told, wanted) in [
        (audited, "SELECT count(*) FROM audit", 400),
        (filled(numbered).await, next, 401),
    ] {
        let back = undone(&target, UndoMode::Refuse).await;
        assert_eq!(back.removed, OURS, "{told}");
        assert_eq!(number(&target, NOTES).await, 0, "{told}");
        assert_eq!(number(&target, told).await, wanted);
    }
    let target = filled(empty(Engine::Mariadb).await).await;
    undone(&target, UndoMode::Refuse).await;
    assert_eq!(
        number(&target, NOTES).await,
        2,
        "rows were deleted one by one"
    );
}
