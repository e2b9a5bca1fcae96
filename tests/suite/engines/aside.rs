//! What others do at a target while its indexes and foreign keys stand aside, and what its own people do to
//! them once they stand again: none of it is lost by whoever goes on or goes back, and none is trodden on.
//!
//! Not here: that all stand again (`indexes`).

use handover::copy::fault::LoadFault;
use handover::copy::undo::{self, Undone};
use handover::machine::event::UndoMode;
use handover::orgdb::link::Begin;
use handover::orgdb::{Link, Sql};

use super::bases::{Base, Engine};
use super::indexes::{
    ACCOUNT, LINE, again, filled, filled_by, filled_from, names, rebuilding, shape, stopped, target,
};
use super::rows::{self, deed};

async fn undone_by(target: &Base, mode: UndoMode) -> Undone {
    let writer = target.writer(&deed()).await;
    undo::undo(&writer, &deed(), mode).await.unwrap()
}

async fn number(base: &Base, query: &'static str) -> i64 {
    let reader = base.reader().await;
    let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
    rows[0][0].int().unwrap()
}

/// A target whose foreign keys cannot be built again over what was loaded: notes are to be known words.
async fn stuck() -> Base {
    let shape = format!(
        "CREATE TABLE word (word {{text}} PRIMARY KEY);{ACCOUNT}{LINE}
         ALTER TABLE line ADD CONSTRAINT z_known_note FOREIGN KEY (note) REFERENCES word (word);"
    );
    Base::make(Engine::Postgres, &shape).await
}

#[tokio::test]
async fn a_parent_on_which_others_hung_rows_stays_though_no_foreign_key_says_so() {
    let target = stuck().await;
    let before = shape(&target).await;
    filled(&target).await.unwrap_err();
    // The office takes one of our accounts out from under its lines, and hangs a line on another.
    target
        .does(
            "DELETE FROM account WHERE source_ref = 'A0001';
             INSERT INTO line SELECT -5, account_id, '2020-01-01', 1 FROM account WHERE source_ref = 'A0002'",
        )
        .await;
    let found = undone_by(&target, UndoMode::Refuse).await;
    assert!(found.refused, "{found:?}");
    let wanted = [
        ("account".to_owned(), "deleted", 1),
        ("account".to_owned(), "has children", 1),
    ];
    assert_eq!(found.changed, wanted);
    for _ in 0..2 {
        let found = undone_by(&target, UndoMode::Skip).await;
        assert!(!found.refused && found.orphans.is_none(), "{found:?}");
    }
    let hangs = "SELECT count(*) FROM line AS l JOIN account AS a ON a.account_id = l.account_id";
    assert_eq!(number(&target, hangs).await, 1);
    assert_eq!(number(&target, "SELECT count(*) FROM account").await, 1);
    assert_eq!(shape(&target).await, before);
}

#[tokio::test]
async fn a_way_back_that_rows_of_others_block_says_which_and_is_open_again_without_them() {
    let target = stuck().await;
    let before = shape(&target).await;
    filled(&target).await.unwrap_err();
    target
        .does("INSERT INTO line VALUES (-6, 'nobody', '2020-01-01', 1)")
        .await;
    for _ in 0..2 {
        let found = undone_by(&target, UndoMode::Refuse).await;
        let (table, name, rows) = found.orphans.clone().unwrap_or_else(|| panic!("{found:?}"));
        assert_eq!(
            (table.as_str(), name.as_str(), rows),
            ("line", "line_account_id_fkey", 1)
        );
        assert!(!found.refused);
    }
    assert_eq!(number(&target, "SELECT count(*) FROM line").await, 1);
    target.does("DELETE FROM line").await;
    let found = undone_by(&target, UndoMode::Refuse).await;
    assert!(!found.refused && found.orphans.is_none(), "{found:?}");
    assert_eq!(shape(&target).await, before);
    filled_by(&target, &again()).await.unwrap_err();
}

#[tokio::test]
async fn a_copy_that_goes_on_takes_no_row_out_on_which_others_hang_while_its_keys_stand_aside() {
    let (source, target) = (rows::source(Engine::Sqlite).await, stuck().await);
    filled_from(&source, &target, &deed()).await.unwrap_err();
    target
        .does("INSERT INTO line SELECT -5, account_id, '2020-01-01', 1 FROM account WHERE source_ref = 'A0002'")
        .await;
    source
        .does("DELETE FROM account WHERE ref = 'A0002'; DELETE FROM line WHERE account_ref = 'A0002  '")
        .await;
    let gone = filled_from(&source, &target, &deed()).await;
    let Err(LoadFault::Data { code, dataset, .. }) = gone else {
        panic!("{gone:?}")
    };
    assert_eq!((code, dataset.as_str()), ("HO542", "account"));
}

