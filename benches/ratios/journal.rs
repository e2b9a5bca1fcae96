//! The journal and the core against bare SQLite, bare parsing and bare hashing: steps that do
//! nothing, so that only what we add is measured.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use handover::journal::{
    Claimant, Draft, Journal, JournalFault, Lease, Moment, NewRun, Opening, boot, create_key,
};
use handover::machine::decide::{Busy, Command, Limits};
use handover::machine::event::{
    ClockKind, DatasetCount, Entry, Event, LogOpened, PlanBound, StepCommitted,
};
use handover::machine::line;
use handover::machine::run::Run;
use handover::machine::state::{Now, Shelf};
use handover::machine::time::Time;
use handover::plan::digest::Digest;
use handover::plan::outline::{
    Gate, OnFailure, Outline, OutlineStep, Retry, StepId, Subject, Undo,
};
use handover::plan::papers::{Papers, manifest};
use handover::replay::papers::Outlines;
use handover::replay::verify::{Evidence, Outside, verify};
use handover::seal::{LogKey, Seal, Tree};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::measure::{Bar, Ratio, rate, timed, turns};

const WIDE: usize = 10;

/// A chain of durable steps against two bare commits a step; a graph ten wide against that chain.
pub(crate) fn durable(quick: bool) -> Vec<Ratio> {
    let (rounds, steps) = if quick { (3, 200) } else { (9, 1_000) };
    let runtime = &runtime();
    let lines = runtime.block_on(sample(steps));
    let chain = || driven(runtime, outline(steps, 1));
    let bare = turns(rounds, || floor(&lines), chain);
    let wide = turns(rounds, chain, || driven(runtime, outline(steps, WIDE)));
    vec![
        Ratio {
            what: "a chain of durable steps : two bare commits a step",
            value: bare.ratio,
            bar: Bar::AtLeast(0.85),
            detail: format!(
                "{} steps : {}",
                rate(steps, bare.floor),
                rate(steps, bare.ours)
            ),
        },
        Ratio {
            what: "a graph ten wide : that chain",
            value: wide.ratio,
            bar: Bar::AtLeast(3.0),
            detail: format!(
                "{} steps : {}",
                rate(steps, wide.floor),
                rate(steps, wide.ours)
            ),
        },
    ]
}

