//! `data-copy`: rows from source to target through a map, chunk by chunk.
//!
//! In: the map, both databases. Out: rows with their ledger at the target, counts by dataset.
//!
//! Not here: the copy itself (`copy`), what the paper alone can tell (`plan`).

use std::collections::{BTreeMap, BTreeSet};

use super::{Act, Fault, Finding, Forecast, Look, Output, company, indexes, shape, whose};
use crate::copy::counts::Counts;
use crate::copy::fault::LoadFault;
use crate::copy::load::{Load, Loaded, chunk_rows, load};
use crate::copy::look::{self, UnmappedCode};
use crate::copy::route::Route;
use crate::machine::event::{DatasetCount, StepMarked};
use crate::orgdb::{Catalogue, Dialect, Ident, OrgReader, Value};
use crate::plan::digest::Digest;
use crate::plan::map::{Becomes, CodeList, Dataset, Map, Origin, Unmapped};
use crate::plan::model::{Code, DataCopy, Plan, StepSpec, Triggers};
use crate::sql;

pub(super) async fn check(look: &Look, step: &DataCopy) -> Result<Vec<Finding>, Fault> {
    let mut found = fits(look, step).await?;
    found.extend(indexes::check(look, step).await?);
    // An unmapped code or a rule too many stops the step, and homes can be counted all the same.
    let stops = found
        .iter()
        .any(|finding| finding.stops && !["HO310", "HO548"].contains(&finding.code));
    if look.is_first() && !stops {
        found.extend(homes(look, step).await?);
    }
    Ok(found)
}

/// Whether rows would go from the source, as it is now, into the target, as it is.
pub(super) async fn fits(look: &Look, step: &DataCopy) -> Result<Vec<Finding>, Fault> {
    let source = look.reader(&step.source)?.catalogue().await?;
    let target = look.reader(&step.target)?.catalogue().await?;
    let datasets = datasets(step);
    let mut found = shape::misfits(&step.map, &datasets, &source, &target);
    found.extend(absent_tables(step, &source));
    let dialect = look.reader(&step.target)?.with(|link| Ok(link.dialect()));
    found.extend(undecided_triggers(step, &datasets, &target, dialect.await?));
    found.extend(lasting_tables(step, &datasets, &target));
    found.extend(company::nameless(step, &datasets, &target));
    let split = step.split.as_deref();
    found.extend(whose::misfits(&step.map, split, &source));
    if found.iter().any(|finding| finding.stops) {
        return Ok(found);
    }
    let reader = look.reader(&step.source)?;
    let route = route(&look.plan, step);
    let live = look::unmapped_codes(reader, &step.map, &step.tables, &route).await?;
    found.extend(live.iter().filter_map(|code| unmapped(step, code)));
    found.extend(whose::check(look, &step.source, &step.map, split).await?);
    found.extend(company::check(look, step).await?);
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &DataCopy) -> Result<Forecast, Fault> {
    let whole = company::foretold(look, (&look.step().id, step), &[], company::all(look)).await?;
    let mut forecast = part(look, step, &whole);
    forecast.notes.extend(indexes::foretold(look, step).await?);
    Ok(forecast)
}

pub(super) async fn run(act: &Act, step: &DataCopy) -> Result<Output, Fault> {
    let source = act.look.reader(&step.source)?;
    let target = act.writer(&step.target)?;
    let work = Load {
        frozen: is_frozen(&act.look, step),
        ..work(&act.look.plan, step, target.dialect())
    };
    let mut rows = 0;
    let loaded = load(source, target, work, &act.deed, |effect| {
        rows += effect.rows;
        // Nobody hears it only when the run is on its way out: the ledger keeps it.
        let _ = act.marks.send(StepMarked {
            ordinal: effect.ordinal,
            rows,
            root: effect.root,
        });
    });
    Ok(done(step, &loaded.await?))
}

