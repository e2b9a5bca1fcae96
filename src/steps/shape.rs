//! Whether a map fits two databases: every table and column that it names is there, every target
//! column that needs a value gets one, and no text goes into a column that would bend it.
//!
//! In: datasets of a map, the catalogues of both sides. Out: findings.
//!
//! Not here: what the live rows say (`copy::look`), what the map says against itself (`plan`).

use std::collections::BTreeSet;

use super::Finding;
use crate::copy::value::fit;
use crate::orgdb::Catalogue;
use crate::orgdb::catalogue::Table;
use crate::orgdb::kind::Kind;
use crate::plan::map::{Becomes, ColumnRef, Dataset, Map, MapColumn, Origin, Split};

/// Everything about `datasets` that does not fit.
pub(super) fn misfits(
    map: &Map,
    datasets: &[&Dataset],
    source: &Catalogue,
    target: &Catalogue,
) -> Vec<Finding> {
    let mut found = at_source(map, datasets, source);
    for dataset in datasets {
        found.extend(at_target(dataset, target));
    }
    found
}

/// Source tables and columns that the datasets read and the source does not have.
pub(super) fn at_source(map: &Map, datasets: &[&Dataset], source: &Catalogue) -> Vec<Finding> {
    let mut read: BTreeSet<ColumnRef> = BTreeSet::new();
    for dataset in datasets {
        read.extend(columns_read(dataset));
    }
    let tables: BTreeSet<String> = read.iter().map(|column| column.table.clone()).collect();
    for relation in &map.relations {
        if tables.contains(&relation.child.table) {
            read.extend([relation.child.clone(), relation.parent.clone()]);
        }
    }
    read.iter()
        .filter_map(|column| missing(source, column, &map.path))
        .collect::<BTreeSet<(&'static str, String, String)>>()
        .into_iter()
        .map(|(code, about, says)| {
            Finding::stop(code, about, says).help("mend the map, or the source's schema")
        })
        .collect()
}

/// Tables and columns that the rules of a split read, and the source does not have.
pub(super) fn judged(map: &Map, split: &Split, source: &Catalogue) -> Vec<Finding> {
    let read: BTreeSet<&ColumnRef> = split.conditions().map(|one| &one.column).collect();
    let mut tables = vec![split.table.as_str()];
    tables.extend(read.iter().map(|column| column.table.as_str()));
    let mut found = Vec::new();
    for table in tables {
        if !source.tables.contains_key(table) {
            let says = format!(
                "`{}` judges rows of table `{table}`, which the source does not have",
                map.path
            );
            found.push(Finding::stop("HO520", table, says));
        }
    }
    let absent = read
        .into_iter()
        .filter(|one| source.tables.contains_key(&one.table));
    let absent = absent.filter_map(|column| missing(source, column, &map.path));
    found.extend(absent.map(|(code, about, says)| Finding::stop(code, about, says)));
    found.dedup();
    let helped = found.into_iter().map(|finding| Finding {
        place: Some(split.place.clone()),
        ..finding.help("mend the map, or the source's schema")
    });
    helped.collect()
}

/// What the dataset reads of the source.
fn columns_read(dataset: &Dataset) -> Vec<ColumnRef> {
    let own = |column: &String| ColumnRef {
        table: dataset.from.clone(),
        column: column.clone(),
    };
    let mut read: Vec<ColumnRef> = dataset.key.iter().map(own).collect();
    for column in &dataset.columns {
        match &column.from {
            Origin::Column(column) | Origin::Split { column, .. } => read.push(column.clone()),
            Origin::Concat { columns, .. } => read.extend(columns.iter().cloned()),
            Origin::Constant(_)
            | Origin::SourceOrg
            | Origin::TargetOrg
            | Origin::Handover
            | Origin::Run
            | Origin::SourceKey => {}
        }
    }
    let conditions = dataset.leave_out.iter().map(|filter| &filter.condition);
    let aliases = dataset.aliases.iter();
    read.extend(aliases.clone().flat_map(|alias| alias.key.iter().map(own)));
    let unless = aliases.flat_map(|alias| alias.unless.iter());
    read.extend(conditions.chain(unless).map(|one| one.column.clone()));
    read
}

/// The finding when `table.column`, which the step itself names, is not at the source.
pub(super) fn lacks(source: &Catalogue, table: &str, column: &str) -> Option<Finding> {
    let named = ColumnRef {
        table: table.to_owned(),
        column: column.to_owned(),
    };
    let (code, about, says) = missing(source, &named, "the step")?;
    Some(Finding::stop(code, about, says).help("mend the step, or the source's schema"))
}

fn missing(
    catalogue: &Catalogue,
    column: &ColumnRef,
    map: &str,
) -> Option<(&'static str, String, String)> {
    let ColumnRef { table, column } = column;
    let Some(shape) = catalogue.tables.get(table) else {
        let says = format!("`{map}` reads table `{table}`, which the source does not have");
        return Some(("HO520", table.clone(), says));
    };
    if shape.columns.iter().any(|one| &one.name == column) {
        return None;
    }
    let says = format!("`{map}` reads `{table}.{column}`, which the source does not have");
    Some(("HO521", format!("{table}.{column}"), says))
}

/// What of the dataset's target is not there, not covered, or would bend a value.
pub(super) fn at_target(dataset: &Dataset, target: &Catalogue) -> Vec<Finding> {
    let Some(table) = target.tables.get(&dataset.into) else {
        let says = format!("the target has no table `{}`", dataset.into);
        return vec![Finding {
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO520", &dataset.into, says)
                .help("mend the map, or the target's schema")
        }];
    };
    let mapped = dataset.columns.iter();
    let mut found: Vec<Finding> = mapped
        .filter_map(|column| unfit(&dataset.into, table, column))
        .collect();
    found.extend(uncovered(dataset, table));
    found
}

fn unfit(into: &str, table: &Table, column: &MapColumn) -> Option<Finding> {
    let about = format!("{into}.{}", column.into);
    let place = Some(column.place.clone());
    let stop = |code, says| Finding {
        place: place.clone(),
        ..Finding::stop(code, &about, says)
    };
    let Some(shape) = table.columns.iter().find(|one| one.name == column.into) else {
        let says = format!("the target has no column `{about}`");
        return Some(stop("HO521", says).help("mend the map, or the target's schema"));
    };
    if shape.generated {
        let says = format!("the target computes `{about}` by itself");
        return Some(stop("HO521", says).help("leave the column out of the map"));
    }
    match shape.kind {
        Kind::Loose(_) if keeps_text(&column.becomes) && bends_text(&shape.declared) => {
            let says = format!(
                "`{about}` is declared `{}`, which turns text such as keys and money into numbers",
                shape.declared
            );
            Some(stop("HO523", says).help("declare the column as text"))
        }
        kind if !takes(kind, &column.becomes) && !holds_constant(kind, column) => {
            let says = format!(
                "`{about}` is declared `{}`, which cannot hold {} without loss",
                shape.declared,
                word(&column.becomes)
            );
            Some(stop("HO523", says).help("mend the map, or the target's schema"))
        }
        _ => None,
    }
}

/// What the map itself writes out can be tried.
fn holds_constant(kind: Kind, column: &MapColumn) -> bool {
    matches!(&column.from, Origin::Constant(text) if fit::holds(kind, text))
}

/// Whether a server's column holds whatever the map gives it, or refuses a row that it cannot hold.
fn takes(kind: Kind, becomes: &Becomes) -> bool {
    let text = matches!(
        kind,
        Kind::Loose(_) | Kind::Text { .. } | Kind::Json | Kind::Word | Kind::Other
    );
    text || match becomes {
        Becomes::Text => matches!(kind, Kind::Uuid | Kind::Time { .. }),
        Becomes::Code(_) => matches!(kind, Kind::Whole { .. } | Kind::Flag),
        Becomes::Lookup(_) => matches!(kind, Kind::Whole { .. } | Kind::Uuid),
        Becomes::Uprn => matches!(kind, Kind::Whole { .. } | Kind::Decimal(Some((_, 0)))),
        Becomes::Integer => matches!(kind, Kind::Whole { .. } | Kind::Decimal(_)),
        Becomes::Flag => matches!(kind, Kind::Flag | Kind::Whole { .. }),
        Becomes::Money { .. } => keeps_scale(kind, 2),
        Becomes::Decimal { scale, .. } => keeps_scale(kind, *scale),
        Becomes::Date { .. } => matches!(kind, Kind::Date | Kind::Moment { .. }),
        Becomes::Moment { .. } => matches!(kind, Kind::Moment { .. }),
    }
}

fn keeps_scale(kind: Kind, scale: u32) -> bool {
    matches!(kind, Kind::Decimal(digits) if digits.is_none_or(|(_, kept)| kept >= scale))
}

fn word(becomes: &Becomes) -> &'static str {
    match becomes {
        Becomes::Text => "text",
        Becomes::Code(_) => "codes",
        Becomes::Lookup(_) => "keys",
        Becomes::Uprn => "UPRNs",
        Becomes::Integer => "whole numbers",
        Becomes::Flag => "yes and no",
        Becomes::Money { .. } => "money",
        Becomes::Decimal { .. } => "decimals of the map's scale",
        Becomes::Date { .. } => "dates",
        Becomes::Moment { .. } => "moments",
    }
}

