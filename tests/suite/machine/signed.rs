//! What `apply` refuses of a decision that is signed, or should be: in a live run and in replay alike.

use handover::machine::event::*;
use handover::machine::gate::NotTheirs;
use handover::machine::illegal::Breach;
use handover::machine::state::Verdict;
use handover::plan::digest::Digest;
use handover::plan::outline::{Gate, Outline, Undo};
use handover::plan::public_key::PublicKey;
use handover::signature::PrivateKey;
use handover::signature::statement::{After, Nonce, Second, Window};

use super::paper::{id, of, seal, seat, step};
use super::world::{World, decision, person, time};

pub(super) fn key(seed: u8) -> PublicKey {
    let key = PrivateKey::from_seed(&[seed; 32]).unwrap();
    key.public().clone()
}

/// A gate of two seats before a step that cannot be undone; both must sign, and have keys.
fn signed() -> Outline {
    let mut gate = step(0, &[]);
    gate.gate = Gate::Decisions(vec![
        seat("s151", Some("dover")),
        seat("legal", Some("dover")),
    ]);
    gate.signed = vec!["legal".into(), "s151".into()];
    gate.undo = Undo::Nothing;
    let mut last = step(1, &[0]);
    last.undo = Undo::Cannot;
    let mut outline = of(vec![gate, last]);
    outline.author_key = Some(key(100));
    for holder in &mut outline.holders {
        holder.key = match &*holder.person {
            "p01" => Some(key(1)),
            "p02" => Some(key(2)),
            _ => None,
        };
    }
    seal(&mut outline);
    outline
}

fn asked(outline: &Outline) -> World {
    let mut world = World::new(outline);
    world.drive();
    world
}

pub(super) fn by(code: &str, role: &str, with: &PublicKey) -> Actor {
    match person(code, role, "dover") {
        Actor::Person {
            person, role, org, ..
        } => Actor::Person {
            person,
            role,
            org,
            key: Some(with.fingerprint()),
        },
        Actor::Executor => Actor::Executor,
    }
}

fn second(text: &str) -> Second {
    text.parse().unwrap()
}

pub(super) fn window(nonce: u8) -> Window {
    Window {
        nonce: Nonce([nonce; 16]),
        not_before: second("2020-09-30T12:00:00Z"),
        not_after: second("2020-10-02T12:00:00Z"),
    }
}

/// The entry of an honest signed yes.
fn yes(world: &World, actor: &Actor, nonce: u8) -> Entry {
    let window = window(nonce);
    let after = After {
        size: 2,
        root: Digest::of(b"head"),
    };
    let mut body = decision(On::Gate { step: id(0) });
    let run = &world.run;
    let stated = run.statement(actor, Verdict::Granted, &body, (window, Some(after)));
    body.statement = stated.unwrap().digest();
    body.method = Method::Sshsig;
    body.signed = Some(Signed {
        signature: Digest::of(b"file"),
        window,
        after: Some(after),
    });
    let event = Event::ApprovalGranted(body);
    let about = run.about_event(&event);
    world.entry(actor.clone(), about, event)
}

fn refused(world: &World, mut entry: Entry, change: impl Fn(&mut Entry, &mut Decision)) -> Breach {
    let Event::ApprovalGranted(mut body) = entry.event.clone() else {
        panic!("no decision");
    };
    change(&mut entry, &mut body);
    entry.event = Event::ApprovalGranted(body);
    world.run.clone().apply(&entry).unwrap_err().breach
}

#[test]
fn what_cannot_be_undone_starts_after_two_signatures_and_not_before() {
    let mut world = asked(&signed());
    let first = yes(&world, &by("p01", "s151", &key(1)), 1);
    world.append(first).unwrap();
    world.drive();
    assert!(!world.run.finished());
    let other = yes(&world, &by("p02", "legal", &key(2)), 2);
    world.append(other).unwrap();
    world.drive();
    assert!(world.run.finished());
}

#[test]
fn a_recorded_yes_is_not_enough_where_a_signature_is_asked_but_a_no_always_is() {
    let mut world = asked(&signed());
    let body = decision(On::Gate { step: id(0) });
    let about = world.run.about(&id(0));
    let actor = person("p01", "s151", "dover");
    let yes = world.write(
        actor.clone(),
        about.clone(),
        Event::ApprovalGranted(body.clone()),
    );
    assert_eq!(yes.unwrap_err().breach, Breach::NoSignature);
    world
        .write(actor, about, Event::ApprovalRefused(body))
        .unwrap();
}

