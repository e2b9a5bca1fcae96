//! The comparisons themselves, each over all copies that the step looks at.
//!
//! In: copies, what the source comes to, the targets. Out: checks, passed and failed.
//!
//! Not here: which checks are made (`mod`), single rows (`rows`).

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{Copied, Found, Landing, Mark, landings, mark, sums};
use crate::copy::counts::Counts;
use crate::copy::ledger::{self, Deed};
use crate::copy::look;
use crate::machine::total::{pence, pounds};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link, OrgReader, Sql, Value, ValueRef};
use crate::plan::map::Dataset;
use crate::plan::model::{Code, Verify, VerifyCheck};
use crate::plan::outline::StepId;
use crate::sql;
use crate::steps::register::said;
use crate::steps::{Act, Fault, data_copy};

/// The work of one `verify` step.
pub(super) struct Over<'a> {
    pub(super) act: &'a Act,
    pub(super) step: &'a Verify,
    pub(super) copies: &'a [Copied<'a>],
    pub(super) forecasts: &'a BTreeMap<&'a StepId, Arc<look::Forecast>>,
}

impl Over<'_> {
    /// At the source: copied + rejected + filtered + nobody's = rows. At the target: what the ledger
    /// says was written = what had to be copied.
    pub(super) async fn row_counts(&self, found: &mut Found) -> Result<(), Fault> {
        let mut seen: Vec<(&Code, &str)> = Vec::new();
        for copied in self.copies {
            let Copied { id, copy, .. } = copied;
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
            let written = self.written(copied).await?;
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

    /// Pence that had to be copied = pence that stand at the target; what stayed behind is said.
    pub(super) async fn money(
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
            let stands = self.pence(reader, copied, dataset, column).await?;
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
    pub(super) async fn lands_once(
        &self,
        found: &mut Found,
        check: &VerifyCheck,
        table: &str,
    ) -> Result<(), Fault> {
        for landing in landings(self.copies, check, &self.act.look.plan) {
            self.lands(found, table, &landing).await?;
        }
        Ok(())
    }

    async fn lands(
        &self,
        found: &mut Found,
        table: &str,
        landing: &Landing<'_>,
    ) -> Result<(), Fault> {
        let Some(forecast) = self.forecasts.get(landing.copied.id) else {
            return Ok(());
        };
        let mut places: HashMap<u64, u32> = HashMap::new();
        for target in &self.act.look.plan.targets {
            let Some(reader) = self.act.look.readers.get(target) else {
                continue;
            };
            let landed = self.land(reader, landing, &mut places).await?;
            if self.step.targets.contains(target) {
                let due = forecast.targets.get(target);
                let due = due.and_then(|datasets| datasets.get(&landing.dataset.name));
                found.compare(
                    format!("every {table} lands at {target}"),
                    format!("{} rows", due.map_or(0, |counts| counts.copied)),
                    format!("{landed} rows"),
                );
            }
        }
        let twice = places.values().filter(|places| **places > 1).count();
        let shared = forecast.shared.get(&landing.dataset.name);
        let shared = shared.map_or(0, |shared| shared.lines);
        found.rows += (twice as u64).abs_diff(shared);
        found.compare(
            format!("every {table} lands once"),
            format!("{shared} rows in two places"),
            format!("{twice} rows in two places"),
        );
        Ok(())
    }

    /// Notes where each source row stands, by a hash of its key; how many there are.
    async fn land(
        &self,
        reader: &OrgReader,
        landing: &Landing<'_>,
        places: &mut HashMap<u64, u32>,
    ) -> Result<u64, Fault> {
        let query = sql!(
            "SELECT {} FROM {} WHERE {}",
            Ident::new(landing.key),
            Ident::new(&landing.dataset.into),
            ours(&landing.mark)
        );
        let values = self.whose(landing.copied, &landing.mark);
        let landed = reader
            .with(move |link| hashes(link, &query, &values))
            .await?;
        for place in &landed {
            *places.entry(*place).or_default() += 1;
        }
        Ok(landed.len() as u64)
    }

    /// Sum over the rows of this run, exact; `None` where the map does not say which rows are ours.
    pub(super) async fn pence(
        &self,
        reader: &OrgReader,
        copied: &Copied<'_>,
        dataset: &Dataset,
        column: &str,
    ) -> Result<Option<i128>, Fault> {
        let Some(mark) = mark(copied, dataset, &self.act.look.plan) else {
            return Ok(None);
        };
        let column = Ident::new(column);
        let query = sql!(
            "SELECT {}, count(*) FROM {} WHERE {} AND {} IS NOT NULL GROUP BY 1",
            column,
            Ident::new(&dataset.into),
            ours(&mark),
            column
        );
        let mut sum = 0;
        for row in reader.rows(query, self.whose(copied, &mark)).await? {
            let (Some(pence), Some(times)) = (pence(&said(&row[0])), row[1].int()) else {
                return Ok(None);
            };
            sum += pence * i128::from(times);
        }
        Ok(Some(sum))
    }

    /// What a copy's rows are told by, for [`ours`].
    pub(super) fn whose(&self, copied: &Copied<'_>, mark: &Mark<'_>) -> Vec<Value> {
        let mut values = vec![self.act.deed.run.to_string().into()];
        if mark.source.is_some() {
            values.push((&*copied.copy.source).into());
        }
        values
    }

    /// Rows that the effects of a copy, and of what caught up with it, have left: by dataset.
    pub(super) async fn written(
        &self,
        copied: &Copied<'_>,
    ) -> Result<BTreeMap<String, u64>, Fault> {
        let reader = self.act.look.reader(&copied.copy.target)?;
        let mut written: BTreeMap<String, u64> = BTreeMap::new();
        for step in std::iter::once(&copied.id).chain(&copied.since) {
            let deed = deed(self.act, step)?;
            for effect in ledger::effects(reader, deed.run, step, deed.generation).await? {
                let Some((verb, dataset)) = effect.kind.split_once(':') else {
                    continue;
                };
                let rows = written.entry(dataset.to_owned()).or_default();
                match verb {
                    "insert" => *rows += effect.rows,
                    "delete" => *rows = rows.saturating_sub(effect.rows),
                    _ => {}
                }
            }
        }
        Ok(written)
    }
}

/// Holds for the rows of run `?1` from source `?2`.
pub(super) fn ours(mark: &Mark<'_>) -> Sql {
    let run = Ident::new(mark.run);
    match mark.source {
        Some(source) => sql!("{} = ?1 AND {} = ?2", run, Ident::new(source)),
        None => sql!("{} = ?1", run),
    }
}

/// Hashes of the first column, row by row.
fn hashes(link: &Link, query: &Sql, values: &[Value]) -> Result<Vec<u64>, DbTrouble> {
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    let mut found = Vec::new();
    link.each(query, &values, |row| {
        let mut hasher = DefaultHasher::new();
        said(&Value::of(row.get(0))).hash(&mut hasher);
        found.push(hasher.finish());
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    Ok(found)
}

/// The deed of a copy, as it stands in the ledger.
pub(super) fn deed(act: &Act, id: &StepId) -> Result<Deed, Fault> {
    let run = act.look.run.as_ref();
    let generation = run.and_then(|run| run.generations.get(id)).copied();
    let Some(generation) = generation else {
        let says = format!("`{id}` has not run: there is nothing to verify");
        return Err(Fault::refused("HO535", id.as_str(), 0, says).help("run it first"));
    };
    Ok(Deed {
        step: id.clone(),
        generation,
        ..act.deed.clone()
    })
}

pub(super) async fn count(reader: &OrgReader, table: &str) -> Result<u64, Fault> {
    let query = sql!("SELECT count(*) FROM {}", Ident::new(table));
    let rows = reader.rows(query, Vec::new()).await?;
    let rows = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Rows of the dataset that some target has a claim to, by class added up.
pub(super) fn routed(forecast: &look::Forecast, dataset: &Dataset) -> u64 {
    let counts = forecast.targets.values();
    let counts = counts.filter_map(|datasets| datasets.get(&dataset.name));
    let again = forecast.shared.get(&dataset.name);
    // Rows that several need are counted once.
    counts.map(Counts::routed).sum::<u64>() - again.map_or(0, |shared| shared.again)
}

fn nobodys(forecast: &look::Forecast, dataset: &Dataset) -> u64 {
    let reasons = forecast.unrouted.get(&dataset.from);
    reasons.map_or(0, |reasons| reasons.values().sum())
}