/// What a step copies, for a target of this kind.
pub(super) fn work(plan: &Plan, step: &DataCopy, target: Dialect) -> Load {
    Load {
        map: step.map.clone(),
        tables: step.tables.clone(),
        route: route(plan, step),
        target: step.target.clone(),
        triggers: step.triggers,
        indexes: step.indexes,
        chunk_rows: chunk_rows(target),
        frozen: false,
    }
}

/// Whether a freeze that comes before this step holds every table on which its rows hang.
fn is_frozen(look: &Look, step: &DataCopy) -> bool {
    let freezes = look.plan.steps.iter().filter(|one| match &one.does {
        StepSpec::Freeze(freeze) => {
            let holds = |table: &&str| freeze.tables.iter().any(|held| held == table);
            freeze.org == step.source && step.hangs_on().iter().all(holds)
        }
        _ => false,
    });
    let outline = &look.plan.outline;
    freezes
        .into_iter()
        .any(|freeze| outline.comes_before(&freeze.id, &look.step().id))
}

/// How the source is shared out: one route for all copies of the same tables through the same map,
/// so that each knows which rows are its siblings' and which are nobody's.
pub(super) fn route(plan: &Plan, step: &DataCopy) -> Route {
    Route {
        source: step.source.clone(),
        targets: siblings(plan, step)
            .map(|(_, sibling)| sibling.target.clone())
            .collect(),
        split: step.split.clone(),
        handover: plan.handover,
    }
}

/// The datasets that the step copies.
pub(super) fn datasets(step: &DataCopy) -> Vec<&Dataset> {
    let mine = |dataset: &&Dataset| step.tables.contains(&dataset.from);
    step.map.datasets.iter().filter(mine).collect()
}

fn siblings<'a>(plan: &'a Plan, step: &'a DataCopy) -> impl Iterator<Item = (usize, &'a DataCopy)> {
    let copies = plan
        .steps
        .iter()
        .enumerate()
        .filter_map(|(at, step)| match &step.does {
            StepSpec::DataCopy(copy) => Some((at, copy)),
            _ => None,
        });
    copies.filter(|(_, copy)| copy.shares_source_with(step))
}

/// One target's part of a forecast. Rows that nobody owns stand with the first sibling only, so that
/// adding up steps counts them once.
fn part(look: &Look, step: &DataCopy, whole: &look::Forecast) -> Forecast {
    let counts = whole.targets.get(&step.target).cloned().unwrap_or_default();
    let rows: u64 = counts.values().map(|count| count.copied).sum();
    let first = siblings(&look.plan, step)
        .next()
        .map_or(look.step, |(at, _)| at);
    let unrouted = if first == look.step {
        whole.unrouted.clone()
    } else {
        BTreeMap::new()
    };
    Forecast {
        line: format!("{rows} rows"),
        counts: BTreeMap::from([(step.target.clone(), counts)]),
        unrouted,
        notes: notes(step),
    }
}

fn notes(step: &DataCopy) -> Vec<String> {
    let mut notes = Vec::new();
    if step.triggers == Some(Triggers::Fire) {
        notes.push(format!(
            "triggers of `{}` fire while rows are loaded: an exact undo is not promised",
            step.target
        ));
    }
    notes
}

fn absent_tables(step: &DataCopy, source: &Catalogue) -> Vec<Finding> {
    let absent = step
        .tables
        .iter()
        .filter(|table| !source.tables.contains_key(*table));
    let findings = absent.map(|table| {
        let says = format!("`{}` has no table `{table}`", step.source);
        Finding::stop("HO520", table, says).help("mend `tables`, or the source's schema")
    });
    findings.collect()
}

/// Tables whose storage takes nothing back: half a chunk would stay, and the ledger would not know.
fn lasting_tables(step: &DataCopy, datasets: &[&Dataset], target: &Catalogue) -> Vec<Finding> {
    let mut tables: BTreeSet<&String> = datasets.iter().map(|dataset| &dataset.into).collect();
    tables.retain(|name| {
        let table = target.tables.get(*name);
        table.is_some_and(|table| table.untransactional)
    });
    let findings = tables.into_iter().map(|table| {
        let says = format!(
            "the storage of `{table}` of `{}` takes nothing back that was written",
            step.target
        );
        Finding::stop("HO538", table, says).help("let the target's people make it an InnoDB table")
    });
    findings.collect()
}

