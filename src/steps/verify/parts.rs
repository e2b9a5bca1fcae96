//! `parts add up`: the parts of a split are disjoint where they should be, and together they are the
//! source: lines by count and keyed digest, money to the penny, what stays behind by its reason.
//!
//! In: copies that share a source, what the source comes to, the ledgers, the targets. Out: checks.
//!
//! ```text
//! part of account for dover               812 lines, digests 00…3f      812 lines, digests 00…3f
//! stays behind of account for dover       3 rejected, HO502 starts_on; 2 left out, never started
//! parts of account of ekh                 1200 lines, digests 01…7c     1200 lines, digests 01…7c
//! parts of account.balance of ekh         £612479.97                    £612479.97
//! ```
//!
//! Not here: the sums themselves (`copy::verify::parts`).

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Over, deed};
use super::totals::{UNKNOWN_OWNER, fates_of};
use super::{Copied, Found, mark};
use crate::copy::verify::parts::{Lines, Sum, lines, noted};
use crate::machine::total::{Class, pounds};
use crate::plan::map::Dataset;
use crate::plan::model::{DataCopy, Plan, StepSpec};
use crate::steps::{Fault, Finding, data_copy};

/// Parts of a source that the step does not look at: nothing could be said of the whole.
pub(super) fn incomplete(copies: &[Copied<'_>], plan: &Plan) -> Vec<Finding> {
    let mut found = BTreeMap::new();
    for copied in copies {
        let looked = |id: &crate::plan::outline::StepId| copies.iter().any(|one| one.id == id);
        let siblings = plan.steps.iter().filter(|step| match &step.does {
            StepSpec::DataCopy(other) => other.shares_source_with(copied.copy),
            _ => false,
        });
        for missing in siblings.filter(|step| !looked(&step.id)) {
            let says = format!("`{}` is a part that this step does not look at", missing.id);
            let help =
                "put `parts add up` into a `verify` step without `each`, after all the copies";
            let finding = Finding::stop("HO535", missing.id.as_str(), says).help(help);
            found.insert(missing.id.clone(), finding);
        }
    }
    found.into_values().collect()
}

impl Over<'_> {
    /// Every dataset of every source that the step's copies share out.
    pub(super) async fn parts(&self, found: &mut Found) -> Result<(), Fault> {
        let mut told: Vec<&Copied<'_>> = Vec::new();
        for copied in self.copies {
            if told
                .iter()
                .any(|one| one.copy.shares_source_with(copied.copy))
            {
                continue;
            }
            told.push(copied);
            let copy = copied.copy;
            let parts = self.copies.iter();
            let parts = parts.filter(|one| one.copy.shares_source_with(copy));
            let parts: Vec<&Copied<'_>> = parts.collect();
            let route = data_copy::route(&self.act.look.plan, copy);
            let reader = self.act.look.reader(&copy.source)?;
            let of = (&*copy.map, copy.tables.as_slice());
            let due = lines(reader, of, &route, &self.act.deed).await?;
            for dataset in data_copy::datasets(copy) {
                if let Some(due) = due.get(&dataset.name) {
                    self.lines(found, &parts, dataset, due).await?;
                }
            }
            for (table, column) in money(copy) {
                self.pence_of(found, &parts, (table, &column), &due).await?;
            }
        }
        Ok(())
    }

    /// Each part is what its owner is due, and all of them with nobody's lines are the source's lines.
    async fn lines(
        &self,
        found: &mut Found,
        parts: &[&Copied<'_>],
        dataset: &Dataset,
        due: &Lines,
    ) -> Result<(), Fault> {
        let (mut together, mut whole) = (Sum::default(), true);
        for copied in parts {
            let target = &copied.copy.target;
            let reader = self.act.look.reader(target)?;
            let deed = deed(self.act, copied.id)?;
            let stands = noted(reader, &deed, &dataset.name).await?;
            let stands = stands.filter(|_| copied.since.is_empty());
            let part = due
                .parts
                .get(target)
                .map_or(Sum::default(), |part| part.lines);
            if let Some(stands) = stands {
                let rule = format!("part of {} for {target}", dataset.name);
                found.compare(rule, part.to_string(), stands.to_string());
                together = together.and(stands);
            } else {
                // The ledger knows single lines since: rows are held against the source elsewhere.
                whole = false;
            }
            self.behind(found, copied, dataset);
        }
        let source = &parts[0].copy.source;
        let mut nobodys = Sum::default();
        for (reason, part) in &due.nobodys {
            // A code that stands in the data and in no paper stays out of the log.
            let why = if reason.starts_with("owner ") {
                UNKNOWN_OWNER
            } else {
                reason
            };
            told(
                found,
                format!("nobody's of {} of {source}", dataset.name),
                format!("{} lines, {why}", part.lines.lines),
            );
            nobodys = nobodys.and(part.lines);
        }
        if due.again.lines.lines > 0 {
            told(
                found,
                format!("shared of {} of {source}", dataset.name),
                format!("{} lines go to more than one", due.again.lines.lines),
            );
        }
        let rule = format!("parts of {} of {source}", dataset.name);
        if whole {
            let all = due.all.and(due.again.lines);
            found.compare(rule, all.to_string(), together.and(nobodys).to_string());
        } else {
            let shared = due.parts.values().map(|part| part.lines.lines);
            let accounted = shared.sum::<u64>() + nobodys.lines - due.again.lines.lines;
            let counted =
                |lines| format!("{lines} lines; their digests cannot be told after a catch-up");
            found.compare(rule, counted(due.all.lines), counted(accounted));
        }
        Ok(())
    }

    /// What belongs to a part and stays behind, by its reason.
    fn behind(&self, found: &mut Found, copied: &Copied<'_>, dataset: &Dataset) {
        let target = &copied.copy.target;
        let forecast = self.forecasts.get(copied.id);
        let counts = forecast.and_then(|one| one.targets.get(target)?.get(&dataset.name));
        let fates = counts
            .into_iter()
            .flat_map(|counts| fates_of(dataset, counts));
        let behind = fates.filter(|fate| fate.class != Class::Copied);
        let told_so: Vec<String> = behind
            .map(|fate| {
                let why = fate.reason.unwrap_or_default();
                format!("{} {}, {why}", fate.rows, fate.class.word())
            })
            .collect();
        if !told_so.is_empty() {
            let rule = format!("stays behind of {} for {target}", dataset.name);
            told(found, rule, told_so.join("; "));
        }
    }

    /// What stands at the targets, with what stays behind and what is nobody's, is the source's money:
    /// column by column of each table, whichever datasets fill it.
    async fn pence_of(
        &self,
        found: &mut Found,
        parts: &[&Copied<'_>],
        (table, column): (&str, &str),
        due: &BTreeMap<String, Lines>,
    ) -> Result<(), Fault> {
        let of = |pence: &BTreeMap<String, i128>| pence.get(column).copied().unwrap_or(0);
        let datasets = data_copy::datasets(parts[0].copy).into_iter();
        let datasets: Vec<&Dataset> = datasets.filter(|one| one.into == table).collect();
        let all: Vec<&Lines> = datasets
            .iter()
            .filter_map(|one| due.get(&one.name))
            .collect();
        let mut sum = Some(0);
        for copied in parts {
            let target = &copied.copy.target;
            let mine = all.iter().filter_map(|lines| lines.parts.get(target));
            let mine: i128 = mine.map(|part| of(&part.pence)).sum();
            let forecast = self.forecasts.get(copied.id);
            let counts = forecast.and_then(|one| one.targets.get(target));
            let counts = datasets.iter().filter_map(|one| counts?.get(&one.name));
            let goes: i128 = counts.map(|counts| of(&counts.pence)).sum();
            let stands = self.standing_pence(copied, &datasets, column).await?;
            sum = sum
                .zip(stands)
                .map(|(sum, stands)| sum + stands + (mine - goes));
        }
        let nobodys = all.iter().flat_map(|lines| lines.nobodys.values());
        let nobodys: i128 = nobodys.map(|part| of(&part.pence)).sum();
        let whole = all
            .iter()
            .map(|lines| of(&lines.pence) + of(&lines.again.pence));
        found.compare(
            format!("parts of {table}.{column} of {}", parts[0].copy.source),
            pounds(whole.sum()),
            sum.map_or_else(|| "cannot be told".to_owned(), |sum| pounds(sum + nobodys)),
        );
        Ok(())
    }

    /// Rows of several datasets that are marked alike are read once.
    async fn standing_pence(
        &self,
        copied: &Copied<'_>,
        datasets: &[&Dataset],
        column: &str,
    ) -> Result<Option<i128>, Fault> {
        let reader = self.act.look.reader(&copied.copy.target)?;
        let (mut ways, mut sum) = (BTreeSet::new(), Some(0));
        for dataset in datasets {
            let Some(mark) = mark(copied, dataset, &self.act.look.plan) else {
                return Ok(None);
            };
            if ways.insert((mark.run, mark.source)) {
                let stands = self.pence(reader, copied, dataset, column).await?;
                sum = sum.zip(stands).map(|(sum, stands)| sum + stands);
            }
        }
        Ok(sum)
    }
}

/// Every money column of every table that a copy fills.
fn money(copy: &DataCopy) -> BTreeSet<(&str, String)> {
    let datasets = data_copy::datasets(copy).into_iter();
    let columns = datasets.flat_map(|dataset| {
        let columns = dataset.money().into_iter();
        columns.map(|column| (dataset.into.as_str(), column))
    });
    columns.collect()
}

/// A fact beside the comparisons: what it is about, how it is.
fn told(found: &mut Found, rule: String, how: String) {
    found.compare(rule, how.clone(), how);
}
