//! Do the names of a plan mean what they seem to? Steps, organisations, roles and people resolve, none
//! means two things, every step stands in one phase, and nothing waits for itself.
//!
//! Not here: dates (`sense`), who decides (`seats`).

use std::collections::{BTreeMap, BTreeSet};

use super::authored::Authored;
use super::cycle::cycles;
use super::fault::Fault;
use super::form::Said;
use super::head::Head;
use super::model::Place;
use super::near::did_you_mean;
use super::people::Somebody;
use super::source::Desk;

/// Checks every name of the plan.
pub(super) fn check(desk: &mut Desk, head: &Head, steps: &[Authored<'_>], people: &[Somebody]) {
    senses(desk, head, steps, people);
    let orgs = || head.orgs.keys().map(AsRef::as_ref);
    let roles = || head.roles.keys().map(AsRef::as_ref);
    let said_orgs = head
        .sources
        .iter()
        .chain(&head.targets)
        .chain(people.iter().map(|one| &one.org));
    for said in said_orgs {
        known(desk, ("HO120", "organisation"), said, orgs());
    }
    let own_roles = people
        .iter()
        .flat_map(|one| &one.roles)
        .chain(&head.signed_by);
    let step_roles: Vec<Said<String>> = steps
        .iter()
        .flat_map(|step| step.form.texts("by").into_iter().chain(step.owner.clone()))
        .collect();
    for said in own_roles.chain(&step_roles) {
        known(desk, ("HO121", "role"), said, roles());
    }
    both_sides(desk, head);
    author(desk, head, people);
    phases(desk, head, steps);
    edges(desk, steps);
}

fn known<'k>(
    desk: &mut Desk,
    (code, noun): (&'static str, &str),
    said: &Said<String>,
    names: impl Iterator<Item = &'k str> + Clone,
) -> bool {
    let fine = names.clone().any(|name| name == said.value);
    if !fine {
        let list: Vec<&str> = names.clone().collect();
        let fault = Fault::error(
            code,
            &said.place,
            format!("there is no {noun} called `{}`", said.value),
        )
        .maybe_help(did_you_mean(&said.value, names))
        .help(format!("the plan has: {}", list.join(", ")));
        desk.push(fault);
    }
    fine
}

/// No word may stand for two things: commands and the log name them by it alone.
fn senses(desk: &mut Desk, head: &Head, steps: &[Authored<'_>], people: &[Somebody]) {
    let orgs = head
        .orgs
        .iter()
        .map(|(name, (_, place))| (name.as_ref(), "an organisation", place));
    let roles = head
        .roles
        .iter()
        .map(|(name, (_, place))| (name.as_ref(), "a role", place));
    let own = steps
        .iter()
        .map(|step| (step.name.as_str(), "a step", &step.place));
    let persons = people
        .iter()
        .map(|one| (one.person.code.as_ref(), "a person", &one.place));
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, sense, place) in orgs.chain(roles).chain(own).chain(persons) {
        match seen.get(name) {
            Some(first) => {
                let fault =
                    Fault::error("HO112", place, format!("`{name}` is {first} and {sense}"))
                        .label(format!("{sense} here"))
                        .help("give one of the two another name");
                desk.push(fault);
            }
            None => {
                seen.insert(name, sense);
            }
        }
    }
}

fn both_sides(desk: &mut Desk, head: &Head) {
    for target in &head.targets {
        if head
            .sources
            .iter()
            .any(|source| source.value == target.value)
        {
            let says = format!("`{}` is a source and a target", target.value);
            let fault = Fault::error("HO112", &target.place, says);
            desk.push(fault.help("a transfer goes from one organisation to another"));
        }
    }
}

fn author(desk: &mut Desk, head: &Head, people: &[Somebody]) {
    let Some(author) = &head.author else { return };
    let codes = people.iter().map(|one| one.person.code.as_ref());
    if !people.is_empty() && !codes.clone().any(|code: &str| code == author.value) {
        let fault = Fault::error(
            "HO205",
            &author.place,
            format!("`people.toml` has no person `{}`", author.value),
        )
        .maybe_help(did_you_mean(&author.value, codes))
        .help("write the author's code, so that they can be kept from approving their own plan");
        desk.push(fault);
    }
}

fn phases(desk: &mut Desk, head: &Head, steps: &[Authored<'_>]) {
    let names: BTreeSet<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for phase in &head.phases {
        for said in &phase.steps {
            unknown_step(
                desk,
                said,
                &names,
                &format!("phase \"{}\" lists it", phase.name),
                steps,
            );
            if let Some(first) = listed.insert(&said.value, &phase.name)
                && first != phase.name
            {
                let says = format!("`{}` stands in two phases", said.value);
                let fault = Fault::error("HO114", &said.place, says)
                    .label(format!("it stands in \"{first}\" already"));
                desk.push(fault.help("keep it in one of them"));
            }
        }
    }
    for step in steps
        .iter()
        .filter(|step| !listed.contains_key(step.name.as_str()))
    {
        let fault = Fault::error(
            "HO113",
            &step.place,
            format!("`{}` stands in no phase", step.name),
        )
        .label("missing from the table of contents")
        .help("add it to a list in `[phase]`");
        desk.push(fault);
    }
}

fn unknown_step(
    desk: &mut Desk,
    said: &Said<String>,
    names: &BTreeSet<&str>,
    label: &str,
    steps: &[Authored<'_>],
) {
    if names.contains(said.value.as_str()) {
        return;
    }
    let meant = super::near::near(&said.value, names.iter().copied());
    let line = |name: &str| {
        let place: &Place = &steps.iter().find(|step| step.name == name)?.place;
        let text = steps.first()?.form.source().text.get(..place.span.start)?;
        Some(text.matches('\n').count() + 1)
    };
    let help =
        meant.and_then(|name| Some(format!("did you mean `{name}` (line {})?", line(name)?)));
    let fault = Fault::error(
        "HO102",
        &said.place,
        format!("there is no step called `{}`", said.value),
    );
    desk.push(fault.label(label).maybe_help(help));
}

fn edges(desk: &mut Desk, steps: &[Authored<'_>]) {
    let names: BTreeSet<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for step in steps {
        for said in &step.after {
            let label = format!("`{}` waits for this, so it could never start", step.name);
            unknown_step(desk, said, &names, &label, steps);
            pairs.push((said.value.clone(), step.name.clone()));
        }
    }
    for cycle in cycles(&pairs) {
        let (first, last) = (&cycle[0], &cycle[cycle.len() - 1]);
        let closing = steps.iter().find(|step| &step.name == first);
        let said = closing.and_then(|step| step.after.iter().find(|said| &said.value == last));
        let place = said.map(|said| said.place.clone()).unwrap_or_default();
        let fault = Fault::error("HO110", &place, "steps wait for each other")
            .label("none of them could ever start")
            .note(format!(
                "the whole circle: {} -> {first}",
                cycle.join(" -> ")
            ))
            .help("take one of these edges out");
        desk.push(fault);
    }
}
