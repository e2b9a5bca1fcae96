//! What came out beside what the preview foretold: every count and every sum that differs.
//!
//! Not here: whether a difference is right (data moves on between a preview and a run; people judge).

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::model::Preview;
use crate::copy::counts::Counts;
use crate::machine::event::DatasetCount;
use crate::plan::model::Code;
use crate::plan::outline::StepId;

/// One number that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The step.
    #[schemars(with = "String")]
    pub step: StepId,
    /// The organisation.
    #[schemars(with = "String")]
    pub org: Code,
    /// The dataset.
    pub dataset: String,
    /// `copied`, `rejected`, `filtered` or `pence`.
    pub what: String,
    /// What the preview said.
    pub foretold: String,
    /// What came out.
    pub found: String,
}

/// Every number of finished steps that is not as foretold. Steps without forecast counts (decisions,
/// waits, checks) are not compared, and neither are steps that did not finish.
#[must_use]
pub fn compare(
    preview: &Preview,
    outputs: &BTreeMap<StepId, Vec<DatasetCount>>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for step in preview.steps.iter().filter(|step| !step.counts.is_empty()) {
        let Some(outputs) = outputs.get(&step.id) else {
            continue;
        };
        for (org, foretold) in &step.counts {
            let alone = step.counts.len() == 1;
            let of_org = |output: &&DatasetCount| match &output.org {
                Some(named) => named == org,
                None => alone,
            };
            let found: BTreeMap<&str, &DatasetCount> = outputs
                .iter()
                .filter(of_org)
                .map(|output| (&*output.dataset, output))
                .collect();
            let said = Said {
                step: &step.id,
                org,
            };
            differences.extend(said.org(foretold, &found));
        }
    }
    differences
}

struct Said<'a> {
    step: &'a StepId,
    org: &'a Code,
}

impl Said<'_> {
    fn org(
        &self,
        foretold: &BTreeMap<String, Counts>,
        found: &BTreeMap<&str, &DatasetCount>,
    ) -> Vec<Difference> {
        let said = foretold.keys().map(String::as_str);
        let names: BTreeSet<&str> = said.chain(found.keys().copied()).collect();
        let nothing = Counts::default();
        let each = names.into_iter().flat_map(|name| {
            let counts = foretold.get(name).unwrap_or(&nothing);
            self.dataset(name, counts, found.get(name).copied())
        });
        each.collect()
    }

    fn dataset(
        &self,
        name: &str,
        foretold: &Counts,
        found: Option<&DatasetCount>,
    ) -> Vec<Difference> {
        let [rows, rejected, filtered, merged] = found.map_or([0; 4], |out| {
            [out.rows, out.rejected, out.filtered, out.merged]
        });
        let numbers = [
            ("copied", foretold.copied, rows),
            ("rejected", foretold.rejected.values().sum(), rejected),
            ("filtered", foretold.filtered.values().sum(), filtered),
            ("merged", foretold.merged.values().sum(), merged),
        ];
        let mut differences: Vec<Difference> = numbers
            .into_iter()
            .filter(|(_, foretold, found)| foretold != found)
            .map(|(what, foretold, found)| {
                self.difference(name, what, foretold.to_string(), found.to_string())
            })
            .collect();
        differences.extend(found.and_then(|out| self.pence(name, foretold, out)));
        differences
    }

    /// A step's output carries the sum of its money columns, or of the one that counts.
    fn pence(&self, name: &str, foretold: &Counts, found: &DatasetCount) -> Option<Difference> {
        let pence = found.pence.as_ref()?;
        let all = foretold.pence.values().sum::<i128>().to_string();
        let mut one = foretold.pence.values().map(i128::to_string);
        if all == *pence || one.any(|sum| sum == *pence) {
            return None;
        }
        Some(self.difference(name, "pence", all, pence.clone()))
    }

    fn difference(&self, name: &str, what: &str, foretold: String, found: String) -> Difference {
        Difference {
            step: self.step.clone(),
            org: self.org.clone(),
            dataset: name.to_owned(),
            what: what.to_owned(),
            foretold,
            found,
        }
    }
}
