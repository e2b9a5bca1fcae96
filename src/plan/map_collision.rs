//! What a map says of rows that share a natural key: which columns tell who a row is, what becomes of
//! two that are alike.
//!
//! In: a dataset's form, the map's datasets. Out: a policy; a fault for one that cannot be carried out.
//!
//! Not here: what people decided (`decisions`), meeting such rows (`copy::namesakes`).

use super::fault::Fault;
use super::form::Form;
use super::map::{Becomes, Collision, Dataset, MapColumn, Namespace, Origin};
use super::near::did_you_mean;
use super::source::Desk;

/// The policy that a dataset says.
pub(super) fn collision(form: &Form<'_>) -> Collision {
    match form.text("collision") {
        Some("keep-existing") => Collision::KeepExisting,
        Some("namespace") => Collision::Namespace,
        Some("decide") => Collision::Decide,
        _ => Collision::Refuse,
    }
}

/// Reports policies that could not be carried out.
pub(super) fn check(desk: &mut Desk, map: &Form<'_>, datasets: &[Dataset]) {
    for dataset in datasets {
        if dataset.natural_key.is_empty() && dataset.collision != Collision::Refuse {
            let says = format!("`{}` does not say by what its rows are alike", dataset.name);
            let help = "add `natural-key = [\"COLUMN\"]`: the target columns that tell who or what a row is";
            desk.push(Fault::error("HO316", &dataset.place, says).help(help));
        }
        if dataset.collision.merges() && dataset.id.is_none() {
            let says = format!("a row of `{}` could not stand for another", dataset.name);
            let fault = Fault::error("HO316", &dataset.place, says)
                .label("what refers to the one must find the other")
                .help("add `id = \"COLUMN\"`: the target key column");
            desk.push(fault);
        }
        for name in &dataset.natural_key {
            tells(desk, dataset, name);
        }
    }
    let decides = |dataset: &&Dataset| dataset.collision == Collision::Decide;
    if let (Some(dataset), false) = (datasets.iter().find(decides), map.has("decisions")) {
        let says = format!(
            "the map does not say where it is decided about `{}`",
            dataset.name
        );
        let help = "add `decisions = \"maps/same.toml\"` above the tables; `handover check --propose FILE` writes a first one";
        desk.push(Fault::error("HO316", &dataset.place, says).help(help));
    }
}

/// A column of a natural key must say the same of the same thing, whoever wrote it down.
fn tells(desk: &mut Desk, dataset: &Dataset, name: &str) {
    let column = dataset.columns.iter().find(|column| column.into == name);
    let Some(column) = column else {
        let known = dataset.columns.iter().map(|column| column.into.as_str());
        let says = format!("`{}` maps no column `{name}`", dataset.name);
        let fault = Fault::error("HO316", &dataset.place, says)
            .label("its natural key names it")
            .maybe_help(did_you_mean(name, known))
            .help("a natural key is made of target columns that the dataset maps");
        desk.push(fault);
        return;
    };
    if !can_tell(column) {
        let says = format!("`{name}` cannot tell that two rows are the same");
        let fault = Fault::error("HO316", &column.place, says)
            .label("each source, or each row, has its own")
            .help("take columns from the source that stay text, a code, a date or a whole number");
        desk.push(fault);
    } else if dataset.collision == Collision::Namespace && column.becomes != Becomes::Text {
        let says = format!("`{name}` cannot take a source's code before it");
        desk.push(Fault::error("HO316", &column.place, says).help("only text can"));
    }
}

fn can_tell(column: &MapColumn) -> bool {
    let from = matches!(
        column.from,
        Origin::Column(_) | Origin::Concat { .. } | Origin::Split { .. } | Origin::SourceKey
    );
    let becomes = matches!(
        column.becomes,
        Becomes::Text | Becomes::Integer | Becomes::Date { .. } | Becomes::Uprn | Becomes::Code(_)
    );
    from && becomes && column.namespace == Namespace::None
}
