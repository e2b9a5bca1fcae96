//! A log read once, line by line: form and chain of every line, the scheduler's opinion of every entry as
//! long as the fold is sound, and `at` against what witnesses had seen by then.
//!
//! Not here: seals (`seals`), signatures (`signed`).

use jiff::{SignedDuration, Timestamp};

use super::super::approvals;
use super::super::fold::{Chain, Divergence, step};
use super::super::papers::Outlines;
use super::codes::{is_missing, told};
use super::seals::Watch;
use super::{Evidence, Finding, Findings, Report, Sealed, signed, unproven};
use crate::calendar::dates::Dates;
use crate::journal::JournalFault;
use crate::machine::event::{Entry, Event, On};
use crate::machine::run::Run;
use crate::machine::state::{Shelf, Verdict};
use crate::plan::outline::StepId;
use crate::signature::Claim;

/// Clocks of witnesses and executors may differ by so much.
pub(super) const SKEW: SignedDuration = SignedDuration::from_mins(10);

pub(super) struct Reader<'e> {
    evidence: &'e Evidence,
    run: Run,
    chain: Chain,
    findings: Findings,
    /// The fold is still sound.
    sound: bool,
    anchored: bool,
    /// The entry that closed it.
    closed: Option<u64>,
    /// The position that the last readable entry gave itself.
    last: Option<u64>,
    /// The newest time at which a witness had signed, as the log has it.
    seen: Option<Timestamp>,
    /// The step that began without its decisions.
    unapproved: Option<StepId>,
    /// Signed decisions, to be held against what was signed.
    claims: Vec<Claim>,
    /// Seals wait for these lines; none where they are not looked at.
    watch: Option<Watch<'e>>,
}

