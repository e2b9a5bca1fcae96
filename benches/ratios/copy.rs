//! The copy with digests, ledger and undo on, against the bare `ATTACH … INSERT … SELECT` of the same
//! rows into the same keyed and indexed target; and its memory, in a process of its own.
//!
//! Not here: what is right (the tests say that).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use handover::copy::load::{CHUNK_ROWS, Load, Loaded, chunk_rows};
use handover::copy::route::Route;
use handover::demo::generate::{Spec, World, generate};
use handover::orgdb::Address;
use handover::plan::map::Becomes;
use handover::plan::model::{Code, Indexes};
use handover::plan::read_map;
use rusqlite::Connection;
use tempfile::TempDir;

use super::measure::{Bar, Ratio, rate, timed, turns};
use super::rows::{self, FILE};

/// An unmapped table shaped like a rent ledger.
pub(crate) fn unmapped(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (1, 500_000) } else { (3, 2_000_000) };
    let folder = TempDir::new().unwrap();
    let source = source(folder.path(), rows);
    let measured = turns(
        rounds,
        || timed(|| bare(&source, &target(folder.path()))).1,
        || {
            let target = target(folder.path());
            timed(|| ours(&source, &target)).1
        },
    );
    vec![Ratio {
        what: "an unmapped table, copied : bare INSERT … SELECT",
        value: measured.ratio,
        bar: Bar::AtLeast(0.5),
        detail: format!(
            "{} rows : {}",
            rate(rows, measured.floor),
            rate(rows, measured.ours)
        ),
    }]
}

/// Peak memory at four times the rows, each in a process of its own.
pub(crate) fn memory(_quick: bool) -> Vec<Ratio> {
    // Fewer rows would not fill the caches, and growing into them is no growth with the table.
    let rows = 500_000;
    let [one, four] = [rows, 4 * rows].map(|rows| {
        let folder = TempDir::new().unwrap();
        let (source, target) = (source(folder.path(), rows), target(folder.path()));
        peak([&source, &target].map(|path| format!("sqlite:{}", path.display())))
    });
    vec![
        Ratio {
            what: "peak memory at four times the rows : at once the rows",
            value: four / one,
            bar: Bar::AtMost(1.1),
            detail: format!("{four:.0} MB : {one:.0} MB"),
        },
        Ratio {
            what: "peak memory of a copy : 150 MB",
            value: four / 150.0,
            bar: Bar::AtMost(1.0),
            detail: format!("{} rows", 4 * rows),
        },
    ]
}

/// The word by which this bench starts itself to measure memory.
pub(crate) const CHILD: &str = "copy-in-a-child";

/// Megabytes that a copy in a process of its own takes at most.
pub(crate) fn peak(urls: [String; 2]) -> f64 {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .arg(CHILD)
        .args(urls)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let kilobytes: f64 = told.trim().parse().unwrap();
    kilobytes / 1024.0
}

