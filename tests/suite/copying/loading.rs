//! The load: what arrives, what stays behind and why, whatever happens on the way.

use handover::copy::fault::LoadFault;
use handover::copy::load::load;
use handover::copy::undo;
use handover::copy::verify::digests;
use handover::machine::event::UndoMode;
use handover::orgdb::DbTrouble;
use handover::plan::map::Unmapped;
use handover::plan::model::Triggers;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::place::{contents, number, rows, run_sql};
use super::town::Town;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn read(town: &Town, sql: &str) -> Vec<Vec<Value>> {
    rows(&Connection::open(&town.target).unwrap(), sql)
}

#[tokio::test]
async fn dover_gets_its_homes_tenancies_and_money_and_nobody_elses() {
    let town = Town::new("dover");
    let loaded = town.copy().await.unwrap();
    let homes = read(&town, "SELECT a.asset_ref, p.asset_ref, a.address, a.uprn, a.level FROM asset AS a
        LEFT JOIN asset AS p ON p.asset_id = a.parent_asset_id WHERE a.owner = 'dover' ORDER BY a.asset_ref");
    assert_eq!(
        homes,
        [
            [
                text("00000001"),
                Value::Null,
                text("High Block"),
                text("100061234568"),
                text("dwelling")
            ],
            [
                text("00000002"),
                text("00000001"),
                text("2 High St"),
                text("100061234567"),
                text("dwelling")
            ],
            [
                text("00000003"),
                Value::Null,
                text("unknown"),
                Value::Null,
                text("dwelling")
            ],
        ]
    );
    let tenancies = read(
        &town,
        "SELECT tenancy_ref, tenure, starts, ends, balance, notes FROM tenancy WHERE tenancy_id <> 'own' ORDER BY tenancy_ref",
    );
    assert_eq!(
        tenancies,
        [
            [
                text("000001/01"),
                text("secure"),
                text("2019-04-01"),
                Value::Null,
                text("12.50"),
                text("fine")
            ],
            [
                text("000001/02"),
                text("introductory"),
                text("2019-04-01"),
                text("2020-01-31"),
                text("-3.10"),
                text("O’Brien")
            ],
        ]
    );
    let money = read(
        &town,
        "SELECT amount, source_ref FROM txn WHERE txn_id <> 'own' ORDER BY source_ref",
    );
    assert_eq!(
        money,
        [
            [text("100.00"), text("1")],
            [text("-87.50"), text("2")],
            [text("-3.10"), text("3")]
        ]
    );
    let tenancy = &loaded.datasets["tenancy"];
    assert_eq!((tenancy.copied, tenancy.routed()), (2, 3));
    assert_eq!(tenancy.rejected["HO506 tenancy_id"], 1);
    assert_eq!(tenancy.mended["encoding notes"], 1);
    assert_eq!(tenancy.pence["balance"], 940);
    let asset = &loaded.datasets["asset"];
    assert_eq!(
        asset.mended["HO505 parent_asset_id"], 1,
        "a parent that is not there"
    );
    assert_eq!(loaded.datasets["txn"].pence["amount"], 940);
}

#[tokio::test]
async fn every_row_of_canterbury_is_copied_rejected_or_filtered() {
    let town = Town::new("canterbury");
    let loaded = town.copy().await.unwrap();
    let counts = |name: &str| {
        let counts = &loaded.datasets[name];
        let rejected: Vec<(&str, u64)> = counts
            .rejected
            .iter()
            .map(|(name, rows)| (name.as_str(), *rows))
            .collect();
        (
            counts.copied,
            rejected,
            counts.filtered.values().sum::<u64>(),
        )
    };
    assert_eq!(counts("asset"), (2, vec![], 0));
    assert_eq!(
        counts("tenancy"),
        (1, vec![("HO502 starts", 1), ("HO511 tenure", 1)], 1)
    );
    let txn = vec![
        ("HO504 amount", 1),
        ("HO505 tenancy_id", 1),
        ("HO506 txn_id", 1),
    ];
    assert_eq!(counts("txn"), (1, txn, 0));
    assert_eq!(loaded.datasets["asset"].mended["null uprn"], 1);
    assert_eq!(
        loaded.datasets["asset"].mended["HO505 parent_asset_id"], 1,
        "a block of the other council"
    );
    let kept = read(
        &town,
        "SELECT dataset, source_key, code, col FROM handover_reject ORDER BY dataset, source_key",
    );
    assert_eq!(kept.len(), 5);
    assert_eq!(
        kept[0],
        [
            text("tenancy"),
            text("000002/02"),
            text("HO511"),
            text("tenure")
        ]
    );
    assert_eq!(
        read(&town, "SELECT notes FROM tenancy WHERE tenancy_id <> 'own'"),
        [[text("’")]]
    );
}

#[tokio::test]
async fn a_copy_stopped_after_any_chunk_goes_on_and_ends_as_if_it_never_stopped() {
    let whole = Town::new("dover");
    let undisturbed = whole.copy().await.unwrap();
    let wanted = contents(&whole.target);
    for stop in 1..=undisturbed.effects {
        let mut town = Town::new("dover");
        let (reader, writer) = (town.reader().await, town.writer().await);
        let mut heard = 0;
        let (tell, told) = tokio::sync::oneshot::channel();
        let mut tell = Some(tell);
        let copying = load(&reader, &writer, town.load(), &town.deed, |_| {
            heard += 1;
            if heard == stop {
                let _ = tell.take().map(|tell| tell.send(()));
            }
        });
        // Whichever is first: the copy is dropped in mid-flight, as an executor that is stopped is.
        tokio::select! {
            biased;
            _ = told => {}
            done = copying => drop(done),
        }
        drop((reader, writer));
        // Its thread may be in the middle of a chunk yet: whoever goes on comes with the next number.
        town.deed.epoch += 1;
        let mut marks = Vec::new();
        let (reader, writer) = (town.reader().await, town.writer().await);
        let loaded = load(&reader, &writer, town.load(), &town.deed, |effect| {
            marks.push(effect.ordinal);
        })
        .await
        .unwrap();
        assert_eq!(contents(&town.target), wanted, "stopped after {stop}");
        assert_eq!(
            loaded.datasets, undisturbed.datasets,
            "stopped after {stop}"
        );
        assert_eq!(loaded.roots, undisturbed.roots, "stopped after {stop}");
        let all: Vec<u64> = (1..=undisturbed.effects).collect();
        assert_eq!(marks, all, "every durable chunk is heard of once, in order");
    }
}

#[tokio::test]
async fn a_copy_that_is_done_is_not_done_again() {
    let town = Town::new("dover");
    let first = town.copy().await.unwrap();
    let before = contents(&town.target);
    let second = town.copy().await.unwrap();
    assert_eq!(first.datasets, second.datasets);
    assert_eq!(first.effects, second.effects);
    assert_eq!(contents(&town.target), before);
}

#[tokio::test]
async fn undo_gives_the_council_its_database_back_and_the_next_run_draws_new_keys() {
    for chunk_rows in [1, 2, 1000] {
        let mut town = Town::new("dover");
        town.chunk_rows = chunk_rows;
        let before = contents(&town.target);
        town.copy().await.unwrap();
        let drawn = read(
            &town,
            "SELECT asset_id FROM asset WHERE owner = 'dover' ORDER BY asset_ref",
        );
        let writer = town.writer().await;
        let undone = undo::undo(&writer, &town.deed, UndoMode::Refuse)
            .await
            .unwrap();
        assert!(!undone.refused, "{:?}", undone.changed);
        assert_eq!((undone.removed, undone.restored), (8, 1));
        assert_eq!(contents(&town.target), before);
        town.deed.generation = 2;
        town.copy().await.unwrap();
        let again = read(
            &town,
            "SELECT asset_id FROM asset WHERE owner = 'dover' ORDER BY asset_ref",
        );
        assert_eq!(again.len(), 3);
        assert!(
            again.iter().all(|id| !drawn.contains(id)),
            "no key is used twice"
        );
    }
}

/// Where rows lay when they were written is a hint: wherever the engine has moved them since, they are
/// ours by key and digest alone, and a stranger's row that lies in their place stays.
#[tokio::test]
async fn rows_that_lie_elsewhere_now_are_still_ours_and_a_strangers_row_among_them_is_not() {
    let moved = "UPDATE txn SET rowid = rowid + 1000; UPDATE asset SET rowid = -rowid";
    let among = "UPDATE txn SET rowid = rowid + 1000 WHERE rowid = (SELECT min(rowid) + 1 FROM txn WHERE txn_id <> 'own');
                 INSERT INTO txn (rowid, txn_id, tenancy_id, amount, posted)
                 SELECT min(rowid) + 1, 'theirs', 'own', '1.00', '2020-01-01' FROM txn WHERE txn_id <> 'own'";
    for change in [moved, among] {
        let mut town = Town::new("dover");
        town.chunk_rows = 1000;
        let before = contents(&town.target);
        town.copy().await.unwrap();
        run_sql(&town.target, change);
        let writer = town.writer().await;
        let digested = digests(&writer.reader().await.unwrap(), &town.deed).await;
        assert_eq!(digested.unwrap().differences, []);
        let undone = undo::undo(&writer, &town.deed, UndoMode::Refuse)
            .await
            .unwrap();
        assert_eq!(
            (undone.removed, undone.restored, undone.refused),
            (8, 1, false)
        );
        run_sql(&town.target, "DELETE FROM txn WHERE txn_id = 'theirs'");
        let after = contents(&town.target);
        assert_eq!(
            number(&town.target, "SELECT count(*) FROM asset WHERE rowid < 0"),
            i64::from(change == moved)
        );
        assert_eq!(
            after.keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>()
        );
        for (table, rows) in &before {
            let (mut left, mut right) = (rows.clone(), after[table].clone());
            left.sort_by_key(|row| format!("{row:?}"));
            right.sort_by_key(|row| format!("{row:?}"));
            assert_eq!(left, right, "{table}");
        }
    }
}

#[tokio::test]
async fn a_row_that_was_edited_where_it_lies_is_named_alone() {
    let mut town = Town::new("dover");
    town.chunk_rows = 1000;
    town.copy().await.unwrap();
    run_sql(
        &town.target,
        "UPDATE txn SET amount = '0.01' WHERE source_ref = '2'",
    );
    let writer = town.writer().await;
    let digested = digests(&writer.reader().await.unwrap(), &town.deed)
        .await
        .unwrap();
    let told: Vec<_> = digested
        .differences
        .iter()
        .map(|one| (one.table.as_str(), one.class))
        .collect();
    assert_eq!(told, [("txn", "edited")]);
    let undone = undo::undo(&writer, &town.deed, UndoMode::Skip)
        .await
        .unwrap();
    assert_eq!(
        undone.removed + undone.changed.iter().map(|one| one.2).sum::<u64>(),
        8
    );
    assert_eq!(
        number(
            &town.target,
            "SELECT count(*) FROM txn WHERE amount = '0.01'"
        ),
        1
    );
}

#[tokio::test]
async fn a_half_copy_is_undone_from_wherever_it_stopped() {
    for limit in 0..6 {
        let mut town = Town::new("canterbury");
        town.chunk_rows = 1;
        let before = contents(&town.target);
        // The map lets fewer and fewer rows be rejected, so that the copy stops in different places.
        for dataset in &mut town.map.datasets {
            dataset.reject_limit = Some(limit);
        }
        let outcome = town.copy().await;
        assert_eq!(outcome.is_err(), limit < 3, "{limit}");
        let writer = town.writer().await;
        undo::undo(&writer, &town.deed, UndoMode::Refuse)
            .await
            .unwrap();
        assert_eq!(contents(&town.target), before, "{limit}");
    }
}

#[tokio::test]
async fn an_unmapped_code_stops_the_copy_and_names_no_row() {
    let mut town = Town::new("canterbury");
    for list in town.map.codes.values_mut() {
        list.unmapped = Unmapped::Fault;
    }
    let fault = town.copy().await.unwrap_err();
    assert_eq!(fault.to_string(), "HO511: 1 rows of `tenancy.tenure`");
}

#[tokio::test]
async fn a_limit_of_rejected_codes_is_kept_to_the_row() {
    for (limit, fine) in [(0, false), (1, true)] {
        let mut town = Town::new("canterbury");
        for list in town.map.codes.values_mut() {
            list.unmapped = Unmapped::Reject {
                reason: "late".to_owned(),
                limit,
            };
        }
        assert_eq!(town.copy().await.is_ok(), fine, "limit {limit}");
    }
}

#[tokio::test]
async fn target_triggers_do_what_the_plan_decided() {
    let trigger = "CREATE TABLE letter (ref TEXT);
        CREATE TRIGGER letter_out AFTER INSERT ON tenancy BEGIN INSERT INTO letter VALUES (new.tenancy_ref); UPDATE tenancy SET notes = 'T' WHERE tenancy_id = new.tenancy_id; END;
        CREATE TRIGGER letter_gone AFTER DELETE ON tenancy BEGIN INSERT INTO letter VALUES ('gone'); END;";
    let undecided = Town::new("dover");
    run_sql(&undecided.target, trigger);
    let fault = undecided.copy().await.unwrap_err();
    assert!(
        matches!(fault, LoadFault::Data { code: "HO514", .. }),
        "{fault}"
    );

    let mut off = Town::new("dover");
    run_sql(&off.target, trigger);
    off.triggers = Some(Triggers::Off);
    let before = contents(&off.target);
    off.copy().await.unwrap();
    assert_eq!(number(&off.target, "SELECT count(*) FROM letter"), 0);
    assert_eq!(contents(&off.target)["(schema)"], before["(schema)"]);
    undo::undo(&off.writer().await, &off.deed, UndoMode::Refuse)
        .await
        .unwrap();
    assert_eq!(contents(&off.target), before);

    let mut fire = Town::new("dover");
    run_sql(&fire.target, trigger);
    fire.triggers = Some(Triggers::Fire);
    fire.copy().await.unwrap();
    assert_eq!(number(&fire.target, "SELECT count(*) FROM letter"), 2);
    let undone = undo::undo(&fire.writer().await, &fire.deed, UndoMode::Refuse)
        .await
        .unwrap();
    assert!(
        !undone.refused,
        "what the trigger wrote was digested too: {:?}",
        undone.changed
    );
}

#[tokio::test]
async fn a_source_without_a_table_or_column_is_named_before_anything_is_written() {
    let town = Town::new("dover");
    run_sql(
        &town.source,
        "ALTER TABLE tenagree RENAME COLUMN cot TO started",
    );
    let before = contents(&town.target);
    let fault = town.copy().await.unwrap_err();
    let LoadFault::Db(fault) = fault else {
        panic!("{fault}")
    };
    assert_eq!(fault.trouble, DbTrouble::NoSuch("tenagree.cot".to_owned()));
    assert_eq!(fault.org, "almo");
    drop(before);
}
