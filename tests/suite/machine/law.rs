//! What `apply` refuses: everything that `decide` would never order. Each refusal leaves the run as it
//! was, and names the rule.

use handover::machine::event::*;
use handover::machine::gate::NotTheirs;
use handover::machine::illegal::Breach;
use handover::machine::state::StepState;
use handover::plan::digest::Digest;
use handover::plan::outline::{Gate, OnFailure, Outline, Subject, Undo};
use uuid::Uuid;

use super::paper::{id, of, outline, seal, seat, step};
use super::world::{Outcome, World, decision, person, time};

/// Writes what the change makes of an honest next entry; the run must refuse it and stay as it was.
fn refused(world: &World, event: Event, change: impl Fn(&mut Entry)) -> Breach {
    let about = match &event {
        Event::StepStarted(_) | Event::UndoStarted(_) => None,
        other => world.run.about_event(other),
    };
    let mut entry = world.entry(Actor::Executor, about, event);
    change(&mut entry);
    let mut run = world.run.clone();
    let before = format!("{run:?}");
    let illegal = run.apply(&entry).expect_err(&world.story());
    assert_eq!(
        format!("{run:?}"),
        before,
        "a refused entry changed the run"
    );
    assert_eq!(illegal.seq, entry.seq);
    assert!(!illegal.breach.code().is_empty());
    illegal.breach
}

fn about(at: usize, generation: u32, attempt: u32) -> impl Fn(&mut Entry) {
    move |entry| {
        entry.about = Some(About {
            step: id(at),
            generation,
            attempt,
        });
    }
}

fn heartbeat() -> Event {
    Event::SealHeartbeat(Empty {})
}

/// The honest intent for the first order of the kind, as an entry.
fn start(world: &World, at: usize) -> Entry {
    let run = &world.run;
    let busy = world.busy();
    let command = run.next(&id(at), world.now, &busy).expect("it may start");
    let event = command.intent(run, world.now).unwrap();
    world.entry(Actor::Executor, command.about().cloned(), event)
}

fn refused_start(world: &World, at: usize, change: impl Fn(&mut StepStarted)) -> Breach {
    let honest = start(world, at);
    let Event::StepStarted(mut body) = honest.event.clone() else {
        panic!("not a start");
    };
    change(&mut body);
    refused(world, Event::StepStarted(body), |entry| {
        entry.about.clone_from(&honest.about);
    })
}

/// The body of a start that nobody would order; the rule that it breaks comes before its body's.
fn bold() -> Event {
    Event::StepStarted(StepStarted {
        key: Digest::ZERO,
        reversible: true,
        deps: Vec::new(),
        approvals: Vec::new(),
    })
}

#[test]
fn every_entry_has_its_place_lease_paper_and_clock() {
    let world = World::new(&outline(&[&[]]));
    let breach = |change: fn(&mut Entry)| refused(&world, heartbeat(), change);
    assert_eq!(breach(|entry| entry.seq += 1), Breach::Seq { expected: 3 });
    assert_eq!(breach(|entry| entry.run = Uuid::nil()), Breach::OtherRun);
    assert_eq!(
        breach(|entry| entry.plan = Digest::ZERO),
        Breach::PlanSwitch
    );
    assert_eq!(
        breach(|entry| entry.epoch -= 1),
        Breach::StaleEpoch { highest: 1 }
    );
    assert_eq!(breach(|entry| entry.epoch += 1), Breach::NoLease);
    assert_eq!(breach(|entry| entry.exec = Uuid::nil()), Breach::SplitBrain);
    assert_eq!(
        breach(|entry| entry.at = time("2019-01-01T00:00:00Z")),
        Breach::ClockBack
    );
    assert_eq!(breach(|entry| entry.mono = 0), Breach::ClockBack);
    assert_eq!(
        breach(|entry| entry.as_at = time("2031-01-01T00:00:00Z")),
        Breach::ClockApart
    );
    let again = Event::LeaseAcquired(LeaseAcquired {
        epoch: 1,
        fences: Vec::new(),
    });
    assert_eq!(
        refused(&world, again, |_| {}),
        Breach::StaleEpoch { highest: 1 }
    );
    let unheard = World::unopened(&outline(&[&[]]));
    assert_eq!(refused(&unheard, heartbeat(), |_| {}), Breach::NotOpened);
    let mut released = world.clone();
    released.release();
    assert_eq!(refused(&released, heartbeat(), |_| {}), Breach::NoLease);
}

