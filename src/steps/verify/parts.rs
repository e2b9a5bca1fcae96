//! `parts add up`: the parts of a split are disjoint where they should be, and together they are the
//! source: lines by count and keyed digest, money to the penny, what stays behind by its reason.
//!
//! In: copies that share a source, what the source comes to, the ledgers, the targets. Out: checks.
//!
//! Not here: the sums themselves (`copy::verify::parts`), how each number is said (`machine::share`), the
//! table that people read (`report`).

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Over, deed};
use super::totals::{UNKNOWN_OWNER, fates_of};
use super::{Copied, Found, mark};
use crate::copy::verify::parts::{Lines, Sum, lines, noted};
use crate::machine::share::{Figures, Share, Which};
use crate::machine::total::Class;
use crate::plan::map::Dataset;
use crate::plan::model::{Code, DataCopy, Plan, StepSpec};
use crate::steps::{Act, Fault, Finding, data_copy};

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

/// What a source that is shared out comes to, by dataset, and one of the copies that share it.
pub(super) struct Due<'a> {
    copy: &'a DataCopy,
    lines: BTreeMap<String, Lines>,
}

/// The lines of every source that these copies share out, each source read once.
pub(super) async fn due<'a>(act: &Act, copies: &[Copied<'a>]) -> Result<Vec<Due<'a>>, Fault> {
    let mut all: Vec<Due<'a>> = Vec::new();
    for Copied { copy, .. } in copies {
        if all.iter().any(|due| due.copy.shares_source_with(copy)) {
            continue;
        }
        let route = data_copy::route(&act.look.plan, copy);
        let reader = act.look.reader(&copy.source)?;
        let of = (&*copy.map, copy.tables.as_slice());
        let lines = lines(reader, of, &route, &act.deed).await?;
        all.push(Due { copy, lines });
    }
    Ok(all)
}

