//! The end of the story: what the run says it did is held against what the generator knows to be true,
//! and the exported log is replayed on its own.
//!
//! Shares no code with the copier: the truth was kept while rows were made.

use std::path::Path;

use super::generate::Truth;
use super::story::StoryFault;
use crate::journal::LogFolder;
use crate::plan::model::{Plan, StepSpec};
use crate::replay::verify::{Evidence, verify};
use crate::report::words::{count, money};
use crate::run::Site;

/// What was found, a line each, and whether all of it agrees.
pub(super) struct Proof {
    pub(super) lines: Vec<String>,
    pub(super) agrees: bool,
}

impl Proof {
    fn say(&mut self, holds: bool, text: &str) {
        self.lines
            .push(format!("  {}  {text}", if holds { "PASS" } else { "FAIL" }));
        self.agrees &= holds;
    }
}

/// Looks at a finished run from outside.
pub(super) fn look(
    site: &Site,
    plan: &Plan,
    log: &Path,
    folder: &Path,
) -> Result<Proof, StoryFault> {
    let mut proof = Proof {
        lines: Vec::new(),
        agrees: true,
    };
    replayed(log, &mut proof)?;
    if let Ok(text) = std::fs::read_to_string(folder.join("data/truth.json")) {
        let truth: Truth = serde_json::from_str(&text).map_err(std::io::Error::other)?;
        compared(site, plan, &truth, &mut proof);
    }
    Ok(proof)
}

fn replayed(log: &Path, proof: &mut Proof) -> Result<(), StoryFault> {
    let mut folder = LogFolder::open(log)?;
    let lines = folder.lines()?;
    let report = verify(&mut folder, lines, &Evidence::default());
    let findings = report
        .findings
        .iter()
        .filter(|finding| !finding.missing)
        .count();
    proof.say(
        findings == 0,
        &format!(
            "log      {} entries replayed from the export alone, {findings} findings",
            count(report.size)
        ),
    );
    Ok(())
}

fn compared(site: &Site, plan: &Plan, truth: &Truth, proof: &mut Proof) {
    for step in &plan.steps {
        let StepSpec::DataCopy(copy) = &step.does else {
            continue;
        };
        let told_by = step.org.as_ref().unwrap_or(&copy.target);
        let (Some(wrote), Some(right)) =
            (site.outputs.get(&step.id), truth.targets.get(&**told_by))
        else {
            continue;
        };
        let (mut rows, mut kept_back, mut pence, mut off) = (0, 0, 0, 0);
        for (dataset, right) in right {
            let wrote = wrote
                .outputs
                .iter()
                .find(|wrote| &*wrote.dataset == dataset.as_str());
            let same = wrote.is_some_and(|wrote| {
                wrote.rows == right.copied
                    && wrote.rejected == right.rejected.values().sum::<u64>()
                    && wrote.filtered == right.filtered.values().sum::<u64>()
            });
            off += u64::from(!same && right != &super::generate::truth::DatasetTruth::default());
            rows += right.copied;
            kept_back += right
                .rejected
                .values()
                .chain(right.filtered.values())
                .sum::<u64>();
            if dataset == "account" {
                pence += right.pence.values().copied().map(i128::from).sum::<i128>();
            }
        }
        proof.say(
            off == 0,
            &format!(
                "{:<34} {} rows copied, {} kept back or left out, {} owed",
                plan.org_name(told_by),
                count(rows),
                count(kept_back),
                money(pence)
            ),
        );
    }
}
