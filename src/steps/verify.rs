//! `verify`: what the copies upstream did, held against both sides: counts, money to the penny, keyed
//! digests, completeness. A check that fails stops everything downstream until a person decides; a
//! check that cannot be made fails too.
//!
//! In: the copies and their generations. Out: one `Check` a comparison; differing rows only in the
//! restricted detail, by keyed digest.
//!
//! Not here: how a row's digest is read back (`copy::verify`).

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::register::said;
use super::{Act, Fault, Finding, Forecast, Look, Output, data_copy};
use crate::copy::ledger::{self, Deed};
use crate::copy::look::{self, Counts};
use crate::copy::verify::digests;
use crate::machine::event::Check;
use crate::orgdb::{Ident, OrgReader, Value};
use crate::plan::map::{Becomes, Dataset, Origin};
use crate::plan::model::{Code, DataCopy, StepSpec, Verify, VerifyCheck};
use crate::plan::outline::StepId;
use crate::sql;

const PAGE: usize = 50_000;

pub(super) fn check(look: &Look, step: &Verify) -> Vec<Finding> {
    let copies = copies(look, step);
    let mut found = Vec::new();
    if copies.is_empty() {
        let says = "no copy comes before it whose work it could check".to_owned();
        found.push(Finding::stop("HO535", "after", says).help("put it after a `data-copy` step"));
    }
    for one in &step.checks {
        if let (VerifyCheck::SumOf { table, column }, true) = (one, sums(&copies, one).is_empty()) {
            let about = format!("{table}.{column}");
            let says = format!("no copy upstream maps `{about}` as money");
            found.push(Finding::stop("HO535", about, says).help("map it with `as = \"money\"`"));
        }
        if let (VerifyCheck::LandsOnce { table }, None) = (one, landing(&copies, one)) {
            let says = format!("no copy upstream keeps the source key of `{table}` and its run");
            let help = "map one column from the source key and one from the run";
            found.push(Finding::stop("HO535", table, says).help(help));
        }
    }
    found
}

pub(super) fn preview(step: &Verify) -> Forecast {
    let checks = step.checks.len();
    Forecast {
        line: format!("{checks} checks over {} copies", step.copies.len()),
        ..Forecast::default()
    }
}

pub(super) async fn run(act: &Act, step: &Verify) -> Result<Output, Fault> {
    let copies = copies(&act.look, step);
    let mut found = Found::default();
    let forecasts = forecasts(&act.look, &copies, &step.checks).await?;
    for one in &step.checks {
        let over = Over {
            act,
            step,
            copies: &copies,
            forecasts: &forecasts,
        };
        match one {
            VerifyCheck::RowCounts => over.row_counts(&mut found).await?,
            VerifyCheck::KeyedDigests => over.keyed_digests(&mut found).await?,
            VerifyCheck::SumOf { table, column } => {
                over.money(&mut found, one, &format!("{table}.{column}"))
                    .await?;
            }
            VerifyCheck::LandsOnce { table } => over.lands_once(&mut found, one, table).await?,
        }
    }
    found.verdict()
}

/// One copy whose work is looked at.
struct Copied<'a> {
    id: &'a StepId,
    copy: &'a DataCopy,
}

fn copies<'a>(look: &'a Look, step: &Verify) -> Vec<Copied<'a>> {
    let steps = look.plan.steps.iter().filter_map(|one| match &one.does {
        StepSpec::DataCopy(copy) => Some(Copied { id: &one.id, copy }),
        _ => None,
    });
    let mine =
        steps.filter(|one| step.copies.contains(one.id) && step.targets.contains(&one.copy.target));
    mine.collect()
}

/// What the source comes to, once for all copies that share a route. Digests need none.
async fn forecasts<'a>(
    look: &Look,
    copies: &[Copied<'a>],
    checks: &[VerifyCheck],
) -> Result<BTreeMap<&'a StepId, std::sync::Arc<look::Forecast>>, Fault> {
    let mut forecasts: BTreeMap<&StepId, std::sync::Arc<look::Forecast>> = BTreeMap::new();
    if checks.iter().all(|one| *one == VerifyCheck::KeyedDigests) {
        return Ok(forecasts);
    }
    for (at, Copied { id, copy }) in copies.iter().enumerate() {
        let shared = copies[..at].iter().find(|other| {
            other.copy.source == copy.source
                && other.copy.map_path == copy.map_path
                && other.copy.tables == copy.tables
                && other.copy.split == copy.split
        });
        let known = shared.and_then(|other| forecasts.get(other.id)).cloned();
        let forecast = if let Some(forecast) = known {
            forecast
        } else {
            let route = data_copy::route(&look.plan, copy);
            let reader = look.reader(&copy.source)?;
            look::forecast(reader, &copy.map, &copy.tables, &route)
                .await?
                .into()
        };
        forecasts.insert(id, forecast);
    }
    Ok(forecasts)
}

