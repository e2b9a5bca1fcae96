//! Whoever administers a database changes what its ledger says, or the source moves on: `verify
//! --against-live` tells it on every engine (T29, T34, T35).
//!
//! Not here: the same on files, in every way (`tamper::databases`).

use rusqlite::Connection;

use super::super::stage::{Said, Stage};
use super::ground::{Pair, Side};
use super::tales::eve;
use super::told;
use crate::engines::bases::Engine;

/// Tells a side a statement; `effect` in it stands for the ledger.
fn tell(side: &Side, sql: &str) {
    let ledger = match side.engine {
        Engine::Postgres => "handover.effect",
        Engine::Sqlite | Engine::Mariadb => "handover_effect",
    };
    let sql = sql.replace("LEDGER", ledger);
    if side.engine == Engine::Sqlite {
        Connection::open(&side.name)
            .unwrap()
            .execute_batch(&sql)
            .unwrap();
    } else {
        side.ask(&sql);
    }
}

fn looks(stage: &Stage) -> Said {
    stage.tell(&["verify", ".", "--against-live"])
}

#[test]
fn an_altered_ledger_and_a_source_that_moved_on_are_told_on_every_engine() {
    told::along("databases attacked", 3, Pair::has_server, |pair, _| {
        let stage = eve(pair).stage.copy();
        stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
        looks(&stage).is(
            0,
            &["each with its mark in the log", "each as it was copied"],
        );
        let [source, target] = &stage.ground.as_ref().unwrap().sides;

        // A catch-up is to come: what moves on until then is no drift, and is told all the same.
        let first = "(SELECT first FROM (SELECT min(house_ref) AS first FROM member) AS x)";
        let moved = format!("UPDATE member SET forename = 'Zz' WHERE house_ref = {first}");
        tell(source, &moved);
        let drift = "`member` of citywest read again";
        looks(&stage).is(0, &[drift, "has yet to bring that over"]);

        let second = "WHERE step = 'copy-homes' AND ordinal = 2";
        tell(target, &format!("UPDATE LEDGER SET log_seq = 1 {second}"));
        looks(&stage).is(
            6,
            &[
                "EFFECT_MISMATCH",
                "it did not begin at the entry that it names",
            ],
        );
        told::add(pair, "ledgers altered", 1);
    });
}

#[test]
fn an_effect_that_stands_again_after_a_rollback_is_told_on_every_engine() {
    told::along("rollbacks attacked", 3, Pair::has_server, |pair, _| {
        let stage = eve(pair).stage.copy();
        stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
        stage.way_back(&[]);
        stage.tell(&stage.back()).is(0, &["Rolled back"]);
        looks(&stage).is(0, &["0 stand as they were written"]);
        let [_, target] = &stage.ground.as_ref().unwrap().sides;
        tell(
            target,
            "UPDATE LEDGER SET undone_at = NULL WHERE step = 'copy-homes' AND ordinal = 2",
        );
        looks(&stage).is(6, &["ROLLBACK_ROOT"]);
        told::add(pair, "rollbacks altered", 1);
    });
}
