//! A step that nobody can undo waits until enough witnesses have signed what it rests on; nothing else
//! does, and no rehearsal.

use handover::machine::event::{ClockKind, Event, SealCosigned, StepStarted, Waiting};
use handover::machine::illegal::Breach;
use handover::machine::rests::{AwaitedWhat, Rest};
use handover::machine::state::StepState;
use handover::plan::digest::Digest;
use handover::plan::outline::{Gate, Outline, Undo};
use handover::plan::quorum::{Group, Quorum, Witness};
use handover::plan::vkey::{KeyKind, Vkey};

use super::paper::{id, of, seal, seat, step};
use super::world::{World, decision, person, time};

fn quorum() -> Quorum {
    let base = handover::seal::WitnessKey::new("base", &[1; 32]).unwrap();
    let witness = |name: &str| Witness {
        name: name.into(),
        key: Vkey::new(name, KeyKind::Witness, *base.vkey().key()).unwrap(),
    };
    Quorum {
        witnesses: ["audit", "council", "almo"].map(witness).into(),
        groups: vec![
            Group {
                name: "orgs".into(),
                need: 1,
                members: vec!["council".into(), "almo".into()],
            },
            Group {
                name: "gate".into(),
                need: 2,
                members: vec!["audit".into(), "orgs".into()],
            },
        ],
        needed: Some("gate".into()),
    }
}

/// One step that can be undone, and after it one that cannot.
pub(super) fn final_step() -> Outline {
    let mut last = step(1, &[0]);
    last.undo = Undo::Cannot;
    let mut outline = of(vec![step(0, &[]), last]);
    outline.trust = Some(quorum());
    seal(&mut outline);
    outline
}

pub(super) fn cosigned(witness: &str, size: u64) -> Event {
    Event::SealCosigned(SealCosigned {
        size,
        root: Digest::of(&size.to_be_bytes()),
        witness: witness.to_owned(),
        time: time("2020-09-30T17:00:00Z"),
        line: Digest::ZERO,
    })
}

pub(super) fn held(world: &World) -> u64 {
    match world.run.rests().steps.remove(&id(1)) {
        Some(Rest::Held(Waiting::Seal { size })) => size,
        other => panic!("{other:?}"),
    }
}

fn refused(world: &World, event: Event) -> Breach {
    let mut run = world.run.clone();
    let entry = world.entry(handover::machine::event::Actor::Executor, None, event);
    run.apply(&entry).expect_err("it was taken").breach
}

#[test]
fn what_cannot_be_undone_waits_for_its_witnesses_and_then_goes_on() {
    let mut world = World::new(&final_step());
    world.drive();
    let size = held(&world);
    let committed = world.run.state(&id(0)).unwrap().committed.unwrap();
    assert_eq!(
        size,
        committed.seq + 1,
        "all that the step rests on, no more"
    );
    assert_eq!(world.run.rests().exit(), 4);
    assert!(
        world
            .run
            .waiting()
            .iter()
            .any(|awaited| matches!(awaited.what, AwaitedWhat::Hold(Waiting::Seal { .. })))
    );

    world.must(None, cosigned("council", size));
    world.must(None, cosigned("almo", size));
    world.drive();
    assert_eq!(held(&world), size, "the council owns its ALMO");
    world.must(None, cosigned("audit", size - 1));
    world.drive();
    assert_eq!(
        held(&world),
        size,
        "a smaller seal says nothing of what came after"
    );
    assert!(world.run.idle(world.now));

    world.must(None, cosigned("audit", size));
    assert!(!world.run.idle(world.now));
    assert_eq!(world.run.rests().steps[&id(1)], Rest::Pending);
    world.drive();
    assert!(world.run.finished());
}

#[test]
fn a_larger_seal_covers_what_a_step_rests_on_as_well() {
    let mut world = World::new(&final_step());
    world.drive();
    let larger = world.run.next_seq();
    world.must(None, cosigned("audit", larger));
    world.must(None, cosigned("almo", larger));
    world.drive();
    assert!(world.run.finished());
    assert_eq!(world.run.witnessed(), larger);
}

#[test]
fn decisions_at_the_steps_own_gate_are_covered_too() {
    let mut outline = final_step();
    outline.steps[1].gate = Gate::Decisions(vec![seat("s151", Some("dover"))]);
    seal(&mut outline);
    let mut world = World::new(&outline);
    world.drive();
    let before = world.run.next_seq();
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, before));
    }
    let event =
        Event::ApprovalGranted(decision(handover::machine::event::On::Gate { step: id(1) }));
    let about = world.run.about_event(&event);
    let granted = world.run.next_seq();
    world
        .write(person("p01", "s151", "dover"), about, event)
        .unwrap();
    world.drive();
    assert_eq!(
        held(&world),
        granted + 1,
        "nobody outside has seen that decision"
    );
}

#[test]
fn a_start_that_nobody_witnessed_is_no_honest_entry() {
    let mut world = World::new(&final_step());
    world.drive();
    let about = world.run.about(&id(1)).unwrap();
    let start = Event::StepStarted(StepStarted {
        key: handover::machine::run::effect_key(world.run.id().unwrap(), &id(1), 1),
        reversible: false,
        deps: vec![world.run.state(&id(0)).unwrap().committed.unwrap().seq],
        approvals: Vec::new(),
    });
    let mut run = world.run.clone();
    let mut entry = world.entry(
        handover::machine::event::Actor::Executor,
        Some(about),
        start,
    );
    entry.about.as_mut().unwrap().attempt = 1;
    let breach = run.apply(&entry).expect_err("it was taken").breach;
    assert_eq!(breach, Breach::Unwitnessed);
    assert_eq!(breach.code(), "NO_QUORUM");
    assert_eq!(run.state(&id(1)).unwrap().state, StepState::Pending);
}

#[test]
fn a_step_that_can_be_undone_for_a_while_has_its_witnesses_before_it_begins() {
    let mut outline = final_step();
    outline.steps[1].undo = Undo::Automatic;
    outline.steps[1].undo_until = Some("2020-09-30T17:00:03Z".parse().unwrap());
    seal(&mut outline);
    let mut world = World::new(&outline);
    world
        .script
        .insert(id(1), vec![super::world::Outcome::Transient]);
    world.drive();
    let size = held(&world);
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, size));
    }
    world.drive();
    assert!(
        world.run.finished(),
        "tried again behind that date, and seen before"
    );
}

#[test]
fn only_witnesses_of_the_paper_count_each_once_and_for_one_root() {
    let mut world = World::new(&final_step());
    world.drive();
    let size = held(&world);
    assert_eq!(
        refused(&world, cosigned("a friend", size)),
        Breach::UnknownWitness
    );
    let ahead = world.run.next_seq() + 1;
    assert_eq!(refused(&world, cosigned("audit", ahead)), Breach::SealAhead);
    world.must(None, cosigned("audit", size));
    assert_eq!(refused(&world, cosigned("audit", size)), Breach::Twice);
    let Event::SealCosigned(mut other) = cosigned("council", size) else {
        panic!("not a cosignature");
    };
    other.root = Digest::ZERO;
    assert_eq!(
        refused(&world, Event::SealCosigned(other)),
        Breach::OtherRoot
    );
}

#[test]
fn a_rehearsal_waits_for_no_witness() {
    let mut world = World::unopened(&final_step());
    world.open_with(ClockKind::MadeUp);
    world.drive();
    assert!(world.run.finished());
    assert_eq!(world.run.witnessed(), 0);
}
