//! `catch-up`: a copy days before the night, and a short step behind the freeze; what verifies them sees
//! one whole.

use handover::plan::model::{CatchUp, Homes, Step, StepSpec, Verify, VerifyCheck};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, run};

use super::copies::{ROWS, copy};
use super::world::{ALMO, DOVER, World, step};

/// A new home with its tenancy, a rent that changed, a tenancy whose date was mended, one that went.
const DAYS: &str = "
  INSERT INTO property (prop_ref, level_code, owner_conf) VALUES ('D3          ', '3', 'DOV');
  INSERT INTO tenagree (tag_ref, prop_ref, tenure, cot, cur_bal) VALUES
    ('000005/01  ', 'D3', 'SEC', '2020-09-01', '0.00');
  UPDATE tenagree SET cur_bal = '100.00' WHERE tag_ref = '000001/01  ';
  UPDATE tenagree SET cot = '2020-02-28' WHERE tag_ref = '000004/01  ';
  DELETE FROM tenagree WHERE tag_ref = '000002/01  ';";

fn catch_up() -> Step {
    let StepSpec::DataCopy(copied) = copy(DOVER, None).does else {
        unreachable!("a copy copies")
    };
    let does = CatchUp {
        of: "copy-homes/dover".into(),
        copy: copied,
    };
    step("catch-up/dover", StepSpec::CatchUp(does), Undo::Automatic)
}

fn verify() -> Step {
    let does = Verify {
        source: ALMO.into(),
        targets: vec![DOVER.into()],
        copies: vec!["copy-homes/dover".into()],
        catch_ups: vec!["catch-up/dover".into()],
        checks: vec![
            VerifyCheck::RowCounts,
            VerifyCheck::KeyedDigests,
            VerifyCheck::ControlTotals { rules: Vec::new() },
            VerifyCheck::LandsOnce {
                table: "property".to_owned(),
            },
        ],
    };
    step("verify", StepSpec::Verify(does), Undo::Nothing)
}

/// Dover's homes are copied, the office has gone on working: a catch-up (step 0) is to come.
pub(super) fn lived_on() -> World {
    let mut world = World::of(ROWS, vec![catch_up(), copy(DOVER, None), verify()]);
    std::thread::scope(|threads| {
        let world = &world;
        let copying = threads.spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(world.run(1, 1));
        });
        copying.join().unwrap();
    });
    world.remember(1, 1);
    world.sql(ALMO, DAYS);
    world
}

#[tokio::test]
async fn what_verifies_a_copy_and_its_catch_up_sees_one_whole() {
    let mut world = lived_on();
    let (act, _heard) = world.act(2, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO535", "not caught up");
    let Output::Done { outputs, .. } = world.run(0, 1).await else {
        panic!("a catch-up holds for nobody")
    };
    let rows = |name: &str| {
        let mut outputs = outputs.iter();
        let output = outputs.find(|one| &*one.dataset == name).unwrap();
        (output.rows, output.rejected)
    };
    assert_eq!(rows("asset"), (1, 0));
    assert_eq!(rows("tenancy"), (3, 0), "two came, one went");
    assert_eq!(rows("account"), (4, 0), "and one changed");
    world.remember(0, 1);
    let Output::Done { checks, .. } = world.run(2, 1).await else {
        panic!("a verification holds for nobody")
    };
    assert!(!checks.is_empty());
    let balances = "SELECT balance FROM account ORDER BY source_ref";
    let balances = world.rows(DOVER, balances);
    assert_eq!(balances, [["100.00"], ["5.00"], ["0.00"]]);
}

#[tokio::test]
async fn a_line_that_nobody_brought_over_breaks_the_proof_of_parts_after_a_catch_up() {
    let mut world = lived_on();
    let plan = std::sync::Arc::get_mut(&mut world.plan).unwrap();
    if let StepSpec::Verify(verify) = &mut plan.steps[2].does {
        verify.checks = vec![VerifyCheck::PartsAddUp];
    }
    world.run(0, 1).await;
    world.remember(0, 1);
    let Output::Done { checks, .. } = world.run(2, 1).await else {
        panic!("a verification holds for nobody")
    };
    let told = |rule: &str| {
        let mut found = checks.iter().filter(|check| &*check.rule == rule);
        found.next().map(|check| check.actual.clone())
    };
    let part = told("part of tenancy for dover from ekh");
    assert_eq!(part.as_deref(), Some("3 lines by count"), "{checks:?}");
    let whole = told("parts of tenancy of ekh");
    assert_eq!(whole.as_deref(), Some("4 lines by count"), "{checks:?}");
    world.sql(
        ALMO,
        "INSERT INTO tenagree (tag_ref, prop_ref, tenure, cot, cur_bal) VALUES
           ('000006/01  ', 'D3', 'SEC', '2020-09-02', '0.00')",
    );
    let (act, _heard) = world.act(2, 1).await;
    let fault = run(&act).await.unwrap_err();
    let failed: Vec<&str> = fault.checks.iter().map(|check| &*check.rule).collect();
    for rule in [
        "part of tenancy for dover from ekh",
        "parts of tenancy of ekh",
    ] {
        assert!(failed.contains(&rule), "{failed:?}");
    }
}

#[tokio::test]
async fn nobody_counts_homes_twice_for_a_copy_and_its_catch_up() {
    let world = lived_on();
    let mut look = world.look(0).await;
    let mut plan = (*look.plan).clone();
    plan.homes = Some(Homes {
        count: 21_000,
        as_at: jiff::civil::date(2020, 1, 1),
        tolerance: 0,
    });
    look.plan = plan.into();
    assert_eq!(check(&look).await.unwrap(), []);
    look.step = 1;
    let of_copy = check(&look).await.unwrap();
    assert_eq!(of_copy.len(), 1, "{of_copy:?}");
    assert_eq!(of_copy[0].code, "HO524");
}

#[tokio::test]
async fn a_table_without_a_key_is_named_before_anything_moves() {
    let world = lived_on();
    world.sql(
        DOVER,
        "PRAGMA foreign_keys = OFF; ALTER TABLE account RENAME TO old_account;
         CREATE TABLE account AS SELECT * FROM old_account;",
    );
    let found = check(&world.look(0).await).await.unwrap();
    let stops: Vec<&str> = found
        .iter()
        .filter(|finding| finding.stops)
        .map(|finding| finding.code)
        .collect();
    assert_eq!(stops, ["HO540"]);
}
