//! SIGKILL of the executor: after entries, between a chunk and its mark, and while rows are on their way
//! into a table.

use super::super::chance::Chance;
use super::super::rows::differences;
use super::super::stage::{Said, everything};
use super::super::sweep::sweep;
use super::ground::Pair;
use super::tales::{same, tale};
use super::told;

/// Where processes of a sampled tale die, in turns: after a load the next is let get on.
const POINTS: [(&str, u64, u64); 4] = [
    ("load", 1, 12),
    ("entry", 25, 60),
    ("chunk", 1, 8),
    ("entry", 25, 60),
];

/// With `HANDOVER_FULL=1` processes die after every third to eighth commit, chunk and load of nine tales
/// in each direction; otherwise here and there in one tale of three directions.
#[test]
fn an_executor_killed_anywhere_leaves_every_engine_with_the_same_rows() {
    told::along(
        "executors killed",
        3,
        |_| true,
        |pair, chance| {
            if everything() {
                swept(pair);
            } else {
                killed_along(pair, chance);
            }
        },
    );
}

/// One tale, in which one process after the other is killed.
fn killed_along(pair: Pair, chance: &mut Chance) {
    let tale = tale(pair);
    let stage = tale.begun.copy();
    let mut kills = 0;
    for (point, low, high) in POINTS.iter().cycle() {
        let point = format!("{point}:{}", chance.between(*low, *high));
        let mut demo = stage.demo(None);
        let said = Said::of(demo.env("HANDOVER_KILL", &point).output().unwrap());
        if !said.was_killed() {
            said.is(0, &[]);
            break;
        }
        kills += 1;
        assert!(kills < 500, "{pair}: no end: {}", said.text);
    }
    assert!(kills > 0, "{pair}");
    same(&stage, &tale.told, &format!("{pair} after {kills} kills"));
    told::add(pair, "kills", kills);
}

fn swept(pair: Pair) {
    let tale = tale(pair);
    for (word, depths) in [("commit", 3..=8), ("chunk", 1..=2), ("load", 1..=2)] {
        let swept = sweep(&tale.begun, word, depths, &|stage| {
            let differences = differences(&tale.told, &stage.held());
            (!differences.is_empty()).then(|| format!("{differences:#?}"))
        });
        assert!(swept.faults.is_empty(), "{pair}: {:#?}", swept.faults);
        assert!(swept.kills > 0, "{pair}: {word}");
        let what = match word {
            "commit" => "kills after commits",
            "chunk" => "kills after chunks",
            _ => "kills in loads",
        };
        told::add(pair, what, swept.kills);
        if word == "commit" {
            let reached = tale.commits.intersection(&swept.after).count();
            told::add(pair, "commits", tale.commits.len() as u64);
            told::add(pair, "of them killed after", reached as u64);
        }
    }
}
