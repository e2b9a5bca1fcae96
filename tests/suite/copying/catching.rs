//! Catching up: after it the target is what a fresh copy of the source as it is now would have made of
//! it, whatever happened there meanwhile; and it can be taken back to what the copy had left.

use handover::copy::catch_up::{CatchUp, CaughtUp, catch_up};
use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::Loaded;
use handover::copy::verify::digests;
use handover::copy::{load::load, undo};
use handover::machine::event::UndoMode;
use handover::orgdb::{DbTrouble, OrgWriter};
use handover::plan::map::Unmapped;
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cases::cases;

use super::place::{contents, number, reader, rows, run_sql, writer};
use super::town::Town;

/// The deed of the catch-up of this number.
fn later(town: &Town, number: u32) -> Deed {
    Deed {
        step: format!("catch-up-{number}").as_str().into(),
        log_seq: 20 + u64::from(number),
        ..town.deed.clone()
    }
}

fn work(town: &Town, number: u32) -> CatchUp {
    let since = (1..=number).map(|number| (later(town, number).step, 1));
    CatchUp::with(town.load(), town.deed.clone(), since.collect())
}

/// The journal has heard of every catch-up.
async fn writes(town: &Town) -> OrgWriter {
    let heard = Deed {
        log_seq: 100,
        ..town.deed.clone()
    };
    writer(&town.target, &heard).await
}

async fn catches_up(town: &Town, number: u32) -> Result<CaughtUp, LoadFault> {
    let (reader, writer) = (town.reader().await, writes(town).await);
    let deed = later(town, number);
    catch_up(&reader, &writer, work(town, number), &deed, |_| {}).await
}

/// What stands in a town's target, told without any drawn key.
fn told(town: &Town) -> Vec<Vec<Vec<Value>>> {
    let connection = Connection::open(&town.target).unwrap();
    [
        "SELECT a.asset_ref, p.asset_ref, a.address, a.uprn, a.owner, a.level FROM asset AS a
         LEFT JOIN asset AS p ON p.asset_id = a.parent_asset_id ORDER BY a.asset_ref, a.owner",
        "SELECT tenancy_ref, asset_ref, tenure, starts, ends, balance, notes
         FROM tenancy JOIN asset USING (asset_id) ORDER BY tenancy_ref",
        "SELECT source_ref, tenancy_ref, amount, posted FROM txn JOIN tenancy USING (tenancy_id)
         ORDER BY source_ref",
    ]
    .map(|query| rows(&connection, query))
    .into()
}

/// What a fresh copy of the source as it is now comes to.
async fn afresh(town: &Town) -> Vec<Vec<Vec<Value>>> {
    let mut fresh = Town::new(town.council);
    fresh.map = town.map.clone();
    std::fs::copy(&town.source, &fresh.source).unwrap();
    fresh.copy().await.unwrap();
    told(&fresh)
}

async fn differing(town: &Town, number: u32) -> u64 {
    let mut found = 0;
    let reader = reader(&town.target).await;
    for deed in std::iter::once(town.deed.clone()).chain((1..=number).map(|at| later(town, at))) {
        found += digests(&reader, &deed).await.unwrap().differing;
    }
    found
}

async fn undone(town: &Town, deed: &Deed) {
    let found = undo::undo(&writes(town).await, deed, UndoMode::Refuse)
        .await
        .unwrap();
    assert_eq!(found.changed, []);
    assert!(!found.refused);
}

/// Lets work go on until so many chunks were heard of.
async fn until<T>(chunks: usize, heard: &mut UnboundedReceiver<()>, work: impl Future<Output = T>) {
    let enough = async {
        for _ in 0..chunks {
            heard.recv().await;
        }
    };
    tokio::select! {
        biased;
        () = enough => {}
        done = work => drop(done),
    }
}

/// A town whose code list lets unknown codes through to the rejected.
fn forgiving(council: &'static str) -> Town {
    let mut town = Town::new(council);
    for list in town.map.codes.values_mut() {
        list.unmapped = Unmapped::Reject {
            reason: "not agreed".to_owned(),
            limit: 1000,
        };
    }
    town
}

