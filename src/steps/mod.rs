//! One file per step kind, each with the same four verbs: `check` (may we?), `preview` (what would we
//! do?), `run` (do it, from the last mark), `undo` (safe if the step never began, half ran, finished,
//! or is already undone).
//!
//! Kinds are a closed enum matched in this file and nowhere else. `Look` cannot write; `Act` can.
//!
//! Not here: when a step may start (`machine`), the journal, the clock.

mod approval;
mod catch_up;
mod company;
mod contract_novation;
mod data_copy;
mod fault;
pub mod finding;
mod freeze;
mod hand;
mod indexes;
mod meetings;
mod register;
mod shape;
mod staff_transfer;
mod switch;
mod task;
mod tenant_notification;
mod undoing;
mod verify;
mod wait;
mod whose;

pub use company::undecided;
pub(crate) use verify::narrowing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::copy::counts::Counts;
use crate::copy::ledger::Deed;
use crate::machine::event::{
    Check, DatasetCount, FaultKind, StepMarked, UndoCommitted, UndoMode, Waiting,
};
use crate::machine::key::RunKey;
use crate::orgdb::{OrgReader, OrgWriter};
use crate::plan::model::{CatchUp, Code, Plan, Step, StepSpec};

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

    /// Whether it is the first of those that the author wrote as one: what is true of all is said once.
    fn is_first(&self) -> bool {
        let step = self.step();
        let first = self.plan.written_as_one(step).next();
        first.is_some_and(|first| first.id == step.id)
    }

    /// The reader of `org`.
    fn reader(&self, org: &Code) -> Result<&OrgReader, Fault> {
        self.readers.get(org).ok_or_else(|| not_open(org))
    }
}

