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
use crate::orgdb::Catalogue;
use crate::plan::decisions::{Group, RowRef, Verdict};
use crate::plan::map::{Collision, Dataset};
use crate::plan::model::{DataCopy, StepSpec};
use crate::plan::outline::StepId;

/// What a copy comes to, with everybody known who stands before its rows come. `id` is the step by whose
/// place in the plan that is told: the copy's own, or that of the step which catches up with it.
pub(super) async fn foretold(
    look: &Look,
    (id, step): (&StepId, &DataCopy),
    slices: &[Slice],
    which: Strangers,
) -> Result<Arc<Forecast>, Fault> {
    let mut known = Namesakes::default();
    if datasets(step).into_iter().any(Dataset::meets) {
        for target in &route(&look.plan, step).targets {
            let of = (&*step.map, step.tables.as_slice());
            let reader = look.reader(target)?;
            known.extend(&strangers(reader, target, of, which).await?);
        }
        for earlier in earlier(look, id, step) {
            let others = known.without(&earlier.source);
            let found = whole(look, earlier, &[], &others).await?;
            known.extend(&found.names);
        }
        known = known.without(&step.source);
    }
    whole(look, step, slices, &known).await
}

/// Everybody who is no row of this run.
pub(super) fn all(look: &Look) -> Strangers {
    Strangers::All(look.run.as_ref().map(|run| run.id))
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

/// Copies whose rows stand before those of this one, each behind those that come before it: by target, by a dataset of the same name that meets others, by the plan's graph.
fn earlier<'p>(look: &'p Look, id: &StepId, step: &DataCopy) -> Vec<&'p DataCopy> {
    let outline = &look.plan.outline;
    let meeting = |copy: &DataCopy| -> BTreeSet<String> {
        let meeting = datasets(copy).into_iter().filter(|one| one.meets());
        meeting.map(|one| one.name.clone()).collect()
    };
    let mine = meeting(step);
    let copies = look.plan.steps.iter().filter_map(|one| match &one.does {
        StepSpec::DataCopy(copy) => Some((&one.id, copy)),
        _ => None,
    });
    let before = copies.filter(|(other, copy)| {
        copy.target == step.target
            && !mine.is_disjoint(&meeting(copy))
            && outline.comes_before(other, id)
    });
    let before: Vec<(&StepId, &DataCopy)> = before.collect();
    let stands_behind = |one: &StepId| {
        let others = before.iter();
        others
            .filter(|(other, _)| outline.comes_before(other, one))
            .count()
    };
    let mut ranked: Vec<(usize, &DataCopy)> = before
        .iter()
        .map(|(one, copy)| (stands_behind(one), *copy))
        .collect();
    ranked.sort_by_key(|(behind, _)| *behind);
    ranked.into_iter().map(|(_, copy)| copy).collect()
}

/// What stands against the copy: rows that are alike where the map says refuse, or nobody has decided.
pub(super) async fn check(look: &Look, step: &DataCopy) -> Result<Vec<Finding>, Fault> {
    let meeting: Vec<&Dataset> = datasets(step);
    let meeting: Vec<&Dataset> = meeting.into_iter().filter(|one| one.meets()).collect();
    if meeting.is_empty() {
        return Ok(Vec::new());
    }
    let foretold = foretold(look, (&look.step().id, step), &[], all(look)).await?;
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

/// Datasets that meet others, and whose rows the crosswalk could not name: by one column of the target's.
pub(super) fn nameless(step: &DataCopy, datasets: &[&Dataset], target: &Catalogue) -> Vec<Finding> {
    let key = |dataset: &Dataset| {
        target
            .tables
            .get(&dataset.into)
            .map(|table| table.key.len())
    };
    let nameless = |one: &&&Dataset| one.meets() && one.id.is_none() && key(one) != Some(1);
    let findings = datasets.iter().filter(nameless).map(|dataset| {
        let says = format!(
            "rows of `{}` meet others, and `{}` of `{}` has no key of one column to know them by",
            dataset.name, dataset.into, step.target
        );
        let help =
            "say `id = \"COLUMN\"` in the map: a target column of its own, which Handover fills";
        Finding {
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO316", &dataset.into, says).help(help)
        }
    });
    findings.collect()
}

fn alike(
    code: &'static str,
    step: &DataCopy,
    dataset: &Dataset,
    about: &str,
    rows: u64,
) -> Finding {
    let (what, help) = if code == "HO537" && dataset.collision.merges() {
        (
            "for which other rows of the same source are taken already",
            "mend the values at the source: within one source nothing is merged; or let people decide \
             which of them it is (`collision = \"decide\"`)",
        )
    } else if code == "HO537" {
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
        .filter(|(group, _)| comes_later(look, step, group))
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
fn comes_later(look: &Look, step: &DataCopy, group: &Group) -> bool {
    let earlier = earlier(look, &look.step().id, step);
    let before = |other: &RowRef| {
        let comes = |copy: &&DataCopy| copy.source == other.org && copy.source != step.source;
        other.org == step.target || earlier.iter().any(comes)
    };
    group.rows.iter().any(before)
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
        let foretold = foretold(look, (&look.step().id, step), &[], all(look)).await?;
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
