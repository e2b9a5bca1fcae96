//! `staff-transfer`: who goes keeps what the law protects, and who stays is never copied.

use handover::machine::event::{DatasetCount, UndoMode};
use handover::plan::model::{StaffTransfer, StepSpec};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, preview, run, undo};

use super::world::{ALMO, DOVER, World, map, moment, same};

pub(super) const MAP: &str = r#"
[owner]
DOV = "dover"
THA = "thanet"
[code.kind]
values = { PER = "permanent", FTC = "fixed term" }
[table.employee]
from = "staff"
key = ["staff_ref"]
id = "employee_id"
[table.employee.column]
employee_ref = "staff_ref"
forename = "forename"
surname = "surname"
post_title = "post_title"
employer_org_id = { fill = "target-org" }
employed_from = { fill = "handover", as = "date" }
employed_to = { from = "leave_date", as = "date", sentinels = ["1900-01-01"] }
continuous_service_start = { from = "cont_start", as = "date" }
contract_type = { from = "contr_type", code = "kind" }
hours_week = { from = "hours_week", as = "money" }
annual_pay = { from = "annual_pay", as = "money" }
assigned = { from = "assigned", as = "flag" }
objected_on = { from = "objected", as = "date" }
source_ref = { fill = "source-key" }
loaded_run_id = { fill = "run" }
"#;

