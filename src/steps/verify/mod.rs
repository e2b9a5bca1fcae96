//! `verify`: what the copies upstream did, held against both sides: counts, money to the penny, keyed
//! digests, completeness. A check that fails stops everything downstream until a person decides; a
//! check that cannot be made fails too.
//!
//! In: the copies and their generations. Out: one `Check` a comparison; differing rows only in the
//! restricted detail, by keyed digest.
//!
//! Not here: how a row's digest is read back (`copy::verify`).

mod compare;
mod crosswalk;
mod parts;
mod rows;
mod totals;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::compare::Over;
pub(crate) use self::rows::narrowing;
use super::{Act, Fault, Finding, Forecast, Look, Output, catch_up, company, data_copy};
use crate::copy::look;
use crate::copy::namesakes::Strangers;
use crate::machine::event::Check;
use crate::machine::share::Share;
use crate::machine::total::{Total, Verdict};
use crate::plan::map::{Becomes, Dataset, Origin};
use crate::plan::model::{DataCopy, Plan, StepSpec, Verify, VerifyCheck};
use crate::plan::outline::StepId;

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
        if let (VerifyCheck::LandsOnce { table }, true) =
            (one, landings(&copies, one, &look.plan).is_empty())
        {
            let says = format!("no copy upstream keeps the source key of `{table}` and its run");
            let help = "map one column from the source key, one from the run, and where several sources \
                        go into one target, one from the source";
            found.push(Finding::stop("HO535", table, says).help(help));
        }
        if let VerifyCheck::ControlTotals { .. } = one {
            found.extend(totals::unmarked(&copies, &look.plan));
        }
        if *one == VerifyCheck::PartsAddUp {
            found.extend(parts::incomplete(&copies, &look.plan));
        }
        if *one == VerifyCheck::Crosswalk {
            found.extend(crosswalk::untold(&copies, &look.plan));
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
    let needs = |wanted: fn(&VerifyCheck) -> bool| step.checks.iter().any(wanted);
    let counted = needs(|one| !matches!(one, VerifyCheck::KeyedDigests | VerifyCheck::Crosswalk));
    let digested = needs(|one| matches!(one, VerifyCheck::KeyedDigests));
    let parted = needs(|one| matches!(one, VerifyCheck::PartsAddUp));
    // The source and the targets are read side by side.
    let (forecasts, rows, parts) = tokio::try_join!(
        forecasts(&act.look, if counted { &copies } else { &[] }),
        rows::read_back(act, if digested { &copies } else { &[] }),
        parts::due(act, if parted { &copies } else { &[] }),
    )?;
    for one in &step.checks {
        let over = Over {
            act,
            step,
            copies: &copies,
            forecasts: &forecasts,
        };
        match one {
            VerifyCheck::RowCounts => over.row_counts(&mut found).await?,
            VerifyCheck::KeyedDigests => rows.compare(&mut found),
            VerifyCheck::SumOf { table, column } => {
                over.money(&mut found, one, &format!("{table}.{column}"))
                    .await?;
            }
            VerifyCheck::LandsOnce { table } => over.lands_once(&mut found, one, table).await?,
            VerifyCheck::PartsAddUp => over.parts(&mut found, &parts).await?,
            VerifyCheck::Crosswalk => over.crosswalk(&mut found).await?,
            VerifyCheck::ControlTotals { rules } => over.control_totals(&mut found, rules).await?,
        }
    }
    found.verdict()
}

/// One copy whose work is looked at.
struct Copied<'a> {
    id: &'a StepId,
    copy: &'a DataCopy,
    /// What caught up with it since.
    since: Vec<&'a StepId>,
}

fn copies<'a>(look: &'a Look, step: &Verify) -> Vec<Copied<'a>> {
    let steps = look.plan.steps.iter().filter_map(|one| match &one.does {
        StepSpec::DataCopy(copy) => Some(Copied {
            id: &one.id,
            copy,
            since: catch_up::following(&look.plan, &one.id)
                .filter(|id| step.catch_ups.contains(id))
                .collect(),
        }),
        _ => None,
    });
    let mine =
        steps.filter(|one| step.copies.contains(one.id) && step.targets.contains(&one.copy.target));
    mine.collect()
}

/// What the source comes to, by copy.
type Forecasts<'a> = BTreeMap<&'a StepId, Arc<look::Forecast>>;

