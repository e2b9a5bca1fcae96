//! The target's disk is full. A run says so with its code and stops where it is: nothing has failed, nothing
//! is half there; it goes on once there is room, and what was copied can be taken back while there is none.
//!
//! No right to mount anything is needed. PostgreSQL keeps an index in files of a gigabyte: one is stretched to
//! that, without using the room, and the next is `/dev/full`, which the kernel answers writes to with "no
//! space left on device". MariaDB is given one file with a limit, which is filled up. A file of `SQLite`
//! may not grow beyond a limit of the process.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use handover::demo::servers::Server;
use rusqlite::Connection;

use super::super::rows::{Held, differences};
use super::super::stage::{Said, Stage};
use super::deaths::mortal;
use super::ground::{Mortal, Pair, Side};
use super::tales::{Eve, eve, same};
use super::told;
use crate::engines::bases::Engine;

#[test]
fn a_target_without_room_stops_the_run_with_nothing_half_done_and_lets_it_go_on_or_back() {
    told::along(
        "target full",
        3,
        |_| true,
        |pair, chance| {
            let eve = eve(pair);
            let grown = grown(&eve);
            let drawn = chance.between(0, grown.len() as u64 - 1);
            let table = &grown[usize::try_from(drawn).unwrap()];
            for back in [false, true] {
                filled_up(pair, &eve, table, back);
            }
        },
    );
}

/// Tables that take several chunks.
fn grown(eve: &Eve) -> Vec<String> {
    let rows = |held: &Held, table: &str| held.get(table).map_or(0, Vec::len);
    let several = |table: &&String| rows(&eve.copied, table) > rows(&eve.before, table) + 120;
    let names = eve.copied.keys().filter(several);
    names
        .filter_map(|name| Some(name.strip_prefix("westminster.")?.to_owned()))
        .collect()
}

/// Runs until there is no room for more of `table`, says so twice, and then goes back or on.
fn filled_up(pair: Pair, eve: &Eve, table: &str, back: bool) {
    let server = (pair.to == Engine::Mariadb).then(|| mortal(pair.to, &one_file(48)).unwrap());
    let stage = match &server {
        Some(server) => {
            let servers = std::slice::from_ref(server);
            eve.stage
                .copy_on(|ground, above| ground.copy_on(servers, above))
        }
        None => eve.stage.copy(),
    };
    let when = format!("{pair}, no room for `{table}`");
    let full = Full::make(&stage, table);
    for _ in 0..2 {
        let said = full.tell(&stage, "run .");
        said.is(9, &["HO904", "goes on from its marks"]);
        assert!(!said.text.contains("FAILED"), "{when}: {}", said.text);
    }
    let held = stage.held();
    within(pair.to, &held, &eve.copied, &when);
    // A server that had no room for the very first row has nothing to take back.
    if back && !differences(&eve.before, &held).is_empty() {
        stage.way_back(&[]);
        let plan = stage.plan;
        let said = full.tell(
            &stage,
            &format!("rollback . --signed back.preview --confirm {plan}"),
        );
        if said.code == Some(9) {
            // Taking rows back may need room as well.
            said.is(9, &["HO904"]);
            let torn = full.tore_its_rollback();
            full.has_room();
            rolled_back(&stage, torn);
        } else {
            said.is(0, &["Rolled back"]);
        }
        same(&stage, &eve.before, &format!("{when}, rolled back"));
    } else {
        full.has_room();
        stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
        same(&stage, &eve.copied, &format!("{when}, gone on"));
    }
    told::add(pair, "full disks", 1);
}

/// Goes on with a rollback now that there is room. Where the server lost the end of its own rollback
/// (`torn`), the run may find rows that are neither as it wrote them nor as they were: it names them and
/// touches none, and a person has them taken back too.
#[track_caller]
fn rolled_back(stage: &Stage, torn: bool) {
    let said = stage.tell(&["run", "."]);
    if !torn || said.code == Some(0) {
        return said.is(0, &["Rolled back"]);
    }
    said.is(7, &["HO527", "rows changed since"]);
    stage.way_back(&["--changed", "force"]);
    stage.tell(&stage.back()).is(0, &["Rolled back"]);
}

/// Every row that is there is one that should be, as often as it should at most. Where the room ended
/// between a table's two passes, a home does not know its block yet.
#[track_caller]
fn within(target: Engine, held: &Held, wanted: &Held, when: &str) {
    for (table, rows) in held {
        let homes = table == "westminster.asset";
        let mut left = wanted[table].iter();
        for row in rows {
            let there = left.any(|other| other == row || homes && *row == blockless(target, other));
            assert!(there, "{when}: {table}: {:#?}", differences(wanted, held));
        }
    }
}

