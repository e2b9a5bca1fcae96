//! The other papers that steps name: maps and templates, each read once; and what a plan may ask of
//! them beyond their own text: owners, landlord, lists without personal details.
//!
//! Not here: a map's own text (`map_file`), whose rows are (`whose`), people (`people`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authored::Authored;
use super::decisions;
use super::fault::Fault;
use super::form::Said;
use super::head::Head;
use super::map::{Becomes, Dataset, Map, MapColumn, Origin};
use super::map_file::{MapDraft, draft};
use super::model::{Each, OrgKind, Place};
use super::near::did_you_mean;
use super::papers::Papers;
use super::source::Desk;
use super::whose;

/// Maps and templates by their path.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) maps: BTreeMap<String, Arc<Map>>,
    pub(super) templates: BTreeMap<String, Arc<str>>,
}

/// Reads every map and template that a step names.
pub(super) fn shelf(
    desk: &mut Desk,
    papers: &Papers,
    head: &Head,
    steps: &[Authored<'_>],
) -> Shelf {
    let mut shelf = Shelf::default();
    let mut broken: BTreeSet<String> = BTreeSet::new();
    for step in steps {
        for said in ["map", "recipients"]
            .into_iter()
            .filter_map(|key| step.form.said(key))
        {
            if shelf.maps.contains_key(&said.value)
                || broken.contains(&said.value)
                || !exists(desk, papers, &said)
            {
                continue;
            }
            match desk
                .open(papers, &said.value)
                .and_then(|source| draft(desk, &source))
            {
                Some(mut draft) => {
                    asked(desk, head, &draft);
                    // A paper that is not there yet decides nothing: `check` says what is open.
                    if let Some(path) = draft.decisions.as_ref().map(|said| &said.value)
                        && papers.get(path).is_some()
                        && let Some(source) = desk.open(papers, path)
                    {
                        let decided = decisions::read(desk, &source, head, &draft.map);
                        draft.map.decisions = decided;
                    }
                    shelf.maps.insert(said.value, Arc::new(draft.map));
                }
                None => {
                    broken.insert(said.value);
                }
            }
        }
        if let Some(said) = step.form.said("template")
            && exists(desk, papers, &said)
            && let Some(source) = desk.open(papers, &said.value)
        {
            placeholders(desk, &said.value, &source.text);
            shelf.templates.insert(said.value, source.text);
        }
    }
    whose::routes(desk, head, steps, &shelf);
    whose::unasked(desk, steps, &shelf);
    unused(desk, steps, &shelf);
    shelf
}

fn exists(desk: &mut Desk, papers: &Papers, said: &Said<String>) -> bool {
    let fine = papers.get(&said.value).is_some();
    if !fine {
        let fault = Fault::error(
            "HO111",
            &said.place,
            format!("there is no file `{}` in the plan folder", said.value),
        )
        .maybe_help(did_you_mean(
            &said.value,
            papers.iter().map(|(path, _)| path),
        ))
        .help("paths count from the plan folder, with `/` between parts");
        desk.push(fault);
    }
    fine
}

/// What the plan asks of a map beyond its own text.
fn asked(desk: &mut Desk, head: &Head, draft: &MapDraft) {
    for said in draft.owners.values().chain(&draft.orgs) {
        if !head.orgs.contains_key(said.value.as_str()) {
            let known = head.orgs.keys().map(AsRef::as_ref);
            let fault = Fault::error(
                "HO120",
                &said.place,
                format!("there is no organisation called `{}`", said.value),
            );
            desk.push(fault.maybe_help(did_you_mean(&said.value, known)));
        }
    }
    for dataset in &draft.map.datasets {
        let landlord = dataset
            .columns
            .iter()
            .filter(|column| column.into == "landlord_org_id");
        for column in landlord.filter(|column| !keeps_landlord(head, &draft.map, dataset, column)) {
            let fault = Fault::error("HO128", &column.place, "this map would change the landlord")
                .label("not shown to be the council that owns the home")
                .help("write the owning council: `{ fill = \"target-org\" }` where the target is a council, or the same as `owner_org_id`")
                .note("a transfer between a council and its ALMO moves management, never the tenancy or the title");
            desk.push(fault);
        }
    }
}

/// Whether the column can only ever say the council that owns the home.
fn keeps_landlord(head: &Head, map: &Map, dataset: &Dataset, column: &MapColumn) -> bool {
    let council = |org: &str| head.kind_of(org) == Some(OrgKind::Council);
    let all = |side: Each| head.orgs_of(side).iter().all(|org| council(org));
    let owner = dataset
        .columns
        .iter()
        .find(|other| other.into == "owner_org_id");
    if owner.is_some_and(|owner| owner.from == column.from && owner.becomes == column.becomes) {
        return true;
    }
    match (&column.from, &column.becomes) {
        (Origin::Constant(org), _) => council(org),
        (Origin::TargetOrg, _) => all(Each::Target),
        (Origin::SourceOrg, _) => all(Each::Source),
        (_, Becomes::Code(list)) => map
            .codes
            .get(list)
            .is_some_and(|list| list.targets().all(council)),
        _ => false,
    }
}

/// A dataset that no copy takes is said, since its author thinks that it is copied.
fn unused(desk: &mut Desk, steps: &[Authored<'_>], shelf: &Shelf) {
    for (path, map) in &shelf.maps {
        let copies: Vec<&Authored<'_>> = steps
            .iter()
            .filter(|step| step.does() == "data-copy" && step.form.text("map") == Some(path))
            .collect();
        if copies.is_empty() {
            continue;
        }
        let tables: BTreeSet<String> = copies
            .iter()
            .flat_map(|step| step.form.plain_texts("tables"))
            .collect();
        for dataset in map
            .datasets
            .iter()
            .filter(|dataset| !tables.contains(&dataset.from))
        {
            let fault = Fault::warning(
                "HO311",
                &dataset.place,
                format!("no step copies `{}`", dataset.name),
            )
            .label(format!("no `tables` lists `{}`", dataset.from))
            .help("add the table to a data-copy step, or take the dataset out");
            desk.push(fault);
        }
    }
}

/// The datasets and aliases that a dataset looks up, with where.
pub(super) fn lookups(dataset: &Dataset) -> impl Iterator<Item = (&str, &Place)> {
    dataset
        .columns
        .iter()
        .filter_map(|column| match &column.becomes {
            Becomes::Lookup(name) => Some((name.as_str(), &column.place)),
            _ => None,
        })
}

/// The dataset that a lookup's name means.
pub(super) fn looked_up<'m>(map: &'m Map, name: &str) -> Option<&'m Dataset> {
    let means = |dataset: &&Dataset| {
        dataset.name == name || dataset.aliases.iter().any(|alias| alias.name == name)
    };
    map.datasets.iter().find(means)
}