/// Datasets and target columns that a `sum of` is about, per copy.
fn sums<'a>(
    copies: &'a [Copied<'a>],
    check: &VerifyCheck,
) -> Vec<(&'a Copied<'a>, &'a Dataset, &'a str)> {
    let VerifyCheck::SumOf { table, column } = check else {
        return Vec::new();
    };
    let mut sums = Vec::new();
    for copied in copies {
        for dataset in data_copy::datasets(copied.copy) {
            let money = dataset.columns.iter().find(|one| {
                let from = matches!(&one.from, Origin::Column(from)
                    if from.table == *table && from.column == *column);
                from && dataset.from == *table
                    && matches!(one.becomes, Becomes::Decimal { scale: 2, .. })
            });
            sums.extend(money.map(|one| (copied, dataset, one.into.as_str())));
        }
    }
    sums
}

/// The dataset by which rows of a source table are found at the targets: the column that holds the
/// source key and the one that holds the run.
fn landing<'a>(
    copies: &'a [Copied<'a>],
    check: &VerifyCheck,
) -> Option<(&'a Copied<'a>, &'a Dataset, &'a str, &'a str)> {
    let VerifyCheck::LandsOnce { table } = check else {
        return None;
    };
    copies.iter().find_map(|copied| {
        data_copy::datasets(copied.copy)
            .into_iter()
            .find_map(|dataset| {
                let holds = |origin: &Origin| {
                    let mut columns = dataset.columns.iter();
                    columns
                        .find(|one| one.from == *origin)
                        .map(|one| one.into.as_str())
                };
                let (key, run) = (holds(&Origin::SourceKey)?, holds(&Origin::Run)?);
                (dataset.from == *table).then_some((copied, dataset, key, run))
            })
    })
}

/// Checks that passed and failed, with the rows that differ.
#[derive(Default)]
struct Found {
    checks: Vec<Check>,
    failed: Vec<Check>,
    detail: String,
    rows: u64,
}

impl Found {
    fn compare(&mut self, rule: String, expected: String, actual: String) {
        let check = Check {
            rule: rule.into(),
            expected,
            actual,
        };
        if check.expected == check.actual {
            self.checks.push(check);
        } else {
            self.failed.push(check);
        }
    }

    fn verdict(self) -> Result<Output, Fault> {
        if self.failed.is_empty() {
            return Ok(Output::Done {
                outputs: Vec::new(),
                effects: 0,
                checks: self.checks,
            });
        }
        let all = self.failed.len() + self.checks.len();
        let says = format!("{} of {all} checks failed", self.failed.len());
        let rules: Vec<&str> = self.failed.iter().map(|check| &*check.rule).collect();
        let fault = Fault::refused("HO515", &rules.join(", "), self.rows, says);
        Err(Fault {
            detail: (!self.detail.is_empty()).then_some(self.detail),
            checks: self.failed,
            ..fault.help("nothing goes on from here until a person has decided")
        })
    }
}

/// The work of one `verify` step.
struct Over<'a> {
    act: &'a Act,
    step: &'a Verify,
    copies: &'a [Copied<'a>],
    forecasts: &'a BTreeMap<&'a StepId, std::sync::Arc<look::Forecast>>,
}

