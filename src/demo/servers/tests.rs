//! Servers are started, killed, started again and outlived by nothing.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{Durability, Kind, Server, ServerError, binaries};

const KINDS: [Kind; 2] = [Kind::Postgres, Kind::Mariadb];

/// The kinds that are here; in CI all must be.
fn installed() -> Vec<Kind> {
    let missing = std::env::var_os("CI").is_none();
    let there = |kind: &Kind| !missing || binaries(*kind).is_ok();
    KINDS.into_iter().filter(there).collect()
}

fn soon(what: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !what() {
        if begun.elapsed() > Duration::from_secs(20) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn pid(server: &Server) -> Pid {
    server.running.as_ref().unwrap().pid()
}

fn is_alive(pid: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok() && !state.is_ok_and(|stat| stat.contains(") Z "))
}

fn open_folder() -> tempfile::TempDir {
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    tempfile::Builder::new()
        .permissions(open)
        .tempdir()
        .unwrap()
}

#[test]
fn it_answers_survives_a_kill_and_stops() {
    for kind in installed() {
        let mut server = Server::throw_away(kind, Durability::Full).unwrap();
        let room = server.socket_folder().to_path_buf();
        server.create_database("housing").unwrap();
        server.create_database("housing").unwrap();
        server.ask("housing", "CREATE TABLE t (a int)").unwrap();
        server.ask("housing", "INSERT INTO t VALUES (7)").unwrap();
        server.kill();
        let dead = server.ask("housing", "SELECT 1");
        assert!(matches!(dead, Err(ServerError::Refused { .. })), "{dead:?}");
        server.start_again().unwrap();
        assert_eq!(server.ask("housing", "SELECT a FROM t").unwrap(), "7");
        server.stop();
        server.start_again().unwrap();
        assert_eq!(server.ask("housing", "SELECT a FROM t").unwrap(), "7");
        assert!(server.version().starts_with(&kind.to_string()));
        let pid = pid(&server);
        drop(server);
        assert!(!is_alive(pid));
        assert!(!room.exists());
    }
}

#[test]
fn data_in_a_folder_is_used_again() {
    for kind in installed() {
        for folder in [open_folder(), tempfile::tempdir().unwrap()] {
            let start = || Server::start(kind, Durability::Process, folder.path());
            let server = start().unwrap();
            server.create_database("kept").unwrap();
            drop(server);
            let server = start().unwrap();
            server.ask("kept", "SELECT 1").unwrap();
            let data = server.places.data.clone();
            server.remove().unwrap();
            assert!(!data.exists());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

#[test]
fn a_half_made_data_folder_is_made_anew() {
    for kind in installed() {
        let folder = open_folder();
        let draft = folder.path().join(kind.word()).with_extension("draft");
        std::fs::create_dir(&draft).unwrap();
        std::fs::write(draft.join("half"), "").unwrap();
        let server = Server::start(kind, Durability::Process, folder.path()).unwrap();
        server.create_database("whole").unwrap();
        server.remove().unwrap();
    }
}

#[test]
fn a_server_that_ends_of_itself_ends_its_watchdog_and_starts_again() {
    for kind in installed() {
        let mut server = Server::throw_away(kind, Durability::Process).unwrap();
        kill_process(pid(&server), Signal::TERM).unwrap();
        let running = server.running.as_mut().unwrap();
        assert!(running.ends_within(Duration::from_secs(20)));
        server.start_again().unwrap();
        server.create_database("again").unwrap();
    }
}

/// Says in the environment where a parent that is to be killed tells of its servers.
const TELL: &str = "HO_TELL";

/// The life of that parent: it starts a server to throw away and one to keep, tells where they are, and
/// waits for its end.
fn live_to_be_killed(told: &Path) {
    let asked = std::env::var("HO_KIND").unwrap();
    let kind = KINDS.into_iter().find(|kind| kind.word() == asked).unwrap();
    let thrown = Server::throw_away(kind, Durability::Process).unwrap();
    let kept = Server::start(kind, Durability::Process, &told.with_extension("kept")).unwrap();
    let line = |server: &Server| {
        let room = server.socket_folder().display();
        format!("{} {room}\n", pid(server).as_raw_nonzero())
    };
    let draft = told.with_extension("draft");
    std::fs::write(&draft, line(&thrown) + &line(&kept)).unwrap();
    std::fs::rename(&draft, told).unwrap();
    std::thread::sleep(Duration::from_mins(2));
}

/// This very test in a process of its own, as such a parent.
fn parent(kind: Kind, told: &Path) -> Command {
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = "a_killed_parent_leaves_nothing_and_the_next_goes_on_at_once";
    let mut parent = Command::new(std::env::current_exe().unwrap());
    parent.args(["--exact", &format!("{module}::{name}"), "--nocapture"]);
    parent.env(TELL, told).env("HO_KIND", kind.word());
    parent
}

#[test]
fn a_killed_parent_leaves_nothing_and_the_next_goes_on_at_once() {
    if let Some(told) = std::env::var_os(TELL) {
        return live_to_be_killed(Path::new(&told));
    }
    for kind in installed() {
        let folder = open_folder();
        let told = folder.path().join("told");
        let mut parent = parent(kind, &told).spawn().unwrap();
        assert!(soon(|| told.exists()), "{kind} was not started");
        parent.kill().unwrap();
        parent.wait().unwrap();
        let kept = told.with_extension("kept");
        let next = Server::start(kind, Durability::Process, &kept).unwrap();
        for line in std::fs::read_to_string(&told).unwrap().lines() {
            let (pid, room) = line.split_once(' ').unwrap();
            let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
            assert!(soon(|| !is_alive(pid)), "{kind} is still there");
            assert!(soon(|| !Path::new(room).exists()), "{room} is still there");
        }
        next.remove().unwrap();
    }
}

#[test]
fn a_folder_that_holds_no_data_is_refused_in_words() {
    for kind in installed() {
        let folder = open_folder();
        let data = folder.path().join(kind.word());
        std::fs::create_dir(&data).unwrap();
        let start = || Server::start(kind, Durability::Process, folder.path());
        let silent = start().unwrap_err();
        assert!(matches!(silent, ServerError::Silent { ended: true, .. }));
        assert!(silent.to_string().len() < 800, "{silent}");
        std::fs::remove_dir(&data).unwrap();
        start().unwrap().remove().unwrap();
    }
}

#[test]
fn only_plain_names_reach_a_server() {
    for kind in installed() {
        let server = Server::throw_away(kind, Durability::Process).unwrap();
        for name in ["", "a b", "a`; DROP", "é"] {
            let refused = server.create_database(name);
            assert!(matches!(refused, Err(ServerError::Name(_))), "{refused:?}");
        }
        let room = server.socket_folder().display().to_string();
        let url = server.url("x");
        assert!(url.contains(&room.replace('/', "%2F")), "{url}");
        let refused = server.ask("", "SELECT nothing FROM nowhere").unwrap_err();
        assert!(refused.to_string().contains("refused"), "{refused}");
    }
}
