//! Catching up in every direction: what happened at the source since the copy is at the target, exactly
//! as a fresh copy would have it, and can be taken back.

use handover::copy::catch_up::{CatchUp, catch_up};
use handover::copy::ledger::Deed;
use handover::copy::undo;
use handover::copy::verify::digests;
use handover::machine::event::UndoMode;
use handover::orgdb::{Sql, Value};

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, copy, deed, what};

/// What an office does in a week: a cent, a space, a case, NULL against '', a line that moves, an account
/// that comes, one that goes with all of its lines.
const WEEK: [&str; 10] = [
    "UPDATE account SET name = 'Renamed' WHERE ref = 'A0003'",
    "UPDATE account SET name = 'CASE' WHERE ref = 'A0006'",
    "INSERT INTO account (ref, name, opened) VALUES ('A9000', 'New', '2020-05-01')",
    "UPDATE line SET amount = '12.51' WHERE id = 4",
    "UPDATE line SET account_ref = 'A9000' WHERE id = 5",
    "UPDATE line SET note = 'fine ' WHERE id = 6",
    "UPDATE line SET note = '' WHERE id = 10",
    "INSERT INTO line (id, account_ref, posted, amount) VALUES (1000, 'A9000', '2020-05-02', '7.77')",
    "DELETE FROM line WHERE id = 8 OR account_ref = 'A0039  '",
    "DELETE FROM account WHERE ref = 'A0039'",
];

pub fn later(number: u32) -> Deed {
    Deed {
        step: format!("catch-up-{number}").as_str().into(),
        ..deed()
    }
}

async fn catches_up(source: &Base, target: &Base, number: u32) -> u64 {
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    let since = (1..=number).map(|at| (later(at).step, 1)).collect();
    let work = CatchUp::with(what(), deed(), since);
    let caught = catch_up(&reader, &writer, work, &later(number), |_| {}).await;
    caught.unwrap().effects
}

/// What stands at a target, told without any drawn key.
pub async fn told(target: &Base) -> Vec<Vec<Vec<Value>>> {
    let reader = target.reader().await;
    let accounts = "SELECT source_ref, name, opened, closed FROM account ORDER BY source_ref";
    let lines = "SELECT l.line_id, a.source_ref, l.posted, l.amount, l.note, l.own_mark
         FROM line AS l JOIN account AS a ON a.account_id = l.account_id ORDER BY l.line_id";
    vec![
        reader.rows(Sql::new(accounts), vec![]).await.unwrap(),
        reader.rows(Sql::new(lines), vec![]).await.unwrap(),
    ]
}

async fn differing(target: &Base, number: u32) -> u64 {
    let (reader, mut found) = (target.reader().await, 0);
    for deed in std::iter::once(deed()).chain((1..=number).map(later)) {
        found += digests(&reader, &deed).await.unwrap().differing;
    }
    found
}

async fn undone(target: &Base, deed: &Deed) {
    let writer = target.writer(deed).await;
    let found = undo::undo(&writer, deed, UndoMode::Refuse).await.unwrap();
    assert_eq!((found.changed, found.refused), (vec![], false));
}

#[tokio::test]
async fn what_an_office_does_in_a_week_is_caught_up_with_in_every_direction() {
    for (from, to) in Engine::pairs() {
        let (source, target) = (rows::source(from).await, Base::make(to, TARGET).await);
        let before = told(&target).await;
        copy(&source, &target, &deed()).await.unwrap();
        let copied = target.everything().await;
        for statement in WEEK {
            source.does(statement).await;
        }
        assert!(catches_up(&source, &target, 1).await > 0);
        let fresh = Base::make(to, TARGET).await;
        copy(&source, &fresh, &deed()).await.unwrap();
        assert_eq!(
            told(&target).await,
            told(&fresh).await,
            "{from:?} to {to:?}"
        );
        assert_eq!(differing(&target, 1).await, 0, "{from:?} to {to:?}");
        assert_eq!(
            catches_up(&source, &target, 2).await,
            0,
            "nothing happened since, {from:?} to {to:?}"
        );
        undone(&target, &later(1)).await;
        let again = target.everything().await;
        for table in ["account", "line"] {
            assert_eq!(again[table], copied[table], "{table}, {from:?} to {to:?}");
        }
        undone(&target, &deed()).await;
        assert_eq!(told(&target).await, before, "{from:?} to {to:?}");
    }
}
