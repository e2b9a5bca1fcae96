//! The demo's story, chapter by chapter. What has happened so far is read from the folder and the
//! journal, never remembered elsewhere: after Ctrl-C or kill -9 the same command goes on, so the demo is
//! its own crash test.
//!
//! Not here: printing (a [`Teller`] does), the rules of anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::generate::{self, Spec, World};
use super::home::Home;
use super::keys::Keys;
use super::schema::Engine;
use super::servers::ServerError;
use super::{papers, people, witnesses};
use crate::journal::{Journal, JournalFault};
use crate::machine::event::{ClockKind, UndoMode};
use crate::machine::rests::{Rest, Rests};
use crate::machine::rollback::NoRollback;
use crate::machine::run::Run;
use crate::machine::state::{StepRun, StepState};
use crate::machine::time::Time;
use crate::orgdb::DbFault;
use crate::orgdb::address::AddressFault;
use crate::plan::digest::Digest;
use crate::plan::fault::PlanFaults;
use crate::plan::model::{DataCopy, Plan, StepSpec};
use crate::plan::outline::StepId;
use crate::plan::papers::{FolderFault, Papers};
use crate::preview::amend::Signed;
use crate::preview::model::FileFault;
use crate::preview::rollback::{RollbackLook, look_rollback};
use crate::preview::sign::to_sign;
use crate::preview::{
    self, Ask, LookFault, Moment, Preview, RollbackPreview, SignFault, sign, sign_rollback,
};
use crate::run::approvals::{self, ProofFault};
use crate::run::connect::{self, Addresses, Readers};
use crate::run::decisions::WordFault;
use crate::run::rollback::BackFault;
use crate::run::{
    Bounds, CarryFault, Clock, Session, Site, SiteFault, begin, carry_on, drive_on, rollback,
};
use crate::signature::{PrivateKeyFault, Proof};
use crate::steps::Fault;

/// Homes of a world whose plan does not say how many.
const HOMES: u32 = 17_000;

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

