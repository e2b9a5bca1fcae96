//! The outline of a plan: what the machine needs to know and nothing else. Graph, gates, dates,
//! undo words, by name and never by position.
//!
//! Not here: what steps do (`model`), the rules by which a run moves (`machine`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::model::{Code, Seat};
use super::public_key::PublicKey;
use super::quorum::Quorum;

/// The author's own name for a step, with `/organisation` where one step stands for several: the
/// only id that is ever stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub Arc<str>);

impl StepId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for StepId {
    fn from(text: &str) -> StepId {
        StepId(text.into())
    }
}

/// What a transfer moves, and what a point of no return closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Rows about homes, tenancies, money.
    Data,
    /// Employees.
    Staff,
    /// Contracts with suppliers.
    Contracts,
    /// What tenants and leaseholders were told.
    Tenants,
}

/// A step's undo word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// We undo it.
    Automatic,
    /// A person does, and attests it; the words say what.
    ByHand(String),
    /// Nobody can; its subjects are closed once it has finished.
    Cannot,
    /// There is nothing to undo: a read, a wait, a decision.
    Nothing,
}

/// What a failed step does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Stands as it is; its descendants wait, its siblings finish.
    #[default]
    Hold,
    /// Takes its own work back at once (never after an infrastructure unknown).
    Undo,
}

/// How often and how soon a transient fault is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// Seconds between attempts.
    pub wait_s: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: 3,
            wait_s: 5,
        }
    }
}

/// What a step waits for before it may start, beside its dependencies and its date.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Gate {
    /// Nothing.
    #[default]
    None,
    /// Every seat says yes (distinct people, never the author); a no stops the run.
    Decisions(Vec<Seat>),
    /// One holder of the seat says that it was done.
    Done(Seat),
    /// The moment comes.
    Until(Timestamp),
}

/// One step as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineStep {
    /// Its id.
    pub id: StepId,
    /// Ids it comes after; always earlier in no particular order, never itself.
    pub after: Vec<StepId>,
    /// Not before this moment.
    pub start: Option<Timestamp>,
    /// What it waits for.
    pub gate: Gate,
    /// Roles whose yes at the gate must be signed.
    pub signed: Vec<Code>,
    /// Its undo word.
    pub undo: Undo,
    /// The undo word becomes `cannot` once this moment has passed (staff transfers at handover).
    pub undo_until: Option<Timestamp>,
    /// What it moves; a `cannot` step closes these.
    pub subjects: Vec<Subject>,
    /// What a failure does.
    pub on_failure: OnFailure,
    /// How transient faults are tried again.
    pub retry: Retry,
}

impl Outline {
    /// Whether one step must be done before another starts.
    #[must_use]
    pub fn comes_before(&self, first: &StepId, later: &StepId) -> bool {
        let (mut seen, mut left) = (BTreeSet::new(), vec![later]);
        while let Some(step) = left.pop() {
            let Some(step) = self.index.get(step).and_then(|at| self.steps.get(*at)) else {
                continue;
            };
            if step.after.contains(first) {
                return true;
            }
            left.extend(step.after.iter().filter(|before| seen.insert(*before)));
        }
        false
    }
}

/// Who may decide when: `people.toml` without its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The person's code.
    pub person: Code,
    /// The role's code.
    pub role: Code,
    /// The organisation they act for.
    pub org: Code,
    /// First moment.
    pub from: Option<Timestamp>,
    /// First moment at which it no longer holds.
    pub to: Option<Timestamp>,
    /// The key that they sign with.
    pub key: Option<PublicKey>,
}

impl Holder {
    /// Whether they are in post at that moment.
    #[must_use]
    pub fn in_post(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// Whether it is that person who holds that role for that organisation at that moment.
    #[must_use]
    pub fn sits(&self, (person, role, org): (&Code, &Code, &Code), at: Timestamp) -> bool {
        self.person == *person && self.role == *role && self.org == *org && self.in_post(at)
    }
}

/// The whole paper as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outline {
    /// The paper fingerprint this outline was made from.
    pub paper: Digest,
    /// Digest over ids, edges and undo words: what an amendment may not change of a begun step.
    pub dag: Digest,
    /// Steps in the plan's order.
    pub steps: Vec<OutlineStep>,
    /// Position of each id in `steps`.
    pub index: BTreeMap<StepId, usize>,
    /// Who wrote the plan.
    pub author: Option<Code>,
    /// Who holds which role, when.
    pub holders: Vec<Holder>,
    /// Who signs a preview (and an amendment).
    pub signed_by: Vec<Seat>,
    /// Roles whose yes to a preview must be signed with their key.
    pub signed: Vec<Code>,
    /// The author's key: another code with it is still the author.
    pub author_key: Option<PublicKey>,
    /// Whose eyes a seal needs before what cannot be undone; none: the plan asks for none.
    pub trust: Option<Quorum>,
}