/// Copies in this process and tells its peak memory in kB.
pub(crate) fn child(source: &str, target: &str) -> u64 {
    let [from, to] = [source, target].map(|url| Address::parse(url, Path::new("/")).unwrap());
    let load = rows::unmapped(&Becomes::Text, chunk_rows(to.dialect()));
    let loaded = rows::copied(&from, &to, load, |_| {});
    assert_eq!(loaded.datasets["ledger"].rejected.len(), 0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    words.and_then(|kilobytes| kilobytes.parse().ok()).unwrap()
}

/// The real rent and tenancy maps of `east-kent-2020`, for one council of four.
pub(crate) fn mapped(quick: bool) -> Vec<Ratio> {
    let folder = TempDir::new().unwrap();
    let spec = Spec {
        homes: if quick { 4_000 } else { 17_000 },
        ..Spec::new(World::EastKent2020)
    };
    generate(folder.path(), &spec).unwrap();
    let council = spec.world.targets()[0].code;
    let target = folder.path().join(format!("{council}.db"));
    let mut watch = Watch::default();
    let loaded = east_kent(folder.path(), &spec, council, &mut watch);
    let rows: u64 = RENT.iter().map(|name| loaded.datasets[*name].copied).sum();
    let ours: Duration = watch.spent;
    let bare = rent_again(folder.path(), &target);
    let rows = usize::try_from(rows).unwrap();
    vec![Ratio {
        what: "the rent and tenancy maps, one council of four : bare INSERT … SELECT",
        value: bare.as_secs_f64() / ours.as_secs_f64(),
        bar: Bar::AtLeast(0.33),
        detail: format!("{} rows : {}", rate(rows, ours), rate(rows, bare)),
    }]
}

const RENT: [&str; 3] = ["tenancy", "account", "transaction"];

/// How long the datasets of rent took.
#[derive(Default)]
struct Watch {
    last: Option<Instant>,
    spent: Duration,
}

impl Watch {
    fn hear(&mut self, kind: &str) {
        let now = Instant::now();
        let before = self.last.replace(now).unwrap_or(now);
        if RENT.iter().any(|name| kind == format!("insert:{name}")) {
            self.spent += now - before;
        }
    }
}

fn east_kent(folder: &Path, spec: &Spec, council: &'static str, watch: &mut Watch) -> Loaded {
    let path = "plans/east-kent-2020/maps/homes.toml";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let map = Arc::new(read_map(path, &text).unwrap());
    let world = spec.world;
    let handover = world.handover().in_tz("Europe/London").unwrap().timestamp();
    let load = Load {
        tables: map
            .datasets
            .iter()
            .map(|dataset| dataset.from.clone())
            .collect(),
        map,
        route: Route {
            source: world.sources()[0].code.into(),
            targets: world
                .targets()
                .iter()
                .map(|org| Code::from(org.code))
                .collect(),
            split: Some("property.owner_conf".to_owned()),
            handover,
        },
        target: council.into(),
        triggers: None,
        chunk_rows: CHUNK_ROWS,
        indexes: Indexes::Keep,
        frozen: false,
    };
    let source = folder.join(format!("{}.db", world.sources()[0].code));
    copy(&source, &folder.join(format!("{council}.db")), load, watch)
}

/// Writes the rent rows that were loaded once more, bare.
fn rent_again(folder: &Path, target: &Path) -> Duration {
    let connection = Connection::open(target).unwrap();
    let plain = folder.join("plain.db");
    attach(&connection, &plain);
    for table in RENT {
        let take = format!("CREATE TABLE plain.\"{table}\" AS SELECT * FROM main.\"{table}\"");
        connection.execute_batch(&take).unwrap();
    }
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    for table in RENT {
        connection
            .execute_batch(&format!("DELETE FROM main.\"{table}\""))
            .unwrap();
    }
    connection
        .execute_batch("PRAGMA foreign_keys = ON; VACUUM main; PRAGMA wal_checkpoint")
        .unwrap();
    timed(|| {
        for table in RENT {
            let put = format!("INSERT INTO main.\"{table}\" SELECT * FROM plain.\"{table}\"");
            connection.execute_batch(&put).unwrap();
        }
    })
    .1
}

fn attach(connection: &Connection, path: &Path) {
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
        )
        .unwrap();
    connection
        .execute("ATTACH ?1 AS plain", [path.to_str().unwrap()])
        .unwrap();
}

fn source(folder: &Path, rows: usize) -> PathBuf {
    let path = folder.join("source.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE ledger (id INTEGER, account_id TEXT, posted_on TEXT, amount TEXT, type_code TEXT, narrative TEXT, posted_at TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO ledger SELECT i, printf('%06d/01', i * 7919 % 22000), date('2015-04-06', (i / 22000 * 7) || ' days'),
               printf('%d.%02d', i % 200, i % 100), CASE i % 3 WHEN 0 THEN 'DBR' WHEN 1 THEN 'RPY' ELSE 'RHB' END,
               'Rent week ' || (i / 22000), '2020-01-01T00:00:00Z' FROM n;"
        ))
        .unwrap();
    path
}

/// A fresh target.
fn target(folder: &Path) -> PathBuf {
    let path = folder.join("target.db");
    for suffix in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(
            folder.join(format!("target.db{suffix}")),
        ));
    }
    let connection = Connection::open(&path).unwrap();
    let ddl = format!(
        "PRAGMA journal_mode = WAL; {FILE}; CREATE INDEX ledger_account ON ledger (account_id);"
    );
    connection.execute_batch(&ddl).unwrap();
    path
}

fn bare(source: &Path, target: &Path) {
    let connection = Connection::open(target).unwrap();
    attach(&connection, source);
    connection
        .execute_batch("INSERT INTO ledger SELECT * FROM plain.ledger")
        .unwrap();
}

fn ours(source: &Path, target: &Path) {
    let load = rows::unmapped(&Becomes::Text, CHUNK_ROWS);
    let loaded = copy(source, target, load, &mut Watch::default());
    assert_eq!(loaded.datasets["ledger"].rejected.len(), 0);
}

/// Copies with everything on.
fn copy(source: &Path, target: &Path, whole: Load, watch: &mut Watch) -> Loaded {
    let [from, to] = [source, target].map(|path| Address::Sqlite(path.to_owned()));
    rows::copied(&from, &to, whole, |effect| watch.hear(&effect.kind))
}
