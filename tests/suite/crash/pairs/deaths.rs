//! The server itself is killed under a run, with all of its processes at once, and started again.
//!
//! Not here: connections that are cut one by one (`stopped`).

use std::sync::{Arc, Mutex};

use handover::demo::servers::{Durability, Kind, Server};

use super::ground::{Mortal, Pair};
use super::stopped::{Stopped, points, tries};
use super::tales::{eve, same};
use super::told;
use crate::engines::bases::Engine;

/// A server that no other test uses.
pub(super) fn mortal(engine: Engine, settings: &[String]) -> Option<Mortal> {
    let kind = match engine {
        Engine::Sqlite => return None,
        Engine::Postgres => Kind::Postgres,
        Engine::Mariadb => Kind::Mariadb,
    };
    let server = Server::throw_away_with(kind, Durability::Process, settings).unwrap();
    Some(Arc::new(Mutex::new(server)))
}

#[test]
fn a_server_that_is_killed_under_a_run_and_comes_back_has_every_row_once() {
    told::along("servers killed", 1, Pair::has_server, |pair, chance| {
        let points = points(&eve(pair), chance, tries().div_ceil(2));
        let servers: Vec<Mortal> = if pair.from == pair.to {
            mortal(pair.to, &[]).into_iter().collect()
        } else {
            [pair.from, pair.to]
                .iter()
                .filter_map(|engine| mortal(*engine, &[]))
                .collect()
        };
        for point in points {
            for dies in &servers {
                died(pair, &servers, dies, &point);
            }
        }
    });
}

fn died(pair: Pair, servers: &[Mortal], dies: &Mortal, point: &str) {
    let eve = eve(pair);
    let fresh = || {
        eve.stage
            .copy_on(|ground, above| ground.copy_on(servers, above))
    };
    let (stage, run, point) = Stopped::on(fresh, point);
    let mut server = dies.lock().unwrap();
    let when = format!("{pair}, {} killed at {point}", server.kind());
    server.kill();
    server.start_again().unwrap();
    drop(server);
    let said = run.goes_on();
    assert_eq!(said.code, Some(4), "{when}: {}", said.text);
    same(&stage, &eve.copied, &when);
    told::add(pair, "server deaths", 1);
}
