//! The whole database of 21,000 homes from PostgreSQL to PostgreSQL, every table as it stands: into the same
//! schema with all tables empty, and into a live one that keeps its keys, foreign keys and indexes and holds
//! rows of its own. Against the engine's own pipe, table by table, into bare tables with all of that built
//! behind it, and into the same live schema.
//!
//! Rows are the demo's, mapped once into the reference schema. One foreign key of a table into itself is
//! left out on both sides: rows of it would have to come in an order that only one statement knows.
//!
//! Not here: one long table (`servers`, `indexed`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use handover::copy::load::{Load, chunk_rows};
use handover::copy::route::Route;
use handover::demo::generate::{Spec, World, generate};
use handover::demo::schema;
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::{Address, Catalogue, Dialect, OrgReader};
use handover::plan::map::{Becomes, Dataset, Map};
use handover::plan::model::{Indexes, Triggers};
use handover::plan::read_map;
use tempfile::TempDir;

use super::runtime;
use crate::measure::{Bar, Ratio, asked_for, rate, timed, turns};
use crate::rows;

/// What is copied, into what, against what.
struct Line {
    what: &'static str,
    live: bool,
    indexes: Indexes,
    bar: f64,
}

const LINES: [Line; 3] = [
    Line {
        what: "the whole database, empty, indexes built again : the pipe into bare tables, then all of that",
        live: false,
        indexes: Indexes::Rebuild,
        bar: 0.8,
    },
    Line {
        what: "the whole database, live, indexes kept : the pipe into the same schema",
        live: true,
        indexes: Indexes::Keep,
        bar: 0.95,
    },
    Line {
        what: "the whole database, live, under a lock : the pipe into the same schema",
        live: true,
        indexes: Indexes::RebuildLocked,
        bar: 1.5,
    },
];

/// Into empty tables and into a live schema.
pub(crate) fn whole(quick: bool) -> Vec<Ratio> {
    let (rounds, homes) = if quick { (1, 4_000) } else { (5, 21_000) };
    let stage = Stage::new(homes);
    let rows = stage.rows();
    let line = |line: &Line| {
        let measured = turns(
            rounds,
            || stage.piped(line.live),
            || stage.copied(line.live, line.indexes, rows),
        );
        Ratio {
            what: line.what,
            value: measured.ratio,
            bar: Bar::AtLeast(line.bar),
            detail: format!(
                "{} of {rows} rows : {}",
                rate(rows, measured.floor),
                rate(rows, measured.ours)
            ),
        }
    };
    let asked = LINES.iter().filter(|line| asked_for(line.what));
    asked.map(line).collect()
}

/// A server with the source, and what the targets are made of.
struct Stage {
    folder: TempDir,
    server: Server,
    /// Tables that hold rows, parents first.
    tables: Vec<String>,
    map: Arc<Map>,
}

/// Who the organisations are stands in a live target already.
const WHO: &str = "organisation";

impl Stage {
    fn new(homes: u32) -> Stage {
        let folder = TempDir::new().unwrap();
        let server = Server::throw_away(Kind::Postgres, Durability::Full).unwrap();
        let spec = Spec {
            homes,
            ..Spec::new(World::Westminster2019)
        };
        generate(folder.path(), &spec).unwrap();
        let mut stage = Stage {
            folder,
            server,
            tables: Vec::new(),
            map: Arc::default(),
        };
        stage.make_source(&spec);
        let catalogue = stage.catalogue("source");
        stage.tables = stage.filled(&catalogue);
        stage.map = Arc::new(as_it_stands(&catalogue, &stage.tables));
        stage.keep_own(&spec);
        stage
    }

    /// The reference schema with the rows that the plan's own map makes of the demo's.
    fn make_source(&self, spec: &Spec) {
        self.server.create_database("source").unwrap();
        self.dress("source");
        let (from, to) = (spec.world.sources()[0], spec.world.targets()[0]);
        let own = self.file(to.code);
        self.put_as_it_stands(&own, "source", &[WHO]);
        let path = "plans/westminster-2019/maps/homes.toml";
        let text =
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let map = Arc::new(read_map(path, &text).unwrap());
        let route = Route {
            source: from.code.into(),
            targets: vec![to.code.into()],
            split: None,
            handover: jiff::Timestamp::UNIX_EPOCH,
        };
        let load = Load {
            tables: map.datasets.iter().map(|one| one.from.clone()).collect(),
            route,
            target: to.code.into(),
            triggers: Some(Triggers::Off),
            map,
            ..rows::unmapped(&Becomes::Text, chunk_rows(Dialect::Postgres))
        };
        rows::copied(&self.file(from.code), &self.address("source"), load, |_| {});
        self.forget("source");
        self.server.ask("source", "VACUUM ANALYZE").unwrap();
    }

    fn file(&self, code: &str) -> Address {
        Address::parse(&format!("sqlite:{code}.db"), self.folder.path()).unwrap()
    }

    fn address(&self, database: &str) -> Address {
        Address::parse(&self.server.url(database), self.folder.path()).unwrap()
    }

    fn psql(&self, database: &str) -> String {
        format!(
            "psql -q -v ON_ERROR_STOP=1 -h {} -U postgres -d {database}",
            self.server.socket_folder().display()
        )
    }

    fn catalogue(&self, database: &str) -> Catalogue {
        let address = self.address(database);
        runtime().block_on(async {
            let reader = OrgReader::open("almo", &address).await.unwrap();
            reader.catalogue().await.unwrap()
        })
    }

    /// The whole reference schema, without the foreign key of homes to the block that they are in.
    fn dress(&self, database: &str) {
        let ddl = schema::target_ddl(schema::Engine::Postgres);
        self.server.ask(database, &ddl).unwrap();
        let apart = "ALTER TABLE asset DROP CONSTRAINT asset_parent_asset_id_fkey";
        self.server.ask(database, apart).unwrap();
    }

