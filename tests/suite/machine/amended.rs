//! Who may put another paper in force in mid-run, and what nobody may change so.

use std::sync::Arc;

use handover::machine::amend::AmendFault;
use handover::machine::event::{
    Actor, Answer, ClockKind, Entry, Event, Method, On, PlanAmended, Signed,
};
use handover::machine::illegal::Breach;
use handover::machine::run::Run;
use handover::machine::state::{Shelf, StepState, Verdict};
use handover::plan::outline::{Holder, Outline, Undo};

use super::paper::{id, of, seal, seat, step};
use super::signed::{by, key, window};
use super::witnessed::{cosigned, final_step, held};
use super::world::{Outcome, World, decision, person};

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
    let entry = world.entry(Actor::Executor, None, event);
    world.append(entry).map_err(|illegal| illegal.breach)
}

fn holder(person: &str, role: &str) -> Holder {
    Holder {
        person: person.into(),
        role: role.into(),
        org: "dover".into(),
        from: None,
        to: None,
        key: None,
    }
}

#[test]
fn an_author_cannot_name_new_people_and_have_those_put_his_plan_in_force() {
    let old = signed();
    let mut new = old.clone();
    for (person, role) in [("p08", "s151"), ("p09", "legal")] {
        new.holders.push(holder(person, role));
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

/// The two who sign have a key each.
fn keyed() -> Outline {
    let mut outline = signed();
    give(&mut outline, &[("p01", 1), ("p02", 2)]);
    outline
}

fn give(outline: &mut Outline, keys: &[(&str, u8)]) {
    for holder in &mut outline.holders {
        if let Some((_, seed)) = keys.iter().find(|(person, _)| *person == &*holder.person) {
            holder.key = Some(key(*seed));
        }
    }
    seal(outline);
}

/// A yes to another paper, with that key.
fn keyed_yes(world: &World, paper: &Outline, (code, role, seed): (&str, &str, u8)) -> Entry {
    let actor = by(code, role, &key(seed));
    let mut body = decision(On::Paper { paper: paper.paper });
    let window = window(seed);
    let stated = world
        .run
        .statement(&actor, Verdict::Granted, &body, (window, None));
    body.statement = stated.expect("a statement").digest();
    body.method = Method::Sshsig;
    body.signed = Some(Signed {
        signature: handover::plan::digest::Digest::of(b"file"),
        window,
        after: None,
    });
    world.entry(actor, None, Event::ApprovalGranted(body))
}

/// That outline, with something in it changed.
fn but(old: &Outline, change: impl FnOnce(&mut Outline)) -> Outline {
    let mut new = old.clone();
    change(&mut new);
    seal(&mut new);
    new
}

/// The same steps, tried less often.
fn tried_once(old: &Outline, step: usize) -> Outline {
    but(old, |new| new.steps[step].retry.attempts = 1)
}

/// What comes of it that these two put `new` in force with their keys.
fn with_keys(world: &mut World, new: &Outline, keys: [u8; 2]) -> Result<(), Breach> {
    for (who, seed) in [("p01", "s151"), ("p02", "legal")].into_iter().zip(keys) {
        let yes = keyed_yes(world, new, (who.0, who.1, seed));
        world.append(yes).map_err(|illegal| illegal.breach)?;
    }
    amended(world, new, &[])
}

const BOTH: [(&str, &str); 2] = [("p01", "s151"), ("p02", "legal")];

#[test]
fn an_amendment_that_drops_the_keys_is_signed_with_them() {
    let mut old = keyed();
    old.signed = vec!["legal".into(), "s151".into()];
    seal(&mut old);
    let new = but(&old, |new| new.signed.clear());
    let mut world = between(&old, &new);
    let breach = amended(&mut world.clone(), &new, &BOTH).unwrap_err();
    assert_eq!(breach, Breach::Strangers { needed: 2 });
    assert_eq!(with_keys(&mut world, &new, [1, 2]), Ok(()));
}

#[test]
fn a_role_that_is_asked_for_a_key_puts_nothing_in_force_by_a_word_of_somebody_who_has_none() {
    let mut old = signed();
    old.signed = vec!["legal".into(), "s151".into()];
    seal(&mut old);
    let new = but(&old, |new| new.signed.clear());
    let mut world = between(&old, &new);
    let breach = amended(&mut world, &new, &BOTH).unwrap_err();
    assert_eq!(breach, Breach::Strangers { needed: 2 });
}

#[test]
fn an_author_cannot_give_people_keys_of_his_own_by_two_typed_words() {
    // Papers are recorded by default: the keys are for the gate before what cannot be undone.
    let old = keyed();
    let mut new = old.clone();
    give(&mut new, &[("p01", 101), ("p02", 102)]);
    let world = between(&old, &new);
    let strangers = Err(Breach::Strangers { needed: 2 });
    assert_eq!(amended(&mut world.clone(), &new, &BOTH), strangers);
    assert_eq!(
        with_keys(&mut world.clone(), &new, [101, 102]),
        strangers,
        "nor by the new keys"
    );
    // A deputy without a key speaks for nobody who has one.
    let mut with_deputies = old.clone();
    for (person, role) in [("p08", "s151"), ("p09", "legal")] {
        with_deputies.holders.push(holder(person, role));
    }
    seal(&mut with_deputies);
    let mut new = with_deputies.clone();
    give(&mut new, &[("p01", 101), ("p02", 102)]);
    let mut world = between(&with_deputies, &new);
    let deputies = [("p08", "s151"), ("p09", "legal")];
    assert_eq!(amended(&mut world, &new, &deputies), strangers);
}

#[test]
fn whoever_signs_an_amendment_signs_with_the_key_that_the_paper_in_force_has() {
    let old = keyed();
    let new = tried_once(&old, 0);
    let mut world = between(&old, &new);
    assert_eq!(
        amended(&mut world.clone(), &new, &BOTH),
        Err(Breach::Strangers { needed: 2 })
    );
    assert_eq!(with_keys(&mut world, &new, [1, 2]), Ok(()));
}

#[test]
fn where_too_few_have_keys_and_in_a_rehearsal_words_put_a_paper_in_force() {
    let mut old = signed();
    give(&mut old, &[("p02", 2)]);
    let new = tried_once(&old, 0);
    let mut world = between(&old, &new);
    let alone = amended(&mut world.clone(), &new, &BOTH);
    assert_eq!(alone, Err(Breach::Strangers { needed: 2 }), "p02 has a key");
    let yes = keyed_yes(&world, &new, ("p02", "legal", 2));
    world.append(yes).unwrap();
    assert_eq!(amended(&mut world, &new, &[("p01", "s151")]), Ok(()));

    let old = keyed();
    let new = tried_once(&old, 0);
    let mut world = World::unopened(&old);
    let both = [&old, &new].map(|outline| Arc::new(outline.clone()));
    world.run = Run::new(Shelf::from_iter(both));
    world.open_with(ClockKind::MadeUp);
    assert_eq!(amended(&mut world, &new, &BOTH), Ok(()));
}

#[test]
fn who_witnesses_a_run_stays_as_it_was_signed() {
    let mut old = final_step();
    old.signed_by = signed().signed_by;
    seal(&mut old);
    let both = [("p01", "s151"), ("p02", "legal")];
    let weaker = but(&old, |new| new.trust = None);
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
    let new = tried_once(&old, 1);
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

/// Two sign, witnesses are asked, and the step that cannot be undone stops half-way under `old`.
fn stopped(old: &Outline, new: &Outline, how: Outcome) -> World {
    let mut world = between(old, new);
    world.agree(&On::Paper { paper: old.paper });
    world.script.insert(id(1), vec![how]);
    world.drive();
    let size = held(&world);
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, size));
    }
    world
}

