//! Outlines for tests: small graphs with people who hold roles.

use handover::plan::digest::Digest;
use handover::plan::model::Seat;
use handover::plan::outline::{Gate, Holder, OnFailure, Outline, OutlineStep, Retry, StepId, Undo};

/// Steps `s0`, `s1`, …; `edges[n]` names what step `n` comes after.
pub fn outline(edges: &[&[usize]]) -> Outline {
    let steps: Vec<OutlineStep> = edges
        .iter()
        .enumerate()
        .map(|(at, after)| step(at, after))
        .collect();
    of(steps)
}

pub fn step(at: usize, after: &[usize]) -> OutlineStep {
    OutlineStep {
        id: id(at),
        after: after.iter().map(|&at| id(at)).collect(),
        start: None,
        gate: Gate::None,
        signed: Vec::new(),
        undo: Undo::Automatic,
        undo_until: None,
        subjects: Vec::new(),
        on_failure: OnFailure::Hold,
        retry: Retry {
            attempts: 3,
            wait_s: 5,
        },
    }
}

pub fn of(steps: Vec<OutlineStep>) -> Outline {
    let mut outline = Outline {
        index: steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.id.clone(), at))
            .collect(),
        author: Some("p00".into()),
        holders: holders(),
        steps,
        ..Outline::default()
    };
    seal(&mut outline);
    outline
}

/// Gives an outline that was changed the fingerprint of what it says now.
pub fn seal(outline: &mut Outline) {
    outline.paper = Digest::ZERO;
    outline.dag = Digest::of(format!("{:?}", outline.steps).as_bytes());
    outline.paper = Digest::of(format!("{outline:?}").as_bytes());
}

pub fn id(at: usize) -> StepId {
    StepId(format!("s{at}").into())
}

pub fn seat(role: &str, org: Option<&str>) -> Seat {
    Seat {
        role: role.into(),
        org: org.map(Into::into),
    }
}

/// p00 is the author and holds everything; p01 to p03 hold one role each; p04 no longer does.
fn holders() -> Vec<Holder> {
    let holder = |person: &str, role: &str, org: &str| Holder {
        person: person.into(),
        role: role.into(),
        org: org.into(),
        from: None,
        to: None,
        key: None,
    };
    let mut holders = vec![
        holder("p00", "s151", "dover"),
        holder("p00", "hr", "dover"),
        holder("p01", "s151", "dover"),
        holder("p02", "legal", "dover"),
        holder("p01", "legal", "dover"),
        holder("p03", "hr", "thanet"),
        holder("p04", "hr", "dover"),
    ];
    if let Some(left) = holders.last_mut() {
        left.to = Some("2020-01-01T00:00:00Z".parse().unwrap());
    }
    holders
}
