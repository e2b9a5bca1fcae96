//! `tenant-notification`: a row per person and purpose in the target's outbox, with the reason where
//! nobody is written to, and one file beside the run for each letter or e-mail.
//!
//! Nobody is written to twice in a run for one purpose, whatever is killed when: the row comes first
//! (`planned`), then the file, then the row says `written`. What was planned before a crash is
//! finished: a file that is there whole is left as it is.
//!
//! In: recipients through the map, the template. Out: rows of `handover_outbox` (a reference and no
//! name), files for the owner's eyes.
//!
//! Not here: the rules (`notify`), sending.

mod desk;
mod paper;

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;

use self::desk::{Desk, OUTBOX, written};
use self::paper::FIELDS;
use super::hand::Hand;
use super::register::said;
use super::{Act, Fault, Finding, Forecast, Look, Output, shape, undoing, whose};
use crate::copy::counts::Counts;
use crate::copy::look::{Mapped, mapped_rows};
use crate::copy::route::Route;
use crate::machine::event::{UndoCommitted, UndoMode};
use crate::notify::{Decision, Recipient, Template, decide_all, recipient};
use crate::plan::map::Dataset;
use crate::plan::model::TenantNotification;
use crate::plan::outline::Undo;

const BATCH: usize = 1_000;

pub(super) async fn check(look: &Look, step: &TenantNotification) -> Result<Vec<Finding>, Fault> {
    let mut found = unknown_fields(step);
    let Some(dataset) = dataset(step) else {
        let says = format!("`{}` has no `[table.recipient]`", step.recipients.path);
        found.push(Finding::stop("HO526", "recipient", says).help("say there who is written to"));
        return Ok(found);
    };
    let source = look.reader(&step.source)?.catalogue().await?;
    found.extend(shape::at_source(&step.recipients, &[dataset], &source));
    found.extend(unsaid(dataset));
    let split = step.split.as_deref();
    found.extend(whose::misfits(&step.recipients, split, &source));
    if !found.iter().any(|finding| finding.stops) {
        found.extend(whose::check(look, &step.source, &step.recipients, split).await?);
    }
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &TenantNotification) -> Result<Forecast, Fault> {
    let Some(dataset) = dataset(step) else {
        return Ok(Forecast::default());
    };
    let everybody = Everybody::read(look, step, dataset).await?;
    let mut counts = Counts::default();
    let (mut letters, mut emails) = (0, 0);
    for (_, decision) in everybody.once() {
        match decision {
            Decision::Letter { .. } => letters += 1,
            Decision::Email { .. } => emails += 1,
            Decision::ByHand(why) => {
                *counts
                    .filtered
                    .entry(format!("by-hand/{}", why.code()))
                    .or_default() += 1;
            }
            Decision::Nothing(why) => {
                *counts
                    .filtered
                    .entry(format!("nothing/{}", why.code()))
                    .or_default() += 1;
            }
        }
    }
    counts.copied = letters + emails;
    counts.rejected.clone_from(&everybody.rejected);
    let line = match emails {
        0 => format!("{letters} letters"),
        _ => format!("{letters} letters, {emails} e-mails"),
    };
    Ok(Forecast {
        line,
        counts: BTreeMap::from([(
            step.target.clone(),
            BTreeMap::from([("recipient".to_owned(), counts)]),
        )]),
        ..Forecast::default()
    })
}

pub(super) async fn run(act: &Act, step: &TenantNotification) -> Result<Output, Fault> {
    let look = &act.look;
    let (Some(run), Some(dataset)) = (&look.run, dataset(step)) else {
        let says = "letters are written by a run, and nothing else".to_owned();
        return Err(Fault::broken("HO526", "recipient", says));
    };
    let everybody = Everybody::read(look, step, dataset).await?;
    let mut desk = Desk::open(act, run, step).await?;
    let standing = desk.standing().await?;
    desk.finish(&everybody, &standing).await?;

    let known = |person: &str| standing.contains_key(person);
    let new: Vec<(&Recipient, &Decision)> = everybody
        .once()
        .into_iter()
        .filter(|(who, _)| !known(&who.person_ref))
        .collect();
    let last = standing.values().map(|row| row.batch).max().unwrap_or(0);
    for (batch, people) in (last + 1..).zip(new.chunks(BATCH)) {
        desk.write(batch, people).await?;
    }
    desk.done(everybody.rejected.values().sum()).await
}

