//! A small world of our own: one ALMO with a legacy database, two councils with the reference schema,
//! a plan made by hand, and the means to carry out its steps, to stop them half-way and to look at
//! everything that stands afterwards.
//!
//! Not here: what is tested.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use handover::copy::ledger::{self, Deed};
use handover::demo::schema;
use handover::machine::event::StepMarked;
use handover::machine::key::RunKey;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use handover::plan::digest::Digest;
use handover::plan::model::{Code, Each, Org, OrgKind, Plan, Role, Step, StepSpec};
use handover::plan::outline::{Outline, Undo};
use handover::plan::papers::Papers;
use handover::plan::read_map;
use handover::steps::{Act, Look, Output, RunLook, run};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

pub(super) const ALMO: &str = "ekh";
pub(super) const DOVER: &str = "dover";
pub(super) const THANET: &str = "thanet";
const EVERYBODY: [&str; 3] = [ALMO, DOVER, THANET];

/// What stands in every database and beside the run.
pub(super) type Everything = BTreeMap<String, Vec<String>>;

/// Everything on disk and the plan over it.
pub(super) struct World {
    folder: TempDir,
    pub(super) plan: Arc<Plan>,
    evidence: Vec<Digest>,
    generations: BTreeMap<handover::plan::outline::StepId, u32>,
}

impl World {
    /// The databases with `rows` in the ALMO's, and a plan of one step.
    pub(super) fn new(rows: &str, does: StepSpec, undo: Undo) -> World {
        let kind = does.kind();
        World::of(rows, vec![step(kind, does, undo)])
    }

    /// The same with several steps.
    pub(super) fn of(rows: &str, steps: Vec<Step>) -> World {
        let folder = tempfile::tempdir().unwrap();
        let world = World {
            plan: Arc::new(plan(steps)),
            evidence: Vec::new(),
            generations: BTreeMap::new(),
            folder,
        };
        Connection::open(world.path(ALMO))
            .unwrap()
            .execute_batch(&format!("BEGIN;{}{rows};COMMIT", schema::legacy_ddl()))
            .unwrap();
        for council in [DOVER, THANET] {
            let organisations = "INSERT INTO organisation (org_id, name, kind) VALUES
                ('ekh', 'East Kent Housing', 'almo'), ('dover', 'Dover', 'council'),
                ('thanet', 'Thanet', 'council');";
            Connection::open(world.path(council))
                .unwrap()
                .execute_batch(&format!("BEGIN;{}{organisations}COMMIT", schema::TARGET))
                .unwrap();
        }
        world
    }

    pub(super) fn path(&self, org: &str) -> PathBuf {
        self.folder.path().join(format!("{org}.db"))
    }

