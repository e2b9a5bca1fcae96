//! The order in which a map's datasets are loaded: what is looked up comes first.
//!
//! In: datasets as the file has them. Out: the same, sorted; a fault for every circle of lookups.
//! Not here: circles of relations (`map_file`), the order of steps.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::map::Dataset;
use super::source::Desk;

/// Sorts datasets so that what is looked up is loaded before; otherwise in the file's order.
pub(super) fn in_load_order(desk: &mut Desk, datasets: &mut Vec<Dataset>) {
    let owner = |name: &str| {
        let of = |dataset: &&Dataset| {
            dataset.name == name || dataset.aliases.iter().any(|alias| alias.name == name)
        };
        datasets.iter().find(of).map(|dataset| dataset.name.clone())
    };
    let mut waits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for dataset in datasets.iter() {
        let lookups = dataset
            .columns
            .iter()
            .filter_map(|column| match &column.becomes {
                super::map::Becomes::Lookup(name) => owner(name),
                _ => None,
            });
        let others = lookups.filter(|name| name != &dataset.name).collect();
        waits.insert(dataset.name.clone(), others);
    }
    let mut sorted: Vec<Dataset> = Vec::with_capacity(datasets.len());
    let mut left = std::mem::take(datasets);
    while !left.is_empty() {
        let loaded = |name: &String| sorted.iter().any(|dataset| &dataset.name == name);
        let ready = left.iter().position(|dataset| {
            waits
                .get(&dataset.name)
                .is_none_or(|names| names.iter().all(loaded))
        });
        if let Some(at) = ready {
            sorted.push(left.remove(at));
        } else {
            lookup_cycles(desk, &waits, &left);
            sorted.append(&mut left);
        }
    }
    *datasets = sorted;
}

fn lookup_cycles(desk: &mut Desk, waits: &BTreeMap<String, BTreeSet<String>>, left: &[Dataset]) {
    let pairs: Vec<(String, String)> = waits
        .iter()
        .flat_map(|(from, names)| names.iter().map(move |to| (from.clone(), to.clone())))
        .collect();
    for cycle in super::cycle::cycles(&pairs) {
        let place = left
            .iter()
            .find(|dataset| dataset.name == cycle[0])
            .map(|dataset| dataset.place.clone());
        let fault = Fault::error("HO305", &place.unwrap_or_default(), "datasets look each other up in a circle")
            .label("none of them could be loaded first")
        .note(format!("the whole circle: {} -> {}", cycle.join(" -> "), cycle[0]))
            .help("only a table's lookup of itself can be loaded in two passes; take one of the others out");
        desk.push(fault);
    }
}
