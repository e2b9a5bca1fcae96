//! The copy into tables in use: what is left of it goes in under a lock, as one transaction. Nobody hears of
//! an effect before its commit; a stop leaves nothing, and whoever goes on begins all of it again.
//!
//! In: a copy on its way. Out: the rest of it, durable at once.
//!
//! Not here: lock, indexes and foreign keys themselves (`writing::locked`), a chunk (`writing::store`).

use super::Copy;
use crate::copy::fault::LoadFault;
use crate::copy::ledger::Effect;
use crate::copy::writing::aside::{self, Broken};
use crate::copy::writing::locked::{self, Aside};
use crate::orgdb::Link;
use crate::plan::model::Indexes;

impl Copy {
    /// Whether what is left of it goes in under a lock. What was set aside durably before that was asked for
    /// (an amended plan) is built again as it was begun.
    pub(super) fn locks(&self) -> bool {
        let asked = self.load.indexes == Indexes::RebuildLocked;
        asked && !self.book.has(aside::ASIDE) && !self.all_is_in()
    }

    /// Brings in what is left.
    pub(super) async fn under_lock(
        &mut self,
        chunk_done: &mut (impl FnMut(&Effect) + Send),
    ) -> Result<(), LoadFault> {
        let aside = self.lock().await?;
        let mut done = Vec::new();
        let mut hear = |effect: &Effect| done.push(effect.clone());
        self.rows(&mut hear).await?;
        // All is read: no look at the source need stay open while indexes are built.
        self.source.with(Link::commit).await?;
        let built = move |link: &Link| Broken::told(locked::build(link, &aside));
        self.hand.with(built).await??;
        self.hand.commit().await?;
        done.iter().for_each(chunk_done);
        Ok(())
    }

    /// Takes the lock, and sets aside what is better built again.
    async fn lock(&mut self) -> Result<Aside, LoadFault> {
        let (deed, tables) = (self.deed.clone(), self.load.target_tables());
        let locked = tables.clone();
        self.hand.open().await?;
        let lock = move |link: &Link| locked::lock(link, &deed, &locked);
        self.hand.with(lock).await?;
        let pays = self.where_it_pays(&tables).await?;
        let set_aside = move |link: &Link| locked::set_aside(link, &pays);
        Ok(self.hand.with(set_aside).await?)
    }

    /// Tables whose indexes and foreign keys are better built again: that goes over every row which stands
    /// there, so at least as many must come. (Of a split no more is known than that the source holds them.)
    async fn where_it_pays(&mut self, tables: &[String]) -> Result<Vec<String>, LoadFault> {
        let mut pays = Vec::new();
        for table in tables {
            let target = table.clone();
            let stand = self.hand.with(move |link| locked::rows(link, &target));
            let (stand, from) = (stand.await?, self.sources_of(table));
            let come = move |link: &Link| locked::rows_up_to(link, &from, stand);
            if self.source.with(come).await? >= stand {
                pays.push(table.clone());
            }
        }
        Ok(pays)
    }

    /// The source tables whose rows go into one of the target's.
    fn sources_of(&self, table: &str) -> Vec<String> {
        let datasets = self.load.datasets().into_iter();
        let datasets = datasets.map(|at| &self.load.map.datasets[at]);
        let into = datasets.filter(|dataset| dataset.into == table);
        into.map(|dataset| dataset.from.clone()).collect()
    }
}
