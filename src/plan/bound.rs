//! The outline of a checked plan: graph, gates, undo words and holders, as the machine needs them.
//!
//! Not here: the types (`outline`), the rules of a run (`machine`).

use std::fmt::Write as _;

use super::authored::Authored;
use super::digest::Digest;
use super::fan::Fanned;
use super::head::Head;
use super::model::{Seat, Step, StepSpec};
use super::outline::{Gate, Outline, OutlineStep, Subject, Undo};
use super::people::Somebody;
use super::proof::Proofs;
use super::seats::{holders, seats};

/// The outline; `authored`, `fanned` and `done` are parallel as `fanned.of` says.
pub(super) fn outline(
    head: &Head,
    people: &[Somebody],
    authored: &[Authored<'_>],
    (fanned, done): (&[Fanned], &[Step]),
    paper: Digest,
    proofs: &Proofs,
) -> Outline {
    let steps: Vec<OutlineStep> = fanned
        .iter()
        .zip(done)
        .map(|(one, step)| outline_step(&authored[one.of], one, step, proofs))
        .collect();
    let index = steps
        .iter()
        .enumerate()
        .map(|(at, step)| (step.id.clone(), at))
        .collect();
    let signed: Vec<Seat> = head
        .signed_by
        .iter()
        .flat_map(|role| seats(head, &role.value, None))
        .collect();
    let author = people.iter().find(|one| {
        let code = head.author.as_ref().map(|said| said.value.as_str());
        code == Some(&one.person.code)
    });
    let zone = head.frame.as_ref().map(|frame| frame.zone.clone());
    Outline {
        paper,
        dag: dag(&steps),
        index,
        steps,
        author: head.author.as_ref().map(|said| said.value.as_str().into()),
        holders: zone.map(|zone| holders(people, &zone)).unwrap_or_default(),
        signed_by: signed,
        signed: proofs.papers.clone(),
        author_key: author.and_then(|one| one.person.key.clone()),
        trust: head.trust.clone(),
    }
}

fn outline_step(
    authored: &Authored<'_>,
    one: &Fanned,
    step: &Step,
    proofs: &Proofs,
) -> OutlineStep {
    let undo_until = match (&step.does, &authored.undo) {
        (StepSpec::StaffTransfer(staff), Undo::Automatic) => Some(staff.effective),
        _ => None,
    };
    OutlineStep {
        id: one.id.clone(),
        after: one.after.clone(),
        start: authored.start.as_ref().map(|said| said.value),
        gate: gate(&step.does),
        signed: proofs.at(&authored.name).to_vec(),
        undo: authored.undo.clone(),
        undo_until,
        subjects: subjects(&step.does).to_vec(),
        on_failure: authored.on_failure,
        retry: authored.retry,
    }
}

fn gate(does: &StepSpec) -> Gate {
    match does {
        StepSpec::Approval(approval) => Gate::Decisions(approval.seats.clone()),
        StepSpec::Task(task) => Gate::Done(task.seat.clone()),
        StepSpec::Wait(wait) => Gate::Until(wait.until),
        StepSpec::DataCopy(_)
        | StepSpec::CatchUp(_)
        | StepSpec::StaffTransfer(_)
        | StepSpec::ContractNovation(_)
        | StepSpec::TenantNotification(_)
        | StepSpec::Freeze(_)
        | StepSpec::Verify(_)
        | StepSpec::Switch(_) => Gate::None,
    }
}

/// What a step moves, and closes where it cannot be undone.
fn subjects(does: &StepSpec) -> &'static [Subject] {
    match does {
        StepSpec::DataCopy(_)
        | StepSpec::CatchUp(_)
        | StepSpec::Freeze(_)
        | StepSpec::Verify(_) => &[Subject::Data],
        StepSpec::StaffTransfer(_) => &[Subject::Staff],
        StepSpec::ContractNovation(_) => &[Subject::Contracts],
        StepSpec::TenantNotification(_) => &[Subject::Tenants],
        StepSpec::Switch(_) => &[Subject::Data, Subject::Staff],
        StepSpec::Approval(_) | StepSpec::Task(_) | StepSpec::Wait(_) => &[],
    }
}

/// Digest over ids, edges and undo words: one line a step, in the order of ids.
fn dag(steps: &[OutlineStep]) -> Digest {
    let mut sorted: Vec<&OutlineStep> = steps.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    let mut text = String::new();
    for step in sorted {
        let after: Vec<&str> = step
            .after
            .iter()
            .map(super::outline::StepId::as_str)
            .collect();
        let undo = match &step.undo {
            Undo::Automatic => "automatic".to_owned(),
            Undo::ByHand(how) => format!("by hand: {how}"),
            Undo::Cannot => "cannot".to_owned(),
            Undo::Nothing => "nothing".to_owned(),
        };
        let _ = writeln!(text, "{}\t{}\t{undo}", step.id, after.join(","));
    }
    Digest::of(text.as_bytes())
}
