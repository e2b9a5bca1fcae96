//! Papers in, checked plan or every fault out.
//!
//! In order: `plan.toml` (head, steps), `people.toml`, the maps and letters that steps name, lists; then
//! what all of it means together. A file whose text is broken ends only its own part.
//! Not here: any of those parts; drawing faults (`report::faults`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authored::{Authored, authored};
use super::bound::outline;
use super::fan::{Fanned, fan};
use super::fault::{Fault, PlanFaults};
use super::form::Form;
use super::head::{Head, head};
use super::keys::ROOT;
use super::model::{Phase, Place, Plan, Step};
use super::papers::Papers;
use super::people::{Somebody, people};
use super::proof::Proofs;
use super::shelf::{Shelf, lists, shelf};
use super::source::{Desk, Source};
use super::specs::Ground;
use super::{meeting, names, proof, seats, sense};

/// Reads and checks a plan folder's papers. `name` is the folder's name.
///
/// Papers that no part of the plan names do not count: they are not in the plan's papers, and so not in
/// its fingerprint.
///
/// # Errors
/// Every fault at once, warnings among them, when there is at least one error.
#[expect(
    clippy::needless_pass_by_value,
    reason = "papers are handed over: the plan holds those that count, and no one else needs the rest"
)]
pub fn read(name: &str, papers: Papers) -> Result<Plan, PlanFaults> {
    let mut desk = Desk::default();
    let plan =
        sources(&mut desk, &papers).and_then(|source| plan(&mut desk, name, &papers, &source));
    let faults = PlanFaults::gather(name, desk.faults, desk.texts);
    match plan {
        Some(plan) if faults.errors() == 0 => Ok(Plan {
            warnings: faults,
            ..plan
        }),
        _ => Err(faults),
    }
}

fn sources(desk: &mut Desk, papers: &Papers) -> Option<Source> {
    for path in ["plan.toml", "people.toml"] {
        if papers.get(path).is_none() {
            let place = Place {
                file: path.to_owned(),
                span: 0..0,
            };
            let fault = Fault::error("HO142", &place, format!("the plan folder has no `{path}`"));
            desk.push(fault.help("begin with `handover new NAME`, which writes every paper"));
        }
    }
    desk.open(papers, "plan.toml")
}

fn plan(desk: &mut Desk, name: &str, papers: &Papers, source: &Source) -> Option<Plan> {
    let everybody = everybody(desk, papers);
    lists(desk, papers);
    let table = source.parse(desk)?;
    let root = Form::read(desk, source, table.get_ref(), (0..0, "the plan"), &[ROOT]);
    let head = head(desk, &root);
    let steps = steps(desk, &root, &head);
    if root.has("step") && root.named("step").is_empty() {
        let fault = Fault::error("HO132", &root.key_place("step"), "the plan has no step");
        desk.push(fault.help("add a table `[step.NAME]` for each thing to be done"));
    }
    names::check(desk, &head, &steps, &everybody);
    let proofs = proof::proofs(&head, &steps);
    seats::check(desk, &head, &steps, &everybody, &proofs);
    if let Some(frame) = &head.frame {
        sense::check(desk, frame, &steps);
    }
    let shelf = shelf(desk, papers, &head, &steps);
    let fanned = fan(desk, &head, &steps, &shelf);
    let ground = Ground {
        head: &head,
        steps: &steps,
        fanned: &fanned,
        shelf: &shelf,
    };
    let specs: Vec<Option<_>> = fanned.iter().map(|one| ground.spec(desk, one)).collect();
    let finished = fanned.iter().zip(specs);
    let done: Option<Vec<Step>> = finished
        .map(|(one, spec)| Some(step(&head, &steps[one.of], one, spec?)))
        .collect();
    if let Some(done) = &done {
        meeting::check(desk, done, &fanned);
    }
    let parts = Parts {
        head,
        everybody,
        shelf,
        proofs,
    };
    assemble(name, papers, parts, &steps, &fanned, done?)
}

/// What was read, on its way into the plan.
struct Parts {
    head: Head,
    everybody: Vec<Somebody>,
    shelf: Shelf,
    proofs: Proofs,
}