/// Folding a log against parsing and hashing it; resuming a run against reading its journal.
pub(crate) fn folded(quick: bool) -> Vec<Ratio> {
    let (rounds, steps) = if quick { (5, 1_000) } else { (9, 10_000) };
    let runtime = &runtime();
    let outline = outline(steps, 1);
    let mut made = runtime.block_on(Made::new(Arc::clone(&outline)));
    runtime.block_on(made.drive(500));
    let lines = runtime.block_on(made.lines());
    let fold = turns(
        rounds,
        || timed(|| parse_and_hash(&lines)).1,
        || timed(|| fold(&outline, &lines)).1,
    );
    let sealed = Sealed::of(&outline, &lines);
    let verified = turns(
        rounds,
        || timed(|| parse_and_hash(&sealed.lines)).1,
        || timed(|| sealed.verified()).1,
    );
    let mut again = runtime
        .block_on(Journal::existing(made.journal.path()))
        .unwrap();
    let (id, journal) = (made.id, &mut made.journal);
    let mut resume = || timed(|| runtime.block_on(resumed(journal, id, &outline))).1;
    let entries = turns(rounds, &mut resume, || {
        timed(|| runtime.block_on(read(&mut again, id))).1
    });
    let bare = turns(rounds, &mut resume, || {
        timed(|| runtime.block_on(read_bare(&mut again, id))).1
    });
    vec![
        Ratio {
            what: "folding with digests checked : parsing plus SHA-256",
            value: fold.ratio,
            bar: Bar::AtLeast(0.6),
            detail: format!(
                "{} entries : {}",
                rate(lines.len(), fold.floor),
                rate(lines.len(), fold.ours)
            ),
        },
        Ratio {
            what: "verifying a sealed log : parsing plus SHA-256",
            value: verified.ratio,
            bar: Bar::AtLeast(0.6),
            detail: format!(
                "{} entries : {}",
                rate(sealed.lines.len(), verified.floor),
                rate(sealed.lines.len(), verified.ours)
            ),
        },
        Ratio {
            what: "time to resume a run : to read its journal's entries",
            value: entries.ratio,
            bar: Bar::Told,
            detail: format!(
                "{steps} steps: {:.0?} : {:.0?}",
                entries.ours, entries.floor
            ),
        },
        Ratio {
            what: "time to resume a run : to read its journal's bare lines",
            value: bare.ratio,
            bar: Bar::AtMost(2.0),
            detail: format!("{steps} steps: {:.0?} : {:.0?}", bare.ours, bare.floor),
        },
    ]
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// How long a whole run of `outline` takes, from its first decision to its rest, durably.
fn driven(runtime: &Runtime, outline: Arc<Outline>) -> Duration {
    runtime.block_on(async {
        let mut made = Made::new(outline).await;
        let start = Instant::now();
        made.drive(1).await;
        let took = start.elapsed();
        assert!(made.run.finished());
        took
    })
}

/// How long the same lines take with a commit for each and nothing else.
fn floor(lines: &[Vec<u8>]) -> Duration {
    let folder = folder();
    let db = rusqlite::Connection::open(folder.path().join("floor.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         CREATE TABLE entry (seq INTEGER PRIMARY KEY, line BLOB NOT NULL) STRICT;",
    )
    .unwrap();
    let mut insert = db.prepare("INSERT INTO entry (line) VALUES (?)").unwrap();
    timed(|| {
        for line in lines {
            insert.execute([line]).unwrap();
        }
    })
    .1
}

fn parse_and_hash(lines: &[Vec<u8>]) {
    for bytes in lines {
        black_box(line::parse(bytes).unwrap());
        black_box(Digest::of(bytes));
    }
}

fn fold(outline: &Arc<Outline>, lines: &[Vec<u8>]) {
    let mut run = Run::new([Arc::clone(outline)].into_iter().collect());
    let mut prev = Digest::ZERO;
    for bytes in lines {
        let entry = line::parse(bytes).unwrap();
        assert_eq!(entry.prev, prev);
        prev = Digest::of(bytes);
        run.apply(&entry).unwrap();
    }
    assert!(run.finished());
}

/// A log as an auditor has it: its lines, a seal for every hundred, a key from the minute.
struct Sealed {
    lines: Vec<Vec<u8>>,
    seals: Vec<Seal>,
    key: LogKey,
    shelf: Shelf,
}

impl Sealed {
    fn of(outline: &Arc<Outline>, lines: &[Vec<u8>]) -> Sealed {
        let mut entries: Vec<Entry> = lines
            .iter()
            .map(|line| line::parse(line).unwrap())
            .collect();
        let Event::LogOpened(opened) = &mut entries[0].event else {
            panic!("a log begins with its opening");
        };
        let key = LogKey::new(&opened.origin, &[7; 32]).unwrap();
        opened.log_key = Some(key.vkey().to_string());
        let (mut tree, mut prev, mut seals) = (Tree::default(), Digest::ZERO, Vec::new());
        let (last, mut lines) = (entries.len(), Vec::new());
        for mut entry in entries {
            entry.prev = prev;
            let line = line::write(&entry).unwrap();
            prev = Digest::of(&line);
            tree.add(&line);
            lines.push(line);
            if lines.len() % 100 == 0 || lines.len() == last {
                seals.push(key.seal(tree.size(), tree.root()));
            }
        }
        Sealed {
            lines,
            seals,
            key,
            shelf: [Arc::clone(outline)].into_iter().collect(),
        }
    }

    fn verified(&self) {
        let evidence = Evidence {
            size: Some(self.lines.len() as u64),
            anchor: None,
            outside: Some(Outside {
                key: Some(self.key.vkey().clone()),
                ..Outside::default()
            }),
        };
        let mut beside = Beside(self);
        let report = verify(&mut beside, self.lines.iter().cloned().map(Ok), &evidence);
        assert_eq!(report.findings, []);
    }
}

struct Beside<'s>(&'s Sealed);

impl Outlines for Beside<'_> {
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>> {
        self.0.shelf.get(&paper).cloned()
    }

    fn seals(&self) -> Box<dyn Iterator<Item = Option<Seal>> + '_> {
        Box::new(self.0.seals.iter().cloned().map(Some))
    }
}