    /// Our own tables go: a source has none.
    fn forget(&self, database: &str) {
        let forget = "DROP SCHEMA IF EXISTS handover CASCADE";
        self.server.ask(database, forget).unwrap();
    }

    /// Tables of the source that hold rows, in the order in which the schema makes them.
    fn filled(&self, catalogue: &Catalogue) -> Vec<String> {
        let ddl = schema::target_ddl(schema::Engine::Postgres);
        let place = |name: &String| ddl.find(&format!("CREATE TABLE {}", quoted(name)));
        let holds = |name: &&String| {
            let any = format!("SELECT count(*) FROM {}", quoted(name));
            self.server.ask("source", &any).unwrap().trim() != "0"
        };
        let mut tables: Vec<String> = catalogue.tables.keys().filter(holds).cloned().collect();
        tables.retain(|name| place(name).is_some());
        tables.sort_by_key(place);
        tables
    }

    fn rows(&self) -> usize {
        let count = |name: &String| {
            let all = format!("SELECT count(*) FROM {}", quoted(name));
            let told = self.server.ask("source", &all).unwrap();
            told.trim().parse::<usize>().unwrap()
        };
        self.tables.iter().map(count).sum()
    }

    /// What a live target holds before anything is copied: the demo's own rows of it, on this server.
    fn keep_own(&self, spec: &Spec) {
        self.server.create_database("own").unwrap();
        self.dress("own");
        let tables: Vec<&str> = self.tables.iter().map(String::as_str).collect();
        self.put_as_it_stands(&self.file(spec.world.targets()[0].code), "own", &tables);
        self.forget("own");
    }

    /// Copies these tables of a file just as they stand.
    fn put_as_it_stands(&self, from: &Address, database: &str, tables: &[&str]) {
        let catalogue = self.catalogue(database);
        let tables: Vec<String> = tables.iter().map(|name| (*name).to_owned()).collect();
        let load = load(
            Arc::new(as_it_stands(&catalogue, &tables)),
            &tables,
            Indexes::Keep,
        );
        rows::copied(from, &self.address(database), load, |_| {});
        self.forget(database);
    }

    /// The tables that go into a live target, or into an empty one.
    fn going(&self, live: bool) -> Vec<String> {
        let goes = |name: &&String| !live || *name != WHO;
        self.tables.iter().filter(goes).cloned().collect()
    }

    /// A fresh target: the schema, or a live one with its own rows.
    fn fresh(&self, live: bool) {
        let drop = "DROP DATABASE IF EXISTS target WITH (FORCE)";
        self.server.ask("postgres", drop).unwrap();
        if live {
            // Our own connections close on threads of their own.
            let end =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'own'";
            self.server.ask("postgres", end).unwrap();
            let made = "CREATE DATABASE target TEMPLATE own";
            self.server.ask("postgres", made).unwrap();
        } else {
            self.server.create_database("target").unwrap();
        }
    }

    fn piped(&self, live: bool) -> Duration {
        self.fresh(live);
        let dump = |section: &str| {
            let host = self.server.socket_folder().display();
            format!("pg_dump -h {host} -U postgres -d own --section={section}")
        };
        let target = self.psql("target");
        if !live {
            super::Stand::shell(&format!("{} | {target}", dump("pre-data")));
        }
        self.server.ask("target", "CHECKPOINT").unwrap();
        let tables = self.going(live);
        timed(|| {
            for name in tables {
                super::Stand::shell(&format!(
                    "{} -c 'COPY {name} TO STDOUT (FORMAT binary)' | {target} -c 'COPY {name} FROM STDIN (FORMAT binary)'",
                    self.psql("source"),
                    name = quoted(&name)
                ));
            }
            if !live {
                super::Stand::shell(&format!("{} | {target}", dump("post-data")));
            }
        })
        .1
    }

    fn copied(&self, live: bool, indexes: Indexes, rows: usize) -> Duration {
        self.fresh(live);
        if !live {
            self.dress("target");
        }
        self.server.ask("target", "CHECKPOINT").unwrap();
        let tables = self.going(live);
        let load = load(Arc::clone(&self.map), &tables, indexes);
        let (from, to) = (self.address("source"), self.address("target"));
        let (loaded, took) = timed(|| rows::copied(&from, &to, load, |_| {}));
        let copied: u64 = loaded.datasets.values().map(|counts| counts.copied).sum();
        let organisations = if live { 10 } else { 0 };
        assert!(copied + organisations >= rows as u64, "{loaded:?}");
        took
    }
}

/// What is copied of these tables.
fn load(map: Arc<Map>, tables: &[String], indexes: Indexes) -> Load {
    Load {
        map,
        tables: tables.to_vec(),
        triggers: Some(Triggers::Off),
        indexes,
        ..rows::unmapped(&Becomes::Text, chunk_rows(Dialect::Postgres))
    }
}

/// A name as the schema writes it.
fn quoted(name: &str) -> String {
    if ["transaction", "case"].contains(&name) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

/// A map that takes every column of these tables as it stands.
fn as_it_stands(catalogue: &Catalogue, tables: &[String]) -> Map {
    let dataset = |name: &String| {
        let table = &catalogue.tables[name];
        let written = table.columns.iter().filter(|column| !column.generated);
        let columns = written.map(|column| rows::as_it_stands(name, &column.name));
        Dataset {
            columns: columns.collect(),
            ..rows::dataset(name, &table.key)
        }
    };
    Map {
        datasets: tables.iter().map(dataset).collect(),
        ..Map::default()
    }
}
