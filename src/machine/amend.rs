//! Other papers in mid-run: what an amendment may not touch, and what becomes of the steps.
//!
//! What has begun stays as it was planned: its table and its edges. What has not may change, come and
//! go, but nothing new may slip in before something that is finished. Every failed step may be tried
//! once more under the new paper: which file mended it is the people's knowledge, and they signed it.
//!
//! Not here: comparing maps and templates file by file (`plan`, `preview`): the machine knows outlines
//! only. Whose signatures an edit lapses (`cli`).

use std::collections::BTreeSet;

use super::event::On;
use super::graph::Graph;
use super::run::Run;
use super::state::{StepRun, StepState};
use crate::plan::digest::Digest;
use crate::plan::outline::{Outline, StepId};

/// An amendment that a run can take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amendment {
    /// Steps that were not there.
    pub added: Vec<StepId>,
    /// Steps that are no more.
    pub removed: Vec<StepId>,
    /// Steps whose table changes.
    pub changed: Vec<StepId>,
    /// Failed steps that may be tried again.
    pub freed: Vec<StepId>,
}

/// Why a run cannot take an amendment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmendFault {
    /// Gone, though it has begun.
    #[error("`{0}` has begun and is missing")]
    Vanished(StepId),
    /// Changed, though it has begun.
    #[error("`{0}` has begun and its table is not the same")]
    Changed(StepId),
    /// Other edges, though it has begun.
    #[error("`{0}` has begun and no longer comes after the same steps")]
    Edges(StepId),
    /// A step that is new, or not begun, before one that is finished.
    #[error("`{new}` would come before `{finished}`, which is finished")]
    Upstream {
        /// The new step.
        new: StepId,
        /// The finished one.
        finished: StepId,
    },
    /// First the rollback, then the amendment.
    #[error("a rollback is on")]
    RollingBack,
    /// The paper is the one in force.
    #[error("the paper is the one in force")]
    Same,
    /// Witnesses were named in public before the run: nobody changes them half-way.
    #[error("`[trust]` is not the same: who witnesses a run stays as it was signed")]
    Trust,
}

impl Run {
    /// What changing to `new` would mean.
    ///
    /// # Errors
    /// Everything that stands against it, at once.
    pub fn amendment(&self, new: &Outline) -> Result<Amendment, Vec<AmendFault>> {
        let mut faults = Vec::new();
        if self.rollback.is_some() {
            faults.push(AmendFault::RollingBack);
        }
        if new.paper == self.paper() {
            faults.push(AmendFault::Same);
        }
        if new.trust.as_ref() != self.quorum() {
            faults.push(AmendFault::Trust);
        }
        let mut amendment = Amendment::default();
        for (old, run) in self.steps() {
            let Some(position) = new.index.get(&old.id) else {
                if touched(run) {
                    faults.push(AmendFault::Vanished(old.id.clone()));
                } else {
                    amendment.removed.push(old.id.clone());
                }
                continue;
            };
            let step = &new.steps[*position];
            if frees(run) {
                amendment.freed.push(old.id.clone());
            }
            if step == old {
                continue;
            }
            let edges: BTreeSet<&StepId> = old.after.iter().collect();
            if !touched(run) {
                amendment.changed.push(old.id.clone());
            } else if step.after.iter().collect::<BTreeSet<_>>() != edges {
                faults.push(AmendFault::Edges(old.id.clone()));
            } else {
                faults.push(AmendFault::Changed(old.id.clone()));
            }
        }
        let ids = new.steps.iter().map(|step| &step.id);
        let added = ids.filter(|id| self.graph.position(id).is_none());
        amendment.added = added.cloned().collect();
        faults.extend(self.slipped_in(new, &amendment.added));
        if faults.is_empty() {
            Ok(amendment)
        } else {
            Err(faults)
        }
    }

    /// New steps that stand before a finished one, however far.
    fn slipped_in(&self, new: &Outline, added: &[StepId]) -> Vec<AmendFault> {
        let graph = Graph::new(std::sync::Arc::new(new.clone()));
        let mut faults = Vec::new();
        for id in added {
            let mut seen = BTreeSet::new();
            let mut ahead: Vec<usize> = graph.position(id).into_iter().collect();
            while let Some(at) = ahead.pop() {
                let finished = graph.id(at);
                if self.state(finished).is_some_and(touched) {
                    faults.push(AmendFault::Upstream {
                        new: id.clone(),
                        finished: finished.clone(),
                    });
                    break;
                }
                ahead.extend(graph.after[at].iter().filter(|&&after| seen.insert(after)));
            }
        }
        faults
    }

    /// Takes a judged amendment in.
    pub(super) fn amend(&mut self, paper: &Digest, seq: u64) {
        let Some(new) = self.shelf.get(paper).cloned() else {
            return;
        };
        let graph = Graph::new(new.clone());
        let mut steps = Vec::with_capacity(new.steps.len());
        let mut changed = Vec::new();
        for step in &new.steps {
            let Some(at) = self.graph.position(&step.id) else {
                steps.push(StepRun::default());
                continue;
            };
            let mut run = self.steps[at].clone();
            run.freed |= frees(&run);
            if *step != *self.step_at(at) {
                (run.hold, run.requested, run.done) = (None, None, None);
                changed.push(step.id.clone());
            }
            steps.push(run);
        }
        let gone = |id: &&StepId| graph.position(id).is_none();
        let old = self.graph.outline.clone();
        changed.extend(old.steps.iter().map(|step| &step.id).filter(gone).cloned());
        for step in changed {
            let gate: Vec<u64> = self
                .not_void(&On::Gate { step })
                .map(|(seq, _)| seq)
                .collect();
            self.void(&gate);
        }
        self.graph = graph;
        self.steps = steps;
        self.count_missing();
        (self.amended, self.signed) = (Some(seq), true);
    }
}

/// Begun and not undone, or left out by decision: bound to its table and edges.
fn touched(run: &StepRun) -> bool {
    run.begun() || run.finished()
}

fn frees(run: &StepRun) -> bool {
    match run.state {
        StepState::Failed => true,
        StepState::Undone => run.failure.is_some(),
        _ => false,
    }
}
