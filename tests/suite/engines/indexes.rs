//! Indexes and foreign keys that stand aside while empty tables are filled: whenever the copy ends, is
//! stopped or is undone, the target has exactly those that it had.

use std::collections::BTreeMap;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, Loaded, load};
use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::catalogue::Table;
use handover::plan::model::Indexes;

use super::bases::{Base, Engine};
use super::rows::{self, deed};
use super::undoing::number;

pub(super) const ACCOUNT: &str = "
CREATE TABLE account (account_id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, opened {day}, closed {flag},
  source_ref {text} NOT NULL, UNIQUE (source_ref));";

pub(super) const LINE: &str = "
CREATE TABLE line (line_id {number} NOT NULL PRIMARY KEY, account_id {text} NOT NULL REFERENCES account (account_id),
  posted {day} NOT NULL, amount {money} NOT NULL, note {text}, at {moment}, scan {bytes}, own_mark {text} DEFAULT 'loaded');
CREATE INDEX line_account ON line (account_id);
CREATE INDEX line_posted ON line (posted DESC, amount);
CREATE INDEX account_name ON account (name);";

/// What only this engine has.
fn own(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "CREATE INDEX \"a \"\"name\"\"\" ON line (note) WHERE amount <> '0.00';",
        Engine::Postgres => {
            "CREATE INDEX \"a \"\"name\"\"\" ON line (lower(note), (amount * 2)) INCLUDE (at) WHERE amount <> 0;
             CREATE INDEX level ON line ((point(line_id, 0) ?- point(0, 0)));
             CREATE INDEX told ON line (at); COMMENT ON INDEX told IS 'kept where it is';"
        }
        Engine::Mariadb => "CREATE INDEX \"a \"\"name\"\"\" ON line (note(10)) COMMENT 'it''s, ours';",
    }
}

pub(super) async fn target(engine: Engine) -> Base {
    let shape = format!("{ACCOUNT}{LINE}{}", own(engine));
    Base::make(engine, &shape).await
}

pub(super) fn rebuilding() -> Load {
    Load {
        indexes: Indexes::Rebuild,
        ..rows::what()
    }
}

pub(super) async fn filled(target: &Base) -> Result<Loaded, LoadFault> {
    filled_by(target, &deed()).await
}

pub(super) async fn filled_by(target: &Base, deed: &Deed) -> Result<Loaded, LoadFault> {
    let source = rows::source(Engine::Sqlite).await;
    filled_from(&source, target, deed).await
}

pub(super) async fn filled_from(
    source: &Base,
    target: &Base,
    deed: &Deed,
) -> Result<Loaded, LoadFault> {
    let (reader, writer) = (source.reader().await, target.writer(deed).await);
    load(&reader, &writer, rebuilding(), deed, |_| {}).await
}

/// The same step once more, behind an undo.
pub(super) fn again() -> Deed {
    Deed {
        generation: 2,
        ..deed()
    }
}

/// Stops behind the given number of effects.
pub(super) async fn stopped(target: &Base, behind: usize) {
    let source = rows::source(Engine::Sqlite).await;
    rows::dropped(&source, target, rebuilding(), behind).await;
}

pub(super) async fn shape(base: &Base) -> BTreeMap<String, Table> {
    base.reader().await.catalogue().await.unwrap().tables
}

async fn undone(target: &Base) -> undo::Undone {
    let writer = target.writer(&deed()).await;
    undo::undo(&writer, &deed(), UndoMode::Refuse)
        .await
        .unwrap()
}

/// Names of a table's indexes.
pub(super) async fn names(base: &Base, table: &str) -> Vec<String> {
    shape(base).await[table].indexes.keys().cloned().collect()
}

#[tokio::test]
async fn a_filled_table_has_the_indexes_and_foreign_keys_that_it_had() {
    for engine in Engine::ALL {
        let (kept, rebuilt) = (target(engine).await, target(engine).await);
        let before = shape(&rebuilt).await;
        let source = rows::source(Engine::Sqlite).await;
        rows::copy(&source, &kept, &deed()).await.unwrap();
        filled(&rebuilt).await.unwrap();
        assert_eq!(shape(&rebuilt).await, before, "{engine:?}");
        let (kept, rebuilt) = (kept.everything().await, rebuilt.everything().await);
        assert_eq!(rebuilt, kept, "{engine:?}");
    }
}

