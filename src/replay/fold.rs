//! The fold, one line at a time: canonical form, hash chain, the scheduler's own opinion, `apply`.
//!
//! The scheduler is re-run, not trusted: every recorded intent must be what `decide` orders at that
//! point. Outcomes are facts and are only held against the law of `apply`.
//!
//! Not here: carrying on after a divergence to find more (`verify`).

use crate::journal::JournalFault;
use crate::machine::decide::{Busy, Command, Limits};
use crate::machine::event::{Entry, Event, On};
use crate::machine::illegal::{Breach, Illegal};
use crate::machine::line::{self, LineFault};
use crate::machine::run::Run;
use crate::machine::state::{Now, Shelf, StepState};
use crate::machine::time::Time;
use crate::plan::digest::Digest;

use super::papers::Outlines;

/// Starts that a divergence names as allowed, at most.
const ALLOWED_MAX: usize = 20;

/// Where a log stops being the record of an honest run.
#[derive(Debug, thiserror::Error)]
pub enum Divergence {
    /// It cannot be read, or its last line was torn.
    #[error("line {seq} cannot be read")]
    Read {
        /// Which line, from 0.
        seq: u64,
        /// Why.
        #[source]
        fault: Box<JournalFault>,
    },
    /// The bytes are not those of an entry.
    #[error("line {seq} is no entry of a step log")]
    Line {
        /// Which line, from 0.
        seq: u64,
        /// Why.
        #[source]
        fault: LineFault,
    },
    /// `prev` is not the digest of the line before.
    #[error("line {seq} does not follow from the line before it")]
    Chain {
        /// Which line, from 0.
        seq: u64,
    },
    /// Another entry than the plan, the states, the decisions and the lease permit.
    #[error("the log holds what the plan did not allow")]
    Illegal {
        /// Which, and which rule it breaks.
        #[source]
        illegal: Illegal,
        /// What was allowed there.
        allowed: Vec<Command>,
    },
    /// Legal, but not what the scheduler orders at that point.
    #[error("entry {seq} (`{name}`) is not what was to happen there")]
    Unordered {
        /// Which.
        seq: u64,
        /// Its type.
        name: &'static str,
        /// What was allowed there.
        allowed: Vec<Command>,
    },
}

impl Divergence {
    /// The finding code of `verify`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Divergence::Read { fault, .. } => match **fault {
                JournalFault::Cut { .. } => "TORN",
                _ => "UNREADABLE",
            },
            Divergence::Line { fault, .. } => match fault {
                LineFault::Newer(_) => "NEWER",
                LineFault::TooLong(_) | LineFault::NotCanonical(_) | LineFault::NotAnEntry(_) => {
                    "NOT_CANONICAL"
                }
            },
            Divergence::Chain { .. } => "CHAIN_BREAK",
            Divergence::Illegal { illegal, .. } => illegal.breach.code(),
            Divergence::Unordered { .. } => "ORDER",
        }
    }

    /// The paper that is not at hand, if that is what is wrong.
    #[must_use]
    pub fn paper(&self) -> Option<Digest> {
        match self {
            Divergence::Illegal { illegal, .. } => match illegal.breach {
                Breach::UnknownPaper(paper) => Some(paper),
                _ => None,
            },
            _ => None,
        }
    }

    /// The line or entry it is about.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Divergence::Read { seq, .. }
            | Divergence::Line { seq, .. }
            | Divergence::Chain { seq }
            | Divergence::Unordered { seq, .. } => *seq,
            Divergence::Illegal { illegal, .. } => illegal.seq,
        }
    }
}

/// A log, folded as far as it was read.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The run as it stood then.
    pub run: Run,
    /// How many lines were read.
    pub size: u64,
    /// Digest of the last of them.
    pub head: Digest,
}

/// Where to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After the entry with this position.
    Seq(u64),
    /// After the last entry that was written by this moment of the wall clock.
    Time(Time),
}

/// Folds a whole log.
///
/// # Errors
/// The first divergence.
pub fn replay(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
) -> Result<Replayed, Divergence> {
    fold(papers, lines, None, |_, _| {})
}

/// Folds a log up to a moment.
///
/// # Errors
/// The first divergence before it.
pub fn replay_until(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
    until: Until,
) -> Result<Replayed, Divergence> {
    fold(papers, lines, Some(until), |_, _| {})
}