/// `((name))` must be closed and not empty.
fn placeholders(desk: &mut Desk, path: &str, text: &str) {
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("((")) {
        let start = at + open;
        let inside = &text[start + 2..];
        let line = inside.split('\n').next().unwrap_or_default();
        let closed = line
            .find("))")
            .filter(|end| !line[..*end].trim().is_empty() && !line[..*end].contains("(("));
        if closed.is_none() {
            let place = Place {
                file: path.to_owned(),
                span: start..start + 2,
            };
            let fault = Fault::error("HO143", &place, "a placeholder is not whole")
                .label("opened here, not closed in this line");
            desk.push(fault.help("write it as `((name))`"));
        }
        at = start + 2 + closed.map_or(0, |end| end + 2);
    }
}

/// Lists hold references only: any other column would carry personal details into the paper.
pub(super) fn lists(desk: &mut Desk, papers: &Papers) {
    for (path, _) in papers.iter().filter(|(path, _)| counts_as_list(path)) {
        let Some(source) = desk.open(papers, path) else {
            continue;
        };
        let header = source.text.lines().next().unwrap_or_default();
        let mut at = 0;
        for cell in header.split(',') {
            let name = cell.trim().trim_matches('"').to_lowercase();
            let fine = matches!(name.as_str(), "ref" | "reference" | "org")
                || name.ends_with("_ref")
                || name.ends_with("_reference");
            if !fine {
                let fault = Fault::error(
                    "HO140",
                    &source.place(at..at + cell.len()),
                    "a list holds a column that is no reference",
                )
                .label("personal details stay in the organisations' registers")
                .help("keep columns named `ref` or ending in `_ref`; Handover looks the rest up");
                desk.push(fault);
            }
            at += cell.len() + 1;
        }
    }
}

/// Whether the paper is a list: a CSV file.
pub(super) fn counts_as_list(path: &str) -> bool {
    path.to_lowercase().ends_with(".csv")
}
