//! Who has which natural key at a target: rows that its own people put there, rows of other sources that
//! a copy brought before.
//!
//! In: a target, a map's dataset. Out: namesakes.
//!
//! The crosswalk tells our rows: each row that a copy wrote stands there by its source key, and so does
//! each that was taken for another (`NAME:merged` tells those).
//!
//! Not here: rows that are still at their sources (`look`).

use std::collections::{BTreeMap, BTreeSet};

use super::{Namesake, Namesakes, merged, name_of};
use crate::copy::ledger::prepared;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbFault, DbTrouble, Ident, Link, OrgReader, Sql, Value, ValueRef};
use crate::plan::decisions::RowRef;
use crate::plan::map::{Dataset, Map};
use crate::plan::model::Code;
use crate::sql;
use crate::values;

/// Which rows of a target's own people count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// All that no run brought.
    All,
    /// Those for which a row of this run was taken: what others put there since does not count.
    Met(uuid::Uuid),
}

/// Rows that the target's own people put there, for every dataset of these tables that meets others.
///
/// # Errors
/// When the database refuses; `NoSuch` for a table or column that is not there.
pub async fn strangers(
    reader: &OrgReader,
    target: &Code,
    (map, tables): (&Map, &[String]),
    which: Strangers,
) -> Result<Namesakes, DbFault> {
    let ours = |dataset: &&Dataset| dataset.meets() && tables.contains(&dataset.from);
    let datasets: Vec<Dataset> = map.datasets.iter().filter(ours).cloned().collect();
    if datasets.is_empty() {
        return Ok(Namesakes::default());
    }
    let target = target.clone();
    reader
        .with(move |link| {
            let mut found = Namesakes::default();
            for dataset in &datasets {
                let known = Crosswalk::read(link, &dataset.name, None)?;
                let met = match which {
                    Strangers::All => None,
                    Strangers::Met(run) => {
                        Some(Crosswalk::read(link, &dataset.name, Some(run))?.taken)
                    }
                };
                each_name(link, dataset, |key, name| {
                    let counts = met.as_ref().is_none_or(|met| met.contains(key));
                    if counts && !known.brought.contains_key(key) {
                        let who = stranger(&target, key);
                        found.add((&target, &dataset.name), name, who);
                    }
                })?;
            }
            Ok(found)
        })
        .await
}

/// Everybody who stands at the target when rows of `source` come: strangers first, then what other
/// sources brought in this run.
pub(crate) fn standing(
    link: &Link,
    (target, source): (&Code, &Code),
    dataset: &Dataset,
    run: uuid::Uuid,
) -> Result<Namesakes, DbTrouble> {
    let known = Crosswalk::read(link, &dataset.name, Some(run))?;
    let mut rows = Vec::new();
    each_name(link, dataset, |key, name| {
        let brought = known.brought.get(key);
        if brought.is_none_or(|row| row.org != *source) {
            rows.push((brought.cloned(), key.to_owned(), name));
        }
    })?;
    rows.sort();
    let mut found = Namesakes::default();
    for (row, key, name) in rows {
        let who = match row {
            Some(row) => Namesake {
                row,
                target: Some(key.into()),
            },
            None => stranger(target, &key),
        };
        found.add((target, &dataset.name), name, who);
    }
    Ok(found)
}

fn stranger(target: &Code, key: &str) -> Namesake {
    Namesake {
        row: RowRef {
            org: target.clone(),
            key: key.to_owned(),
        },
        target: Some(key.into()),
    }
}

/// What the crosswalk says of a dataset's rows.
#[derive(Default)]
struct Crosswalk {
    /// Rows that a copy wrote, by their target key.
    brought: BTreeMap<String, RowRef>,
    /// Target keys for which other rows were taken.
    taken: BTreeSet<String>,
}

impl Crosswalk {
    /// Of one run, or of all.
    fn read(link: &Link, dataset: &str, run: Option<uuid::Uuid>) -> Result<Crosswalk, DbTrouble> {
        let mut crosswalk = Crosswalk::default();
        if !prepared(link)? {
            return Ok(crosswalk);
        }
        let mut values = values![dataset, merged(dataset)].to_vec();
        values.extend(run.map(|run| Value::from(run.to_string())));
        let query = sql!(
            "SELECT dataset, org, source_key, target_key FROM handover_key
             WHERE dataset IN (?1, ?2) AND undone_at IS NULL{}",
            Sql::new(if run.is_some() { " AND run = ?3" } else { "" })
        );
        let (mut rows, mut merged) = (Vec::new(), BTreeSet::new());
        let lent: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
        link.each(&query, &lent, |row| {
            let text = |at| Value::of(row.get(at)).into_text();
            let at = RowRef {
                org: Code::from(text(1)),
                key: text(2),
            };
            if text(0) == dataset {
                rows.push((text(3), at));
            } else {
                crosswalk.taken.insert(text(3));
                merged.insert(at);
            }
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        let brought = rows.into_iter().filter(|(_, row)| !merged.contains(row));
        crosswalk.brought = brought.collect();
        Ok(crosswalk)
    }
}

/// Shows every row that has a natural key: its target key, its name.
fn each_name(
    link: &Link,
    dataset: &Dataset,
    mut see: impl FnMut(&str, super::Name),
) -> Result<(), DbTrouble> {
    let table = link.table(&dataset.into)?;
    let table = table.ok_or_else(|| DbTrouble::NoSuch(dataset.into.clone()))?;
    let key = dataset.id.as_ref().or(table.key.first());
    let named = key.into_iter().chain(&dataset.natural_key);
    for name in named.clone() {
        if table.column(name).is_none() {
            return Err(DbTrouble::NoSuch(format!("{}.{name}", dataset.into)));
        }
    }
    let columns: Vec<Ident> = named.map(|name| Ident::new(name)).collect();
    let query = sql!("SELECT {} FROM {}", columns, Ident::new(&dataset.into));
    let first = usize::from(key.is_some());
    link.each(&query, &[], |row| {
        if let Some(name) = name_of((first..row.width()).map(|at| row.get(at))) {
            let key = if first == 1 {
                key_text(row.get(0))
            } else {
                String::new()
            };
            see(&key, name);
        }
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

fn key_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        _ => String::new(),
    }
}
