//! A plan that says `indexes = "rebuild locked"`: whoever dies among the rows or among the indexes leaves the
//! target as it was, however often, and in the end it holds what it holds when nobody disturbs the run; the
//! way back ends where it began. Who is stopped there and overtaken writes nothing.
//!
//! Not here: the library's own calls (`engines::locked`), empty tables (`rebuilt`).

use super::ground::Pair;
use super::rebuilt::{RUN, amended, there_and_back};
use super::stopped::{Stopped, lease_ends};
use super::tales::{eve, same};
use super::told;
use crate::engines::bases::Engine;

const WORD: &str = "rebuild locked";
const TOLD: &str = "are one group, filled in one transaction: they are locked (ACCESS EXCLUSIVE)";

/// Directions that end on `PostgreSQL`; every sample has one.
fn to_postgres(pair: Pair) -> bool {
    pair.to == Engine::Postgres
}

#[test]
fn a_copy_under_a_lock_that_dies_was_never_there() {
    told::along("locked", 1, to_postgres, |pair, _| {
        let eve = eve(pair);
        let stage = amended(&eve, WORD, TOLD);
        let mut arguments = RUN.to_vec();
        for point in ["load:1", "load:3", "built:1", "built:3"] {
            stage.dies(&arguments, point);
            same(&stage, &eve.before, &format!("{pair}, dead at {point}"));
            told::add(pair, "kills under a lock", 1);
            // The amendment was taken: `run` goes on with it.
            arguments = vec!["run", "."];
        }
        // Here all of it is durable, and the log does not know yet.
        stage.dies(&arguments, "chunk:1");
        there_and_back(pair, &eve, &stage);
    });
}

#[test]
fn who_sleeps_with_the_lock_is_overtaken_and_writes_nothing() {
    told::along("asleep with a lock", 1, to_postgres, |pair, _| {
        let eve = eve(pair);
        for point in ["load:2", "built:1"] {
            let stage = amended(&eve, WORD, TOLD);
            let Ok(old) = Stopped::by(&stage, &RUN, point) else {
                panic!("{pair}: nobody comes by {point}")
            };
            let when = format!("{pair}, stopped at {point}");
            if !lease_ends(&stage) {
                assert_eq!(old.goes_on().code, Some(4), "{when}");
                same(&stage, &eve.copied, &when);
                told::add(pair, "journal held by a sleeper", 1);
                continue;
            }
            stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
            same(&stage, &eve.copied, &when);
            let woke = old.goes_on();
            assert!(
                ![Some(0), Some(4)].contains(&woke.code),
                "{when}: {}",
                woke.text
            );
            same(&stage, &eve.copied, &format!("{when}, after it woke"));
            told::add(pair, "taken over under a lock", 1);
        }
    });
}
