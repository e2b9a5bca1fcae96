//! What a pack says about its log, read from the log in one pass.
//!
//! In: lines. Out: [`Facts`]; memory grows with steps, datasets and decisions, not with entries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::PackFault;
use crate::journal::LogFolder;
use crate::machine::effects::Logged;
use crate::machine::event::{Decision, Entry, Event, LogClosed, LogOpened, StepCommitted};
use crate::machine::line;
use crate::machine::time::Time;
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// What there is to say.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The first entry's body.
    pub(super) opened: LogOpened,
    /// The last entry's body, where the log is closed.
    pub(super) closed: Option<LogClosed>,
    /// How many entries.
    pub(super) size: u64,
    /// Digest of the last line.
    pub(super) head: Digest,
    /// When the first entry was written, and the last.
    pub(super) first: Time,
    pub(super) last: Time,
    /// Fingerprints of the papers, in the order in which they came into force.
    pub(super) papers: Vec<Digest>,
    /// Decisions by entry.
    pub(super) decisions: BTreeMap<u64, Decision>,
    /// Counts and roots of what stands at the end, by organisation and dataset.
    pub(super) datasets: BTreeMap<(String, String), Vec<Value>>,
    /// What it tells of effects.
    pub(super) logged: Logged,
}

/// The decisions that a log records, by their entries.
///
/// # Errors
/// As a pack of it could not be made.
pub fn decisions(log: &LogFolder) -> Result<BTreeMap<u64, Decision>, PackFault> {
    Ok(read(log)?.decisions)
}

/// Reads a log through.
///
/// # Errors
/// When it cannot be read, holds a line that is no entry, or does not begin with `log.opened`.
pub(super) fn read(log: &LogFolder) -> Result<Facts, PackFault> {
    let mut facts: Option<Facts> = None;
    for (seq, read) in (0..).zip(log.lines()?) {
        let bytes = read?;
        let entry = line::parse(&bytes).map_err(|fault| PackFault::Line { seq, fault })?;
        match (&mut facts, &entry.event) {
            (Some(facts), _) => facts.hear(&entry, &bytes),
            (none, Event::LogOpened(opened)) => {
                *none = Some(Facts::begun(&entry, opened.clone(), &bytes));
            }
            (None, _) => return Err(PackFault::NoOpening),
        }
    }
    facts.ok_or(PackFault::NoOpening)
}

impl Facts {
    fn begun(entry: &Entry, opened: LogOpened, bytes: &[u8]) -> Facts {
        Facts {
            opened,
            closed: None,
            size: 1,
            head: Digest::of(bytes),
            first: entry.at,
            last: entry.at,
            papers: vec![entry.plan],
            decisions: BTreeMap::new(),
            datasets: BTreeMap::new(),
            logged: Logged::default(),
        }
    }

    fn hear(&mut self, entry: &Entry, bytes: &[u8]) {
        self.size += 1;
        self.head = Digest::of(bytes);
        self.last = entry.at;
        self.logged.take(entry);
        if !self.papers.contains(&entry.plan) {
            self.papers.push(entry.plan);
        }
        let step = entry.about.as_ref().map(|about| &about.step);
        match (&entry.event, step) {
            (
                Event::ApprovalGranted(decision)
                | Event::ApprovalRefused(decision)
                | Event::ApprovalRevoked(decision),
                _,
            ) => drop(self.decisions.insert(entry.seq, decision.clone())),
            (Event::StepStarted(_) | Event::UndoCommitted(_), Some(step)) => self.forget(step),
            (Event::StepCommitted(done), Some(_)) => self.count(entry, done),
            (Event::LogClosed(closed), _) => self.closed = Some(closed.clone()),
            _ => {}
        }
    }

    /// What a step counted holds until it starts anew or is undone.
    fn forget(&mut self, step: &StepId) {
        for parts in self.datasets.values_mut() {
            parts.retain(|part| part["step"] != step.as_str());
        }
        self.datasets.retain(|_, parts| !parts.is_empty());
    }

    fn count(&mut self, entry: &Entry, done: &StepCommitted) {
        let Some(about) = &entry.about else {
            return;
        };
        for output in &done.outputs {
            let org = output.org.as_deref().unwrap_or_default().to_owned();
            let mut part = json!({
                "seq": entry.seq,
                "step": about.step,
                "generation": about.generation,
                "rows": output.rows,
                "rejected": output.rejected,
                "filtered": output.filtered,
                "root": output.root,
            });
            if let Some(pence) = &output.pence {
                part["pence"] = pence.clone().into();
            }
            let of = (org, output.dataset.to_string());
            self.datasets.entry(of).or_default().push(part);
        }
    }

    /// The project and the start of the run's id: what the pack is called.
    pub(super) fn slug(&self) -> String {
        let origin = &self.opened.origin;
        let slug = origin.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' => char::from(byte),
            _ => '-',
        });
        slug.collect()
    }
}
