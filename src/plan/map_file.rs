//! A map file's text as a [`Map`]: every fault at once, datasets in load order.
//!
//! In: the TOML that `map`'s page shows. Out: a map whose names resolve within the file.
//! Not here: columns (`map_columns`), conditions (`map_condition`), rules of a split (`map_split`), what names
//! stand for (`map_scope`), load order (`map_order`), which organisations and tables a plan has (`sense`), live data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decisions::Decisions;
use super::fault::{Fault, PlanFaults};
use super::form::{Form, Named, Said};
use super::keys::{ALIAS_OF_KEY, AT, CODE, CONDITION, DATASET, LEAVE_OUT, MAP, UNMAPPED};
use super::map::{
    CodeList, ColumnRef, CrosswalkAlias, Dataset, Filter, GoesTo, Map, Relation, Unmapped,
};
use super::map_collision;
use super::map_columns::columns;
use super::map_condition::condition;
use super::map_order::in_load_order;
use super::map_scope::Scope;
use super::map_split::splits;
use super::model::{Code, Place};
use super::papers::Papers;
use super::source::{Desk, Source};

/// Reads a map file by itself, outside a plan.
///
/// # Errors
/// Every fault at once.
pub fn read_map(path: &str, text: &str) -> Result<Map, PlanFaults> {
    let mut papers = Papers::default();
    papers.put(path.to_owned(), text.as_bytes().to_vec());
    let mut desk = Desk::default();
    let map = desk
        .open(&papers, path)
        .and_then(|source| draft(&mut desk, &source));
    let faults = PlanFaults::gather(path, desk.faults, desk.texts);
    match map {
        Some(draft) if faults.errors() == 0 => Ok(draft.map),
        _ => Err(faults),
    }
}

/// A map and the places that only its checking needs.
#[derive(Debug, Clone)]
pub(super) struct MapDraft {
    pub(super) map: Map,
    /// Where each owner code's organisation is written.
    pub(super) owners: BTreeMap<String, Said<String>>,
    /// Where code lists and rules name an organisation.
    pub(super) orgs: Vec<Said<String>>,
    /// The paper of decisions, where the map names one.
    pub(super) decisions: Option<Said<String>>,
}

/// Reads a map file of a plan; nothing when its TOML is broken.
pub(super) fn draft(desk: &mut Desk, source: &Source) -> Option<MapDraft> {
    let table = source.parse(desk)?;
    let form = Form::read(desk, source, table.get_ref(), (0..0, "the map"), &[MAP]);
    let owners: BTreeMap<String, Said<String>> = form
        .named("owner")
        .iter()
        .filter_map(|named| Some((named.name.to_owned(), named.said()?)))
        .collect();
    let placed = relations(desk, &form);
    let (codes, mut orgs) = codes(desk, &form);
    let (splits, owners_by_rule) = splits(desk, &form);
    orgs.extend(owners_by_rule);
    let mut datasets: Vec<Dataset> = form
        .named("table")
        .iter()
        .filter_map(|named| dataset(desk, source, named))
        .collect();
    if form.has("table") && datasets.is_empty() {
        let fault = Fault::error("HO117", &form.key_place("table"), "the map has no dataset");
        desk.push(fault.help("add a table `[table.NAME]` for each target table"));
    }
    relation_cycles(desk, &placed, &datasets);
    let relations: Vec<Relation> = placed.into_iter().map(|(relation, _)| relation).collect();
    let scope = Scope {
        relations: &relations,
        codes: &codes,
        datasets: &datasets,
        splits: &splits,
    };
    scope.check(desk);
    let decisions = form.said("decisions");
    map_collision::check(desk, &form, &datasets);
    in_load_order(desk, &mut datasets);
    let map = Map {
        path: source.path.clone(),
        owners: owners
            .iter()
            .map(|(code, org)| (code.clone(), Arc::from(org.value.as_str())))
            .collect(),
        splits,
        relations,
        codes,
        datasets,
        decisions: Decisions {
            path: decisions.as_ref().map(|said| said.value.clone()),
            groups: Vec::new(),
        },
    };
    Some(MapDraft {
        map,
        owners,
        orgs,
        decisions,
    })
}

