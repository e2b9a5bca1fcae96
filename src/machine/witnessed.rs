//! What witnesses signed, as the log has it, and which steps wait for them: a step that nobody can undo
//! does not start before enough witnesses have signed one seal that covers all it rests on.
//!
//! A rehearsal (a made-up clock) waits for no witness; every report says so.
//!
//! Not here: whether a cosignature is genuine (`run::witnessing` before it is written, `seal::check`
//! whenever a log is verified).

use std::collections::{BTreeMap, BTreeSet};

use super::apply::{Judged, ensure};
use super::event::{ClockKind, On, SealCosigned};
use super::illegal::Breach;
use super::run::Run;
use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::Gate;
use crate::plan::quorum::Quorum;

/// Heads that witnesses signed, by size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Witnessed(BTreeMap<u64, Seen>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    root: Digest,
    by: BTreeSet<Code>,
}

impl Run {
    /// How many entries a seal with its quorum covers; 0: none has it.
    #[must_use]
    pub fn witnessed(&self) -> u64 {
        let quorum = self.quorum();
        let enough = |seen: &Seen| quorum.is_some_and(|quorum| quorum.met(&seen.by));
        let mut sizes = self.witnessed.0.iter().rev();
        sizes
            .find(|(_, seen)| enough(seen))
            .map_or(0, |(size, _)| *size)
    }

    /// Who signed the seal of that size.
    #[must_use]
    pub fn witnesses_of(&self, size: u64) -> BTreeSet<Code> {
        let seen = self.witnessed.0.get(&size);
        seen.map(|seen| seen.by.clone()).unwrap_or_default()
    }

    /// The quorum of the paper in force, where it asks for one.
    #[must_use]
    pub fn quorum(&self) -> Option<&Quorum> {
        self.graph.outline.trust.as_ref()
    }

    /// What a seal must cover before the step may start; none where nothing is asked of witnesses, or
    /// they have signed enough.
    pub(super) fn unwitnessed(&self, at: usize, as_at: Time) -> Option<u64> {
        let asked = self.quorum().is_some_and(|quorum| quorum.needed.is_some());
        let real = self
            .opened()
            .is_some_and(|opened| opened.clock == ClockKind::Real);
        // A step that can be undone until some date has its witnesses before it begins: what goes on with
        // it, or tries again, may come behind that date.
        let for_good = self.final_now(at, as_at) || self.step_at(at).undo_until.is_some();
        if !asked || !real || !for_good || self.begun_under_this(at) {
            return None;
        }
        let size = self.rests_on(at);
        (self.witnessed() < size).then_some(size)
    }

    /// The step has begun, and witnesses have seen what it goes on with: the table of a step that has begun is
    /// not amended, but the files that it reads may be.
    fn begun_under_this(&self, at: usize) -> bool {
        let step = &self.steps[at];
        step.begun() && step.paper == Some(self.paper())
    }

    /// The entries from the start that hold all the step rests on: what finished before it, the
    /// decisions that open its gate and theirs, the paper in force and those who signed it.
    fn rests_on(&self, at: usize) -> u64 {
        let before = self.graph.before[at].iter();
        let finished = before.filter_map(|&at| self.steps[at].committed);
        let on = On::Gate {
            step: self.graph.id(at).clone(),
        };
        let decisions = match self.step_at(at).gate {
            Gate::Decisions(_) => self.grants(&on),
            _ => Vec::new(),
        };
        let seqs = finished
            .map(|moment| moment.seq)
            .chain(decisions)
            .chain(self.steps[at].done)
            .chain(self.amended)
            .chain(self.grants(&On::Paper {
                paper: self.paper(),
            }));
        seqs.max().map_or(1, |seq| seq + 1)
    }

    pub(super) fn judge_cosigned(&self, body: &SealCosigned, seq: u64) -> Judged {
        ensure(body.size >= 1 && body.size <= seq, Breach::SealAhead)?;
        let sealed = self.opened().is_some_and(|opened| opened.log_key.is_some());
        ensure(sealed, Breach::Unsealed)?;
        let known = self
            .quorum()
            .and_then(|quorum| quorum.witness(&body.witness));
        ensure(known.is_some(), Breach::UnknownWitness)?;
        let Some(seen) = self.witnessed.0.get(&body.size) else {
            return Ok(());
        };
        ensure(seen.root == body.root, Breach::OtherRoot)?;
        ensure(!seen.by.contains(&*body.witness), Breach::Twice)
    }

    pub(super) fn take_cosigned(&mut self, body: &SealCosigned) {
        let seen = self.witnessed.0.entry(body.size).or_insert_with(|| Seen {
            root: body.root,
            by: BTreeSet::new(),
        });
        seen.by.insert(body.witness.as_str().into());
    }
}
