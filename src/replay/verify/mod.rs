//! The verdict on a log: VERIFIED, TAMPERED or CANNOT TELL. Missing evidence is never reported as
//! fine, and what a log of this kind cannot prove is said each time.
//!
//! Every line is checked for form and chain to the very end; the fold stops at its first divergence,
//! since a state that was wrong once says nothing about what follows.
//!
//! ```text
//! reader   each line: form, order, chain; the scheduler asked; `at` against what witnesses had seen
//! seals    whose log; signed heads against the tree; cosignatures, quorum, silence
//! signed   statements and signatures against the decisions that the log records
//! ```
//!
//! Whom to believe comes from outside ([`Outside`]), never from what is checked. One pass over the lines,
//! and a second one of hashing alone where people signed heads that no seal covers.
//!
//! Not here: the files of a pack (`export::pack`), the organisations' databases (`run::against_live`), words
//! for people (`report`).

use std::collections::BTreeSet;

use crate::journal::JournalFault;
use crate::machine::run::Run;
use crate::machine::shown::shown;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::quorum::Quorum;
use crate::plan::vkey::Vkey;
use crate::seal::{Seal, Silence};
use crate::signature::AllowedSigners;

use super::papers::Outlines;

mod codes;
mod findings;
mod reader;
mod seals;
mod signed;
mod unproven;

pub use codes::Layer;
pub use findings::{Findings, More};
use reader::Reader;

/// What the auditor knows from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// How many entries the log has, where that is known (the journal's own head).
    pub size: Option<u64>,
    /// Digest of a line that was noted down outside (minutes, a signed pack), if any.
    pub anchor: Option<Digest>,
    /// Whom to believe; none: the lines are judged alone, without seals and signatures.
    pub outside: Option<Outside>,
}

/// Whom to believe. Each part comes from a minute, a witness or another register, never from beside the
/// log; what is absent is taken as the log itself claims it, and the report says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outside {
    /// The log's key.
    pub key: Option<Vkey>,
    /// Keys of logs that a policy names: the one of this log's name serves as its key.
    pub logs: Vec<Vkey>,
    /// The key of this machine, where the log is its own: believed where nothing better is given.
    pub own: Option<Vkey>,
    /// Witnesses, and how many of them count.
    pub policy: Option<Quorum>,
    /// Whose signature is whose.
    pub signers: Option<AllowedSigners>,
    /// Seals that were kept elsewhere: by a witness, in a minute.
    pub seals: Vec<Seal>,
}

/// What is thought of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong, and nothing that this log could show is missing.
    Verified,
    /// It was edited, or it records what no honest executor would have done.
    Tampered,
    /// Nothing is wrong, but evidence is missing.
    CannotTell,
}

impl Verdict {
    fn of(findings: &[Finding]) -> Verdict {
        if findings.iter().any(|finding| !finding.missing) {
            Verdict::Tampered
        } else if findings.is_empty() {
            Verdict::Verified
        } else {
            Verdict::CannotTell
        }
    }

    /// In capitals, as reports print it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Verified => "VERIFIED",
            Verdict::Tampered => "TAMPERED",
            Verdict::CannotTell => "CANNOT TELL",
        }
    }
}

/// Something that is wrong or missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `CHAIN_BREAK`, `ORDER`, …
    pub code: &'static str,
    /// The entry, if it is about one.
    pub seq: Option<u64>,
    /// One sentence, without personal data; what the log says in it is [`shown`].
    pub says: String,
    /// Evidence is missing, rather than wrong.
    pub missing: bool,
}

/// What `verify` found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What is thought of it.
    pub verdict: Verdict,
    /// In the order of the log, at most a hundred.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: More,
    /// What a log of this kind does not prove, one sentence each.
    pub not_proven: Vec<String>,
    /// Lines read.
    pub size: u64,
    /// Digest of the last line.
    pub head: Digest,
    /// The run as far as the log is sound; the whole run if nothing is wrong.
    pub run: Run,
    /// What its seals prove, where they were looked at.
    pub sealed: Option<Sealed>,
    /// How many signatures under decisions were held against statements and keys.
    pub signatures: usize,
}

/// What the seals of a log prove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sealed {
    /// How many seals there are.
    pub seals: usize,
    /// How many entries a seal covers that holds.
    pub sealed: u64,
    /// How many entries a seal covers that holds and has its quorum.
    pub witnessed: u64,
    /// Who signed that one.
    pub by: BTreeSet<Code>,
    /// Who was asked for, in words; none where nobody is.
    pub quorum: Option<String>,
    /// The key was given from outside, or is this machine's own.
    pub trusted: bool,
    /// Spans in which the run drove and nothing was sealed.
    pub silences: Vec<Silence>,
}

impl Report {
    /// The same with what was found elsewhere: in a pack's files, in databases.
    #[must_use]
    pub fn with(self, found: Findings) -> Report {
        let mut all = Findings::kept(self.findings, self.more);
        all.join(found);
        let (kept, more) = all.told();
        Report {
            verdict: Verdict::of(&kept),
            findings: kept,
            more,
            ..self
        }
    }

    /// Whether nothing in a layer is wrong or missing, told or only counted. A log that is only not closed holds
    /// as far as it goes.
    #[must_use]
    pub fn clear(&self, layer: Layer) -> bool {
        let mut found = self.findings.iter();
        !self.more.contains_key(&layer)
            && found.all(|one| one.layer() != layer || one.code == "UNCLOSED")
    }

    /// Whether the fold took every entry in. Where one breaks the machine's law, nothing after it is judged.
    #[must_use]
    pub fn folded_whole(&self) -> bool {
        self.run.next_seq() >= self.size
    }

    /// The exit code: 0 verified, 6 tampered, 10 cannot tell, 11 written by a newer version.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let newer = self.findings.iter().any(|finding| finding.code == "NEWER");
        match self.verdict {
            Verdict::Verified => 0,
            Verdict::Tampered => 6,
            Verdict::CannotTell if newer => 11,
            Verdict::CannotTell => 10,
        }
    }
}

/// Reads a log to its end and judges it.
pub fn verify(
    papers: &mut dyn Outlines,
    lines: impl IntoIterator<Item = Result<Vec<u8>, JournalFault>>,
    evidence: &Evidence,
) -> Report {
    let mut reader = Reader::new(papers, evidence);
    for line in lines {
        let unreadable = line.is_err();
        reader.line(line, papers);
        if unreadable {
            break;
        }
    }
    reader.finish(papers)
}

impl Finding {
    /// Something wrong; `seq` is the entry it is about.
    pub fn wrong(code: &'static str, seq: Option<u64>, says: impl Into<String>) -> Finding {
        Finding {
            code,
            seq,
            says: shown(&says.into()),
            missing: false,
        }
    }

    /// Evidence that is not at hand.
    pub fn missing(code: &'static str, seq: Option<u64>, says: impl Into<String>) -> Finding {
        Finding {
            missing: true,
            ..Finding::wrong(code, seq, says)
        }
    }

    /// What it is about.
    #[must_use]
    pub fn layer(&self) -> Layer {
        Layer::of(self.code)
    }
}
