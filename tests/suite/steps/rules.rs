//! Steps that share rows out by rules instead of a code: the same rows, the same people, and nothing at
//! all where two councils' rules take the same home.

use handover::machine::event::FaultKind;
use handover::plan::model::{DataCopy, StaffTransfer, Step, StepSpec};
use handover::plan::outline::Undo;
use handover::steps::{check, preview, run};

use super::world::{ALMO, DOVER, THANET, World, map};
use super::{copies, staff};

const BY_CODE: &str = "[owner]\nDOV = \"dover\"\nTHA = \"thanet\"\n";

/// A map whose codes have given way to rules.
fn ruled(text: &str, rules: &str) -> String {
    assert!(text.contains(BY_CODE));
    text.replace(BY_CODE, rules)
}

/// Both copies by these rules.
fn copying(rules: &str) -> World {
    let text = ruled(copies::MAP, rules);
    let of = |target: &str| {
        let step = copies::copy(target, None);
        let StepSpec::DataCopy(copy) = step.does else {
            panic!("a copy")
        };
        let does = DataCopy {
            map: map(&text),
            split: Some("property".to_owned()),
            ..copy
        };
        Step {
            does: StepSpec::DataCopy(does),
            ..step
        }
    };
    World::of(copies::ROWS, vec![of(DOVER), of(THANET)])
}

const RULES: &str = r#"
[[split.property]]
owner = "dover"
where = [{ column = "prop_ref", from = "D1", to = "D9" }]
[[split.property]]
owner = "thanet"
where = [{ column = "prop_ref", starts-with = ["T"] }]
"#;

#[tokio::test]
async fn a_home_that_no_rule_takes_stays_behind_and_is_told() {
    let world = copying(RULES);
    for at in [0, 1] {
        let found = check(&world.look(at).await).await.unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.code, one.stops)).collect();
        assert_eq!(told, [("HO547", false)], "{found:?}");
        world.run(at, 1).await;
    }
    let homes = |org| world.rows(org, "SELECT asset_ref FROM asset ORDER BY 1");
    assert_eq!(homes(DOVER), [["D1"], ["D2"]]);
    assert_eq!(homes(THANET), [["T1"]]);
    let foretold = preview(&world.look(0).await).await.unwrap();
    assert_eq!(foretold.unrouted["property"]["no rule"], 1);
}

#[tokio::test]
async fn no_copy_starts_while_rules_of_two_councils_take_the_same_home() {
    let world = copying(&RULES.replace("[\"T\"]", "[\"T\", \"D2\"]"));
    for at in [0, 1] {
        let (act, _heard) = world.act(at, 1).await;
        let fault = run(&act).await.unwrap_err();
        assert_eq!((fault.code, fault.kind), ("HO548", FaultKind::Refused));
        assert!(!fault.says.contains("D2"), "no reference: {}", fault.says);
    }
    for org in [DOVER, THANET] {
        assert!(world.rows(org, "SELECT 1 FROM asset").is_empty(), "{org}");
    }
}

#[tokio::test]
async fn a_rule_of_a_column_that_is_not_there_is_told_at_its_map() {
    let world = copying(&RULES.replace("\"prop_ref\", starts", "\"no_such\", starts"));
    let found = check(&world.look(0).await).await.unwrap();
    assert_eq!(
        (found[0].code, found[0].about.as_str(), found.len()),
        ("HO521", "property.no_such", 1)
    );
    assert!(found[0].place.is_some());
}

#[tokio::test]
async fn people_are_assigned_by_rules_as_by_codes() {
    let rules = r#"
[[split.staff]]
owner = "dover"
where = [{ column = "assign_org", starts-with = ["DO"] }]
[[split.staff]]
owner = "thanet"
where = [{ column = "assign_org", present = true }, { column = "assign_org", not = ["DOV"] }]
"#;
    let by = |text: &str, split: &str| {
        let does = StaffTransfer {
            source: ALMO.into(),
            target: DOVER.into(),
            list: "staff".to_owned(),
            map: map(text),
            split: Some(split.to_owned()),
            ends: "leave_date".to_owned(),
            effective: super::world::moment("2020-10-01T00:00:00+01:00"),
        };
        World::new(staff::ROWS, StepSpec::StaffTransfer(does), Undo::Automatic)
    };
    let (coded, judged) = (
        by(staff::MAP, "staff.assign_org"),
        by(&ruled(staff::MAP, rules), "staff"),
    );
    let told = preview(&coded.look(0).await).await.unwrap();
    assert_eq!(preview(&judged.look(0).await).await.unwrap(), told);
    assert_eq!(told.notes, ["1 people of `staff` are assigned to nobody"]);
    let here = "SELECT employee_ref, employer_org_id FROM employee ORDER BY 1";
    for world in [&coded, &judged] {
        world.run(0, 1).await;
    }
    assert_eq!(judged.rows(DOVER, here), coded.rows(DOVER, here));
    assert_eq!(judged.rows(DOVER, here).len(), 3);
}