fn not_open(org: &Code) -> Fault {
    Fault::broken("HO921", org, format!("the database of `{org}` is not open"))
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

impl Act {
    /// The writer of `org`.
    fn writer(&self, org: &Code) -> Result<&OrgWriter, Fault> {
        self.writers.get(org).ok_or_else(|| not_open(org))
    }
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

impl Output {
    /// What the machine's gate saw to already.
    fn formality() -> Output {
        Output::Done {
            outputs: Vec::new(),
            effects: 0,
            checks: Vec::new(),
        }
    }
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
    /// Control totals that agree all the same: a pack of those that differ alone would mislead.
    pub passed: Vec<Check>,
    /// Restricted detail (differing rows): kept in a file beside the run, never in the log.
    pub detail: Option<String>,
}

/// May this step do its work now? Everything that stands against it, at once.
///
/// # Errors
/// When a database cannot be used.
pub async fn check(look: &Look) -> Result<Vec<Finding>, Fault> {
    let mut found = match &look.step().does {
        StepSpec::DataCopy(step) => data_copy::check(look, step).await?,
        StepSpec::CatchUp(step) => catch_up::check(look, step).await?,
        StepSpec::StaffTransfer(step) => staff_transfer::check(look, step).await?,
        StepSpec::ContractNovation(step) => contract_novation::check(look, step).await?,
        StepSpec::TenantNotification(step) => tenant_notification::check(look, step).await?,
        StepSpec::Approval(step) => approval::check(step),
        StepSpec::Task(step) => task::check(look, step),
        StepSpec::Wait(step) => wait::check(look, step),
        StepSpec::Freeze(step) => freeze::check(look, step).await?,
        StepSpec::Verify(step) => verify::check(look, step),
        StepSpec::Switch(step) => switch::check(look, step).await?,
    };
    if !found.iter().any(|finding| finding.stops) {
        found.extend(meetings::check(look).await?);
    }
    Ok(found)
}

/// What would this step do? Reads only.
///
/// # Errors
/// When a database cannot be used.
pub async fn preview(look: &Look) -> Result<Forecast, Fault> {
    match &look.step().does {
        StepSpec::DataCopy(step) => data_copy::preview(look, step).await,
        StepSpec::CatchUp(step) => Ok(catch_up::preview(step)),
        StepSpec::StaffTransfer(step) => staff_transfer::preview(look, step).await,
        StepSpec::ContractNovation(step) => contract_novation::preview(look, step).await,
        StepSpec::TenantNotification(step) => tenant_notification::preview(look, step).await,
        StepSpec::Approval(step) => Ok(approval::preview(step)),
        StepSpec::Task(step) => Ok(task::preview(step)),
        StepSpec::Wait(step) => Ok(wait::preview(look, step)),
        StepSpec::Freeze(step) => Ok(freeze::preview(step)),
        StepSpec::Verify(step) => Ok(verify::preview(step)),
        StepSpec::Switch(step) => switch::preview(look, step).await,
    }
}

/// Does the step's work, from wherever its effects say it has got to. Begins with `check`.
///
/// # Errors
/// See [`Fault`].
pub async fn run(act: &Act) -> Result<Output, Fault> {
    // The long ones wait on the heap, so that whoever waits for any step stays small.
    let look = &act.look;
    if let Some(finding) = Box::pin(check(look))
        .await?
        .into_iter()
        .find(|finding| finding.stops)
    {
        return Err(finding.refusal());
    }
    match &look.step().does {
        StepSpec::DataCopy(step) => Box::pin(data_copy::run(act, step)).await,
        StepSpec::CatchUp(step) => Box::pin(catch_up::run(act, step)).await,
        StepSpec::StaffTransfer(step) => staff_transfer::run(act, step).await,
        StepSpec::ContractNovation(step) => contract_novation::run(act, step).await,
        StepSpec::TenantNotification(step) => tenant_notification::run(act, step).await,
        StepSpec::Approval(_) | StepSpec::Task(_) | StepSpec::Wait(_) => Ok(Output::formality()),
        StepSpec::Freeze(step) => freeze::run(act, step).await,
        StepSpec::Verify(step) => Box::pin(verify::run(act, step)).await,
        StepSpec::Switch(step) => switch::run(act, step).await,
    }
}

/// Takes the step's work back, from wherever it stopped.
///
/// # Errors
/// A `Refused` fault when rows changed since and the mode is `refuse`, or when the work is of a sort
/// that only a person takes back.
pub async fn undo(act: &Act, mode: UndoMode) -> Result<UndoCommitted, Fault> {
    match &act.look.step().does {
        StepSpec::DataCopy(copy) | StepSpec::CatchUp(CatchUp { copy, .. }) => {
            undoing::databases(act, &[&copy.target], mode).await
        }
        StepSpec::StaffTransfer(step) => {
            undoing::databases(act, &[&step.source, &step.target], mode).await
        }
        StepSpec::ContractNovation(step) => contract_novation::undo(act, step, mode).await,
        StepSpec::TenantNotification(step) => tenant_notification::undo(act, step, mode).await,
        StepSpec::Freeze(step) => undoing::databases(act, &[&step.org], mode).await,
        StepSpec::Switch(step) => {
            undoing::databases(act, &step.to.iter().collect::<Vec<_>>(), mode).await
        }
        StepSpec::Approval(_) | StepSpec::Task(_) | StepSpec::Wait(_) | StepSpec::Verify(_) => {
            Ok(undoing::nothing(mode))
        }
    }
}

/// What `undo` would find: rows changed since, without writing.
///
/// # Errors
/// When a database cannot be used.
pub async fn undo_preview(look: &Look, deed: &Deed) -> Result<crate::copy::undo::Undone, Fault> {
    let orgs: Vec<&Code> = match &look.step().does {
        StepSpec::DataCopy(copy) | StepSpec::CatchUp(CatchUp { copy, .. }) => vec![&copy.target],
        StepSpec::StaffTransfer(step) => vec![&step.source, &step.target],
        StepSpec::ContractNovation(step) => vec![&step.source, &step.target],
        StepSpec::TenantNotification(step) => vec![&step.target],
        StepSpec::Freeze(step) => vec![&step.org],
        StepSpec::Switch(step) => step.to.iter().collect(),
        StepSpec::Approval(_) | StepSpec::Task(_) | StepSpec::Wait(_) | StepSpec::Verify(_) => {
            Vec::new()
        }
    };
    undoing::look(look, deed, &orgs).await
}
