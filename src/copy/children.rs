//! Rows of others that hang on rows of ours by a foreign key. They are never touched: a row of ours
//! with such children stays, and is reported.
//!
//! In: effects that are to be undone. Out: how many of their rows have children that are not theirs.
//!
//! Not here: rows that were edited or deleted (`standing`).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::canon::{self, Values};
use super::effect::{self, Head};
use super::packed::unpack;
use super::shape::{Shape, bind};
use crate::orgdb::{DbTrouble, Ident, Sql};
use crate::sql;

/// A foreign key, seen from its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hanging {
    child: String,
    columns: Vec<String>,
    /// Parent columns; empty: the parent's key.
    parent_columns: Vec<String>,
    /// The engine itself would delete or change the child.
    reaches: bool,
}

/// Statements that find a child which the engine would delete or change along with its parent.
#[derive(Default)]
pub(super) struct Guards(BTreeMap<String, Vec<(Sql, Vec<usize>)>>);

impl Guards {
    /// Whether deleting this row would delete or change rows that hang on it.
    pub(super) fn would_reach_others(
        &mut self,
        connection: &Connection,
        shape: &Shape,
        key: &[u8],
    ) -> Result<bool, DbTrouble> {
        if !self.0.contains_key(&shape.table) {
            let guards = guards(connection, shape)?;
            self.0.insert(shape.table.clone(), guards);
        }
        for (text, places) in self.0.get(&shape.table).into_iter().flatten() {
            let mut statement = connection.prepare_cached(text.as_str())?;
            let values: Vec<_> = Values(key).collect();
            bind(
                &mut statement,
                1,
                places.iter().filter_map(|at| values.get(*at).copied()),
            )?;
            if statement.raw_query().next()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn guards(connection: &Connection, shape: &Shape) -> Result<Vec<(Sql, Vec<usize>)>, DbTrouble> {
    let mut found = Vec::new();
    for hanging in hanging(connection, &shape.table)? {
        let Some(places) = key_places(shape, &hanging) else {
            continue;
        };
        if hanging.reaches {
            let terms: Vec<Sql> = hanging
                .columns
                .iter()
                .enumerate()
                .map(|(at, name)| sql!("{} = ?{}", Ident::new(name), at + 1))
                .collect();
            let child = Ident::new(&hanging.child);
            let text = sql!(
                "SELECT 1 FROM {} WHERE {} LIMIT 1",
                child,
                Sql::join(" AND ", &terms)
            );
            found.push((text, places));
        }
    }
    Ok(found)
}

/// Where the referenced columns stand in the parent's key; none when they are not part of it.
fn key_places(shape: &Shape, hanging: &Hanging) -> Option<Vec<usize>> {
    if hanging.parent_columns.is_empty() {
        return (hanging.columns.len() == shape.key.len()).then(|| (0..shape.key.len()).collect());
    }
    let place = |name: &String| {
        shape
            .key
            .iter()
            .position(|key| key.eq_ignore_ascii_case(name))
    };
    hanging.parent_columns.iter().map(place).collect()
}

fn hanging(connection: &Connection, parent: &str) -> Result<Vec<Hanging>, DbTrouble> {
    let mut statement = connection.prepare_cached(
        "SELECT t.name, f.id, f.\"from\", f.\"to\", f.on_delete
         FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
         WHERE t.schema = 'main' AND t.type = 'table' AND lower(f.\"table\") = lower(?1)
         ORDER BY t.name, f.id, f.seq",
    )?;
    let mut rows = statement.query([parent])?;
    let mut found: BTreeMap<(String, i64), Hanging> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let child: String = row.get(0)?;
        let action: String = row.get(4)?;
        let entry = found
            .entry((child.clone(), row.get(1)?))
            .or_insert(Hanging {
                child,
                columns: Vec::new(),
                parent_columns: Vec::new(),
                reaches: action != "NO ACTION" && action != "RESTRICT",
            });
        entry.columns.push(row.get(2)?);
        entry
            .parent_columns
            .extend(row.get::<_, Option<String>>(3)?);
    }
    Ok(found.into_values().collect())
}

/// How many rows of these effects, by table, have a child that none of these effects wrote.
pub(super) fn of_others(
    connection: &Connection,
    effects: &[i64],
) -> Result<Vec<(String, u64)>, DbTrouble> {
    let shapes = written(connection, effects)?;
    let mut pairs = Vec::new();
    for shape in shapes.values() {
        for hanging in hanging(connection, &shape.table)? {
            let by_key =
                key_places(shape, &hanging).is_some_and(|places| places.len() == shape.key.len());
            if by_key {
                pairs.push((shape, hanging));
            }
        }
    }
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<&str> = pairs
        .iter()
        .flat_map(|(shape, hanging)| [shape.table.as_str(), hanging.child.as_str()])
        .collect();
    note_ours(connection, effects, &wanted)?;
    let mut found = Vec::new();
    for (shape, hanging) in pairs {
        let rows = count(connection, shape, &hanging)?;
        if rows > 0 {
            found.push((shape.table.clone(), rows));
        }
    }
    Ok(found)
}

/// Tables that these effects inserted into.
fn written(connection: &Connection, effects: &[i64]) -> Result<BTreeMap<String, Shape>, DbTrouble> {
    let mut shapes = BTreeMap::new();
    for id in effects {
        for head in effect::heads(connection, *id)? {
            if let Head::Insert { shape, .. } = head {
                shapes.insert(shape.table.clone(), shape);
            }
        }
    }
    Ok(shapes)
}

/// Notes the keys of our rows in a temporary table.
fn note_ours(
    connection: &Connection,
    effects: &[i64],
    wanted: &BTreeSet<&str>,
) -> Result<(), DbTrouble> {
    connection.create_scalar_function(
        "handover_packed",
        -1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |context| {
            let mut packed = Vec::new();
            (0..context.len()).for_each(|at| canon::push(&mut packed, context.get_raw(at)));
            Ok(packed)
        },
    )?;
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS handover_ours (
           tbl TEXT NOT NULL, key BLOB NOT NULL, PRIMARY KEY (tbl, key)) WITHOUT ROWID;
         DELETE FROM temp.handover_ours;",
    )?;
    let mut note = connection
        .prepare_cached("INSERT OR IGNORE INTO temp.handover_ours (tbl, key) VALUES (?1, ?2)")?;
    for id in effects {
        for part in effect::parts_like(connection, *id, "insert")? {
            let Some((shape, _, rows)) = unpack(&part.head, &part.body)? else {
                continue;
            };
            if wanted.contains(shape.table.as_str()) {
                for row in rows {
                    note.execute(rusqlite::params![shape.table, row.key])?;
                }
            }
        }
    }
    Ok(())
}

fn count(connection: &Connection, shape: &Shape, hanging: &Hanging) -> Result<u64, DbTrouble> {
    let (child, _) = Shape::read(connection, &hanging.child)?;
    let columns = in_key_order(shape, hanging);
    let text = sql!(
        "SELECT count(DISTINCT handover_packed({})) FROM {} AS c
         WHERE EXISTS (SELECT 1 FROM temp.handover_ours WHERE tbl = ?1 AND key = handover_packed({}))
         AND NOT EXISTS (SELECT 1 FROM temp.handover_ours WHERE tbl = ?2 AND key = handover_packed({}))",
        columns,
        child.ident(),
        columns,
        Sql::join(", ", &child.key_columns())
    );
    let mut statement = connection.prepare(text.as_str())?;
    let rows: i64 = statement.query_row([&shape.table, &child.table], |row| row.get(0))?;
    Ok(rows.cast_unsigned())
}

/// The child's columns in the order of the parent's key.
fn in_key_order(shape: &Shape, hanging: &Hanging) -> Vec<Ident> {
    let places = key_places(shape, hanging).unwrap_or_default();
    let mut pairs: Vec<(usize, &String)> = places.into_iter().zip(&hanging.columns).collect();
    pairs.sort();
    pairs
        .into_iter()
        .map(|(_, name)| Ident::new(name))
        .collect()
}
