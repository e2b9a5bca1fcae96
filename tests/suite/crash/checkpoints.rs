//! Guarantee 5: a rollback to any checkpoint before `switch` gives back what stood there, except for
//! exactly what its preview says stays done.
//!
//! The run is driven one step at a time; whatever changes between two checkpoints is the doing of the
//! step that made the second. What a checkpoint wants after a rollback is then what it held, with the
//! doings of the steps that stay done on top.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover::demo::people;
use handover::machine::decide::Limits;
use handover::machine::event::{Entry, Event};
use handover::machine::run::Run;
use handover::plan::model::StepSpec;
use handover::plan::outline::StepId;
use handover::run::{Bounds, Clock, Site, carry_on};

use super::played::{addresses, registers, site};
use super::rows::{Held, differences};
use super::stage::{Stage, begun_unbroken, begun_unbroken_merge};
use super::sums::Change;

/// What stood at a checkpoint, and which step made it.
struct Cut {
    held: Held,
    made_by: StepId,
}

/// A run that stands right before `switch`, and what stood at each of its checkpoints.
struct Driven {
    stage: Stage,
    cuts: BTreeMap<u64, Cut>,
}

/// The step right before the `switch`: the last that can be gone back over.
fn before_switch(site: &Site) -> StepId {
    let plan = site.plan().unwrap();
    let switch = plan
        .steps
        .iter()
        .find(|step| matches!(step.does, StepSpec::Switch(_)))
        .unwrap();
    let outline = plan.outline.steps.iter().find(|step| step.id == switch.id);
    outline.unwrap().after.last().unwrap().clone()
}

async fn driven(begun: &Stage) -> Driven {
    let stage = begun.copy();
    let mut cuts = BTreeMap::new();
    let start = Cut {
        held: stage.held(),
        made_by: StepId::from(""),
    };
    cuts.insert(0, start);
    let mut site = site(&stage).await;
    let bounds = Bounds {
        limits: Limits { side_by_side: 1 },
        until: vec![before_switch(&site)],
    };
    let clock = Clock::made_up(site.run.head().unwrap().when.as_at.moment());
    let (_keep, mut stop) = tokio::sync::watch::channel(false);
    loop {
        let watch = |entry: &Entry, run: &Run| {
            let (Event::StepCommitted(_), Some(cut)) = (&entry.event, run.checkpoints().last())
            else {
                return;
            };
            cuts.entry(cut.number).or_insert_with(|| Cut {
                held: stage.held(),
                made_by: entry.about.as_ref().unwrap().step.clone(),
            });
        };
        let watch = Box::new(watch);
        let (moved, _) = carry_on(site, &addresses(&stage), &clock, &bounds, watch, &mut stop)
            .await
            .unwrap();
        let (answered, words) = people::answer(moved, &clock, Some(&registers(&stage)), None)
            .await
            .unwrap();
        site = answered;
        if words == 0 {
            break;
        }
    }
    drop(site);
    stage.left_alone();
    Driven { stage, cuts }
}

/// Previews the way back to a checkpoint, has it signed, takes it; the steps that the preview says
/// stay done.
pub(super) fn go_back(stage: &Stage, checkpoint: u64) -> BTreeSet<StepId> {
    let to = format!("c{checkpoint}");
    let look = [
        "rollback",
        ".",
        "--to",
        &to,
        "--preview",
        "--out",
        "back.preview",
    ];
    stage.tell(&look).is(0, &[]);
    stage.sign("back.preview");
    stage.tell(&stage.back()).is(0, &[]);
    let said = stage.json("back.preview");
    let stays = said["stays"].as_array().unwrap().iter();
    stays
        .map(|stay| StepId::from(stay["step"].as_str().unwrap()))
        .collect()
}

/// What should stand after going back to `checkpoint`: its rows, and the doings of later steps that
/// stay done.
fn wanted(cuts: &BTreeMap<u64, Cut>, checkpoint: u64, stays: &BTreeSet<StepId>) -> Held {
    let mut held = cuts[&checkpoint].held.clone();
    for (number, cut) in cuts.range(checkpoint + 1..) {
        if stays.contains(&cut.made_by) {
            Change::between(&cuts[&(number - 1)].held, &cut.held).put_on(&mut held);
        }
    }
    held
}

#[test]
fn a_rollback_to_any_checkpoint_leaves_only_what_its_preview_said_would_stay() {
    back_to_every_checkpoint(begun_unbroken());
}

#[test]
fn a_merge_rolled_back_to_any_checkpoint_leaves_every_other_councils_rows_alone() {
    back_to_every_checkpoint(begun_unbroken_merge());
}

fn back_to_every_checkpoint(begun: &Stage) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let driven = Arc::new(runtime.block_on(driven(begun)));
    // To the newest there is no way back: nothing was done since.
    let mut numbers: Vec<u64> = driven.cuts.keys().copied().collect();
    numbers.pop();
    assert!(numbers.len() > 20, "checkpoints: {numbers:?}");
    let back = |checkpoint: u64| {
        let copy = driven.stage.copy();
        let stays = go_back(&copy, checkpoint);
        let wanted = wanted(&driven.cuts, checkpoint, &stays);
        let differences = differences(&wanted, &copy.held());
        assert!(
            differences.is_empty(),
            "to c{checkpoint}, staying {stays:?}: {differences:#?}"
        );
    };
    let (even, odd): (Vec<u64>, Vec<u64>) = numbers.iter().partition(|number| *number % 2 == 0);
    std::thread::scope(|scope| {
        scope.spawn(|| even.into_iter().for_each(back));
        odd.into_iter().for_each(back);
    });
}
