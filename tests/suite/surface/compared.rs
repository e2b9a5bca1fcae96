//! What came out beside what was foretold, and the points of no return.

use std::collections::BTreeMap;

use handover::machine::event::DatasetCount;
use handover::plan::digest::Digest;
use handover::plan::model::{Freeze, StepSpec};
use handover::plan::outline::{StepId, Subject};
use handover::preview::compare;
use handover::preview::timetable::{Rehearsed, first_safe, frozen_work, points};

use super::fixture::{at, code, plan, preview};

fn out(dataset: &str, rows: u64, pence: Option<&str>) -> DatasetCount {
    DatasetCount {
        dataset: code(dataset),
        org: Some(code("dover")),
        rows,
        rejected: 0,
        filtered: 0,
        merged: 0,
        pence: pence.map(str::to_owned),
        root: Digest::ZERO,
    }
}

fn outputs(tenancies: u64, pence: &str) -> BTreeMap<StepId, Vec<DatasetCount>> {
    let outputs = vec![
        out("asset", 4_510, None),
        out("tenancy", tenancies, Some(pence)),
    ];
    BTreeMap::from([(StepId::from("copy-homes/dover"), outputs)])
}

#[test]
fn a_run_that_came_out_as_foretold_has_nothing_to_explain() {
    assert_eq!(compare(&preview(), &outputs(4_421, "49811002")), []);
}

#[test]
fn a_penny_and_a_row_too_many_are_both_named() {
    let differences = compare(&preview(), &outputs(4_422, "49811003"));
    let said: Vec<_> = differences
        .iter()
        .map(|d| {
            (
                d.dataset.as_str(),
                d.what.as_str(),
                d.foretold.as_str(),
                d.found.as_str(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("tenancy", "copied", "4421", "4422"),
            ("tenancy", "pence", "49811002", "49811003"),
        ]
    );
}

#[test]
fn a_dataset_that_never_came_is_a_difference() {
    let mut outputs = outputs(4_421, "49811002");
    if let Some(of_dover) = outputs.values_mut().next() {
        of_dover.remove(0);
    }
    let differences = compare(&preview(), &outputs);
    assert_eq!((differences.len(), differences[0].found.as_str()), (1, "0"));
}

#[test]
fn the_last_safe_minute_is_never_guessed() {
    let mut plan = plan();
    let mut outline = (*plan.outline).clone();
    outline.steps[2].start = Some(at("2020-09-30T23:00:00Z"));
    plan.outline = outline.into();
    let unknown = points(&plan, None);
    assert_eq!(unknown[0].subject, Subject::Data);
    assert_eq!(unknown[0].at, Some(at("2020-09-30T23:00:00Z")));
    assert_eq!(first_safe(&unknown), None);
    let mut rehearsed = Rehearsed::default();
    rehearsed.undo_s.insert(StepId::from("freeze"), 60);
    rehearsed
        .undo_s
        .insert(StepId::from("copy-homes/thanet"), 600);
    let known = points(&plan, Some(&rehearsed));
    let safe = first_safe(&known).and_then(|point| point.last_safe);
    assert_eq!(
        safe,
        Some(at("2020-09-30T22:34:00Z")),
        "11 minutes and 15 to spare"
    );
}

#[test]
fn how_long_the_source_stands_still_is_the_longest_rehearsed_way_and_never_guessed() {
    let mut plan = plan();
    assert_eq!(frozen_work(&plan, None), None, "nothing freezes");
    let place = plan.steps.iter().position(|step| &*step.name == "freeze");
    plan.steps[place.unwrap()].does = StepSpec::Freeze(Freeze {
        org: code("ekh"),
        tables: vec!["property".to_owned()],
    });
    let unknown = frozen_work(&plan, None).unwrap();
    assert_eq!(unknown.seconds, None);
    let steps: Vec<&str> = unknown.steps.iter().map(StepId::as_str).collect();
    assert_eq!(steps, ["freeze", "copy-homes/thanet"]);
    let mut rehearsed = Rehearsed::default();
    rehearsed.forward_s.insert(StepId::from("freeze"), 5);
    let part = frozen_work(&plan, Some(&rehearsed)).unwrap();
    assert_eq!(part.seconds, None, "the copy was never rehearsed");
    rehearsed
        .forward_s
        .insert(StepId::from("copy-homes/thanet"), 720);
    let known = frozen_work(&plan, Some(&rehearsed)).unwrap();
    assert_eq!(known.seconds, Some(725));
}
