//! `control totals`: rows and money of every target table, as the source comes to and as they are read
//! back at the target, each number told whether it agrees or not.
//!
//! In: what the source comes to in slices, the targets. Out: one `Total` a number, as checks of the log.
//!
//! Several datasets may fill one table, whose rows are told apart by nobody: a table is held against
//! all of them together. Rows that are nobody's are told by the first step that looks at their source.
//!
//! Not here: how a total is said (`machine::total`), the pack that people read (`report`).

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Over, count, ours, routed};
use super::{Copied, Found, mark};
use crate::copy::counts::Counts;
use crate::copy::look;
use crate::copy::look::slices::{self, Part, Slice, Sliced};
use crate::machine::total::{Amount, Class, Fate, Figures, Total, pence};
use crate::orgdb::{Ident, Value};
use crate::plan::map::Dataset;
use crate::plan::model::{Code, DataCopy, Plan, StepSpec, TotalRule, Verify, VerifyCheck};
use crate::sql;
use crate::steps::register::said;
use crate::steps::{Fault, Finding, data_copy};

/// Why rows are nobody's whose owner's code stands for no organisation.
pub(super) const UNKNOWN_OWNER: &str = "unknown owner";

/// A target table with everything that fills it from one source.
struct Table<'a> {
    source: &'a Code,
    target: &'a Code,
    name: &'a str,
    of: Vec<(&'a Copied<'a>, &'a Dataset)>,
}

/// What stands at a target.
#[derive(Default)]
struct Standing {
    rows: u64,
    /// None where a value is no amount.
    amount: Option<Amount>,
}

/// What of a copy's rows any step of the plan weighs for its control totals: who asks the same of a source
/// shares one pass over it.
pub(super) fn weighed(plan: &Plan, copy: &DataCopy) -> Vec<Slice> {
    let mut wanted = BTreeSet::new();
    for step in &plan.steps {
        if let StepSpec::Verify(step) = &step.does
            && step.source == copy.source
            && let Some(rules) = rules(step)
        {
            wanted.extend(slices(rules, copy));
        }
    }
    wanted.into_iter().collect()
}

fn slices(rules: &[TotalRule], copy: &DataCopy) -> Vec<Slice> {
    let mut wanted = Vec::new();
    for dataset in data_copy::datasets(copy) {
        let slice = |column: Option<String>, by: Option<String>| Slice {
            dataset: dataset.name.clone(),
            column,
            by,
        };
        let money = dataset.money().into_iter();
        wanted.extend(money.map(|column| slice(Some(column), None)));
        let apart = rules
            .iter()
            .filter(|rule| rule.table == dataset.into && rule.by.is_some());
        wanted.extend(apart.map(|rule| slice(rule.column.clone(), rule.by.clone())));
    }
    wanted
}

fn rules(step: &Verify) -> Option<&[TotalRule]> {
    step.checks.iter().find_map(|check| match check {
        VerifyCheck::ControlTotals { rules } => Some(rules.as_slice()),
        _ => None,
    })
}

