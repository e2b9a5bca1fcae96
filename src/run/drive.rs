//! The driver: one owner of the run's state, and events in a row. Decide, write intents, let hands
//! work, gather what ended, write outcomes, decide again, until nothing can start and nobody works.
//!
//! ```text
//!    decide --> intents --append--> hands perform -.
//!      ^                                           | words (marks, outcomes)
//!      '---- apply <--append-- gather <------------'
//! ```
//!
//! Not here: the rules (`machine`), the work (`steps`, through `hands`).

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::hands::{Ended, Hands, Order, Verb, Word};
use super::session::{LEASE_TERM, Session};
use super::site::SiteFault;
use crate::journal::Draft;
use crate::machine::decide::{Busy, Command, Limits};
use crate::machine::event::{About, Actor, Event, StepMarked};
use crate::machine::rests::Rests;
use crate::machine::run::Run;
use crate::machine::state::StepRun;
use crate::plan::outline::StepId;
use crate::steps::Fault;

/// How a drive ends beside resting.
#[derive(Debug, thiserror::Error)]
pub enum DriveFault {
    /// The journal or the log.
    #[error(transparent)]
    Site(#[from] SiteFault),
    /// A database takes no writes: whoever else was at work has finished, nothing new has started.
    #[error("{}", .0.says)]
    Halted(Fault),
    /// Somebody asked us to stop; what is durable is safe and a later run goes on from it.
    #[error("stopped at a safe point")]
    Stopped,
}

/// How far to go.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// How many steps side by side, and so on.
    pub limits: Limits,
    /// Start nothing once one of these steps has finished.
    pub until: Vec<StepId>,
}

impl Bounds {
    /// Whether the run is to go no further.
    #[must_use]
    pub fn reached(&self, run: &Run) -> bool {
        let mut steps = self.until.iter().filter_map(|step| run.state(step));
        steps.any(StepRun::finished)
    }
}

/// Drives until the run rests. `stop` turning true ends it at once at a safe point.
///
/// # Errors
/// See [`DriveFault`].
pub async fn drive<H: Hands>(
    session: &mut Session<'_>,
    hands: &H,
    bounds: &Bounds,
    stop: &mut watch::Receiver<bool>,
) -> Result<Rests, DriveFault> {
    let (say, mut heard) = unbounded_channel();
    let mut work = Work {
        busy: Busy::default(),
        tasks: JoinSet::new(),
        say,
        halted: None,
    };
    loop {
        let ordered = work.order(session, hands, bounds).await?;
        if work.busy.0.is_empty() {
            if ordered {
                continue;
            }
            if let Some(fault) = work.halted {
                return Err(DriveFault::Halted(fault));
            }
            match wake(session, bounds) {
                Some(pause) => nap(session, pause, stop).await?,
                None => break,
            }
            continue;
        }
        work.gather(session, &mut heard, stop).await?;
    }
    rest(session).await.map_err(DriveFault::from)
}

/// Who is at work.
struct Work {
    busy: Busy,
    tasks: JoinSet<()>,
    say: UnboundedSender<Word>,
    /// Why nothing new is begun.
    halted: Option<Fault>,
}

impl Work {
    /// Writes every intent that can be written now in one commit, then lets hands begin. False when
    /// there was nothing to write.
    async fn order<H: Hands>(
        &mut self,
        session: &mut Session<'_>,
        hands: &H,
        bounds: &Bounds,
    ) -> Result<bool, SiteFault> {
        if self.halted.is_some() {
            return Ok(false);
        }
        let commands = commands(session, &self.busy, bounds);
        let intent = |command: &Command| intent(session, command);
        let drafts: Vec<Draft> = commands.iter().filter_map(intent).collect();
        let any = !drafts.is_empty();
        session.append(drafts).await?;
        for command in commands {
            let (about, verb) = match command {
                Command::Start(about) => (about, Verb::Run),
                Command::Undo(about, mode) => (about, Verb::Undo(mode)),
                _ => continue,
            };
            self.busy.0.insert(about.step.clone());
            let order = order(session, about, verb);
            self.begin(hands.clone(), order);
        }
        Ok(any)
    }

    fn begin<H: Hands>(&mut self, hands: H, order: Order) {
        let say = self.say.clone();
        self.tasks.spawn(async move {
            let about = order.about.clone();
            let (mark, marks) = unbounded_channel();
            let working = hands.perform(order, mark);
            let (outcome, ()) = tokio::join!(working, pass_on(marks, &about, &say));
            // The driver is gone only when it was stopped: nobody needs the outcome then.
            let _ = say.send(Word::End(about, outcome));
        });
    }

