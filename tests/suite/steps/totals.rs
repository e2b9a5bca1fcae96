//! Control totals: each number is told, a penny is a difference with a name, and a tolerance lets
//! through what it names and nothing else.

use handover::machine::event::Check;
use handover::machine::total::{Figures, Total, Verdict};
use handover::plan::model::{StepSpec, TotalRule, Verify, VerifyCheck};
use handover::plan::outline::Undo;
use handover::steps::{Fault, Output, run};

use super::copies::{ROWS, copy};
use super::world::{ALMO, DOVER, THANET, World, step};

fn rule(of: &str, by: Option<&str>, tolerance: i128) -> TotalRule {
    let (table, column) = of.split_once('.').map_or((of, None), |(t, c)| (t, Some(c)));
    TotalRule {
        table: table.to_owned(),
        column: column.map(str::to_owned),
        by: by.map(str::to_owned),
        tolerance,
        because: (tolerance > 0).then(|| "interest is posted".to_owned()),
    }
}

/// Both councils' copies are there, and control totals of Dover's are to come.
async fn copied(rules: Vec<TotalRule>) -> World {
    let verify = Verify {
        source: ALMO.into(),
        targets: vec![DOVER.into()],
        copies: vec!["copy-homes/dover".into(), "copy-homes/thanet".into()],
        catch_ups: Vec::new(),
        checks: vec![VerifyCheck::ControlTotals { rules }],
    };
    let mut world = World::of(
        ROWS,
        vec![
            copy(DOVER, None),
            copy(THANET, None),
            step("verify", StepSpec::Verify(verify), Undo::Nothing),
        ],
    );
    for at in [0, 1] {
        world.run(at, 1).await;
        world.remember(at, 1);
    }
    world
}

fn one_more_penny(world: &World) {
    world.sql(
        DOVER,
        "UPDATE account SET balance = '612480.18' WHERE balance = '612480.17'",
    );
}

async fn passed(world: &World) -> Vec<Check> {
    let Output::Done { checks, .. } = world.run(2, 1).await else {
        panic!("a verification holds for nobody")
    };
    checks
}

async fn refused(world: &World) -> Fault {
    let (act, _heard) = world.act(2, 1).await;
    run(&act).await.unwrap_err()
}

fn named(checks: &[Check], name: &str) -> Total {
    let totals = checks.iter().filter_map(Total::read);
    let mut found = totals.filter(|total| total.name() == name);
    found
        .next()
        .unwrap_or_else(|| panic!("{name}: {checks:#?}"))
}

#[tokio::test]
async fn every_number_is_told_whether_anybody_asked_for_it_or_not() {
    let rules = vec![
        rule("asset", Some("level"), 0),
        rule("tenancy", Some("tenure_code"), 0),
    ];
    let checks = passed(&copied(rules).await).await;
    let says = |name: &str| {
        let check = named(&checks, name).check();
        (check.expected, check.actual)
    };
    let both = |text: &str| (text.to_owned(), text.to_owned());
    assert_eq!(
        says("account.balance at dover"),
        both("£612479.97 (£612480.17 on 1, -£0.20 on 1)")
    );
    assert_eq!(says("asset level=dwelling at dover"), both("2 rows"));
    assert_eq!(says("tenancy tenure_code=secure at dover"), both("2 rows"));
    assert_eq!(
        says("tenancy at dover").0,
        "2 rows; tenancy: 2 copied; tenancy: 1 rejected, HO502 starts_on"
    );
    assert_eq!(
        says("asset of ekh"),
        (
            "4 rows; asset: 3 shared out; property: 1 nobody's, unknown owner".to_owned(),
            "4 rows".to_owned()
        )
    );
}

#[tokio::test]
async fn a_changed_penny_stops_the_step_with_its_name_and_the_rest_is_told_too() {
    let world = copied(Vec::new()).await;
    one_more_penny(&world);
    let fault = refused(&world).await;
    assert_eq!(fault.code, "HO539");
    assert_eq!(fault.about, "account.balance at dover (£0.01 more)");
    assert_eq!(fault.checks.len(), 1);
    assert_eq!(
        named(&fault.passed, "account at dover").verdict(),
        Verdict::Agrees
    );
    assert!(handover::plan::explain("HO539").is_some());
}

#[tokio::test]
async fn a_tolerance_lets_its_own_difference_through_and_says_so() {
    let world = copied(vec![rule("account.balance", None, 5)]).await;
    one_more_penny(&world);
    let total = named(&passed(&world).await, "account.balance at dover");
    assert_eq!(total.verdict(), Verdict::Within);
    let Figures::Money { tolerance, .. } = total.figures else {
        panic!("{total:?}")
    };
    assert_eq!(tolerance, 5);
    assert!(total.check().expected.ends_with("give or take £0.05"));
    world.sql(
        DOVER,
        "UPDATE account SET balance = '612480.23' WHERE balance = '612480.18'",
    );
    assert_eq!(refused(&world).await.code, "HO539");
}

#[tokio::test]
async fn a_row_too_few_and_one_that_changed_its_code_are_seen() {
    let world = copied(vec![rule("asset", Some("level"), 0)]).await;
    world.sql(
        DOVER,
        "PRAGMA ignore_check_constraints = ON; UPDATE asset SET level = 'Mrs Smith' WHERE asset_ref = 'D2'",
    );
    let about = refused(&world).await.about;
    assert!(
        about.contains("asset level=dwelling at dover (1 row fewer)"),
        "{about}"
    );
    assert!(
        about.contains("asset level=other at dover (1 row more)"),
        "{about}"
    );
    assert!(
        !about.contains("Smith"),
        "what somebody typed stays out of the log"
    );
    world.sql(
        DOVER,
        "PRAGMA foreign_keys = OFF; DELETE FROM account WHERE balance = '-0.20'",
    );
    let about = refused(&world).await.about;
    assert!(about.contains("account at dover (1 row fewer)"), "{about}");
}