/// Folds a log and shows each entry with the run as it then stands: for whoever renders a past run
/// with the same renderer as a live one.
///
/// # Errors
/// The first divergence.
pub fn fold(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
    until: Option<Until>,
    mut each: impl FnMut(&Entry, &Run),
) -> Result<Replayed, Divergence> {
    let mut chain = Chain::default();
    let mut run = Run::new(Shelf::default());
    for line in lines {
        if until == Some(Until::Seq(chain.size.saturating_sub(1))) && chain.size > 0 {
            break;
        }
        let before = chain;
        let (entry, follows) = chain.read(line)?;
        if let Some(Until::Time(time)) = until
            && entry.at > time
        {
            chain = before;
            break;
        }
        if !follows {
            return Err(Divergence::Chain { seq: before.size });
        }
        step(&mut run, &entry, papers)?;
        each(&entry, &run);
    }
    Ok(Replayed {
        run,
        size: chain.size,
        head: chain.head,
    })
}

/// How far a log was read: position and digest of its last line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chain {
    pub(super) size: u64,
    pub(super) head: Digest,
}

impl Chain {
    /// Reads the next line; also says whether it follows from the one before.
    pub(super) fn read(
        &mut self,
        line: Result<Vec<u8>, JournalFault>,
    ) -> Result<(Entry, bool), Divergence> {
        let (seq, before) = (self.size, self.head);
        let bytes = line.map_err(|fault| Divergence::Read {
            seq,
            fault: Box::new(fault),
        })?;
        self.size += 1;
        self.head = Digest::of(&bytes);
        let entry = line::parse(&bytes).map_err(|fault| Divergence::Line { seq, fault })?;
        let follows = entry.prev == before;
        Ok((entry, follows))
    }
}

/// One entry: the papers it speaks of, the scheduler's opinion, the law.
pub(super) fn step(
    run: &mut Run,
    entry: &Entry,
    papers: &mut dyn Outlines,
) -> Result<(), Divergence> {
    fetch(run, entry, papers);
    let otherwise = (!ordered(run, entry)).then(|| allowed(run, entry));
    // The law's words are the more exact ones; the scheduler's opinion comes second.
    if let Err(illegal) = run.apply(entry) {
        let allowed = otherwise.unwrap_or_else(|| allowed(run, entry));
        return Err(Divergence::Illegal { illegal, allowed });
    }
    match otherwise {
        None => Ok(()),
        Some(allowed) => Err(Divergence::Unordered {
            seq: entry.seq,
            name: entry.event.name(),
            allowed,
        }),
    }
}

fn allowed(run: &Run, entry: &Entry) -> Vec<Command> {
    let limits = Limits {
        side_by_side: ALLOWED_MAX,
    };
    run.decide(now(entry), &Busy::default(), &limits)
}

/// Papers are looked up when the log first speaks of them.
fn fetch(run: &mut Run, entry: &Entry, papers: &mut dyn Outlines) {
    let paper = match &entry.event {
        Event::LogOpened(_) => entry.plan,
        Event::PlanAmended(body) => body.new,
        Event::ApprovalGranted(body)
        | Event::ApprovalRefused(body)
        | Event::ApprovalRevoked(body) => match &body.on {
            On::Paper { paper } => *paper,
            On::Gate { .. } | On::Rollback { .. } => return,
        },
        _ => return,
    };
    if !run.has_paper(&paper)
        && let Some(outline) = papers.outline(paper)
    {
        run.shelve(outline);
    }
}

/// Is this entry, if it is an intent, what the scheduler orders at this point?
fn ordered(run: &Run, entry: &Entry) -> bool {
    let now = now(entry);
    let Some(about) = &entry.about else {
        return match &entry.event {
            Event::RollbackCommitted(body) => {
                orders(run, now, &Command::FinishRollback(body.checkpoint))
            }
            Event::RollbackFailed(body) => orders(
                run,
                now,
                &Command::FailRollback(body.checkpoint, body.stuck.clone()),
            ),
            _ => true,
        };
    };
    let recorded = match &entry.event {
        Event::StepStarted(_) => Command::Start(about.clone()),
        Event::UndoStarted(body) => Command::Undo(about.clone(), body.mode),
        Event::ApprovalRequested(body) => Command::Request(about.clone(), body.seats.clone()),
        Event::HoldBegun(body) if !running(run, entry) => {
            Command::Hold(about.clone(), body.waiting.clone())
        }
        _ => return true,
    };
    run.next(&about.step, now, &Busy::default()) == Some(recorded)
}

fn orders(run: &Run, now: Now, command: &Command) -> bool {
    let commands = run.decide(now, &Busy::default(), &Limits::default());
    commands.contains(command)
}

fn running(run: &Run, entry: &Entry) -> bool {
    let about = entry.about.as_ref();
    let step = about.and_then(|about| run.state(&about.step));
    step.is_some_and(|step| step.state == StepState::Running)
}

fn now(entry: &Entry) -> Now {
    Now {
        at: entry.at,
        as_at: entry.as_at,
    }
}