/// What an administrator does once the copy is done, and whether the index stands afterwards.
fn since(engine: Engine) -> Vec<(&'static str, &'static str, bool)> {
    let mut all = vec![match engine {
        Engine::Mariadb => ("DROP INDEX line_posted ON line", "line_posted", false),
        _ => ("DROP INDEX line_posted", "line_posted", false),
    }];
    match engine {
        Engine::Sqlite => {}
        Engine::Postgres => all.extend([
            (
                "COMMENT ON INDEX line_posted IS 'by date'",
                "line_posted",
                true,
            ),
            (
                "ALTER TABLE line CLUSTER ON line_posted",
                "line_posted",
                true,
            ),
        ]),
        Engine::Mariadb => all.push((
            "CREATE TABLE nick (name varchar(255), FOREIGN KEY (name) REFERENCES account (name))",
            "account_name",
            true,
        )),
    }
    all
}

#[tokio::test]
async fn what_an_administrator_did_to_an_index_since_is_left_as_it_is() {
    for engine in Engine::ALL {
        for (statement, index, stands) in since(engine) {
            let target = target(engine).await;
            filled(&target).await.unwrap();
            target.does(statement).await;
            let before = shape(&target).await;
            let back = undone_by(&target, UndoMode::Refuse).await;
            assert!(!back.refused, "{engine:?}: {statement}");
            assert_eq!(shape(&target).await, before, "{engine:?}: {statement}");
            let table = if index == "account_name" {
                "account"
            } else {
                "line"
            };
            let there = names(&target, table).await.contains(&index.to_owned());
            assert_eq!(there, stands, "{engine:?}: {statement}");
        }
    }
}

#[tokio::test]
async fn an_index_that_was_commented_on_while_a_copy_lay_still_is_not_made_twice() {
    let target = target(Engine::Postgres).await;
    stopped(&target, 3).await;
    // An administrator who misses it makes it again.
    target
        .does(
            "CREATE INDEX line_posted ON line (posted DESC, amount);
             COMMENT ON INDEX line_posted IS 'who took this?'",
        )
        .await;
    filled(&target).await.unwrap();
    let indexes = names(&target, "line").await;
    assert!(indexes.contains(&"line_posted".to_owned()), "{indexes:?}");
}

#[tokio::test]
async fn a_table_that_keeps_its_indexes_is_not_locked_for_them() {
    let target = target(Engine::Postgres).await;
    target
        .does(
            "INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own');
             INSERT INTO line VALUES (-1, 'own', '2001-01-08', '1.00')",
        )
        .await;
    // Somebody is in the midst of writing to it.
    let office = target.bare_writer().await;
    let (begun, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let writing = tokio::spawn(async move {
        let work = move |link: &Link| {
            link.begin(Begin::Write)?;
            let note = Sql::new("UPDATE line SET note = 'mine' WHERE line_id = -1");
            link.execute(&note, &[])?;
            let _ = begun.send(());
            let _ = wait.recv();
            link.commit()
        };
        office.with(work).await.unwrap();
    });
    heard.recv().await.unwrap();
    filled(&target).await.unwrap();
    go_on.send(()).unwrap();
    writing.await.unwrap();
    let mine = "SELECT count(*) FROM line WHERE note = 'mine'";
    assert_eq!(number(&target, mine).await, 1);
}

/// Which index `InnoDB` made, told from another of the same name.
const MADE: &str = "SELECT i.index_id FROM information_schema.innodb_sys_indexes AS i
  JOIN information_schema.innodb_sys_tables AS t ON t.table_id = i.table_id
  WHERE t.name = concat(database(), '/line') AND i.name = 'line_posted'";

#[tokio::test]
async fn an_index_that_stood_again_before_a_crash_is_not_built_twice() {
    let (source, target) = (
        rows::source(Engine::Sqlite).await,
        target(Engine::Mariadb).await,
    );
    // All rows are in, and one of the indexes stands again.
    let other = self::target(Engine::Mariadb).await;
    let all = filled_from(&source, &other, &deed()).await.unwrap().effects;
    let all = usize::try_from(all).unwrap();
    rows::dropped(&source, &target, rebuilding(), all - 1).await;
    target
        .does("CREATE INDEX IF NOT EXISTS line_posted ON line (posted DESC, amount)")
        .await;
    let made = number(&target, MADE).await;
    filled_from(&source, &target, &deed()).await.unwrap();
    assert_eq!(number(&target, MADE).await, made);
}
