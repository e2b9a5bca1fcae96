//! Fan-out: one authored step becomes one per organisation, and `after` becomes edges between those.
//!
//! Between two fanned steps of the same `each` an edge means the same organisation; from a fanned step
//! to a single one it means all of them. Copies of several sources whose rows may meet go one after the
//! other, in the plan's order of sources: a later one looks for the earlier ones' rows, and is undone before
//! them. Between two such steps whose rows may meet an edge means all of them, too.
//! Not here: what the steps do (`specs`).

use std::collections::BTreeMap;

use super::authored::Authored;
use super::fault::Fault;
use super::head::Head;
use super::meeting::meeting;
use super::model::{Code, Each};
use super::outline::StepId;
use super::shelf::Shelf;
use super::source::Desk;

/// Most steps after fan-out.
pub(super) const STEPS_MAX: usize = 5_000;

/// One step after fan-out.
#[derive(Debug, Clone)]
pub(super) struct Fanned {
    /// Position of the authored step.
    pub(super) of: usize,
    pub(super) id: StepId,
    pub(super) org: Option<Code>,
    pub(super) after: Vec<StepId>,
}

/// Fans `steps` out, in their order, organisations in the plan's order. Unknown names in `after` are
/// passed over: they were told already.
pub(super) fn fan(
    desk: &mut Desk,
    head: &Head,
    steps: &[Authored<'_>],
    shelf: &Shelf,
) -> Vec<Fanned> {
    let total: usize = steps.iter().map(|step| orgs(head, step).len()).sum();
    if total > STEPS_MAX {
        let fault = Fault::error(
            "HO131",
            &head.place,
            format!("the plan has {total} steps once each organisation has its own"),
        )
        .label(format!("{STEPS_MAX} is the most"))
        .help("split the plan, or let fewer steps say `each`");
        desk.push(fault);
        return Vec::new();
    }
    let by_name: BTreeMap<&str, &Authored<'_>> = steps
        .iter()
        .map(|step| (step.name.as_str(), step))
        .collect();
    let mut fanned = Vec::with_capacity(total);
    for (of, step) in steps.iter().enumerate() {
        let meets = meeting(step, &by_name, shelf);
        let chained = step.each == Some(Each::Source) && !meets.is_empty();
        let mut earlier: Option<StepId> = None;
        for org in orgs(head, step) {
            let mut after: Vec<StepId> = Vec::new();
            for said in &step.after {
                let Some(before) = by_name.get(said.value.as_str()) else {
                    continue;
                };
                let apart = !chained
                    || before.each != step.each
                    || meets.is_disjoint(&meeting(before, &by_name, shelf));
                after.extend(edges(head, (step, org.as_ref()), before, apart));
            }
            after.extend(earlier.take());
            after.sort();
            after.dedup();
            let id = id(&step.name, org.as_ref());
            earlier = chained.then(|| id.clone());
            fanned.push(Fanned { of, id, org, after });
        }
    }
    fanned
}

/// The organisations a step stands for; one `None` where it stands for itself.
fn orgs(head: &Head, step: &Authored<'_>) -> Vec<Option<Code>> {
    match step.each {
        Some(each) => head.orgs_of(each).into_iter().map(Some).collect(),
        None => vec![None],
    }
}

/// What a step comes after where it names `before`; `apart` where their rows never meet.
fn edges(
    head: &Head,
    (step, org): (&Authored<'_>, Option<&Code>),
    before: &Authored<'_>,
    apart: bool,
) -> Vec<StepId> {
    let same = apart && before.each.is_some() && before.each == step.each;
    let all = orgs(head, before).into_iter();
    let meant = all.filter(|other| !same || other.as_ref() == org);
    meant
        .map(|other| id(&before.name, other.as_ref()))
        .collect()
}

fn id(name: &str, org: Option<&Code>) -> StepId {
    match org {
        Some(org) => StepId::from(format!("{name}/{org}").as_str()),
        None => StepId::from(name),
    }
}
