//! Who has which natural key at a target: rows that its own people put there, rows of other sources that
//! a copy of this run brought before, rows that another run brought.
//!
//! In: a target, a map's dataset. Out: namesakes.
//!
//! The crosswalk tells our rows: each row that a copy wrote stands there by its source key, and so does
//! each that was taken for another (`NAME:merged` tells those).
//!
//! Not here: rows that are still at their sources (`look`).

use std::collections::{BTreeMap, BTreeSet};

use super::{MERGED, Namesake, Namesakes, merged, name_of};
use crate::copy::ledger::prepared;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbFault, DbTrouble, Ident, Link, OrgReader, Sql, Value, ValueRef};
use crate::plan::decisions::RowRef;
use crate::plan::map::{Dataset, Map};
use crate::plan::model::Code;
use crate::sql;
use crate::values;

/// Which rows of strangers count. A stranger is whoever this run did not bring: rows of the target's own
/// people, and those that another run brought and has not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// All of them; everybody, while there is no run.
    All(Option<uuid::Uuid>),
    /// Those for which a row of this run was taken: what others put there since does not count.
    Met(uuid::Uuid),
}

impl Strangers {
    fn run(self) -> Option<uuid::Uuid> {
        match self {
            Strangers::All(run) => run,
            Strangers::Met(run) => Some(run),
        }
    }
}

/// Rows of strangers that stand at a target, for every dataset of these tables that meets others.
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
    let (target, map) = (target.clone(), map.clone());
    reader
        .with(move |link| {
            let mut found = Namesakes::default();
            for dataset in &datasets {
                let known = Crosswalk::read(link, (&map, dataset), which.run())?;
                let all = matches!(which, Strangers::All(_));
                each_name(link, dataset, |key, name| {
                    let counts = all || known.taken.contains(key);
                    if counts && !known.brought.contains_key(key) && !known.beside.contains(key) {
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
    (map, dataset): (&Map, &Dataset),
    run: uuid::Uuid,
) -> Result<Namesakes, DbTrouble> {
    // The same rule as for `strangers`: what is foretold is what the copy meets.
    let known = Crosswalk::read(link, (map, dataset), Some(run))?;
    let mut rows = Vec::new();
    each_name(link, dataset, |key, name| {
        let brought = known.brought.get(key);
        if brought.is_none_or(|row| row.org != *source) && !known.beside.contains(key) {
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

/// What the crosswalk says of a dataset's rows in one run.
#[derive(Default)]
struct Crosswalk {
    /// Rows that a copy wrote, by their target key.
    brought: BTreeMap<String, RowRef>,
    /// Target keys for which other rows were taken.
    taken: BTreeSet<String>,
    /// Target keys of rows that other datasets of the map brought into the same table: they are looked at by
    /// themselves.
    beside: BTreeSet<String>,
}

impl Crosswalk {
    /// Nothing where there is no run.
    fn read(
        link: &Link,
        (map, dataset): (&Map, &Dataset),
        run: Option<uuid::Uuid>,
    ) -> Result<Crosswalk, DbTrouble> {
        let mut crosswalk = Crosswalk::default();
        let Some(run) = run else {
            return Ok(crosswalk);
        };
        if !prepared(link)? {
            return Ok(crosswalk);
        }
        let mut values = values![run.to_string()].to_vec();
        for one in map.datasets.iter().filter(|one| one.into == dataset.into) {
            values.extend([Value::from(one.name.as_str()), merged(&one.name).into()]);
        }
        let query = sql!(
            "SELECT dataset, org, source_key, target_key FROM handover_key
             WHERE run = ?1 AND dataset IN ({}) AND undone_at IS NULL",
            Sql::places(2, values.len() - 1)
        );
        // By name and source row.
        let mut rows: BTreeMap<(String, RowRef), String> = BTreeMap::new();
        let lent: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
        link.each(&query, &lent, |row| {
            let text = |at| Value::of(row.get(at)).into_text();
            let at = RowRef {
                org: Code::from(text(1)),
                key: text(2),
            };
            rows.insert((text(0), at), text(3));
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        for ((name, row), key) in &rows {
            if *name == merged(&dataset.name) {
                crosswalk.taken.insert(key.clone());
            } else if rows.contains_key(&(merged(name), row.clone())) || name.ends_with(MERGED) {
                // The row that stands is another's.
            } else if *name == dataset.name {
                crosswalk.brought.insert(key.clone(), row.clone());
            } else {
                crosswalk.beside.insert(key.clone());
            }
        }
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