/// A letter that was written cannot be unwritten: by hand, once there is one.
pub(super) async fn undo(
    act: &Act,
    step: &TenantNotification,
    mode: UndoMode,
) -> Result<UndoCommitted, Fault> {
    let hand = Hand::open(act, &[&step.target]).await?;
    if hand.effects() == 0 {
        return Ok(undoing::nothing(mode));
    }
    let letters = written(act, step).await?;
    if letters == 0 {
        return undoing::databases(act, &[&step.target], mode).await;
    }
    let remedy = match &act.look.step().undo {
        Undo::ByHand(remedy) => remedy.clone(),
        _ => "send a correction to everybody who was written to".to_owned(),
    };
    let says = format!("{letters} letters are written: only a person takes that back");
    Err(Fault::refused("HO529", OUTBOX, letters, says).help(format!("by hand: {remedy}")))
}

/// Everybody the map finds, each with the decision for them.
struct Everybody {
    people: Vec<Recipient>,
    decisions: Vec<Decision>,
    /// Rows that could not be read as a recipient, by rule code and column.
    rejected: BTreeMap<String, u64>,
}

impl Everybody {
    async fn read(
        look: &Look,
        step: &TenantNotification,
        dataset: &Dataset,
    ) -> Result<Everybody, Fault> {
        let route = Route {
            source: step.source.clone(),
            targets: match step.split {
                Some(_) => look.plan.targets.clone(),
                None => vec![step.target.clone()],
            },
            split: step.split.clone(),
            handover: look.plan.handover,
        };
        let reader = look.reader(&step.source)?;
        let rows = mapped_rows(reader, &step.recipients, dataset, &route, &step.target).await?;
        let mut people = Vec::with_capacity(rows.len());
        let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
        for (_, mapped) in rows {
            match mapped {
                Mapped::Row(values) => {
                    let names = dataset.columns.iter().map(|column| column.into.as_str());
                    people.push(Recipient::new(names.zip(values.iter().map(said))));
                }
                Mapped::Filtered(_) => {}
                Mapped::Rejected { code, column } => {
                    *rejected.entry(format!("{code} {column}")).or_default() += 1;
                }
            }
        }
        let today = look.as_at.to_zoned(look.plan.timezone.clone()).date();
        let adult = today.checked_sub(18.years()).unwrap_or(today).to_string();
        Ok(Everybody {
            decisions: decide_all(&people, step.class, &adult),
            people,
            rejected,
        })
    }

    /// Each person once: in the tenancy for which something is to be done, where there is one.
    fn once(&self) -> Vec<(&Recipient, &Decision)> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut once: Vec<(&Recipient, &Decision)> = Vec::new();
        for (who, decision) in self.people.iter().zip(&self.decisions) {
            match seen.get(who.person_ref.as_str()) {
                None => {
                    seen.insert(&who.person_ref, once.len());
                    once.push((who, decision));
                }
                Some(at) if matches!(once[*at].1, Decision::Nothing(_)) => {
                    once[*at] = (who, decision);
                }
                Some(_) => {}
            }
        }
        once
    }
}

fn dataset(step: &TenantNotification) -> Option<&Dataset> {
    let datasets = &step.recipients.datasets;
    datasets.iter().find(|dataset| dataset.name == "recipient")
}

fn unknown_fields(step: &TenantNotification) -> Vec<Finding> {
    let template = Template::new(&step.text);
    let unknown = template.fields();
    let unknown = unknown.into_iter().filter(|field| !FIELDS.contains(field));
    let findings = unknown.map(|field| {
        let says = format!(
            "`{}` asks for `(({field}))`, which nobody fills",
            step.template
        );
        let about = format!("{}:{field}", step.template);
        Finding::stop("HO525", about, says).help(format!("use one of {}", FIELDS.join(", ")))
    });
    findings.collect()
}

/// Columns without which somebody could be written to who must not be.
fn unsaid(dataset: &Dataset) -> Vec<Finding> {
    let mapped: BTreeSet<&str> = dataset
        .columns
        .iter()
        .map(|one| one.into.as_str())
        .collect();
    let finding = |column: &str, stops: bool| {
        let says = format!("the map does not say what `recipient.{column}` is");
        Finding {
            stops,
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO526", format!("recipient.{column}"), says)
                .help("map it, or give it a constant if the register truly knows nothing of it")
        }
    };
    let missing = recipient::COLUMNS
        .iter()
        .filter(|column| !mapped.contains(*column));
    let needed = missing.filter(|column| recipient::NEEDED.contains(column));
    let mut found: Vec<Finding> = needed.map(|column| finding(column, true)).collect();
    let strange = mapped
        .iter()
        .filter(|column| !recipient::COLUMNS.contains(column));
    found.extend(strange.map(|column| {
        let says = format!("`recipient.{column}` is no column that letters know");
        Finding::warn("HO526", format!("recipient.{column}"), says).help("leave it out of the map")
    }));
    found
}