#[test]
fn a_clock_may_go_back_only_by_saying_so() {
    let mut world = World::new(&outline(&[&[]]));
    let back = time("2020-09-30T16:00:00Z");
    let stepped = Event::ClockStepped(ClockStepped {
        before: world.now.at,
        after: back,
    });
    let mut entry = world.entry(Actor::Executor, None, stepped);
    (entry.at, entry.as_at) = (back, back);
    world.append(entry).unwrap();
}

#[test]
fn no_step_starts_before_what_it_comes_after() {
    let world = World::new(&outline(&[&[], &[0]]));
    assert_eq!(
        refused(&world, bold(), about(1, 1, 1)),
        Breach::Order(id(0))
    );
    let unknown = refused(&world, bold(), about(7, 1, 1));
    assert_eq!(unknown, Breach::UnknownStep);
}

#[test]
fn a_start_tells_the_truth_about_itself() {
    let mut world = World::new(&outline(&[&[], &[0]]));
    world.limits.side_by_side = 1;
    world.dies_at = Some(world.log.len() + 3);
    world.drive();
    assert_eq!(world.run.state(&id(0)).unwrap().state, StepState::Committed);
    let lie = |change: fn(&mut StepStarted)| refused_start(&world, 1, change);
    assert_eq!(lie(|body| body.key = Digest::ZERO), Breach::Key);
    assert_eq!(lie(|body| body.reversible = false), Breach::Reversible);
    assert_eq!(lie(|body| body.deps.clear()), Breach::Deps);
    assert_eq!(lie(|body| body.approvals.push(1)), Breach::Approvals);
    let honest = start(&world, 1);
    let wrong = [about(1, 2, 1), about(1, 1, 2)]
        .map(|change| refused(&world, honest.event.clone(), change));
    assert!(
        wrong
            .iter()
            .all(|breach| matches!(breach, Breach::Generation(_)))
    );
}

#[test]
fn nothing_runs_twice_and_no_outcome_comes_from_nowhere() {
    let mut world = World::new(&outline(&[&[]]));
    let committed = || Event::StepCommitted(StepCommitted::default());
    let early = refused(&world, committed(), about(0, 1, 1));
    assert_eq!(early, Breach::State(StepState::Pending));
    world.append(start(&world, 0)).unwrap();
    assert_eq!(refused(&world, bold(), about(0, 1, 2)), Breach::DoubleRun);
    world.must(
        Some(About {
            step: id(0),
            generation: 1,
            attempt: 1,
        }),
        committed(),
    );
    let twice = refused(&world, committed(), about(0, 1, 1));
    assert_eq!(twice, Breach::State(StepState::Committed));
    let again = refused(&world, bold(), about(0, 1, 2));
    assert_eq!(again, Breach::State(StepState::Committed));
}

#[test]
fn a_dead_executors_outcome_is_not_taken_from_the_next_one() {
    let mut world = World::new(&outline(&[&[]]));
    world.append(start(&world, 0)).unwrap();
    world.claim();
    let late = Event::StepCommitted(StepCommitted::default());
    assert_eq!(
        refused(&world, late, about(0, 1, 1)),
        Breach::State(StepState::Running)
    );
    assert_eq!(start(&world, 0).about.unwrap().attempt, 2);
}

#[test]
fn a_failed_step_waits_for_its_retry_or_a_person() {
    let mut world = World::new(&outline(&[&[]]));
    world.script.insert(id(0), vec![Outcome::Broken]);
    world.drive();
    assert_eq!(refused(&world, bold(), about(0, 1, 2)), Breach::NotFreed);
    assert!(world.retry_failed());
    world.drive();
    assert!(world.run.finished());

    let mut world = World::new(&outline(&[&[]]));
    world.script.insert(id(0), vec![Outcome::Transient; 9]);
    world.drive();
    let step = world.run.state(&id(0)).unwrap();
    assert_eq!((step.state, step.attempt), (StepState::Failed, 3));
    assert_eq!(world.run.rests().exit(), 1);
}

fn dated() -> Outline {
    let mut waits = step(0, &[]);
    waits.gate = Gate::Until("2020-10-01T00:00:00Z".parse().unwrap());
    let mut later = step(1, &[]);
    later.start = Some("2020-10-01T00:00:00Z".parse().unwrap());
    of(vec![waits, later])
}

