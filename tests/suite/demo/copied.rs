//! The copier held against the generator's truth, with which it shares no code: what a forecast says
//! and what stands in the targets afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handover::copy::counts::Counts;
use handover::copy::ledger::{self, Deed};
use handover::copy::load::{Load, load};
use handover::copy::look::{Forecast, forecast, unmapped_codes};
use handover::copy::route::Route;
use handover::demo::generate::truth::DatasetTruth;
use handover::demo::generate::{Truth, World, generate};
use handover::machine::key::RunKey;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use handover::plan::map::Map;
use handover::plan::model::{Code, Indexes};
use handover::plan::read_map;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::generated::small;

/// A made-up world with its map.
struct Stage {
    folder: TempDir,
    world: World,
    truth: Truth,
    map: Arc<Map>,
}

impl Stage {
    fn new(world: World) -> Stage {
        let folder = TempDir::new().unwrap();
        let truth = generate(folder.path(), &small(world)).unwrap();
        let path = format!("plans/{}/maps/homes.toml", world.plan());
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path));
        let map = read_map(&path, &text.unwrap()).unwrap_or_else(|faults| panic!("{faults:?}"));
        Stage {
            folder,
            world,
            truth,
            map: Arc::new(map),
        }
    }

    fn address(&self, code: &str) -> Address {
        Address::Sqlite(self.folder.path().join(format!("{code}.db")))
    }

    fn open(&self, code: &str) -> Connection {
        Connection::open(self.folder.path().join(format!("{code}.db"))).unwrap()
    }

    fn tables(&self) -> Vec<String> {
        let mut tables: Vec<String> = self
            .map
            .datasets
            .iter()
            .map(|dataset| dataset.from.clone())
            .collect();
        tables.sort();
        tables.dedup();
        tables
    }

    fn route(&self) -> Route {
        let day = self.world.handover();
        Route {
            source: self.world.sources()[0].code.into(),
            targets: self
                .world
                .targets()
                .iter()
                .map(|org| Code::from(org.code))
                .collect(),
            split: self.world.split().then(|| "property.owner_conf".to_owned()),
            handover: day.in_tz("Europe/London").unwrap().timestamp(),
        }
    }

    async fn source(&self) -> OrgReader {
        let code = self.world.sources()[0].code;
        OrgReader::open(code, &self.address(code)).await.unwrap()
    }

    async fn forecast(&self) -> std::sync::Arc<Forecast> {
        forecast(
            &self.source().await,
            &self.map,
            &self.tables(),
            &self.route(),
        )
        .await
        .unwrap()
    }

    /// Copies everything to one target.
    async fn copy(&self, target: &'static str) -> BTreeMap<String, Counts> {
        let deed = Deed {
            run: Uuid::from_u128(2020),
            step: "copy-homes".into(),
            generation: 1,
            epoch: 1,
            log_seq: 1,
            key: RunKey::new([5; 32]),
        };
        let writer = OrgWriter::open(target, &self.address(target))
            .await
            .unwrap();
        ledger::prepare(&writer).await.unwrap();
        ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
            .await
            .unwrap();
        let whole = Load {
            map: self.map.clone(),
            tables: self.tables(),
            route: self.route(),
            target: target.into(),
            triggers: None,
            chunk_rows: 500,
            indexes: Indexes::Keep,
            frozen: false,
        };
        load(&self.source().await, &writer, whole, &deed, |_| ())
            .await
            .unwrap()
            .datasets
    }
}

/// The truth's words for why a row is rejected, as rule codes.
fn as_rule(words: &str) -> String {
    let (class, column) = words.split_once(' ').unwrap();
    let code = match class {
        "date" | "moment" => "HO502",
        "lookup" => "HO505",
        other => panic!("no rule for {other}"),
    };
    format!("{code} {column}")
}

#[track_caller]
fn same(counts: &Counts, truth: &DatasetTruth, about: &str) {
    let rejected: BTreeMap<String, u64> = truth
        .rejected
        .iter()
        .map(|(words, rows)| (as_rule(words), *rows))
        .collect();
    let pence: BTreeMap<String, i128> = truth
        .pence
        .iter()
        .map(|(column, pence)| (column.clone(), i128::from(*pence)))
        .collect();
    assert_eq!(counts.copied, truth.copied, "{about}: copied");
    assert_eq!(counts.rejected, rejected, "{about}: rejected");
    assert_eq!(counts.filtered, truth.filtered, "{about}: filtered");
    assert_eq!(counts.pence, pence, "{about}: pence");
}

fn same_everywhere(
    datasets: &BTreeMap<String, Counts>,
    truth: &BTreeMap<String, DatasetTruth>,
    about: &str,
) {
    let names: Vec<&String> = datasets
        .keys()
        .filter(|name| datasets[*name].routed() > 0)
        .collect();
    assert_eq!(names, truth.keys().collect::<Vec<_>>(), "{about}: datasets");
    for (name, truth) in truth {
        same(&datasets[name], truth, &format!("{about} {name}"));
    }
}

const WORLDS: [World; 3] = [
    World::EastKent2020,
    World::Westminster2019,
    World::Northampton2015,
];

#[tokio::test]
async fn a_forecast_says_what_the_truth_says_for_every_council_dataset_and_reason() {
    for world in WORLDS {
        let stage = Stage::new(world);
        let forecast = stage.forecast().await;
        for (target, truth) in &stage.truth.targets {
            same_everywhere(&forecast.targets[target.as_str()], truth, target);
        }
        assert_eq!(forecast.unrouted, stage.truth.unrouted, "{world:?}");
    }
}

