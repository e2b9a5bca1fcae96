//! Hands carry out what the machine orders. `Live` works on the organisations' databases; tests and
//! benches have hands of their own.
//!
//! Not here: what comes next (`machine`), writing it down (`drive`).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::folder::{DETAILS, RunFolder};
use crate::copy::ledger::Deed;
use crate::machine::event::{
    About, Event, FaultKind, HoldBegun, StepCommitted, StepFailed, StepMarked, UndoMode,
};
use crate::machine::key::RunKey;
use crate::machine::time::Time;
use crate::orgdb::{OrgReader, OrgWriter};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan};
use crate::plan::outline::StepId;
use crate::steps::{self, Act, Fault, Look, Output, RunLook};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// The step's work.
    Run,
    /// Its undoing.
    Undo(UndoMode),
}

/// One order to the hands.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which carrying-out of which step.
    pub about: About,
    /// What.
    pub verb: Verb,
    /// The paper this step is bound to.
    pub paper: Digest,
    /// The lease's number.
    pub epoch: u64,
    /// The journal's durable head.
    pub log_seq: u64,
    /// The plan's time.
    pub as_at: Time,
    /// Evidence handed in for the step, oldest first.
    pub evidence: Vec<Digest>,
    /// Generation in force of every step that has started.
    pub generations: BTreeMap<StepId, u32>,
}

/// What the hands say while they work.
#[derive(Debug)]
pub enum Word {
    /// A chunk is durable.
    Mark(About, StepMarked),
    /// The work ended, one way or another.
    End(About, Ended),
}

/// How an order ended.
#[derive(Debug)]
pub enum Ended {
    /// Entries to write, the last one its outcome.
    Told(Vec<Event>),
    /// A database takes no writes at all: nothing is known for or against the step.
    Halted(Fault),
}

/// Who carries orders out.
pub trait Hands: Clone + Send + Sync + 'static {
    /// Does what is ordered and says how it ended; `marks` hears of durable chunks meanwhile.
    fn perform(
        self,
        order: Order,
        marks: UnboundedSender<StepMarked>,
    ) -> impl Future<Output = Ended> + Send;
}

/// Hands on the organisations' databases.
#[derive(Clone)]
pub struct Live {
    /// The run.
    pub run: Uuid,
    /// Its key.
    pub key: RunKey,
    /// Its folder.
    pub folder: RunFolder,
    /// Papers in force now or at the start of a step, by fingerprint.
    pub plans: Arc<BTreeMap<Digest, Arc<Plan>>>,
    /// Read-only connections.
    pub readers: Arc<BTreeMap<Code, OrgReader>>,
    /// Writers, fenced already.
    pub writers: Arc<BTreeMap<Code, OrgWriter>>,
}

impl Hands for Live {
    async fn perform(self, order: Order, marks: UnboundedSender<StepMarked>) -> Ended {
        let Some(act) = self.act(&order, marks) else {
            return Ended::Told(vec![failed(&order.verb, unknown_step(&order))]);
        };
        let done = match (self.revive().await, &order.verb) {
            (Err(fault), _) => Err(fault),
            (Ok(()), Verb::Run) => steps::run(&act).await.map(ended),
            (Ok(()), Verb::Undo(mode)) => steps::undo(&act, *mode)
                .await
                .map(|undone| vec![Event::UndoCommitted(undone)]),
        };
        match done {
            Ok(events) => Ended::Told(events),
            Err(fault) if fault.halts() => Ended::Halted(fault),
            Err(fault) => Ended::Told(self.fault(&order.verb, &fault)),
        }
    }
}

impl Live {
    /// A server may have restarted, or cut us off, since the last order: what was begun then failed and
    /// is tried again, with connections that live.
    async fn revive(&self) -> Result<(), Fault> {
        for reader in self.readers.values() {
            reader.revive().await?;
        }
        for writer in self.writers.values() {
            writer.revive().await?;
        }
        Ok(())
    }

    fn act(&self, order: &Order, marks: UnboundedSender<StepMarked>) -> Option<Act> {
        let plan = Arc::clone(self.plans.get(&order.paper)?);
        let step = plan
            .steps
            .iter()
            .position(|step| step.id == order.about.step)?;
        let look = Look {
            plan,
            step,
            readers: Arc::clone(&self.readers),
            as_at: order.as_at.moment(),
            run: Some(RunLook {
                id: self.run,
                key: self.key.clone(),
                folder: self.folder.path().to_owned(),
                evidence: order.evidence.clone(),
                generations: order.generations.clone(),
            }),
        };
        let deed = Deed {
            run: self.run,
            step: order.about.step.clone(),
            generation: order.about.generation,
            epoch: order.epoch,
            log_seq: order.log_seq,
            key: self.key.clone(),
        };
        Some(Act {
            look,
            writers: Arc::clone(&self.writers),
            deed,
            marks,
        })
    }

    fn fault(&self, verb: &Verb, fault: &Fault) -> Vec<Event> {
        tracing::info!(code = fault.code, about = fault.about, "{}", fault.says);
        let detail = fault.detail.as_ref().and_then(|detail| {
            // A detail that cannot be kept is missed, but never a reason to lose the outcome.
            let kept = self.folder.keep(DETAILS, detail.as_bytes());
            kept.inspect_err(|fault| tracing::warn!("a detail file was not kept: {fault}"))
                .ok()?;
            Some(self.key.keyed("detail/v1", detail.as_bytes()))
        });
        let passed = fault.passed.iter().cloned().map(Event::CheckPassed);
        let failed_checks = fault.checks.iter().cloned().map(Event::CheckFailed);
        let mut events: Vec<Event> = passed.chain(failed_checks).collect();
        let about = (!fault.about.is_empty()).then(|| fault.about.as_str().into());
        let body = StepFailed {
            kind: fault.kind,
            code: fault.code.into(),
            about,
            rows: fault.rows,
            detail,
        };
        events.push(failed(verb, body));
        events
    }
}

fn ended(output: Output) -> Vec<Event> {
    match output {
        Output::Done {
            outputs,
            effects,
            checks,
        } => {
            let mut events: Vec<Event> = checks.into_iter().map(Event::CheckPassed).collect();
            events.push(Event::StepCommitted(StepCommitted { outputs, effects }));
            events
        }
        Output::Held(waiting) => vec![Event::HoldBegun(HoldBegun { waiting })],
    }
}

fn failed(verb: &Verb, body: StepFailed) -> Event {
    match verb {
        Verb::Run => Event::StepFailed(body),
        Verb::Undo(_) => Event::UndoFailed(body),
    }
}

fn unknown_step(order: &Order) -> StepFailed {
    StepFailed {
        kind: FaultKind::Broken,
        code: "HO606".into(),
        about: Some(order.about.step.as_str().into()),
        rows: 0,
        detail: None,
    }
}
