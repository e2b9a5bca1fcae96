//! What `replay::verify` found, as claims of a proof.
//!
//! Not here: the judging (`replay`), how claims are drawn (`proof`).

use super::proof::{Claim, Outcome, ProofReport};
use super::words::count;
use crate::machine::event::ClockKind;
use crate::replay::verify::{Finding, Report};

impl ProofReport {
    /// The report on a log that was judged by itself.
    #[must_use]
    pub fn judged(of: &str, judged: &Report) -> ProofReport {
        let opened = judged.run.opened();
        let clock = opened.map_or(ClockKind::Real, |opened| opened.clock);
        let not_proved = judged.not_proven.iter().map(ToString::to_string);
        ProofReport::of(of, clock, claims(judged), not_proved.collect())
    }
}

/// What holds and what does not.
#[must_use]
pub fn claims(judged: &Report) -> Vec<Claim> {
    // A log that is only not closed holds as far as it goes.
    let holds = judged.findings.iter().all(|one| one.code == "UNCLOSED");
    let whole = format!("{} entries, none missing, none altered", count(judged.size));
    let honest = "every start, undo and decision was allowed by the plan at its moment";
    let held = [("record", whole.as_str()), ("replay", honest)].into_iter();
    let held = held.filter(|_| holds);
    held.map(|(name, says)| Claim::new(name, Outcome::Pass, says))
        .chain(judged.findings.iter().map(claim))
        .collect()
}

fn claim(finding: &Finding) -> Claim {
    let outcome = if finding.missing {
        Outcome::CannotTell
    } else {
        Outcome::Fail
    };
    let at = finding
        .seq
        .map_or(String::new(), |seq| format!("entry {seq}: "));
    Claim::new(finding.code, outcome, format!("{at}{}", finding.says))
}
