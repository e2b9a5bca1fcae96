//! What a team would use instead, where it is installed, on the same servers in the same run; with what
//! each of them does not do. And the memory that a copy between servers takes.
//!
//! Not here: bare pipes (`servers`).

use std::process::Command;

use super::{Engine, Stand, timed_after};
use crate::copy::peak;
use crate::measure::{Bar, Ratio, rate, turns};

/// A tool, and the pipe that it is.
struct Tool {
    what: &'static str,
    program: &'static str,
    route: (Engine, Engine),
    lacks: &'static str,
    pipe: fn(&Stand) -> String,
}

const TOOLS: [Tool; 4] = [
    Tool {
        what: "PostgreSQL to PostgreSQL : pg_dump | pg_restore",
        program: "pg_restore",
        route: (Engine::Postgres, Engine::Postgres),
        lacks: "maps nothing, begins anew after a crash, neither verifies nor undoes",
        pipe: |stand| {
            let host = stand.postgres.socket_folder().display();
            format!(
                "pg_dump -h {host} -U postgres -Fc -Z0 -a -t ledger source | pg_restore -h {host} -U postgres -a -d target"
            )
        },
    },
    Tool {
        what: "PostgreSQL to PostgreSQL : pgcopydb copy table-data",
        program: "pgcopydb",
        route: (Engine::Postgres, Engine::Postgres),
        lacks: "maps nothing, begins a table anew after a crash, neither verifies nor undoes",
        pipe: |stand| {
            let [source, target] = ["source", "target"].map(|name| stand.postgres.url(name));
            let notes = stand.file("pgcopydb");
            format!(
                "pgcopydb copy table-data --restart --dir {notes} --source '{source}' --target '{target}' >/dev/null 2>&1"
            )
        },
    },
    Tool {
        what: "MariaDB to MariaDB : mariadb-dump | mariadb",
        program: "mariadb-dump",
        route: (Engine::Mariadb, Engine::Mariadb),
        lacks: "maps nothing, begins anew after a crash, neither verifies nor undoes",
        pipe: |stand| {
            let socket = stand.mariadb.socket_folder().join("socket");
            format!(
                "mariadb-dump --no-defaults -u root --socket={} --single-transaction --no-create-info source ledger | {}",
                socket.display(),
                stand.client("target")
            )
        },
    },
    Tool {
        what: "SQLite to PostgreSQL : pgloader",
        program: "pgloader",
        route: (Engine::Sqlite, Engine::Postgres),
        lacks: "casts but does not map, begins anew after a crash, neither verifies nor undoes",
        pipe: |stand| {
            format!(
                "pgloader --quiet --with 'data only' sqlite://{} 'pgsql://postgres@unix:{}:5432/target'",
                stand.file("source.db"),
                stand.postgres.socket_folder().display()
            )
        },
    },
];

/// Each tool that is here, and our copy on the same route.
pub(crate) fn others(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (1, 500_000) } else { (5, 4_000_000) };
    let stand = Stand::new(rows);
    let mut found = Vec::new();
    for tool in TOOLS.iter().filter(|tool| is_here(tool.program)) {
        let (from, to) = tool.route;
        let measured = turns(
            rounds,
            || timed_after(|| stand.empty(to), || Stand::shell(&(tool.pipe)(&stand))),
            || timed_after(|| stand.empty(to), || stand.ours(from, to)),
        );
        found.push(Ratio {
            what: tool.what,
            value: measured.ratio,
            bar: Bar::Told,
            detail: format!(
                "{} : {}; it {}",
                rate(rows, measured.floor),
                rate(rows, measured.ours),
                tool.lacks
            ),
        });
    }
    found.push(stand.memory());
    found
}

fn is_here(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|said| said.status.success())
}

impl Stand {
    /// Of a copy from server to server, in a process of its own.
    fn memory(&self) -> Ratio {
        self.empty(Engine::Postgres);
        let urls = ["source", "target"].map(|name| self.postgres.url(name));
        let megabytes = peak(urls);
        Ratio {
            what: "peak memory of a copy between PostgreSQL servers : 64 MB",
            value: megabytes / 64.0,
            bar: Bar::AtMost(1.0),
            detail: format!("{megabytes:.0} MB, {} rows", self.rows),
        }
    }
}