/// Required target columns without a default that nothing fills.
fn uncovered(dataset: &Dataset, table: &Table) -> Vec<Finding> {
    let filled = |name: &str| {
        dataset.id.as_deref() == Some(name) || dataset.columns.iter().any(|one| one.into == name)
    };
    let needed = table
        .columns
        .iter()
        .filter(|one| one.required && one.default.is_none() && !one.generated);
    let open = needed.filter(|one| !filled(&one.name));
    let findings = open.map(|one| {
        let about = format!("{}.{}", dataset.into, one.name);
        let says = format!("`{about}` needs a value and the map gives none");
        Finding {
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO522", about, says).help("name the column in the map")
        }
    });
    findings.collect()
}

fn keeps_text(becomes: &Becomes) -> bool {
    match becomes {
        Becomes::Text
        | Becomes::Money { .. }
        | Becomes::Decimal { .. }
        | Becomes::Date { .. }
        | Becomes::Moment { .. }
        | Becomes::Uprn
        | Becomes::Code(_)
        | Becomes::Lookup(_) => true,
        Becomes::Integer | Becomes::Flag => false,
    }
}

/// SQLite's affinity rules: a declared type that is neither text nor blob nor empty makes numbers of
/// texts that look like one (<https://www.sqlite.org/datatype3.html>, section 3.1).
fn bends_text(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        return true;
    }
    !(has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB") || declared.trim().is_empty())
}
