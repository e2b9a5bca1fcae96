//! The sources read again: every line that was copied must still be what was copied, or caught up with.
//!
//! Nothing is asked of a copy while a catch-up is still to bring over what changed, nor of a table that the
//! run itself wrote to at the source.
//!
//! Not here: digests of lines (`copy::catch_up`), freezes (the source's triggers).

use std::collections::BTreeSet;

use super::rows::{deed, generations};
use crate::copy::catch_up::{CatchUp, Drifted, drift};
use crate::copy::fault::LoadFault;
use crate::copy::ledger::kept;
use crate::machine::key::RunKey;
use crate::machine::state::StepState;
use crate::orgdb::{DbFault, OrgReader};
use crate::plan::model::{Code, Plan, StepSpec};
use crate::plan::outline::StepId;
use crate::run::connect::Readers;
use crate::run::site::Site;
use crate::steps::narrowing;

/// A table of a source, beside what a copy took from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The copy.
    pub step: StepId,
    /// The organisation it copied from.
    pub org: Code,
    /// The table.
    pub table: String,
    /// How its lines stand; none where the run itself has written to it.
    pub lines: Option<Drifted>,
    /// The catch-up that is still to bring over what differs.
    pub awaits: Option<StepId>,
}

/// Reads the source of every finished copy again; of one step alone where it is named.
///
/// # Errors
/// When a database cannot be read.
pub async fn sources(
    site: &Site,
    readers: &Readers,
    key: &RunKey,
    step: Option<&str>,
) -> Result<Vec<Source>, LoadFault> {
    let mut found = Vec::new();
    let Some(plan) = site.plan() else {
        return Ok(found);
    };
    for one in &plan.steps {
        let StepSpec::DataCopy(copy) = &one.does else {
            continue;
        };
        let state = site.run.state(&one.id);
        let state = state.filter(|state| state.state == StepState::Committed);
        let (Some(state), true) = (state, step.is_none_or(|step| step == one.id.as_str())) else {
            continue;
        };
        let ends = (readers.get(&copy.source), readers.get(&copy.target));
        let (Some(source), Some(target)) = ends else {
            continue;
        };
        let deed = deed(site, key, &one.id, state.generation);
        let Some((_, work)) = narrowing(plan, &generations(site), &deed, target.dialect()) else {
            continue;
        };
        let work = CatchUp::with(work.load, work.copied, work.since);
        let drifted = drift(source, target, work).await?;
        let ours = written(source, site).await?;
        found.extend(drifted.into_iter().map(|(table, lines)| Source {
            step: one.id.clone(),
            org: copy.source.clone(),
            lines: (!ours.contains(&table)).then_some(lines),
            awaits: awaited(site, plan, &one.id),
            table,
        }));
    }
    Ok(found)
}

/// Tables of a source to which steps of the run wrote rows.
async fn written(source: &OrgReader, site: &Site) -> Result<BTreeSet<String>, DbFault> {
    let (mut tables, mut behind) = (BTreeSet::new(), Some(0));
    while let Some(from) = behind {
        let (rows, more) = kept::rows(source, site.head.id, from).await?;
        let kinds = rows
            .iter()
            .filter(|row| row.rows > 0)
            .map(|row| row.kind.split_once(':'));
        tables.extend(kinds.flatten().map(|(_, table)| table.to_owned()));
        behind = more;
    }
    Ok(tables)
}

/// The first catch-up with a copy that has not finished.
fn awaited(site: &Site, plan: &Plan, copy: &StepId) -> Option<StepId> {
    let mut steps = plan.steps.iter();
    let awaited = steps.find(|step| {
        let catches = matches!(&step.does, StepSpec::CatchUp(catch_up) if catch_up.of == *copy);
        catches
            && !site
                .run
                .state(&step.id)
                .is_some_and(crate::machine::state::StepRun::finished)
    });
    awaited.map(|step| step.id.clone())
}
