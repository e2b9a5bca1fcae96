//! The stage: the folder with everything in it, the databases on it, and what is read from it.
//!
//! Not here: what happens there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Script, StoryFault, Teller};
use crate::demo::generate::{self, Spec, World};
use crate::demo::home::Home;
use crate::demo::{papers, people, witnesses};
use crate::machine::time::Time;
use crate::plan::model::{DataCopy, Plan, StepSpec};
use crate::plan::outline::StepId;
use crate::plan::papers::Papers;
use crate::run::connect::{self, Addresses, Readers};

/// Homes of a world whose plan does not say how many.
const HOMES: u32 = 17_000;

/// A folder with everything in it.
pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) script: Script,
    pub(super) world: Option<World>,
    pub(super) home: Home,
}

impl Stage {
    pub(super) fn set<T: Teller>(
        folder: PathBuf,
        script: Script,
        teller: &mut T,
    ) -> Result<Stage, StoryFault> {
        let written = folder.join(".demo.json");
        let text = serde_json::to_string_pretty(&script).map_err(std::io::Error::other)?;
        if folder.exists() {
            let same = std::fs::read_to_string(&written).is_ok_and(|found| found == text);
            if !same {
                return Err(StoryFault::Other(folder));
            }
            teller.say("This folder holds a demo already: going on from where it stands.");
        } else {
            let mut beside = vec![(".demo.json".to_owned(), text)];
            if let Some(people) = papers::text(&script.plan, "people.toml") {
                beside.extend(script.keys().hand_out(people)?);
            }
            if !papers::lay_out(&script.plan, &folder, &beside)? {
                return Err(StoryFault::NoPlan(script.plan));
            }
        }
        // A plan without databases has no world: serde knows those that there are.
        let world = serde_json::from_value(script.plan.clone().into()).ok();
        let mut plan = plan_in(&folder, &script.plan)?;
        if !folder.join("demo.preview").exists() {
            witnesses::invite(&folder, &plan, script.seed)?;
            plan = plan_in(&folder, &script.plan)?;
        }
        let stage = Stage {
            home: Home::open(script.engine, &folder, &plan)?,
            folder,
            script,
            world,
        };
        std::fs::write(stage.folder.join(".env"), env(&plan, &stage.home))?;
        stage.broken(&plan)?;
        if let Some(line) = stage.home.line() {
            teller.say(&line);
        }
        Ok(stage)
    }

    /// Chapter 1: the invented organisations.
    pub(super) async fn make<T: Teller>(&self, teller: &mut T) -> Result<(), StoryFault> {
        let Some(world) = &self.world else {
            return Ok(());
        };
        if self.data().exists() {
            return Ok(());
        }
        let said = self.plan()?.homes.as_ref().map(|homes| homes.count);
        let said = said.and_then(|count| u32::try_from(count).ok());
        let homes = self.script.homes.or(said).unwrap_or(HOMES);
        teller.chapter("Making the organisations");
        let unfinished = self.folder.join("data.unfinished");
        let spec = Spec {
            world: *world,
            homes,
            years: self.script.years,
            seed: self.script.seed,
            progress: Some(teller.making()),
        };
        let truth = generate::generate(&unfinished, &spec)?;
        self.home.pour(&*self.plan()?, &unfinished, *world).await?;
        std::fs::rename(&unfinished, self.data())?;
        let rows: u64 = truth.source.values().sum();
        teller.say(&format!(
            "Made {} invented homes ({} rows) in {} databases: everybody in them is made up.",
            crate::report::words::count(u64::from(homes)),
            crate::report::words::count(rows),
            world.sources().len() + world.targets().len(),
        ));
        Ok(())
    }

    pub(super) fn plan(&self) -> Result<Arc<Plan>, StoryFault> {
        plan_in(&self.folder, &self.script.plan)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.join(".handover/journal.db")
    }

    pub(super) fn addresses(&self, plan: &Plan) -> Result<Addresses, StoryFault> {
        self.home.addresses(plan, &self.data())
    }

    pub(super) async fn readers(&self, plan: &Plan) -> Result<Readers, StoryFault> {
        Ok(connect::readers(&self.addresses(plan)?).await?)
    }

    /// The copy that breaks in this story; none where nothing does.
    pub(super) fn broken<'p>(
        &self,
        plan: &'p Plan,
    ) -> Result<Option<(StepId, &'p DataCopy)>, StoryFault> {
        let copies: Vec<(&StepId, &DataCopy)> = plan
            .steps
            .iter()
            .filter_map(|step| match &step.does {
                StepSpec::DataCopy(copy) => Some((&step.id, copy)),
                _ => None,
            })
            .collect();
        let owned = |(step, copy): &(&StepId, &'p DataCopy)| ((*step).clone(), *copy);
        match self.script.breaks.as_deref() {
            Some("none") => Ok(None),
            None => Ok(copies.last().map(owned)),
            Some(wanted) => match copies.iter().find(|(step, _)| step.as_str() == wanted) {
                Some(copy) => Ok(Some(owned(copy))),
                None => Err(StoryFault::Unbreakable {
                    step: wanted.to_owned(),
                    could: copies.iter().map(|(step, _)| step.to_string()).collect(),
                }),
            },
        }
    }

    /// When the story begins: a week before the plan's first date.
    pub(super) fn curtain(plan: &Plan) -> Time {
        let starts = plan.outline.steps.iter().filter_map(|step| step.start);
        let dues = plan.steps.iter().filter_map(|step| step.due);
        let first = starts
            .chain(dues)
            .chain([plan.handover])
            .min()
            .unwrap_or(plan.handover);
        let week = jiff::SignedDuration::from_hours(7 * 24);
        Time::new(first.saturating_sub(week).unwrap_or(first))
    }

    pub(super) fn registers(&self) -> Option<people::Registers> {
        let targets = self.world.as_ref()?.targets().iter();
        let owners = targets.map(|org| (org.code.to_owned(), org.owner.to_owned()));
        Some(people::Registers {
            data: self.data(),
            owners: owners.collect(),
        })
    }
}

fn plan_in(folder: &Path, name: &str) -> Result<Arc<Plan>, StoryFault> {
    let papers = Papers::open(folder)?;
    crate::plan::read(name, papers)
        .map(Arc::new)
        .map_err(StoryFault::Plan)
}

/// The plan folder's `.env`: where the made-up databases are.
fn env(plan: &Plan, home: &Home) -> String {
    let named = plan
        .orgs
        .iter()
        .filter_map(|(code, org)| Some((code, org.database.as_ref()?)));
    named
        .filter_map(|(code, variable)| Some(format!("{variable}={}\n", home.told(code)?)))
        .collect::<Vec<String>>()
        .concat()
}