/// One of everything that happens to a register while people go on working with it.
const LIFE: &str = "
UPDATE property SET address = '2 High Street' WHERE prop_ref LIKE '00000002%';
UPDATE property SET owner_conf = 'DOV' WHERE prop_ref LIKE '00000004%';
UPDATE property SET major_ref = '00000002' WHERE prop_ref LIKE '00000003%';
INSERT INTO property VALUES ('00000007', '00000008', 'DOV', '7 High St', NULL), ('00000008', NULL, 'DOV', 'New Block', NULL);
UPDATE tenagree SET cur_bal = 13 WHERE tag_ref LIKE '000001/01%';
UPDATE tenagree SET cot = '2019-02-28' WHERE tag_ref LIKE '000002/03%';
UPDATE tenagree SET active = 1 WHERE tag_ref LIKE '000002/04%';
UPDATE tenagree SET prop_ref = '00000007' WHERE tag_ref LIKE '000003/01%';
DELETE FROM tenagree WHERE rowid = 2;
DELETE FROM rtrans WHERE rtrans_sid = 2;
INSERT INTO rtrans VALUES ('000003/01', '7.77', '2019-04-10', 20), ('000001/01', '8.88', '2019-04-10', 21);
UPDATE rtrans SET real_value = '0.01' WHERE rtrans_sid = 6;
";

#[tokio::test]
async fn whatever_a_register_lives_through_is_caught_up_with() {
    for council in ["dover", "canterbury"] {
        let town = forgiving(council);
        let before = contents(&town.target);
        town.copy().await.unwrap();
        let copied = contents(&town.target);
        run_sql(&town.source, LIFE);
        let caught = catches_up(&town, 1).await.unwrap();
        assert_eq!(told(&town), afresh(&town).await, "{council}: {caught:?}");
        assert_eq!(differing(&town, 1).await, 0, "{council}");
        undone(&town, &later(&town, 1)).await;
        assert_eq!(contents(&town.target), copied, "{council}");
        undone(&town, &town.deed).await;
        assert_eq!(contents(&town.target), before, "{council}");
    }
}

#[tokio::test]
async fn a_source_that_stood_still_costs_the_target_nothing() {
    let town = forgiving("dover");
    town.copy().await.unwrap();
    let copied = contents(&town.target);
    let caught = catches_up(&town, 1).await.unwrap();
    assert_eq!(caught.effects, 0);
    assert_eq!(caught.datasets["txn"].lines, 3, "every line was looked at");
    assert_eq!(contents(&town.target), copied);
}

#[tokio::test]
async fn a_line_that_the_map_leaves_behind_from_now_on_is_taken_out_and_not_rejected() {
    let town = forgiving("canterbury");
    town.copy().await.unwrap();
    run_sql(
        &town.source,
        "DELETE FROM rtrans; UPDATE tenagree SET active = 0 WHERE tag_ref LIKE '000002/01%'",
    );
    let caught = catches_up(&town, 1).await.unwrap();
    let tenancy = caught.datasets["tenancy"];
    assert_eq!((tenancy.removed, tenancy.rejected), (1, 0));
    assert_eq!(told(&town), afresh(&town).await);
    let noted = "SELECT count(*) FROM handover_reject WHERE step = 'catch-up-1'";
    assert_eq!(number(&town.target, noted), 0);
}

#[tokio::test]
async fn a_row_that_somebody_changed_at_the_target_is_never_written_over() {
    let town = forgiving("dover");
    town.copy().await.unwrap();
    run_sql(
        &town.target,
        "UPDATE asset SET address = 'by hand' WHERE asset_ref = '00000002'",
    );
    let by_hand = contents(&town.target);
    run_sql(
        &town.source,
        "UPDATE property SET address = 'new' WHERE prop_ref LIKE '00000002%'",
    );
    let stopped = catches_up(&town, 1).await.unwrap_err();
    let LoadFault::Data { code, rows, .. } = stopped else {
        panic!("{stopped:?}")
    };
    assert_eq!((code, rows), ("HO541", 1));
    assert_eq!(contents(&town.target), by_hand);
}

#[tokio::test]
async fn a_row_on_which_others_hang_is_not_taken_out() {
    let town = forgiving("dover");
    town.copy().await.unwrap();
    run_sql(
        &town.target,
        "INSERT INTO txn SELECT 'theirs', tenancy_id, '1.00', '2020-01-01', NULL FROM tenancy
         WHERE tenancy_ref = '000001/02'",
    );
    run_sql(
        &town.source,
        "DELETE FROM tenagree WHERE tag_ref LIKE '000001/02%'",
    );
    let stopped = catches_up(&town, 1).await.unwrap_err();
    let LoadFault::Data {
        code,
        rows,
        dataset,
        ..
    } = stopped
    else {
        panic!("{stopped:?}")
    };
    assert_eq!((code, rows, dataset.as_str()), ("HO542", 1, "tenancy"));
    let kept = "SELECT count(*) FROM txn WHERE txn_id = 'theirs'";
    assert_eq!(number(&town.target, kept), 1);
}

