//! `freeze`: nobody writes to the named tables any more, and that is proved.

use handover::machine::event::UndoMode;
use handover::plan::model::{Freeze, StepSpec};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, run, undo};

use super::world::{ALMO, World};

const ROWS: &str = "INSERT INTO property (prop_ref) VALUES ('P1'), ('P2');
    INSERT INTO staff (staff_ref) VALUES ('E1');";

pub(super) fn world() -> World {
    frozen(&["property", "rtrans"])
}

fn frozen(tables: &[&str]) -> World {
    let freeze = Freeze {
        org: ALMO.into(),
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
    };
    World::new(ROWS, StepSpec::Freeze(freeze), Undo::Automatic)
}

fn can(world: &World, sql: &str) -> bool {
    let connection = rusqlite::Connection::open(world.path(ALMO)).unwrap();
    connection.execute_batch(sql).is_ok()
}

#[tokio::test]
async fn nobody_writes_to_a_frozen_table_and_everybody_to_the_others() {
    let world = world();
    let Output::Done {
        effects, checks, ..
    } = world.run(0, 1).await
    else {
        panic!("a freeze holds for nobody")
    };
    assert_eq!((effects, checks.len()), (2, 2));
    for refused in [
        "INSERT INTO property (prop_ref) VALUES ('P3')",
        "UPDATE property SET prop_ref = 'P9'",
        "DELETE FROM property",
        "INSERT INTO rtrans (tag_ref) VALUES ('1')",
    ] {
        assert!(!can(&world, refused), "{refused}");
    }
    assert!(can(&world, "UPDATE staff SET staff_ref = 'E2'"));

    let (act, _heard) = world.act(0, 1).await;
    undo(&act, UndoMode::Refuse).await.unwrap();
    assert!(can(
        &world,
        "UPDATE property SET prop_ref = 'P9' WHERE prop_ref = 'P1'"
    ));
}

#[tokio::test]
async fn a_freeze_that_does_not_hold_is_no_freeze() {
    let world = world();
    world.run(0, 1).await;
    world.sql(ALMO, "DROP TRIGGER handover_freeze_rtrans_update");
    let (act, _heard) = world.act(0, 1).await;
    let fault = run(&act).await.unwrap_err();
    assert_eq!((fault.code, fault.checks.len()), ("HO516", 1));
    assert_eq!(fault.checks[0].actual, "2 of 3 writes refused");
}

#[tokio::test]
async fn a_table_that_is_not_there_is_found_before_anything_is_frozen() {
    let world = frozen(&["property", "rents"]);
    let found = check(&world.look(0).await).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code, found[0].about.as_str()), ("HO520", "rents"));
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO520");
    assert!(can(&world, "DELETE FROM property"));
}
