//! What the names of one map file may stand for: columns that a dataset reaches, code lists, lookups.
//!
//! In: the file's relations, code lists, datasets and rules. Out: a fault for every name that means nothing.
//! Not here: what a live database says to those names (`preview`).

use std::collections::{BTreeMap, BTreeSet};

use super::fault::Fault;
use super::map::{CodeList, ColumnRef, Dataset, Relation, Split};
use super::model::Place;
use super::near::did_you_mean;
use super::source::Desk;

/// What names may stand for within one file.
pub(super) struct Scope<'m> {
    pub(super) relations: &'m [Relation],
    pub(super) codes: &'m BTreeMap<String, CodeList>,
    pub(super) datasets: &'m [Dataset],
    pub(super) splits: &'m BTreeMap<String, Split>,
}

impl Scope<'_> {
    /// Reports every name that stands for nothing, or for two things.
    pub(super) fn check(&self, desk: &mut Desk) {
        self.one_meaning(desk);
        for dataset in self.datasets {
            let parents = self.ancestors(&dataset.from);
            for (reference, place) in references(dataset) {
                self.reachable(desk, &dataset.from, &parents, (reference, place));
            }
            for column in &dataset.columns {
                self.named_things(desk, column);
            }
        }
        for split in self.splits.values() {
            let parents = self.ancestors(&split.table);
            for condition in split.conditions() {
                let read = (&condition.column, &condition.place);
                self.reachable(desk, &split.table, &parents, read);
            }
        }
    }

    /// A `lookup` must not be able to mean two things.
    fn one_meaning(&self, desk: &mut Desk) {
        let mut seen = BTreeSet::new();
        let names = self.datasets.iter().flat_map(|dataset| {
            let aliases = dataset.aliases.iter().map(|alias| alias.name.as_str());
            std::iter::once(dataset.name.as_str())
                .chain(aliases)
                .map(move |name| (name, dataset))
        });
        for (name, dataset) in names {
            if !seen.insert(name) {
                let says = format!("`{name}` names two things in this map");
                let fault = Fault::error("HO112", &dataset.place, says);
                desk.push(fault.help(
                    "a dataset and an alias need names of their own, since `lookup` says no more",
                ));
            }
        }
    }

    /// Tables that a row of `table` leads to by relations, itself among them.
    fn ancestors<'a>(&'a self, table: &'a str) -> BTreeSet<&'a str> {
        let mut known = BTreeSet::from([table]);
        loop {
            let up = self
                .relations
                .iter()
                .filter(|relation| known.contains(relation.child.table.as_str()));
            let more: BTreeSet<&str> = up.map(|relation| relation.parent.table.as_str()).collect();
            let before = known.len();
            known.extend(more);
            if known.len() == before {
                return known;
            }
        }
    }

    fn reachable(
        &self,
        desk: &mut Desk,
        from: &str,
        parents: &BTreeSet<&str>,
        (reference, place): (&ColumnRef, &Place),
    ) {
        if from.is_empty() || parents.contains(reference.table.as_str()) {
            return;
        }
        let says = format!("no relation leads from `{from}` to `{}`", reference.table);
        let tables = self
            .relations
            .iter()
            .map(|relation| relation.parent.table.as_str());
        let fault = Fault::error("HO304", place, says)
            .maybe_help(did_you_mean(&reference.table, tables))
            .help(format!(
                "declare it: `\"{from}.COLUMN\" = \"{}.COLUMN\"` in `[relation]`",
                reference.table
            ));
        desk.push(fault);
    }

    fn named_things(&self, desk: &mut Desk, column: &super::map::MapColumn) {
        match &column.becomes {
            super::map::Becomes::Code(list) if !self.codes.contains_key(list) => {
                let known = self.codes.keys().map(String::as_str);
                let fault = Fault::error(
                    "HO302",
                    &column.place,
                    format!("there is no code list called `{list}`"),
                )
                .maybe_help(did_you_mean(list, known))
                .help(format!("or add a table `[code.{list}]`"));
                desk.push(fault);
            }
            super::map::Becomes::Lookup(name) => self.looked_up(desk, column, name),
            _ => {}
        }
    }

    fn looked_up(&self, desk: &mut Desk, column: &super::map::MapColumn, name: &str) {
        let of = |dataset: &&Dataset| {
            dataset.name == name || dataset.aliases.iter().any(|alias| alias.name == name)
        };
        let Some(found) = self.datasets.iter().find(of) else {
            let aliases = self.datasets.iter().flat_map(|dataset| &dataset.aliases);
            let known = self.datasets.iter().map(|dataset| dataset.name.as_str());
            let known = known.chain(aliases.map(|alias| alias.name.as_str()));
            let fault = Fault::error(
                "HO301",
                &column.place,
                format!("there is no dataset or alias called `{name}` to look up"),
            );
            desk.push(fault.maybe_help(did_you_mean(name, known)));
            return;
        };
        if found.id.is_none() {
            let fault = Fault::error(
                "HO301",
                &column.place,
                format!("dataset `{}` has no key to look up", found.name),
            );
            desk.push(fault.help(format!("add `id = \"COLUMN\"` to `[table.{}]`", found.name)));
        }
    }
}

/// Every column that a dataset reads, and where to point when it cannot.
fn references(dataset: &Dataset) -> Vec<(&ColumnRef, &Place)> {
    let filters = dataset.leave_out.iter().map(|filter| &filter.condition);
    let aliases = dataset.aliases.iter().flat_map(|alias| &alias.unless);
    let conditions = filters.chain(aliases);
    let mut all: Vec<(&ColumnRef, &Place)> = conditions
        .map(|condition| (&condition.column, &condition.place))
        .collect();
    for column in &dataset.columns {
        let read = super::map_columns::reads(&column.from);
        all.extend(read.into_iter().map(|reference| (reference, &column.place)));
    }
    all
}
