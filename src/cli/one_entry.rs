//! `handover verify SEQ.tlog-proof`: one entry that was handed out by itself, with its proof. Its line lies
//! beside the proof, as `SEQ.json`.
//!
//! Not here: the log that it is an entry of, which nobody needs for this.

use std::path::Path;

use super::Outcome;
use super::args::Verify;
use super::brought;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::trust;
use crate::machine::event::ClockKind;
use crate::machine::line;
use crate::plan::quorum::Quorum;
use crate::replay::verify::Layer;
use crate::report::proof::{Claim, Outcome as Held, ProofReport};
use crate::seal::head::NoHead;
use crate::seal::note::NOTE_BYTES_MAX;
use crate::seal::tlog_proof::NoTlogProof;
use crate::seal::{Policy, TlogProof, Vkey};

/// The longest line of a log.
const LINE_BYTES_MAX: u64 = 65_535;

/// The proof file that `verify` is given, if it is one.
pub(super) fn proof(what: &str) -> Option<&Path> {
    let path = Path::new(what);
    let named = path
        .extension()
        .is_some_and(|ending| ending == "tlog-proof");
    (named && path.is_file()).then_some(path)
}

pub(super) fn verify(path: &Path, args: &Verify, output: &Output) -> Outcome {
    if args.against_live || args.annex.is_some() || args.noted.is_some() {
        return Err(
            Failure::usage("one entry knows no databases, no annex and no log")
                .with(hint("give its proof, `--key` and `--policy`")),
        );
    }
    let (mut key, policy) = trust::keys(args)?;
    let most = 2 * NOTE_BYTES_MAX as u64;
    let proof = TlogProof::parse(&brought::bytes(path, "proof", most)?);
    let mut line = brought::bytes(&path.with_extension("json"), "entry", LINE_BYTES_MAX)?;
    // An editor may have ended it.
    line.pop_if(|last| *last == b'\n');
    let mut not_proved = vec![
        "what the other entries say, and whether this one was allowed: one entry stands alone"
            .to_owned(),
    ];
    let claims = match &proof {
        Err(fault) => vec![Claim::new("BAD_PROOF", Held::Fail, fault.to_string())],
        Ok(proof) => {
            let logs = policy.iter().flat_map(|policy| &policy.logs);
            let mut named = logs.filter(|key| key.name() == proof.seal.head.origin);
            key = key.or(named.next().cloned());
            if policy.is_none() {
                not_proved.push(
                    "that anybody outside has seen its seal: no witnesses were named (`--policy`)"
                        .to_owned(),
                );
            }
            judged(proof, &line, key.as_ref(), policy.as_ref())
        }
    };
    let report = ProofReport::of(&args.what, ClockKind::Real, claims, not_proved);
    output.report(&report);
    Ok(Exit::of(report.exit))
}

fn judged(
    proof: &TlogProof,
    entry: &[u8],
    key: Option<&Vkey>,
    policy: Option<&Policy>,
) -> Vec<Claim> {
    let (head, index) = (&proof.seal.head, proof.index);
    let record = match line::parse(entry) {
        Err(fault) => Claim::new("NOT_CANONICAL", Held::Fail, fault.to_string()),
        Ok(read) if read.seq != index => {
            let says = format!(
                "it says that it is entry {}, and its place is {index}",
                read.seq
            );
            Claim::new("SEQ", Held::Fail, says)
        }
        Ok(_) => Claim::new(
            Layer::File.name(),
            Held::Pass,
            format!("entry {index} has its form"),
        ),
    };
    let trust = match key {
        None => {
            let says = "the log's key was not given (`--key`, from the minute)";
            Claim::new("NO_KEY", Held::CannotTell, says)
        }
        Some(key) => match proof.seal.by_log(key) {
            Ok(()) => {
                let says = "its seal is by the key that is believed";
                Claim::new(Layer::Trust.name(), Held::Pass, says)
            }
            Err(NoHead::False) => Claim::new(
                "BAD_SIGNATURE",
                Held::Fail,
                "its seal has a false signature",
            ),
            Err(_) => {
                let says = "its seal is not signed by the key that is believed";
                Claim::new("UNTRUSTED_KEY", Held::Fail, says)
            }
        },
    };
    let seal = match proof.includes(entry).map_err(NoTlogProof::from) {
        Ok(()) => {
            let says = format!(
                "it is entry {index} of {}, sealed with {} entries",
                head.origin, head.size
            );
            Claim::new(Layer::Seal.name(), Held::Pass, says)
        }
        Err(fault) => Claim::new("BAD_PROOF", Held::Fail, fault.to_string()),
    };
    let witnesses = policy.and_then(|policy| witnessed(proof, &policy.quorum));
    [record, trust, seal].into_iter().chain(witnesses).collect()
}

/// Whether the witnesses that an auditor believes have signed its seal; nothing where none are asked for.
fn witnessed(proof: &TlogProof, quorum: &Quorum) -> Option<Claim> {
    quorum.needed.as_ref()?;
    Some(match proof.seal.cosigned(quorum) {
        Err(_) => Claim::new(
            "BAD_SIGNATURE",
            Held::Fail,
            "a witness's signature under its seal is false",
        ),
        Ok(by) => {
            let names: std::collections::BTreeSet<_> = by.keys().cloned().collect();
            let shown: Vec<&str> = names.iter().map(|name| &**name).collect();
            if quorum.met(&names) {
                let says = format!("its seal is signed by {}", shown.join(", "));
                Claim::new(Layer::Witness.name(), Held::Pass, says)
            } else {
                let says = format!(
                    "its seal does not have the signatures of {}",
                    quorum.in_words()
                );
                Claim::new("NO_QUORUM", Held::CannotTell, says)
            }
        }
    })
}