impl Over<'_> {
    /// At the source: copied + rejected + filtered + nobody's = rows. At the target: what the ledger
    /// says was written = what had to be copied.
    async fn row_counts(&self, found: &mut Found) -> Result<(), Fault> {
        let mut seen: Vec<(&Code, &str)> = Vec::new();
        for Copied { id, copy } in self.copies {
            let Some(forecast) = self.forecasts.get(id) else {
                continue;
            };
            for dataset in data_copy::datasets(copy) {
                if !seen.contains(&(&copy.source, &dataset.name)) {
                    seen.push((&copy.source, &dataset.name));
                    let rows = count(self.act.look.reader(&copy.source)?, &dataset.from).await?;
                    let accounted = routed(forecast, dataset) + nobodys(forecast, dataset);
                    found.compare(
                        format!("row counts {} of {}", dataset.name, copy.source),
                        format!("{rows} rows"),
                        format!("{accounted} rows"),
                    );
                }
            }
            let due = forecast.targets.get(&copy.target);
            let written = self.written(id, copy).await?;
            for dataset in data_copy::datasets(copy) {
                let name = &dataset.name;
                let rows = due.and_then(|datasets| datasets.get(name));
                found.compare(
                    format!("row counts {name} at {}", copy.target),
                    format!("{} rows", rows.map_or(0, |counts| counts.copied)),
                    format!("{} rows", written.get(name).copied().unwrap_or(0)),
                );
            }
        }
        Ok(())
    }

    async fn keyed_digests(&self, found: &mut Found) -> Result<(), Fault> {
        for Copied { id, copy } in self.copies {
            let reader = self.act.look.reader(&copy.target)?;
            let digested = digests(reader, &self.deed(id)?).await?;
            found.rows += digested.differing;
            for differs in &digested.differences {
                let line = format!("{id} {} {} {}\n", differs.table, differs.row, differs.class);
                found.detail.push_str(&line);
            }
            found.compare(
                format!("keyed digests {id}"),
                format!("0 of {} rows differ", digested.rows),
                format!("{} of {} rows differ", digested.differing, digested.rows),
            );
        }
        Ok(())
    }

    /// Pence that had to be copied = pence that stand at the target; what stayed behind is said.
    async fn money(
        &self,
        found: &mut Found,
        check: &VerifyCheck,
        about: &str,
    ) -> Result<(), Fault> {
        for (copied, dataset, column) in sums(self.copies, check) {
            let Some(forecast) = self.forecasts.get(copied.id) else {
                continue;
            };
            let target = &copied.copy.target;
            let counts = forecast.targets.get(target);
            let counts = counts.and_then(|datasets| datasets.get(&dataset.name));
            let due = counts
                .and_then(|counts| counts.pence.get(column))
                .copied()
                .unwrap_or(0);
            let reader = self.act.look.reader(target)?;
            let stands = self.pence(reader, dataset, column).await?;
            found.compare(
                format!("sum of {about} at {target}"),
                pounds(due),
                stands.map_or_else(|| "cannot be told".to_owned(), pounds),
            );
            let behind = counts.map_or(0, |counts| counts.routed() - counts.copied);
            if behind > 0 {
                let kept = format!(
                    "{behind} rows stay at {}, with their money",
                    copied.copy.source
                );
                found.compare(
                    format!("left out of {about} for {target}"),
                    kept.clone(),
                    kept,
                );
            }
        }
        Ok(())
    }

    /// Over all targets that can be read: no source row in two of them, and every row that had to be
    /// copied in one of those that this step looks at.
    async fn lands_once(
        &self,
        found: &mut Found,
        check: &VerifyCheck,
        table: &str,
    ) -> Result<(), Fault> {
        let Some((copied, dataset, key, run)) = landing(self.copies, check) else {
            return Ok(());
        };
        let Some(forecast) = self.forecasts.get(copied.id) else {
            return Ok(());
        };
        let mut places: HashMap<u64, u32> = HashMap::new();
        for target in &self.act.look.plan.targets {
            let Some(reader) = self.act.look.readers.get(target) else {
                continue;
            };
            let landed = self.land(reader, dataset, key, run, &mut places).await?;
            if self.step.targets.contains(target) {
                let due = forecast.targets.get(target);
                let due = due.and_then(|datasets| datasets.get(&dataset.name));
                found.compare(
                    format!("every {table} lands at {target}"),
                    format!("{} rows", due.map_or(0, |counts| counts.copied)),
                    format!("{landed} rows"),
                );
            }
        }
        let twice = places.values().filter(|places| **places > 1).count();
        found.rows += twice as u64;
        found.compare(
            format!("every {table} lands once"),
            "0 rows in two places".to_owned(),
            format!("{twice} rows in two places"),
        );
        Ok(())
    }

    /// Notes where each source row stands, by a hash of its key; how many there are.
    async fn land(
        &self,
        reader: &OrgReader,
        dataset: &Dataset,
        key: &str,
        run: &str,
        places: &mut HashMap<u64, u32>,
    ) -> Result<u64, Fault> {
        let (table, key, run) = (Ident::new(&dataset.into), Ident::new(key), Ident::new(run));
        let page = sql!(
            "SELECT {} FROM {} WHERE {} = ?1 AND {} > ?2 ORDER BY 1 LIMIT {}",
            key,
            table,
            run,
            key,
            PAGE
        );
        let ours = self.act.deed.run.to_string();
        let (mut last, mut landed) = (String::new(), 0);
        loop {
            let values = vec![Value::from(ours.as_str()), last.as_str().into()];
            let rows = reader.rows(page.clone(), values).await?;
            for row in &rows {
                let mut hasher = DefaultHasher::new();
                said(&row[0]).hash(&mut hasher);
                *places.entry(hasher.finish()).or_default() += 1;
            }
            landed += rows.len() as u64;
            match rows.last() {
                Some(row) if rows.len() == PAGE => last = said(&row[0]),
                _ => return Ok(landed),
            }
        }
    }

    /// Sum over the rows of this run, exact; `None` where the map does not say which rows are ours.
    async fn pence(
        &self,
        reader: &OrgReader,
        dataset: &Dataset,
        column: &str,
    ) -> Result<Option<i128>, Fault> {
        let Some(run) = dataset.columns.iter().find(|one| one.from == Origin::Run) else {
            return Ok(None);
        };
        let column = Ident::new(column);
        let query = sql!(
            "SELECT {}, count(*) FROM {} WHERE {} = ?1 AND {} IS NOT NULL GROUP BY 1",
            column,
            Ident::new(&dataset.into),
            Ident::new(&run.into),
            column
        );
        let ours = vec![self.act.deed.run.to_string().into()];
        let mut sum = 0;
        for row in reader.rows(query, ours).await? {
            let (Some(pence), Some(times)) = (pence(&said(&row[0])), row[1].int()) else {
                return Ok(None);
            };
            sum += pence * i128::from(times);
        }
        Ok(Some(sum))
    }

    /// Rows written by the copy's effects, by dataset.
    async fn written(&self, id: &StepId, copy: &DataCopy) -> Result<BTreeMap<String, u64>, Fault> {
        let deed = self.deed(id)?;
        let reader = self.act.look.reader(&copy.target)?;
        let mut written = BTreeMap::new();
        for effect in ledger::effects(reader, deed.run, id, deed.generation).await? {
            if let Some(dataset) = effect.kind.strip_prefix("insert:") {
                *written.entry(dataset.to_owned()).or_default() += effect.rows;
            }
        }
        Ok(written)
    }

    /// The deed of a copy, as it stands in the ledger.
    fn deed(&self, id: &StepId) -> Result<Deed, Fault> {
        let run = self.act.look.run.as_ref();
        let generation = run.and_then(|run| run.generations.get(id)).copied();
        let Some(generation) = generation else {
            let says = format!("`{id}` has not run: there is nothing to verify");
            return Err(Fault::refused("HO535", id.as_str(), 0, says).help("run it first"));
        };
        Ok(Deed {
            step: id.clone(),
            generation,
            ..self.act.deed.clone()
        })
    }
}