/// Why a story ended early. Playing it again goes on from what is durable.
#[derive(Debug, thiserror::Error)]
pub enum StoryFault {
    /// There is no such plan.
    #[error("there is no shipped plan called `{0}`")]
    NoPlan(String),
    /// The folder was made for another script.
    #[error("`{}` holds another demo (other homes, years, seed, plan or break)", .0.display())]
    Other(PathBuf),
    /// The step to break is no data copy of the plan.
    #[error("`{step}` cannot be broken: the story breaks a data copy ({})", .could.join(", "))]
    Unbreakable {
        /// What was asked.
        step: String,
        /// What could be.
        could: Vec<String>,
    },
    /// Somebody asked us to stop.
    #[error("stopped at a safe point")]
    Stopped,
    /// The run came to rest where the story does not expect it.
    #[error("the run rests unexpectedly: {0}")]
    Lost(String),
    /// The file system.
    #[error("a file of the demo cannot be used")]
    File(#[from] std::io::Error),
    /// Made-up data.
    #[error(transparent)]
    Make(#[from] generate::MakeError),
    /// A made-up database.
    #[error("a made-up database cannot be read")]
    Sql(#[from] rusqlite::Error),
    /// Evidence could not be written.
    #[error("evidence cannot be written")]
    Csv(#[from] csv::Error),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// The plan (a shipped one: it was edited).
    #[error("the plan has faults")]
    Plan(PlanFaults),
    /// A preview file.
    #[error(transparent)]
    Preview(#[from] FileFault),
    /// A look.
    #[error(transparent)]
    Look(#[from] LookFault),
    /// A signature.
    #[error(transparent)]
    Sign(#[from] SignFault),
    /// A database.
    #[error(transparent)]
    Db(#[from] DbFault),
    /// A private server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// An address out of the environment.
    #[error("`{0}` is no database address: {1}")]
    Address(String, AddressFault),
    /// A database takes no writes.
    #[error("{}", .0.says)]
    Halted(Fault),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The run.
    #[error(transparent)]
    Site(#[from] SiteFault),
    /// A word.
    #[error(transparent)]
    Word(#[from] WordFault),
    /// An invented key.
    #[error("an invented person's key cannot be made")]
    Key(#[from] PrivateKeyFault),
    /// What somebody is to sign.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// A rollback.
    #[error(transparent)]
    Back(#[from] BackFault),
    /// No rollback.
    #[error(transparent)]
    NoBack(#[from] NoRollback),
}

impl From<CarryFault> for StoryFault {
    fn from(fault: CarryFault) -> StoryFault {
        match fault {
            CarryFault::Db(fault) => StoryFault::Db(fault),
            CarryFault::Site(fault) => StoryFault::Site(fault),
            CarryFault::Halted(fault) => StoryFault::Halted(fault),
            CarryFault::Stopped => StoryFault::Stopped,
        }
    }
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

/// A folder with everything in it.
struct Stage {
    folder: PathBuf,
    script: Script,
    world: Option<World>,
    home: Home,
}

impl Stage {
    fn set<T: Teller>(
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

    fn plan(&self) -> Result<Arc<Plan>, StoryFault> {
        plan_in(&self.folder, &self.script.plan)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn addresses(&self, plan: &Plan) -> Result<Addresses, StoryFault> {
        self.home.addresses(plan, &self.data())
    }

    /// The copy that breaks in this story; none where nothing does.
    fn broken<'p>(&self, plan: &'p Plan) -> Result<Option<(StepId, &'p DataCopy)>, StoryFault> {
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

    /// Chapter 1: the invented organisations.
    async fn make<T: Teller>(&self, teller: &mut T) -> Result<(), StoryFault> {
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

    /// When the story begins: a week before the plan's first date.
    fn curtain(plan: &Plan) -> Time {
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

    async fn readers(&self, plan: &Plan) -> Result<Readers, StoryFault> {
        Ok(connect::readers(&self.addresses(plan)?).await?)
    }

    /// Chapters 2 and 3: check, preview, signatures. Goes on with a preview that is there already.
    async fn signed<T: Teller>(&self, teller: &mut T) -> Result<(Arc<Plan>, Preview), StoryFault> {
        let path = self.folder.join("demo.preview");
        if let Ok(bytes) = std::fs::read(&path) {
            let preview = Preview::read(&bytes)?;
            return Ok((self.plan()?, preview));
        }
        teller.chapter("Checking and previewing the plan");
        let plan = self.plan()?;
        teller.say(&format!(
            "handover check: {} steps, nothing wrong with the papers.",
            plan.steps.len()
        ));
        let as_at = Self::curtain(&plan);
        let moment = Moment {
            as_at: as_at.moment(),
            clock: ClockKind::MadeUp,
        };
        let readers = self.readers(&plan).await?;
        let mut preview = preview::look(Arc::clone(&plan), readers, &moment, None).await?;
        teller.preview(&preview);
        teller.chapter("Signing it");
        self.sign_all(&mut preview, &plan, as_at, teller)?;
        self.save("demo.preview", &preview)?;
        Ok((plan, preview))
    }

    fn sign_all<T: Teller>(
        &self,
        preview: &mut Preview,
        plan: &Plan,
        as_at: Time,
        teller: &mut T,
    ) -> Result<(), StoryFault> {
        let missing = preview::missing(preview, plan);
        let signed = preview.signatures.iter();
        let taken = signed
            .map(|signature| signature.person.clone())
            .chain([plan.author.clone()])
            .collect();
        let signers = people::fill(plan, &missing, as_at, taken);
        for who in &signers {
            let now = Clock::real().now().moment();
            let ask = Ask {
                person: &who.person,
                role: &who.role,
                reason: "read and agreed in committee",
                at: now,
                as_at: as_at.moment(),
                evidence: None,
                proof: None,
            };
            let window = approvals::window(now, approvals::DAYS)?;
            let statement = to_sign(preview, plan, &ask, window)?;
            let proof = Proof::made(&statement, &self.script.keys().of(&who.person)?);
            let proof = Some(&proof);
            sign(preview, plan, &Ask { proof, ..ask })?;
        }
        let names: Vec<String> = signers
            .iter()
            .map(|who| format!("{} ({}, {})", who.person, who.role, who.org))
            .collect();
        teller.say(&format!("Signed by {}.", names.join(", ")));
        Ok(())
    }

    fn save(&self, name: &str, preview: &Preview) -> Result<(), StoryFault> {
        let bytes = preview.write().map_err(std::io::Error::other)?;
        let unfinished = self.folder.join(format!("{name}.unfinished"));
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(unfinished, self.folder.join(name))?;
        Ok(())
    }

    /// Chapter 4: somebody at the source uses a new code after everybody has signed.
    async fn break_source<T: Teller>(&self, plan: &Plan, teller: &mut T) -> Result<(), StoryFault> {
        let broken = self.broken(plan)?;
        let (Some(world), Some((step, copy))) = (&self.world, broken) else {
            return Ok(());
        };
        let done = self.folder.join(".demo-broken");
        if done.exists() {
            return Ok(());
        }
        let owner = world.mark(&copy.source, &copy.target).unwrap_or_default();
        let addresses = self.addresses(plan)?;
        let Some(source) = addresses.get_key_value(&copy.source) else {
            return Ok(());
        };
        let rows = self.home.add_unmapped_tenure(source, 13, owner).await?;
        std::fs::write(done, "")?;
        teller.chapter("After signing, the world moves on");
        let whose = match world.targets() {
            [_] => String::new(),
            _ => format!(" of {}", plan.org_name(&copy.target)),
        };
        teller.say(&format!(
            "At {}, a housing officer gives {rows} tenancies{whose} a new tenure code, DEMO.\n\
             Nobody has mapped it. `{step}` will refuse it.",
            plan.org_name(&copy.source),
        ));
        Ok(())
    }

    fn journal(&self) -> PathBuf {
        self.folder.join(".handover/journal.db")
    }

    /// Chapter 5: the run begins, or goes on.
    async fn begun<T: Teller>(
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
        let site = session.release().await?;
        site.folder.put(
            &format!("{}.preview", plan.fingerprint()),
            &bytes_of(preview)?,
        )?;
        Ok(site)
    }

    /// Drives, lets people answer, drives again, until nothing more comes by itself. Stops once just
    /// before rows move, to take fingerprints of the databases.
    async fn play_on<T: Teller>(
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
    async fn live_on<T: Teller>(
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

    fn registers(&self) -> Option<people::Registers> {
        let targets = self.world.as_ref()?.targets().iter();
        let owners = targets.map(|org| (org.code.to_owned(), org.owner.to_owned()));
        Some(people::Registers {
            data: self.data(),
            owners: owners.collect(),
        })
    }

    /// The steps after the first of which fingerprints are taken: what comes right before each copy. None
    /// once they are taken, or where nothing breaks, or once a copy has begun.
    fn before_rows_move(&self, site: &Site, plan: &Plan) -> Vec<StepId> {
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

    async fn keep_prints(&self, plan: &Plan) -> Result<(), StoryFault> {
        let prints = self.home.prints(plan, &self.data()).await?;
        let text = serde_json::to_string_pretty(&prints).map_err(std::io::Error::other)?;
        let unfinished = self.folder.join(".demo-prints.unfinished");
        std::fs::write(&unfinished, text)?;
        std::fs::rename(unfinished, self.folder.join(".demo-prints.json"))?;
        Ok(())
    }

    /// Chapter 6: the way back is looked at, signed and taken; where the copy that broke was the only
    /// one, it has undone itself and there is no way to go.
    async fn rolled_back<T: Teller>(
        &self,
        site: Site,
        teller: &mut T,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Site, StoryFault> {
        let plan = in_force(&site)?;
        teller.rest(&site.run, &plan, &site.run.rests(), &site.head.label);
        teller.chapter("Rolling back");
        let clock = clock_of(&site, &plan);
        let mut preview = match self.way_back(&site, &plan, &clock).await {
            Err(StoryFault::NoBack(NoRollback::Nothing(_))) => {
                teller.say(
                    "There is nothing to roll back: the only copy failed, and took its own rows out again.",
                );
                self.show_prints(&plan, teller).await?;
                return Ok(site);
            }
            preview => preview?,
        };
        teller.way_back(&preview);
        let taken = BTreeSet::from([plan.author.clone()]);
        let signers = people::fill(&plan, &preview.seats, clock.as_at(), taken);
        for who in signers.iter().take(preview.missing()) {
            let ask = Ask {
                person: &who.person,
                role: &who.role,
                reason: "back, mend the map, and again",
                at: clock.now().moment(),
                as_at: clock.as_at().moment(),
                evidence: None,
                proof: None,
            };
            sign_rollback(&mut preview, &plan, &ask)?;
        }
        let addresses = self.addresses(&plan)?;
        let orgs = addresses.keys().cloned().collect();
        let watch = teller.watch(&plan);
        let mut session = Session::claim(site, orgs, clock, watch).await?;
        rollback::go_back(&mut session, &preview).await?;
        let (site, _) = drive_on(session, &addresses, &Bounds::default(), stop).await?;
        self.show_prints(&plan, teller).await?;
        Ok(site)
    }

    async fn way_back(
        &self,
        site: &Site,
        plan: &Arc<Plan>,
        clock: &Clock,
    ) -> Result<RollbackPreview, StoryFault> {
        let copies = plan
            .steps
            .iter()
            .filter(|step| matches!(step.does, StepSpec::DataCopy(_)));
        let begun = copies.filter_map(|step| site.run.state(&step.id)?.started);
        let first = begun.map(|moment| moment.seq).min().unwrap_or(u64::MAX);
        let cuts = site
            .run
            .checkpoints()
            .iter()
            .filter(|cut| cut.when.seq < first);
        let checkpoint = cuts.map(|cut| cut.number).max().unwrap_or(0);
        let now = crate::machine::state::Now {
            at: clock.now(),
            as_at: clock.as_at(),
        };
        let way = site.run.rollback(checkpoint, now)?;
        let with = RollbackLook {
            run: site.run_look()?,
            plan: Arc::clone(plan),
            readers: self.readers(plan).await?,
            moment: Moment {
                as_at: clock.as_at().moment(),
                clock: clock.kind(),
            },
            mode: UndoMode::Refuse,
        };
        Ok(look_rollback(&with, &site.run, &way, None).await?)
    }

    async fn show_prints<T: Teller>(&self, plan: &Plan, teller: &mut T) -> Result<(), StoryFault> {
        let Ok(text) = std::fs::read_to_string(self.folder.join(".demo-prints.json")) else {
            return Ok(());
        };
        let before: BTreeMap<String, Digest> =
            serde_json::from_str(&text).map_err(std::io::Error::other)?;
        let after = self.home.prints(plan, &self.data()).await?;
        teller.say("Fingerprints of every table, index and trigger, before the copy and now:");
        for (org, now) in &after {
            let then = before.get(org).copied().unwrap_or_default();
            let word = if then == *now {
                "identical"
            } else {
                "DIFFERENT"
            };
            teller.say(&format!(
                "  {:<34} {}  {word}",
                plan.org_name(org),
                now.short()
            ));
        }
        if before == after {
            Ok(())
        } else {
            Err(StoryFault::Lost("databases differ".to_owned()))
        }
    }

    /// Chapter 7: one line of the map, signed by those whom it touches.
    async fn mended<T: Teller>(&self, site: Site, teller: &mut T) -> Result<Site, StoryFault> {
        teller.chapter("Mending the map, and going on");
        let map = self.folder.join("maps/homes.toml");
        let text = std::fs::read_to_string(&map)?;
        let mended = generate::mend(&text);
        for line in mended
            .lines()
            .filter(|line| !text.lines().any(|old| old == *line))
        {
            teller.say(&format!("maps/homes.toml\n  + {line}"));
        }
        std::fs::write(&map, &mended)?;
        let old = in_force(&site)?;
        let new = self.plan()?;
        let clock = clock_of(&site, &old);
        let moment = Moment {
            as_at: clock.as_at().moment(),
            clock: clock.kind(),
        };
        let former = Preview::read(&std::fs::read(self.folder.join("demo.preview"))?)?;
        let signed = Signed {
            plan: old,
            signatures: former.signatures,
            run: Some(site.head.id),
        };
        let readers = self.readers(&new).await?;
        let mut amended = preview::amend(&signed, Arc::clone(&new), readers, &moment, None).await?;
        let kept = amended.signatures.len();
        teller.say(&match kept {
            0 => "handover preview --amend: everybody signs again.".to_owned(),
            kept => format!(
                "handover preview --amend: {kept} signatures stand, since the change does not touch them."
            ),
        });
        self.sign_all(&mut amended, &new, clock.as_at(), teller)?;
        self.save("amend.preview", &amended)?;
        let mut session = Session::claim(site, Vec::new(), clock, teller.watch(&new)).await?;
        rollback::amend(&mut session, Arc::clone(&new), &amended).await?;
        let site = session.release().await?;
        site.folder.put(
            &format!("{}.preview", new.fingerprint()),
            &bytes_of(&amended)?,
        )?;
        Ok(site)
    }

    /// Chapter 8: it is finished; show that it is right.
    async fn proof<T: Teller>(&self, mut site: Site, teller: &mut T) -> Result<Told, StoryFault> {
        let plan = in_force(&site)?;
        teller.rest(&site.run, &plan, &site.run.rests(), &site.head.label);
        teller.chapter("Proving it");
        let clock = clock_of(&site, &plan);
        let (signed, entries) = witnesses::sign(site, &self.folder, clock).await?;
        site = signed;
        if let Some(entries) = entries {
            teller.say(&format!(
                "The log is sealed, and {} invented witnesses signed its first {entries} entries:\n\
                 nobody can write another past for it without being found out.",
                site.run.witnesses_of(entries).len()
            ));
        }
        let log = self.folder.join("log");
        if log.exists() {
            std::fs::remove_dir_all(&log)?;
        }
        let lines = site.journal.export_log(site.head.id, &log).await?;
        teller.say(&format!(
            "handover export --as log: {lines} entries, with the papers they name, in {}.",
            log.display()
        ));
        let proof = super::proof::look(&site, &plan, &log, &self.folder)?;
        for line in &proof.lines {
            teller.say(line);
        }
        Ok(Told {
            run: site.head.label.clone(),
            log,
            agrees: proof.agrees,
        })
    }
}

fn bytes_of(preview: &Preview) -> Result<Vec<u8>, StoryFault> {
    Ok(preview.write().map_err(std::io::Error::other)?)
}

fn in_force(site: &Site) -> Result<Arc<Plan>, StoryFault> {
    site.plan()
        .cloned()
        .ok_or_else(|| StoryFault::Lost("the run is bound to no plan".to_owned()))
}

fn clock_of(site: &Site, plan: &Plan) -> Clock {
    let last = site.run.head().map(|head| head.when.as_at);
    Clock::made_up(last.unwrap_or_else(|| Stage::curtain(plan)).moment())
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
