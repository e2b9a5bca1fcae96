//! A run as its journal tells it: papers, state, folder, evidence. Resuming is this and `drive`.
//!
//! In: an open journal and a run's name. Out: a `Site`, folded entry by entry.
//!
//! Not here: who may write (`session`), databases (`connect`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::folder::RunFolder;
use crate::journal::{Journal, JournalFault, RunHead, load_key};
use crate::machine::event::{About, Entry, Event, StepCommitted};
use crate::machine::illegal::Illegal;
use crate::machine::key::RunKey;
use crate::machine::run::Run;
use crate::machine::state::Shelf;
use crate::plan::digest::Digest;
use crate::plan::fault::PlanFaults;
use crate::plan::model::Plan;
use crate::plan::outline::StepId;
use crate::seal::Tree;
use crate::steps::RunLook;

/// A run, folded from its journal.
#[derive(Debug)]
pub struct Site {
    /// Where it is written down.
    pub journal: Journal,
    /// What people call it, and where its log ends.
    pub head: RunHead,
    /// Its state.
    pub run: Run,
    /// Every paper it was bound to, by fingerprint.
    pub plans: BTreeMap<Digest, Arc<Plan>>,
    /// The tree over the log's lines.
    pub tree: Tree,
    /// What lies beside the journal.
    pub folder: RunFolder,
    /// Evidence handed in, by step, oldest first.
    pub evidence: BTreeMap<StepId, Vec<Digest>>,
    /// What each step's newest finished carrying-out wrote.
    pub outputs: BTreeMap<StepId, StepCommitted>,
}

/// Why a run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SiteFault {
    /// The journal says so.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// A stored paper is no plan any more: made by another version, or damaged.
    #[error("the plan that `{label}` is bound to cannot be read")]
    Paper {
        /// Which run.
        label: String,
        /// What is wrong with it.
        faults: PlanFaults,
    },
    /// What was to be written breaks the rules: nothing of it was, and the log is whole.
    #[error("`{label}` does not take this")]
    Refused {
        /// Which run.
        label: String,
        /// What, and why.
        #[source]
        illegal: Box<Illegal>,
    },
    /// An entry breaks the rules: the log was not written by an honest executor.
    #[error("the step log of `{label}` breaks its own rules")]
    Illegal {
        /// Which run.
        label: String,
        /// Where and how.
        #[source]
        illegal: Box<Illegal>,
    },
}

impl Site {
    /// Reads a run: papers first, then every entry through `apply`.
    ///
    /// # Errors
    /// When the journal, a paper or an entry is not what it should be.
    pub async fn open(mut journal: Journal, head: RunHead) -> Result<Site, SiteFault> {
        let plans = papers(&mut journal, &head).await?;
        let shelf: Shelf = plans
            .values()
            .map(|plan| Arc::clone(&plan.outline))
            .collect();
        let folder = RunFolder::new(journal.run_folder(head.id));
        let mut site = Site {
            run: Run::new(shelf),
            tree: Tree::default(),
            folder,
            plans,
            head,
            evidence: BTreeMap::new(),
            outputs: BTreeMap::new(),
            journal,
        };
        let mut entries = site.journal.entries(site.head.id).await?;
        while let Some(entry) = entries.next().await? {
            site.take(&entry)?;
        }
        site.tree = entries.tree().clone();
        Ok(site)
    }

    /// Takes one entry in: the fold's single step.
    ///
    /// # Errors
    /// When the entry breaks the rules.
    pub fn take(&mut self, entry: &Entry) -> Result<(), SiteFault> {
        self.run
            .apply(entry)
            .map_err(|illegal| SiteFault::Illegal {
                label: self.head.label.clone(),
                illegal: Box::new(illegal),
            })?;
        if let (Some(about), Event::StepCommitted(done)) = (&entry.about, &entry.event) {
            self.outputs.insert(about.step.clone(), done.clone());
        }
        if let Some((step, digest)) = evidence(entry) {
            self.evidence.entry(step).or_default().push(digest);
        }
        Ok(())
    }

    /// The plan in force; none before the log is opened.
    #[must_use]
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plans.get(&self.run.paper())
    }

    /// The run's key, held against the commitment in its log.
    ///
    /// # Errors
    /// When it is missing or another run's.
    pub fn key(&self) -> Result<RunKey, JournalFault> {
        let commitment = self
            .run
            .opened()
            .map_or(Digest::ZERO, |opened| opened.commitment);
        load_key(self.folder.path(), commitment)
    }

    /// What a step may know of this run while looking, whichever step it is.
    ///
    /// # Errors
    /// When the run's key is missing or another run's.
    pub fn run_look(&self) -> Result<RunLook, JournalFault> {
        let started = self.run.steps().filter(|(_, step)| step.started.is_some());
        Ok(RunLook {
            id: self.head.id,
            key: self.key()?,
            folder: self.folder.path().to_owned(),
            evidence: Vec::new(),
            generations: started
                .map(|(step, run)| (step.id.clone(), run.generation))
                .collect(),
        })
    }

    /// Puts a paper within reach, so that the run can be amended to it.
    pub fn shelve(&mut self, plan: Arc<Plan>) {
        self.run.shelve(Arc::clone(&plan.outline));
        self.plans.insert(plan.fingerprint(), plan);
    }
}

async fn papers(
    journal: &mut Journal,
    head: &RunHead,
) -> Result<BTreeMap<Digest, Arc<Plan>>, SiteFault> {
    let name = head
        .origin
        .split_once('/')
        .map_or(head.origin.as_str(), |(name, _)| name)
        .to_owned();
    let mut plans = BTreeMap::new();
    for fingerprint in journal.papers_of(head.id).await? {
        let papers = journal.papers(fingerprint).await?;
        let plan = crate::plan::read(&name, papers).map_err(|faults| SiteFault::Paper {
            label: head.label.clone(),
            faults,
        })?;
        plans.insert(fingerprint, Arc::new(plan));
    }
    Ok(plans)
}

fn evidence(entry: &Entry) -> Option<(StepId, Digest)> {
    let digest = match &entry.event {
        Event::HoldAnswered(answered) => answered.evidence,
        Event::ApprovalGranted(decision) => decision.evidence,
        _ => None,
    }?;
    let About { step, .. } = entry.about.as_ref()?;
    Some((step.clone(), digest))
}