fn undecided_triggers(
    step: &DataCopy,
    datasets: &[&Dataset],
    target: &Catalogue,
    dialect: Dialect,
) -> Vec<Finding> {
    let (decided, help) = match step.triggers {
        None => (false, "say `triggers = \"off\"` or `\"fire\"` in the step"),
        Some(Triggers::Fire) => (true, ""),
        Some(Triggers::Off) => (
            dialect != Dialect::Mariadb,
            "MariaDB cannot set them aside: say `triggers = \"fire\"` in the step, or let the target's people drop them meanwhile",
        ),
    };
    if decided {
        return Vec::new();
    }
    let mut found = Vec::new();
    for dataset in datasets {
        let table = target.tables.get(&dataset.into);
        if table.is_some_and(|table| table.triggers_hidden) {
            let says = format!(
                "the server does not show this account whether `{}` of `{}` has triggers",
                dataset.into, step.target
            );
            let help = "let the target's people give it the right TRIGGER on that table";
            found.push(Finding::stop("HO514", &dataset.into, says).help(help));
        }
        for trigger in table.iter().flat_map(|table| table.triggers.keys()) {
            let says = format!(
                "trigger `{trigger}` on `{}` of `{}` would fire while rows are loaded",
                dataset.into, step.target
            );
            let about = format!("{}.{trigger}", dataset.into);
            found.push(Finding::stop("HO514", about, says).help(help));
        }
    }
    found.dedup();
    found
}

/// A live code without a pair: stops unless its list lets rows be kept back, within its limit.
fn unmapped(step: &DataCopy, live: &UnmappedCode) -> Option<Finding> {
    let list = step.map.codes.get(&live.list)?;
    let here = live.rows.get(&step.target).copied().unwrap_or(0);
    let stops = match &list.unmapped {
        Unmapped::Keep => return None,
        _ if here == 0 => return None,
        Unmapped::Reject { limit, .. } => here > *limit,
        Unmapped::Fault => true,
    };
    let says = format!(
        "{here} rows of `{}` use code `{}`, which list `{}` does not cover",
        live.dataset, live.code, live.list
    );
    Some(Finding {
        stops,
        rows: BTreeMap::from([(step.target.clone(), here)]),
        place: Some(list.place.clone()),
        ..Finding::stop("HO310", format!("{}.{}", live.dataset, live.column), says)
            .help(remedy(list))
    })
}

fn remedy(list: &CodeList) -> &'static str {
    match list.unmapped {
        Unmapped::Reject { .. } => "give the code a pair, or raise the list's limit with a reason",
        _ => {
            "give the code a pair in the map, or let its rows be rejected with a reason and a limit"
        }
    }
}

/// The plan's number of homes held against all sources of this copy, where it moves homes: a warning,
/// since two counts of homes never agree and the plan's tolerance says how much people mind.
async fn homes(look: &Look, step: &DataCopy) -> Result<Option<Finding>, Fault> {
    let Some(homes) = &look.plan.homes else {
        return Ok(None);
    };
    let moved = datasets(step)
        .into_iter()
        .find(|dataset| dataset.into == "asset");
    let Some(dataset) = moved else {
        return Ok(None);
    };
    let copies = look.plan.written_as_one(look.step());
    let sources: BTreeSet<&Code> = copies
        .filter_map(|step| match &step.does {
            StepSpec::DataCopy(copy) => Some(&copy.source),
            _ => None,
        })
        .collect();
    let mut counted = 0;
    for source in &sources {
        counted += homes_at(look.reader(source)?, &step.map, dataset).await?;
    }
    if counted.abs_diff(homes.count) <= homes.tolerance {
        return Ok(None);
    }
    let named: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
    let says = format!(
        "the plan speaks of {} homes (give or take {}), {} {} {counted}",
        homes.count,
        homes.tolerance,
        named.join(", "),
        if named.len() == 1 { "holds" } else { "hold" },
    );
    let help = "mend `homes` in the plan, with the day on which it was counted";
    Ok(Some(Finding::warn("HO524", &dataset.from, says).help(help)))
}

