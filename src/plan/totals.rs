//! `totals = [{ of = …, by = …, tolerance = …, because = … }]` of a `verify` step: what its control
//! totals tell in parts, and what may differ.
//!
//! In: the step's form, the maps of the copies before it. Out: rules; what no map fills is a fault.
//!
//! Not here: the totals themselves (`steps::verify`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fault::Fault;
use super::form::{Form, Said};
use super::keys::TOTAL;
use super::map::{Becomes, Dataset, Map};
use super::model::TotalRule;
use super::near::did_you_mean;
use super::source::Desk;

/// The check that makes them.
pub(super) const WORD: &str = "control totals";

/// The rules of a step whose copies use these maps.
pub(super) fn rules(desk: &mut Desk, form: &Form<'_>, maps: &[Arc<Map>]) -> Vec<TotalRule> {
    let forms = form.forms(desk, "totals", "a total", TOTAL);
    let made = form
        .texts("checks")
        .iter()
        .any(|said| said.value.trim() == WORD);
    if form.has("totals") && !made {
        let says = format!("`totals` without `{WORD}` tells nothing");
        let fault = Fault::error("HO147", &form.key_place("totals"), says);
        desk.push(fault.help(format!(
            "add `\"{WORD}\"` to `checks`, or take `totals` out"
        )));
    }
    forms
        .iter()
        .filter_map(|form| rule(desk, form, maps))
        .collect()
}

fn rule(desk: &mut Desk, form: &Form<'_>, maps: &[Arc<Map>]) -> Option<TotalRule> {
    let of = form.said("of")?;
    let (table, column) = match of.value.split_once('.') {
        Some((table, column)) => (table.to_owned(), Some(column.to_owned())),
        None => (of.value.clone(), None),
    };
    // Without maps the copies have been told of already.
    if !maps.is_empty() && !known(desk, &of, maps) {
        return None;
    }
    let datasets = filling(maps, &table);
    Some(TotalRule {
        by: by(desk, form, &datasets),
        tolerance: tolerance(desk, form, column.is_some()),
        because: form.text("because").map(str::to_owned),
        table,
        column,
    })
}

/// Whether some dataset fills that table or money column.
fn known(desk: &mut Desk, of: &Said<String>, maps: &[Arc<Map>]) -> bool {
    let datasets = maps.iter().flat_map(|map| &map.datasets);
    let names: BTreeSet<String> = datasets.flat_map(totals_of).collect();
    if names.contains(&of.value) {
        return true;
    }
    let says = format!(
        "no copy before this step comes to a total of `{}`",
        of.value
    );
    let fault = Fault::error("HO147", &of.place, says)
        .maybe_help(did_you_mean(&of.value, names.iter().map(String::as_str)))
        .help("name a target table, or one of its money columns: `account`, `account.balance`");
    desk.push(fault);
    false
}

/// What a dataset has totals of: its table, and each column that is money.
fn totals_of(dataset: &Dataset) -> Vec<String> {
    let columns = dataset.money().into_iter();
    let columns = columns.map(|column| format!("{}.{column}", dataset.into));
    [dataset.into.clone()].into_iter().chain(columns).collect()
}

fn filling<'m>(maps: &'m [Arc<Map>], table: &str) -> Vec<&'m Dataset> {
    let datasets = maps.iter().flat_map(|map| &map.datasets);
    datasets.filter(|dataset| dataset.into == table).collect()
}

/// The column to part by: one that every dataset of the table fills through a code list.
fn by(desk: &mut Desk, form: &Form<'_>, datasets: &[&Dataset]) -> Option<String> {
    let said = form.said("by")?;
    let coded = |dataset: &&&Dataset| coded(dataset).any(|name| name == said.value);
    if datasets.is_empty() || datasets.iter().all(|dataset| coded(&dataset)) {
        return Some(said.value);
    }
    let names: BTreeSet<&str> = datasets
        .iter()
        .flat_map(|dataset| coded_names(dataset))
        .collect();
    let says = format!("`{}` is not filled through a code list", said.value);
    let fault = Fault::error("HO147", &said.place, says)
        .label("its values may be anything, and they would stand in the log")
        .maybe_help(did_you_mean(&said.value, names));
    desk.push(fault);
    None
}

fn coded_names(dataset: &Dataset) -> Vec<&str> {
    coded(dataset).collect()
}

fn coded(dataset: &Dataset) -> impl Iterator<Item = &str> {
    let columns = dataset.columns.iter();
    let columns = columns.filter(|column| matches!(column.becomes, Becomes::Code(_)));
    columns.map(|column| column.into.as_str())
}

/// Pounds and pence as pence; nothing where nothing is allowed.
fn tolerance(desk: &mut Desk, form: &Form<'_>, of_money: bool) -> i128 {
    let Some(said) = form.said("tolerance") else {
        return 0;
    };
    let fault = match pence(&said.value) {
        None => Fault::error(
            "HO148",
            &said.place,
            format!("`{}` is no amount", said.value),
        )
        .label("pounds and pence")
        .help("for instance `tolerance = \"0.05\"`"),
        Some(_) if !of_money => Fault::error(
            "HO148",
            &said.place,
            "rows are never lost within a tolerance",
        )
        .label("this total counts rows")
        .help("name a money column, such as `account.balance`, or take it out"),
        Some(pence) if pence > 0 && !form.has("because") => {
            Fault::error("HO148", &said.place, "a tolerance needs a reason")
                .label("those who sign must know why money may differ")
                .help("add `because = \"…\"`")
        }
        Some(pence) => return pence,
    };
    desk.push(fault);
    0
}

/// `0.05` as pence: digits, a point, two digits.
fn pence(text: &str) -> Option<i128> {
    let (pounds, pence) = text.split_once('.')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(pounds) || !plain(pence) || pence.len() != 2 {
        return None;
    }
    pounds
        .parse::<i128>()
        .ok()?
        .checked_mul(100)?
        .checked_add(pence.parse().ok()?)
}