/// Datasets whose rows nobody could find again at the target.
pub(super) fn unmarked(copies: &[Copied<'_>], plan: &Plan) -> Vec<Finding> {
    let mut found = BTreeMap::new();
    for copied in copies {
        for dataset in data_copy::datasets(copied.copy) {
            if mark(copied, dataset, plan).is_none() {
                let says = format!(
                    "no control total can be read back for `{}`: its rows do not say which run \
                     they came in",
                    dataset.name
                );
                let help = "map one column from the run, and where several sources go into one \
                            target, one from the source";
                let finding = Finding::stop("HO535", &dataset.name, says).help(help);
                found.insert(dataset.name.clone(), finding);
            }
        }
    }
    found.into_values().collect()
}

impl Over<'_> {
    /// Every total of every table that the step's copies fill.
    pub(super) async fn control_totals(
        &self,
        found: &mut Found,
        rules: &[TotalRule],
    ) -> Result<(), Fault> {
        if self.tells_source() {
            self.shared_out(found).await?;
        }
        for table in self.tables() {
            self.table_rows(found, &table).await?;
            for column in table.money() {
                let of = |rule: &&TotalRule| rule.is(table.name, Some(&column));
                let tolerance = rules.iter().filter(of).map(|rule| rule.tolerance).max();
                let ask = Ask {
                    column: Some(&column),
                    by: None,
                    tolerance: tolerance.unwrap_or(0),
                };
                self.sliced(found, &table, &ask).await?;
                for rule in rules.iter().filter(of).filter(|rule| rule.by.is_some()) {
                    let by = rule.by.as_deref();
                    self.sliced(found, &table, &Ask { by, ..ask }).await?;
                }
            }
            let counted = rules.iter().filter(|rule| rule.is(table.name, None));
            for rule in counted.filter(|rule| rule.by.is_some()) {
                let ask = Ask {
                    column: None,
                    by: rule.by.as_deref(),
                    tolerance: 0,
                };
                self.sliced(found, &table, &ask).await?;
            }
        }
        Ok(())
    }

    /// Whether this is the first step of the plan that tells totals of its source.
    fn tells_source(&self) -> bool {
        let mut steps = self.act.look.plan.steps.iter();
        let first = steps.find(|step| match &step.does {
            StepSpec::Verify(verify) => {
                rules(verify).is_some() && verify.source == self.step.source
            }
            _ => false,
        });
        first.is_some_and(|first| first.id == self.act.look.step().id)
    }

    /// Rows of each source table = shared out + nobody's, dataset by dataset.
    async fn shared_out(&self, found: &mut Found) -> Result<(), Fault> {
        let mut told = BTreeSet::new();
        for Copied { id, copy, .. } in self.copies {
            let Some(forecast) = self.forecasts.get(id) else {
                continue;
            };
            for dataset in data_copy::datasets(copy) {
                if !told.insert((&copy.source, &dataset.name)) {
                    continue;
                }
                let rows = count(self.act.look.reader(&copy.source)?, &dataset.from).await?;
                let fates = source_fates(forecast, dataset);
                found.total(&Total {
                    of: dataset.name.clone(),
                    part: None,
                    source: copy.source.clone(),
                    target: None,
                    figures: Figures::Rows {
                        due: rows,
                        stands: fates.iter().map(|fate| fate.rows).sum(),
                        fates,
                    },
                });
            }
        }
        Ok(())
    }

    fn tables(&self) -> Vec<Table<'_>> {
        let mut tables: Vec<Table<'_>> = Vec::new();
        for copied in self.copies {
            let (source, target) = (&copied.copy.source, &copied.copy.target);
            for dataset in data_copy::datasets(copied.copy) {
                let same = |table: &&mut Table<'_>| {
                    (table.source, table.target, table.name) == (source, target, &*dataset.into)
                };
                match tables.iter_mut().find(same) {
                    Some(table) => table.of.push((copied, dataset)),
                    None => tables.push(Table {
                        source,
                        target,
                        name: &dataset.into,
                        of: vec![(copied, dataset)],
                    }),
                }
            }
        }
        tables
    }

    /// Rows that had to go = rows that stand.
    async fn table_rows(&self, found: &mut Found, table: &Table<'_>) -> Result<(), Fault> {
        let mut fates = Vec::new();
        for (copied, dataset) in &table.of {
            let targets = self.forecasts.get(copied.id).map(|one| &one.targets);
            let counts = targets.and_then(|targets| targets.get(table.target)?.get(&dataset.name));
            fates.extend(
                counts
                    .into_iter()
                    .flat_map(|counts| fates_of(dataset, counts)),
            );
        }
        let copied = fates.iter().filter(|fate| fate.class == Class::Copied);
        let due = copied.map(|fate| fate.rows).sum();
        let standing = self.standing(table, None, None).await?;
        let stands = standing.values().map(|standing| standing.rows).sum();
        found.total(&table.total(None, None, Figures::Rows { due, stands, fates }));
        Ok(())
    }

    /// One number for each part of a slice.
    async fn sliced(
        &self,
        found: &mut Found,
        table: &Table<'_>,
        ask: &Ask<'_>,
    ) -> Result<(), Fault> {
        let due = self.due(table, ask);
        let standing = self.standing(table, ask.column, ask.by).await?;
        let names: BTreeSet<&String> = due.keys().chain(standing.keys()).collect();
        for name in names {
            let (due, standing) = (due.get(name).copied(), standing.get(name));
            let due = due.unwrap_or_default();
            let figures = match ask.column {
                Some(_) => Figures::Money {
                    due: due.amount,
                    stands: standing.map_or(Some(Amount::default()), |found| found.amount),
                    tolerance: ask.tolerance,
                },
                None => Figures::Rows {
                    due: due.rows,
                    stands: standing.map_or(0, |found| found.rows),
                    fates: Vec::new(),
                },
            };
            let part = ask.by.map(|by| format!("{by}={name}"));
            found.total(&table.total(ask.column, part, figures));
        }
        Ok(())
    }

    /// What the source comes to for a slice of a table.
    fn due(&self, table: &Table<'_>, ask: &Ask<'_>) -> Sliced {
        let mut due = Sliced::new();
        if ask.by.is_none() {
            due.insert(String::new(), Part::default());
        }
        for (copied, dataset) in &table.of {
            let slice = Slice {
                dataset: dataset.name.clone(),
                column: ask.column.map(str::to_owned),
                by: ask.by.map(str::to_owned),
            };
            let weighed = self.forecasts.get(copied.id).map(|one| &one.slices);
            let parts = weighed.and_then(|weighed| weighed.get(table.target)?.get(&slice));
            for (name, part) in parts.into_iter().flatten() {
                let sum = due.entry(name.clone()).or_default();
                sum.rows += part.rows;
                sum.amount.and(part.amount);
            }
        }
        due
    }

    /// What is read back at the target: rows of this run, by code and amount.
    async fn standing(
        &self,
        table: &Table<'_>,
        column: Option<&str>,
        by: Option<&str>,
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let mut found = BTreeMap::new();
        for (copied, dataset) in table.read_as(&self.act.look.plan) {
            let Some(mark) = mark(copied, dataset, &self.act.look.plan) else {
                continue;
            };
            let asked: Vec<Ident> = by.into_iter().chain(column).map(Ident::new).collect();
            let (into, ours) = (Ident::new(table.name), ours(&mark));
            let query = match asked.as_slice() {
                [] => sql!("SELECT count(*) FROM {} WHERE {}", into, ours),
                [one] => sql!(
                    "SELECT {}, count(*) FROM {} WHERE {} GROUP BY 1",
                    one,
                    into,
                    ours
                ),
                [one, two, ..] => sql!(
                    "SELECT {}, {}, count(*) FROM {} WHERE {} GROUP BY 1, 2",
                    one,
                    two,
                    into,
                    ours
                ),
            };
            let reader = self.act.look.reader(table.target)?;
            for row in reader.rows(query, self.whose(copied, &mark)).await? {
                take(&mut found, &row, (column, by), table);
            }
        }
        Ok(found)
    }
}