    /// The run's folder.
    pub(super) fn run_folder(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(super) fn sql(&self, org: &str, sql: &str) {
        let connection = Connection::open(self.path(org)).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    /// Rows of a query, as texts.
    pub(super) fn rows(&self, org: &str, sql: &str) -> Vec<Vec<String>> {
        let connection = Connection::open(self.path(org)).unwrap();
        let rows = query(&connection, sql);
        rows.into_iter()
            .map(|row| row.iter().map(shown).collect())
            .collect()
    }

    /// One text.
    pub(super) fn one(&self, org: &str, sql: &str) -> String {
        self.rows(org, sql)[0][0].clone()
    }

    /// Hands in an evidence file.
    pub(super) fn hand_in(&mut self, file: &str) {
        let digest = Digest::of(file.as_bytes());
        let folder = self.run_folder().join("evidence");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(digest.to_string()), file).unwrap();
        self.evidence.push(digest);
    }

    /// A step that looks before any run.
    pub(super) async fn look(&self, step: usize) -> Look {
        let mut readers = BTreeMap::new();
        for org in EVERYBODY {
            let address = Address::Sqlite(self.path(org));
            readers.insert(
                Code::from(org),
                OrgReader::open(org, &address).await.unwrap(),
            );
        }
        Look {
            plan: self.plan.clone(),
            step,
            readers: Arc::new(readers),
            as_at: moment("2020-10-01T00:30:00+01:00"),
            run: None,
        }
    }

    /// A step that acts, in a generation, with what hears its marks.
    pub(super) async fn act(
        &self,
        step: usize,
        generation: u32,
    ) -> (Act, UnboundedReceiver<StepMarked>) {
        let mut look = self.look(step).await;
        let deed = Deed {
            run: Uuid::from_u128(7),
            step: look.step().id.clone(),
            generation,
            epoch: 1,
            log_seq: 10,
            key: RunKey::new([9; 32]),
        };
        let mut generations = self.generations.clone();
        generations.insert(deed.step.clone(), generation);
        look.run = Some(RunLook {
            id: deed.run,
            key: deed.key.clone(),
            folder: self.run_folder(),
            evidence: self.evidence.clone(),
            generations,
        });
        let mut writers = BTreeMap::new();
        for org in EVERYBODY {
            let address = Address::Sqlite(self.path(org));
            let writer = OrgWriter::open(org, &address).await.unwrap();
            ledger::prepare(&writer).await.unwrap();
            ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
                .await
                .unwrap();
            writers.insert(Code::from(org), writer);
        }
        let (marks, heard) = unbounded_channel();
        let act = Act {
            look,
            writers: Arc::new(writers),
            deed,
            marks,
        };
        (act, heard)
    }

    /// Notes that a step has started in a generation, for those that look at it afterwards.
    pub(super) fn remember(&mut self, step: usize, generation: u32) {
        let id = self.plan.steps[step].id.clone();
        self.generations.insert(id, generation);
    }

    /// Carries a step out.
    pub(super) async fn run(&self, step: usize, generation: u32) -> Output {
        let (act, _heard) = self.act(step, generation).await;
        run(&act).await.unwrap()
    }

    /// Everything that a step may have written: rows, schema and outbox of every database, and the
    /// letters beside the run; the ledger apart.
    pub(super) fn everything(&self) -> Everything {
        let mut all = BTreeMap::new();
        for org in EVERYBODY {
            let connection = Connection::open(self.path(org)).unwrap();
            for (what, rows) in contents(&connection) {
                all.insert(format!("{org}: {what}"), rows);
            }
        }
        let mut letters = Vec::new();
        files(&self.run_folder().join("outbox"), &mut letters);
        all.insert("letters".to_owned(), letters);
        all
    }

    /// Every file, byte by byte: nothing may be written, not even by us. (Whoever opens a database with a
    /// log makes the log's file, of no bytes.)
    pub(super) fn bytes(&self) -> Vec<String> {
        let mut all = Vec::new();
        files(self.folder.path(), &mut all);
        let nothing = Digest::of(b"").to_string();
        all.retain(|file| !file.contains("-shm") && !file.ends_with(&nothing));
        all
    }
}

/// The same without the keys that we draw: no two generations draw the same.
pub(super) fn nameless(everything: &Everything) -> Everything {
    let is_drawn =
        |part: &str| part.len() == 36 && part.bytes().filter(|byte| *byte == b'-').count() == 4;
    let nameless = |row: &String| {
        let parts = row
            .split('"')
            .map(|part| if is_drawn(part) { "drawn" } else { part });
        parts.collect::<Vec<_>>().join("\"")
    };
    let tables = everything.iter().map(|(what, rows)| {
        let mut rows: Vec<String> = rows.iter().map(nameless).collect();
        rows.sort();
        (what.clone(), rows)
    });
    tables.collect()
}

/// Holds two states of a world against each other and names what differs.
#[track_caller]
pub(super) fn same(now: &Everything, then: &Everything, when: &str) {
    for what in now.keys().chain(then.keys()) {
        assert_eq!(now.get(what), then.get(what), "{what}, {when}");
    }
}

/// Drives `work` until it has been polled `polls` times without an end, then drops it: as a process
/// that is gone. Whether it came to its end before.
pub(super) async fn stopped_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(move |context: &mut Context<'_>| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

pub(super) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A step of its kind's name, owned by `legal`.
pub(super) fn step(id: &str, does: StepSpec, undo: Undo) -> Step {
    Step {
        id: id.into(),
        name: id.into(),
        org: None,
        title: id.to_owned(),
        phase: 0,
        owner: Some("legal".into()),
        due: None,
        undo,
        place: handover::plan::model::Place::default(),
        does,
    }
}

pub(super) fn map(text: &str) -> Arc<handover::plan::map::Map> {
    let map = read_map("maps/test.toml", &format!("format = 1\n{text}"));
    match map {
        Ok(map) => Arc::new(map),
        Err(faults) => panic!("{:?}", faults.faults),
    }
}

fn plan(steps: Vec<Step>) -> Plan {
    let org = |name: &str, kind| Org {
        name: name.to_owned(),
        kind,
        database: None,
        gss: None,
        aliases: Vec::new(),
    };
    Plan {
        name: "test".into(),
        title: "Test".to_owned(),
        handover: moment("2020-10-01T00:00:00+01:00"),
        timezone: jiff::tz::TimeZone::get("Europe/London").unwrap(),
        author: "p01".into(),
        sources: vec![ALMO.into()],
        targets: vec![DOVER.into(), THANET.into()],
        homes: None,
        signed_by: Vec::new(),
        phases: Vec::new(),
        orgs: BTreeMap::from([
            (ALMO.into(), org("East Kent Housing", OrgKind::Almo)),
            (
                DOVER.into(),
                org("Dover District Council", OrgKind::Council),
            ),
            (
                THANET.into(),
                org("Thanet District Council", OrgKind::Council),
            ),
        ]),
        roles: BTreeMap::from([(
            "legal".into(),
            Role {
                title: "Monitoring officer".to_owned(),
                each: Some(Each::Target),
                proof: None,
            },
        )]),
        people: Vec::new(),
        steps,
        maps: BTreeMap::new(),
        templates: BTreeMap::new(),
        outline: Arc::new(Outline::default()),
        papers: Papers::default(),
        warnings: handover::plan::fault::PlanFaults::default(),
    }
}

/// Schema and rows of everything but the ledger.
fn contents(connection: &Connection) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let ours =
        "(name LIKE 'handover\\_%' ESCAPE '\\' AND type = 'table' AND name <> 'handover_outbox')";
    let schema = format!(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE NOT {ours}
         AND tbl_name NOT LIKE 'handover\\_%' ESCAPE '\\' ORDER BY 1, 2"
    );
    all.insert("schema".to_owned(), lines(&query(connection, &schema)));
    let tables = format!("SELECT name FROM sqlite_schema WHERE type = 'table' AND NOT {ours}");
    for table in query(connection, &tables) {
        let name = shown(&table[0]);
        let mut rows = lines(&query(connection, &format!("SELECT * FROM \"{name}\"")));
        rows.sort();
        if name != "handover_outbox" || !rows.is_empty() {
            all.insert(name, rows);
        }
    }
    all
}

fn query(connection: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|at| row.get(at)).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn lines(rows: &[Vec<Value>]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(_) => "blob".to_owned(),
    }
}

/// Files below a folder with the digests of their bytes, in order.
fn files(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else {
            let digest = Digest::of(&std::fs::read(&path).unwrap());
            found.push(format!(
                "{} {digest}",
                path.file_name().unwrap().to_string_lossy()
            ));
        }
    }
}
