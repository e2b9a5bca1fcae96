//! A log's signed decisions and what they must have been made of, on their way to `signature::check`.
//!
//! In: each entry with the run as it was before it; the files and papers that an auditor holds. Out: a
//! [`Claim`] for every signed decision, and the [`Evidence`] to hold it against.
//!
//! Not here: the verdict on a log (`verify`), signatures (`signature`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::papers::Outlines;
use crate::machine::approval::paper_of;
use crate::machine::event::{Actor, ClockKind, Entry, Event};
use crate::machine::run::Run;
use crate::machine::state::Verdict;
use crate::plan::digest::Digest;
use crate::plan::outline::Outline;
use crate::seal::Tree;
use crate::signature::statement::About;
use crate::signature::{AllowedSigners, Claim, Evidence};

/// What a signed decision claims; none for any other entry. `run` is as it was before the entry.
#[must_use]
pub fn claim(run: &Run, entry: &Entry) -> Option<Claim> {
    let (decision, verdict) = match &entry.event {
        Event::ApprovalGranted(decision) => (decision, Verdict::Granted),
        Event::ApprovalRefused(decision) => (decision, Verdict::Refused),
        Event::ApprovalRevoked(decision) => (decision, Verdict::Revoked),
        _ => return None,
    };
    let (signed, opened) = (decision.signed?, run.opened()?);
    let made = (signed.window, signed.after);
    Some(Claim {
        seq: entry.seq,
        paper: paper_of(run, &decision.on),
        at: entry.at.moment(),
        as_at: match opened.clock {
            ClockKind::Real => entry.at.moment(),
            ClockKind::MadeUp => entry.as_at.moment(),
        },
        statement: run.statement(&entry.actor, verdict, decision, made)?,
        digest: decision.statement,
        signature: signed.signature,
        key: match &entry.actor {
            Actor::Person { key, .. } => key.clone(),
            Actor::Executor => None,
        },
    })
}

/// The heads of the log that claims speak of: what [`roots`] must find.
#[must_use]
pub fn sizes(claims: &[Claim]) -> BTreeSet<u64> {
    let size = |claim: &Claim| match &claim.statement.about {
        About::Gate { after, .. } => Some(after.size),
        About::Paper { .. } | About::Rollback { .. } => None,
    };
    claims.iter().filter_map(size).collect()
}

/// The root of a log at each of these sizes; none where it never was so long. One pass over its lines.
pub fn roots<L: AsRef<[u8]>>(
    lines: impl IntoIterator<Item = L>,
    sizes: &BTreeSet<u64>,
) -> BTreeMap<u64, Digest> {
    let mut roots = BTreeMap::new();
    let mut tree = Tree::default();
    let mut lines = lines.into_iter();
    for size in sizes {
        while tree.size() < *size {
            let Some(line) = lines.next() else {
                return roots;
            };
            tree.add(line.as_ref());
        }
        roots.insert(*size, tree.root());
    }
    roots
}

/// What an auditor holds against a log's signed decisions.
pub struct Held<'a> {
    papers: &'a mut dyn Outlines,
    outlines: BTreeMap<Digest, Option<Arc<Outline>>>,
    roots: BTreeMap<u64, Digest>,
    allowed: Option<AllowedSigners>,
}

impl<'a> Held<'a> {
    /// What lies beside a log, the roots that [`sizes`] asks for, and a list of signers from outside,
    /// trusted more than the papers.
    pub fn new(
        papers: &'a mut dyn Outlines,
        roots: BTreeMap<u64, Digest>,
        allowed: Option<AllowedSigners>,
    ) -> Held<'a> {
        Held {
            papers,
            outlines: BTreeMap::new(),
            roots,
            allowed,
        }
    }
}

impl Evidence for Held<'_> {
    fn blob(&mut self, digest: Digest) -> Option<Vec<u8>> {
        self.papers.file(digest)
    }

    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>> {
        let papers = &mut self.papers;
        let read = self.outlines.entry(paper);
        read.or_insert_with(|| papers.outline(paper)).clone()
    }

    fn allowed(&mut self) -> Option<&AllowedSigners> {
        self.allowed.as_ref()
    }

    fn root_at(&mut self, size: u64) -> Option<Digest> {
        self.roots.get(&size).copied()
    }
}
