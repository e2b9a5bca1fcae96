//! The run, begun and played on for as long as people and dates let it.
//!
//! Not here: the way back.

use std::sync::Arc;

use super::stage::Stage;
use super::{StoryFault, Teller, in_force};
use tokio::sync::watch;

use crate::demo::people;
use crate::journal::Journal;
use crate::machine::state::{StepRun, StepState};
use crate::plan::model::{Plan, StepSpec};
use crate::plan::outline::StepId;
use crate::preview::Preview;
use crate::run::connect::{self};
use crate::run::{Bounds, Clock, Site, begin, carry_on};

impl Stage {
    /// Chapter 5: the run begins, or goes on.
    pub(super) async fn begun<T: Teller>(
        &self,
        plan: &Arc<Plan>,
        preview: &Preview,
        teller: &mut T,
    ) -> Result<Site, StoryFault> {
        let mut journal = Journal::open(&self.journal()).await?;
        if let Some(head) = journal.runs().await?.pop() {
            return Ok(Site::open(journal, head).await?);
        }
        teller.chapter("Running it (a rehearsal: the clock is made up)");
        let clock = Clock::made_up(preview.read_at);
        let prints = connect::prints(&self.readers(plan).await?, true).await?;
        let watch = teller.watch(plan);
        let session = begin::begin(journal, plan, preview, prints, clock, watch).await?;
        Ok(session.release().await?)
    }

    /// Drives, lets people answer, drives again, until nothing more comes by itself. Stops once just
    /// before rows move, to take fingerprints of the databases.
    pub(super) async fn play_on<T: Teller>(
        &self,
        mut site: Site,
        teller: &mut T,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Site, StoryFault> {
        let registers = self.registers();
        loop {
            let plan = in_force(&site)?;
            let clock = clock_of(&site, &plan);
            let watch = teller.watch(&plan);
            let addresses = self.addresses(&plan)?;
            let bounds = Bounds {
                until: self.before_rows_move(&site, &plan),
                ..Bounds::default()
            };
            let (moved, rests) = carry_on(site, &addresses, &clock, &bounds, watch, stop).await?;
            site = moved;
            if bounds.reached(&site.run) {
                self.keep_prints(&plan).await?;
                continue;
            }
            if rests.exit() != 4 || site.run.rolled_back() {
                return Ok(site);
            }
            self.live_on(&site, &plan, teller).await?;
            let clock = clock_of(&site, &plan);
            let (answered, words) =
                people::answer(site, &clock, registers.as_ref(), Some(&self.script.keys())).await?;
            site = answered;
            if words == 0 {
                return Ok(site);
            }
            teller.say(&format!(
                "  ... {words} decisions and answers by made-up people"
            ));
        }
    }

    /// Between a copy and what catches up with it the office works on.
    pub(super) async fn live_on<T: Teller>(
        &self,
        site: &Site,
        plan: &Plan,
        teller: &mut T,
    ) -> Result<(), StoryFault> {
        let told = self.folder.join(".demo-lived-on");
        let caught = plan.steps.iter().find_map(|step| match &step.does {
            StepSpec::CatchUp(catch_up) => Some((step, catch_up)),
            _ => None,
        });
        let Some((step, catch_up)) = caught.filter(|_| !told.exists()) else {
            return Ok(());
        };
        let is = |id: &StepId, wanted: fn(&StepRun) -> bool| site.run.state(id).is_some_and(wanted);
        let copied = is(&catch_up.of, |step| step.state == StepState::Committed);
        if !copied || is(&step.id, |step| step.started.is_some()) {
            return Ok(());
        }
        let addresses = self.addresses(plan)?;
        let Some(source) = addresses.get_key_value(&catch_up.copy.source) else {
            return Ok(());
        };
        let rows = self.home.change_telephones(source, 25).await?;
        std::fs::write(told, "")?;
        teller.say(&format!(
            "  ... meanwhile the office at {} enters {rows} new telephone numbers, for `{}`",
            plan.org_name(&catch_up.copy.source),
            step.id,
        ));
        Ok(())
    }

    /// The steps after the first of which fingerprints are taken: what comes right before each copy. None
    /// once they are taken, or where nothing breaks, or once a copy has begun.
    pub(super) fn before_rows_move(&self, site: &Site, plan: &Plan) -> Vec<StepId> {
        let taken = self.folder.join(".demo-prints.json").exists();
        if taken || !matches!(self.broken(plan), Ok(Some(_))) {
            return Vec::new();
        }
        let copies = plan.steps.iter().zip(&plan.outline.steps);
        let copies = copies.filter(|(step, _)| matches!(step.does, StepSpec::DataCopy(_)));
        let begun = |id: &StepId| {
            site.run
                .state(id)
                .is_some_and(|step| step.started.is_some())
        };
        if copies.clone().any(|(step, _)| begun(&step.id)) {
            return Vec::new();
        }
        let before = copies.filter_map(|(_, outline)| outline.after.first());
        before.cloned().collect()
    }
}

pub(super) fn clock_of(site: &Site, plan: &Plan) -> Clock {
    let last = site.run.head().map(|head| head.when.as_at);
    Clock::made_up(last.unwrap_or_else(|| Stage::curtain(plan)).moment())
}