/// A home's row before the second pass, which tells the homes their blocks once all are there.
fn blockless(target: Engine, home: &str) -> String {
    let (between, block, none) = match target {
        Engine::Sqlite => ('|', 4, "null"),
        Engine::Postgres => (',', 3, "\"parent_asset_id\":null"),
        Engine::Mariadb => ('|', 3, "NULL"),
    };
    let mut cells: Vec<&str> = home.split(between).collect();
    cells[block] = none;
    cells.join(&between.to_string())
}

/// A target that has no room.
enum Full {
    /// The segment that cannot be written to.
    Segment(PathBuf),
    /// The server whose one file is full of ballast.
    Ballast(Mortal),
    /// The file of which no more than so many KiB may be written.
    Limit(PathBuf, u32),
}

impl Full {
    fn make(stage: &Stage, table: &str) -> Full {
        let target = stage.ground.as_ref().unwrap().target();
        match target.engine {
            Engine::Postgres => Full::Segment(segment(target, table)),
            Engine::Mariadb => Full::Ballast(ballast(target)),
            Engine::Sqlite => Full::Limit(PathBuf::from(&target.name), 400),
        }
    }

    fn tell(&self, stage: &Stage, command: &str) -> Said {
        let mut told = stage.handover();
        if let Full::Limit(file, kib) = self {
            emptied(file);
            emptied(&stage.path.join(".handover/journal.db"));
            let program = env!("CARGO_BIN_EXE_handover");
            // In blocks of 512 bytes, as POSIX has it.
            let within = format!(
                "ulimit -f {}; trap '' XFSZ; exec {program} --plain {command}",
                kib * 2
            );
            let mut shell = Command::new("sh");
            shell.args(["-c", &within]).current_dir(&stage.path);
            shell.envs(
                told.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            // Many small chunks would fill the journal first.
            shell.env_remove("HANDOVER_CHUNK_ROWS");
            return Said::of(shell.output().unwrap());
        }
        Said::of(told.args(command.split(' ')).output().unwrap())
    }

    /// `InnoDB` that finds no room to roll a transaction back ends its own process there; once started
    /// again it does not always restore every row of it (seen with MariaDB 10.11.19).
    fn tore_its_rollback(&self) -> bool {
        let Full::Ballast(server) = self else {
            return false;
        };
        let log = std::fs::read_to_string(server.lock().unwrap().log()).unwrap();
        log.contains("(Out of disk space) in rollback")
    }

    fn has_room(&self) {
        match self {
            Full::Segment(file) => std::fs::remove_file(file).unwrap(),
            Full::Ballast(server) => {
                larger(&mut server.lock().unwrap(), 96);
            }
            Full::Limit(..) => {}
        }
    }
}

/// Nothing is left in a file's write-ahead log, so that all that is written now counts.
fn emptied(file: &Path) {
    let file = Connection::open(file).unwrap();
    let done: rusqlite::Result<i64> =
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    assert_eq!(done.unwrap(), 0);
}

/// The file behind that of the primary key of a table: nobody reads an index from one end to the other.
fn segment(target: &Side, table: &str) -> PathBuf {
    target.ask("CHECKPOINT");
    let first = target.ask(&format!(
        "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(indexrelid)
         FROM pg_index WHERE indrelid = '\"{table}\"'::regclass AND indisprimary"
    ));
    let file = File::options().write(true).open(&first).unwrap();
    file.set_len(1 << 30).unwrap();
    let next = PathBuf::from(format!("{first}.1"));
    symlink("/dev/full", &next).unwrap();
    next
}

/// All tables in one file of so many MiB at most.
fn one_file(most: u32) -> [String; 3] {
    [
        "--innodb-file-per-table=0".to_owned(),
        format!("--innodb-data-file-path=ibdata1:12M:autoextend:max:{most}M"),
        "--innodb-autoextend-increment=1".to_owned(),
    ]
}

/// Fills the server's one file up, and makes it larger by what takes a few tables: the engine keeps some of
/// that to itself.
fn ballast(target: &Side) -> Mortal {
    let mortal = target.mortal().unwrap();
    let mut server = mortal.lock().unwrap();
    server.create_database("ballast").unwrap();
    server
        .ask("ballast", "CREATE TABLE heavy (b longblob)")
        .unwrap();
    let more = "INSERT INTO heavy VALUES (repeat('x', 500000))";
    while server.ask("ballast", more).is_ok() {}
    larger(&mut server, 52);
    drop(server);
    mortal
}

/// Starts a server again whose file may grow further.
fn larger(server: &mut Server, most: u32) {
    server.kill();
    server.set(&one_file(most));
    server.start_again().unwrap();
}