async fn resumed(journal: &mut Journal, id: Uuid, outline: &Arc<Outline>) {
    let mut run = Run::new([Arc::clone(outline)].into_iter().collect());
    let mut entries = journal.entries(id).await.unwrap();
    while let Some(entry) = entries.next().await.unwrap() {
        run.apply(&entry).unwrap();
    }
    let commands = run.decide(now(&moment()), &Busy::default(), &Limits::default());
    assert_eq!(commands, [Command::Rest]);
}

async fn read(journal: &mut Journal, id: Uuid) {
    let mut entries = journal.entries(id).await.unwrap();
    while let Some(entry) = entries.next().await.unwrap() {
        black_box(entry);
    }
}

async fn read_bare(journal: &mut Journal, id: Uuid) {
    let mut lines = journal.read(id).await.unwrap();
    while let Some(line) = lines.next().await.unwrap() {
        black_box(line);
    }
}

/// The lines that the steps of a chain leave, without those that open the log.
async fn sample(steps: usize) -> Vec<Vec<u8>> {
    let mut made = Made::new(outline(steps, 1)).await;
    made.drive(500).await;
    let mut lines = made.lines().await;
    lines.split_off(lines.len() - 2 * steps)
}

/// A run in a journal of its own.
struct Made {
    journal: Journal,
    lease: Lease,
    run: Run,
    id: Uuid,
    _folder: tempfile::TempDir,
}

impl Made {
    async fn new(outline: Arc<Outline>) -> Made {
        let folder = folder();
        let path = folder.path().join(".handover/journal.db");
        let mut journal = Journal::open(&path).await.unwrap();
        let id = Uuid::now_v7();
        let lease = begin(&mut journal, id, &outline).await;
        let mut run = Run::new([outline].into_iter().collect());
        let mut entries = journal.entries(id).await.unwrap();
        while let Some(entry) = entries.next().await.unwrap() {
            run.apply(&entry).unwrap();
        }
        Made {
            journal,
            lease,
            run,
            id,
            _folder: folder,
        }
    }

    /// The loop of an executor whose steps do nothing: what is decided becomes durable together with
    /// the outcomes that allowed it; `every` says how many rounds share a commit (1 in real life).
    async fn drive(&mut self, every: usize) {
        let limits = Limits { side_by_side: WIDE };
        for round in 1.. {
            let at = moment();
            let commands = self.run.decide(now(&at), &Busy::default(), &limits);
            let starts: Vec<Draft> = commands
                .iter()
                .filter_map(|c| self.intent(c, &at))
                .collect();
            if starts.is_empty() {
                break;
            }
            let outcomes: Vec<Draft> = starts.iter().map(outcome).collect();
            self.stage(&at, starts).await;
            if round % every == 0 {
                self.journal.commit(&self.lease).await.unwrap();
            }
            self.stage(&moment(), outcomes).await;
        }
        self.journal.commit(&self.lease).await.unwrap();
    }

    fn intent(&self, command: &Command, at: &Moment) -> Option<Draft> {
        let event = command.intent(&self.run, now(at))?;
        Some(Draft::of_step(command.about()?.clone(), event))
    }

    async fn stage(&mut self, at: &Moment, drafts: Vec<Draft>) {
        let entries: Vec<Entry> = self.journal.stage(&self.lease, at, drafts).await.unwrap();
        for entry in &entries {
            self.run.apply(entry).unwrap();
        }
    }

