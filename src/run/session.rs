//! A claimed run: the lease, and the one way to write. Every entry is appended, then applied, then
//! shown to whoever watches.
//!
//! Not here: what to write next (`drive`, `decisions`, `rollback`).

use std::time::Duration;

use uuid::Uuid;

use super::clock::Clock;
use super::site::{Site, SiteFault};
use crate::journal::{Claimant, Draft, JournalFault, Lease, Moment, Sealer, boot};
use crate::machine::event::{Actor, Empty, Entry, Event};
use crate::machine::run::Run;
use crate::machine::state::Now;
use crate::plan::model::Code;

/// How long a lease runs without being renewed: an executor that stopped is overtaken after it.
pub(super) const LEASE_TERM: Duration = Duration::from_mins(1);

/// Hears of every entry as it becomes durable, with the state after it.
pub type Watch<'a> = Box<dyn FnMut(&Entry, &Run) + Send + 'a>;

/// A run that we may write to.
pub struct Session<'a> {
    /// The run.
    pub site: Site,
    /// The time.
    pub clock: Clock,
    pub(super) lease: Lease,
    pub(super) watch: Watch<'a>,
    /// Something was written beside the claim itself.
    pub(super) wrote: bool,
    /// Who seals the log, where it is a sealed one.
    sealer: Option<Sealer>,
}

impl<'a> Session<'a> {
    /// Claims a run; fences of `orgs` must be raised before anything is done there.
    ///
    /// # Errors
    /// When another process holds it, or the journal is not what it should be.
    pub async fn claim(
        mut site: Site,
        orgs: Vec<Code>,
        clock: Clock,
        watch: Watch<'a>,
    ) -> Result<Session<'a>, SiteFault> {
        // Looked at first: a log that could not be sealed is not claimed either.
        sealer(&mut site).await?;
        let claimant = claimant(orgs);
        let moment = moment(&clock);
        let known = site.run.next_seq();
        let lease = site.journal.claim(site.head.id, &claimant, &moment).await?;
        let mut session = Session {
            site,
            clock,
            lease,
            watch,
            wrote: false,
            sealer: None,
        };
        session.catch_up(known).await?;
        session.sealer = sealer(&mut session.site).await?;
        Ok(session)
    }

    /// Wraps a lease that was taken when the run began.
    pub(super) async fn begun(
        mut site: Site,
        lease: Lease,
        clock: Clock,
        watch: Watch<'a>,
    ) -> Result<Session<'a>, SiteFault> {
        let sealer = sealer(&mut site).await?;
        let mut session = Session {
            site,
            clock,
            lease,
            watch,
            wrote: true,
            sealer,
        };
        session.show_opening().await?;
        Ok(session)
    }

    /// Shows what the run began with, which the site holds already.
    async fn show_opening(&mut self) -> Result<(), SiteFault> {
        let site = &mut self.site;
        let mut entries = site.journal.entries(site.head.id).await?;
        while let Some(entry) = entries.next().await? {
            (self.watch)(&entry, &site.run);
            super::crash::after_entry();
        }
        super::crash::after_commit();
        Ok(())
    }

    /// The lease's fencing number.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.lease.epoch
    }

    /// The journal's durable head.
    #[must_use]
    pub fn log_seq(&self) -> u64 {
        self.site.run.next_seq().saturating_sub(1)
    }

    /// What time it is, both ways.
    #[must_use]
    pub fn now(&self) -> Now {
        self.clock.both()
    }

    /// Makes facts durable in one commit, then takes them in. They are judged before: a fact that breaks
    /// the rules is refused, whoever says it, and the log stays whole.
    ///
    /// # Errors
    /// When the run was taken over, or the rules or the journal refuse: nothing was written then. When
    /// what was written cannot be sealed: it stands, and whoever goes on seals it.
    pub async fn append(&mut self, drafts: Vec<Draft>) -> Result<(), SiteFault> {
        if drafts.is_empty() {
            return Ok(());
        }
        let moment = moment(&self.clock);
        let entries = self
            .site
            .journal
            .stage(&self.lease, &moment, drafts)
            .await?;
        if let Err(fault) = self.judge(&entries) {
            self.site.journal.discard(&self.lease);
            return Err(fault);
        }
        let leaves = self.site.journal.staged_leaves(&self.lease);
        self.site.journal.commit(&self.lease).await?;
        let seals = entries.iter().any(|entry| is_sealed_at(&entry.event));
        for (entry, leaf) in entries.into_iter().zip(leaves) {
            self.site.take(&entry)?;
            self.site.tree.add_hash(leaf);
            (self.watch)(&entry, &self.site.run);
            super::crash::after_entry();
        }
        super::crash::after_commit();
        self.wrote = true;
        if seals {
            self.seal().await?;
        }
        Ok(())
    }

    /// Seals the log as it is now, where it is a sealed one.
    pub(super) async fn seal(&mut self) -> Result<(), SiteFault> {
        let (site, now) = (&mut self.site, self.clock.now());
        if let Some(sealer) = &mut self.sealer
            && let Some(seal) = sealer.sign(&site.head.label, &site.tree)?
        {
            super::crash::after_signing();
            sealer
                .keep(&mut site.journal, site.head.id, &seal, now)
                .await?;
        }
        Ok(())
    }

    /// While a run drives, no day passes without a seal: silence is then never mistaken for peace.
    pub(super) async fn heartbeat(&mut self) -> Result<(), SiteFault> {
        let now = self.clock.now();
        let stale = |sealer: &Sealer| sealer.is_stale(now);
        if self.sealer.as_ref().is_some_and(stale) {
            let beat = Event::SealHeartbeat(Empty {});
            self.append(vec![Draft::of_run(beat)]).await?;
        }
        Ok(())
    }

    /// Most commits hold one entry, which needs no state but the present one.
    fn judge(&self, entries: &[Entry]) -> Result<(), SiteFault> {
        let judged = if let [entry] = entries {
            self.site.run.may(entry)
        } else {
            let mut run = self.site.run.clone();
            entries.iter().try_for_each(|entry| run.apply(entry))
        };
        judged.map_err(|illegal| SiteFault::Refused {
            label: self.site.head.label.clone(),
            illegal: Box::new(illegal),
        })
    }

    /// Appends one fact by a person, about the step that the fact concerns.
    ///
    /// # Errors
    /// As [`Session::append`].
    pub async fn append_by(&mut self, actor: Actor, event: Event) -> Result<(), SiteFault> {
        let about = self.site.run.about_event(&event);
        self.append(vec![Draft {
            about,
            actor,
            event,
        }])
        .await
    }

    /// Says that we are still at work.
    pub(super) async fn renew(&mut self) -> Result<(), JournalFault> {
        let moment = moment(&self.clock);
        self.site.journal.renew(&self.lease, &moment).await
    }

    /// Lets the run go, the log sealed to its end; the site as it is now.
    ///
    /// # Errors
    /// When the journal refuses.
    pub async fn release(mut self) -> Result<Site, SiteFault> {
        let released = Draft::of_run(Event::LeaseReleased(Empty {}));
        self.append(vec![released]).await?;
        self.site.journal.let_go(self.lease);
        Ok(self.site)
    }

    /// Takes in what the journal itself appended (claims), from position `from`.
    async fn catch_up(&mut self, from: u64) -> Result<(), SiteFault> {
        catch_up(&mut self.site, from, &mut self.watch).await
    }
}

