//! The maps of the five plans: they are read without faults, fit both schemas and never name what must
//! not be copied.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use handover::demo::schema;
use handover::plan::map::{Map, Origin};
use handover::plan::read_map;

fn plans() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")
}

fn maps() -> Vec<(String, Map)> {
    let mut maps = Vec::new();
    for plan in [
        "east-kent-2020",
        "westminster-2019",
        "northampton-2015",
        "east-kent-2011",
    ] {
        for name in ["homes", "staff", "contracts", "recipients"] {
            let path = format!("{plan}/maps/{name}.toml");
            let text = std::fs::read_to_string(plans().join(&path)).unwrap();
            let map = read_map(&path, &text).unwrap_or_else(|faults| panic!("{faults:?}"));
            maps.push((path, map));
        }
    }
    maps
}

fn legacy_columns() -> BTreeSet<(String, String)> {
    let tables = schema::legacy_tables().into_iter();
    tables
        .flat_map(|(table, columns)| {
            columns
                .into_iter()
                .map(move |(column, _)| (table.clone(), column))
        })
        .collect()
}

#[test]
fn every_map_is_read_and_names_only_columns_that_are_there() {
    let source = legacy_columns();
    let target = rusqlite::Connection::open_in_memory().unwrap();
    target.execute_batch(schema::TARGET).unwrap();
    for (path, map) in maps() {
        for relation in &map.relations {
            for end in [&relation.child, &relation.parent] {
                assert!(
                    source.contains(&(end.table.clone(), end.column.clone())),
                    "{path} {end:?}"
                );
            }
        }
        for dataset in &map.datasets {
            let mut read: Vec<(String, String)> = dataset
                .key
                .iter()
                .map(|key| (dataset.from.clone(), key.clone()))
                .collect();
            for filter in &dataset.leave_out {
                let column = filter.condition.column.clone();
                read.push((column.table, column.column));
            }
            for column in &dataset.columns {
                let from = match &column.from {
                    Origin::Column(from) | Origin::Split { column: from, .. } => vec![from.clone()],
                    Origin::Concat { columns, .. } => columns.clone(),
                    _ => Vec::new(),
                };
                read.extend(from.into_iter().map(|from| (from.table, from.column)));
            }
            for column in read {
                assert!(
                    source.contains(&column),
                    "{path}: {} reads {column:?}",
                    dataset.name
                );
            }
            if dataset.into == "recipient" {
                continue;
            }
            let columns = dataset.columns.iter().map(|column| column.into.clone());
            for column in columns.chain(dataset.id.clone()) {
                let sql = format!(
                    "SELECT \"{column}\" FROM \"{}\" AS t WHERE t.\"{column}\" = 1",
                    dataset.into
                );
                assert!(
                    target.prepare(&sql).is_ok(),
                    "{path}: {}.{column}",
                    dataset.into
                );
            }
        }
    }
}

#[test]
fn no_map_reads_a_special_category_column() {
    let kept_apart = [
        "hiv_positive",
        "crim_rec",
        "sex_orient",
        "religion_belief",
        "transgender",
        "ethnic_colour",
        "ethnic_origin",
        "pregnant",
    ];
    for (path, map) in maps() {
        for dataset in &map.datasets {
            for column in &dataset.columns {
                let text = format!("{:?}", column.from);
                assert!(
                    !kept_apart.iter().any(|name| text.contains(name)),
                    "{path} {text}"
                );
            }
        }
    }
}

#[test]
fn the_landlord_is_always_the_council() {
    for (path, map) in maps() {
        let council_takes_over =
            path.starts_with("east-kent-2020") || path.starts_with("westminster");
        for dataset in &map.datasets {
            for column in dataset
                .columns
                .iter()
                .filter(|c| c.into == "landlord_org_id")
            {
                let council = if council_takes_over {
                    Origin::TargetOrg
                } else {
                    Origin::SourceOrg
                };
                assert_eq!(column.from, council, "{path}");
            }
        }
    }
}
