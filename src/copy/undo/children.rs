//! Rows of others that hang on rows of ours by a foreign key. They are never touched: a row of ours
//! with such children stays, and is reported.
//!
//! In: effects that are to be undone. Out: how many of their rows have children that are not theirs.
//!
//! Not here: rows that were edited or deleted (`standing`).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::hanging::{hanging, hangs, may_look};
use super::strangers::Strangers;
use crate::copy::ledger::packed::Unpacked;
use crate::copy::standing::Held;
use crate::copy::tables::shape::{Shape, idents};
use crate::copy::value::canon::{self, Values};
use crate::orgdb::catalogue::Hanging;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link, Sql, ValueRef};
use crate::sql;

/// Statements that find a child which the engine would delete or change along with its parent.
#[derive(Default)]
pub(crate) struct Guards(BTreeMap<String, Vec<(Sql, Vec<usize>)>>);

impl Guards {
    /// Whether the engine would delete or change any rows along with rows of this table.
    pub(crate) fn any(&mut self, link: &Link, shape: &Shape) -> Result<bool, DbTrouble> {
        Ok(!self.of(link, shape)?.is_empty())
    }

    fn of(&mut self, link: &Link, shape: &Shape) -> Result<&[(Sql, Vec<usize>)], DbTrouble> {
        if !self.0.contains_key(&shape.table) {
            let guards = guards(link, shape)?;
            self.0.insert(shape.table.clone(), guards);
        }
        Ok(self.0.get(&shape.table).map_or(&[], Vec::as_slice))
    }

