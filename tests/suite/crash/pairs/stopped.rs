//! Processes that stop themselves in the midst of their work, as a machine does that is suspended, and are
//! continued after the world has moved on: another executor has claimed the run, the server was killed and
//! is back, their connections were cut.
//!
//! Not here: processes that die (`kills`).

use std::process::{Child, Stdio};

use rusqlite::{Connection, ErrorCode};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::super::chance::Chance;
use super::super::stage::{Said, Stage, everything};
use super::ground::{Pair, Side};
use super::tales::{Eve, eve, same};
use super::told;
use crate::engines::bases::Engine;

/// A process that has stopped itself.
pub(super) struct Stopped(Child);

impl Stopped {
    /// Starts `run`, which stops at `point`; what it said where it never came there.
    pub(super) fn at(stage: &Stage, point: &str) -> Result<Stopped, Said> {
        Stopped::by(stage, &["run", "."], point)
    }

    /// The same of another command.
    pub(super) fn by(stage: &Stage, command: &[&str], point: &str) -> Result<Stopped, Said> {
        let mut process = stage.handover();
        process.args(command).env("HANDOVER_STOP", point);
        let child = process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let either = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(pid(&child)), either).unwrap().unwrap();
        if status.stopped() {
            Ok(Stopped(child))
        } else {
            Err(Said::of(child.wait_with_output().unwrap()))
        }
    }

    /// Starts `run` on a fresh stage, which stops at `point`, or at an earlier one of its kind where there
    /// are not so many; never nowhere. With the stage and the point.
    pub(super) fn on(stage: impl Fn() -> Stage, point: &str) -> (Stage, Stopped, String) {
        let (kind, count) = point.split_once(':').unwrap();
        let mut count: u64 = count.parse().unwrap();
        loop {
            let (stage, point) = (stage(), format!("{kind}:{count}"));
            match Stopped::at(&stage, &point) {
                Ok(stopped) => return (stage, stopped, point),
                // It came to its end before.
                Err(said) => said.is(4, &[]),
            }
            assert!(count > 1, "no process comes by {point}");
            count /= 2;
        }
    }

    /// Continues it, and waits for its end.
    pub(super) fn goes_on(self) -> Said {
        kill_process(pid(&self.0), Signal::CONT).unwrap();
        Said::of(self.0.wait_with_output().unwrap())
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Points all along the copy: in the midst of a load, and right after a chunk.
pub(super) fn points(eve: &Eve, chance: &mut Chance, count: u64) -> Vec<String> {
    let loads = chance.spread(count, eve.chunks);
    let chunks = chance.spread(count / 2, eve.chunks);
    let loads = loads.iter().map(|at| format!("load:{at}"));
    let chunks = chunks.iter().map(|at| format!("chunk:{at}"));
    loads.chain(chunks).collect()
}

/// How many points are tried in a direction.
pub(super) fn tries() -> u64 {
    if everything() { 8 } else { 2 }
}

/// What was left of a lease runs out; false where the sleeper was just writing to the journal, and nobody
/// else can.
pub(super) fn lease_ends(stage: &Stage) -> bool {
    let journal = Connection::open(stage.path.join(".handover/journal.db")).unwrap();
    let ended = "UPDATE lease SET expires = '2000-01-01T00:00:00.000Z'";
    match journal.execute(ended, []) {
        Ok(leases) => leases == 1,
        Err(busy) => {
            assert_eq!(busy.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
            false
        }
    }
}

#[test]
fn an_executor_that_wakes_after_another_has_claimed_its_run_writes_nothing_on_any_engine() {
    told::along(
        "stopped past the lease",
        1,
        Pair::has_server,
        |pair, chance| {
            let eve = eve(pair);
            let points = points(&eve, chance, tries());
            for point in points {
                overtaken(pair, &eve, &point);
            }
        },
    );
}

fn overtaken(pair: Pair, eve: &Eve, point: &str) {
    let (stage, old, point) = Stopped::on(|| eve.stage.copy(), point);
    let when = format!("{pair}, stopped at {point}");
    if !lease_ends(&stage) {
        assert_eq!(old.goes_on().code, Some(4), "{when}");
        told::add(pair, "journal held by a sleeper", 1);
        return same(&stage, &eve.copied, &when);
    }
    let new = stage.tell(&["run", "."]);
    // Whoever sleeps within a transaction holds the file: the new executor cannot raise its fence there, is
    // told, and goes without having written. The sleeper gets as far as its next word to the journal.
    let held = pair.to == Engine::Sqlite && new.code != Some(4);
    if held {
        assert!(
            [Some(8), Some(9)].contains(&new.code),
            "{when}: {}",
            new.text
        );
        told::add(pair, "file held by a sleeper", 1);
    } else {
        assert_eq!(new.code, Some(4), "{when}: {}", new.text);
        same(&stage, &eve.copied, &when);
        told::add(pair, "taken over", 1);
    }
    let woke = old.goes_on();
    assert!(
        ![Some(0), Some(4)].contains(&woke.code),
        "{when}: {}",
        woke.text
    );
    if !held {
        same(&stage, &eve.copied, &format!("{when}, after it woke"));
    }
    stage.tell(&["run", "."]).is(4, &[]);
    same(&stage, &eve.copied, &format!("{when}, in the end"));
}

#[test]
fn connections_that_are_cut_in_mid_load_lose_nothing_and_double_nothing() {
    told::along("connections cut", 1, Pair::has_server, |pair, chance| {
        let eve = eve(pair);
        let points = points(&eve, chance, tries().div_ceil(2));
        for point in points {
            let (stage, cut, point) = Stopped::on(|| eve.stage.copy(), &point);
            cut_off(&stage);
            let when = format!("{pair}, cut at {point}");
            let said = cut.goes_on();
            assert_eq!(said.code, Some(4), "{when}: {}", said.text);
            same(&stage, &eve.copied, &when);
            told::add(pair, "cuts", 1);
        }
    });
}

/// Ends every connection to the databases of a stage, as an administrator does.
pub(super) fn cut_off(stage: &Stage) {
    let ground = stage.ground.as_ref().unwrap();
    ground.sides.iter().for_each(cut_from);
}

fn cut_from(side: &Side) {
    match side.engine {
        Engine::Sqlite => {}
        Engine::Postgres => {
            side.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
        }
        Engine::Mariadb => {
            let others = "SELECT id FROM information_schema.processlist
                          WHERE db = DATABASE() AND id <> CONNECTION_ID()";
            for id in side.ask(others).lines() {
                side.ask(&format!("KILL {id}"));
            }
        }
    }
}
