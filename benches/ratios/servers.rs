//! Servers: the copy with ledger, digests and undo on, against what a team would pipe together from the
//! engines' own clients, on private servers that this bench starts. Rows are shaped like a rent ledger;
//! targets have their primary key and no other index.
//!
//! Not here: files (`copy`), what is right (the tests say that).

mod after;
mod beside;
mod indexed;
mod others;
pub(crate) mod resumed;
pub(crate) mod whole;

use std::process::{Command, Stdio};
use std::time::Duration;

use handover::copy::load::chunk_rows;
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::link::Flow;
use handover::orgdb::{Address, DbTrouble, OrgReader, Sql};
use handover::plan::map::Becomes;
use rusqlite::Connection;
use tempfile::TempDir;

use super::measure::{Bar, Ratio, asked_for, rate, timed, turns};
use super::rows::{self, FILE, runtime};

pub(crate) use after::afterwards;
pub(crate) use indexed::indexed;
pub(crate) use others::others;

/// All routes.
pub(crate) fn routes(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (1, 500_000) } else { (5, 4_000_000) };
    let stand = Stand::new(rows);
    let mut found = Vec::new();
    for (from, to, what, bar) in [
        (
            Engine::Postgres,
            Engine::Postgres,
            "PostgreSQL to PostgreSQL : COPY | COPY, binary",
            0.8,
        ),
        (
            Engine::Sqlite,
            Engine::Postgres,
            "SQLite to PostgreSQL : sqlite3 -csv | COPY",
            1.5,
        ),
        (
            Engine::Postgres,
            Engine::Sqlite,
            "PostgreSQL to SQLite : prepared inserts, one transaction",
            0.9,
        ),
        (
            Engine::Postgres,
            Engine::Mariadb,
            "PostgreSQL to MariaDB : COPY | LOAD DATA LOCAL",
            0.95,
        ),
        (
            Engine::Mariadb,
            Engine::Postgres,
            "MariaDB to PostgreSQL : SELECT | COPY",
            0.95,
        ),
        (
            Engine::Mariadb,
            Engine::Sqlite,
            "MariaDB to SQLite : prepared inserts, one transaction",
            0.9,
        ),
    ] {
        if !asked_for(what) {
            continue;
        }
        let measured = turns(
            rounds,
            || timed_after(|| stand.empty(to), || stand.bare(from, to)),
            || timed_after(|| stand.empty(to), || stand.ours(from, to)),
        );
        found.push(Ratio {
            what,
            value: measured.ratio,
            bar: Bar::AtLeast(bar),
            detail: format!(
                "{} : {}",
                rate(rows, measured.floor),
                rate(rows, measured.ours)
            ),
        });
    }
    for to in [Engine::Postgres, Engine::Sqlite] {
        if asked_for(beside::undone_beside(to)) {
            found.push(stand.beside(to, rounds));
        }
    }
    found
}

fn timed_after(prepare: impl FnOnce(), act: impl FnOnce()) -> Duration {
    prepare();
    timed(act).1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    Mariadb,
}

/// Servers and files with a source of rows in each.
pub(crate) struct Stand {
    folder: TempDir,
    postgres: Server,
    mariadb: Server,
    rows: usize,
}

