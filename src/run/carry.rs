//! Carrying a run on: claim, fence, drive, let go. Resume is nothing else.
//!
//! Not here: what people say in between (`decisions`, `rollback`).

use std::sync::Arc;

use tokio::sync::watch;

use super::clock::Clock;
use super::connect::{self, Addresses};
use super::drive::{Bounds, DriveFault, drive};
use super::hands::Live;
use super::known;
use super::session::{Session, Watch};
use super::site::{Site, SiteFault};
use crate::journal::JournalFault;
use crate::machine::event::ClockKind;
use crate::machine::rests::Rests;
use crate::machine::state::Now;
use crate::orgdb::DbFault;
use crate::steps::Fault;

/// Why a run could not be carried on. What is durable is safe in every case.
#[derive(Debug, thiserror::Error)]
pub enum CarryFault {
    /// A database cannot be used.
    #[error(transparent)]
    Db(#[from] DbFault),
    /// The journal, the log or the key.
    #[error(transparent)]
    Site(#[from] SiteFault),
    /// A database takes no writes: the run stopped where it was.
    #[error("{}", .0.says)]
    Halted(Fault),
    /// Somebody asked us to stop.
    #[error("stopped at a safe point")]
    Stopped,
}

impl From<DriveFault> for CarryFault {
    fn from(fault: DriveFault) -> CarryFault {
        match fault {
            DriveFault::Site(fault) => CarryFault::Site(fault),
            DriveFault::Halted(fault) => CarryFault::Halted(fault),
            DriveFault::Stopped => CarryFault::Stopped,
        }
    }
}

impl From<JournalFault> for CarryFault {
    fn from(fault: JournalFault) -> CarryFault {
        CarryFault::Site(fault.into())
    }
}

/// Carries a run on until it rests; a run that can start nothing is not even claimed. A rehearsal
/// jumps to the next date whenever only dates are waited for.
///
/// # Errors
/// See [`CarryFault`].
pub async fn carry_on(
    mut site: Site,
    addresses: &Addresses,
    clock: &Clock,
    bounds: &Bounds,
    watch: Watch<'_>,
    stop: &mut watch::Receiver<bool>,
) -> Result<(Site, Rests), CarryFault> {
    known::hold(&mut site, addresses).await?;
    if !jump_to_work(&site, clock, bounds) {
        let rests = site.run.rests();
        return Ok((site, rests));
    }
    let orgs = addresses.keys().cloned().collect();
    let session = Session::claim(site, orgs, clock.clone(), watch).await?;
    drive_on(session, addresses, bounds, stop).await
}

/// Drives a claimed session until the run rests, then lets it go.
///
/// # Errors
/// See [`CarryFault`]; the claim is let go in any case (by the journal or by the process's end).
pub async fn drive_on(
    mut session: Session<'_>,
    addresses: &Addresses,
    bounds: &Bounds,
    stop: &mut watch::Receiver<bool>,
) -> Result<(Site, Rests), CarryFault> {
    let driven = drive_claimed(&mut session, addresses, bounds, stop).await;
    let released = session.release().await;
    let rests = driven?;
    Ok((released?, rests))
}

async fn drive_claimed(
    session: &mut Session<'_>,
    addresses: &Addresses,
    bounds: &Bounds,
    stop: &mut watch::Receiver<bool>,
) -> Result<Rests, CarryFault> {
    let key = session.site.key()?;
    let readers = connect::readers(addresses).await?;
    connect::prints(&readers, session.clock.kind() == ClockKind::MadeUp).await?;
    let run = session.site.head.id;
    let writers = connect::writers(addresses, run, session.epoch(), session.log_seq()).await?;
    let hands = Live {
        run,
        key,
        folder: session.site.folder.clone(),
        plans: Arc::new(session.site.plans.clone()),
        readers,
        writers,
    };
    loop {
        let rests = drive(session, &hands, bounds, stop).await?;
        let clock = session.clock.clone();
        // Going on after a rollback is a run of its own.
        if session.site.run.rolled_back() || !jump_to_work(&session.site, &clock, bounds) {
            return Ok(rests);
        }
    }
}

/// Whether anything can start, after moving a made-up clock over dates that alone stand in the way.
fn jump_to_work(site: &Site, clock: &Clock, bounds: &Bounds) -> bool {
    if bounds.reached(&site.run) {
        return false;
    }
    loop {
        if !site.run.idle(now(clock)) {
            return true;
        }
        if clock.kind() == ClockKind::Real {
            return false;
        }
        match site.run.wakes(now(clock)).date {
            Some(date) => clock.jump(date),
            None => return false,
        }
    }
}

fn now(clock: &Clock) -> Now {
    Now {
        at: clock.now(),
        as_at: clock.as_at(),
    }
}
