//! The rules of a map's `[[split.TABLE]]`, which say whose rows are.
//!
//! In: the file. Out: splits by their table, every organisation that they name, faults.
//! Not here: conditions (`map_condition`), whether live rows agree (`steps`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::Fault;
use super::form::{Form, Named, Said};
use super::keys::{CONDITION, RULE};
use super::map_condition::condition;
use super::model::Place;
use super::source::Desk;
use super::split::{Split, SplitRule, Takes};

/// Every split, and where it names organisations.
pub(super) fn splits(
    desk: &mut Desk,
    form: &Form<'_>,
) -> (BTreeMap<String, Split>, Vec<Said<String>>) {
    let (mut splits, mut orgs) = (BTreeMap::new(), Vec::new());
    for named in form.named("split") {
        if named.name.trim().is_empty() || named.name.contains('.') {
            let says = format!("`{}` is no table", named.name);
            let fault = Fault::error("HO318", &named.place, says)
                .help("rules judge the rows of one table: `[[split.property]]`");
            desk.push(fault);
            continue;
        }
        splits.insert(named.name.to_owned(), split(desk, form, &named, &mut orgs));
    }
    (splits, orgs)
}

fn split(
    desk: &mut Desk,
    form: &Form<'_>,
    named: &Named<'_>,
    orgs: &mut Vec<Said<String>>,
) -> Split {
    let what = format!("a rule of `[[split.{}]]`", named.name);
    let (mut rules, mut rest) = (Vec::new(), None);
    for form in named.forms(desk, form.source(), &what, RULE) {
        let Some(owner) = form.said("owner") else {
            continue;
        };
        let takes = takes(desk, &form, named.name, &mut rest);
        if let Some(takes) = takes {
            rules.push(SplitRule {
                owner: Arc::from(owner.value.as_str()),
                takes,
                place: form.heading().clone(),
            });
        }
        orgs.push(owner);
    }
    Split {
        table: named.name.to_owned(),
        rules,
        place: named.place.clone(),
    }
}

/// What a rule takes; `rest` is where a rule before it takes all others.
fn takes(desk: &mut Desk, form: &Form<'_>, table: &str, rest: &mut Option<Place>) -> Option<Takes> {
    let otherwise = form.flag("otherwise") == Some(true);
    let conditions = form.forms(desk, "where", "a condition", CONDITION);
    if otherwise == form.has("where") || (!otherwise && conditions.is_empty()) {
        if form.is_sound() {
            let says = "a rule needs either conditions or `otherwise`";
            let fault = Fault::error("HO318", form.heading(), says)
                .help("`where = [{ column = \"prop_ref\", starts-with = [\"D\"] }]`: rows of which all of these hold")
                .help("`otherwise = true`: every row that no other rule takes");
            desk.push(fault);
        }
        return None;
    }
    if !otherwise {
        let count = conditions.len();
        let read = conditions.iter();
        let read: Vec<_> = read
            .filter_map(|form| condition(desk, form, table))
            .collect();
        return (read.len() == count).then_some(Takes::Where(read));
    }
    if rest.is_some() {
        let fault = Fault::error(
            "HO318",
            &form.place("otherwise"),
            "two rules take every other row",
        )
        .label("the second of them")
        .help("leave one of them, and say with `where` which rows the other takes");
        desk.push(fault);
        return None;
    }
    *rest = Some(form.heading().clone());
    Some(Takes::Otherwise)
}
