//! What a step says of whose rows are: a column whose codes the map knows, or a table whose rows the map's
//! rules judge; and that every dataset leads there.
//!
//! In: authored steps, their maps. Out: `split` as it is written, faults.
//!
//! Not here: rules themselves (`map_split`), whether live rows agree with them (`steps`).

use std::collections::BTreeSet;

use super::authored::Authored;
use super::fault::{Fault, Severity};
use super::form::Said;
use super::head::Head;
use super::map::{Dataset, GoesTo, Map};
use super::map_file::column_ref;
use super::model::{Code, Each};
use super::near::did_you_mean;
use super::shelf::Shelf;
use super::source::Desk;

/// The column or the table that says whose a row is; needed where several targets each get a part.
pub(super) fn split(
    desk: &mut Desk,
    head: &Head,
    (step, target): (&Authored<'_>, &Code),
    map: &Map,
) -> Option<String> {
    let Some(said) = step.form.said("split") else {
        if step.each == Some(Each::Target) && head.targets.len() > 1 {
            let says = format!("`{}` does not say whose a row is", step.name);
            let fault = Fault::error("HO141", &step.form.key_place("each"), says)
                .label(format!("{} organisations each get a part", head.targets.len()))
                .help("add `split = \"TABLE.COLUMN\"`, and the codes of that column to `[owner]` in the map; or `split = \"TABLE\"`, and rules to `[[split.TABLE]]`");
            desk.push(fault);
        }
        return None;
    };
    let fault = if map.splits.contains_key(&said.value) {
        nothing_by_rule(desk, &said, target, map)
    } else {
        column(desk, &said, map)?;
        nothing_by_code(desk, &said, target, map)
    };
    desk.faults.extend(fault);
    Some(said.value)
}

/// `TABLE.COLUMN`; anything else may mean rules that are not there.
fn column(desk: &mut Desk, said: &Said<String>, map: &Map) -> Option<()> {
    if said.value.contains('.') {
        return column_ref(desk, said, None).map(drop);
    }
    let says = format!("{} has no rules `[[split.{}]]`", map.path, said.value);
    let known = map.splits.keys().map(String::as_str);
    let fault = Fault::error("HO313", &said.place, says)
        .maybe_help(did_you_mean(&said.value, known))
        .help("write `TABLE.COLUMN` where a column says whose a row is, or add rules for the table to the map");
    desk.push(fault);
    None
}

/// A target that no rule names; unless a rule could not be read, which may have been its.
fn nothing_by_rule(desk: &Desk, said: &Said<String>, target: &Code, map: &Map) -> Option<Fault> {
    let split = map.splits.get(&said.value)?;
    let told = |fault: &Fault| fault.file == map.path && fault.severity == Severity::Error;
    if desk.faults.iter().any(told) || split.rules.iter().any(|rule| rule.owner == *target) {
        return None;
    }
    let rules = format!("`[[split.{}]]`", said.value);
    let says = format!("no rule of {rules} is for `{target}`");
    let fault = Fault::error("HO315", &said.place, says).label("nothing would go there");
    Some(fault.help(format!(
        "add a rule with `owner = \"{target}\"` to {rules} in {}",
        map.path
    )))
}

/// A target that no code stands for; unless an owner is no organisation, which was told where it stands.
fn nothing_by_code(desk: &Desk, said: &Said<String>, target: &Code, map: &Map) -> Option<Fault> {
    let told = |fault: &Fault| fault.code == "HO120" && fault.file == map.path;
    if desk.faults.iter().any(told) || map.owners.values().any(|org| org == target) {
        return None;
    }
    let says = format!("no code of `{}` stands for `{target}`", said.value);
    let fault = Fault::error("HO315", &said.place, says).label("nothing would go there");
    Some(fault.help(format!(
        "add `CODE = \"{target}\"` to `[owner]` in {}",
        map.path
    )))
}

/// Rules that no step asks are said, since their author thinks that rows are shared out by them.
pub(super) fn unasked(desk: &mut Desk, steps: &[Authored<'_>], shelf: &Shelf) {
    for (path, map) in &shelf.maps {
        let told = |fault: &Fault| fault.file == *path && fault.severity == Severity::Error;
        if desk.faults.iter().any(told) {
            continue;
        }
        let with = |step: &&Authored<'_>| {
            let mut maps = ["map", "recipients"].into_iter();
            maps.any(|key| step.form.text(key) == Some(path))
        };
        let asked: BTreeSet<&str> = steps
            .iter()
            .filter(with)
            .filter_map(|step| step.form.text("split"))
            .collect();
        let unasked = map.splits.values();
        for split in unasked.filter(|split| !asked.contains(split.table.as_str())) {
            let says = format!("no step asks the rules of `[[split.{}]]`", split.table);
            let fault = Fault::warning("HO318", &split.place, says).help(format!(
                "say `split = \"{}\"` in the step, or take the rules out",
                split.table
            ));
            desk.push(fault);
        }
    }
}

/// Every dataset that a split copy takes must lead to the column that says whose its rows are.
pub(super) fn routes(desk: &mut Desk, head: &Head, steps: &[Authored<'_>], shelf: &Shelf) {
    for step in steps {
        let map = step
            .form
            .text("map")
            .or_else(|| step.form.text("recipients"));
        let Some(map) = map.and_then(|path| shelf.maps.get(path)) else {
            continue;
        };
        let Some(split) = step.form.text("split") else {
            continue;
        };
        let (table, teller) = match split.split_once('.') {
            _ if map.splits.contains_key(split) => (split, format!("the rules of `{split}`")),
            Some((table, _)) => (table, format!("`{split}`")),
            None => continue,
        };
        // A relation that could not be read was told where it stands.
        let told = |fault: &Fault| fault.code == "HO313" && fault.file == map.path;
        if desk.faults.iter().any(told) {
            continue;
        }
        let mut tables = step.form.plain_texts("tables");
        tables.extend(step.form.text("list").map(str::to_owned));
        let mine = |dataset: &&Dataset| tables.is_empty() || tables.contains(&dataset.from);
        let needed = |dataset: &&Dataset| dataset.goes_to == GoesTo::WhoNeedsIt;
        for dataset in map.datasets.iter().filter(mine).filter(needed) {
            needed_by_somebody(desk, map, dataset);
        }
        for dataset in map.datasets.iter().filter(mine).filter(|one| !needed(one)) {
            if !leads(map, &dataset.from, table) && head.targets.len() > 1 {
                let says = format!("no relation leads from `{}` to `{table}`", dataset.from);
                let fault = Fault::error("HO304", &dataset.place, says)
                    .label(format!("{teller} could not say whose its rows are"))
                    .help(format!("declare how it gets there in `[relation]`: `\"{}.COLUMN\" = \"PARENT.COLUMN\"`", dataset.from));
                desk.push(fault);
            }
        }
    }
}

/// Rows that go where they are needed must be referred to.
fn needed_by_somebody(desk: &mut Desk, map: &Map, dataset: &Dataset) {
    let refers = |one: &super::map::Relation| {
        one.parent.table == dataset.from && one.child.table != dataset.from
    };
    if !map.relations.iter().any(refers) {
        let says = format!("no relation leads to `{}`", dataset.from);
        let fault = Fault::error("HO304", &dataset.place, says)
            .label("nobody could need its rows: none would go")
            .help(format!(
                "declare what refers to it in `[relation]`: `\"CHILD.COLUMN\" = \"{}.COLUMN\"`",
                dataset.from
            ));
        desk.push(fault);
    }
}

fn leads(map: &Map, from: &str, to: &str) -> bool {
    let mut known: BTreeSet<&str> = BTreeSet::from([from]);
    let mut left = vec![from];
    while let Some(table) = left.pop() {
        for relation in map
            .relations
            .iter()
            .filter(|relation| relation.child.table == table)
        {
            if known.insert(&relation.parent.table) {
                left.push(&relation.parent.table);
            }
        }
    }
    known.contains(to)
}