#[tokio::test]
async fn two_rows_that_trade_a_unique_value_with_one_that_goes_are_both_right() {
    let town = forgiving("dover");
    town.copy().await.unwrap();
    // The new home takes the reference under which an old one is known at the target.
    run_sql(
        &town.source,
        "DELETE FROM property WHERE prop_ref LIKE '00000003%';
         INSERT INTO property VALUES ('00000003', NULL, 'DOV', 'Rebuilt', NULL);",
    );
    catches_up(&town, 1).await.unwrap();
    assert_eq!(told(&town), afresh(&town).await);
}

#[tokio::test]
async fn a_catch_up_that_was_stopped_goes_on_and_draws_no_key_twice() {
    for stop_after in [1, 2, 3] {
        let town = forgiving("dover");
        town.copy().await.unwrap();
        run_sql(&town.source, LIFE);
        let (reader, writer) = (town.reader().await, writes(&town).await);
        let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let deed = later(&town, 1);
        let catching = catch_up(&reader, &writer, work(&town, 1), &deed, |_| {
            let _ = tell.send(());
        });
        until(stop_after, &mut heard, catching).await;
        drop((reader, writer));
        // The writing side may be at its last chunk still.
        while let Err(LoadFault::Db(fault)) = catches_up(&town, 1).await {
            assert_eq!(fault.trouble, DbTrouble::Clash);
        }
        assert_eq!(told(&town), afresh(&town).await, "{stop_after}");
        assert_eq!(differing(&town, 1).await, 0);
        undone(&town, &later(&town, 1)).await;
        assert_eq!(differing(&town, 0).await, 0);
    }
}

#[tokio::test]
async fn a_key_of_an_undone_catch_up_is_never_drawn_again() {
    let town = forgiving("dover");
    town.copy().await.unwrap();
    run_sql(&town.source, LIFE);
    catches_up(&town, 1).await.unwrap();
    let of_new = "SELECT asset_id FROM asset WHERE asset_ref = '00000008'";
    let first = rows(&Connection::open(&town.target).unwrap(), of_new);
    undone(&town, &later(&town, 1)).await;
    let again = Deed {
        generation: 2,
        ..later(&town, 1)
    };
    let (reader, writer) = (town.reader().await, writes(&town).await);
    let since = vec![(again.step.clone(), 2)];
    let work = CatchUp::with(town.load(), town.deed.clone(), since);
    catch_up(&reader, &writer, work, &again, |_| {})
        .await
        .unwrap();
    let second = rows(&Connection::open(&town.target).unwrap(), of_new);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
}

/// Something that happens at the source, with two numbers that say to what.
fn happening(kind: u8, one: u32, two: u32) -> String {
    let home = format!("{:08}", 1 + one % 12);
    let tenancy = format!("{:06}/{:02}", 1 + one % 4, 1 + two % 4);
    let sid = 1 + (one * 7 + two) % 30;
    let owner = ["DOV", "CAN", "XXX"][two as usize % 3];
    match kind % 12 {
        0 => format!("UPDATE property SET address = 'now {two}' WHERE prop_ref LIKE '{home}%'"),
        1 => format!("UPDATE property SET owner_conf = '{owner}' WHERE prop_ref LIKE '{home}%'"),
        2 => format!(
            "UPDATE property SET major_ref = '{:08}' WHERE prop_ref LIKE '{home}%'",
            1 + two % 12
        ),
        3 => format!(
            "INSERT INTO property SELECT '{home}', NULL, '{owner}', 'new', NULL WHERE NOT EXISTS (SELECT 1 FROM property WHERE prop_ref LIKE '{home}%')"
        ),
        4 => format!("DELETE FROM property WHERE prop_ref LIKE '{home}%'"),
        5 => format!("UPDATE tenagree SET cur_bal = {two} WHERE tag_ref LIKE '{tenancy}%'"),
        6 => format!("UPDATE tenagree SET prop_ref = '{home}' WHERE tag_ref LIKE '{tenancy}%'"),
        7 => format!(
            "INSERT INTO tenagree SELECT '{tenancy}', '{home}', 'SEC', '2020-01-01', NULL, {two}, 1, NULL WHERE NOT EXISTS (SELECT 1 FROM tenagree WHERE tag_ref LIKE '{tenancy}%')"
        ),
        8 => format!("DELETE FROM tenagree WHERE tag_ref LIKE '{tenancy}%'"),
        9 => format!(
            "UPDATE rtrans SET real_value = '{two}.50', tag_ref = '{tenancy}' WHERE rtrans_sid = {sid}"
        ),
        10 => format!(
            "INSERT INTO rtrans SELECT '{tenancy}', '1.{:02}', '2020-02-02', {sid} WHERE NOT EXISTS (SELECT 1 FROM rtrans WHERE rtrans_sid = {sid})",
            two % 100
        ),
        _ => format!("DELETE FROM rtrans WHERE rtrans_sid = {sid}"),
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn however_a_source_lives_on_every_catch_up_ends_in_what_a_fresh_copy_makes(
        lives in prop::collection::vec(prop::collection::vec((any::<u8>(), 0..200_u32, 0..200_u32), 0..14), 1..4),
        chunk_rows in 1_usize..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut town = forgiving("dover");
            town.chunk_rows = chunk_rows;
            // Which of two rows with one key goes is a matter of which came first.
            run_sql(&town.source, "DELETE FROM tenagree WHERE rowid = 3; DELETE FROM rtrans WHERE rowid = 8;");
            let before = contents(&town.target);
            let (reader, writer) = (town.reader().await, writes(&town).await);
            load(&reader, &writer, town.load(), &town.deed, |_| {}).await.unwrap();
            drop((reader, writer));
            let mut stood = vec![contents(&town.target)];
            for (number, life) in (1..).zip(&lives) {
                for (kind, one, two) in life {
                    run_sql(&town.source, &happening(*kind, *one, *two));
                }
                let caught = catches_up(&town, number).await.unwrap();
                assert_eq!(told(&town), afresh(&town).await, "{number} {caught:?}");
                assert_eq!(differing(&town, number).await, 0);
                stood.push(contents(&town.target));
            }
            for number in (1..=u32::try_from(lives.len()).unwrap()).rev() {
                stood.pop();
                undone(&town, &later(&town, number)).await;
                assert_eq!(&contents(&town.target), stood.last().unwrap());
            }
            undone(&town, &town.deed).await;
            assert_eq!(contents(&town.target), before);
        });
    }
}

