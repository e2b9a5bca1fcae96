//! The seals of a log and what witnesses signed: gathered while the lines go by, judged when the last one
//! has, because only then it is known who seals it and whom its papers name.
//!
//! In: whom to believe, seals of any origin, lines and entries in order. Out: findings, and how far the
//! log is proved. Memory holds sizes, roots and cosignatures, not lines.
//!
//! Not here: a single seal's signatures (`seal::check`), time-stamps (`export::pack`).

use std::collections::{BTreeMap, BTreeSet, btree_set};

use jiff::Timestamp;

use super::super::papers::Outlines;
use super::reader::SKEW;
use super::{Finding, Findings, Outside, Sealed};
use crate::calendar::dates::Dates;
use crate::machine::event::{ClockKind, Entry, Event, LogOpened};
use crate::machine::run::Run;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::quorum::{Quorum, Witness};
use crate::plan::vkey::Vkey;
use crate::seal::check::{Checked, Sound};
use crate::seal::{Drive, SealCheck, Silences, Tree, Trust};

/// More signatures of witnesses than a run of a hundred years gets; more are only counted.
const COSIGNED_MAX: usize = 100_000;

/// Waits for the lines that seals speak of.
pub(super) struct Watch<'e> {
    outside: &'e Outside,
    tree: Tree,
    /// Sizes that seals speak of and the lines have not come to.
    ahead: std::iter::Peekable<btree_set::IntoIter<u64>>,
    roots: BTreeMap<u64, Digest>,
    /// When the last entry under each of those sizes was written.
    written: BTreeMap<u64, Timestamp>,
    silences: Silences,
    cosigned: Vec<Cosigned>,
    /// Entries that tell of more of them.
    unheard: u64,
}

/// A witness's signature, as an entry tells it.
struct Cosigned {
    seq: u64,
    size: u64,
    root: Digest,
    witness: Code,
    /// The key that the paper in force had for that witness.
    key: Option<Vkey>,
}

/// What seals came to, and the roots that were met on the way.
pub(super) struct Told {
    pub(super) sealed: Sealed,
    pub(super) roots: BTreeMap<u64, Digest>,
}

