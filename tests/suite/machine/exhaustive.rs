//! Every small graph, every outcome, a kill at every entry: the run always comes to the same end.

use handover::machine::event::UndoMode;
use handover::plan::outline::{OnFailure, Outline};

use super::paper::{id, outline, seal};
use super::world::{Ended, Outcome, World};

const OUTCOMES: [Outcome; 5] = [
    Outcome::Ok,
    Outcome::Refused,
    Outcome::Transient,
    Outcome::Broken,
    Outcome::Hold,
];

/// Every graph of `count` steps, each after any of those before it.
fn graphs(count: usize) -> Vec<Outline> {
    let pairs: Vec<(usize, usize)> = (0..count)
        .flat_map(|later| (0..later).map(move |earlier| (earlier, later)))
        .collect();
    (0..1usize << pairs.len())
        .map(|chosen| {
            let mut after = vec![Vec::new(); count];
            for (bit, (earlier, later)) in pairs.iter().enumerate() {
                if chosen >> bit & 1 == 1 {
                    after[*later].push(*earlier);
                }
            }
            let after: Vec<&[usize]> = after.iter().map(Vec::as_slice).collect();
            outline(&after)
        })
        .collect()
}

/// Every first outcome of every step.
fn scripts(count: usize) -> Vec<Vec<Outcome>> {
    let total = OUTCOMES.len().pow(u32::try_from(count).unwrap());
    let digit = |number: usize, place: usize| {
        number / OUTCOMES.len().pow(u32::try_from(place).unwrap()) % OUTCOMES.len()
    };
    (0..total)
        .map(|number| {
            (0..count)
                .map(|place| OUTCOMES[digit(number, place)])
                .collect()
        })
        .collect()
}

/// To the end: people answer what holds; failures stand.
fn to_rest(world: &mut World) -> Ended {
    loop {
        if world.drive() == Ended::Killed {
            return Ended::Killed;
        }
        if !world.answer_holds() {
            return Ended::Rested;
        }
    }
}

fn world(outline: &Outline, script: &[Outcome]) -> World {
    let mut world = World::new(outline);
    for (at, outcome) in script.iter().enumerate() {
        world.script.insert(id(at), vec![*outcome]);
    }
    world
}

fn every_small_run(mut each: impl FnMut(&World)) {
    for count in 1..=3 {
        for mut outline in graphs(count) {
            for on_failure in [OnFailure::Hold, OnFailure::Undo] {
                for step in &mut outline.steps {
                    step.on_failure = on_failure;
                }
                seal(&mut outline);
                for script in scripts(count) {
                    each(&world(&outline, &script));
                }
            }
        }
    }
}

#[test]
fn a_run_killed_at_any_entry_comes_to_the_same_end() {
    let mut runs = 0;
    every_small_run(|fresh| {
        let mut calm = fresh.clone();
        assert_eq!(to_rest(&mut calm), Ended::Rested);
        for entries in fresh.log.len()..calm.log.len() {
            let mut killed = fresh.clone();
            killed.dies_at = Some(entries);
            to_rest(&mut killed);
            killed.claim();
            assert_eq!(to_rest(&mut killed), Ended::Rested);
            assert_eq!(calm.states(), killed.states(), "{}", killed.story());
            runs += 1;
        }
    });
    assert!(runs > 10_000, "{runs} runs");
}

#[test]
fn a_run_that_can_start_nothing_writes_nothing() {
    every_small_run(|fresh| {
        let mut world = fresh.clone();
        to_rest(&mut world);
        world.release();
        assert!(world.run.idle(world.now), "{}", world.story());
        let before = world.log.len() + 1;
        world.claim();
        world.drive();
        assert_eq!(world.log.len(), before, "{}", world.story());
    });
}

#[test]
fn every_rollback_ends_where_it_said_and_the_run_can_go_on() {
    every_small_run(|fresh| {
        let mut rested = fresh.clone();
        to_rest(&mut rested);
        for checkpoint in rested.run.checkpoints().to_vec() {
            let mut world = rested.clone();
            let keeps = world.run.kept_at(&checkpoint);
            if !world.roll_back(checkpoint.number, UndoMode::Refuse) {
                continue;
            }
            let mut killed = world.clone();
            world.drive();
            assert!(world.run.rolling_back().is_none(), "{}", world.story());
            let done: Vec<_> = world.books.done.iter().cloned().collect();
            assert_eq!(done, keeps, "{}", world.story());

            killed.dies_at = Some(killed.log.len() + 1);
            killed.drive();
            killed.claim();
            killed.drive();
            assert_eq!(world.states(), killed.states(), "{}", killed.story());

            world.script.clear();
            world.claim();
            while to_rest(&mut world) == Ended::Rested && world.retry_failed() {}
            assert!(world.run.finished(), "{}", world.story());
        }
    });
}
