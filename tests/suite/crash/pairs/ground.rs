//! The two databases of one direction, each on an engine of its own, as often as a test wants them: made
//! empty, kept as a dump, and made again from it under another name, on any server of that engine.
//!
//! Not here: the plan folder beside them (`stage`), what stands in them (`oracle`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use handover::demo::servers::{Kind, Server, binaries};
use tempfile::TempDir;

use super::super::rows::Held;
use super::oracle;
use crate::engines::bases::Engine;

/// The organisations of the plan that every direction plays, and the variables that name their databases.
const ORGS: [(&str, &str); 2] = [
    ("citywest", "CITYWEST_DB"),
    ("westminster", "WESTMINSTER_DB"),
];

/// A direction: where rows come from, where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::crash) struct Pair {
    pub(super) from: Engine,
    pub(super) to: Engine,
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |engine| match engine {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
            Engine::Mariadb => "MariaDB",
        };
        write!(f, "{} -> {}", name(self.from), name(self.to))
    }
}

impl Pair {
    /// Whether a server is on either side.
    pub(super) fn has_server(self) -> bool {
        self.from != Engine::Sqlite || self.to != Engine::Sqlite
    }

    /// All nine.
    pub(super) fn all() -> Vec<Pair> {
        let pair = |(from, to)| Pair { from, to };
        Engine::pairs().map(pair).collect()
    }
}

/// A server that may be killed; the others are shared by all tests.
pub(super) type Mortal = Arc<Mutex<Server>>;

#[derive(Clone)]
enum Host {
    File,
    Shared(&'static Server),
    Mortal(Mortal),
}

/// A database of one organisation.
pub(super) struct Side {
    pub(super) org: &'static str,
    pub(super) engine: Engine,
    host: Host,
    /// Its name on its server, or its file.
    pub(super) name: String,
}

impl Side {
    fn new(org: &'static str, engine: Engine, host: &Host, folder: &Path) -> Side {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let side = |name| Side {
            org,
            engine,
            host: host.clone(),
            name,
        };
        if engine == Engine::Sqlite {
            let file = folder.join(format!("{org}.db"));
            File::create(&file).unwrap();
            return side(file.display().to_string());
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let made = side(format!("{org}_{number}"));
        made.server(|server| server.create_database(&made.name).unwrap());
        made
    }

    pub(super) fn server<T>(&self, ask: impl FnOnce(&Server) -> T) -> T {
        match &self.host {
            Host::File => panic!("a file has no server"),
            Host::Shared(server) => ask(server),
            Host::Mortal(server) => ask(&server.lock().unwrap()),
        }
    }

    /// The server that may be killed, if it is on one.
    pub(super) fn mortal(&self) -> Option<Mortal> {
        match &self.host {
            Host::Mortal(server) => Some(Arc::clone(server)),
            _ => None,
        }
    }

    /// What its server's own client prints.
    pub(super) fn ask(&self, sql: &str) -> String {
        self.server(|server| server.ask(&self.name, sql).unwrap())
    }

    pub(super) fn url(&self) -> String {
        match self.host {
            Host::File => format!("sqlite:{}", self.name),
            _ => self.server(|server| server.url(&self.name)),
        }
    }

    /// Writes all that stands in it into a file. Nobody may be at work there.
    fn dump(&self, folder: &Path) -> PathBuf {
        let kept = folder.join(format!("{}.dump", self.org));
        if self.engine == Engine::Sqlite {
            std::fs::copy(&self.name, &kept).unwrap();
            let log = format!("{}-wal", self.name);
            if Path::new(&log).exists() {
                std::fs::copy(log, folder.join(format!("{}.dump-wal", self.org))).unwrap();
            }
            return kept;
        }
        let (tool, arguments) = match self.engine {
            Engine::Postgres => ("pg_dump", &["--no-owner"][..]),
            _ => ("mariadb-dump", &["--triggers", "--skip-comments"][..]),
        };
        let mut command = self.tool(tool);
        command.args(arguments).arg(&self.name);
        done(command.stdout(File::create(&kept).unwrap()));
        kept
    }

    /// Fills it with what was written so.
    fn fill(&self, kept: &Path) {
        if self.engine == Engine::Sqlite {
            std::fs::copy(kept, &self.name).unwrap();
            let log = kept.with_extension("dump-wal");
            if log.exists() {
                std::fs::copy(log, format!("{}-wal", self.name)).unwrap();
            }
            return;
        }
        let (tool, arguments) = match self.engine {
            Engine::Postgres => ("psql", &["-Xq1", "-v", "ON_ERROR_STOP=1", "-d"][..]),
            _ => ("mariadb", &[][..]),
        };
        let mut command = self.tool(tool);
        command.args(arguments).arg(&self.name);
        done(
            command
                .stdin(File::open(kept).unwrap())
                .stdout(Stdio::null()),
        );
    }

