//! The way back to before the copy: killed again and again in its midst, with its connections cut and its
//! servers killed, it gives every engine the rows, indexes and triggers that stood there.

use super::super::stage::{Stage, everything};
use super::ground::Pair;
use super::stopped::{Stopped, cut_off};
use super::tales::{Eve, eve, same};
use super::told;
use crate::engines::bases::Engine;

/// A copied stage, and the signed way back in `back.preview`.
fn ready(eve: &Eve) -> Stage {
    let stage = eve.stage.copy();
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
    stage.way_back(&[]);
    stage
}

#[test]
fn a_rollback_that_is_killed_again_and_again_gives_every_engine_its_rows_back() {
    told::along("rollbacks killed", 1, Pair::has_server, |pair, _| {
        let eve = eve(pair);
        let depths = if everything() { 1..=4 } else { 2..=2 };
        for depth in depths {
            killed_on_the_way(pair, &eve, depth);
        }
    });
}

/// Every process dies: at its n-th undone effect, or one entry further than the last.
fn killed_on_the_way(pair: Pair, eve: &Eve, depth: u64) {
    let stage = ready(eve);
    let (mut kills, mut arguments) = (0, stage.back().to_vec());
    loop {
        let point = match kills % 2 {
            0 => format!("undo:{depth}"),
            _ => format!("commit:{}", 2 + kills / 2),
        };
        let said = stage.tell_until(&arguments, &point);
        if !said.was_killed() {
            assert!(
                said.text.contains("Rolled back"),
                "{pair}, {point}: {}",
                said.text
            );
            break;
        }
        kills += 1;
        // The way back was taken: `run` goes on with it.
        arguments = vec!["run", "."];
        assert!(kills < 200, "{pair}: no end: {}", said.text);
    }
    same(
        &stage,
        &eve.before,
        &format!("{pair}, {kills} kills on the way back"),
    );
    told::add(pair, "rollback kills", kills);
}

/// A server that empties a table does so by itself: before the first, between two, behind the last.
#[test]
fn a_rollback_that_dies_while_it_empties_tables_is_finished_by_the_next() {
    let empties = |pair: Pair| pair.to == Engine::Mariadb;
    told::along("tables emptied", 1, empties, |pair, chance| {
        let eve = eve(pair);
        let depths: Vec<u64> = if everything() {
            (1..=100).collect()
        } else {
            vec![1, 2, chance.between(3, 15)]
        };
        let mut kills = 0;
        for depth in depths {
            let stage = ready(&eve);
            let point = format!("emptying:{depth}");
            let said = stage.tell_until(&stage.back(), &point);
            if !said.was_killed() {
                said.is(0, &["Rolled back"]);
                break;
            }
            kills += 1;
            stage.tell(&["run", "."]).is(0, &["Rolled back"]);
            same(&stage, &eve.before, &format!("{pair} after {point}"));
        }
        assert!(kills > 1, "{pair}: no table was emptied");
        told::add(pair, "kills among emptied tables", kills);
    });
}

#[test]
fn a_rollback_whose_connections_are_cut_gives_every_engine_its_rows_back() {
    told::along("rollbacks cut", 1, Pair::has_server, |pair, _| {
        let eve = eve(pair);
        let stage = ready(&eve);
        let Ok(cut) = Stopped::by(&stage, &stage.back(), "undo:3") else {
            panic!("{pair}: nothing to undo");
        };
        cut_off(&stage);
        let said = cut.goes_on();
        said.is(0, &["Rolled back"]);
        same(&stage, &eve.before, &format!("{pair}, cut on the way back"));
        told::add(pair, "rollback cuts", 1);
    });
}
