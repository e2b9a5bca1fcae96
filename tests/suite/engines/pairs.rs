//! Every direction: what was copied is the same wherever it comes from and goes to, a copy that was
//! stopped goes on, what somebody changed is found, and undo leaves what was there before.

use std::time::Duration;

use handover::copy::load::{Load, Loaded, load};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;

use super::bases::{Base, Engine};
use super::rows::{self, ACCOUNTS, LINES, TARGET, copy, deed, what};

/// Amounts of the lines, summed by hand out of the six that repeat.
fn pence(loaded: &Loaded) -> i128 {
    loaded.datasets["line"].pence["amount"]
}

#[tokio::test]
async fn whichever_engine_rows_come_from_and_go_to_they_arrive_the_same_and_digest_the_same() {
    let mut roots = Vec::new();
    for (from, to) in Engine::pairs() {
        let source = rows::source(from).await;
        let target = Base::make(to, TARGET).await;
        let loaded = copy(&source, &target, &deed()).await.unwrap();
        let (accounts, lines) = (&loaded.datasets["account"], &loaded.datasets["line"]);
        assert_eq!(
            accounts.copied,
            ACCOUNTS.cast_unsigned(),
            "{from:?} to {to:?}"
        );
        assert_eq!(lines.copied, LINES.cast_unsigned(), "{from:?} to {to:?}");
        assert_eq!(pence(&loaded), 66 * (1250 + 10) - 67, "{from:?} to {to:?}");
        let reader = target.reader().await;
        let seen = verify::digests(&reader, &deed()).await.unwrap();
        assert_eq!((seen.rows, seen.differing), (440, 0), "{from:?} to {to:?}");
        roots.push(((from, to), loaded.roots, target.everything().await));
    }
    for ((from, to), digests, everything) in &roots[1..] {
        let (_, first, same_rows) = &roots[0];
        assert_eq!(digests, first, "{from:?} to {to:?}");
        for table in ["account", "line"] {
            assert_eq!(
                everything[table], same_rows[table],
                "{table}, {from:?} to {to:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_copy_that_was_dropped_at_any_chunk_goes_on_and_ends_in_the_same_rows() {
    for (from, to) in Engine::pairs() {
        let source = rows::source(from).await;
        let undisturbed = Base::make(to, TARGET).await;
        let wanted = copy(&source, &undisturbed, &deed()).await.unwrap();
        for stop_after in [1, 2, 4] {
            let target = Base::make(to, TARGET).await;
            rows::dropped(&source, &target, what(), stop_after).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let loaded = copy(&source, &target, &deed()).await.unwrap();
            assert_eq!(loaded.datasets, wanted.datasets, "{from:?} to {to:?}");
            let (rows, right) = (target.everything().await, undisturbed.everything().await);
            assert_eq!(
                rows["account"], right["account"],
                "{from:?} to {to:?}, {stop_after}"
            );
            assert_eq!(
                rows["line"], right["line"],
                "{from:?} to {to:?}, {stop_after}"
            );
        }
    }
}

/// Tables without a key, too, are read on from where each stop left them.
#[tokio::test]
async fn a_copy_that_is_dropped_at_one_chunk_after_the_other_loses_and_doubles_no_row() {
    for (from, to) in Engine::pairs() {
        let source = rows::source(from).await;
        let right = Base::make(to, TARGET).await;
        copy(&source, &right, &deed()).await.unwrap();
        let target = Base::make(to, TARGET).await;
        let small = || Load {
            chunk_rows: 7,
            ..what()
        };
        for stop_after in (1..=8).map(|time| 2 * time) {
            rows::dropped(&source, &target, small(), stop_after).await;
        }
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        let ours = deed();
        let again = || load(&reader, &writer, small(), &ours, |_| {});
        if again().await.is_err() {
            again().await.unwrap();
        }
        let (rows, wanted) = (target.everything().await, right.everything().await);
        for table in ["account", "line"] {
            assert_eq!(rows[table], wanted[table], "{table}, {from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn a_cent_a_space_a_case_and_a_missing_row_are_found_and_named() {
    for to in Engine::ALL {
        let source = rows::source(Engine::Sqlite).await;
        let target = Base::make(to, TARGET).await;
        copy(&source, &target, &deed()).await.unwrap();
        target
            .does("UPDATE line SET amount = '0.11' WHERE line_id = 5")
            .await;
        target
            .does("UPDATE line SET note = 'fine ' WHERE line_id = 1")
            .await;
        target
            .does("UPDATE account SET name = 'Case' WHERE source_ref = 'A0006'")
            .await;
        target
            .does("UPDATE line SET note = '' WHERE line_id = 10")
            .await;
        target
            .does("UPDATE line SET own_mark = NULL WHERE line_id = 11")
            .await;
        target.does("DELETE FROM line WHERE line_id = 399").await;
        let reader = target.reader().await;
        let seen = verify::digests(&reader, &deed()).await.unwrap();
        let mut classes: Vec<_> = seen
            .differences
            .iter()
            .map(|row| (row.table.as_str(), row.class))
            .collect();
        classes.sort_unstable();
        let edited = ("line", "edited");
        let wanted = [
            ("account", "edited"),
            edited,
            edited,
            edited,
            edited,
            ("line", "missing"),
        ];
        assert_eq!(classes, wanted, "{to:?}");
    }
}

#[tokio::test]
async fn undo_leaves_what_was_there_before_and_the_next_generation_draws_other_keys() {
    for (from, to) in Engine::pairs() {
        let source = rows::source(from).await;
        let target = Base::make(to, TARGET).await;
        let before = target.everything().await;
        copy(&source, &target, &deed()).await.unwrap();
        let first = target.everything().await;
        let writer = target.writer(&deed()).await;
        let undone = undo::undo(&writer, &deed(), UndoMode::Refuse)
            .await
            .unwrap();
        assert_eq!(
            (undone.removed, undone.refused),
            (440, false),
            "{from:?} to {to:?}"
        );
        assert_eq!(target.everything().await, before, "{from:?} to {to:?}");
        let again = undo::undo(&writer, &deed(), UndoMode::Refuse)
            .await
            .unwrap();
        assert_eq!(again.removed, 0, "{from:?} to {to:?}");
        let next = handover::copy::ledger::Deed {
            generation: 2,
            ..deed()
        };
        copy(&source, &target, &next).await.unwrap();
        let second = target.everything().await;
        assert_eq!(second["line"].len(), first["line"].len());
        let ids = |rows: &[String]| -> std::collections::BTreeSet<String> {
            let id = |row: &String| row.split("\")").next().unwrap_or_default().to_owned();
            rows.iter().map(id).collect()
        };
        let (drawn, redrawn) = (ids(&first["account"]), ids(&second["account"]));
        let reused: Vec<&String> = drawn.intersection(&redrawn).collect();
        assert_eq!(
            reused.len(),
            before["account"].len(),
            "{from:?} to {to:?}: {reused:?}"
        );
    }
}

#[tokio::test]
async fn rows_that_somebody_changed_or_hangs_on_are_left_alone_and_told() {
    for to in Engine::ALL {
        let source = rows::source(Engine::Sqlite).await;
        let target = Base::make(to, TARGET).await;
        copy(&source, &target, &deed()).await.unwrap();
        target
            .does("UPDATE line SET note = 'edited' WHERE line_id = 5")
            .await;
        target.does("DELETE FROM line WHERE line_id = 6").await;
        target
            .does(
                "INSERT INTO line (line_id, account_id, posted, amount)
                 SELECT -2, account_id, '2020-01-01', '1.00' FROM account WHERE source_ref = 'A0001'",
            )
            .await;
        let writer = target.writer(&deed()).await;
        let refused = undo::undo(&writer, &deed(), UndoMode::Refuse)
            .await
            .unwrap();
        let wanted = [
            ("account".to_owned(), "has children", 1),
            ("line".to_owned(), "deleted", 1),
            ("line".to_owned(), "edited", 1),
        ];
        assert!(refused.refused, "{to:?}");
        assert_eq!(refused.changed, wanted, "{to:?}");
        let undone = undo::undo(&writer, &deed(), UndoMode::Skip).await.unwrap();
        // The edited line keeps its account; so does the stranger's.
        assert_eq!(undone.removed, 398 + 38, "{to:?}: {:?}", undone.changed);
        let left = target.everything().await;
        assert_eq!(left["line"].len(), 3, "{to:?}");
        assert_eq!(left["account"].len(), 3, "{to:?}");
    }
}

#[tokio::test]
async fn a_row_that_the_target_refuses_stays_behind_with_its_reason_and_the_others_go() {
    for (from, to) in Engine::pairs() {
        let source = rows::source(from).await;
        source
            .does("INSERT INTO account VALUES ('A0003', 'twice', NULL, NULL)")
            .await;
        source
            .does(
                "INSERT INTO line VALUES (1000, 'nobody', '2020-01-01', '1.00', NULL, NULL, NULL)",
            )
            .await;
        source
            .does("INSERT INTO line VALUES (1001, 'A0001', '2020-01-01', NULL, NULL, NULL, NULL)")
            .await;
        let target = Base::make(to, TARGET).await;
        // The target holds a line of this number already.
        target
            .does(
                "INSERT INTO line VALUES (7, 'own', '2001-01-08', '1.00', NULL, NULL, NULL, NULL)",
            )
            .await;
        let loaded = copy(&source, &target, &deed()).await.unwrap();
        let (accounts, lines) = (&loaded.datasets["account"], &loaded.datasets["line"]);
        assert_eq!(
            accounts.copied,
            ACCOUNTS.cast_unsigned(),
            "{from:?} to {to:?}"
        );
        assert_eq!(
            accounts
                .rejected
                .iter()
                .map(|(why, rows)| (why.as_str(), *rows))
                .collect::<Vec<_>>(),
            [("HO506 account_id", 1)],
            "{from:?} to {to:?}"
        );
        let why: Vec<_> = lines
            .rejected
            .iter()
            .map(|(why, rows)| (why.as_str(), *rows))
            .collect();
        // A lookup that finds nothing, a NULL that the column refuses, a key that is taken.
        let wanted = [
            ("HO505 account_id", 1),
            ("HO506 id", 1),
            ("HO510 amount", 1),
        ];
        assert_eq!(why, wanted, "{from:?} to {to:?}");
        assert_eq!(
            lines.copied,
            LINES.cast_unsigned() - 1,
            "{from:?} to {to:?}"
        );
    }
}

#[tokio::test]
async fn rows_of_others_that_hang_by_another_key_than_the_primary_outlive_an_undo() {
    for to in Engine::ALL {
        let shape = format!(
            "{TARGET} CREATE TABLE visit (id {{number}} NOT NULL PRIMARY KEY, account {{text}} NOT NULL,
               FOREIGN KEY (account) REFERENCES account (source_ref) ON DELETE CASCADE);"
        );
        let source = rows::source(Engine::Sqlite).await;
        let target = Base::make(to, &shape).await;
        copy(&source, &target, &deed()).await.unwrap();
        target.does("INSERT INTO visit VALUES (1, 'A0001')").await;
        let before = target.everything().await;
        let writer = target.writer(&deed()).await;
        let undone = undo::undo(&writer, &deed(), UndoMode::Skip).await.unwrap();
        let wanted = [("account".to_owned(), "has children", 1)];
        assert_eq!(undone.changed, wanted, "{to:?}");
        let left = target.everything().await;
        assert_eq!(left["visit"], before["visit"], "{to:?}");
        assert_eq!(left["account"].len(), 2, "{to:?}");
    }
}