/// `table.column`; a bare column belongs to `table`, where there is one.
pub(super) fn column_ref(
    desk: &mut Desk,
    said: &Said<String>,
    table: Option<&str>,
) -> Option<ColumnRef> {
    let text = said.value.trim();
    let (table, column) = match (text.split_once('.'), table) {
        (Some((table, column)), _) => (table.trim(), column.trim()),
        (None, Some(table)) => (table, text),
        (None, None) => ("", text),
    };
    if table.is_empty() || column.is_empty() || column.contains('.') {
        let fault = Fault::error(
            "HO313",
            &said.place,
            format!("`{text}` does not name a column of a table"),
        );
        desk.push(fault.help("write `TABLE.COLUMN`, for instance `property.owner_conf`"));
        return None;
    }
    Some(ColumnRef {
        table: table.to_owned(),
        column: column.to_owned(),
    })
}

fn relations(desk: &mut Desk, form: &Form<'_>) -> Vec<(Relation, Place)> {
    let mut placed: Vec<(Relation, Place)> = Vec::new();
    for named in form.named("relation") {
        let child = Said {
            value: named.name.to_owned(),
            place: named.place.clone(),
        };
        let Some(parent) = named.said() else { continue };
        let (child, parent) = (
            column_ref(desk, &child, None),
            column_ref(desk, &parent, None),
        );
        if let (Some(child), Some(parent)) = (child, parent) {
            placed.push((Relation { child, parent }, named.place));
        }
    }
    placed
}

/// A row's parent must not be its own descendant's table; its own table (an estate's blocks) excepted, and
/// tables whose rows go where they are needed: there a circle comes to an end.
fn relation_cycles(desk: &mut Desk, placed: &[(Relation, Place)], datasets: &[Dataset]) {
    let shared = |table: &str| {
        let mut datasets = datasets.iter();
        datasets.any(|one| one.from == table && one.goes_to != GoesTo::Owner)
    };
    let edges: Vec<(&str, &str, &Place)> = placed
        .iter()
        .map(|(relation, place)| {
            (
                relation.child.table.as_str(),
                relation.parent.table.as_str(),
                place,
            )
        })
        .filter(|(child, parent, _)| child != parent && !shared(parent))
        .collect();
    let named = |pairs: &mut dyn Iterator<Item = &(&str, &str, &Place)>| -> Vec<(String, String)> {
        pairs
            .map(|(from, to, _)| ((*from).to_owned(), (*to).to_owned()))
            .collect()
    };
    let pairs = named(&mut edges.iter());
    for cycle in super::cycle::cycles(&pairs) {
        let (from, to) = (&cycle[0], &cycle[1 % cycle.len()]);
        let place = edges
            .iter()
            .find(|(a, b, _)| a == from && b == to)
            .map(|edge| edge.2.clone());
        let fault = Fault::error(
            "HO303",
            &place.unwrap_or_default(),
            "relations lead round in a circle",
        )
        .label("going up from parent to parent never ends")
        .note(format!(
            "the whole circle: {} -> {from}",
            cycle.join(" -> ")
        ))
        .help("take one of them out: whose a row is must be found by going up to parents only");
        desk.push(fault);
    }
}

/// Code lists, and the sources that they name.
fn codes(desk: &mut Desk, form: &Form<'_>) -> (BTreeMap<String, CodeList>, Vec<Said<String>>) {
    let (mut lists, mut sources) = (BTreeMap::new(), Vec::new());
    for named in form.named("code") {
        let Some(table) = named.table() else { continue };
        let what = format!("code list `{}`", named.name);
        let heading = named.heading(form.source());
        let list = Form::read(
            desk,
            form.source(),
            table,
            (heading.clone(), &what),
            &[CODE],
        );
        let mut at = BTreeMap::new();
        for own in list.named("at") {
            let heading = (own.heading(form.source()), what.as_str());
            let Some(table) = own.table() else { continue };
            let pairs = Form::read(desk, form.source(), table, heading, &[AT]);
            at.insert(Code::from(own.name), pairs_of(&pairs));
            sources.push(Said {
                value: own.name.to_owned(),
                place: own.place,
            });
        }
        let unmapped = unmapped(desk, &list);
        let place = form.source().place(heading);
        let values = pairs_of(&list);
        lists.insert(
            named.name.to_owned(),
            CodeList {
                values,
                at,
                unmapped,
                place,
            },
        );
    }
    (lists, sources)
}

