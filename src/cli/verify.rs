//! `handover verify RUN|LOG|PACK`: is the record whole, was it honest, do the data agree with it?

use jiff::Timestamp;

use super::Outcome;
use super::args::{Global, Verify};
use super::exit::Exit;
use super::failure::Failure;
use super::log::{self, Log};
use super::output::Output;
use super::{against_live, one_entry, trust};
use crate::calendar::dates::Dates;
use crate::export::pack::annex;
use crate::export::{leaks, stamp};
use crate::machine::event::ClockKind;
use crate::machine::run::Run;
use crate::replay::verify::{Evidence, Findings, Layer, verify as judge};
use crate::report::judged::claims;
use crate::report::proof::{Claim, Outcome as Held, ProofReport};
use crate::run::against_live::Ask;
use crate::seal::Seal;

pub(super) async fn verify(args: &Verify, global: &Global, output: &Output) -> Outcome {
    if let Some(proof) = one_entry::proof(&args.what) {
        return one_entry::verify(proof, args, output);
    }
    let mut log = log::doubted(&args.what, global).await?;
    let mut evidence = trust::evidence(args, &log)?;
    let beside = beside(args, &log, &mut evidence)?;
    let lines = log.folder.lines()?;
    let judged = judge(&mut log.folder, lines, &evidence);
    let mut not_proved = judged.not_proven.clone();
    not_proved.extend(beside.not_proved(args, &judged.run));
    let judged = judged.with(beside.findings);
    let mut claims = claims(&judged);
    if log.pack.is_some() && judged.clear(Layer::Pack) {
        let says = "every file is as its lists say, and what is derived is what the log gives";
        claims.insert(0, Claim::new(Layer::Pack.name(), Held::Pass, says));
    }
    let mut differing = Vec::new();
    if args.against_live {
        let ask = Ask {
            step: args.step.as_deref(),
            values: args.show_values,
        };
        let live = against_live::look(&mut log, ask).await?;
        claims.extend(live.claims);
        differing = live.differing;
        not_proved.retain(|says| !says.contains("databases were not looked at"));
        not_proved.extend(live.not_proved);
    }
    let opened = judged.run.opened();
    let clock = opened.map_or(ClockKind::Real, |opened| opened.clock);
    let report = ProofReport::of(&args.what, clock, claims, not_proved).with(differing);
    output.report(&report);
    Ok(Exit::of(report.exit))
}

/// What lies beside a log, or was brought along.
struct Beside {
    findings: Findings,
    /// Time-stamps over its seals: how many entries, by when.
    stamped: Vec<(u64, Option<Timestamp>)>,
    not_proved: Vec<String>,
}

/// Looks at everything beside the lines; seals that lie there go to the others that are known.
fn beside(args: &Verify, log: &Log, evidence: &mut Evidence) -> Result<Beside, Failure> {
    let mut beside = Beside {
        findings: Findings::default(),
        stamped: Vec::new(),
        not_proved: Vec::new(),
    };
    let mut known: Vec<Seal> = log.folder.seals().flatten().collect();
    if let Some(outside) = &mut evidence.outside {
        known.extend(outside.seals.iter().cloned());
        if let Some(pack) = &log.pack {
            let noted = args.noted.as_ref();
            let packed = pack.check(noted.and_then(|noted| noted.trim().parse().ok()))?;
            beside.not_proved.extend(packed.not_proved);
            beside.findings.join(packed.findings);
            beside.stamped.extend(packed.stamped);
            known.extend(packed.seals.iter().cloned());
            outside.seals.extend(packed.seals);
        } else {
            beside.findings.extend(leaks::of_log(&log.folder)?);
        }
    }
    let stamps = trust::stamps(args)?;
    if !stamps.is_empty() {
        let held = stamp::check(&stamps, &known, &log.folder);
        beside.findings.extend(held.findings);
        beside.stamped.extend(held.told);
    }
    if let Some(folder) = &args.annex {
        beside.findings.join(annex::check(folder, &log.folder)?);
    }
    Ok(beside)
}

impl Beside {
    fn not_proved(&self, args: &Verify, run: &Run) -> Vec<String> {
        let told = self.stamped.iter().map(|(size, time)| match time {
            Some(time) => format!(
                "who stamped the seal of {size} entries as of {}: `openssl ts -verify` judges that",
                Dates::default().with_zone(*time)
            ),
            None => format!("when the seal of {size} entries was stamped: its time cannot be read"),
        });
        let annex = (run.closed() && args.annex.is_none()).then(|| {
            "the restricted annex was not looked at (`--annex`): who the codes stand for, reasons, what was handed in"
                .to_owned()
        });
        told.chain(annex).chain(self.not_proved.clone()).collect()
    }
}
