//! The pen, the fence and undo: few rows, every promise.

use handover::copy::ledger::{self, Deed, Pen};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{DbTrouble, Ident, OrgWriter, Sql, Value};

use super::place::{Place, contents, deed, number, reader, run_sql, writer};

const STAFF: &str = "
CREATE TABLE employee (
  employee_id TEXT PRIMARY KEY, surname TEXT COLLATE NOCASE, pay TEXT, grade TEXT DEFAULT 'G5',
  ends TEXT, shout TEXT GENERATED ALWAYS AS (upper(surname)) VIRTUAL);
CREATE TABLE absence (employee_id TEXT REFERENCES employee (employee_id), day TEXT);
CREATE TABLE badge (badge INTEGER PRIMARY KEY, employee_id TEXT REFERENCES employee ON DELETE CASCADE);
INSERT INTO employee (employee_id, surname, pay) VALUES ('own', 'Shah', '10.00');
INSERT INTO absence VALUES ('own', '2020-01-01');
";

fn name(text: &str) -> Ident {
    Ident::new(text)
}

async fn two_employees(writer: &OrgWriter, deed: &Deed) {
    let mut pen = Pen::begin(writer, deed, 1, "insert:employee")
        .await
        .unwrap()
        .unwrap();
    let row = |id: &str, surname: &str| vec![id.into(), surname.into(), "20.00".into()];
    let columns = ["employee_id", "surname", "pay"].map(name);
    let rows = vec![row("e1", "Adeyemi"), row("e2", "Novak")];
    pen.insert(&name("employee"), &columns, rows).await.unwrap();
    let effect = pen.commit().await.unwrap();
    assert_eq!(effect.rows, 2);
}

async fn end_own(writer: &OrgWriter, deed: &Deed, day: &str, ordinal: u64) -> u64 {
    let mut pen = Pen::begin(writer, deed, ordinal, "update:employee")
        .await
        .unwrap()
        .unwrap();
    let key = [(name("employee_id"), Value::from("own"))];
    let set = [(name("ends"), Value::from(day))];
    let rows = pen.update(&name("employee"), &key, &set).await.unwrap();
    pen.commit().await.unwrap();
    rows
}

#[tokio::test]
async fn undo_gives_the_database_back_from_wherever_the_pen_stopped() {
    let place = Place::new();
    for stop in 0..5_u64 {
        let path = place.database(&format!("{stop}.db"), STAFF);
        let before = contents(&path);
        let deed = deed();
        let writer = writer(&path, &deed).await;
        if stop > 0 {
            two_employees(&writer, &deed).await;
        }
        if stop > 1 {
            assert_eq!(end_own(&writer, &deed, "2020-09-30", 2).await, 1);
        }
        if stop > 2 {
            end_own(&writer, &deed, "2020-10-31", 3).await;
        }
        if stop > 3 {
            let mut pen = Pen::begin(&writer, &deed, 4, "freeze:absence")
                .await
                .unwrap()
                .unwrap();
            let redo = Sql::new(
                "CREATE TRIGGER handover_freeze BEFORE INSERT ON absence BEGIN SELECT RAISE(ABORT, 'frozen'); END",
            );
            pen.change(redo, Sql::new("DROP TRIGGER handover_freeze"))
                .await
                .unwrap();
            pen.commit().await.unwrap();
        }
        let reader = reader(&path).await;
        let seen = undo::look(&reader, &deed).await.unwrap();
        assert!(seen.changed.is_empty(), "{stop}: {:?}", seen.changed);
        let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
        assert_eq!(undone.removed, if stop > 0 { 2 } else { 0 });
        assert_eq!(undone.restored, stop.saturating_sub(1).min(2));
        assert_eq!(seen, undone, "what the look foretold is what was done");
        assert_eq!(contents(&path), before, "stopped after {stop}");
        let again = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
        assert_eq!(again, undo::Undone::default());
    }
}

#[tokio::test]
async fn an_effect_happens_once_however_often_it_is_begun() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    let dropped = Pen::begin(&writer, &deed, 1, "insert:employee")
        .await
        .unwrap();
    drop(dropped);
    two_employees(&writer, &deed).await;
    let again = Pen::begin(&writer, &deed, 1, "insert:employee")
        .await
        .unwrap();
    assert!(again.is_none());
    let reader = reader(&path).await;
    let effects = ledger::effects(&reader, deed.run, &deed.step, 1)
        .await
        .unwrap();
    assert_eq!(effects.len(), 1);
    assert_eq!(number(&path, "SELECT count(*) FROM employee"), 3);
}

#[tokio::test]
async fn an_executor_that_was_overtaken_cannot_write_nor_undo() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let old = deed();
    let writer = writer(&path, &old).await;
    two_employees(&writer, &old).await;
    ledger::raise_fence(&writer, old.run, 2, 12).await.unwrap();
    let fenced = DbTrouble::Fenced { ours: 1, theirs: 2 };
    let begun = Pen::begin(&writer, &old, 2, "insert:employee").await;
    assert_eq!(begun.err().unwrap().trouble, fenced);
    let undone = undo::undo(&writer, &old, UndoMode::Force).await;
    assert_eq!(undone.unwrap_err().trouble, fenced);
    let raised = ledger::raise_fence(&writer, old.run, 1, 12).await;
    let ahead = raised.unwrap_err().trouble;
    assert!(
        matches!(ahead, DbTrouble::AheadOfJournal { .. }),
        "{ahead:?}"
    );
    assert_eq!(number(&path, "SELECT count(*) FROM employee"), 3);
}

#[tokio::test]
async fn a_journal_that_was_cut_is_recognised_by_the_ledger() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    two_employees(&writer, &deed).await;
    let raised = ledger::raise_fence(&writer, deed.run, 2, 9).await;
    let trouble = raised.unwrap_err().trouble;
    assert_eq!(trouble, DbTrouble::AheadOfJournal { seen: 10 });
}

