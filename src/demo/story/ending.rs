//! The end: witnesses sign, the log is exported, replayed alone and held against the truth.
//!
//! Not here: the proof itself (`proof`).

use super::playing::clock_of;
use super::stage::Stage;
use super::{StoryFault, Teller, Told, in_force};
use crate::demo::witnesses;
use crate::run::Site;

impl Stage {
    /// Chapter 8: it is finished; show that it is right.
    pub(super) async fn proof<T: Teller>(
        &self,
        mut site: Site,
        teller: &mut T,
    ) -> Result<Told, StoryFault> {
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
        let proof = crate::demo::proof::look(&site, &plan, &log, &self.folder)?;
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