    async fn lines(&mut self) -> Vec<Vec<u8>> {
        let mut lines = self.journal.read(self.id).await.unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line.bytes);
        }
        all
    }
}

fn outcome(start: &Draft) -> Draft {
    let outputs = vec![DatasetCount {
        dataset: "rent-transactions".into(),
        org: Some("dover".into()),
        rows: 250_000,
        rejected: 12,
        filtered: 0,
        merged: 0,
        pence: Some("49811002".to_owned()),
        root: Digest::of(b"root"),
    }];
    let committed = StepCommitted {
        outputs,
        effects: 40,
    };
    Draft {
        event: Event::StepCommitted(committed),
        ..start.clone()
    }
}

/// Layers of `wide` steps, each after all of the layer before it.
fn outline(steps: usize, wide: usize) -> Arc<Outline> {
    let id = |at: usize| StepId(format!("copy-homes-{at:05}/dover").into());
    let step = |at: usize| {
        let layer = at / wide * wide;
        OutlineStep {
            id: id(at),
            after: (layer.saturating_sub(wide)..layer).map(id).collect(),
            start: None,
            gate: Gate::None,
            signed: Vec::new(),
            undo: Undo::Automatic,
            undo_until: None,
            subjects: vec![Subject::Data],
            on_failure: OnFailure::Hold,
            retry: Retry::default(),
        }
    };
    Arc::new(Outline {
        paper: Digest::of(paper().0.as_bytes()),
        dag: Digest::of(b"dag"),
        steps: (0..steps).map(step).collect(),
        index: (0..steps).map(|at| (id(at), at)).collect(),
        ..Outline::default()
    })
}

fn paper() -> (String, Papers) {
    let text = b"title = \"A plan whose steps do nothing\"\n";
    let mut papers = Papers::default();
    papers.put("plan.toml".to_owned(), text.to_vec());
    (
        manifest([("plan.toml".to_owned(), Digest::of(text))]),
        papers,
    )
}

async fn begin(journal: &mut Journal, id: Uuid, outline: &Outline) -> Lease {
    let key = create_key(&journal.run_folder(id)).unwrap();
    let (text, papers) = paper();
    let paper = journal.put_papers(&text, &papers).await.unwrap();
    let opened = LogOpened {
        origin: format!("bench/{id}"),
        log_key: None,
        product: env!("CARGO_PKG_VERSION").to_owned(),
        schema: Digest::ZERO,
        manifest: paper,
        commitment: key.commitment(),
        clock: ClockKind::Real,
        sources: Vec::new(),
        targets: Vec::new(),
        previous: None,
    };
    let bound = PlanBound {
        steps: outline.steps.len() as u64,
        dag: outline.dag,
    };
    let new = NewRun {
        id,
        short: "bench".to_owned(),
        paper,
    };
    let claimant = Claimant {
        exec: Uuid::now_v7(),
        fences: Vec::new(),
        term: Duration::from_mins(1),
    };
    let opening = Opening {
        opened,
        bound,
        words: Vec::new(),
    };
    let begun = journal
        .begin::<JournalFault>(&new, opening, &claimant, &moment(), |_| Ok(()))
        .await;
    begun.unwrap()
}

/// A folder on the disk that the build uses: the system's temporary one may be in memory.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench is its own caller: nobody hands it the time"
)]
fn moment() -> Moment {
    static START: std::sync::OnceLock<(Instant, Uuid)> = std::sync::OnceLock::new();
    let (start, boot) = START.get_or_init(|| (Instant::now(), boot()));
    let at = Time::new(jiff::Timestamp::now());
    Moment {
        at,
        as_at: at,
        boot: *boot,
        mono: u64::try_from(start.elapsed().as_nanos()).unwrap(),
    }
}

fn now(moment: &Moment) -> Now {
    Now {
        at: moment.at,
        as_at: moment.as_at,
    }
}
