//! The look itself: every step says what stands against it and what it would do, through read-only
//! connections; counts are summed, dates set in order, points of no return found.
//!
//! Not here: what a step looks at (`steps`), signatures (`sign`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::model::{CodeUse, FORMAT, FindingSaid, HomesSaid, PlaceSaid, Preview, StepSaid};
use super::paper::Paper;
use super::reading::Reading;
use super::timetable::{Rehearsed, frozen_work, points, timetable};
use crate::copy::look::unmapped_codes;
use crate::copy::route::Route;
use crate::machine::event::ClockKind;
use crate::orgdb::{DbFault, OrgReader};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, DataCopy, Place, Plan, Step, StepSpec};
use crate::plan::outline::{StepId, Undo};
use crate::steps::{self, Finding, Forecast, Look, RunLook};

/// When a preview is made.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The plan's time.
    pub as_at: Timestamp,
    /// Whether that is the wall clock's.
    pub clock: ClockKind,
}

/// A preview that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LookFault {
    /// A step could not look.
    #[error("look at `{step}`")]
    Step {
        /// Which.
        step: StepId,
        /// Why.
        #[source]
        fault: steps::Fault,
    },
    /// A source could not be read for its codes.
    #[error("read the codes that `{step}` maps")]
    Codes {
        /// The first step that maps them.
        step: StepId,
        /// Why.
        #[source]
        fault: DbFault,
    },
}

/// Looks at a plan, before any run of it or in the midst of `run`: rows that the run has brought stand in
/// nobody's way then. Nothing is written anywhere.
///
/// # Errors
/// When a database cannot be used: a preview that leaves something out is no preview.
pub async fn look(
    plan: Arc<Plan>,
    readers: Arc<BTreeMap<Code, OrgReader>>,
    moment: &Moment,
    rehearsed: Option<&Rehearsed>,
    run: Option<&RunLook>,
) -> Result<Preview, LookFault> {
    // What a task or a wait asks for as it starts is no finding of a preview.
    let of_rows = |step: &usize| {
        let does = &plan.steps[*step].does;
        matches!(does, StepSpec::DataCopy(_) | StepSpec::CatchUp(_))
    };
    let looks: Vec<Look> = (0..plan.steps.len())
        .map(|step| Look {
            plan: plan.clone(),
            step,
            readers: readers.clone(),
            as_at: moment.as_at,
            run: run.filter(|_| of_rows(&step)).cloned(),
        })
        .collect();
    // Two passes over a source, side by side: its codes, and what would become of its rows.
    let (findings, steps) = tokio::join!(findings(&plan, &looks), forecasts(&plan, &looks, moment));
    let (mut findings, mut steps) = (findings?, steps?);
    if let Some(run) = run {
        brought_once(&plan, &mut steps, run);
    }
    findings.sort_by_key(|finding| !finding.stops);
    let unmapped = unmapped(&plan, &readers).await?;
    let reading = Reading::of(&steps, &findings);
    let preview = Preview {
        format: FORMAT,
        paper: Paper::of(&plan),
        former: None,
        clock: moment.clock,
        read_at: moment.as_at,
        handover: plan.handover,
        timezone: plan
            .timezone
            .iana_name()
            .unwrap_or("Europe/London")
            .to_owned(),
        sources: plan.sources.clone(),
        targets: plan.targets.clone(),
        orgs: plan
            .orgs
            .iter()
            .map(|(code, org)| (code.clone(), org.name.clone()))
            .collect(),
        roles: plan
            .roles
            .iter()
            .map(|(code, role)| (code.clone(), role.title.clone()))
            .collect(),
        homes: homes(&plan, &reading),
        reading,
        shown: Digest::ZERO,
        steps,
        findings,
        unmapped,
        timetable: timetable(&plan),
        points: points(&plan, rehearsed),
        frozen: frozen_work(&plan, rehearsed),
        seats: plan.signed_by.clone(),
        signatures: Vec::new(),
    };
    Ok(preview.as_shown())
}

/// Copies before a switch: they bring the homes that it finds when its turn comes.
pub fn filled_by<'p>(plan: &'p Plan, switch: &'p StepId) -> impl Iterator<Item = &'p StepId> {
    let switches = |step: &Step| matches!(step.does, StepSpec::Switch(_));
    let is_one = plan.step(switch).is_some_and(switches);
    let copies = plan.steps.iter().filter(move |step| {
        is_one
            && matches!(step.does, StepSpec::DataCopy(_))
            && plan.outline.comes_before(&step.id, switch)
    });
    copies.map(|step| &step.id)
}

/// Homes that a copy of the run has brought count where they came from, not once more where they are.
fn brought_once(plan: &Plan, steps: &mut [StepSaid], run: &RunLook) {
    for step in steps {
        let mut copies = filled_by(plan, &step.id);
        if copies.any(|copy| run.generations.contains_key(copy)) {
            step.counts.clear();
        }
    }
}

/// What stands against each step.
async fn findings(plan: &Plan, looks: &[Look]) -> Result<Vec<FindingSaid>, LookFault> {
    let mut findings = Vec::new();
    for look in looks {
        let id = &look.step().id;
        let found = steps::check(look).await.map_err(|fault| at(id, fault))?;
        gather(&mut findings, plan, id, found);
    }
    Ok(findings)
}

