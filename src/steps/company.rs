//! Copies whose rows meet others by a natural key: what stands before each, what a person has to decide.
//!
//! In: a plan's copies, all sources, the target. Out: forecasts in the order of the copies, findings, rows
//! to decide about.
//!
//! Not here: one row against another (`copy::namesakes`), unique keys of the target (`meetings`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::data_copy::{datasets, route};
use super::{Fault, Finding, Look};
use crate::copy::look::slices::Slice;
use crate::copy::look::{self, Forecast};
use crate::copy::namesakes::{Namesakes, Strangers, Undecided, strangers};
use crate::plan::decisions::{Group, RowRef, Verdict};
use crate::plan::map::{Collision, Dataset};
use crate::plan::model::{Code, DataCopy, StepSpec};

/// What a copy comes to, with everybody known who stands before its rows come.
pub(super) async fn foretold(
    look: &Look,
    step: &DataCopy,
    slices: &[Slice],
    which: Strangers,
) -> Result<Arc<Forecast>, Fault> {
    let route = route(&look.plan, step);
    let mut known = Namesakes::default();
    if datasets(step).into_iter().any(Dataset::meets) {
        for target in &route.targets {
            let of = (&*step.map, step.tables.as_slice());
            let reader = look.reader(target)?;
            known.extend(&strangers(reader, target, of, which).await?);
        }
        for earlier in earlier(look, step) {
            let found = whole(look, earlier, &[], &known).await?;
            known.extend(&found.names);
        }
    }
    whole(look, step, slices, &known).await
}

async fn whole(
    look: &Look,
    step: &DataCopy,
    slices: &[Slice],
    known: &Namesakes,
) -> Result<Arc<Forecast>, Fault> {
    let reader = look.reader(&step.source)?;
    let route = route(&look.plan, step);
    let of = (&*step.map, step.tables.as_slice());
    Ok(look::totals(reader, of, &route, slices, known).await?)
}

/// Copies of other sources into the same target through the same map that come before, in their order.
fn earlier<'p>(look: &'p Look, step: &DataCopy) -> Vec<&'p DataCopy> {
    let copies = look.plan.steps.iter().filter_map(|one| match &one.does {
        StepSpec::DataCopy(copy) => Some(copy),
        _ => None,
    });
    let alike = copies.filter(|copy| {
        copy.target == step.target && copy.map_path == step.map_path && copy.tables == step.tables
    });
    let mut sources = BTreeSet::new();
    let before = alike.take_while(|copy| copy.source != step.source);
    before.filter(|copy| sources.insert(&copy.source)).collect()
}

/// What stands against the copy: rows that are alike where the map says refuse, or nobody has decided.
pub(super) async fn check(look: &Look, step: &DataCopy) -> Result<Vec<Finding>, Fault> {
    let meeting: Vec<&Dataset> = datasets(step);
    let meeting: Vec<&Dataset> = meeting.into_iter().filter(|one| one.meets()).collect();
    if meeting.is_empty() {
        return Ok(Vec::new());
    }
    let foretold = foretold(look, step, &[], Strangers::All).await?;
    let counts = foretold.targets.get(&step.target);
    let mut found = Vec::new();
    for dataset in meeting {
        let columns = dataset.natural_key.join("+");
        let stopped = |code: &str| {
            let counts = counts.and_then(|counts| counts.get(&dataset.name));
            let rows = counts.and_then(|counts| counts.rejected.get(&format!("{code} {columns}")));
            rows.copied().unwrap_or(0)
        };
        let about = format!("{}.{columns}", dataset.into);
        for code in ["HO537", "HO545"] {
            let rows = stopped(code);
            if rows > 0 {
                found.push(alike(code, step, dataset, &about, rows));
            }
        }
        found.extend(lapsed(look, step, dataset, &foretold));
    }
    Ok(found)
}

fn alike(
    code: &'static str,
    step: &DataCopy,
    dataset: &Dataset,
    about: &str,
    rows: u64,
) -> Finding {
    let (what, help) = if code == "HO537" {
        (
            "and the map refuses that",
            "say `collision` in the map: what becomes of such rows",
        )
    } else {
        (
            "and nobody has decided whether they are one",
            "`handover check --propose FILE` writes them down; mark each group in the map's `decisions`",
        )
    };
    let says = format!(
        "{rows} rows of `{}` from `{}` share `{about}` with rows that stand before them, {what}",
        dataset.name, step.source
    );
    Finding {
        place: Some(dataset.place.clone()),
        rows: BTreeMap::from([(step.source.clone(), rows)]),
        ..Finding::stop(code, about.to_owned(), says).help(help)
    }
}

/// Rows of this source that are decided to be another's, and would go by themselves all the same.
fn lapsed(look: &Look, step: &DataCopy, dataset: &Dataset, foretold: &Forecast) -> Option<Finding> {
    let about = format!("{}.{}", dataset.into, dataset.natural_key.join("+"));
    if dataset.collision != Collision::Decide {
        return None;
    }
    let groups = step.map.decisions.groups.iter();
    let same =
        groups.filter(|group| group.dataset == dataset.name && group.verdict == Verdict::Same);
    let missed: Vec<(&Group, &RowRef)> = same
        .flat_map(|group| group.rows.iter().map(move |row| (group, row)))
        .filter(|(_, row)| row.org == step.source)
        .filter(|(_, row)| {
            let row = (dataset.name.clone(), (*row).clone());
            !foretold.decided.contains(&row)
        })
        .filter(|(group, row)| comes_later(look, step, group, row))
        .collect();
    let (group, _) = missed.first()?;
    let rows = missed.len() as u64;
    let says = format!(
        "{rows} rows of `{}` from `{}` are decided to be others', and share `{about}` with none of them now",
        dataset.name, step.source
    );
    let help = "look at the rows at their organisations, then mend the data or take the group out";
    Some(Finding {
        place: Some(group.place.clone()),
        rows: BTreeMap::from([(step.source.clone(), rows)]),
        ..Finding::warn("HO546", about, says).help(help)
    })
}

/// Whether another row of the group stands before this one comes.
fn comes_later(look: &Look, step: &DataCopy, group: &Group, row: &RowRef) -> bool {
    let place = |org: &Code| look.plan.sources.iter().position(|one| one == org);
    let before = |other: &&RowRef| other.org == step.target || place(&other.org) < place(&row.org);
    group.rows.iter().any(|other| before(&other))
}

/// Rows that somebody has to decide about, over all copies of a plan: one group for each natural key.
///
/// # Errors
/// When a database cannot be used.
pub async fn undecided(looks: &[Look]) -> Result<Vec<Undecided>, Fault> {
    let mut groups: Vec<Undecided> = Vec::new();
    for look in looks {
        let StepSpec::DataCopy(step) = &look.step().does else {
            continue;
        };
        let decides = |dataset: &&Dataset| dataset.collision == Collision::Decide;
        if !datasets(step).iter().any(decides) {
            continue;
        }
        let foretold = foretold(look, step, &[], Strangers::All).await?;
        for found in &foretold.undecided {
            add(&mut groups, found);
        }
    }
    Ok(groups)
}

/// A later source's row shares its natural key with all that came before: their group grows by it.
fn add(groups: &mut Vec<Undecided>, found: &Undecided) {
    let shares = |group: &&mut Undecided| {
        group.dataset == found.dataset && found.rows.iter().any(|row| group.rows.contains(row))
    };
    match groups.iter_mut().find(shares) {
        Some(group) => {
            for row in &found.rows {
                if !group.rows.contains(row) {
                    group.rows.push(row.clone());
                }
            }
        }
        None => groups.push(found.clone()),
    }
}