    /// A program that stands beside the server's own client, told where the server is.
    fn tool(&self, name: &str) -> Command {
        let kind = self.server(Server::kind);
        let mut command = Command::new(binaries(kind).unwrap().client.with_file_name(name));
        let room = self.server(|server| server.socket_folder().to_owned());
        match kind {
            Kind::Postgres => command.args(["-U", "postgres", "-h"]).arg(room),
            Kind::Mariadb => {
                command.args(["--no-defaults", "-u", "root", "--socket"]);
                command.arg(room.join("socket"))
            }
        };
        command
    }
}

#[track_caller]
fn done(command: &mut Command) {
    let said = command.stderr(Stdio::piped()).output().unwrap();
    let wrong = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{command:?}: {wrong}");
}

impl Drop for Side {
    fn drop(&mut self) {
        let gone = match self.engine {
            Engine::Sqlite => return,
            Engine::Postgres => format!("DROP DATABASE {} WITH (FORCE)", self.name),
            Engine::Mariadb => format!("DROP DATABASE {}", self.name),
        };
        let base = if self.engine == Engine::Postgres {
            "postgres"
        } else {
            ""
        };
        // A server that a failing test left dead has nothing to be dropped from.
        let _ = self.server(|server| server.ask(base, &gone));
    }
}

/// Both databases of a direction.
pub(in crate::crash) struct Ground {
    pub(super) sides: [Side; 2],
    kept: OnceLock<(TempDir, [PathBuf; 2])>,
}

impl Ground {
    /// Empty ones; files lie in `folder`.
    pub(super) fn new(pair: Pair, folder: &Path) -> Ground {
        let shared = |engine: Engine| engine.server().map_or(Host::File, Host::Shared);
        Ground::on(
            [pair.from, pair.to].map(|engine| (engine, shared(engine))),
            folder,
        )
    }

    fn on(hosts: [(Engine, Host); 2], folder: &Path) -> Ground {
        let mut hosts = hosts.into_iter();
        let sides = ORGS.map(|(org, _)| {
            let (engine, host) = hosts.next().unwrap();
            Side::new(org, engine, &host, folder)
        });
        Ground {
            sides,
            kept: OnceLock::new(),
        }
    }

    /// The same rows in databases of other names. Nobody changes a ground once it was copied.
    pub(in crate::crash) fn copy(&self, folder: &Path) -> Ground {
        let [from, to] = &self.sides;
        self.copy_to(
            [from, to].map(|side| (side.engine, side.host.clone())),
            folder,
        )
    }

    /// The same rows, those of an engine in `mortals` on that server.
    pub(super) fn copy_on(&self, mortals: &[Mortal], folder: &Path) -> Ground {
        let [from, to] = &self.sides;
        let host = |side: &Side| {
            let same = |mortal: &&Mortal| {
                let kind = mortal.lock().unwrap().kind();
                side.engine != Engine::Sqlite && side.server(Server::kind) == kind
            };
            let found = mortals.iter().find(same).cloned();
            (side.engine, found.map_or(side.host.clone(), Host::Mortal))
        };
        self.copy_to([host(from), host(to)], folder)
    }

    fn copy_to(&self, hosts: [(Engine, Host); 2], folder: &Path) -> Ground {
        let (_, kept) = self.kept.get_or_init(|| {
            let place = TempDir::new().unwrap();
            let kept = [0, 1].map(|at| self.sides[at].dump(place.path()));
            (place, kept)
        });
        let copy = Ground::on(hosts, folder);
        for (side, kept) in copy.sides.iter().zip(kept) {
            side.fill(kept);
        }
        copy
    }

    /// What a process is to find in its environment.
    pub(in crate::crash) fn env(&self) -> [(&'static str, String); 2] {
        [0, 1].map(|at| (ORGS[at].1, self.sides[at].url()))
    }

    /// Every row of every table that is not ours, and what is declared there.
    pub(in crate::crash) fn held(&self, held: &mut Held) {
        for side in &self.sides {
            oracle::held(side, held);
        }
    }

    pub(super) fn target(&self) -> &Side {
        &self.sides[1]
    }
}