#[test]
fn nothing_happens_before_its_date_and_the_wait_is_said_once() {
    let mut world = World::new(&dated());
    assert_eq!(refused(&world, bold(), about(0, 1, 1)), Breach::TooEarly);
    assert_eq!(refused(&world, bold(), about(1, 1, 1)), Breach::TooEarly);
    world.drive();
    assert_eq!(world.log.len(), 5, "{}", world.story());
    assert_eq!(world.run.rests().exit(), 4);
    assert!(world.run.idle(world.now));
    let hold = world.log[3].clone();
    assert_eq!(refused(&world, hold.event, about(0, 1, 1)), Breach::Twice);
    world.pass(8 * 3600);
    assert!(!world.run.idle(world.now));
    world.drive();
    assert!(world.run.finished());
}

fn gated() -> Outline {
    let mut gate = step(1, &[0]);
    gate.gate = Gate::Decisions(vec![
        seat("s151", Some("dover")),
        seat("legal", Some("dover")),
    ]);
    gate.undo = Undo::Nothing;
    of(vec![step(0, &[]), gate, step(2, &[1])])
}

fn decide(world: &mut World, event: fn(Decision) -> Event, actor: Actor) -> Result<(), Breach> {
    let event = event(decision(On::Gate { step: id(1) }));
    let about = world.run.about_event(&event);
    world
        .write(actor, about, event)
        .map_err(|illegal| illegal.breach)
}

#[test]
fn a_gate_opens_by_every_seat_through_distinct_people_and_never_the_author() {
    let mut world = World::new(&gated());
    let s151 = || person("p01", "s151", "dover");
    assert_eq!(
        decide(&mut world, Event::ApprovalGranted, s151()),
        Err(Breach::NotAsked)
    );
    world.drive();
    assert_eq!(world.run.rests().exit(), 4);
    assert_eq!(refused(&world, bold(), about(1, 1, 1)), Breach::Unapproved);
    let not = |why| Err(Breach::NotTheirs(why));
    let mut grant = |actor| decide(&mut world, Event::ApprovalGranted, actor);
    assert_eq!(grant(Actor::Executor), not(NotTheirs::NoPerson));
    assert_eq!(
        grant(person("p00", "s151", "dover")),
        not(NotTheirs::Author)
    );
    assert_eq!(
        grant(person("p02", "s151", "dover")),
        not(NotTheirs::NotHeld)
    );
    assert_eq!(
        grant(person("p03", "hr", "thanet")),
        not(NotTheirs::NotAsked)
    );
    assert_eq!(grant(person("p04", "hr", "dover")), not(NotTheirs::NotHeld));
    assert_eq!(grant(s151()), Ok(()));
    assert_eq!(grant(s151()), not(NotTheirs::Decided));
    assert_eq!(
        grant(person("p01", "legal", "dover")),
        not(NotTheirs::SamePerson)
    );
    assert_eq!(grant(person("p02", "legal", "dover")), Ok(()));
    world.drive();
    assert!(world.run.finished());
    assert_eq!(
        decide(&mut world, Event::ApprovalRevoked, s151()),
        Err(Breach::TooLate)
    );
}

#[test]
fn a_refusal_stops_the_run_until_it_is_revoked() {
    let mut outline = gated();
    outline.steps.push(step(3, &[0]));
    let mut world = World::new(&of(outline.steps));
    world.dies_at = Some(world.log.len() + 4);
    world.drive();
    world.claim();
    let legal = || person("p02", "legal", "dover");
    if world.run.state(&id(1)).unwrap().requested.is_none() {
        world.append(start(&world, 1)).unwrap();
    }
    decide(&mut world, Event::ApprovalRefused, legal()).unwrap();
    world.drive();
    assert_ne!(world.run.state(&id(3)).unwrap().state, StepState::Committed);
    assert_eq!(refused(&world, bold(), about(3, 1, 1)), Breach::Refused);
    assert_eq!(world.run.rests().exit(), 5);
    let decided = Breach::NotTheirs(NotTheirs::Decided);
    assert_eq!(
        decide(&mut world, Event::ApprovalGranted, legal()),
        Err(decided)
    );
    decide(&mut world, Event::ApprovalRevoked, legal()).unwrap();
    decide(&mut world, Event::ApprovalGranted, legal()).unwrap();
    decide(
        &mut world,
        Event::ApprovalGranted,
        person("p01", "s151", "dover"),
    )
    .unwrap();
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
}