/// The same run under a paper whose files changed, and no table of a step that has begun.
fn mended_map() -> (Outline, Outline) {
    let mut old = final_step();
    old.signed_by = signed().signed_by;
    seal(&mut old);
    let mut new = old.clone();
    new.holders.push(holder("p10", "hr"));
    seal(&mut new);
    (old, new)
}

#[test]
fn what_failed_and_cannot_be_undone_is_tried_again_only_when_witnesses_have_seen_the_amendment() {
    let (old, new) = mended_map();
    let mut world = stopped(&old, &new, Outcome::Refused);
    world.drive();
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Failed);
    amended(&mut world, &new, &BOTH).unwrap();
    let amendment = world.run.next_seq() - 1;
    let unseen = world.clone();
    world.drive();
    assert_eq!(world.run.state(&id(1)).unwrap().attempt, 1);
    assert_eq!(held(&world), amendment + 1, "nobody outside has seen it");
    assert!(world.run.idle(world.now));
    // An executor that starts it all the same writes no honest entry.
    refused_start(&unseen);
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, amendment + 1));
    }
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
}

fn refused_start(world: &World) {
    let about = world
        .run
        .about(&id(1))
        .map(|about| handover::machine::event::About {
            attempt: about.attempt + 1,
            ..about
        });
    let committed = world.run.state(&id(0)).unwrap().committed.unwrap();
    let start = Event::StepStarted(handover::machine::event::StepStarted {
        key: handover::machine::run::effect_key(world.run.id().unwrap(), &id(1), 1),
        reversible: false,
        deps: vec![committed.seq],
        approvals: Vec::new(),
    });
    let entry = world.entry(Actor::Executor, about, start);
    let illegal = world.run.clone().apply(&entry).unwrap_err();
    assert_eq!(illegal.breach, Breach::Unwitnessed);
}

#[test]
fn what_a_kill_stopped_and_what_waits_in_mid_work_go_on_only_so_too() {
    let (old, new) = mended_map();
    // Killed right behind its start.
    let mut world = stopped(&old, &new, Outcome::Ok);
    world.dies_at = Some(world.log.len() + 1);
    world.drive();
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Running);
    world.claim();
    amended(&mut world, &new, &BOTH).unwrap();
    refused_start(&world);
    goes_on_when_seen(world);
    // Waiting for evidence that has come.
    let mut world = stopped(&old, &new, Outcome::Hold);
    world.drive();
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Held);
    amended(&mut world, &new, &BOTH).unwrap();
    let before = world.log.len();
    world.drive();
    assert_eq!(world.log.len(), before, "it waits for its evidence first");
    world.answer(&id(1), Answer::Evidence, person("p02", "legal", "dover"));
    goes_on_when_seen(world);
}

fn goes_on_when_seen(mut world: World) {
    world.drive();
    let size = held(&world);
    assert_eq!(world.run.state(&id(1)).unwrap().attempt, 1);
    for witness in ["audit", "council"] {
        world.must(None, cosigned(witness, size));
    }
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
}
