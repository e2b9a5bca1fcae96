//! Lines held against seals: what an auditor's tool finds. Seals are judged by themselves first (whose
//! signature, whose eyes), then against the tree as the lines go by.
//!
//! In: who is trusted, seals of any origin, lines one by one. Out: findings, and how far the log is
//! proved. Memory holds the seals and a few dozen hashes, however long the log.
//!
//! Not here: what the lines mean (`replay`), which files hold them.

use std::collections::{BTreeMap, BTreeSet};

use super::head::{NoHead, Seal};
use super::tree::Tree;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::quorum::Quorum;
use crate::plan::vkey::Vkey;

/// Whom to believe. It never comes from what is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The log's verifier key, from the committee's minute; its name is the log's origin.
    pub log: Vkey,
    /// Witnesses and how many of them count.
    pub quorum: Quorum,
}

/// Something wrong with seals, or with a log under them. Sizes count lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Finding {
    /// A seal that is none, or of another log.
    #[error("a seal of another log, or none at all, stands among the seals")]
    BadSeal,
    /// Signed by somebody else than the trusted key.
    #[error("the seal at {size} is not signed by the key that is trusted for this log")]
    UntrustedKey {
        /// What it says it covers.
        size: u64,
    },
    /// A false signature by a known key.
    #[error("the seal at {size} has a false signature")]
    BadSignature {
        /// What it says it covers.
        size: u64,
    },
    /// Two seals by the log's key that cannot both be true: the proof of fraud by whoever holds it.
    #[error(
        "two seals at {size} have different roots: whoever holds the log's key signed two pasts"
    )]
    Equivocation {
        /// The size of both.
        size: u64,
    },
    /// The lines are not those that were sealed.
    #[error("the first {size} lines are not those that were sealed")]
    RootMismatch {
        /// What the seal covers.
        size: u64,
    },
    /// A later seal fits these lines and this one does not: the log's key signed both.
    #[error("the seal at {size} is not consistent with a later one")]
    Inconsistent {
        /// What the seal covers.
        size: u64,
    },
    /// There are fewer lines than were sealed.
    #[error("the log was sealed with {size} lines and has only {lines}")]
    Truncated {
        /// What the seal covers.
        size: u64,
        /// How many there are.
        lines: u64,
    },
    /// There are fewer lines than a witness has seen.
    #[error("{witness} signed the log with {size} lines, and it has only {lines}")]
    RolledBack {
        /// Who.
        witness: Code,
        /// What they signed.
        size: u64,
        /// How many there are.
        lines: u64,
    },
    /// A witness's later word is about an earlier state.
    #[error("{witness} signed {size} lines at an earlier time than fewer lines")]
    TimeOrder {
        /// Who.
        witness: Code,
        /// The larger size, with the earlier time.
        size: u64,
    },
}

impl Finding {
    /// The finding's code in reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Finding::BadSeal => "BAD_SEAL",
            Finding::UntrustedKey { .. } => "UNTRUSTED_KEY",
            Finding::BadSignature { .. } => "BAD_SIGNATURE",
            Finding::Equivocation { .. } => "EQUIVOCATION",
            Finding::RootMismatch { .. } => "ROOT_MISMATCH",
            Finding::Inconsistent { .. } => "INCONSISTENT",
            Finding::Truncated { .. } => "TRUNCATED",
            Finding::RolledBack { .. } => "ROLLED_BACK_LOG",
            Finding::TimeOrder { .. } => "TIME_ORDER",
        }
    }
}

/// A seal that the log's key made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// What it covers.
    pub size: u64,
    /// The root over it.
    pub root: Digest,
    /// Witnesses (names of the policy) that signed it, each with its time in seconds since 1970.
    pub cosigned: BTreeMap<Code, u64>,
    /// They are enough.
    pub quorum: bool,
    /// The lines are those that it covers; none while they have not gone by.
    pub holds: Option<bool>,
}

/// What came out of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How many lines there were.
    pub lines: u64,
    /// The root over all of them.
    pub root: Digest,
    /// Every seal by the log's key, smallest first.
    pub seals: Vec<Sound>,
    /// What is wrong; nothing where all is well.
    pub findings: BTreeSet<Finding>,
}

impl Checked {
    /// How many lines are proved by a seal that holds; 0: none.
    #[must_use]
    pub fn sealed(&self) -> u64 {
        self.held(|_| true)
    }

    /// How many lines are proved by a seal that holds and has its quorum; 0: none.
    #[must_use]
    pub fn witnessed(&self) -> u64 {
        self.held(|seal| seal.quorum && !seal.cosigned.is_empty())
    }

    fn held(&self, wanted: impl Fn(&Sound) -> bool) -> u64 {
        let held = self.seals.iter().rev();
        held.filter(|seal| seal.holds == Some(true))
            .find(|seal| wanted(seal))
            .map_or(0, |seal| seal.size)
    }
}