#[tokio::test]
async fn rows_that_people_changed_are_found_first_and_treated_as_the_mode_says() {
    let edits = "
        UPDATE employee SET grade = 'G6' WHERE employee_id = 'e1';
        DELETE FROM employee WHERE employee_id = 'e2';";
    for (mode, left, removed) in [
        (UndoMode::Refuse, 2, 0),
        (UndoMode::Skip, 2, 0),
        (UndoMode::Force, 1, 1),
    ] {
        let place = Place::new();
        let path = place.database("a.db", STAFF);
        let deed = deed();
        let writer = writer(&path, &deed).await;
        two_employees(&writer, &deed).await;
        run_sql(&path, edits);
        let undone = undo::undo(&writer, &deed, mode).await.unwrap();
        assert_eq!(undone.refused, mode == UndoMode::Refuse);
        assert_eq!(undone.removed, removed, "{mode:?}");
        let expected = [
            ("employee".to_owned(), "deleted", 1),
            ("employee".to_owned(), "edited", 1),
        ];
        assert_eq!(undone.changed, expected, "{mode:?}");
        assert_eq!(
            number(&path, "SELECT count(*) FROM employee"),
            left,
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn nobody_elses_row_is_touched_though_it_hangs_on_ours() {
    for mode in [UndoMode::Refuse, UndoMode::Skip, UndoMode::Force] {
        let place = Place::new();
        let path = place.database("a.db", STAFF);
        let deed = deed();
        let writer = writer(&path, &deed).await;
        two_employees(&writer, &deed).await;
        run_sql(
            &path,
            "INSERT INTO absence VALUES ('e1', '2020-10-05'); INSERT INTO badge VALUES (1, 'e2');",
        );
        let undone = undo::undo(&writer, &deed, mode).await.unwrap();
        assert_eq!(
            undone.changed,
            [("employee".to_owned(), "has children", 2)],
            "{mode:?}"
        );
        assert_eq!(undone.removed, 0);
        assert_eq!(number(&path, "SELECT count(*) FROM employee"), 3);
        assert_eq!(number(&path, "SELECT count(*) FROM badge"), 1);
    }
}

#[tokio::test]
async fn digests_find_a_changed_case_a_space_a_null_and_an_edit_of_a_column_we_never_set() {
    for edit in [
        "surname = 'ADEYEMI'",
        "surname = 'Adeyemi '",
        "ends = ''",
        "grade = 'G6'",
        "pay = '20.01'",
        "pay = 20.0",
    ] {
        let place = Place::new();
        let path = place.database("a.db", STAFF);
        let deed = deed();
        let writer = writer(&path, &deed).await;
        two_employees(&writer, &deed).await;
        let reader = reader(&path).await;
        let clean = verify::digests(&reader, &deed).await.unwrap();
        assert_eq!((clean.rows, clean.differing), (2, 0));
        run_sql(
            &path,
            &format!("UPDATE employee SET {edit} WHERE employee_id = 'e1'"),
        );
        let found = verify::digests(&reader, &deed).await.unwrap();
        assert_eq!(found.differing, 1, "{edit}");
    }
}

#[tokio::test]
async fn a_later_steps_change_of_our_row_is_not_a_difference() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    two_employees(&writer, &deed).await;
    let later = Deed {
        step: "switch".into(),
        ..deed.clone()
    };
    let mut pen = Pen::begin(&writer, &later, 1, "update:employee")
        .await
        .unwrap()
        .unwrap();
    let key = [(name("employee_id"), Value::from("e1"))];
    pen.update(
        &name("employee"),
        &key,
        &[(name("grade"), Value::from("G7"))],
    )
    .await
    .unwrap();
    pen.commit().await.unwrap();
    let reader = reader(&path).await;
    assert_eq!(verify::digests(&reader, &deed).await.unwrap().differing, 0);
    run_sql(
        &path,
        "UPDATE employee SET grade = 'G8' WHERE employee_id = 'e1'",
    );
    assert_eq!(verify::digests(&reader, &deed).await.unwrap().differing, 1);
}

#[tokio::test]
async fn closing_takes_our_tables_away_and_nothing_else() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    two_employees(&writer, &deed).await;
    let other = uuid::Uuid::from_u128(8);
    ledger::raise_fence(&writer, other, 1, 1).await.unwrap();
    let with_rows = contents(&path);
    ledger::remove_run(&writer, deed.run).await.unwrap();
    assert_eq!(number(&path, "SELECT count(*) FROM handover_effect"), 0);
    ledger::remove_run(&writer, other).await.unwrap();
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'handover%'";
    assert_eq!(number(&path, ours), 0);
    assert_eq!(contents(&path), with_rows);
}

/// The second update has the edit in the row that it left and in the row that it will put back: only the
/// first knows better.
#[tokio::test]
async fn an_edit_between_two_changes_of_ours_is_found() {
    let place = Place::new();
    let path = place.database("a.db", STAFF);
    let deed = deed();
    let writer = writer(&path, &deed).await;
    end_own(&writer, &deed, "2020-09-30", 1).await;
    run_sql(
        &path,
        "UPDATE employee SET pay = '11.00' WHERE employee_id = 'own'",
    );
    end_own(&writer, &deed, "2020-10-31", 2).await;
    let undone = undo::undo(&writer, &deed, UndoMode::Skip).await.unwrap();
    assert_eq!(undone.changed, [("employee".to_owned(), "edited", 1)]);
    let pay = number(&path, "SELECT count(*) FROM employee WHERE pay = '11.00'");
    assert_eq!(pay, 1, "what somebody set between our changes stays");
}
