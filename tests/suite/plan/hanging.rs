//! Which tables of a source decide what a copy brings over: a freeze that leaves one of them open is none.

use std::sync::Arc;

use handover::plan::model::{DataCopy, Place, StepSpec};
use handover::plan::split::Split;

use super::shipped::shipped;

/// The copies of a shipped plan.
fn copies(plan: &str) -> Vec<DataCopy> {
    let steps = shipped(plan).steps.into_iter();
    let copies = steps.filter_map(|step| match step.does {
        StepSpec::DataCopy(copy) => Some(copy),
        _ => None,
    });
    copies.collect()
}

#[test]
fn a_copy_of_children_alone_hangs_on_all_that_lead_to_whose_they_are() {
    let mut copy = copies("east-kent-2020").remove(0);
    copy.tables = vec!["rtrans".to_owned()];
    let wanted = ["property", "rtrans", "tenagree"];
    assert!(copy.hangs_on().iter().eq(&wanted));
    copy.split = None;
    assert!(copy.hangs_on().iter().eq(&wanted), "its lines look there");
}

#[test]
fn a_copy_that_is_split_by_rules_hangs_on_the_table_that_they_judge() {
    let mut copy = copies("east-kent-2020").remove(0);
    copy.tables = vec!["document".to_owned()];
    let map = Arc::make_mut(&mut copy.map);
    map.relations.clear();
    let rules = Split {
        table: "estate".to_owned(),
        rules: Vec::new(),
        place: Place {
            file: copy.map_path.clone(),
            span: 0..0,
        },
    };
    map.splits.insert("estate".to_owned(), rules);
    copy.split = Some("estate".to_owned());
    assert!(copy.hangs_on().iter().eq(&["document", "estate"]));
}

#[test]
fn the_freeze_of_every_shipped_plan_holds_all_that_its_copies_hang_on() {
    for name in [
        "east-kent-2020",
        "east-kent-2011",
        "northampton-2015",
        "westminster-2019",
    ] {
        let plan = shipped(name);
        let frozen = plan.steps.iter().find_map(|step| match &step.does {
            StepSpec::Freeze(freeze) => Some(freeze.tables.clone()),
            _ => None,
        });
        let frozen = frozen.unwrap();
        for copy in copies(name) {
            let open = copy
                .hangs_on()
                .into_iter()
                .find(|table| !frozen.iter().any(|held| held == table));
            assert_eq!(open, None, "{name}");
        }
    }
}
