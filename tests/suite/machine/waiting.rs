//! Who is waited for: everybody that `waiting` names can answer, and everybody who could move the run
//! on is named.

use std::sync::Arc;

use handover::machine::event::{Event, On, PlanAmended, UndoMode, Waiting};
use handover::machine::rests::{AwaitedWhat, Rest};
use handover::machine::state::StepState;
use handover::plan::outline::{Gate, OnFailure, Outline};

use super::paper::{id, of, seal, seat, step};
use super::world::{Outcome, World, decision, person};

/// One step behind two decisions.
fn gated() -> Outline {
    let mut gated = step(0, &[]);
    gated.gate = Gate::Decisions(vec![
        seat("s151", Some("dover")),
        seat("legal", Some("dover")),
    ]);
    of(vec![gated])
}

/// Whoever sits in the awaited seats says yes.
fn decide(world: &mut World) {
    for (who, role) in [("p01", "s151"), ("p02", "legal")] {
        let event = Event::ApprovalGranted(decision(On::Gate { step: id(0) }));
        let about = world.run.about_event(&event);
        let actor = person(who, role, "dover");
        world.write(actor, about, event).unwrap();
    }
}

/// Another paper for the step, signed: it may try again, and what was decided about it is void.
fn mend(world: &mut World, outline: &Outline) {
    let mut new = outline.clone();
    new.steps[0].retry.attempts += 1;
    seal(&mut new);
    world.run.shelve(Arc::new(new.clone()));
    world.must(
        None,
        Event::PlanAmended(PlanAmended {
            old: outline.paper,
            new: new.paper,
            dag: new.dag,
            approvals: Vec::new(),
        }),
    );
}

fn rest(world: &World) -> Rest {
    world.run.rests().steps.remove(&id(0)).unwrap()
}

#[test]
fn a_mended_step_that_took_its_work_back_asks_its_seats_again_by_name() {
    let mut outline = gated();
    outline.steps[0].on_failure = OnFailure::Undo;
    seal(&mut outline);
    let mut world = World::new(&outline);
    world.script.insert(id(0), vec![Outcome::Broken]);
    world.drive();
    decide(&mut world);
    world.drive();
    assert!(matches!(rest(&world), Rest::Failed { undone: true, .. }));
    mend(&mut world, &outline);
    world.script.clear();
    world.drive();
    let Gate::Decisions(seats) = outline.steps[0].gate.clone() else {
        panic!("no gate");
    };
    let undecided = world.run.waiting().remove(0).what;
    assert_eq!(undecided, AwaitedWhat::Decisions(seats));
    assert_eq!(world.run.rests().exit(), 4);
    decide(&mut world);
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
}

#[test]
fn nobody_is_asked_for_what_a_rollback_is_about_to_undo() {
    let mut world = World::new(&gated());
    world.script.insert(id(0), vec![Outcome::Hold]);
    world.drive();
    decide(&mut world);
    world.drive();
    let held = |rest| matches!(rest, Rest::Held(Waiting::Evidence { .. }));
    assert!(held(rest(&world)));
    assert!(world.roll_back(0, UndoMode::Refuse));
    assert_eq!(rest(&world), Rest::Pending);
    assert!(world.run.waiting().is_empty());
    world.claim();
    world.drive();
    let state = world.run.state(&id(0)).unwrap().state;
    assert_eq!((state, rest(&world)), (StepState::Undone, Rest::Undone));
}
