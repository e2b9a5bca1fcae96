//! The verdict on a log: VERIFIED, TAMPERED or CANNOT TELL. Missing evidence is never reported as
//! fine, and what a log of this kind cannot prove is said each time.
//!
//! Every line is checked for form and chain to the very end; the fold stops at its first divergence,
//! since a state that was wrong once says nothing about what follows.
//!
//! Not here: seals and witnesses (this log is unsealed yet), the organisations' databases, words for
//! people (`report`).

use crate::journal::JournalFault;
use crate::machine::event::{ClockKind, Entry};
use crate::machine::run::Run;
use crate::machine::state::Shelf;
use crate::plan::digest::Digest;

use super::fold::{Chain, Divergence, step};
use super::papers::Outlines;

/// Findings kept one by one; more are only counted, since a hostile log must not fill memory.
const FINDINGS_MAX: usize = 100;

/// What the auditor knows from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// How many entries the log has, where that is known (the journal's own head).
    pub size: Option<u64>,
    /// Digest of a line that was noted down outside (minutes, a signed pack), if any.
    pub anchor: Option<Digest>,
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
    /// One sentence, without personal data.
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
    pub more: u64,
    /// What a log of this kind does not prove, one sentence each.
    pub not_proven: Vec<&'static str>,
    /// Lines read.
    pub size: u64,
    /// Digest of the last line.
    pub head: Digest,
    /// The run as far as the log is sound; the whole run if nothing is wrong.
    pub run: Run,
}

impl Report {
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
    let mut reader = Reader::default();
    for line in lines {
        let unreadable = line.is_err();
        reader.line(line, papers, evidence);
        if unreadable {
            break;
        }
    }
    reader.finish(evidence)
}

struct Reader {
    run: Run,
    chain: Chain,
    findings: Vec<Finding>,
    more: u64,
    /// The fold is still sound.
    sound: bool,
    anchored: bool,
    /// The position that the last readable entry gave itself.
    last: Option<u64>,
}

impl Default for Reader {
    fn default() -> Self {
        Reader {
            run: Run::new(Shelf::default()),
            chain: Chain::default(),
            findings: Vec::new(),
            more: 0,
            sound: true,
            anchored: false,
            last: None,
        }
    }
}

impl Reader {
    fn line(
        &mut self,
        line: Result<Vec<u8>, JournalFault>,
        papers: &mut dyn Outlines,
        evidence: &Evidence,
    ) {
        let seq = self.chain.size;
        match self.chain.read(line) {
            Ok((entry, follows)) => {
                if !follows {
                    self.diverged(&Divergence::Chain { seq });
                }
                self.entry(&entry, papers);
                self.last = Some(entry.seq);
            }
            Err(divergence) => {
                self.diverged(&divergence);
                self.sound = false;
                self.last = None;
            }
        }
        self.anchored |= evidence.anchor == Some(self.chain.head);
    }

    fn entry(&mut self, entry: &Entry, papers: &mut dyn Outlines) {
        if !self.sound {
            // The fold judges positions while it is sound; afterwards only jumps are told.
            let line = self.chain.size - 1;
            if self
                .last
                .is_some_and(|last| entry.seq != last.wrapping_add(1))
            {
                let says = format!("line {line} says it is entry {}", entry.seq);
                self.find("SEQ", Some(line), says);
            }
            return;
        }
        if let Err(divergence) = step(&mut self.run, entry, papers) {
            self.diverged(&divergence);
            self.sound = false;
        }
    }

    fn diverged(&mut self, divergence: &Divergence) {
        let mut says = divergence.to_string();
        let mut source = std::error::Error::source(divergence);
        while let Some(cause) = source {
            says = format!("{says}: {cause}");
            source = cause.source();
        }
        self.find(divergence.code(), Some(divergence.seq()), says);
    }

    fn find(&mut self, code: &'static str, seq: Option<u64>, says: String) {
        if self.findings.len() >= FINDINGS_MAX {
            self.more += 1;
            return;
        }
        self.findings.push(Finding {
            code,
            seq,
            says,
            missing: matches!(
                code,
                "NO_PAPER" | "NEWER" | "UNCLOSED" | "UNREADABLE" | "EMPTY"
            ),
        });
    }

    fn finish(mut self, evidence: &Evidence) -> Report {
        let size = self.chain.size;
        if size == 0 {
            self.find("EMPTY", None, "the log has no entry".to_owned());
        }
        match evidence.size {
            Some(known) if known > size => self.find(
                "TRUNCATED",
                None,
                format!("the log has {size} entries and had {known}"),
            ),
            _ => {}
        }
        if evidence.anchor.is_some() && !self.anchored {
            let says = "no line of the log has the digest that was noted down".to_owned();
            self.find("ANCHOR", None, says);
        }
        // A log whose end nobody vouches for may have been longer.
        let vouched = self.run.closed() || evidence.size == Some(size) || self.ends_at(evidence);
        if self.findings.is_empty() && !vouched {
            let says = "the log is not closed and nothing says that it ends here".to_owned();
            self.find("UNCLOSED", None, says);
        }
        let wrong = self.findings.iter().any(|finding| !finding.missing);
        let verdict = match (wrong, self.findings.is_empty()) {
            (true, _) => Verdict::Tampered,
            (false, true) => Verdict::Verified,
            (false, false) => Verdict::CannotTell,
        };
        Report {
            verdict,
            not_proven: not_proven(&self.run),
            findings: self.findings,
            more: self.more,
            size,
            head: self.chain.head,
            run: self.run,
        }
    }

    fn ends_at(&self, evidence: &Evidence) -> bool {
        evidence.anchor == Some(self.chain.head)
    }
}

fn not_proven(run: &Run) -> Vec<&'static str> {
    let mut not = Vec::new();
    let opened = run.opened();
    not.push(match opened.and_then(|opened| opened.log_key.as_ref()) {
        None => {
            "the log is not sealed: whoever could write it could have written it anew as a whole"
        }
        Some(_) => {
            "the log's seals were not held against it: whoever could write it could have written it anew as a whole"
        }
    });
    let stands = |signed: bool| {
        let mut decisions = run.decisions();
        decisions.any(|(_, decided)| !decided.void && decided.signed.is_some() == signed)
    };
    if stands(true) {
        not.push("signatures of decisions were not held against the files that were signed");
    }
    if stands(false) {
        not.push("decisions stand as they were recorded: nobody's key speaks for some of them");
    }
    if run.only_recorded() > 0 {
        not.push("decisions that a live run needs signed were only recorded");
    }
    not.push("the organisations' databases were not looked at");
    if opened.is_some_and(|opened| opened.clock == ClockKind::MadeUp) {
        not.push("the plan's time was made up: this is a rehearsal");
    }
    not
}
