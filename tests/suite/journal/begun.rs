//! A run in a journal of its own, for the tests of this room.

use std::path::PathBuf;
use std::time::Duration;

use handover::journal::{
    Claimant, Draft, Journal, JournalFault, Lease, Moment, NewRun, Opening, create_key,
};
use handover::machine::event::{
    About, ClockKind, Event, LogOpened, PlanBound, PreviousLog, StepMarked,
};
use handover::machine::time::Time;
use handover::plan::digest::Digest;
use handover::plan::outline::{Outline, StepId};
use handover::plan::papers::{Papers, manifest};
use uuid::Uuid;

/// A folder with a journal in it, one run in that, and its lease.
pub(super) struct Begun {
    pub(super) folder: tempfile::TempDir,
    pub(super) journal: Journal,
    pub(super) run: Uuid,
    pub(super) lease: Lease,
}

pub(super) fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(".handover/journal.db")
}

/// A run that has just been opened: three entries.
pub(super) async fn begun() -> Begun {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&path(&folder)).await.unwrap();
    let run = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_7f3a);
    let lease = begin(&mut journal, run).await;
    Begun {
        folder,
        journal,
        run,
        lease,
    }
}

/// What begins a run under the paper of [`papers`], with nobody's word for it.
pub(super) async fn opening(journal: &mut Journal, run: Uuid) -> (NewRun, Opening) {
    let key = create_key(&journal.run_folder(run)).unwrap();
    let (text, files) = papers();
    let paper = journal.put_papers(&text, &files).await.unwrap();
    let new = NewRun {
        id: run,
        short: "ekh".to_owned(),
        paper,
    };
    let outline = outline();
    let bound = PlanBound {
        steps: outline.steps.len() as u64,
        dag: outline.dag,
    };
    let opening = Opening {
        opened: opened(run, paper, key.commitment()),
        bound,
        words: Vec::new(),
    };
    (new, opening)
}

/// Opens a further run in `journal`: a rehearsal, since a paper has one run.
pub(super) async fn begin(journal: &mut Journal, run: Uuid) -> Lease {
    let (new, mut opening) = opening(journal, run).await;
    if !journal.runs().await.unwrap().is_empty() {
        opening.opened.clock = ClockKind::MadeUp;
    }
    let begun = journal
        .begin::<JournalFault>(&new, opening, &claimant(), &moment(0), |_| Ok(()))
        .await;
    begun.unwrap()
}

/// The outline of the paper in [`papers`], as far as the machine checks it here.
pub(super) fn outline() -> Outline {
    Outline {
        paper: Digest::of(papers().0.as_bytes()),
        dag: Digest::of(b"dag"),
        ..Outline::default()
    }
}

pub(super) fn opened(run: Uuid, manifest: Digest, commitment: Digest) -> LogOpened {
    LogOpened {
        origin: format!("test/{run}"),
        log_key: None,
        product: "0.1.0".to_owned(),
        schema: Digest::of(b"schema"),
        manifest,
        commitment,
        clock: ClockKind::Real,
        sources: Vec::new(),
        targets: Vec::new(),
        previous: None::<PreviousLog>,
    }
}

pub(super) fn papers() -> (String, Papers) {
    let mut files = Papers::default();
    files.put("plan.toml".to_owned(), b"title = \"Test\"\n".to_vec());
    files.put("maps/homes.toml".to_owned(), vec![0xff, 0x00, b'\n']);
    let listed = files
        .iter()
        .map(|(path, bytes)| (path.to_owned(), Digest::of(bytes)));
    (manifest(listed), files)
}

pub(super) fn claimant() -> Claimant {
    Claimant {
        exec: Uuid::from_u128(7),
        fences: vec!["dover".into()],
        term: Duration::from_mins(1),
    }
}

/// A reading `seconds` after a fixed moment, on a machine that has not been started anew since.
pub(super) fn moment(seconds: i64) -> Moment {
    let at = jiff::Timestamp::new(1_600_000_000 + seconds, 0).unwrap();
    Moment {
        at: Time::new(at),
        as_at: Time::new(at),
        boot: Uuid::from_u128(1),
        mono: u64::try_from(seconds + 1_000_000).unwrap() * 1_000_000_000,
    }
}

/// A mark of a step: the `ordinal`th.
pub(super) fn mark(ordinal: u64) -> Draft {
    let about = About {
        step: StepId("copy-homes/dover".into()),
        generation: 1,
        attempt: 1,
    };
    let event = Event::StepMarked(StepMarked {
        ordinal,
        rows: ordinal * 500,
        root: Digest::of(&ordinal.to_be_bytes()),
    });
    Draft::of_step(about, event)
}