impl<'e> Watch<'e> {
    pub(super) fn new(outside: &'e Outside, papers: &dyn Outlines) -> Watch<'e> {
        let near = papers.seals().flatten().map(|seal| seal.head.size);
        let far = outside.seals.iter().map(|seal| seal.head.size);
        let sizes: BTreeSet<u64> = near.chain(far).collect();
        Watch {
            outside,
            tree: Tree::default(),
            silences: Silences::new(sizes.iter().copied()),
            ahead: sizes.into_iter().peekable(),
            roots: BTreeMap::new(),
            written: BTreeMap::new(),
            cosigned: Vec::new(),
            unheard: 0,
        }
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, line: &[u8]) {
        self.tree.add(line);
        while let Some(size) = self.ahead.next_if(|size| *size <= self.tree.size()) {
            if size == self.tree.size() {
                self.roots.insert(size, self.tree.root());
            }
        }
    }

    /// Takes the entry in it, with the run as it was before.
    pub(super) fn entry(&mut self, entry: &Entry, run: &Run) {
        let (size, at) = (self.tree.size(), entry.at.moment());
        if self.roots.contains_key(&size) {
            self.written.insert(size, at);
        }
        let drive = match &entry.event {
            Event::LeaseAcquired(_) => Drive::Begins,
            Event::LeaseReleased(_) | Event::LogClosed(_) => Drive::Ends,
            _ => Drive::GoesOn,
        };
        self.silences.entry(size - 1, at, drive);
        if let Event::SealCosigned(body) = &entry.event {
            if self.cosigned.len() == COSIGNED_MAX {
                self.unheard += 1;
                return;
            }
            let named = run
                .quorum()
                .and_then(|quorum| quorum.witness(&body.witness));
            self.cosigned.push(Cosigned {
                seq: entry.seq,
                size: body.size,
                root: body.root,
                witness: Code::from(body.witness.as_str()),
                key: named.map(|witness| witness.key.clone()),
            });
        }
    }

    /// Judges everything, once the last line went by. `run` is as far as the log is sound.
    pub(super) fn finish(self, run: &Run, papers: &dyn Outlines) -> (Findings, Told) {
        let mut found = Findings::default();
        let (key, trusted) = self.whose(run, &mut found);
        let mut told = Told {
            sealed: Sealed {
                trusted,
                ..Sealed::default()
            },
            roots: self.roots.clone(),
        };
        let Some(log) = key else {
            self.of_nobody(run, papers, &mut found);
            return (found, told);
        };
        let asked = self.outside.policy.as_ref().or(run.quorum());
        let (quorum, names) = self.everybody(asked);
        let far = self.outside.seals.iter().cloned().map(Some);
        let seals = SealCheck::new(&Trust { log, quorum }, papers.seals().chain(far));
        let checked = seals.against(self.tree.clone(), &self.roots);
        for finding in &checked.findings {
            found.add(Finding::wrong(finding.code(), None, finding.to_string()));
        }
        if checked.sealed() == 0 && checked.findings.is_empty() {
            let says = "no seal of this log is at hand, and it says that it is sealed";
            found.add(Finding::missing("UNSEALED", None, says));
        }
        found.extend(self.out_of_time(&checked));
        self.uncosigned(&checked, &names, papers, &mut found);
        let rehearsal = run
            .opened()
            .is_some_and(|opened| opened.clock == ClockKind::MadeUp);
        let needed = asked.filter(|quorum| quorum.needed.is_some());
        found.extend(self.no_quorum(&checked, needed, run, rehearsal));
        told.sealed = Sealed {
            silences: self.silences.finish(),
            quorum: needed.map(Quorum::in_words),
            ..proved(&checked, trusted, needed.is_some())
        };
        (found, told)
    }

    /// The key that seals are held against, none where nobody seals the log; and whether it is believed.
    fn whose(&self, run: &Run, found: &mut Findings) -> (Option<Vkey>, bool) {
        let opened = run.opened();
        let claimed = opened.and_then(|opened| opened.log_key.as_deref());
        let key: Option<Vkey> = claimed.and_then(|key| key.parse().ok());
        let given = self.given(opened);
        let mut wrong = |says: &str| found.add(Finding::wrong("UNTRUSTED_KEY", Some(0), says));
        match (&given, opened) {
            (Some(given), Some(opened)) if opened.origin != given.name() => {
                wrong("the key that is believed is of another log");
            }
            (Some(_), Some(opened)) if opened.log_key.is_none() => {
                wrong("there is a key for this log, and the log says that nobody seals it");
            }
            (Some(given), Some(_)) if key.as_ref() != Some(given) => {
                wrong("the log names another key than the one that is believed");
            }
            (None, Some(_)) if !self.outside.logs.is_empty() => {
                wrong("the policy that was given names keys of logs, and none of this log");
            }
            (None, _) if claimed.is_some() => {
                let says = "the log's key was not given (`--key`, from the minute): a log that was \
                            written anew under another key looks the same";
                found.add(Finding::missing("NO_KEY", None, says));
            }
            _ => {}
        }
        let trusted = given.is_some();
        (given.or(key), trusted)
    }

    /// The log's key as the auditor brings it: by itself, or as a policy has it for a log of this name; where
    /// nobody brings one to this machine's own log, its own.
    fn given(&self, opened: Option<&LogOpened>) -> Option<Vkey> {
        let origin = opened.map(|opened| opened.origin.as_str());
        let mut logs = self.outside.logs.iter();
        let named = || logs.find(|key| Some(key.name()) == origin).cloned();
        let own = || {
            self.outside
                .own
                .clone()
                .filter(|_| self.outside.logs.is_empty())
        };
        self.outside.key.clone().or_else(named).or_else(own)
    }

    /// A log that nobody seals has no seals, and nobody brings witnesses to it.
    fn of_nobody(&self, run: &Run, papers: &dyn Outlines, found: &mut Findings) {
        if papers.seals().next().is_some() {
            let says = "seals lie beside a log that says nobody seals it";
            found.add(Finding::wrong("BAD_SEAL", None, says));
        }
        if !self.outside.seals.is_empty() {
            let says = "a seal was kept, and the log says that nobody seals it";
            found.add(Finding::wrong("BAD_SEAL", None, says));
        }
        if self.outside.policy.is_some() && run.opened().is_some() && found.iter().next().is_none()
        {
            let says = "witnesses were given, and the log says that nobody seals it";
            found.add(Finding::wrong("UNTRUSTED_KEY", Some(0), says));
        }
    }

    /// Whom to believe and, beside them, whomever the log's papers named on the way; and what each key
    /// is called there. Only those of the policy count for the quorum.
    fn everybody(&self, asked: Option<&Quorum>) -> (Quorum, BTreeMap<Vkey, Code>) {
        let mut quorum = asked.cloned().unwrap_or_default();
        let witnesses = quorum.witnesses.iter();
        let mut names: BTreeMap<Vkey, Code> = witnesses
            .map(|witness| (witness.key.clone(), witness.name.clone()))
            .collect();
        for key in self
            .cosigned
            .iter()
            .filter_map(|cosigned| cosigned.key.as_ref())
        {
            if !names.contains_key(key) {
                // A name with a plus is nobody's in a plan or a policy.
                let name = Code::from(key.to_string().as_str());
                names.insert(key.clone(), name.clone());
                quorum.witnesses.push(Witness {
                    name,
                    key: key.clone(),
                });
            }
        }
        (quorum, names)
    }

    /// Witnesses sign what is there: not before its last entry was written.
    fn out_of_time(&self, checked: &Checked) -> Vec<Finding> {
        let mut found = Vec::new();
        for seal in checked.seals.iter().filter(|seal| seal.holds == Some(true)) {
            let Some(written) = self.written.get(&seal.size) else {
                continue;
            };
            for (witness, time) in &seal.cosigned {
                let signed = i64::try_from(*time).ok().map(Timestamp::from_second);
                let Some(Ok(signed)) = signed else { continue };
                if signed
                    .saturating_add(SKEW)
                    .is_ok_and(|signed| signed < *written)
                {
                    let [signed, written] =
                        [signed, *written].map(|moment| Dates::default().with_zone(moment));
                    let says =
                        format!("{witness} signed on {signed} what was written on {written}");
                    found.push(Finding::wrong("TIME_ORDER", Some(seal.size - 1), says));
                }
            }
        }
        found
    }

    /// Every cosignature that the log tells of is at hand, and over this very log.
    fn uncosigned(
        &self,
        checked: &Checked,
        names: &BTreeMap<Vkey, Code>,
        papers: &dyn Outlines,
        found: &mut Findings,
    ) {
        let sizes = self.cosigned.iter().map(|cosigned| cosigned.size);
        let unseen: BTreeSet<u64> = sizes
            .filter(|size| !self.roots.contains_key(size))
            .collect();
        let further = if unseen.is_empty() {
            BTreeMap::new()
        } else {
            papers.roots(&unseen)
        };
        for told in &self.cosigned {
            let (size, witness) = (told.size, &told.witness);
            let root = self.roots.get(&size).or(further.get(&size));
            if root.is_some_and(|root| *root != told.root) {
                let says = format!("it says that {witness} signed another root of {size} entries");
                found.add(Finding::wrong("ROOT_MISMATCH", Some(told.seq), says));
            }
            let name = told.key.as_ref().and_then(|key| names.get(key));
            let signs = |seal: &Sound| {
                let by = name.is_some_and(|name| seal.cosigned.contains_key(name));
                seal.size == size && seal.root == told.root && by
            };
            if !checked.seals.iter().any(signs) {
                let says = format!(
                    "it says that {witness} signed {size} entries, and no such signature is at hand"
                );
                found.add(Finding::missing("UNCOSIGNED", Some(told.seq), says));
            }
        }
        if self.unheard > 0 {
            let says = format!(
                "{} entries more tell of witnesses' signatures than are looked at",
                self.unheard
            );
            found.add(Finding::missing("UNCOSIGNED", None, says));
        }
    }

    /// What the log's words claim of its quorum, or an auditor asks for, is there.
    fn no_quorum(
        &self,
        checked: &Checked,
        needed: Option<&Quorum>,
        run: &Run,
        rehearsal: bool,
    ) -> Option<Finding> {
        let who = needed?.in_words();
        let (claimed, witnessed) = (run.witnessed(), checked.witnessed());
        let asked = self.outside.policy.is_some() && !rehearsal && witnessed == 0;
        if asked {
            let says = format!("no seal has the signatures of {who}");
            return Some(Finding::missing("NO_QUORUM", None, says));
        }
        let short = self.outside.policy.is_none() && witnessed < claimed;
        short.then(|| {
            let says = format!(
                "{who} signed {claimed} entries by the log's own words, and {witnessed} by their signatures"
            );
            Finding::missing("NO_QUORUM", None, says)
        })
    }
}

fn proved(checked: &Checked, trusted: bool, needed: bool) -> Sealed {
    let witnessed = if needed { checked.witnessed() } else { 0 };
    let newest = checked.seals.iter().find(|seal| seal.size == witnessed);
    Sealed {
        seals: checked.seals.len(),
        sealed: checked.sealed(),
        witnessed,
        by: newest.map_or_else(BTreeSet::new, |seal| {
            seal.cosigned.keys().cloned().collect()
        }),
        trusted,
        ..Sealed::default()
    }
}
