//! The way back: previewed, signed and taken; fingerprints before and behind it; the plan mended.
//!
//! Not here: fingerprints themselves (`prints`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::playing::clock_of;
use super::stage::Stage;
use super::{StoryFault, Teller, in_force};
use tokio::sync::watch;

use crate::demo::generate::{self};
use crate::demo::people;
use crate::machine::event::UndoMode;
use crate::machine::rollback::NoRollback;
use crate::plan::digest::Digest;
use crate::plan::model::{Plan, StepSpec};
use crate::preview::amend::Signed;
use crate::preview::rollback::{RollbackLook, look_rollback};
use crate::preview::{self, Ask, Moment, Preview, RollbackPreview, sign_rollback};
use crate::run::{Bounds, Clock, Session, Site, drive_on, rollback};

impl Stage {
    pub(super) async fn keep_prints(&self, plan: &Plan) -> Result<(), StoryFault> {
        let prints = self.home.prints(plan, &self.data()).await?;
        let text = serde_json::to_string_pretty(&prints).map_err(std::io::Error::other)?;
        let unfinished = self.folder.join(".demo-prints.unfinished");
        std::fs::write(&unfinished, text)?;
        std::fs::rename(unfinished, self.folder.join(".demo-prints.json"))?;
        Ok(())
    }

    /// Chapter 6: the way back is looked at, signed and taken; where the copy that broke was the only
    /// one, it has undone itself and there is no way to go.
    pub(super) async fn rolled_back<T: Teller>(
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

    pub(super) async fn way_back(
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
            moment: Moment::from(clock),
            mode: UndoMode::Refuse,
        };
        Ok(look_rollback(&with, &site.run, &way, None).await?)
    }

    pub(super) async fn show_prints<T: Teller>(
        &self,
        plan: &Plan,
        teller: &mut T,
    ) -> Result<(), StoryFault> {
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
    pub(super) async fn mended<T: Teller>(
        &self,
        site: Site,
        teller: &mut T,
    ) -> Result<Site, StoryFault> {
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
        let moment = Moment::from(&clock);
        let former = Preview::read(&std::fs::read(self.folder.join("demo.preview"))?)?;
        let signed = Signed {
            plan: old,
            signatures: former.signatures,
            run: Some(site.run_look()?),
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
        Ok(session.release().await?)
    }
}