async fn count(reader: &OrgReader, table: &str) -> Result<u64, Fault> {
    let query = sql!("SELECT count(*) FROM {}", Ident::new(table));
    let rows = reader.rows(query, Vec::new()).await?;
    let rows = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Rows of the dataset that some target has a claim to, by class added up.
fn routed(forecast: &look::Forecast, dataset: &Dataset) -> u64 {
    let counts = forecast.targets.values();
    let counts = counts.filter_map(|datasets| datasets.get(&dataset.name));
    counts.map(Counts::routed).sum()
}

fn nobodys(forecast: &look::Forecast, dataset: &Dataset) -> u64 {
    let reasons = forecast.unrouted.get(&dataset.from);
    reasons.map_or(0, |reasons| reasons.values().sum())
}

/// Fixed-scale decimal text as pence; `None` for anything else.
fn pence(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() != 2 || !plain(whole) || !plain(part) {
        return None;
    }
    let pence = whole.parse::<i128>().ok()?.checked_mul(100)? + part.parse::<i128>().ok()?;
    Some(sign * pence)
}

/// Pence as pounds.
fn pounds(pence: i128) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    format!("{sign}£{}.{:02}", pence / 100, pence % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_summed_to_the_penny_or_not_at_all() {
        assert_eq!(pence("612480.17"), Some(61_248_017));
        assert_eq!(pence("-0.05"), Some(-5));
        for strange in [
            "", "1", "1.2", "1.234", "1e3.00", "--1.00", "£1.00", "+1.00", "1.0x",
        ] {
            assert_eq!(pence(strange), None, "{strange}");
        }
        assert_eq!(pounds(-5), "-£0.05");
    }
}