    /// Waits for a word, takes every other that is there, and writes them in one commit.
    async fn gather(
        &mut self,
        session: &mut Session<'_>,
        heard: &mut UnboundedReceiver<Word>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), DriveFault> {
        session.heartbeat().await?;
        let mut words = Vec::new();
        let renewal = tokio::time::sleep(LEASE_TERM / 3);
        tokio::select! {
            count = heard.recv_many(&mut words, 1000) => {
                debug_assert!(count > 0, "we hold a sender ourselves");
            }
            () = stopped(stop) => {
                self.tasks.shutdown().await;
                return Err(DriveFault::Stopped);
            }
            () = renewal => {
                session.renew().await.map_err(SiteFault::from)?;
                return Ok(());
            }
        }
        let mut drafts = Vec::new();
        let mut marked = BTreeMap::new();
        for word in words {
            match word {
                Word::Mark(about, mark) => {
                    let known = marked.entry(about.step.clone()).or_insert_with(|| {
                        let state = session.site.run.state(&about.step);
                        state
                            .and_then(|step| step.marked)
                            .map_or(0, |marked| marked.ordinal)
                    });
                    if mark.ordinal > *known {
                        *known = mark.ordinal;
                        drafts.push(Draft::of_step(about, Event::StepMarked(mark)));
                    }
                }
                Word::End(about, Ended::Halted(fault)) => {
                    self.busy.0.remove(&about.step);
                    self.halted.get_or_insert(fault);
                }
                Word::End(about, Ended::Told(events)) => {
                    self.busy.0.remove(&about.step);
                    let of_step = |event| Draft::of_step(about.clone(), event);
                    drafts.extend(events.into_iter().map(of_step));
                }
            }
        }
        session.append(drafts).await?;
        Ok(())
    }
}

async fn pass_on(
    mut marks: UnboundedReceiver<StepMarked>,
    about: &About,
    say: &UnboundedSender<Word>,
) {
    while let Some(mark) = marks.recv().await {
        super::crash::after_chunk();
        let _ = say.send(Word::Mark(about.clone(), mark));
    }
}

fn commands(session: &Session<'_>, busy: &Busy, bounds: &Bounds) -> Vec<Command> {
    if bounds.reached(&session.site.run) {
        return Vec::new();
    }
    let mut commands = session.site.run.decide(session.now(), busy, &bounds.limits);
    commands.retain(|command| *command != Command::Rest);
    commands
}

fn intent(session: &Session<'_>, command: &Command) -> Option<Draft> {
    let site = &session.site;
    let event = command.intent(&site.run, session.now())?;
    Some(Draft {
        about: command.about().cloned(),
        actor: Actor::Executor,
        event,
    })
}

fn order(session: &Session<'_>, about: About, verb: Verb) -> Order {
    let site = &session.site;
    let state = site.run.state(&about.step);
    let paper = state
        .and_then(|step| step.paper)
        .unwrap_or_else(|| site.run.paper());
    let started = site.run.steps().filter(|(_, step)| step.started.is_some());
    Order {
        verb,
        paper,
        epoch: session.epoch(),
        log_seq: session.log_seq(),
        as_at: session.clock.as_at(),
        evidence: site.evidence.get(&about.step).cloned().unwrap_or_default(),
        generations: started
            .map(|(step, run)| (step.id.clone(), run.generation))
            .collect(),
        about,
    }
}

/// How long until a transient fault may be tried again; none when nothing will come by itself.
fn wake(session: &Session<'_>, bounds: &Bounds) -> Option<Duration> {
    let run = &session.site.run;
    if bounds.reached(run) {
        return None;
    }
    let next = run.wakes(session.now()).retry?;
    let pause = next.duration_since(session.clock.now().moment());
    Some(Duration::try_from(pause).unwrap_or(Duration::ZERO))
}

/// Waits, and says meanwhile that we are there: a wait may be longer than a lease.
async fn nap(
    session: &mut Session<'_>,
    mut pause: Duration,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), DriveFault> {
    while !pause.is_zero() {
        let part = pause.min(LEASE_TERM / 3);
        tokio::select! {
            () = tokio::time::sleep(part) => pause -= part,
            () = stopped(stop) => return Err(DriveFault::Stopped),
        }
        session.renew().await.map_err(SiteFault::from)?;
        session.heartbeat().await?;
    }
    Ok(())
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone will never ask us to stop.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Writes down that the run rests, if anything was written since the claim.
async fn rest(session: &mut Session<'_>) -> Result<Rests, SiteFault> {
    let rests = session.site.run.rests();
    if session.wrote {
        session.append(vec![Draft::of_run(rests.event())]).await?;
    }
    Ok(rests)
}
