//! Who may put another paper in force in mid-run, and what nobody may change so.

use std::sync::Arc;

use handover::machine::amend::AmendFault;
use handover::machine::event::{Event, On, PlanAmended};
use handover::machine::illegal::Breach;
use handover::machine::run::Run;
use handover::machine::state::Shelf;
use handover::plan::outline::{Holder, Outline, Undo};

use super::paper::{of, seal, seat, step};
use super::witnessed::{cosigned, final_step, held};
use super::world::{World, decision, person};

/// Two sign; one step that can be undone and one that cannot.
fn signed() -> Outline {
    let mut last = step(1, &[0]);
    last.undo = Undo::Cannot;
    let mut outline = of(vec![step(0, &[]), last]);
    outline.signed_by = vec![seat("s151", Some("dover")), seat("legal", Some("dover"))];
    seal(&mut outline);
    outline
}

/// A run under `old` that may be amended to `new`.
fn between(old: &Outline, new: &Outline) -> World {
    let mut world = World::unopened(old);
    let both = [old, new].map(|outline| Arc::new(outline.clone()));
    world.run = Run::new(Shelf::from_iter(both));
    world.open();
    world
}

/// What comes of it that these people put `new` in force.
fn amended(world: &mut World, new: &Outline, people: &[(&str, &str)]) -> Result<(), Breach> {
    let on = On::Paper { paper: new.paper };
    for (code, role) in people {
        let yes = Event::ApprovalGranted(decision(on.clone()));
        world.write(person(code, role, "dover"), None, yes).unwrap();
    }
    let event = Event::PlanAmended(PlanAmended {
        old: world.run.paper(),
        new: new.paper,
        dag: new.dag,
        approvals: world.run.grants(&on),
    });
    let entry = world.entry(handover::machine::event::Actor::Executor, None, event);
    world.append(entry).map_err(|illegal| illegal.breach)
}

#[test]
fn an_author_cannot_name_new_people_and_have_those_put_his_plan_in_force() {
    let old = signed();
    let mut new = old.clone();
    for (person, role) in [("p08", "s151"), ("p09", "legal")] {
        new.holders.push(Holder {
            person: person.into(),
            role: role.into(),
            org: "dover".into(),
            from: None,
            to: None,
            key: None,
        });
    }
    seal(&mut new);
    let mut world = between(&old, &new);
    let friends = [("p08", "s151"), ("p09", "legal")];
    let breach = amended(&mut world.clone(), &new, &friends).unwrap_err();
    assert_eq!(breach, Breach::Strangers { needed: 2 });
    assert_eq!(breach.code(), "FOUR_EYES");
    let one = amended(
        &mut world.clone(),
        &new,
        &[("p01", "s151"), ("p09", "legal")],
    );
    assert_eq!(one, Err(Breach::Strangers { needed: 2 }));
    amended(&mut world, &new, &[("p01", "s151"), ("p02", "legal")]).unwrap();
}

#[test]
fn who_witnesses_a_run_stays_as_it_was_signed() {
    let mut old = final_step();
    old.signed_by = signed().signed_by;
    seal(&mut old);
    let both = [("p01", "s151"), ("p02", "legal")];
    let mut weaker = old.clone();
    weaker.trust = None;
    seal(&mut weaker);
    let mut rekeyed = old.clone();
    if let Some(trust) = &mut rekeyed.trust {
        let first = trust.witnesses[0].key.clone();
        trust.witnesses[1].key = first;
    }
    seal(&mut rekeyed);
    for new in [weaker, rekeyed] {
        let mut world = between(&old, &new);
        let breach = amended(&mut world, &new, &both).unwrap_err();
        assert_eq!(breach, Breach::Amendment(vec![AmendFault::Trust]));
    }
}

#[test]
fn what_cannot_be_undone_waits_until_witnesses_have_seen_the_amendment() {
    let mut old = final_step();
    old.signed_by = signed().signed_by;
    seal(&mut old);
    let mut new = old.clone();
    new.steps[1].retry.attempts = 1;
    seal(&mut new);
    let mut world = between(&old, &new);
    let grants: Vec<u64> = world.agree(&On::Paper { paper: old.paper });
    world.drive();
    let committed = held(&world);
    assert!(grants.iter().all(|seq| *seq < committed), "they came first");
    amended(&mut world, &new, &[("p01", "s151"), ("p02", "legal")]).unwrap();
    let amendment = world.run.next_seq() - 1;
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, committed));
    }
    world.drive();
    assert_eq!(held(&world), amendment + 1, "nobody outside has seen it");
}
