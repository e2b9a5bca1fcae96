//! The paper as a preview keeps it: which files by digest, their lines where they may be shown, who
//! may decide, and which step works on which file. Enough to say later what changed and whom it
//! touches, without the plan folder and without a name.
//!
//! Not here: comparing two papers (`stale`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan, StepSpec};
use crate::plan::outline::{Holder, StepId};

/// Texts above this are kept by digest alone: people do not read them line by line.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// The file with people's names: it counts without them.
pub(super) const PEOPLE: &str = "people.toml";

/// What a signature binds to, in parts that can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The paper fingerprint: the digest of the manifest.
    #[schemars(with = "String")]
    pub fingerprint: Digest,
    /// The plan's short name, typed to confirm severe acts.
    #[schemars(with = "String")]
    pub plan: Code,
    /// What people call the transfer.
    pub title: String,
    /// Who wrote it: signs nothing.
    #[schemars(with = "String")]
    pub author: Code,
    /// Every file of the paper.
    pub files: BTreeMap<String, PaperFile>,
    /// Who may decide when, by code.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub holders: Vec<Holder>,
    /// What each step works with.
    pub steps: Vec<PaperStep>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperFile {
    /// SHA-256 of its bytes; those of `people.toml` without names.
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Its lines, for plans, maps and letters; lists and `people.toml` are kept by digest alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
}

/// The part of a step by which a change of paper finds the organisations that it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperStep {
    /// Its id.
    #[schemars(with = "String")]
    pub id: StepId,
    /// The authored name: the table in `plan.toml`.
    #[schemars(with = "String")]
    pub name: Code,
    /// Organisations whose rows, people or decisions it concerns.
    #[schemars(with = "Vec<String>")]
    pub orgs: BTreeSet<Code>,
    /// Files it works with: its map, its template.
    pub files: Vec<String>,
}

impl Paper {
    /// The paper of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Paper {
        Paper {
            fingerprint: plan.fingerprint(),
            plan: plan.name.clone(),
            title: plan.title.clone(),
            author: plan.author.clone(),
            files: plan.papers.kept().into_iter().map(file).collect(),
            holders: plan.outline.holders.clone(),
            steps: (0..plan.steps.len()).map(|at| step(plan, at)).collect(),
        }
    }

    /// Organisations that steps working with `file` concern.
    #[must_use]
    pub fn users(&self, file: &str) -> BTreeSet<Code> {
        let works = |step: &&PaperStep| step.files.iter().any(|used| used == file);
        let users = self.steps.iter().filter(works);
        users.flat_map(|step| step.orgs.iter().cloned()).collect()
    }

    /// Organisations that the authored step `name` concerns; `None` where there is no such step.
    #[must_use]
    pub fn concerned(&self, name: &str) -> Option<BTreeSet<Code>> {
        let mut named = self
            .steps
            .iter()
            .filter(|step| &*step.name == name)
            .peekable();
        named.peek()?;
        Some(named.flat_map(|step| step.orgs.iter().cloned()).collect())
    }
}

fn file((path, bytes): (String, Arc<[u8]>)) -> (String, PaperFile) {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let shown = path != PEOPLE && matches!(ending, "toml" | "md");
    let text = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| shown && text.len() <= TEXT_BYTES_MAX);
    let file = PaperFile {
        sha256: Digest::of(&bytes),
        lines: text.map(|text| text.lines().map(str::to_owned).collect()),
    };
    (path, file)
}

fn step(plan: &Plan, at: usize) -> PaperStep {
    let step = &plan.steps[at];
    let mut orgs: BTreeSet<Code> = step.org.iter().cloned().collect();
    let mut files = Vec::new();
    match &step.does {
        StepSpec::DataCopy(copy) => {
            orgs.insert(copy.target.clone());
            files.push(copy.map_path.clone());
        }
        StepSpec::CatchUp(catch_up) => {
            orgs.insert(catch_up.copy.target.clone());
            files.push(catch_up.copy.map_path.clone());
        }
        StepSpec::StaffTransfer(staff) => {
            orgs.insert(staff.target.clone());
            files.push(staff.map.path.clone());
        }
        StepSpec::ContractNovation(contracts) => {
            orgs.insert(contracts.target.clone());
            files.push(contracts.map.path.clone());
        }
        StepSpec::TenantNotification(letters) => {
            orgs.insert(letters.target.clone());
            files.push(letters.template.clone());
            files.push(letters.recipients.path.clone());
        }
        StepSpec::Approval(approval) => {
            orgs.extend(approval.seats.iter().filter_map(|seat| seat.org.clone()));
        }
        StepSpec::Freeze(freeze) => orgs.extend([freeze.org.clone()]),
        StepSpec::Verify(verify) => orgs.extend(verify.targets.iter().cloned()),
        StepSpec::Switch(switch) => orgs.extend(switch.to.iter().cloned()),
        StepSpec::Task(_) | StepSpec::Wait(_) => {}
    }
    PaperStep {
        id: step.id.clone(),
        name: step.name.clone(),
        orgs,
        files,
    }
}