/// Copies until so many chunks are durable, and stops there.
async fn stopped(town: &Town, after: usize) {
    let (reader, writer) = (town.reader().await, writes(town).await);
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let copying = load(&reader, &writer, town.load(), &town.deed, |_| {
        let _ = tell.send(());
    });
    until(after, &mut heard, copying).await;
}

async fn goes_on(town: &Town) -> Loaded {
    loop {
        let (reader, writer) = (town.reader().await, writes(town).await);
        match load(&reader, &writer, town.load(), &town.deed, |_| {}).await {
            Ok(loaded) => return loaded,
            // The writing side may be at its last chunk still.
            Err(LoadFault::Db(fault)) => assert_eq!(fault.trouble, DbTrouble::Clash),
            Err(fault) => panic!("{fault}"),
        }
    }
}

#[tokio::test]
async fn a_copy_that_was_stopped_while_the_office_worked_on_ends_in_the_source_as_it_is_now() {
    for after in 1..8 {
        let town = forgiving("dover");
        let before = contents(&town.target);
        stopped(&town, after).await;
        run_sql(&town.source, LIFE);
        let loaded = goes_on(&town).await;
        assert_eq!(told(&town), afresh(&town).await, "stopped after {after}");
        let mut fresh = Town::new(town.council);
        fresh.map = town.map.clone();
        std::fs::copy(&town.source, &fresh.source).unwrap();
        let wanted = fresh.copy().await.unwrap();
        for (name, counts) in &wanted.datasets {
            let found = &loaded.datasets[name];
            assert_eq!(found.copied, counts.copied, "{name}, stopped after {after}");
            assert_eq!(found.pence, counts.pence, "{name}, stopped after {after}");
            assert_eq!(
                found.routed(),
                counts.routed(),
                "{name}, stopped after {after}"
            );
        }
        assert_eq!(differing(&town, 0).await, 0);
        undone(&town, &town.deed).await;
        assert_eq!(contents(&town.target), before);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn wherever_a_copy_was_stopped_and_however_the_source_lived_on_it_ends_in_what_a_fresh_copy_makes(
        lives in prop::collection::vec((1_usize..9, prop::collection::vec((any::<u8>(), 0..200_u32, 0..200_u32), 0..10)), 1..3),
        chunk_rows in 1_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut town = forgiving("dover");
            town.chunk_rows = chunk_rows;
            run_sql(&town.source, "DELETE FROM tenagree WHERE rowid = 3; DELETE FROM rtrans WHERE rowid = 8;");
            let before = contents(&town.target);
            for (after, life) in &lives {
                stopped(&town, *after).await;
                for (kind, one, two) in life {
                    run_sql(&town.source, &happening(*kind, *one, *two));
                }
            }
            goes_on(&town).await;
            assert_eq!(told(&town), afresh(&town).await);
            assert_eq!(differing(&town, 0).await, 0);
            undone(&town, &town.deed).await;
            assert_eq!(contents(&town.target), before);
        });
    }
}
