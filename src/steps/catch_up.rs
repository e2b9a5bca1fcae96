//! `catch-up`: what happened at the source since a copy, brought over as often as wanted, the last time
//! behind the freeze.
//!
//! In: the copy whose rows are brought up to date, both databases. Out: rows with their ledger at the
//! target, counts by dataset.
//!
//! Not here: how lines are held against the ledger (`copy::catch_up`).

use super::{Act, Fault, Finding, Forecast, Look, Output, data_copy};
use crate::copy::catch_up::{self, Caught, CaughtUp};
use crate::copy::ledger::Deed;
use crate::machine::event::{DatasetCount, StepMarked};
use crate::orgdb::Catalogue;
use crate::plan::model::{CatchUp, Plan, StepSpec, Triggers};
use crate::plan::outline::StepId;

pub(super) async fn check(look: &Look, step: &CatchUp) -> Result<Vec<Finding>, Fault> {
    let mut found = data_copy::fits(look, &step.copy).await?;
    let target = look.reader(&step.copy.target)?.catalogue().await?;
    found.extend(keyless(step, &target));
    Ok(found)
}

/// Target tables whose rows could not be told again.
fn keyless(step: &CatchUp, target: &Catalogue) -> Vec<Finding> {
    let copy = &step.copy;
    let mut found = Vec::new();
    for dataset in data_copy::datasets(copy) {
        let Some(table) = target.tables.get(&dataset.into) else {
            continue;
        };
        let fires = copy.triggers == Some(Triggers::Fire) && !table.triggers.is_empty();
        if table.key.is_empty() || fires {
            let why = if fires {
                "fires triggers"
            } else {
                "has no key"
            };
            let says = format!(
                "`{}` of `{}` {why}: what changes at `{}` cannot be brought over row by row",
                dataset.into, copy.target, copy.source
            );
            let help = "copy the table behind the freeze, in a step of its own";
            found.push(Finding::stop("HO540", &dataset.into, says).help(help));
        }
    }
    found.dedup();
    found
}

pub(super) fn preview(step: &CatchUp) -> Forecast {
    Forecast {
        line: format!("what changes at {} after {}", step.copy.source, step.of),
        ..Forecast::default()
    }
}

pub(super) async fn run(act: &Act, step: &CatchUp) -> Result<Output, Fault> {
    let source = act.look.reader(&step.copy.source)?;
    let target = act.writer(&step.copy.target)?;
    let load = data_copy::work(&act.look.plan, &step.copy, target.dialect());
    let work = catch_up::CatchUp::with(load, copied(act, step)?, since(act, step));
    let mut rows = 0;
    let caught = catch_up::catch_up(source, target, work, &act.deed, |effect| {
        rows += effect.rows;
        // Nobody hears it only when the run is on its way out: the ledger keeps it.
        let _ = act.marks.send(StepMarked {
            ordinal: effect.ordinal,
            rows,
            root: effect.root,
        });
    });
    Ok(done(step, &caught.await?))
}

/// The copy's deed, as it stands in the ledger.
fn copied(act: &Act, step: &CatchUp) -> Result<Deed, Fault> {
    let run = act.look.run.as_ref();
    let generation = run.and_then(|run| run.generations.get(&step.of)).copied();
    let Some(generation) = generation else {
        let says = format!(
            "`{}` has not run: there is nothing to catch up with",
            step.of
        );
        return Err(Fault::refused("HO535", step.of.as_str(), 0, says).help("run it first"));
    };
    Ok(Deed {
        step: step.of.clone(),
        generation,
        ..act.deed.clone()
    })
}

/// Every catch-up with the same copy that has run, this one among them.
fn since(act: &Act, step: &CatchUp) -> Vec<(StepId, u32)> {
    let run = act.look.run.as_ref();
    let generation = |id: &StepId| run.and_then(|run| run.generations.get(id)).copied();
    let others = following(&act.look.plan, &step.of)
        .filter(|id| **id != act.deed.step)
        .filter_map(|id| Some((id.clone(), generation(id)?)));
    let this = (act.deed.step.clone(), act.deed.generation);
    others.chain(std::iter::once(this)).collect()
}

/// The catch-ups with a copy.
pub(super) fn following<'p>(plan: &'p Plan, of: &'p StepId) -> impl Iterator<Item = &'p StepId> {
    let steps = plan.steps.iter().filter(move |step| match &step.does {
        StepSpec::CatchUp(catch_up) => catch_up.of == *of,
        _ => false,
    });
    steps.map(|step| &step.id)
}

fn done(step: &CatchUp, caught: &CaughtUp) -> Output {
    let count = |(dataset, found): (&String, &Caught)| DatasetCount {
        dataset: dataset.as_str().into(),
        org: Some(step.copy.target.clone()),
        rows: found.inserted + found.changed + found.removed,
        rejected: found.rejected,
        filtered: 0,
        merged: 0,
        pence: None,
        root: caught.roots.get(dataset).copied().unwrap_or_default(),
    };
    Output::Done {
        outputs: caught.datasets.iter().map(count).collect(),
        effects: caught.effects,
        checks: Vec::new(),
    }
}
