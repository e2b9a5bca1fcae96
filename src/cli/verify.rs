//! `handover verify RUN|LOG|PACK`: is the record whole, was it honest, do the data agree with it?

use std::cmp::Ordering;

use super::Outcome;
use super::args::{Global, Verify};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::log::{self, Log};
use super::output::Output;
use super::{site, trust};
use crate::copy::verify::narrow::Narrowed;
use crate::export::pack::Pack;
use crate::machine::event::ClockKind;
use crate::replay::verify::{Layer, verify as judge};
use crate::report::differing::{DifferingRow, Values};
use crate::report::judged::claims;
use crate::report::proof::{Claim, Outcome as Held, ProofReport};
use crate::report::words::count;
use crate::run::against_live::{self, Ask};

pub(super) async fn verify(args: &Verify, global: &Global, output: &Output) -> Outcome {
    let mut log = log::doubted(&args.what, global).await?;
    let mut evidence = trust::evidence(args, &log)?;
    let packed = log.pack.as_ref().map(Pack::check).transpose()?;
    if let (Some(packed), Some(outside)) = (&packed, &mut evidence.outside) {
        outside.seals.extend(packed.seals.iter().cloned());
    }
    let lines = log.folder.lines()?;
    let judged = judge(&mut log.folder, lines, &evidence);
    let mut not_proved = judged.not_proven.clone();
    let (judged, packed) = match packed {
        Some(packed) => (judged.with(packed.findings), true),
        None => (judged, false),
    };
    let mut claims = claims(&judged);
    let whole = !judged.findings.iter().any(|one| one.layer() == Layer::Pack);
    if packed && whole {
        let says = "every file is as its lists say, and what is derived is what the log gives";
        claims.insert(0, Claim::new(Layer::Pack.name(), Held::Pass, says));
    }
    let mut differing = Vec::new();
    if args.against_live {
        let ask = Ask {
            step: args.step.as_deref(),
            values: args.show_values,
        };
        differing = live(&log, ask, &mut claims).await?;
        not_proved.retain(|says| !says.contains("databases were not looked at"));
    }
    let opened = judged.run.opened();
    let clock = opened.map_or(ClockKind::Real, |opened| opened.clock);
    let report = ProofReport::of(&args.what, clock, claims, not_proved).with(differing);
    output.report(&report);
    Ok(Exit::of(report.exit))
}

async fn live(
    log: &Log,
    ask: Ask<'_>,
    claims: &mut Vec<Claim>,
) -> Result<Vec<DifferingRow>, Failure> {
    let Some((project, site)) = &log.of else {
        return Err(Failure::usage("an exported log knows no databases")
            .with(hint("name the run to hold the databases against it")));
    };
    if site.run.closed() {
        let says = "the run is closed: its ledgers were taken out of the databases, and what they held then is in \
                    the pack";
        claims.push(Claim::new(Layer::Data.name(), Held::CannotTell, says));
        return Ok(Vec::new());
    }
    let plan = site::plan_of(site)?;
    if let Some(step) = ask.step {
        let known = plan.steps.iter().any(|one| one.id.as_str() == step);
        if !known {
            return Err(Failure::usage(format!("there is no step called `{step}`"))
                .with(hint("handover status names every step")));
        }
    }
    let readers = site::readers(project, &plan).await?;
    let mut differing = Vec::new();
    let found = against_live::look(site, &readers, &site.key()?, ask).await?;
    if let (Some(step), []) = (ask.step, found.as_slice()) {
        let says = format!("{step} has not finished, or writes to no database");
        claims.push(Claim::new("live data", Held::CannotTell, says));
    }
    for held in found {
        let extra = match held.extra {
            0 => String::new(),
            rows => format!(", {} that no ledger knows", count(rows)),
        };
        let says = format!(
            "{}: {} rows read back, {} differ{extra}; effects: {} logged, {} in the ledgers",
            held.step,
            count(held.rows),
            count(held.differing),
            held.logged,
            held.ledgered
        );
        claims.push(match different(&held) {
            Some(code) => Claim::new(code, Held::Fail, says),
            None => Claim::new(Layer::Data.name(), Held::Pass, says),
        });
        let rows = held.rows_named.iter();
        differing.extend(rows.flat_map(|row| told(held.step.as_str(), row)));
    }
    Ok(differing)
}

/// What a step's difference is called; none where log, ledgers and rows agree.
fn different(held: &against_live::Held) -> Option<&'static str> {
    match held.logged.cmp(&held.ledgered) {
        Ordering::Greater => Some("PHANTOM_COMMIT"),
        Ordering::Less => Some("UNLOGGED_EFFECT"),
        Ordering::Equal => (!held.agrees()).then_some("MANIFEST_MISMATCH"),
    }
}

/// A row's columns as the report says them.
fn told<'r>(step: &'r str, row: &'r Narrowed) -> impl Iterator<Item = DifferingRow> + 'r {
    row.told().map(move |(column, class)| {
        let both = column.and_then(|column| column.values.clone());
        let [source, target] = both.map_or([None, None], |both| both.map(Some));
        DifferingRow {
            step: step.to_owned(),
            table: row.table.clone(),
            row: row.row.clone(),
            column: column.map(|column| column.name.clone()),
            class: class.to_owned(),
            values: row.key.clone().map(|key| Values {
                key,
                source,
                target,
            }),
        }
    })
}