#[test]
fn a_rehearsal_may_do_with_recorded_decisions() {
    let mut world = World::unopened(&signed());
    world.open_with(ClockKind::MadeUp);
    world.drive();
    let body = decision(On::Gate { step: id(0) });
    let about = world.run.about(&id(0));
    let actor = person("p01", "s151", "dover");
    world
        .write(actor, about, Event::ApprovalGranted(body))
        .unwrap();
    assert_eq!(world.run.only_recorded(), 1, "and says so");
}

#[test]
fn a_signature_counts_once_in_its_time_and_for_what_was_signed() {
    let mut world = asked(&signed());
    let honest = yes(&world, &by("p01", "s151", &key(1)), 1);
    let no = |change: &dyn Fn(&mut Entry, &mut Decision)| refused(&world, honest.clone(), change);
    assert_eq!(
        no(&|_, body| body.statement = Digest::ZERO),
        Breach::OtherStatement
    );
    assert_eq!(
        no(&|_, body| body.reading = Some(Digest::ZERO)),
        Breach::OtherStatement
    );
    assert_eq!(
        no(&|_, body| body.evidence = Some(Digest::ZERO)),
        Breach::OtherStatement
    );
    let nonce = |body: &mut Decision| {
        body.signed.as_mut().unwrap().window.nonce = Nonce([9; 16]);
    };
    assert_eq!(no(&|_, body| nonce(body)), Breach::OtherStatement);
    let fork = |body: &mut Decision| {
        body.signed.as_mut().unwrap().after.as_mut().unwrap().root = Digest::ZERO;
    };
    assert_eq!(no(&|_, body| fork(body)), Breach::OtherStatement);
    assert_eq!(
        no(&|_, body| body.signed.as_mut().unwrap().after = None),
        Breach::OtherStatement
    );
    assert_eq!(no(&|_, body| body.signed = None), Breach::Proof);
    assert_eq!(no(&|_, body| body.method = Method::Recorded), Breach::Proof);
    let late = |entry: &mut Entry| {
        (entry.at, entry.as_at) = (time("2020-10-03T00:00:00Z"), time("2020-10-03T00:00:00Z"));
    };
    assert_eq!(no(&|entry, _| late(entry)), Breach::Window);
    world.append(honest).unwrap();
    let again = yes(&world, &by("p02", "legal", &key(2)), 1);
    assert_eq!(refused(&world, again, |_, _| {}), Breach::Nonce);
}

#[test]
fn a_yes_for_another_run_plan_or_step_fits_nowhere_else() {
    let world = asked(&signed());
    let honest = yes(&world, &by("p01", "s151", &key(1)), 1);
    let mut changed = signed();
    changed.steps[1].undo = Undo::Automatic;
    seal(&mut changed);
    let elsewhere = asked(&changed);
    let mut entry = yes(&elsewhere, &by("p01", "s151", &key(1)), 1);
    entry.event = honest.event;
    let illegal = elsewhere.run.clone().apply(&entry).unwrap_err();
    assert_eq!(illegal.breach, Breach::OtherStatement);
    assert_eq!(illegal.breach.code(), "REPLAYED_APPROVAL");
}

#[test]
fn one_key_is_one_pair_of_eyes_and_an_authors_is_none() {
    let not = Breach::NotTheirs;
    let mut world = asked(&signed());
    let other = yes(&world, &by("p01", "s151", &key(2)), 1);
    assert_eq!(refused(&world, other, |_, _| {}), not(NotTheirs::OtherKey));
    let keyless = yes(&world, &by("p01", "s151", &key(1)), 1);
    let stripped = |entry: &mut Entry| entry.actor = person("p01", "s151", "dover");
    assert_eq!(
        refused(&world, keyless, |entry, _| stripped(entry)),
        Breach::Proof
    );
    // Two people with one key, however that came into the paper.
    let mut outline = signed();
    outline
        .holders
        .iter_mut()
        .for_each(|holder| holder.key = Some(key(1)));
    seal(&mut outline);
    world = asked(&outline);
    let first = yes(&world, &by("p01", "s151", &key(1)), 1);
    world.append(first).unwrap();
    let second = yes(&world, &by("p02", "legal", &key(1)), 2);
    assert_eq!(refused(&world, second, |_, _| {}), not(NotTheirs::SameKey));
    // The same point as a token's key is still the same key.
    let token = PublicKey {
        application: Some("ssh:".into()),
        ..key(1)
    };
    for holder in &mut outline.holders {
        if *holder.person == *"p02" {
            holder.key = Some(token.clone());
        }
    }
    seal(&mut outline);
    world = asked(&outline);
    let first = yes(&world, &by("p01", "s151", &key(1)), 1);
    world.append(first).unwrap();
    let second = yes(&world, &by("p02", "legal", &token), 2);
    assert_eq!(refused(&world, second, |_, _| {}), not(NotTheirs::SameKey));
    outline.author_key = Some(key(1));
    seal(&mut outline);
    world = asked(&outline);
    let author = yes(&world, &by("p01", "s151", &key(1)), 1);
    assert_eq!(refused(&world, author, |_, _| {}), not(NotTheirs::Author));
}