#[test]
fn a_paper_that_is_not_signed_starts_nothing() {
    let mut outline = outline(&[&[]]);
    outline.signed_by = vec![seat("s151", None), seat("legal", None)];
    seal(&mut outline);
    let mut world = World::new(&outline);
    assert_eq!(refused(&world, bold(), about(0, 1, 1)), Breach::Unsigned);
    assert!(world.run.idle(world.now));
    assert_eq!(world.run.unsigned().len(), 2);
    let paper = world.run.paper();
    world.agree(&On::Paper { paper });
    world.drive();
    assert!(world.run.finished());
}

#[test]
fn a_rollback_needs_two_people_and_says_exactly_what_it_does() {
    let mut outline = outline(&[&[], &[0]]);
    outline.signed_by = vec![seat("s151", None), seat("legal", None)];
    seal(&mut outline);
    let mut world = World::new(&outline);
    let paper = world.run.paper();
    world.agree(&On::Paper { paper });
    world.drive();
    let plan = world.run.rollback(0, world.now).unwrap();
    let preview = Digest::of(b"rb.preview");
    let alone = Event::RollbackStarted(plan.started(preview, UndoMode::Refuse, Vec::new()));
    assert_eq!(
        refused(&world, alone, |_| {}),
        Breach::FourEyes { needed: 2 }
    );
    let approvals = world.agree(&On::Rollback { preview });
    let mut less = plan.started(preview, UndoMode::Refuse, approvals.clone());
    less.undoes.pop();
    let less = Event::RollbackStarted(less);
    assert_eq!(refused(&world, less, |_| {}), Breach::NotThisRollback);
    let honest = plan.started(preview, UndoMode::Refuse, approvals);
    world.must(None, Event::RollbackStarted(honest));
    let undo = Event::UndoStarted(UndoStarted {
        mode: UndoMode::Refuse,
    });
    assert_eq!(
        refused(&world, undo.clone(), about(0, 1, 1)),
        Breach::Order(id(1))
    );
    let force = Event::UndoStarted(UndoStarted {
        mode: UndoMode::Force,
    });
    assert_eq!(refused(&world, force, about(1, 1, 1)), Breach::Mode);
    assert_eq!(refused(&world, bold(), about(1, 1, 2)), Breach::RollingBack);
    let done = Event::RollbackCommitted(RollbackCommitted { checkpoint: 0 });
    assert_eq!(refused(&world, done, |_| {}), Breach::Order(id(1)));
    world.drive();
    assert!(world.run.rolled_back());
    assert_eq!(refused(&world, bold(), about(0, 2, 1)), Breach::RolledBack);
    let twice = refused(&world, undo, about(0, 1, 1));
    assert!(matches!(twice, Breach::Generation(_)));
}

fn with_switch() -> Outline {
    let mut data = step(0, &[]);
    data.subjects = vec![Subject::Data];
    let mut letters = step(1, &[0]);
    letters.undo = Undo::ByHand("a correction letter".to_owned());
    letters.subjects = vec![Subject::Tenants];
    let mut contracts = step(2, &[]);
    contracts.subjects = vec![Subject::Contracts];
    let mut switch = step(3, &[0, 1, 2]);
    switch.undo = Undo::Cannot;
    switch.subjects = vec![Subject::Data, Subject::Staff];
    of(vec![data, letters, contracts, switch])
}

#[test]
fn past_the_point_of_no_return_only_open_subjects_are_rolled_back() {
    let mut world = World::new(&with_switch());
    world.drive();
    let plan = world.run.rollback(0, world.now).unwrap();
    assert_eq!(plan.undoes, [id(2)]);
    let stays: Vec<_> = plan.stays.iter().map(|(step, _)| step.clone()).collect();
    assert_eq!(stays, [id(3), id(1), id(0)]);
    assert!(world.roll_back(0, UndoMode::Refuse));
    let undo = Event::UndoStarted(UndoStarted {
        mode: UndoMode::Refuse,
    });
    assert_eq!(
        refused(&world, undo.clone(), about(0, 1, 1)),
        Breach::Irreversible
    );
    assert_eq!(refused(&world, undo, about(3, 1, 1)), Breach::Irreversible);
    world.drive();
    world.answer(&id(1), Answer::Undone, person("p02", "legal", "dover"));
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Undone);
}

