//! Its people preview the plan and sign it; then somebody breaks the source.
//!
//! Not here: who they are (`people`), what they sign with (`keys`).

use std::sync::Arc;

use super::stage::Stage;
use super::{StoryFault, Teller};
use crate::demo::people;
use crate::machine::event::ClockKind;
use crate::machine::time::Time;
use crate::plan::model::Plan;
use crate::preview::sign::to_sign;
use crate::preview::{self, Ask, Moment, Preview, sign};
use crate::run::Clock;
use crate::run::approvals::{self};
use crate::signature::Proof;

impl Stage {
    /// Chapters 2 and 3: check, preview, signatures. Goes on with a preview that is there already.
    pub(super) async fn signed<T: Teller>(
        &self,
        teller: &mut T,
    ) -> Result<(Arc<Plan>, Preview), StoryFault> {
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
        let mut preview = preview::look(Arc::clone(&plan), readers, &moment, None, None).await?;
        teller.preview(&preview);
        teller.chapter("Signing it");
        self.sign_all(&mut preview, &plan, as_at, teller)?;
        self.save("demo.preview", &preview)?;
        Ok((plan, preview))
    }

    pub(super) fn sign_all<T: Teller>(
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

    pub(super) fn save(&self, name: &str, preview: &Preview) -> Result<(), StoryFault> {
        let bytes = preview.write().map_err(std::io::Error::other)?;
        let unfinished = self.folder.join(format!("{name}.unfinished"));
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(unfinished, self.folder.join(name))?;
        Ok(())
    }

    /// Chapter 4: somebody at the source uses a new code after everybody has signed.
    pub(super) async fn break_source<T: Teller>(
        &self,
        plan: &Plan,
        teller: &mut T,
    ) -> Result<(), StoryFault> {
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
}
