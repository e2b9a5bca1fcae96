//! Copies whose rows may meet at one target: a later one looks for the earlier ones' rows, so that each two
//! of them must stand in an order, and must say alike by what rows are alike.
//!
//! In: authored and fanned steps, maps. Out: the datasets of a step that meet others, faults.
//!
//! Not here: the edges that put one step's copies in order (`fan`), rows (`copy::namesakes`).

use std::collections::{BTreeMap, BTreeSet};

use super::authored::Authored;
use super::fan::Fanned;
use super::fault::Fault;
use super::map::Dataset;
use super::model::{DataCopy, Step, StepSpec};
use super::outline::StepId;
use super::shelf::Shelf;
use super::source::Desk;

/// The datasets of an authored copy, or of the copy that a step catches up with, whose rows may meet others.
pub(super) fn meeting<'s>(
    step: &Authored<'_>,
    by_name: &BTreeMap<&str, &Authored<'_>>,
    shelf: &'s Shelf,
) -> BTreeSet<&'s str> {
    let of = || by_name.get(step.form.text("of")?).copied();
    let copy = match step.does() {
        "data-copy" => Some(step),
        "catch-up" => of().filter(|copy| copy.does() == "data-copy"),
        _ => None,
    };
    let read = |copy: &Authored<'_>| {
        let map = shelf.maps.get(copy.form.text("map")?)?;
        Some((map, copy.form.plain_texts("tables")))
    };
    let Some((map, tables)) = copy.and_then(read) else {
        return BTreeSet::new();
    };
    let mine = |one: &&Dataset| one.meets() && tables.contains(&one.from);
    let datasets = map.datasets.iter().filter(mine);
    datasets.map(|one| one.name.as_str()).collect()
}

/// Reports copies whose rows may meet, and that stand in no order or disagree about who is alike.
pub(super) fn check(desk: &mut Desk, steps: &[Step], fanned: &[Fanned]) {
    let mut told = BTreeSet::new();
    for (at, step) in steps.iter().enumerate() {
        for before in &steps[..at] {
            let names = (&step.name, &before.name);
            if step.name == before.name || told.contains(&names) {
                continue;
            }
            if let Some(fault) = apart(step, before).or_else(|| unordered(step, before, fanned)) {
                desk.push(fault);
                told.insert(names);
            }
        }
    }
}

/// Datasets of both that have one name and meet others there.
fn both<'s>(one: &'s Step, other: &'s Step) -> Vec<(&'s DataCopy, &'s Dataset, &'s Dataset)> {
    let (Some(one), Some(other)) = (copy(one), copy(other)) else {
        return Vec::new();
    };
    if one.target != other.target {
        return Vec::new();
    }
    let meeting = |copy: &'s DataCopy| {
        let mine = |one: &&Dataset| one.meets() && copy.tables.contains(&one.from);
        copy.map.datasets.iter().filter(mine)
    };
    let pair = |mine: &'s Dataset| {
        let theirs = meeting(other).find(|theirs| theirs.name == mine.name)?;
        Some((one, mine, theirs))
    };
    meeting(one).filter_map(pair).collect()
}

fn copy(step: &Step) -> Option<&DataCopy> {
    match &step.does {
        StepSpec::DataCopy(copy) => Some(copy),
        StepSpec::CatchUp(catch_up) => Some(&catch_up.copy),
        _ => None,
    }
}

fn apart(step: &Step, before: &Step) -> Option<Fault> {
    let alike = |(_, one, other): &(&DataCopy, &Dataset, &Dataset)| {
        (&one.into, &one.natural_key, &one.id) == (&other.into, &other.natural_key, &other.id)
    };
    let pairs = both(step, before);
    let (copy, mine, _) = pairs.iter().find(|pair| !alike(pair))?;
    let says = format!(
        "`{}` and `{}` both bring `{}` to `{}`, and disagree about which rows are alike",
        before.name, step.name, mine.name, copy.target
    );
    let fault = Fault::error("HO316", &mine.place, says);
    Some(fault.help("let both maps say the same table, `natural-key` and `id`; or give one dataset another name"))
}

fn unordered(step: &Step, before: &Step, fanned: &[Fanned]) -> Option<Fault> {
    let pairs = both(step, before);
    let (copy, mine, _) = pairs.first()?;
    if follows(fanned, &step.id, &before.id) || follows(fanned, &before.id, &step.id) {
        return None;
    }
    let says = format!(
        "`{}` and `{}` both bring `{}` to `{}`, and neither comes after the other",
        before.name, step.name, mine.name, copy.target
    );
    let fault = Fault::error("HO316", &step.place, says).label("whose rows stand first?");
    Some(fault.help(format!(
        "add `{}` to `after` of `{}`, or the other way round",
        before.name, step.name
    )))
}

/// Whether `later` comes after `first`, near or far.
fn follows(fanned: &[Fanned], later: &StepId, first: &StepId) -> bool {
    let (mut seen, mut left) = (BTreeSet::new(), vec![later]);
    while let Some(id) = left.pop() {
        let Some(one) = fanned.iter().find(|one| one.id == *id) else {
            continue;
        };
        if one.after.contains(first) {
            return true;
        }
        left.extend(one.after.iter().filter(|before| seen.insert(*before)));
    }
    false
}