    /// Whether deleting this row would delete or change rows that hang on it.
    pub(crate) fn would_reach_others(
        &mut self,
        link: &Link,
        shape: &Shape,
        key: &[u8],
    ) -> Result<bool, DbTrouble> {
        for (text, places) in self.of(link, shape)? {
            let values: Vec<ValueRef<'_>> = Values(key).collect();
            let places = places.iter().filter_map(|at| values.get(*at).copied());
            let mut found = false;
            link.each(text, &places.collect::<Vec<_>>(), |_| {
                found = true;
                Ok::<Flow, DbTrouble>(Flow::Break(()))
            })?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn guards(link: &Link, shape: &Shape) -> Result<Vec<(Sql, Vec<usize>)>, DbTrouble> {
    let mut guards = Vec::new();
    for hanging in hanging(link, &shape.table)? {
        if hanging.reaches && may_look(link, &hanging)? {
            guards.push(guard(shape, &hanging));
        }
    }
    Ok(guards)
}

/// Finds a child by its parent's key; which parts of the key it asks for.
fn guard(shape: &Shape, hanging: &Hanging) -> (Sql, Vec<usize>) {
    let (child, columns) = (&hanging.child, idents(&hanging.columns));
    let asked = |columns: &[Sql]| {
        let terms = columns.iter().enumerate();
        let terms: Vec<Sql> = terms
            .map(|(at, column)| sql!("{} = ?{}", column, at + 1))
            .collect();
        Sql::join(" AND ", &terms)
    };
    if let Some(places) = key_places(shape, hanging) {
        let columns: Vec<Sql> = columns.iter().map(|name| sql!("{}", name)).collect();
        let text = sql!("SELECT 1 FROM {} WHERE {} LIMIT 1", child, asked(&columns));
        return (text, places);
    }
    // It names its parent by other columns than the key: by way of the parent.
    let pairs = columns.iter().zip(&hanging.parent_columns);
    let pairs: Vec<Sql> = pairs
        .map(|(column, there)| sql!("child.{} = parent.{}", column, Ident::new(there)))
        .collect();
    let key = shape.key_columns();
    let key: Vec<Sql> = key.iter().map(|name| sql!("parent.{}", name)).collect();
    let text = sql!(
        "SELECT 1 FROM {} AS child JOIN {} AS parent ON {} WHERE {} LIMIT 1",
        child,
        shape.ident(),
        Sql::join(" AND ", &pairs),
        asked(&key)
    );
    (text, (0..shape.key_width()).collect())
}

/// Where the referenced columns stand in the parent's key; none when they are not part of it.
pub(super) fn key_places(shape: &Shape, hanging: &Hanging) -> Option<Vec<usize>> {
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

/// Stands before the name of a table whose rows were changed and are not ours.
const CHANGED: &str = "~";

/// Which rows are ours, and whose rows hang on them.
pub(crate) enum Ours<'c> {
    /// In a file.
    File(Box<File<'c>>),
    /// On a server.
    Server(Strangers<'c>),
}

impl<'c> Ours<'c> {
    /// None yet.
    pub(crate) fn new(link: &'c Link) -> Result<Ours<'c>, DbTrouble> {
        Ok(match link.sqlite() {
            Some(file) => Ours::File(Box::new(File::new(link, file)?)),
            None => Ours::Server(Strangers::new(link)),
        })
    }

    /// Notes the rows of an insert, as they were found.
    pub(crate) fn note(&mut self, rows: &Unpacked<'_>, held: &Held) -> Result<(), DbTrouble> {
        match self {
            Ours::File(file) => file.note(rows, held),
            Ours::Server(strangers) => strangers.note(rows),
        }
    }

    /// Notes rows of an update: what they hang on since then, they let go of when it is undone.
    pub(super) fn note_changed(&mut self, rows: &Unpacked<'_>) -> Result<(), DbTrouble> {
        match self {
            Ours::File(file) => file.note_keys(&format!("{CHANGED}{}", rows.0.table), rows),
            Ours::Server(strangers) => {
                strangers.note_changed(rows);
                Ok(())
            }
        }
    }

    /// How many of our rows, by table, have a child that is not ours.
    pub(super) fn with_children_of_others(self) -> Result<Vec<(String, u64)>, DbTrouble> {
        match self {
            Ours::File(file) => file.with_children_of_others(),
            Ours::Server(strangers) => strangers.find(),
        }
    }
}

/// Which rows of a file are ours: those between numbers where nothing but ours was found, and single
/// keys.
pub(crate) struct File<'c> {
    link: &'c Link,
    connection: &'c Connection,
    shapes: BTreeMap<String, Shape>,
    /// By table, in no order: first and last number.
    spans: BTreeMap<String, Vec<(i64, i64)>>,
    /// Tables that have foreign keys to do with.
    hang: BTreeMap<String, bool>,
}

impl<'c> File<'c> {
    fn new(link: &'c Link, connection: &'c Connection) -> Result<File<'c>, DbTrouble> {
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
        Ok(File {
            link,
            connection,
            shapes: BTreeMap::new(),
            spans: BTreeMap::new(),
            hang: BTreeMap::new(),
        })
    }

    fn note(&mut self, rows: &Unpacked<'_>, held: &Held) -> Result<(), DbTrouble> {
        let (shape, ..) = rows;
        if !self.hang.contains_key(&shape.table) {
            let hangs = hangs(self.link, &shape.table)?;
            self.hang.insert(shape.table.clone(), hangs);
        }
        if self.hang.get(&shape.table) == Some(&false) {
            return Ok(());
        }
        if !self.shapes.contains_key(&shape.table) {
            self.shapes.insert(shape.table.clone(), (*shape).clone());
        }
        if let Some(span) = held.alone {
            let spans = self.spans.entry(shape.table.clone()).or_default();
            spans.push(span);
            return Ok(());
        }
        self.note_keys(&shape.table, rows)
    }

    fn note_keys(&self, under: &str, (_, _, rows): &Unpacked<'_>) -> Result<(), DbTrouble> {
        let mut note = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO temp.handover_ours (tbl, key) VALUES (?1, ?2)",
        )?;
        for row in rows {
            note.execute(rusqlite::params![under, row.key])?;
        }
        Ok(())
    }

    fn with_children_of_others(mut self) -> Result<Vec<(String, u64)>, DbTrouble> {
        self.spans
            .values_mut()
            .for_each(|spans| spans.sort_unstable());
        let mut found = Vec::new();
        for shape in self.shapes.values() {
            for hanging in self.link.hanging(&shape.table)? {
                let places = key_places(shape, &hanging);
                if places.is_none_or(|places| places.len() != shape.key.len()) {
                    continue;
                }
                let rows = self.parents(shape, &hanging)?;
                if rows > 0 {
                    found.push((shape.table.clone(), rows));
                }
            }
        }
        Ok(found)
    }

    /// How many of our rows of this table have such a child by this foreign key.
    fn parents(&self, shape: &Shape, hanging: &Hanging) -> Result<u64, DbTrouble> {
        let spans = |table: &str| self.spans.get(table).map_or(&[][..], Vec::as_slice);
        let (ours, theirs) = (spans(&shape.table), gaps(spans(&hanging.child.table)));
        let text = self.children(shape, hanging, theirs.is_some())?;
        let mut statement = self.connection.prepare(text.as_str())?;
        let mut found = BTreeSet::new();
        for (after, before) in theirs.unwrap_or_else(|| vec![(0, 0)]) {
            let mut rows = statement.query(rusqlite::params![
                shape.table,
                hanging.child.table,
                after,
                before
            ])?;
            while let Some(row) = rows.next()? {
                let number: Option<i64> = row.get(1)?;
                if row.get(2)? || number.is_some_and(|number| within(ours, number)) {
                    found.insert(row.get::<_, Vec<u8>>(0)?);
                }
            }
        }
        Ok(found.len() as u64)
    }

    /// Children that are not ours: the parent's key, its number, whether its key was noted.
    fn children(&self, shape: &Shape, hanging: &Hanging, between: bool) -> Result<Sql, DbTrouble> {
        let (child, _) = Shape::read(self.link, &hanging.child.table)?;
        let columns: Vec<Sql> = in_key_order(shape, hanging)
            .iter()
            .map(|column| sql!("c.{}", column))
            .collect();
        let terms: Vec<Sql> = shape
            .key
            .iter()
            .zip(&columns)
            .map(|(key, column)| sql!("p.{} = {}", Ident::new(key), column))
            .collect();
        let columns = Sql::join(", ", &columns);
        let child_key = child.key_columns();
        let child_key: Vec<Sql> = child_key
            .iter()
            .map(|column| sql!("c.{}", column))
            .collect();
        let number = if self.spans.contains_key(&shape.table) {
            sql!(
                "(SELECT p.rowid FROM {} AS p WHERE {})",
                shape.ident(),
                Sql::join(" AND ", &terms)
            )
        } else {
            Sql::new("NULL")
        };
        let which = if between {
            Sql::new("c.rowid > ?3 AND c.rowid < ?4")
        } else {
            Sql::new("?3 = ?4")
        };
        Ok(sql!(
            "SELECT handover_packed({}), {},
               EXISTS (SELECT 1 FROM temp.handover_ours WHERE tbl = ?1 AND key = handover_packed({}))
             FROM {} AS c WHERE {}
             AND NOT EXISTS (SELECT 1 FROM temp.handover_ours
               WHERE tbl IN (?2, '~' || ?2) AND key = handover_packed({}))",
            columns,
            number,
            columns,
            child.ident(),
            which,
            Sql::join(", ", &child_key)
        ))
    }
}

/// What lies between sorted spans, as exclusive ends; none where there are no spans.
fn gaps(spans: &[(i64, i64)]) -> Option<Vec<(i64, i64)>> {
    let (first, _) = spans.first()?;
    let mut gaps = vec![(i64::MIN, *first)];
    for pair in spans.windows(2) {
        gaps.push((pair[0].1, pair[1].0));
    }
    gaps.push((spans.last()?.1, i64::MAX));
    gaps.retain(|(after, before)| before.saturating_sub(*after) > 1);
    Some(gaps)
}

fn within(spans: &[(i64, i64)], number: i64) -> bool {
    let behind = spans.partition_point(|(first, _)| *first <= number);
    behind > 0 && number <= spans[behind - 1].1
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_lies_between_and_around_our_spans() {
        assert_eq!(gaps(&[]), None);
        let spans = [(5, 7), (8, 9), (12, 12)];
        let around = vec![(i64::MIN, 5), (9, 12), (12, i64::MAX)];
        assert_eq!(gaps(&spans), Some(around));
        let ours: Vec<i64> = (3..15).filter(|number| within(&spans, *number)).collect();
        assert_eq!(ours, [5, 6, 7, 8, 9, 12]);
    }
}