/// Adds a row of an answer: its code, its amount, how many have both.
fn take(
    found: &mut BTreeMap<String, Standing>,
    row: &[Value],
    (column, by): (Option<&str>, Option<&str>),
    table: &Table<'_>,
) {
    let mut cells = row.iter();
    let name = by.and_then(|by| Some(table.called(by, cells.next()?)));
    let amount = column.and_then(|_| cells.next());
    let times = cells.next().and_then(Value::int).unwrap_or(0);
    let times = u64::try_from(times).unwrap_or(0);
    let fresh = || Standing {
        rows: 0,
        amount: Some(Amount::default()),
    };
    let standing = found.entry(name.unwrap_or_default()).or_insert_with(fresh);
    standing.rows += times;
    let pence = match amount {
        None | Some(Value::Null) => Some(0),
        Some(value) => pence(&said(value)),
    };
    standing.amount = standing.amount.zip(pence).map(|(mut amount, pence)| {
        amount.add(pence, times);
        amount
    });
}

/// A slice of a table, and how far its sides may be apart.
#[derive(Clone, Copy)]
struct Ask<'a> {
    column: Option<&'a str>,
    by: Option<&'a str>,
    tolerance: i128,
}

impl<'a> Table<'a> {
    fn total(&self, column: Option<&str>, part: Option<String>, figures: Figures) -> Total {
        Total {
            of: match column {
                Some(column) => format!("{}.{column}", self.name),
                None => self.name.to_owned(),
            },
            part,
            source: self.source.clone(),
            target: Some(self.target.clone()),
            figures,
        }
    }