impl Stand {
    pub(crate) fn new(rows: usize) -> Stand {
        let stand = Stand {
            folder: TempDir::new().unwrap(),
            postgres: Server::throw_away(Kind::Postgres, Durability::Full).unwrap(),
            mariadb: Server::throw_away(Kind::Mariadb, Durability::Full).unwrap(),
            rows,
        };
        stand.make_file();
        stand.make_postgres();
        stand.make_mariadb();
        stand
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn make_file(&self) {
        let connection = Connection::open(self.file("source.db")).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE ledger (id INTEGER PRIMARY KEY, account_id TEXT, posted_on TEXT, amount TEXT, type_code TEXT,
                   narrative TEXT, posted_at TEXT);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
                 INSERT INTO ledger SELECT i, printf('%06d/01', i * 7919 % 22000), date('2015-04-06', (i / 22000 % 600 * 7) || ' days'),
                   printf('%d.%02d', i % 200, i % 100), CASE i % 3 WHEN 0 THEN 'DBR' WHEN 1 THEN 'RPY' ELSE 'RHB' END,
                   'Rent week ' || (i / 22000), '2020-01-01T00:00:00Z' FROM n;",
                self.rows
            ))
            .unwrap();
    }

    fn make_postgres(&self) {
        for database in ["source", "target"] {
            self.postgres.create_database(database).unwrap();
        }
        self.postgres.ask("source", POSTGRES).unwrap();
        Stand::shell(&format!(
            "sqlite3 -csv {} 'SELECT * FROM ledger' | {} -c 'COPY ledger FROM STDIN (FORMAT csv)'",
            self.file("source.db"),
            self.psql("source")
        ));
        self.postgres
            .ask("source", "VACUUM ANALYZE ledger")
            .unwrap();
    }

    fn make_mariadb(&self) {
        for database in ["source", "target"] {
            self.mariadb.create_database(database).unwrap();
        }
        self.mariadb.ask("source", MARIADB).unwrap();
        Stand::shell(&format!(
            "sqlite3 -separator $'\\t' {} \"SELECT id, account_id, posted_on, amount, type_code, narrative, '2020-01-01 00:00:00' FROM ledger\" | {} -e \"{LOAD}\"",
            self.file("source.db"),
            self.client("source")
        ));
    }

    /// `MariaDB`'s own client.
    fn client(&self, database: &str) -> String {
        format!(
            "mariadb --no-defaults -u root --local-infile=1 --socket={} {database}",
            self.mariadb.socket_folder().join("socket").display()
        )
    }

    fn psql(&self, database: &str) -> String {
        format!(
            "psql -q -h {} -U postgres -d {database}",
            self.postgres.socket_folder().display()
        )
    }

    fn shell(pipe: &str) {
        let status = Command::new("bash")
            .args(["-o", "pipefail", "-c", pipe])
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{pipe}");
    }

    pub(crate) fn address(&self, engine: Engine, name: &str) -> Address {
        Address::parse(&self.url(engine, name), self.folder.path()).unwrap()
    }

    fn url(&self, engine: Engine, name: &str) -> String {
        match engine {
            Engine::Sqlite => format!("sqlite:{}", self.file(&format!("{name}.db"))),
            Engine::Postgres => self.postgres.url(name),
            Engine::Mariadb => self.mariadb.url(name),
        }
    }

    /// Waits until this process has no file of the target open: connections close on threads of their
    /// own, and the last to close takes the write-ahead log of that name away, whoever's it is by then.
    fn left_alone(&self) {
        let target = self.folder.path().join("target.db");
        let open = |entry: std::io::Result<std::fs::DirEntry>| {
            let link = entry.and_then(|entry| std::fs::read_link(entry.path()));
            link.is_ok_and(|link| link.starts_with(&target))
        };
        while std::fs::read_dir("/proc/self/fd").unwrap().any(open) {
            std::thread::yield_now();
        }
    }

    /// A fresh, empty target.
    pub(crate) fn empty(&self, engine: Engine) {
        match engine {
            Engine::Sqlite => {
                self.left_alone();
                for suffix in ["", "-wal", "-shm"] {
                    drop(std::fs::remove_file(
                        self.file(&format!("target.db{suffix}")),
                    ));
                }
                let connection = Connection::open(self.file("target.db")).unwrap();
                connection
                    .execute_batch(&format!("PRAGMA journal_mode = WAL; {FILE}"))
                    .unwrap();
            }
            Engine::Postgres => {
                let fresh = format!(
                    "DROP SCHEMA IF EXISTS handover CASCADE; DROP TABLE IF EXISTS ledger; {POSTGRES}"
                );
                self.postgres.ask("target", &fresh).unwrap();
                self.postgres.ask("target", "CHECKPOINT").unwrap();
            }
            Engine::Mariadb => {
                let ours = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'target'";
                let tables = self.mariadb.ask("target", ours).unwrap();
                for table in tables.lines() {
                    let drop = format!("DROP TABLE `{table}`");
                    self.mariadb.ask("target", &drop).unwrap();
                }
                self.mariadb.ask("target", MARIADB).unwrap();
            }
        }
    }

    /// What a team would pipe together.
    fn bare(&self, from: Engine, to: Engine) {
        let (source, target) = (self.psql("source"), self.psql("target"));
        match (from, to) {
            (Engine::Postgres, Engine::Postgres) => Stand::shell(&format!(
                "{source} -c 'COPY ledger TO STDOUT (FORMAT binary)' | {target} -c 'COPY ledger FROM STDIN (FORMAT binary)'"
            )),
            (Engine::Sqlite, Engine::Postgres) => Stand::shell(&format!(
                "sqlite3 -csv {} 'SELECT * FROM ledger' | {target} -c 'COPY ledger FROM STDIN (FORMAT csv)'",
                self.file("source.db")
            )),
            (Engine::Postgres, Engine::Mariadb) => Stand::shell(&format!(
                "{source} -c \"COPY (SELECT id, account_id, posted_on, amount, type_code, narrative, posted_at AT TIME ZONE 'UTC' FROM ledger) TO STDOUT\" | {} -e \"{LOAD}\"",
                self.client("target")
            )),
            (Engine::Mariadb, Engine::Postgres) => Stand::shell(&format!(
                "{} -BNq -e 'SELECT * FROM ledger' | {target} -c \"COPY ledger FROM STDIN (NULL 'NULL')\"",
                self.client("source")
            )),
            (_, Engine::Sqlite) => self.bare_inserts(from),
            (Engine::Sqlite | Engine::Mariadb, Engine::Mariadb) => {
                unreachable!("no bar speaks of this route")
            }
        }
    }

    /// Rows read and inserted one after the other by a prepared statement in one transaction.
    fn bare_inserts(&self, from: Engine) {
        let reader = self.address(from, "source");
        let path = self.file("target.db");
        runtime().block_on(async {
            let reader = OrgReader::open("almo", &reader).await.unwrap();
            let copied = reader.with(move |link| {
                let file = Connection::open(path)?;
                file.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN")?;
                let mut insert =
                    file.prepare("INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
                link.each(&Sql::new("SELECT * FROM ledger"), &[], |row| {
                    for at in 0..7 {
                        let value = rusqlite::types::ToSqlOutput::Borrowed(row.get(at));
                        insert.raw_bind_parameter(at + 1, value)?;
                    }
                    insert.raw_execute()?;
                    Ok::<Flow, DbTrouble>(Flow::Continue(()))
                })?;
                drop(insert);
                Ok(file.execute_batch("COMMIT")?)
            });
            copied.await.unwrap();
        });
    }

    /// The copy with everything on.
    pub(crate) fn ours(&self, from: Engine, to: Engine) {
        let (from, to) = (self.address(from, "source"), self.address(to, "target"));
        let what = rows::unmapped(&money(), chunk_rows(to.dialect()));
        let loaded = rows::copied(&from, &to, what, |_| {});
        assert_eq!(loaded.datasets["ledger"].copied, self.rows as u64);
    }
}

/// What becomes of an amount.
pub(crate) fn money() -> Becomes {
    Becomes::Money { negate: false }
}

const POSTGRES: &str = "CREATE TABLE ledger (id bigint PRIMARY KEY, account_id text NOT NULL, posted_on date NOT NULL,
  amount numeric(10,2) NOT NULL, type_code char(3) NOT NULL, narrative text, posted_at timestamptz)";
const MARIADB: &str = "CREATE TABLE ledger (id bigint PRIMARY KEY, account_id varchar(20) NOT NULL, posted_on date NOT NULL,
  amount decimal(10,2) NOT NULL, type_code char(3) NOT NULL, narrative varchar(200), posted_at datetime(6))";
const LOAD: &str = "LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE ledger";
