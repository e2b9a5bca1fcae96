//! `handover verify RUN --against-live`: what the organisations' databases say, as claims of the proof.
//!
//! Not here: what is looked at (`run::against_live`), how it is printed (`report`).

use super::failure::{Failure, hint};
use super::log::Log;
use super::site;
use crate::copy::fault::LoadFault;
use crate::copy::verify::narrow::Narrowed;
use crate::machine::effects::Differs;
use crate::replay::verify::Layer;
use crate::report::differing::{DifferingRow, Values};
use crate::report::proof::{Claim, Outcome};
use crate::report::words::{count, some};
use crate::run::against_live::{self, Ask, Back, Held, Ledgers, Source};

/// What came of it.
#[derive(Default)]
pub(super) struct Live {
    pub(super) claims: Vec<Claim>,
    pub(super) differing: Vec<DifferingRow>,
    pub(super) not_proved: Vec<String>,
}

/// Holds a run's databases against its log.
pub(super) async fn look(log: &mut Log, ask: Ask<'_>) -> Result<Live, Failure> {
    let Some((project, site)) = &mut log.of else {
        return Err(Failure::usage("an exported log knows no databases")
            .with(hint("name the run to hold the databases against it")));
    };
    let mut live = Live::default();
    if site.run.closed() {
        let says = "the run is closed: its ledgers were taken out of the databases, and what they held then is in \
                    the pack";
        live.claims
            .push(Claim::new(Layer::Data.name(), Outcome::CannotTell, says));
        return Ok(live);
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
    let key = site.key()?;
    let ledgers = against_live::ledgers(site, &readers, ask.step).await?;
    let found = against_live::look(site, &readers, &key, ask).await?;
    if let (Some(step), []) = (ask.step, found.as_slice()) {
        let says = format!("{step} has not finished, or writes to no database");
        live.say(Layer::Data.name(), Outcome::CannotTell, says);
    }
    live.ledgers(&ledgers);
    for held in &found {
        live.rows(held);
    }
    let back = against_live::taken_back(site, &readers, &key, &ledgers.logged).await?;
    for back in &back {
        live.taken_back(back);
    }
    match against_live::sources(site, &readers, &key, ask.step).await {
        Ok(found) => live.sources(&found),
        Err(LoadFault::Db(fault)) => return Err(fault.into()),
        Err(fault) => live.say(Layer::Data.name(), Outcome::CannotTell, fault.to_string()),
    }
    Ok(live)
}

impl Live {
    fn say(&mut self, name: &str, outcome: Outcome, says: String) {
        self.claims.push(Claim::new(name, outcome, says));
    }

    fn ledgers(&mut self, ledgers: &Ledgers) {
        if ledgers.differs.is_empty() && ledgers.effects > 0 {
            let says = format!(
                "{} effects in the ledgers, each with its mark in the log",
                count(ledgers.effects)
            );
            self.say(Layer::Data.name(), Outcome::Pass, says);
        }
        for Differs {
            code, seq, says, ..
        } in &ledgers.differs
        {
            let at = seq.map_or(String::new(), |seq| format!("entry {seq}: "));
            self.say(code, Outcome::Fail, format!("{at}{says}"));
        }
        if ledgers.more > 0 {
            let says = format!("{} differences more are not shown", count(ledgers.more));
            self.say(Layer::Data.name(), Outcome::Fail, says);
        }
    }

    fn rows(&mut self, held: &Held) {
        let extra = match held.extra {
            0 => String::new(),
            rows => format!(", {} that no ledger knows", count(rows)),
        };
        let (rows, differing) = (count(held.rows), count(held.differing));
        let says = format!(
            "{}: {rows} rows read back, {differing} differ{extra}",
            held.step
        );
        if held.agrees() {
            self.say(Layer::Data.name(), Outcome::Pass, says);
        } else {
            self.say("MANIFEST_MISMATCH", Outcome::Fail, says);
        }
        let rows = held.rows_named.iter();
        let told = rows.flat_map(|row| told(held.step.as_str(), row));
        self.differing.extend(told);
    }

    fn taken_back(&mut self, back: &Back) {
        let says = format!(
            "{}: of {} rows that were taken back (entry {}), {} stand as they were written",
            back.step,
            count(back.rows),
            back.seq,
            count(back.standing)
        );
        if back.holds() {
            self.say(Layer::Data.name(), Outcome::Pass, says);
        } else {
            self.say("ROLLBACK_ROOT", Outcome::Fail, says);
        }
    }

    fn sources(&mut self, sources: &[Source]) {
        for of_step in sources.chunk_by(|one, other| one.step == other.step) {
            let stands = |source: &&Source| source.lines.is_some_and(|lines| lines.stands());
            let standing: Vec<&Source> = of_step.iter().filter(stands).collect();
            if let Some(Source { step, org, .. }) = standing.first() {
                let lines = standing.iter().filter_map(|source| source.lines);
                let says = format!(
                    "{step}: {} of {org} read again, {} lines, each as it was copied",
                    some(standing.len(), "table", "tables"),
                    count(lines.map(|lines| lines.lines).sum())
                );
                self.say(Layer::Data.name(), Outcome::Pass, says);
            }
            let others = of_step.iter().filter(|source| !stands(source));
            for source in others {
                self.drifted(source);
            }
        }
    }

    fn drifted(&mut self, source: &Source) {
        let Source {
            step, org, table, ..
        } = source;
        let Some(lines) = &source.lines else {
            let says = format!(
                "whether `{table}` of {org} is still what {step} copied: the run itself wrote to it"
            );
            self.not_proved.push(says);
            return;
        };
        let says = format!(
            "{step}: `{table}` of {org} read again, {} lines; {} new or changed, {} changed or gone",
            count(lines.lines),
            count(lines.strange),
            count(lines.gone)
        );
        match &source.awaits {
            None => self.say("SOURCE_DRIFT", Outcome::Fail, says),
            Some(later) => {
                let says = format!("{says}: {later} has yet to bring that over");
                self.not_proved.push(says);
            }
        }
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