    /// Its money columns, whichever dataset fills them.
    fn money(&self) -> BTreeSet<String> {
        let datasets = self.of.iter();
        datasets.flat_map(|(_, dataset)| dataset.money()).collect()
    }

    /// What a code is called, as the map that fills the table knows codes.
    fn called(&self, by: &str, code: &Value) -> String {
        let code = match code {
            Value::Null => None,
            code => Some(said(code)),
        };
        let lists = self
            .of
            .iter()
            .filter_map(|(copied, dataset)| slices::codes(&copied.copy.map, dataset, by));
        let names = lists.map(|list| slices::called(list, code.as_deref()));
        let mut names: Vec<String> = names.collect();
        names.sort_by_key(|name| name == slices::OTHER);
        names.into_iter().next().unwrap_or_default()
    }

    /// One dataset for each way in which rows are marked: rows of several that are marked alike are
    /// read once.
    fn read_as(&self, plan: &Plan) -> Vec<(&'a Copied<'a>, &'a Dataset)> {
        let mut ways = BTreeSet::new();
        let datasets = self.of.iter().copied();
        let first = datasets.filter(|(copied, dataset)| {
            let mark = mark(copied, dataset, plan);
            mark.is_some_and(|mark| {
                ways.insert((mark.run.to_owned(), mark.source.map(str::to_owned)))
            })
        });
        first.collect()
    }
}

pub(super) fn fates_of(dataset: &Dataset, counts: &Counts) -> Vec<Fate> {
    let fate = |rows: u64, class: Class, reason: Option<&String>| Fate {
        dataset: dataset.name.clone(),
        rows,
        class,
        reason: reason.cloned(),
    };
    let rejected = counts.rejected.iter();
    let filtered = counts.filtered.iter();
    let merged = counts.merged.iter();
    [fate(counts.copied, Class::Copied, None)]
        .into_iter()
        .chain(rejected.map(|(why, rows)| fate(*rows, Class::Rejected, Some(why))))
        .chain(filtered.map(|(why, rows)| fate(*rows, Class::Filtered, Some(why))))
        .chain(merged.map(|(why, rows)| fate(*rows, Class::Merged, Some(why))))
        .collect()
}

fn source_fates(forecast: &look::Forecast, dataset: &Dataset) -> Vec<Fate> {
    let shared = Fate {
        dataset: dataset.name.clone(),
        rows: routed(forecast, dataset),
        class: Class::Shared,
        reason: None,
    };
    let mut reasons = BTreeMap::new();
    for (why, rows) in forecast.unrouted.get(&dataset.from).into_iter().flatten() {
        // A code that stands in the data and in no paper stays out of the log.
        let known = if why.starts_with("owner ") {
            UNKNOWN_OWNER
        } else {
            why
        };
        *reasons.entry(known).or_default() += rows;
    }
    let nobodys = reasons.into_iter().map(|(why, rows)| Fate {
        dataset: dataset.from.clone(),
        rows,
        class: Class::Nobodys,
        reason: Some(why.to_owned()),
    });
    [shared].into_iter().chain(nobodys).collect()
}