impl Over<'_> {
    /// Every dataset of every source that the step's copies share out.
    pub(super) async fn parts(&self, found: &mut Found, due: &[Due<'_>]) -> Result<(), Fault> {
        for Due { copy, lines } in due {
            let parts = self.copies.iter();
            let parts = parts.filter(|one| one.copy.shares_source_with(copy));
            let parts: Vec<&Copied<'_>> = parts.collect();
            for dataset in data_copy::datasets(copy) {
                if let Some(due) = lines.get(&dataset.name) {
                    self.lines(found, &parts, dataset, due).await?;
                }
            }
            for (table, column) in money(copy) {
                self.pence_of(found, &parts, (table, &column), lines)
                    .await?;
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
        let teller = Teller::of(&dataset.name, parts);
        let (mut together, mut counted) = (Some(Sum::default()), 0);
        for copied in parts {
            let target = &copied.copy.target;
            let reader = self.act.look.reader(target)?;
            let deed = deed(self.act, copied.id)?;
            let stands = noted(reader, &deed, &dataset.name).await?;
            let stands = stands.filter(|_| copied.since.is_empty());
            let part = due.parts.get(target);
            let part = part.map_or(Sum::default(), |part| part.lines);
            let (figures, lines) = if let Some(stands) = stands {
                (Figures::Lines(part, stands), stands.lines)
            } else {
                let lines = self.accounted(copied, dataset).await?;
                (Figures::Counted(part.lines, lines), lines)
            };
            teller.tell(found, Which::Part(target.clone()), figures);
            together = together.zip(stands).map(|(sum, stands)| sum.and(stands));
            counted += lines;
            if let Some(left) = self.behind(copied, dataset) {
                teller.tell(found, Which::Behind(target.clone()), left);
            }
        }
        let nobodys = nobodys(found, &teller, due);
        let again = due.again.lines;
        if again.lines > 0 {
            teller.tell(found, Which::Shared, Figures::Rows(again.lines));
        }
        let all = due.all.and(again);
        let figures = match together {
            Some(together) => Figures::Lines(all, together.and(nobodys)),
            None => Figures::Counted(all.lines, counted + nobodys.lines),
        };
        teller.tell(found, Which::Whole, figures);
        Ok(())
    }

    /// Lines of a part that are accounted for where the ledger knows single lines since: a row of each
    /// stands by the ledger, or it stays behind.
    async fn accounted(&self, copied: &Copied<'_>, dataset: &Dataset) -> Result<u64, Fault> {
        let written = self.written(copied).await?;
        let forecast = self.forecasts.get(copied.id);
        let counts = forecast.and_then(|one| one.targets.get(&copied.copy.target));
        let counts = counts.and_then(|counts| counts.get(&dataset.name));
        let behind = counts.map_or(0, |counts| counts.routed() - counts.copied);
        Ok(written.get(&dataset.name).copied().unwrap_or(0) + behind)
    }

    /// What belongs to a part and stays behind, by its reason.
    fn behind(&self, copied: &Copied<'_>, dataset: &Dataset) -> Option<Figures> {
        let forecast = self.forecasts.get(copied.id)?;
        let counts = forecast.targets.get(&copied.copy.target)?;
        let fates = fates_of(dataset, counts.get(&dataset.name)?).into_iter();
        let left: Vec<_> = fates
            .filter(|fate| fate.class != Class::Copied)
            .map(|fate| (fate.rows, fate.class, fate.reason.unwrap_or_default()))
            .collect();
        (!left.is_empty()).then_some(Figures::Left(left))
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
        let name = format!("{table}.{column}");
        let teller = Teller::of(&name, parts);
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
            let behind = mine - counts.map(|counts| of(&counts.pence)).sum::<i128>();
            let stands = self.standing_pence(copied, &datasets, column).await?;
            let stands = stands.map(|stands| stands + behind);
            let part = Which::Part(target.clone());
            teller.tell(found, part, Figures::Money(mine, stands));
            teller.beside(found, Which::Behind(target.clone()), behind);
            sum = sum.zip(stands).map(|(sum, stands)| sum + stands);
        }
        let nobodys = all.iter().flat_map(|lines| lines.nobodys.values());
        let nobodys: i128 = nobodys.map(|part| of(&part.pence)).sum();
        teller.beside(found, Which::Nobodys, nobodys);
        let again: i128 = all.iter().map(|lines| of(&lines.again.pence)).sum();
        teller.beside(found, Which::Shared, again);
        let whole: i128 = all.iter().map(|lines| of(&lines.pence)).sum();
        let together = sum.map(|sum| sum + nobodys);
        teller.tell(found, Which::Whole, Figures::Money(whole + again, together));
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

/// Nobody's lines, told by reason.
fn nobodys(found: &mut Found, teller: &Teller<'_>, due: &Lines) -> Sum {
    let (mut sum, mut reasons) = (Sum::default(), BTreeMap::<&str, u64>::new());
    for (reason, part) in &due.nobodys {
        // A code that stands in the data and in no paper stays out of the log.
        let unknown = reason.starts_with("owner ");
        let why = if unknown { UNKNOWN_OWNER } else { reason };
        *reasons.entry(why).or_default() += part.lines.lines;
        sum = sum.and(part.lines);
    }
    for (why, lines) in reasons {
        teller.tell(found, Which::Nobodys, Figures::For(lines, why.to_owned()));
    }
    sum
}

/// Tells facts about one dataset or column of one source.
struct Teller<'a> {
    of: &'a str,
    source: &'a Code,
}

impl<'a> Teller<'a> {
    fn of(of: &'a str, parts: &[&Copied<'a>]) -> Teller<'a> {
        let source = &parts[0].copy.source;
        Teller { of, source }
    }

    fn tell(&self, found: &mut Found, which: Which, figures: Figures) {
        found.share(&Share {
            of: self.of.to_owned(),
            source: self.source.clone(),
            which,
            figures,
        });
    }

    /// Money that is there, without another side.
    fn beside(&self, found: &mut Found, which: Which, pence: i128) {
        if pence != 0 {
            self.tell(found, which, Figures::Money(pence, Some(pence)));
        }
    }
}