/// Goes, goes, objected, objected too late to count, left, for another council, for nobody, goes.
pub(super) const ROWS: &str = "ALTER TABLE staff ADD COLUMN assigned TEXT;
  INSERT INTO staff (staff_ref, forename, surname, post_title, cont_start, contr_type, hours_week, annual_pay, assign_org, objected, leave_date, assigned) VALUES
  ('E00001  ', 'Ann', 'One', 'Officer', '1999-05-04', 'PER', '37.00', '25123.45', 'DOV', NULL, '1900-01-01', 'Y'),
  ('00002   ', 'Bob', 'Two', 'Officer', '2001-05-04', 'FTC', '18.50', '12000.00', 'DOV', NULL, NULL, 'Y'),
  ('E00003  ', 'Cat', 'Three', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', 'DOV', '2020-09-06', '1900-01-01', 'Y'),
  ('E00004  ', 'Dan', 'Four', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', 'DOV', '2020-10-02', '1900-01-01', 'Y'),
  ('E00005  ', 'Eve', 'Five', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', 'DOV', NULL, '2020-07-03', 'Y'),
  ('E00006  ', 'Fay', 'Six', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', 'THA', NULL, '1900-01-01', 'Y'),
  ('E00007  ', 'Gus', 'Seven', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', '', NULL, '1900-01-01', 'Y'),
  ('E00008  ', 'Hal', 'Eight', 'Officer', '2001-05-04', 'PER', '37.00', '25000.00', 'DOV', NULL, '1900-01-01', 'N');";

pub(super) fn world() -> World {
    with(MAP)
}

fn with(text: &str) -> World {
    let does = StaffTransfer {
        source: ALMO.into(),
        target: DOVER.into(),
        list: "staff".to_owned(),
        map: map(text),
        split: Some("staff.assign_org".to_owned()),
        ends: "leave_date".to_owned(),
        effective: moment("2020-10-01T00:00:00+01:00"),
    };
    World::new(ROWS, StepSpec::StaffTransfer(does), Undo::Automatic)
}

fn left_out<'a>(outputs: &'a [DatasetCount], reason: &str) -> Option<&'a DatasetCount> {
    outputs
        .iter()
        .find(|count| &*count.dataset == format!("employee/{reason}").as_str())
}

#[tokio::test]
async fn an_employee_keeps_reference_service_contract_hours_and_pay() {
    let world = world();
    world.run(0, 1).await;
    let here = world.rows(
        DOVER,
        "SELECT employee_ref, continuous_service_start, contract_type, hours_week, annual_pay, employer_org_id
         FROM employee ORDER BY 1",
    );
    let expected = [
        [
            "00002",
            "2001-05-04",
            "fixed term",
            "18.50",
            "12000.00",
            "dover",
        ],
        [
            "E00001",
            "1999-05-04",
            "permanent",
            "37.00",
            "25123.45",
            "dover",
        ],
        [
            "E00004",
            "2001-05-04",
            "permanent",
            "37.00",
            "25000.00",
            "dover",
        ],
    ];
    assert_eq!(here, expected);
    let ended = world.rows(
        ALMO,
        "SELECT staff_ref FROM staff WHERE leave_date = '2020-09-30' ORDER BY 1",
    );
    assert_eq!(ended, [["00002   "], ["E00001  "], ["E00004  "]]);
}

#[tokio::test]
async fn who_stays_is_counted_with_a_reason_and_never_copied() {
    let world = world();
    let foretold = preview(&world.look(0).await).await.unwrap();
    assert_eq!(foretold.line, "3 people, 3 stay");
    let Output::Done { outputs, .. } = world.run(0, 1).await else {
        panic!("a transfer holds for nobody")
    };
    for (reason, people) in [
        ("objected", 1),
        ("left", 1),
        ("unassigned", 1),
        ("assigned to nobody", 1),
    ] {
        assert_eq!(
            left_out(&outputs, reason).map(|count| count.filtered),
            Some(people),
            "{reason}"
        );
    }
    assert_eq!((outputs[0].rows, outputs[0].filtered), (3, 3));
    let copied = world.one(
        DOVER,
        "SELECT count(*) FROM employee WHERE surname IN ('Three', 'Five', 'Six', 'Seven', 'Eight')",
    );
    assert_eq!(copied, "0");
}

#[tokio::test]
async fn a_map_that_changes_somebodys_pay_is_refused() {
    for bent in [
        MAP.replace(
            "annual_pay = { from = \"annual_pay\", as = \"money\" }",
            "annual_pay = { constant = \"21000.00\" }",
        ),
        MAP.replace(
            "hours_week = { from = \"hours_week\", as = \"money\" }",
            "hours_week = { from = \"hours_week\", as = \"money\", default = \"37.00\" }",
        ),
    ] {
        let found = check(&with(&bent).look(0).await).await.unwrap();
        assert!(
            found
                .iter()
                .any(|finding| finding.code == "HO517" && finding.stops),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn a_map_that_forgets_objectors_is_refused() {
    let forgetful = MAP.replace("objected_on = { from = \"objected\", as = \"date\" }\n", "");
    let found = check(&with(&forgetful).look(0).await).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].about, "employee.objected_on");
}

#[tokio::test]
async fn a_target_that_alters_a_term_of_employment_gets_nobody() {
    let world = world();
    world.sql(
        DOVER,
        "CREATE TRIGGER rounds AFTER INSERT ON employee BEGIN
           UPDATE employee SET annual_pay = '25000.00' WHERE employee_id = NEW.employee_id; END",
    );
    let before = world.everything();
    let (act, _heard) = world.act(0, 1).await;
    let fault = run(&act).await.unwrap_err();
    assert_eq!(fault.code, "HO517");
    assert!(
        fault.says.contains("annual_pay") && !fault.says.contains("25"),
        "{}",
        fault.says
    );
    same(&world.everything(), &before, "refused");
}

#[tokio::test]
async fn somebody_who_changed_jobs_since_is_not_undone_unasked() {
    let world = world();
    world.run(0, 1).await;
    world.sql(
        DOVER,
        "UPDATE employee SET post_title = 'Manager' WHERE employee_ref = 'E00001'",
    );
    let (act, _heard) = world.act(0, 1).await;
    let fault = undo(&act, UndoMode::Refuse).await.unwrap_err();
    assert_eq!((fault.code, fault.rows), ("HO527", 1));
    assert_eq!(
        world.one(
            ALMO,
            "SELECT count(*) FROM staff WHERE leave_date = '2020-09-30'"
        ),
        "3"
    );

    let undone = undo(&act, UndoMode::Skip).await.unwrap();
    assert_eq!((undone.removed, undone.reported), (2, 1));
    assert_eq!(
        world.rows(DOVER, "SELECT employee_ref FROM employee"),
        [["E00001"]]
    );
}
