//! The graph of an outline by position: what comes before what. Built once per paper.
//!
//! Not here: how a plan's graph is checked (`plan`), what moves along it (`apply`, `decide`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::plan::outline::{Outline, StepId, Undo};

/// Positions in `outline.steps`, and the edges between them both ways.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) outline: Arc<Outline>,
    /// Per step: what it comes after.
    pub(super) before: Vec<Vec<usize>>,
    /// Per step: what comes after it.
    pub(super) after: Vec<Vec<usize>>,
    /// Every position once, dependencies first, else in the plan's order.
    pub(super) order: Vec<usize>,
    /// Steps that nobody can undo, or not from some moment on.
    pub(super) final_steps: Vec<usize>,
}

impl Graph {
    /// An edge to a step that is not there is left out: a checked plan has none.
    pub(super) fn new(outline: Arc<Outline>) -> Graph {
        let count = outline.steps.len();
        let mut before = vec![Vec::new(); count];
        let mut after = vec![Vec::new(); count];
        for (at, step) in outline.steps.iter().enumerate() {
            for dependency in step.after.iter().filter_map(|id| outline.index.get(id)) {
                before[at].push(*dependency);
                after[*dependency].push(at);
            }
        }
        let final_steps = (0..count)
            .filter(|&at| {
                let step = &outline.steps[at];
                step.undo == Undo::Cannot || step.undo_until.is_some()
            })
            .collect();
        let order = order(&before, &after);
        Graph {
            outline,
            before,
            after,
            order,
            final_steps,
        }
    }

    pub(super) fn position(&self, step: &StepId) -> Option<usize> {
        self.outline.index.get(step).copied()
    }

    pub(super) fn id(&self, at: usize) -> &StepId {
        &self.outline.steps[at].id
    }
}

/// Kahn's algorithm, always taking the earliest step of the plan that may come next.
fn order(before: &[Vec<usize>], after: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let ready = (0..before.len()).filter(|&at| missing[at] == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = ready.map(Reverse).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for &next in &after[at] {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}