#[test]
fn an_undo_that_comes_too_late_needs_a_person() {
    let mut staff = step(0, &[]);
    staff.undo_until = Some("2020-10-01T00:00:00Z".parse().unwrap());
    staff.subjects = vec![Subject::Staff];
    let mut world = World::new(&of(vec![staff, step(1, &[0])]));
    world.drive();
    assert!(world.roll_back(0, UndoMode::Refuse));
    world.pass(8 * 3600);
    world.drive();
    assert_eq!(world.run.state(&id(1)).unwrap().state, StepState::Undone);
    assert_eq!(world.run.state(&id(0)).unwrap().state, StepState::Stuck);
    assert_eq!(world.run.rests().exit(), 7);
    assert!(world.roll_back(0, UndoMode::Skip));
    world.drive();
    assert_eq!(world.run.state(&id(0)).unwrap().state, StepState::Committed);
    assert!(world.run.rolling_back().is_none());
}

#[test]
fn a_stuck_undo_stops_what_is_upstream_and_another_mode_goes_on() {
    let mut world = World::new(&outline(&[&[], &[0], &[]]));
    world.drive();
    world.undo_script.insert(id(1), vec![Outcome::Refused]);
    assert!(world.roll_back(0, UndoMode::Refuse));
    world.drive();
    let states: Vec<_> = world.states().into_iter().map(|(_, state)| state).collect();
    assert_eq!(
        states,
        [StepState::Committed, StepState::Stuck, StepState::Undone]
    );
    assert!(world.run.idle(world.now));
    assert!(world.roll_back(0, UndoMode::Force));
    world.drive();
    assert!(world.run.rolling_back().is_none());
    assert!(
        world
            .states()
            .iter()
            .all(|(_, state)| *state == StepState::Undone)
    );
}

#[test]
fn a_failed_step_takes_its_own_work_back_but_never_after_an_unknown() {
    let mut outline = outline(&[&[]]);
    outline.steps[0].on_failure = OnFailure::Undo;
    seal(&mut outline);
    let mut world = World::new(&outline);
    let undo = Event::UndoStarted(UndoStarted {
        mode: UndoMode::Refuse,
    });
    world.append(start(&world, 0)).unwrap();
    assert!(matches!(
        refused(&world, undo.clone(), about(0, 1, 1)),
        Breach::DoubleRun | Breach::NotListed
    ));
    let failed = |kind| {
        Event::StepFailed(StepFailed {
            kind,
            code: "HO901".into(),
            about: None,
            rows: 0,
            detail: None,
        })
    };
    world.must(
        Some(About {
            step: id(0),
            generation: 1,
            attempt: 1,
        }),
        failed(FaultKind::Transient),
    );
    assert_eq!(refused(&world, undo, about(0, 1, 1)), Breach::NotListed);
    world.pass(60);
    world.script.insert(id(0), vec![Outcome::Refused]);
    world.drive();
    let step = world.run.state(&id(0)).unwrap();
    assert_eq!((step.state, step.generation), (StepState::Undone, 1));
    assert_eq!(world.run.rests().exit(), 1);
    assert!(world.retry_failed());
    world.script.clear();
    world.drive();
    assert_eq!(world.run.state(&id(0)).unwrap().generation, 2);
    assert!(world.run.finished());
}

#[test]
fn counts_at_rest_and_at_the_end_must_be_true() {
    let mut world = World::new(&outline(&[&[]]));
    world.drive();
    let mut rested = world.run.counts();
    rested.completed += 1;
    assert_eq!(
        refused(&world, Event::RunRested(rested), |_| {}),
        Breach::Counts
    );
    let mut closing = world.run.closing();
    closing.root = Digest::ZERO;
    assert_eq!(
        refused(&world, Event::LogClosed(closing), |_| {}),
        Breach::Counts
    );
    world.must(None, Event::LogClosed(world.run.closing()));
    assert_eq!(
        refused(&world, Event::LeaseReleased(Empty {}), |_| {}),
        Breach::Closed
    );
    world.must(None, heartbeat());
}
