//! Orders that are given together are made durable together: each must stay honest when those before
//! it are written.

use handover::machine::decide::{Busy, Command, Limits};
use handover::machine::event::Event;
use handover::machine::state::StepState;
use handover::plan::outline::{Gate, OnFailure, Outline, Subject, Undo};

use super::paper::{id, of, step};
use super::world::{Ended, Outcome, World};

/// Two steps over the same rows, neither after the other: a point of no return, and one that takes its
/// own work back.
fn neighbours() -> Outline {
    let mut switch = step(0, &[]);
    switch.undo = Undo::Cannot;
    let mut copy = step(1, &[]);
    copy.on_failure = OnFailure::Undo;
    for step in [&mut switch, &mut copy] {
        step.subjects = vec![Subject::Data];
    }
    of(vec![switch, copy])
}

#[test]
fn what_closes_a_subject_starts_after_what_says_that_it_can_be_undone() {
    let mut world = World::new(&neighbours());
    let busy = Busy::default();
    let orders = world.run.decide(world.now, &busy, &Limits::default());
    let started = |order: &Command| order.about().map(|about| about.step.clone());
    let order: Vec<_> = orders.iter().filter_map(started).collect();
    assert_eq!(order, [id(1), id(0)]);
    assert_eq!(world.drive(), Ended::Rested);
    assert!(world.run.finished());
    let says_so = |event: &Event| matches!(event, Event::StepStarted(body) if body.reversible);
    assert!(world.log.iter().any(|entry| says_so(&entry.event)));
}

#[test]
fn a_point_of_no_return_waits_for_a_failed_neighbour_that_takes_its_work_back() {
    let mut outline = neighbours();
    outline.steps[0].gate = Gate::Until("2020-10-01T00:00:00Z".parse().unwrap());
    let mut world = World::new(&of(outline.steps));
    world.script.insert(id(1), vec![Outcome::Broken]);
    // Killed when the copy has failed and before its undo is ordered; then the date comes.
    world.dies_at = Some(world.log.len() + 3);
    assert_eq!(world.drive(), Ended::Killed);
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Failed);
    world.pass(100_000);
    world.claim();
    world.drive();
    let seq = |name: &str, at: usize| {
        let found = world.log.iter().find(|entry| {
            let about = entry.about.as_ref();
            entry.event.name() == name && about.is_some_and(|about| about.step == id(at))
        });
        found
            .unwrap_or_else(|| panic!("no {name}\n{}", world.story()))
            .seq
    };
    assert!(seq("undo.committed", 1) < seq("step.started", 0));
}