#[tokio::test]
async fn they_stand_aside_while_rows_come_in_and_a_copy_that_goes_on_builds_them_again() {
    for engine in Engine::ALL {
        let target = target(engine).await;
        let before = shape(&target).await;
        stopped(&target, 3).await;
        let meanwhile = names(&target, "line").await;
        assert!(!meanwhile.contains(&"line_posted".to_owned()), "{engine:?}");
        assert!(!meanwhile.contains(&"a \"name\"".to_owned()), "{engine:?}");
        assert_eq!(
            meanwhile.contains(&"told".to_owned()),
            engine == Engine::Postgres
        );
        let references = &shape(&target).await["line"].references;
        assert_eq!(references.is_empty(), engine == Engine::Postgres);
        filled(&target).await.unwrap();
        assert_eq!(shape(&target).await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn undo_leaves_the_target_as_it_was_wherever_the_copy_stopped() {
    for engine in Engine::ALL {
        for behind in [1, 2, 5, usize::MAX] {
            let target = target(engine).await;
            let (before, rows) = (shape(&target).await, target.everything().await);
            stopped(&target, behind).await;
            assert!(!undone(&target).await.refused);
            assert_eq!(shape(&target).await, before, "{engine:?}, {behind}");
            assert_eq!(target.everything().await, rows, "{engine:?}, {behind}");
            filled_by(&target, &again()).await.unwrap();
            assert_eq!(shape(&target).await, before, "{engine:?}, {behind}");
        }
    }
}

#[tokio::test]
async fn a_table_with_rows_of_others_keeps_its_indexes_all_the_time() {
    for engine in Engine::ALL {
        let target = target(engine).await;
        target
            .does("INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own')")
            .await;
        let before = names(&target, "account").await;
        stopped(&target, 3).await;
        assert_eq!(names(&target, "account").await, before, "{engine:?}");
        assert!(
            !names(&target, "line")
                .await
                .contains(&"line_posted".to_owned())
        );
    }
}

#[tokio::test]
async fn a_row_that_others_hang_on_ours_meanwhile_is_not_left_without_its_parent() {
    let target = target(Engine::Postgres).await;
    stopped(&target, 4).await;
    target
        .does("INSERT INTO line SELECT -5, account_id, '2020-01-01', 1 FROM account LIMIT 1")
        .await;
    let back = undone(&target).await;
    assert!(back.refused, "{back:?}");
    assert_eq!(back.changed, [("account".to_owned(), "has children", 1)]);
}

#[tokio::test]
async fn a_foreign_key_that_does_not_hold_any_more_is_named_and_the_step_does_not_finish() {
    let shape_of = format!(
        "CREATE TABLE word (word {{text}} PRIMARY KEY);{ACCOUNT}{LINE}
         ALTER TABLE line ADD CONSTRAINT known_note FOREIGN KEY (note) REFERENCES word (word);"
    );
    let target = Base::make(Engine::Postgres, &shape_of).await;
    let (before, rows) = (shape(&target).await, target.everything().await);
    let fault = filled(&target).await.unwrap_err();
    let LoadFault::Orphans {
        table,
        name,
        rows: orphans,
    } = fault
    else {
        panic!("{fault:?}");
    };
    assert_eq!(
        (table.as_str(), name.as_str(), orphans),
        ("line", "known_note", 320)
    );
    assert!(!undone(&target).await.refused);
    assert_eq!(shape(&target).await, before);
    assert_eq!(target.everything().await, rows);

    filled_by(&target, &again()).await.unwrap_err();
    target
        .does("INSERT INTO word VALUES ('fine'), ('0'), ('NULL'), ('é')")
        .await;
    filled_by(&target, &again()).await.unwrap();
    assert_eq!(shape(&target).await, before);
}

#[tokio::test]
async fn a_foreign_key_that_somebody_has_switched_off_stays_switched_off() {
    let target = target(Engine::Postgres).await;
    target.does("ALTER TABLE line DISABLE TRIGGER ALL").await;
    let off =
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'line'::regclass AND tgenabled = 'D'";
    let before = number(&target, off).await;
    assert!(before > 0);
    filled(&target).await.unwrap();
    assert_eq!(number(&target, off).await, before);
}