async fn catch_up(site: &mut Site, from: u64, watch: &mut Watch<'_>) -> Result<(), SiteFault> {
    let mut entries = site.journal.entries(site.head.id).await?;
    while let Some(entry) = entries.next().await? {
        if entry.seq >= from {
            site.take(&entry)?;
            watch(&entry, &site.run);
            super::crash::after_entry();
            super::crash::after_commit();
        }
    }
    site.tree = entries.tree().clone();
    Ok(())
}

/// Seals the end of a log that nobody can claim any more, where a crash left it without.
pub(super) async fn seal_end(site: &mut Site, clock: &Clock) -> Result<(), SiteFault> {
    let newest = site.journal.newest_seal(site.head.id).await?;
    if newest.is_some_and(|(size, _)| size == site.tree.size()) {
        return Ok(());
    }
    if let Some(mut sealer) = sealer(site).await?
        && let Some(seal) = sealer.sign(&site.head.label, &site.tree)?
    {
        let (run, now) = (site.head.id, clock.now());
        sealer.keep(&mut site.journal, run, &seal, now).await?;
    }
    Ok(())
}

async fn sealer(site: &mut Site) -> Result<Option<Sealer>, SiteFault> {
    let key = site.run.opened().and_then(|opened| opened.log_key.clone());
    let Some(key) = key else {
        return Ok(None);
    };
    let sealer = Sealer::open(&mut site.journal, &site.head, &key).await?;
    Ok(Some(sealer))
}

/// What is sealed as soon as it is written: the end of a step or of its undo, what people are asked to
/// decide on, what changes the paper or the way, and the end of a claim.
fn is_sealed_at(event: &Event) -> bool {
    matches!(
        event,
        Event::StepCommitted(_)
            | Event::StepFailed(_)
            | Event::StepSkipped(_)
            | Event::HoldBegun(_)
            | Event::UndoCommitted(_)
            | Event::UndoFailed(_)
            | Event::ApprovalRequested(_)
            | Event::PlanAmended(_)
            | Event::RollbackStarted(_)
            | Event::RollbackCommitted(_)
            | Event::RollbackFailed(_)
            | Event::LogRecovered(_)
            | Event::SealHeartbeat(_)
            | Event::LeaseReleased(_)
            | Event::LogClosed(_)
    )
}

pub(super) fn claimant(fences: Vec<Code>) -> Claimant {
    Claimant {
        exec: Uuid::now_v7(),
        fences,
        term: LEASE_TERM,
    }
}

/// One reading of all clocks.
pub(super) fn moment(clock: &Clock) -> Moment {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(since.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(since.tv_nsec).unwrap_or(0);
    let now = clock.both();
    Moment {
        at: now.at,
        as_at: now.as_at,
        boot: boot(),
        mono: seconds * 1_000_000_000 + nanos,
    }
}
