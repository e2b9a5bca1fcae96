//! What `replay::verify` found, as claims of a proof.
//!
//! Not here: the judging (`replay`), how claims are drawn (`proof`).

use super::proof::{Claim, Outcome, ProofReport};
use super::words::{count, some};
use crate::machine::event::ClockKind;
use crate::replay::verify::{Finding, Layer, Report};

impl ProofReport {
    /// The report on a log that was judged by itself.
    #[must_use]
    pub fn judged(of: &str, judged: &Report) -> ProofReport {
        let opened = judged.run.opened();
        let clock = opened.map_or(ClockKind::Real, |opened| opened.clock);
        ProofReport::of(of, clock, claims(judged), judged.not_proven.clone())
    }
}

/// What holds and what does not, layer by layer.
#[must_use]
pub fn claims(judged: &Report) -> Vec<Claim> {
    let mut claims = Vec::new();
    for layer in Layer::ALL {
        if layer == Layer::Replay && judged.clear(Layer::File) && !judged.folded_whole() {
            claims.push(Claim::new(
                layer.name(),
                Outcome::CannotTell,
                broken_off(judged),
            ));
        } else if judged.clear(layer)
            && let Some(says) = held(judged, layer)
        {
            claims.push(Claim::new(layer.name(), Outcome::Pass, says));
        }
        let found = judged.findings.iter().filter(|one| one.layer() == layer);
        claims.extend(found.map(claim));
    }
    if !judged.more.is_empty() {
        let all = count(judged.more.values().sum());
        let layers = judged.more.iter();
        let layers = layers.map(|(layer, more)| format!("{} {}", layer.name(), count(*more)));
        let layers: Vec<String> = layers.collect();
        let says = format!("{all} findings more are not shown: {}", layers.join(", "));
        claims.push(Claim::new("more", Outcome::CannotTell, says));
    }
    claims
}

/// The replay ends where an entry breaks the machine's law: whatever layer that law is of.
fn broken_off(judged: &Report) -> String {
    let at = judged.run.next_seq();
    format!("it ends before entry {at}, which could not follow: nothing from there on was judged")
}

/// What holds where nothing in a layer is wrong or missing; none where there was nothing to look at.
fn held(judged: &Report, layer: Layer) -> Option<String> {
    let sealed = judged.sealed.as_ref().filter(|sealed| sealed.seals > 0);
    match layer {
        Layer::File => Some(format!(
            "{} entries, none missing, none altered",
            count(judged.size)
        )),
        Layer::Replay if judged.clear(Layer::File) => {
            Some("every start, undo and decision was allowed by the plan at its moment".to_owned())
        }
        Layer::Trust if sealed?.trusted => {
            Some("the log is sealed by the key that is believed".to_owned())
        }
        Layer::Seal => sealed.map(|sealed| {
            format!(
                "{} of {} entries stand under seals that hold",
                count(sealed.sealed),
                count(judged.size)
            )
        }),
        Layer::Witness => sealed.filter(|sealed| sealed.witnessed > 0).map(|sealed| {
            let by: Vec<&str> = sealed.by.iter().map(|name| &**name).collect();
            format!(
                "{} entries are signed by {}",
                count(sealed.witnessed),
                by.join(", ")
            )
        }),
        Layer::Approval if judged.signatures > 0 => Some(format!(
            "{} hold, each for its own decision",
            some(judged.signatures, "signature", "signatures")
        )),
        _ => None,
    }
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
