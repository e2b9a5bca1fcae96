//! Fresh databases on every engine of this machine.
//!
//! Not here: what is in them (`rows`).

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use handover::copy::ledger::{self, Deed};
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::link::Flow;
use handover::orgdb::{Address, DbTrouble, Ident, Link, OrgReader, OrgWriter, Sql, Value};
use handover::sql;
use tempfile::TempDir;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    Sqlite,
    Postgres,
    Mariadb,
}

impl Engine {
    pub const ALL: [Engine; 3] = [Engine::Sqlite, Engine::Postgres, Engine::Mariadb];

    /// Every direction, an engine onto itself included.
    pub fn pairs() -> impl Iterator<Item = (Engine, Engine)> {
        Engine::ALL
            .into_iter()
            .flat_map(|source| Engine::ALL.map(|target| (source, target)))
    }

    pub fn server(self) -> Option<&'static Server> {
        static POSTGRES: OnceLock<Server> = OnceLock::new();
        static MARIADB: OnceLock<Server> = OnceLock::new();
        let (kept, kind) = match self {
            Engine::Sqlite => return None,
            Engine::Postgres => (&POSTGRES, Kind::Postgres),
            Engine::Mariadb => (&MARIADB, Kind::Mariadb),
        };
        let start = || Server::throw_away(kind, Durability::Process).unwrap();
        Some(kept.get_or_init(start))
    }
}

/// A database with tables of its own, gone with its owner where it is a file.
pub struct Base {
    pub engine: Engine,
    pub address: Address,
    pub url: String,
    _folder: TempDir,
}

impl Base {
    /// Makes one from statements whose types are written `{text}`, `{money}`, `{day}`, `{moment}`,
    /// `{flag}`, `{number}`, `{bytes}`.
    pub async fn make(engine: Engine, shape: &str) -> Base {
        let shape = in_tongue(engine, shape);
        // A server's own client blocks.
        let made = tokio::task::spawn_blocking(move || Base::made(engine, engine.server(), shape));
        made.await.unwrap()
    }

    /// The same on a server of one's own.
    pub fn on(server: &Server, engine: Engine, shape: &str) -> Base {
        Base::made(engine, Some(server), in_tongue(engine, shape))
    }

    fn made(engine: Engine, server: Option<&Server>, mut text: String) -> Base {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let url = match server {
            None => {
                let path = folder.path().join("base.db");
                let file = rusqlite::Connection::open(&path).unwrap();
                file.execute_batch("CREATE TABLE handover_made_up (seed TEXT)")
                    .unwrap();
                file.execute_batch(&text).unwrap();
                format!("sqlite:{}", path.display())
            }
            Some(server) => {
                let name = format!("base_{}", NEXT.fetch_add(1, Ordering::Relaxed));
                server.create_database(&name).unwrap();
                if server.kind() == Kind::Mariadb {
                    text.insert_str(0, "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'; ");
                }
                server.ask(&name, &text).unwrap();
                server.url(&name)
            }
        };
        Base {
            engine,
            address: Address::parse(&url, folder.path()).unwrap(),
            url,
            _folder: folder,
        }
    }

    /// Its name on its server.
    pub fn name(&self) -> &str {
        let path = self.url.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    pub async fn reader(&self) -> OrgReader {
        OrgReader::open("base", &self.address).await.unwrap()
    }

    /// A writer that knows nothing of runs: for what the organisation itself does.
    pub async fn bare_writer(&self) -> OrgWriter {
        OrgWriter::open("base", &self.address).await.unwrap()
    }

    /// A writer with our tables made and the fence raised.
    pub async fn writer(&self, deed: &Deed) -> OrgWriter {
        let writer = self.bare_writer().await;
        ledger::prepare(&writer).await.unwrap();
        ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
            .await
            .unwrap();
        writer
    }

    /// Does something as the organisation itself would.
    pub async fn does(&self, statement: &'static str) {
        let writer = self.bare_writer().await;
        writer
            .with(move |link| link.script(&Sql::new(statement)))
            .await
            .unwrap();
    }

    /// Every row of every table that is not ours, in the order of its text.
    pub async fn everything(&self) -> BTreeMap<String, Vec<String>> {
        let reader = self.reader().await;
        reader.with(everything).await.unwrap()
    }
}

fn everything(link: &Link) -> Result<BTreeMap<String, Vec<String>>, DbTrouble> {
    let mut all = BTreeMap::new();
    for (name, table) in link.catalogue()?.tables {
        let columns: Vec<Ident> = table
            .columns
            .iter()
            .map(|column| Ident::new(&column.name))
            .collect();
        let query = sql!("SELECT {} FROM {}", columns, Ident::new(&name));
        let mut rows = Vec::new();
        link.each(&query, &[], |row| {
            let values: Vec<Value> = (0..row.width()).map(|at| Value::of(row.get(at))).collect();
            rows.push(format!("{values:?}"));
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        rows.sort();
        all.insert(name, rows);
    }
    Ok(all)
}

/// Types as each engine writes them.
pub fn in_tongue(engine: Engine, shape: &str) -> String {
    let types: [(&str, [&str; 3]); 7] = [
        ("{text}", ["TEXT", "text", "varchar(255)"]),
        ("{money}", ["TEXT", "numeric(12,2)", "decimal(12,2)"]),
        ("{day}", ["TEXT", "date", "date"]),
        ("{moment}", ["TEXT", "timestamptz", "datetime(6)"]),
        ("{flag}", ["INTEGER", "boolean", "tinyint(1)"]),
        ("{number}", ["INTEGER", "bigint", "bigint"]),
        ("{bytes}", ["BLOB", "bytea", "longblob"]),
    ];
    let at = engine as usize;
    types.iter().fold(shape.to_owned(), |text, (name, kinds)| {
        text.replace(name, kinds[at])
    })
}