/// What the source comes to now, for all targets that share it: read afresh, unless a sibling has
/// just read the very same and nobody has written since.
async fn forecasts<'a>(look: &Look, copies: &[Copied<'a>]) -> Result<Forecasts<'a>, Fault> {
    let mut forecasts = Forecasts::new();
    for Copied { id, copy, .. } in copies {
        let slices = totals::weighed(&look.plan, copy);
        let run = look.run.as_ref().map_or(uuid::Uuid::nil(), |run| run.id);
        let met = Strangers::Met(run);
        let forecast = company::foretold(look, (id, copy), &slices, met).await?;
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
                from && dataset.from == *table && matches!(one.becomes, Becomes::Money { .. })
            });
            sums.extend(money.map(|one| (copied, dataset, one.into.as_str())));
        }
    }
    sums
}

/// The columns of a target by which a copy's rows are told from all others.
struct Mark<'a> {
    /// Holds the run.
    run: &'a str,
    /// Holds the source; needed where several sources go into one target.
    source: Option<&'a str>,
}

fn mark<'a>(copied: &Copied<'a>, dataset: &'a Dataset, plan: &Plan) -> Option<Mark<'a>> {
    let (run, source) = (
        holds(dataset, &Origin::Run)?,
        holds(dataset, &Origin::SourceOrg),
    );
    let merged = plan.steps.iter().any(|step| match &step.does {
        StepSpec::DataCopy(other) => {
            other.target == copied.copy.target && other.source != copied.copy.source
        }
        _ => false,
    });
    (source.is_some() || !merged).then_some(Mark { run, source })
}

/// The target column that an origin fills.
fn holds<'a>(dataset: &'a Dataset, origin: &Origin) -> Option<&'a str> {
    let mut columns = dataset.columns.iter();
    let column = columns.find(|one| one.from == *origin)?;
    Some(column.into.as_str())
}

/// How rows of a source table are found at the targets.
struct Landing<'a> {
    copied: &'a Copied<'a>,
    dataset: &'a Dataset,
    /// The column that holds the source key.
    key: &'a str,
    mark: Mark<'a>,
}

/// One landing for each source.
fn landings<'a>(copies: &'a [Copied<'a>], check: &VerifyCheck, plan: &Plan) -> Vec<Landing<'a>> {
    let VerifyCheck::LandsOnce { table } = check else {
        return Vec::new();
    };
    let mut landings: Vec<Landing<'a>> = Vec::new();
    for copied in copies {
        let known = |one: &Landing<'_>| one.copied.copy.source == copied.copy.source;
        if landings.iter().any(known) {
            continue;
        }
        let of = |dataset: &'a Dataset| {
            Some(Landing {
                copied,
                dataset,
                key: holds(dataset, &Origin::SourceKey)?,
                mark: mark(copied, dataset, plan)?,
            })
        };
        let datasets = data_copy::datasets(copied.copy).into_iter();
        let mut datasets = datasets.filter(|dataset| dataset.from == *table);
        landings.extend(datasets.find_map(of));
    }
    landings
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
        self.check(Check {
            rule: rule.into(),
            expected,
            actual,
        });
    }

    fn check(&mut self, check: Check) {
        if check.expected == check.actual {
            self.checks.push(check);
        } else {
            self.failed.push(check);
        }
    }

    /// A control total, passed where it agrees or is within what the paper allows.
    fn total(&mut self, total: &Total) {
        let check = total.check();
        if total.verdict() == Verdict::Differs {
            self.failed.push(check);
        } else {
            self.checks.push(check);
        }
    }

    /// A fact of the proof of parts.
    fn share(&mut self, share: &Share) {
        if share.agrees() {
            self.checks.push(share.check());
        } else {
            self.failed.push(share.check());
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
        let rules: Vec<String> = self.failed.iter().map(about).collect();
        let code = if self.failed.iter().any(Total::is_one) {
            "HO539"
        } else {
            "HO515"
        };
        let fault = Fault::refused(code, &rules.join(", "), self.rows, says);
        Err(Fault {
            detail: (!self.detail.is_empty()).then_some(self.detail),
            checks: self.failed,
            passed: self.checks.into_iter().filter(told_whole).collect(),
            ..fault.help("nothing goes on from here until a person has decided")
        })
    }
}

/// Checks that are told where others have failed, too: a pack shows every number.
fn told_whole(check: &Check) -> bool {
    Total::is_one(check) || Share::is_one(check)
}

/// A failed check in few words: a control total with its difference.
fn about(check: &Check) -> String {
    match Total::read(check) {
        Some(total) => format!("{} ({})", total.name(), total.difference()),
        None => check.rule.to_string(),
    }
}