/// What each step would do.
async fn forecasts(
    plan: &Plan,
    looks: &[Look],
    moment: &Moment,
) -> Result<Vec<StepSaid>, LookFault> {
    let mut steps = Vec::with_capacity(looks.len());
    for look in looks {
        let forecast = steps::preview(look).await;
        let forecast = forecast.map_err(|fault| at(&look.step().id, fault))?;
        steps.push(said(plan, look.step, forecast, moment));
    }
    Ok(steps)
}

/// Live codes that the plan's maps do not cover, with whose rows use them. Copies that share a source
/// and a map are read once.
///
/// # Errors
/// When a source cannot be read.
pub async fn unmapped(
    plan: &Plan,
    readers: &BTreeMap<Code, OrgReader>,
) -> Result<Vec<CodeUse>, LookFault> {
    let mut uses = Vec::new();
    for (id, copies) in flocks(plan) {
        let first = copies[0];
        let Some(reader) = readers.get(&first.source) else {
            continue;
        };
        let route = Route {
            source: first.source.clone(),
            targets: copies.iter().map(|copy| copy.target.clone()).collect(),
            split: first.split.clone(),
            handover: plan.handover,
        };
        let live = unmapped_codes(reader, &first.map, &first.tables, &route)
            .await
            .map_err(|fault| LookFault::Codes {
                step: id.clone(),
                fault,
            })?;
        uses.extend(live.iter().map(|live| CodeUse {
            map: first.map_path.clone(),
            list: live.list.clone(),
            code: live.code.clone(),
            rows: live.rows.clone(),
        }));
    }
    Ok(uses)
}

/// Copies that read the same tables of the same source through the same map, by the first of them.
fn flocks(plan: &Plan) -> Vec<(&StepId, Vec<&DataCopy>)> {
    let mut flocks: Vec<(&StepId, Vec<&DataCopy>)> = Vec::new();
    for step in &plan.steps {
        let StepSpec::DataCopy(copy) = &step.does else {
            continue;
        };
        let same = |flock: &&mut (&StepId, Vec<&DataCopy>)| flock.1[0].shares_source_with(copy);
        match flocks.iter_mut().find(same) {
            Some(flock) => flock.1.push(copy),
            None => flocks.push((&step.id, vec![copy])),
        }
    }
    flocks
}

fn at(step: &StepId, fault: steps::Fault) -> LookFault {
    LookFault::Step {
        step: step.clone(),
        fault,
    }
}

fn said(plan: &Plan, at: usize, forecast: Forecast, moment: &Moment) -> StepSaid {
    let (step, outline) = (&plan.steps[at], &plan.outline.steps[at]);
    let closed = outline
        .undo_until
        .is_some_and(|until| until <= moment.as_at);
    StepSaid {
        id: step.id.clone(),
        name: step.name.clone(),
        kind: step.does.kind().to_owned(),
        title: step.title.clone(),
        phase: plan
            .phases
            .get(step.phase)
            .map_or(String::new(), |phase| phase.name.clone()),
        org: step.org.clone(),
        after: outline.after.clone(),
        undo: if closed {
            Undo::Cannot
        } else {
            step.undo.clone()
        },
        seats: match &step.does {
            StepSpec::Approval(approval) => approval.seats.clone(),
            StepSpec::Task(task) => vec![task.seat.clone()],
            _ => Vec::new(),
        },
        line: forecast.line,
        notes: forecast.notes,
        counts: forecast.counts,
        unrouted: forecast.unrouted,
    }
}

/// Adds findings of a step; the same finding of several siblings stands once, with the rows of each.
fn gather(all: &mut Vec<FindingSaid>, plan: &Plan, step: &StepId, found: Vec<Finding>) {
    for finding in found {
        let same = |said: &&mut FindingSaid| {
            said.code == finding.code && said.says == finding.says && said.about == finding.about
        };
        if let Some(said) = all.iter_mut().find(same) {
            said.steps.push(step.clone());
            said.stops |= finding.stops;
            said.rows.extend(finding.rows);
            continue;
        }
        all.push(FindingSaid {
            code: finding.code.to_owned(),
            stops: finding.stops,
            steps: vec![step.clone()],
            place: finding.place.and_then(|place| located(plan, &place)),
            says: finding.says,
            help: finding.help,
            about: finding.about,
            rows: finding.rows,
        });
    }
}

fn located(plan: &Plan, place: &Place) -> Option<PlaceSaid> {
    let text = std::str::from_utf8(plan.papers.get(&place.file)?).ok()?;
    let before = text.get(..place.span.start)?;
    Some(PlaceSaid {
        file: place.file.clone(),
        line: before.matches('\n').count() + 1,
        column: before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1,
    })
}

/// The plan's number of homes beside the rows of the datasets that hold homes.
fn homes(plan: &Plan, reading: &Reading) -> Option<HomesSaid> {
    let homes = plan.homes.as_ref()?;
    Some(HomesSaid {
        says: homes.count,
        as_at: homes.as_at,
        tolerance: homes.tolerance,
        found: reading.homes(),
    })
}
