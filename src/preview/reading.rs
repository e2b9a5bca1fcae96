//! The reading: live counts and sums per organisation, and their digest. It is about its moment; a
//! gate approval binds to it and is checked once there.
//!
//! Not here: where counts come from (`look`), the paper fingerprint (`paper`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{CountsShape, FindingSaid, StepSaid};
use crate::copy::counts::Counts;
use crate::plan::digest::Digest;
use crate::plan::model::Code;

/// What maps call the dataset of homes.
pub const HOMES: [&str; 5] = ["home", "homes", "asset", "dwelling", "property"];

/// Counts by organisation and dataset, summed over steps; rows nobody owns; a digest over all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Counts by organisation, then dataset.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, CountsShape>>")]
    pub orgs: BTreeMap<Code, BTreeMap<String, Counts>>,
    /// Rows nobody owns, by source table and reason.
    pub unrouted: BTreeMap<String, BTreeMap<String, u64>>,
    /// SHA-256 over both and over what would stop a step, one line each.
    #[schemars(with = "String")]
    pub digest: Digest,
}

impl Reading {
    /// Sums what steps foretold. Rows nobody owns add up over the copies that the author wrote as one
    /// step: each says those of its own source once. Another copy of the same table sees them again, so
    /// that over several such steps the most counts, not the sum.
    #[must_use]
    pub fn of(steps: &[StepSaid], findings: &[FindingSaid]) -> Reading {
        let mut reading = Reading::default();
        let mut nobodys: BTreeMap<(&Code, &str, &str), u64> = BTreeMap::new();
        for step in steps {
            for (org, datasets) in &step.counts {
                let into = reading.orgs.entry(org.clone()).or_default();
                for (dataset, counts) in datasets {
                    add(into.entry(dataset.clone()).or_default(), counts);
                }
            }
            for (table, reasons) in &step.unrouted {
                for (reason, rows) in reasons {
                    *nobodys.entry((&step.name, table, reason)).or_default() += rows;
                }
            }
        }
        for ((_, table, reason), rows) in nobodys {
            let into = reading.unrouted.entry(table.to_owned()).or_default();
            let most = into.entry(reason.to_owned()).or_default();
            *most = (*most).max(rows);
        }
        reading.digest = reading.digested(findings);
        reading
    }

    /// Whether all numbers of a file together are one that can be counted: whoever sums some of them, in
    /// whatever order, then needs to ask no more.
    #[must_use]
    pub(super) fn adds_up(steps: &[StepSaid]) -> bool {
        let counts = || steps.iter().flat_map(|step| step.counts.values());
        let counts = || counts().flat_map(BTreeMap::values);
        let classes = |counts: &'_ Counts| {
            let by_name = [
                &counts.rejected,
                &counts.filtered,
                &counts.merged,
                &counts.mended,
            ];
            let behind = by_name.into_iter().flat_map(BTreeMap::values).copied();
            behind.chain([counts.copied]).collect::<Vec<u64>>()
        };
        let unrouted = steps.iter().flat_map(|step| step.unrouted.values());
        let unrouted = unrouted.flat_map(BTreeMap::values).copied();
        let mut rows = counts().flat_map(classes).chain(unrouted);
        let mut pence = counts().flat_map(|counts| counts.pence.values());
        rows.try_fold(0, u64::checked_add).is_some()
            && pence
                .try_fold(0_i128, |sum, pence| sum.checked_add(pence.checked_abs()?))
                .is_some()
    }

    /// Counts of one dataset over all organisations.
    #[must_use]
    pub fn total(&self, dataset: &str) -> Counts {
        let mut total = Counts::default();
        for counts in self.orgs.values().filter_map(|sets| sets.get(dataset)) {
            add(&mut total, counts);
        }
        total
    }

    /// Rows of the dataset that holds homes, over all organisations, by whatever way each goes; `None`
    /// where no home was read.
    #[must_use]
    pub fn homes(&self) -> Option<u64> {
        let dataset = self.named(&HOMES)?;
        let total = self.total(dataset);
        let kept_back: u64 = total.rejected.values().sum();
        Some(total.copied + kept_back)
    }

    /// The first of `names` that is a dataset of any organisation.
    #[must_use]
    pub fn named<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        let there = |name: &&&str| self.orgs.values().any(|sets| sets.contains_key(**name));
        names.iter().find(there).copied()
    }

    pub(super) fn digested(&self, findings: &[FindingSaid]) -> Digest {
        Digest::of(self.lines(findings).as_bytes())
    }

    /// Lines of plain text in a fixed order, so that sums of any size enter exactly. What stops a step is
    /// a part of it: whoever signs has seen it.
    pub(super) fn lines(&self, findings: &[FindingSaid]) -> String {
        let mut lines = String::new();
        for (org, datasets) in &self.orgs {
            for (dataset, counts) in datasets {
                let _ = writeln!(lines, "{org}\t{dataset}\tcopied\t{}", counts.copied);
                for (rule, rows) in &counts.rejected {
                    let _ = writeln!(lines, "{org}\t{dataset}\trejected {rule}\t{rows}");
                }
                for (reason, rows) in &counts.filtered {
                    let _ = writeln!(lines, "{org}\t{dataset}\tfiltered {reason}\t{rows}");
                }
                for (policy, rows) in &counts.merged {
                    let _ = writeln!(lines, "{org}\t{dataset}\tmerged {policy}\t{rows}");
                }
                for (column, pence) in &counts.pence {
                    let _ = writeln!(lines, "{org}\t{dataset}\tpence {column}\t{pence}");
                }
            }
        }
        for (table, reasons) in &self.unrouted {
            for (reason, rows) in reasons {
                let _ = writeln!(lines, "-\t{table}\t{reason}\t{rows}");
            }
        }
        for finding in findings.iter().filter(|finding| finding.stops) {
            let FindingSaid {
                code, about, says, ..
            } = finding;
            let _ = writeln!(lines, "-\tstops\t{code}\t{about}\t{says}");
        }
        lines
    }
}

fn add(into: &mut Counts, counts: &Counts) {
    into.copied += counts.copied;
    for (rule, rows) in &counts.rejected {
        *into.rejected.entry(rule.clone()).or_default() += rows;
    }
    for (reason, rows) in &counts.filtered {
        *into.filtered.entry(reason.clone()).or_default() += rows;
    }
    for (policy, rows) in &counts.merged {
        *into.merged.entry(policy.clone()).or_default() += rows;
    }
    for (rule, values) in &counts.mended {
        *into.mended.entry(rule.clone()).or_default() += values;
    }
    for (column, pence) in &counts.pence {
        *into.pence.entry(column.clone()).or_default() += pence;
    }
}
