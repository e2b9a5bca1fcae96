//! Every row that a finished step wrote, read back and held against its digest.
//!
//! Out: per step how many rows are no longer as they were written, narrowed to their columns, and rows that
//! carry the run's mark and that nobody of ours wrote.
//!
//! Not here: the effects that wrote them (`ledgers`).

use std::collections::{BTreeMap, BTreeSet};

use crate::copy::ledger::{self, Deed};
use crate::copy::verify::extra::{Search, extra, marked};
use crate::copy::verify::narrow::{Narrow, Narrowed, narrow, unnarrowed};
use crate::copy::verify::{self, Digested};
use crate::machine::key::RunKey;
use crate::machine::state::StepState;
use crate::orgdb::{DbFault, OrgReader};
use crate::plan::model::StepSpec;
use crate::plan::outline::StepId;
use crate::run::connect::Readers;
use crate::run::site::Site;
use crate::steps::narrowing;

/// One finished step beside what stands at the organisations.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// The step.
    pub step: StepId,
    /// Rows read back.
    pub rows: u64,
    /// Rows that are not as they were written.
    pub differing: u64,
    /// Rows that carry the run's mark and that no ledger knows, told with the first step that could have
    /// written them.
    pub extra: u64,
    /// Which rows these are, the first thousand of each.
    pub rows_named: Vec<Narrowed>,
}

impl Held {
    /// Whether every row stands as it was written, and no other beside them.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differing == 0 && self.extra == 0
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// This step alone.
    pub step: Option<&'a str>,
    /// Keys and values of rows are told, too: personal data.
    pub values: bool,
}

/// Holds every finished step of a run against the databases.
///
/// # Errors
/// When a database cannot be read.
pub async fn look(
    site: &Site,
    readers: &Readers,
    key: &RunKey,
    ask: Ask<'_>,
) -> Result<Vec<Held>, DbFault> {
    let mut live = Live {
        site,
        readers,
        key,
        ask,
        searched: BTreeSet::new(),
    };
    let mut found = Vec::new();
    for (outline, step) in site.run.steps() {
        let asked = ask.step.is_none_or(|step| step == outline.id.as_str());
        if step.state != StepState::Committed || !asked {
            continue;
        }
        found.extend(live.step(&outline.id, step.generation).await?);
    }
    let all_stand = ask.step.is_none() && found.iter().all(|held| held.differing == 0);
    for held in &mut found {
        live.search(all_stand, held).await?;
    }
    Ok(found)
}

struct Live<'a> {
    site: &'a Site,
    readers: &'a Readers,
    key: &'a RunKey,
    ask: Ask<'a>,
    /// Tables at organisations that were searched for extra rows.
    searched: BTreeSet<(String, String)>,
}

impl Live<'_> {
    /// None where the step writes to no database.
    async fn step(&mut self, id: &StepId, generation: u32) -> Result<Option<Held>, DbFault> {
        let outputs = self.site.outputs.get(id);
        let mut effects = outputs.map_or(0, |done| done.effects);
        let mut held = Held {
            step: id.clone(),
            rows: 0,
            differing: 0,
            extra: 0,
            rows_named: Vec::new(),
        };
        let deed = deed(self.site, self.key, id, generation);
        for reader in self.readers.values() {
            let here = ledger::effects(reader, deed.run, &deed.step, deed.generation).await?;
            effects += here.len() as u64;
            if here.is_empty() {
                continue;
            }
            let digested = verify::digests(reader, &deed).await?;
            held.rows += digested.rows;
            held.differing += digested.differing;
            self.name(reader, &deed, &digested, &mut held).await?;
        }
        Ok((effects > 0).then_some(held))
    }

    /// Narrows the rows that differ, where the step's rows came from a source.
    async fn name(
        &self,
        target: &OrgReader,
        deed: &Deed,
        digested: &Digested,
        held: &mut Held,
    ) -> Result<(), DbFault> {
        let generations = generations(self.site);
        let plan = self.site.plan();
        let about = plan.and_then(|plan| narrowing(plan, &generations, deed, target.dialect()));
        let Some((source, work)) = about else {
            held.rows_named
                .extend(unnarrowed(digested, self.ask.values));
            return Ok(());
        };
        let Some(source) = self.readers.get(source) else {
            held.rows_named
                .extend(unnarrowed(digested, self.ask.values));
            return Ok(());
        };
        let work = Narrow {
            values: self.ask.values,
            ..work
        };
        held.rows_named
            .extend(narrow(source, target, work, digested).await?);
        Ok(())
    }

    /// Looks for rows that nobody of ours wrote, once in each table.
    async fn search(&mut self, all_stand: bool, held: &mut Held) -> Result<(), DbFault> {
        let plan = self.site.plan();
        let step = plan.and_then(|plan| plan.steps.iter().find(|step| step.id == held.step));
        let Some(StepSpec::DataCopy(copy)) = step.map(|step| &step.does) else {
            return Ok(());
        };
        let Some(target) = self.readers.get(&copy.target) else {
            return Ok(());
        };
        let datasets = copy.map.datasets.iter();
        let datasets = datasets.filter(|dataset| copy.tables.contains(&dataset.from));
        let mut tables = marked(datasets);
        tables.retain(|one| {
            let place = (target.org().to_owned(), one.table().to_owned());
            self.searched.insert(place)
        });
        let search = Search {
            all_stand,
            values: self.ask.values,
        };
        let found = extra(
            target,
            &deed(self.site, self.key, &held.step, 0),
            tables,
            search,
        )
        .await?;
        held.extra += found.rows;
        held.rows_named.extend(found.named);
        Ok(())
    }
}

/// What a step's effects are kept under.
pub(super) fn deed(site: &Site, key: &RunKey, step: &StepId, generation: u32) -> Deed {
    Deed {
        run: site.head.id,
        step: step.clone(),
        generation,
        epoch: 0,
        log_seq: 0,
        key: key.clone(),
    }
}

/// The generation of every step.
pub(super) fn generations(site: &Site) -> BTreeMap<StepId, u32> {
    let steps = site.run.steps();
    steps
        .map(|(outline, step)| (outline.id.clone(), step.generation))
        .collect()
}
