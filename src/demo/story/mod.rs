//! The demo's story, chapter by chapter. What has happened so far is read from the folder and the
//! journal, never remembered elsewhere: after Ctrl-C or kill -9 the same command goes on, so the demo is
//! its own crash test.
//!
//! ```text
//! stage set -> signed -> source broken -> played until it fails -> way back -> mended -> played on -> proof
//! ```
//!
//! Not here: printing (a [`Teller`] does), the rules of anything.

mod ending;
mod fault;
mod playing;
mod signing;
mod stage;
mod way_back;

pub use fault::StoryFault;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stage::Stage;
use tokio::sync::watch;

use crate::demo::generate::{self};
use crate::demo::keys::Keys;
use crate::demo::schema::Engine;
use crate::machine::rests::{Rest, Rests};
use crate::machine::run::Run;
use crate::plan::model::Plan;
use crate::preview::{Preview, RollbackPreview};
use crate::run::Site;

/// What to play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Which shipped plan.
    pub plan: String,
    /// Where the databases stand.
    #[serde(default, skip_serializing_if = "Engine::is_embedded")]
    pub engine: Engine,
    /// How many homes; the plan's own number if absent.
    pub homes: Option<u32>,
    /// How many rent years.
    pub years: u32,
    /// Which invented world.
    pub seed: u64,
    /// Which data-copy step breaks; `none`; or the plan's own if absent.
    pub breaks: Option<String>,
}

impl Script {
    /// The keys of its people.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys {
            plan: self.plan.clone(),
            seed: self.seed,
        }
    }
}

/// Who tells the story.
pub trait Teller: Send {
    /// The next chapter begins.
    fn chapter(&mut self, title: &str);
    /// Something to say, in 80 columns.
    fn say(&mut self, text: &str);
    /// A preview, one page.
    fn preview(&mut self, preview: &Preview);
    /// A rollback's preview.
    fn way_back(&mut self, preview: &RollbackPreview);
    /// Where a run rests.
    fn rest(&mut self, run: &Run, plan: &Plan, rests: &Rests, label: &str);
    /// Whoever watches a run's entries.
    fn watch(&mut self, plan: &Arc<Plan>) -> crate::run::session::Watch<'static>;
    /// Rows made so far, for a bar.
    fn making(&mut self) -> generate::Progress;
}

/// How a story ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The run's label.
    pub run: String,
    /// Where the log was exported to.
    pub log: PathBuf,
    /// Everything agreed.
    pub agrees: bool,
}

/// Plays the story in `folder`, from wherever it stands.
///
/// # Errors
/// See [`StoryFault`].
pub async fn play<T: Teller>(
    folder: PathBuf,
    script: Script,
    teller: &mut T,
    stop: &mut watch::Receiver<bool>,
) -> Result<Told, StoryFault> {
    let stage = Stage::set(folder, script, teller)?;
    stage.make(teller).await?;
    let (plan, preview) = stage.signed(teller).await?;
    stage.break_source(&plan, teller).await?;
    let mut site = stage.begun(&plan, &preview, teller).await?;
    loop {
        if site.run.rolled_back() && site.plans.len() == 1 {
            site = Box::pin(stage.mended(site, teller)).await?;
        }
        site = stage.play_on(site, teller, stop).await?;
        let run = &site.run;
        if run.finished() {
            return stage.proof(site, teller).await;
        }
        let amended = site.plans.len() > 1;
        if run.rolled_back() && !amended {
            // A rollback that a kill had stopped half-way was taken up again, and done.
            stage.show_prints(&plan, teller).await?;
            continue;
        }
        let rests = run.rests();
        let failed = stage
            .broken(&plan)?
            .is_some_and(|(step, _)| matches!(rests.steps.get(&step), Some(Rest::Failed { .. })));
        if failed && !amended {
            site = stage.rolled_back(site, teller, stop).await?;
            if !site.run.rolled_back() {
                site = Box::pin(stage.mended(site, teller)).await?;
            }
        } else {
            let plan = in_force(&site)?;
            teller.rest(&site.run, &plan, &rests, &site.head.label);
            return Err(StoryFault::Lost(format!("exit code {}", rests.exit())));
        }
    }
}

fn in_force(site: &Site) -> Result<Arc<Plan>, StoryFault> {
    site.plan()
        .cloned()
        .ok_or_else(|| StoryFault::Lost("the run is bound to no plan".to_owned()))
}