#[test]
fn what_a_key_said_is_not_taken_back_by_a_word() {
    let mut world = asked(&signed());
    let first = yes(&world, &by("p01", "s151", &key(1)), 1);
    world.append(first).unwrap();
    let about = world.run.about(&id(0));
    let back = Event::ApprovalRevoked(decision(On::Gate { step: id(0) }));
    let unsigned = world.write(person("p01", "s151", "dover"), about, back);
    assert_eq!(unsigned.unwrap_err().breach, Breach::NoSignature);
}

#[test]
fn whoever_lost_the_key_stops_the_run_by_a_word() {
    let mut world = asked(&signed());
    for (code, role, seed) in [("p01", "s151", 1), ("p02", "legal", 2)] {
        let said = yes(&world, &by(code, role, &key(seed)), seed);
        world.append(said).unwrap();
    }
    let about = || world.run.about(&id(0));
    let no = Event::ApprovalRefused(decision(On::Gate { step: id(0) }));
    // Not somebody else's yes, though.
    let mut others = world.clone();
    let stranger = others.write(person("p01", "legal", "dover"), about(), no.clone());
    let decided = Breach::NotTheirs(NotTheirs::Decided);
    assert_eq!(stranger.unwrap_err().breach, decided);
    let about = about();
    world
        .write(person("p01", "s151", "dover"), about.clone(), no)
        .unwrap();
    world.drive();
    assert_eq!(world.run.rests().exit(), 5, "the run stops");
    // A yes is a key's again.
    let back = Event::ApprovalRevoked(decision(On::Gate { step: id(0) }));
    world
        .write(person("p01", "s151", "dover"), about.clone(), back)
        .unwrap();
    world.drive();
    assert!(
        !world.run.finished(),
        "the yes that was said before is gone"
    );
    let typed = Event::ApprovalGranted(decision(On::Gate { step: id(0) }));
    let typed = world.write(person("p01", "s151", "dover"), about, typed);
    assert_eq!(typed.unwrap_err().breach, Breach::NoSignature);
    let again = yes(&world, &by("p01", "s151", &key(1)), 7);
    world.append(again).unwrap();
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
}

#[test]
fn what_was_signed_before_a_rollback_opens_no_gate_behind_it() {
    let mut outline = signed();
    outline.steps[0].undo = Undo::Automatic;
    outline.steps[1].undo = Undo::Automatic;
    outline.signed_by = vec![seat("s151", Some("dover")), seat("legal", Some("dover"))];
    seal(&mut outline);
    let mut world = World::new(&outline);
    world.agree(&On::Paper {
        paper: outline.paper,
    });
    world.drive();
    let kept = yes(&world, &by("p01", "s151", &key(1)), 9);
    for (code, role, seed) in [("p01", "s151", 1), ("p02", "legal", 2)] {
        let said = yes(&world, &by(code, role, &key(seed)), seed);
        world.append(said).unwrap();
    }
    world.drive();
    assert!(world.run.finished());
    assert!(world.roll_back(0, UndoMode::Refuse));
    world.drive();
    world.release();
    world.claim();
    world.drive();
    // The executor asks again; the old statement, never handed in, says the generation it was signed for.
    let Event::ApprovalGranted(body) = kept.event else {
        panic!("no decision");
    };
    let event = Event::ApprovalGranted(body);
    let about = world.run.about_event(&event);
    let entry = world.entry(by("p01", "s151", &key(1)), about, event);
    let illegal = world.run.clone().apply(&entry).unwrap_err();
    assert_eq!(illegal.breach, Breach::OtherStatement);
    let fresh = yes(&world, &by("p01", "s151", &key(1)), 10);
    world.append(fresh).unwrap();
}