/// Seals on one side, lines going by on the other.
#[derive(Debug)]
pub struct SealCheck {
    tree: Tree,
    seals: Vec<Sound>,
    /// The next seal that the lines come to.
    next: usize,
    findings: BTreeSet<Finding>,
}

impl SealCheck {
    /// Judges seals by themselves. `None` is a file among the seals that could not be read as one.
    #[must_use]
    pub fn new(trust: &Trust, seals: impl IntoIterator<Item = Option<Seal>>) -> SealCheck {
        let mut findings = BTreeSet::new();
        let mut sound: BTreeMap<(u64, Digest), Sound> = BTreeMap::new();
        for seal in seals {
            match judge(trust, seal) {
                Ok(seal) => merge(&mut sound, seal, &trust.quorum),
                Err(finding) => drop(findings.insert(finding)),
            }
        }
        let seals: Vec<Sound> = sound.into_values().collect();
        for pair in seals.windows(2).filter(|pair| pair[0].size == pair[1].size) {
            findings.insert(Finding::Equivocation { size: pair[0].size });
        }
        findings.extend(out_of_time(&seals));
        SealCheck {
            tree: Tree::default(),
            seals,
            next: 0,
            findings,
        }
    }

    /// Takes the next line, without its line feed.
    #[inline]
    pub fn line(&mut self, line: &[u8]) {
        self.tree.add(line);
        while let Some(seal) = self.seals.get_mut(self.next) {
            if seal.size > self.tree.size() {
                return;
            }
            seal.holds = Some(seal.size == self.tree.size() && seal.root == self.tree.root());
            self.next += 1;
        }
    }

    /// Every size that a seal of the log's key covers.
    pub fn sizes(&self) -> impl Iterator<Item = u64> + use<'_> {
        self.seals.iter().map(|seal| seal.size)
    }

    /// What came out for lines that went by elsewhere: the tree over all of them, and its root at every
    /// size that a seal covers.
    #[must_use]
    pub fn against(mut self, tree: Tree, roots: &BTreeMap<u64, Digest>) -> Checked {
        for seal in &mut self.seals {
            let there = seal.size <= tree.size();
            seal.holds = there.then(|| roots.get(&seal.size) == Some(&seal.root));
        }
        self.tree = tree;
        self.finish()
    }

    /// What came out, once the last line went by.
    #[must_use]
    pub fn finish(mut self) -> Checked {
        let lines = self.tree.size();
        let largest = self.seals.iter().rev();
        let fits = largest
            .filter(|seal| seal.holds == Some(true))
            .map(|seal| seal.size)
            .next();
        for seal in &self.seals {
            let size = seal.size;
            match seal.holds {
                Some(true) => {}
                Some(false) => {
                    self.findings.insert(Finding::RootMismatch { size });
                    if fits.is_some_and(|fits| fits > size) {
                        self.findings.insert(Finding::Inconsistent { size });
                    }
                }
                None => {
                    self.findings.insert(Finding::Truncated { size, lines });
                    let witness = |witness: &Code| Finding::RolledBack {
                        witness: witness.clone(),
                        size,
                        lines,
                    };
                    self.findings.extend(seal.cosigned.keys().map(witness));
                }
            }
        }
        Checked {
            lines,
            root: self.tree.root(),
            seals: self.seals,
            findings: self.findings,
        }
    }
}

fn judge(trust: &Trust, seal: Option<Seal>) -> Result<Sound, Finding> {
    let seal = seal.ok_or(Finding::BadSeal)?;
    let size = seal.head.size;
    if seal.head.origin != trust.log.name() || size == 0 {
        return Err(Finding::BadSeal);
    }
    let signed = seal.by_log(&trust.log);
    signed
        .and_then(|()| seal.cosigned(&trust.quorum))
        .map(|cosigned| sound(&seal, cosigned))
        .map_err(|fault| match fault {
            NoHead::False => Finding::BadSignature { size },
            _ => Finding::UntrustedKey { size },
        })
}

fn sound(seal: &Seal, cosigned: BTreeMap<Code, u64>) -> Sound {
    Sound {
        size: seal.head.size,
        root: seal.head.root,
        cosigned,
        quorum: false,
        holds: None,
    }
}

/// The same head may lie there more than once, with lines of other witnesses.
fn merge(sound: &mut BTreeMap<(u64, Digest), Sound>, seal: Sound, quorum: &Quorum) {
    let held = sound
        .entry((seal.size, seal.root))
        .or_insert_with(|| seal.clone());
    held.cosigned.extend(seal.cosigned);
    held.quorum = quorum.met(&held.cosigned.keys().cloned().collect());
}

/// Each witness's times go up with the sizes.
fn out_of_time(seals: &[Sound]) -> Vec<Finding> {
    let mut newest: BTreeMap<&Code, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for seal in seals {
        for (witness, time) in &seal.cosigned {
            let newest = newest.entry(witness).or_insert(*time);
            if time < newest {
                found.push(Finding::TimeOrder {
                    witness: witness.clone(),
                    size: seal.size,
                });
            }
            *newest = (*newest).max(*time);
        }
    }
    found
}