/// How many homes a source holds.
async fn homes_at(reader: &OrgReader, map: &Map, dataset: &Dataset) -> Result<u64, Fault> {
    let table = Ident::new(&dataset.from);
    let counted: i64 = if let Some((column, codes)) = dwelling_codes(map, dataset, reader.org()) {
        let column = Ident::new(&column);
        let query = sql!(
            "SELECT rtrim({}), count(*) FROM {} GROUP BY 1",
            column,
            table
        );
        let groups = reader.rows(query, Vec::new()).await?;
        let home = |row: &&Vec<Value>| row[0].text().is_some_and(|code| codes.contains(&code));
        let homes = groups.iter().filter(home);
        homes.filter_map(|row| row[1].int()).sum()
    } else {
        let query = sql!("SELECT count(*) FROM {}", table);
        let rows = reader.rows(query, Vec::new()).await?;
        rows.first().and_then(|row| row[0].int()).unwrap_or(0)
    };
    Ok(u64::try_from(counted).unwrap_or(0))
}

/// The source column and codes that become `dwelling`, where the map says which assets are homes.
fn dwelling_codes<'a>(
    map: &'a Map,
    dataset: &'a Dataset,
    source: &str,
) -> Option<(String, Vec<&'a str>)> {
    dataset.columns.iter().find_map(|column| {
        let (Origin::Column(from), Becomes::Code(list)) = (&column.from, &column.becomes) else {
            return None;
        };
        let list = map.codes.get(list)?;
        let pairs = list.pairs(source).filter(|(_, into)| *into == "dwelling");
        let codes: Vec<&str> = pairs.map(|(code, _)| code).collect();
        let own = from.table == dataset.from && !codes.is_empty();
        own.then(|| (from.column.clone(), codes))
    })
}

fn done(step: &DataCopy, loaded: &Loaded) -> Output {
    let outputs = loaded.datasets.iter().map(|(dataset, counts)| {
        let root = loaded.roots.get(dataset).copied();
        count(&step.target, dataset, counts, root.unwrap_or_default())
    });
    Output::Done {
        outputs: outputs.collect(),
        effects: loaded.effects,
        checks: Vec::new(),
    }
}

fn count(target: &Code, dataset: &str, counts: &Counts, root: Digest) -> DatasetCount {
    let money = !counts.pence.is_empty();
    DatasetCount {
        dataset: dataset.into(),
        org: Some(target.clone()),
        rows: counts.copied,
        rejected: counts.rejected.values().sum(),
        filtered: counts.filtered.values().sum(),
        merged: counts.merged.values().sum(),
        pence: money.then(|| counts.pence.values().sum::<i128>().to_string()),
        root,
    }
}

impl From<LoadFault> for Fault {
    fn from(fault: LoadFault) -> Fault {
        match fault {
            LoadFault::Db(fault) => fault.into(),
            LoadFault::Data {
                code,
                dataset,
                column,
                rows,
            } => {
                let about = format!("{dataset}.{column}");
                if code == "HO540" {
                    let says = format!(
                        "what changed at the source of `{dataset}` cannot be brought over row by row"
                    );
                    return Fault::refused(code, &about, rows, says).help(
                        "roll the copy back and copy again, behind the freeze; handover explain HO540",
                    );
                }
                let says = format!("{rows} rows of `{about}` cannot be copied");
                Fault::refused(code, &about, rows, says).help(format!(
                    "mend the map or the source, then run again; handover explain {code}"
                ))
            }
            LoadFault::Orphans { table, name, rows } => {
                let says =
                    format!("{rows} rows of `{table}` have no parent that `{name}` asks for");
                Fault::refused("HO543", &format!("{table}.{name}"), rows, says).help(
                    "bring the parents in and run again, or roll the step back and mend the map; \
                     handover explain HO543",
                )
            }
        }
    }
}