fn everybody(desk: &mut Desk, papers: &Papers) -> Vec<Somebody> {
    let source = desk.open(papers, "people.toml");
    let all = source.and_then(|source| people(desk, &source));
    all.unwrap_or_default()
}

/// Steps in the order of the table of contents; those in no phase at the end.
fn steps<'t>(desk: &mut Desk, root: &Form<'t>, head: &Head) -> Vec<Authored<'t>> {
    let mut steps: Vec<Authored<'t>> = Vec::new();
    for named in root.named("step") {
        steps.extend(authored(desk, root, &named, head.frame.as_ref()));
    }
    let order: Vec<&str> = head
        .phases
        .iter()
        .flat_map(|phase| phase.steps.iter().map(|said| said.value.as_str()))
        .collect();
    let position: BTreeMap<&str, usize> = order
        .iter()
        .enumerate()
        .rev()
        .map(|(at, name)| (*name, at))
        .collect();
    steps.sort_by_key(|step| {
        position
            .get(step.name.as_str())
            .copied()
            .unwrap_or(usize::MAX)
    });
    steps
}

fn step(head: &Head, authored: &Authored<'_>, one: &Fanned, does: super::model::StepSpec) -> Step {
    let in_phase =
        |phase: &super::head::PhaseList| phase.steps.iter().any(|said| said.value == authored.name);
    Step {
        id: one.id.clone(),
        name: Arc::from(authored.name.as_str()),
        org: one.org.clone(),
        title: authored.title.clone(),
        phase: head.phases.iter().position(in_phase).unwrap_or_default(),
        owner: authored
            .owner
            .as_ref()
            .map(|said| Arc::from(said.value.as_str())),
        due: authored.due.as_ref().map(|said| said.value),
        undo: authored.undo.clone(),
        place: authored.form.heading().clone(),
        does,
    }
}

fn assemble(
    name: &str,
    papers: &Papers,
    parts: Parts,
    steps: &[Authored<'_>],
    fanned: &[Fanned],
    done: Vec<Step>,
) -> Option<Plan> {
    let Parts {
        head,
        everybody,
        shelf,
        proofs,
    } = parts;
    let frame = head.frame.clone()?;
    let mut papers = papers.clone();
    let decisions = |map: &'_ Arc<super::map::Map>| map.decisions.path.clone();
    let decisions = shelf.maps.values().filter_map(decisions);
    let named = shelf.maps.keys().chain(shelf.templates.keys()).cloned();
    let named: BTreeSet<String> = named.chain(decisions).collect();
    papers.keep(|path| {
        let own = matches!(path, "plan.toml" | "people.toml") || path.starts_with("letters/");
        own || super::shelf::counts_as_list(path) || named.contains(path)
    });
    let outline = outline(
        &head,
        &everybody,
        steps,
        (fanned, &done),
        papers.fingerprint(),
        &proofs,
    );
    Some(Plan {
        name: Arc::from(name),
        title: head.title.clone(),
        handover: frame.handover,
        timezone: frame.zone,
        author: Arc::from(head.author.as_ref()?.value.as_str()),
        sources: head.orgs_of(super::model::Each::Source),
        targets: head.orgs_of(super::model::Each::Target),
        homes: head.homes.clone(),
        signed_by: outline.signed_by.clone(),
        phases: head
            .phases
            .iter()
            .map(|phase| Phase {
                name: phase.name.clone(),
                steps: phase
                    .steps
                    .iter()
                    .map(|said| Arc::from(said.value.as_str()))
                    .collect(),
            })
            .collect(),
        orgs: head
            .orgs
            .into_iter()
            .map(|(code, (org, _))| (code, org))
            .collect(),
        roles: head
            .roles
            .into_iter()
            .map(|(code, (role, _))| (code, role))
            .collect(),
        people: everybody.into_iter().map(|one| one.person).collect(),
        steps: done,
        maps: shelf.maps,
        templates: shelf.templates,
        outline: Arc::new(outline),
        papers,
        warnings: PlanFaults::default(),
    })
}
