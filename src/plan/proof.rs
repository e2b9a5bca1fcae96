//! Which decisions must be signed. The step's own word counts first, then its role's; where neither says
//! anything, a decision that opens the way to what cannot be undone is signed, and any other may be
//! recorded.
//!
//! In: the head and the authored steps. Out: roles by step, and those that sign previews.
//! Not here: who has a key (`seats`), signatures (`signature`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authored::Authored;
use super::form::Said;
use super::head::{Head, proof};
use super::model::{Code, Proof};
use super::outline::Undo;

/// Who must sign where.
#[derive(Debug, Clone, Default)]
pub(super) struct Proofs {
    /// Roles by the authored name of an approval.
    gates: BTreeMap<String, Vec<Code>>,
    /// Roles whose signature under a preview is made with a key.
    pub(super) papers: Vec<Code>,
}

impl Proofs {
    /// Roles that must sign at the step of that authored name.
    pub(super) fn at(&self, step: &str) -> &[Code] {
        self.gates.get(step).map_or(&[], Vec::as_slice)
    }
}

/// Who must sign where in a plan.
pub(super) fn proofs(head: &Head, steps: &[Authored<'_>]) -> Proofs {
    let leads = before_what_cannot_be_undone(steps);
    let role = |code: &str| head.roles.get(code).and_then(|(role, _)| role.proof);
    let mut gates = BTreeMap::new();
    for step in steps.iter().filter(|step| step.does() == "approval") {
        let usual = if leads.contains(step.name.as_str()) {
            Proof::Signed
        } else {
            Proof::Recorded
        };
        let own = proof(&step.form);
        let signs = |code: &str| own.or(role(code)).unwrap_or(usual) == Proof::Signed;
        gates.insert(step.name.clone(), signing(&step.form.texts("by"), signs));
    }
    let signs = |code: &str| role(code) == Some(Proof::Signed);
    Proofs {
        gates,
        papers: signing(&head.signed_by, signs),
    }
}

fn signing(roles: &[Said<String>], signs: impl Fn(&str) -> bool) -> Vec<Code> {
    let roles: BTreeSet<&str> = roles.iter().map(|role| role.value.as_str()).collect();
    let roles = roles.into_iter().filter(|role| signs(role));
    roles.map(Arc::from).collect()
}

/// Steps that one with the undo word `cannot` comes after, however far.
fn before_what_cannot_be_undone<'s>(steps: &'s [Authored<'_>]) -> BTreeSet<&'s str> {
    let by_name: BTreeMap<&str, &Authored<'_>> = steps
        .iter()
        .map(|step| (step.name.as_str(), step))
        .collect();
    let mut found = BTreeSet::new();
    let last = steps.iter().filter(|step| step.undo == Undo::Cannot);
    let mut left: Vec<&Authored<'_>> = last.collect();
    while let Some(step) = left.pop() {
        for before in &step.after {
            if let Some(step) = by_name.get(before.value.as_str())
                && found.insert(step.name.as_str())
            {
                left.push(step);
            }
        }
    }
    found
}
