//! One file per step kind, each with the same four verbs: `check` (may we?), `preview` (what would we
//! do?), `run` (do it, from the last mark), `undo` (safe if the step never began, half ran, finished,
//! or is already undone).
//!
//! Kinds are a closed enum matched in this file and nowhere else. `Look` cannot write; `Act` can.
//!
//! Not here: when a step may start (`machine`), the journal, the clock.

pub mod finding;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::copy::ledger::Deed;
use crate::copy::look::{Counts, Forecast as CopyForecast};
use crate::machine::event::{
    Check, DatasetCount, FaultKind, StepMarked, UndoCommitted, UndoMode, Waiting,
};
use crate::machine::key::RunKey;
use crate::orgdb::{OrgReader, OrgWriter};
use crate::plan::model::{Code, Plan, Step};

/// What a step may look at.
#[derive(Clone)]
pub struct Look {
    /// The paper in force.
    pub plan: Arc<Plan>,
    /// Position in `plan.steps`.
    pub step: usize,
    /// Read-only connections by organisation.
    pub readers: Arc<BTreeMap<Code, OrgReader>>,
    /// The plan's time.
    pub as_at: Timestamp,
    /// The run, where there is one (a preview has none).
    pub run: Option<RunLook>,
}

/// What a step may know of its run while looking.
#[derive(Clone)]
pub struct RunLook {
    /// Its id.
    pub id: Uuid,
    /// Its key.
    pub key: RunKey,
    /// The run's folder: `outbox/`, `evidence/`.
    pub folder: PathBuf,
    /// Digests of evidence files handed in for this step, oldest first; each is a file in `evidence/`.
    pub evidence: Vec<crate::plan::digest::Digest>,
    /// Generation now in force of every step that has started, this one included.
    pub generations: BTreeMap<crate::plan::outline::StepId, u32>,
}

impl Look {
    /// The step itself.
    #[must_use]
    pub fn step(&self) -> &Step {
        &self.plan.steps[self.step]
    }
}

/// What a step may do.
#[derive(Clone)]
pub struct Act {
    /// Everything it may look at.
    pub look: Look,
    /// Writers by organisation; opened, prepared and fenced already.
    pub writers: Arc<BTreeMap<Code, OrgWriter>>,
    /// Whose effects these are.
    pub deed: Deed,
    /// Hears of each durable effect; `run` appends `step.marked` for it.
    pub marks: tokio::sync::mpsc::UnboundedSender<StepMarked>,
}

/// Something `check` or `preview` found in live data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A code of `explain`.
    pub code: &'static str,
    /// It stops the step (otherwise it is a warning).
    pub stops: bool,
    /// One sentence, without personal data.
    pub says: String,
    /// What to do about it.
    pub help: String,
    /// The table, column, dataset or list it is about.
    pub about: String,
    /// Rows it is about, by organisation.
    pub rows: BTreeMap<Code, u64>,
    /// Where in the papers, if it is about a line there.
    pub place: Option<crate::plan::model::Place>,
}

/// What a step would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// One line for the preview: `38 contracts`, `16,632 letters`.
    pub line: String,
    /// Counts by organisation and dataset.
    pub counts: BTreeMap<Code, BTreeMap<String, Counts>>,
    /// Rows nobody owns, by source table and reason.
    pub unrouted: BTreeMap<String, BTreeMap<String, u64>>,
    /// Things people should know, one sentence each.
    pub notes: Vec<String>,
}

impl From<CopyForecast> for Forecast {
    fn from(copy: CopyForecast) -> Forecast {
        Forecast {
            counts: copy.targets,
            unrouted: copy.unrouted,
            ..Forecast::default()
        }
    }
}

/// How a step came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Finished: what it wrote or counted, how many effects stand in ledgers, what it checked.
    Done {
        /// Counts and keyed roots.
        outputs: Vec<DatasetCount>,
        /// Effects.
        effects: u64,
        /// Checks that passed.
        checks: Vec<Check>,
    },
    /// Cannot go on without a person; goes on from its marks when the hold is answered.
    Held(Waiting),
}

/// Why a step stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct Fault {
    /// Whose fault.
    pub kind: FaultKind,
    /// A code of `explain`.
    pub code: &'static str,
    /// What it is about; never a value.
    pub about: String,
    /// How many rows.
    pub rows: u64,
    /// One sentence for people, without personal data.
    pub says: String,
    /// What to do next.
    pub help: String,
    /// Checks that failed (`verify`).
    pub checks: Vec<Check>,
    /// Restricted detail (differing rows): kept in a file beside the run, never in the log.
    pub detail: Option<String>,
}

/// May this step do its work now? Everything that stands against it, at once.
///
/// # Errors
/// When a database cannot be used.
pub async fn check(_look: &Look) -> Result<Vec<Finding>, Fault> {
    todo!()
}

/// What would this step do? Reads only.
///
/// # Errors
/// When a database cannot be used.
pub async fn preview(_look: &Look) -> Result<Forecast, Fault> {
    todo!()
}

/// Does the step's work, from wherever its effects say it has got to. Begins with `check`.
///
/// # Errors
/// See [`Fault`].
pub async fn run(_act: &Act) -> Result<Output, Fault> {
    todo!()
}

/// Takes the step's work back, from wherever it stopped.
///
/// # Errors
/// A `Refused` fault when rows changed since and the mode is `refuse`.
pub async fn undo(_act: &Act, _mode: UndoMode) -> Result<UndoCommitted, Fault> {
    todo!()
}

/// What `undo` would find: rows changed since, without writing.
///
/// # Errors
/// When a database cannot be used.
pub async fn undo_preview(_act: &Look, _deed: &Deed) -> Result<crate::copy::undo::Undone, Fault> {
    todo!()
}