#[tokio::test]
async fn no_code_of_a_fresh_world_is_unmapped() {
    for world in WORLDS {
        let stage = Stage::new(world);
        let route = stage.route();
        let open = unmapped_codes(&stage.source().await, &stage.map, &stage.tables(), &route).await;
        assert_eq!(*open.unwrap(), [], "{world:?}");
    }
}

#[tokio::test]
async fn every_target_receives_what_the_truth_says_and_only_that() {
    for world in WORLDS {
        let stage = Stage::new(world);
        for org in world.targets() {
            let before = counts(&stage.open(org.code));
            let datasets = stage.copy(org.code).await;
            let truth = &stage.truth.targets[org.code];
            same_everywhere(&datasets, truth, org.code);
            let mut expected = before;
            for dataset in &stage.map.datasets {
                let copied = truth.get(&dataset.name).map_or(0, |one| one.copied);
                *expected.get_mut(&dataset.into).unwrap() += copied;
            }
            let database = stage.open(org.code);
            assert_eq!(counts(&database), expected, "{}", org.code);
            let broken: i64 = database
                .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(broken, 0, "{}: rows whose parent is not there", org.code);
            pennies(&database, truth, org.code);
            nothing_kept_apart(&database, org.code);
        }
    }
}

/// Rows of each table but our own.
fn counts(database: &Connection) -> BTreeMap<String, u64> {
    let mut names = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'handover!_%' ESCAPE '!'")
        .unwrap();
    let names = names
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(Result::unwrap);
    names
        .map(|name| {
            let sql = format!("SELECT count(*) FROM \"{name}\"");
            let rows: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
            (name, rows.try_into().unwrap())
        })
        .collect()
}

/// Balances and ledger lines at the target, of rows that came from the source.
fn pennies(database: &Connection, truth: &BTreeMap<String, DatasetTruth>, about: &str) {
    for (dataset, table, column) in [
        ("account", "account", "balance"),
        ("transaction", "transaction", "amount"),
    ] {
        let sql = format!(
            "SELECT sum(CAST(replace({column}, '.', '') AS INTEGER)) FROM \"{table}\" WHERE source_ref IS NOT NULL"
        );
        let pence: i64 = database.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(pence, truth[dataset].pence[column], "{about} {table}");
    }
}

/// The special-category values of `member` are words of three letters that occur nowhere else.
fn nothing_kept_apart(database: &Connection, about: &str) {
    for (name, _) in counts(database) {
        let mut all = database
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .unwrap();
        let width = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..width {
                let value = row.get_ref(column).unwrap();
                let bytes = value.as_bytes().unwrap_or_default();
                for word in ["HVQ", "CRQ", "SOQ", "RBQ", "TGQ", "EOQ", "ECQ"] {
                    assert_ne!(
                        bytes,
                        word.as_bytes(),
                        "{about}: {name} holds what no map names"
                    );
                }
            }
        }
    }
}

/// What the messes have become at the target, as SQL that must find a row.
const MENDED: [(&str, &str); 12] = [
    (
        "padding is gone",
        "FROM asset WHERE asset_ref GLOB '[0-9]*' AND asset_ref NOT LIKE '% '",
    ),
    (
        "leading zeros stay",
        "FROM tenancy WHERE tenancy_ref LIKE '0%/0%'",
    ),
    (
        "nobody knows when",
        "FROM asset WHERE built_year IS NULL AND source_ref IS NOT NULL",
    ),
    (
        "not ended",
        "FROM tenancy WHERE ends_on IS NULL AND source_ref IS NOT NULL",
    ),
    (
        "a float is no uprn",
        "FROM asset WHERE uprn IS NULL AND source_ref IS NOT NULL",
    ),
    (
        "the spring hour that never was",
        "FROM repair_request WHERE reported_at = '2020-03-29T01:30:00Z'",
    ),
    (
        "bytes became letters",
        "FROM repair_request WHERE problem LIKE 'Neighbour’s leak, quoted £85.00 – %'",
    ),
    (
        "encoded once again",
        "FROM repair_request WHERE problem = 'The tenant’s café sign fell'",
    ),
    ("a name too", "FROM person WHERE forename = 'Chloë'"),
    (
        "no nul",
        "FROM repair_request WHERE problem = 'Cut off in midsentence'",
    ),
    (
        "newlines stay",
        "FROM repair_request WHERE instr(problem, char(10)) > 0",
    ),
    (
        "credit stays credit",
        "FROM account WHERE balance LIKE '-%'",
    ),
];

#[tokio::test]
async fn messes_arrive_mended_and_nothing_else_changes() {
    let stage = Stage::new(World::EastKent2020);
    for org in stage.world.targets() {
        stage.copy(org.code).await;
    }
    let all: Vec<Connection> = stage
        .world
        .targets()
        .iter()
        .map(|org| stage.open(org.code))
        .collect();
    for (mess, sql) in MENDED {
        let found: i64 = all
            .iter()
            .map(|one| {
                let sql = format!("SELECT count(*) {sql}");
                one.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
            })
            .sum();
        assert!(found > 0, "{mess}");
    }
    for one in &all {
        let odd = "SELECT count(*) FROM certificate WHERE done_on NOT GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]'";
        assert_eq!(
            one.query_row(odd, [], |row| row.get::<_, i64>(0)).unwrap(),
            0
        );
    }
}
