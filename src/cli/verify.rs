//! `handover verify RUN|LOG`: is the record whole, was it honest, do the data agree with it?

use super::Outcome;
use super::args::{Global, Verify};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::log::{self, Log};
use super::output::Output;
use super::site;
use crate::machine::event::ClockKind;
use crate::replay::verify::{Evidence, Finding, Report, verify as judge};
use crate::report::proof::{Claim, Outcome as Held, ProofReport};
use crate::report::words::count;
use crate::run::against_live;

pub(super) async fn verify(args: &Verify, global: &Global, output: &Output) -> Outcome {
    let mut log = log::open(&args.what, global).await?;
    let size = log.of.as_ref().map(|(_, site)| site.head.size);
    let lines = log.folder.lines()?;
    let judged = judge(&mut log.folder, lines, &Evidence { size, anchor: None });
    let mut claims = claims(&judged);
    if args.against_live {
        live(&log, &mut claims).await?;
    }
    let opened = judged.run.opened();
    let clock = opened.map_or(ClockKind::Real, |opened| opened.clock);
    let unseen = |says: &&&str| !args.against_live || !says.contains("were not looked at");
    let not_proved = judged.not_proven.iter().filter(unseen);
    let not_proved = not_proved.map(ToString::to_string).collect();
    let report = ProofReport::of(&args.what, clock, claims, not_proved);
    output.report(&report);
    Ok(Exit::of(if judged.exit() == Exit::Newer as u8 {
        judged.exit()
    } else {
        report.exit
    }))
}

fn claims(judged: &Report) -> Vec<Claim> {
    // A log that is only not closed holds as far as it goes.
    let holds = judged.findings.iter().all(|one| one.code == "UNCLOSED");
    let whole = format!("{} entries, none missing, none altered", count(judged.size));
    let honest = "every start, undo and decision was allowed by the plan at its moment";
    let held = [("record", whole.as_str()), ("replay", honest)].into_iter();
    let held = held.filter(|_| holds);
    held.map(|(name, says)| Claim::new(name, Held::Pass, says))
        .chain(judged.findings.iter().map(claim))
        .collect()
}

fn claim(finding: &Finding) -> Claim {
    let outcome = if finding.missing {
        Held::CannotTell
    } else {
        Held::Fail
    };
    let at = finding
        .seq
        .map_or(String::new(), |seq| format!("entry {seq}: "));
    Claim::new(finding.code, outcome, format!("{at}{}", finding.says))
}

async fn live(log: &Log, claims: &mut Vec<Claim>) -> Result<(), Failure> {
    let Some((project, site)) = &log.of else {
        return Err(Failure::usage("an exported log knows no databases")
            .with(hint("name the run to hold the databases against it")));
    };
    let plan = site::plan_of(site)?;
    let readers = site::readers(project, &plan).await?;
    for held in against_live::look(site, &readers, &site.key()?).await? {
        let says = format!(
            "{}: {} rows read back, {} differ; effects: {} logged, {} in the ledgers",
            held.step,
            count(held.rows),
            count(held.differing),
            held.logged,
            held.ledgered
        );
        let outcome = if held.agrees() {
            Held::Pass
        } else {
            Held::Fail
        };
        claims.push(Claim::new("live data", outcome, says));
    }
    Ok(())
}