fn pairs_of(list: &Form<'_>) -> BTreeMap<String, String> {
    let values = list.named("values").into_iter();
    let pairs = values.filter_map(|pair| Some((pair.name.to_owned(), pair.said()?.value)));
    pairs.collect()
}

fn unmapped(desk: &mut Desk, list: &Form<'_>) -> Unmapped {
    let Some(form) = list.form(desk, "unmapped", "`unmapped`", UNMAPPED) else {
        return Unmapped::Fault;
    };
    match form.text("policy") {
        Some("keep") => Unmapped::Keep,
        Some("reject") => {
            if let (Some(reason), Some(limit)) = (form.text("reason"), form.whole("limit")) {
                Unmapped::Reject {
                    reason: reason.to_owned(),
                    limit,
                }
            } else {
                let fault = Fault::error("HO309", &form.place("policy"), "rows would be kept back without a reason or a limit")
                    .label("`reject` needs both")
                    .help("add `reason = \"…\"` and `limit = 20`: most rows that may go so, per organisation");
                desk.push(fault);
                Unmapped::Fault
            }
        }
        _ => Unmapped::Fault,
    }
}

fn dataset(desk: &mut Desk, source: &Source, named: &Named<'_>) -> Option<Dataset> {
    let what = format!("table `{}`", named.name);
    let heading = named.heading(source);
    let form = Form::read(
        desk,
        source,
        named.table()?,
        (heading.clone(), &what),
        &[DATASET],
    );
    let from = form.text("from").unwrap_or_default().to_owned();
    let key = form.plain_texts("key");
    if form.has("key") && key.is_empty() {
        let fault = Fault::error(
            "HO117",
            &form.place("key"),
            format!("{what} has an empty `key`"),
        );
        desk.push(fault.help("name the source columns that together identify a row"));
    }
    let id = form.text("id").map(str::to_owned);
    let columns = columns(desk, &form, &from);
    if let Some(twice) = columns
        .iter()
        .find(|column| Some(&column.into) == id.as_ref())
    {
        let says = format!(
            "`{}` is drawn as `id` and mapped as a column too",
            twice.into
        );
        desk.push(Fault::error("HO306", &twice.place, says).help("take one of the two out"));
    }
    Some(Dataset {
        name: named.name.to_owned(),
        into: form.text("into").unwrap_or(named.name).to_owned(),
        aliases: aliases(desk, &form, &from),
        leave_out: leave_out(desk, &form, &from),
        reject_limit: form.whole("reject-limit"),
        natural_key: form.plain_texts("natural-key"),
        collision: map_collision::collision(&form),
        goes_to: match form.text("goes-to") {
            Some("who-needs-it") => GoesTo::WhoNeedsIt,
            Some("both") => GoesTo::Both,
            _ => GoesTo::Owner,
        },
        from,
        key,
        id,
        columns,
        place: source.place(heading),
    })
}

fn aliases(desk: &mut Desk, form: &Form<'_>, table: &str) -> Vec<CrosswalkAlias> {
    let mut aliases = Vec::new();
    for alias in form.forms(desk, "aliases", "an alias", ALIAS_OF_KEY) {
        let mut unless = Vec::new();
        for form in alias.forms(desk, "unless", "a condition", CONDITION) {
            unless.extend(condition(desk, &form, table));
        }
        let Some(name) = alias.text("name").map(str::to_owned) else {
            continue;
        };
        let key = alias.plain_texts("key");
        aliases.push(CrosswalkAlias { name, key, unless });
    }
    if form.has("aliases") && !form.has("id") {
        let fault = Fault::error(
            "HO117",
            &form.key_place("aliases"),
            "an alias needs a key that Handover draws",
        );
        desk.push(fault.help("add `id = \"COLUMN\"`: the target key column"));
    }
    aliases
}

fn leave_out(desk: &mut Desk, form: &Form<'_>, table: &str) -> Vec<Filter> {
    let mut filters = Vec::new();
    for filter in form.forms(desk, "leave-out", "a `leave-out`", LEAVE_OUT) {
        let condition = condition(desk, &filter, table);
        if let (Some(condition), Some(reason)) = (condition, filter.text("reason")) {
            let reason = reason.to_owned();
            filters.push(Filter { condition, reason });
        }
    }
    filters
}