impl<'e> Reader<'e> {
    pub(super) fn new(papers: &dyn Outlines, evidence: &'e Evidence) -> Reader<'e> {
        let outside = evidence.outside.as_ref();
        Reader {
            evidence,
            run: Run::new(Shelf::default()),
            chain: Chain::default(),
            findings: Findings::default(),
            sound: true,
            anchored: false,
            closed: None,
            last: None,
            seen: None,
            unapproved: None,
            claims: Vec::new(),
            watch: outside.map(|outside| Watch::new(outside, papers)),
        }
    }

    pub(super) fn line(&mut self, line: Result<Vec<u8>, JournalFault>, papers: &mut dyn Outlines) {
        let seq = self.chain.size;
        if let (Some(watch), Ok(line)) = (&mut self.watch, &line) {
            watch.line(line);
        }
        match self.chain.read(line) {
            Ok((entry, follows)) => {
                if !follows {
                    self.diverged(&Divergence::Chain { seq }, papers);
                }
                self.entry(&entry, papers);
                self.last = Some(entry.seq);
            }
            Err(divergence) => {
                self.diverged(&divergence, papers);
                self.sound = false;
                self.last = None;
            }
        }
        self.anchored |= self.evidence.anchor == Some(self.chain.head);
    }

    fn entry(&mut self, entry: &Entry, papers: &mut dyn Outlines) {
        self.dated(entry);
        if let Some(watch) = &mut self.watch {
            watch.entry(entry, &self.run);
        }
        if !self.sound {
            self.jumped(entry);
            self.late(entry);
            return;
        }
        if self.watch.is_some() {
            self.claims.extend(approvals::claim(&self.run, entry));
        }
        if let Err(divergence) = step(&mut self.run, entry, papers) {
            self.unapproved = started(entry, &divergence);
            self.diverged(&divergence, papers);
            self.sound = false;
        } else if matches!(entry.event, Event::LogClosed(_)) {
            self.closed = Some(entry.seq);
        }
    }

    /// Nobody writes at a time that a witness had left behind by then.
    fn dated(&mut self, entry: &Entry) {
        let at = entry.at.moment();
        if let Some(seen) = self.seen
            && at.saturating_add(SKEW).is_ok_and(|at| at < seen)
        {
            let [at, seen] = [at, seen].map(|moment| Dates::default().with_zone(moment));
            let says =
                format!("it says {at}, and a witness had signed the log before it on {seen}");
            self.find(Finding::wrong("BACKDATED", Some(entry.seq), says));
        }
        if let Event::SealCosigned(body) = &entry.event {
            self.seen = self.seen.max(Some(body.time.moment()));
        }
    }

    /// The fold judges positions while it is sound; afterwards only jumps are told.
    fn jumped(&mut self, entry: &Entry) {
        let line = self.chain.size - 1;
        let follows = |last: u64| entry.seq == last.wrapping_add(1);
        if !self.last.is_none_or(follows) {
            let says = format!("line {line} says it is entry {}", entry.seq);
            self.find(Finding::wrong("SEQ", Some(line), says));
        }
    }

    /// A decision that comes after what it should have allowed.
    fn late(&mut self, entry: &Entry) {
        if let (Event::ApprovalGranted(decision), Some(began)) = (&entry.event, &self.unapproved)
            && matches!(&decision.on, On::Gate { step } if step == began)
        {
            let says = format!("`{began}` was approved only after it had begun");
            self.find(Finding::wrong("LATE_APPROVAL", Some(entry.seq), says));
        }
    }

    fn diverged(&mut self, divergence: &Divergence, papers: &dyn Outlines) {
        let mut says = divergence.to_string();
        let mut source = std::error::Error::source(divergence);
        while let Some(cause) = source {
            says = format!("{says}: {cause}");
            source = cause.source();
        }
        let seq = Some(divergence.seq());
        let code = match divergence.code() {
            "NO_PAPER"
                if divergence
                    .paper()
                    .is_some_and(|paper| papers.swapped(paper)) =>
            {
                "PLAN_DIGEST"
            }
            "UNAPPROVED" if self.was_revoked() => "REVOKED",
            code => told(code),
        };
        self.find(Finding {
            missing: is_missing(code),
            ..Finding::wrong(code, seq, says)
        });
    }

    /// The decisions of the step that began without them had been given, and taken back.
    fn was_revoked(&self) -> bool {
        let mut decisions = self.run.decisions();
        self.unapproved.as_ref().is_some_and(|began| {
            decisions.any(|(_, decided)| {
                decided.verdict == Verdict::Revoked
                    && matches!(&decided.on, On::Gate { step } if step == began)
            })
        })
    }

    fn find(&mut self, finding: Finding) {
        self.findings.add(finding);
    }

    pub(super) fn finish(mut self, papers: &mut dyn Outlines) -> Report {
        self.measure();
        let mut sealed = None;
        let signatures = self.claims.len();
        if let (Some(watch), Some(outside)) = (self.watch.take(), &self.evidence.outside) {
            let (found, told) = watch.finish(&self.run, papers);
            self.findings.join(found);
            self.findings.extend(signed::check(
                self.claims.drain(..),
                outside,
                &told.roots,
                papers,
            ));
            sealed = Some(told.sealed);
        }
        self.vouch(sealed.as_ref());
        let (findings, more) = self.findings.told();
        Report {
            verdict: super::Verdict::of(&findings),
            not_proven: unproven::list(
                &self.run,
                self.chain.size,
                self.evidence.outside.as_ref(),
                sealed.as_ref(),
            ),
            findings,
            more,
            size: self.chain.size,
            head: self.chain.head,
            run: self.run,
            sealed,
            signatures,
        }
    }

    /// Is it as long as it is known to be?
    fn measure(&mut self) {
        let size = self.chain.size;
        if size == 0 {
            self.find(Finding::missing("EMPTY", None, "the log has no entry"));
        }
        if let Some(known) = self.evidence.size.filter(|known| *known > size) {
            let says = format!("the log has {size} entries and had {known}");
            self.find(Finding::wrong("TRUNCATED", None, says));
        }
        if self.evidence.anchor.is_some() && !self.anchored {
            let says = "no line of the log has the digest that was noted down";
            self.find(Finding::wrong(told("ANCHOR"), None, says));
        }
    }

    /// A log whose end nobody vouches for may have been longer. Anybody can write that a log is closed: of
    /// one that has a key, a seal must say it.
    fn vouch(&mut self, sealed: Option<&Sealed>) {
        let known = self.evidence.size == Some(self.chain.size);
        let noted = self.evidence.anchor == Some(self.chain.head);
        let has_key = self
            .run
            .opened()
            .is_some_and(|opened| opened.log_key.is_some());
        let covered = sealed.filter(|_| has_key).map(|sealed| sealed.sealed);
        let ends = self
            .closed
            .is_some_and(|seq| covered.is_none_or(|covered| covered > seq));
        if !self.sound
            || ends
            || known
            || noted
            || self.findings.any_wrong()
            || self.chain.size == 0
        {
            return;
        }
        let says = match self.closed {
            None => "the log is not closed and nothing says that it ends here",
            Some(_) => {
                "no seal covers the entry that closes the log: whoever cut the log could have written it"
            }
        };
        self.find(Finding::missing("UNCLOSED", self.closed, says));
    }
}

/// The step that an entry begins without its decisions.
fn started(entry: &Entry, divergence: &Divergence) -> Option<StepId> {
    let begins = matches!(entry.event, Event::StepStarted(_));
    let about = entry.about.as_ref().filter(|_| begins)?;
    (divergence.code() == "UNAPPROVED").then(|| about.step.clone())
}
