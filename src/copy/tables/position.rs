//! In which order a source table is read, and where in it a row stands, so that a copy goes on from
//! there after a crash.
//!
//! A file's rows have numbers; a server's are read in the order of their key, by the index that the key
//! has. Where a server's table has no key, its rows are read as they lie (`ctid`): an update in between
//! moves a row, and `verify` finds what came of it. `MariaDB` has no such address: there a table without
//! a key is read in the order in which its rows lie, which is that of their coming, and a row's place is
//! its count. Rows that come later stand behind, an update moves none; a row that is deleted between a
//! crash and the resume moves those behind it, and `verify` finds that, too.
//!
//! Not here: reading (`scan`, `survey`), keeping positions (`store`).

use serde::{Deserialize, Serialize};

use super::shape::idents;
use crate::orgdb::catalogue::Table;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, Value, ValueRef};
use crate::sql;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Position {
    /// By its number.
    Row(i64),
    /// By its key; by nothing before the first.
    Key(Vec<Part>),
}

/// A part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Part {
    /// As text.
    Text(String),
    /// Bytes that are no text for whoever compares them.
    Bytes { bytes: Vec<u8> },
}

impl Part {
    fn of(value: ValueRef<'_>) -> Part {
        match Value::of(value) {
            Value::Null => Part::Text(String::new()),
            Value::Int(number) => Part::Text(number.to_string()),
            Value::Real(number) => Part::Text(number.to_string()),
            Value::Text(text) => Part::Text(text),
            Value::Blob(bytes) => Part::Bytes { bytes },
        }
    }

    fn value(&self) -> Value {
        match self {
            Part::Text(text) => text.as_str().into(),
            Part::Bytes { bytes } => bytes.clone().into(),
        }
    }
}

impl Default for Position {
    fn default() -> Position {
        Position::start()
    }
}

impl Position {
    /// Before the first row.
    pub(crate) fn start() -> Position {
        Position::Row(i64::MIN)
    }

    /// Whether nothing stands before it.
    pub(crate) fn is_start(&self) -> bool {
        match self {
            Position::Row(number) => *number == i64::MIN,
            Position::Key(parts) => parts.is_empty(),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'p> {
    /// Those behind a position.
    Behind(&'p Position),
    /// Those up to it.
    UpTo(&'p Position),
    /// Those behind the first and up to the second.
    Between(&'p Position, &'p Position),
}

impl<'p> Wanted<'p> {
    /// Behind what, and up to what.
    fn ends(self) -> [Option<&'p Position>; 2] {
        let some = |position: &'p Position| Some(position).filter(|one| !one.is_start());
        match self {
            Wanted::Behind(behind) => [some(behind), None],
            Wanted::UpTo(upto) => [None, Some(upto)],
            Wanted::Between(behind, upto) => [some(behind), Some(upto)],
        }
    }
}

/// The order of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// By their number.
    Numbered,
    /// By their count, in the order of the table's own key.
    Counted,
    /// By their key.
    Keyed(Vec<String>),
    /// As they lie.
    Lying,
    /// By their count, as they lie.
    Passing,
}

impl Order {
    /// The order of a table in a database of this kind.
    pub(crate) fn of(dialect: Dialect, table: &Table) -> Order {
        match dialect {
            Dialect::Sqlite if table.without_rowid => Order::Counted,
            Dialect::Sqlite => Order::Numbered,
            Dialect::Postgres if table.key.is_empty() => Order::Lying,
            Dialect::Mariadb if table.key.is_empty() => match unique(table) {
                Some(key) => Order::Keyed(key),
                None => Order::Passing,
            },
            Dialect::Postgres | Dialect::Mariadb => Order::Keyed(table.key.clone()),
        }
    }

    /// A position with about as many rows before it as behind it; none where only reading would tell.
    pub(crate) fn middle(&self, link: &Link, table: &Ident) -> Result<Option<Position>, DbTrouble> {
        if *self != Order::Numbered {
            return Ok(None);
        }
        let ends = sql!("SELECT min(rowid), max(rowid) FROM {}", table);
        let ends = link.row(&ends, &[])?.unwrap_or_default();
        let mut ends = ends.iter().map(Value::int);
        Ok(match (ends.next().flatten(), ends.next().flatten()) {
            (Some(first), Some(last)) => Some(Position::Row(first.midpoint(last))),
            _ => None,
        })
    }

    /// How many values tell where a row stands.
    pub(crate) fn width(&self) -> usize {
        match self {
            Order::Keyed(key) => key.len(),
            _ => 1,
        }
    }

    /// The position that these values tell.
    pub(crate) fn position<'v>(
        &self,
        mut stand: impl Iterator<Item = ValueRef<'v>> + Clone,
    ) -> Position {
        match (self, stand.clone().next()) {
            (
                Order::Numbered | Order::Counted | Order::Passing,
                Some(ValueRef::Integer(number)),
            ) => Position::Row(number),
            _ => Position::Key(stand.by_ref().take(self.width()).map(Part::of).collect()),
        }
    }

    /// The scan: where each row stands, then its columns. `only` is a term of the engine's own, for rows that
    /// have numbers or keys, or are read as they lie.
    pub(crate) fn scan(
        &self,
        table: &Ident,
        columns: &[Ident],
        (wanted, only): (Wanted<'_>, Option<Sql>),
    ) -> (Sql, Vec<Value>) {
        let apart: Vec<Sql> = columns.iter().map(|column| sql!(", {}", column)).collect();
        let apart = Sql::join("", &apart);
        let ends = wanted.ends();
        match self {
            Order::Numbered => numbered(table, &apart, (ends, only)),
            Order::Counted => counted(table, &apart, ends),
            Order::Keyed(key) => {
                let all: Vec<Ident> = idents(key).into_iter().chain(columns.to_vec()).collect();
                keyed(table, key, &all, (ends, only))
            }
            Order::Lying => lying(table, &apart, (ends, only)),
            Order::Passing => passing(table, &apart, ends),
        }
    }

    /// The scan of columns that tell by themselves where each row stands.
    pub(crate) fn scan_columns(
        &self,
        table: &Ident,
        columns: &[Ident],
        (wanted, only): (Wanted<'_>, Option<Sql>),
    ) -> (Sql, Vec<Value>) {
        match self {
            Order::Keyed(key) => keyed(table, key, columns, (wanted.ends(), only)),
            _ => self.scan(table, columns, (wanted, only)),
        }
    }

    /// How many rows there are for which a term of the server's own is true; none where rows have other
    /// places than by their key, or as they lie.
    pub(crate) fn count(
        &self,
        table: &Ident,
        (wanted, only): (Wanted<'_>, Sql),
    ) -> Option<(Sql, Vec<Value>)> {
        let ends = wanted.ends();
        let (mut terms, values) = match self {
            Order::Keyed(key) => by_key(key, ends),
            Order::Lying => by_address(ends),
            Order::Numbered | Order::Counted | Order::Passing => return None,
        };
        terms.push(only);
        let text = sql!("SELECT count(*) FROM {}{}", table, condition(&terms));
        Some((text, values))
    }
}

/// Behind what, and up to what.
type Ends<'p> = [Option<&'p Position>; 2];

/// How each end is compared.
const SIDES: [&str; 2] = [">", "<="];

/// Numbers of the first row that is not wanted any more, and of the last that is.
fn numbers(ends: Ends<'_>) -> [i64; 2] {
    let number = |end: Option<&Position>, none| match end {
        Some(Position::Row(number)) => *number,
        Some(Position::Key(_)) | None => none,
    };
    [number(ends[0], i64::MIN), number(ends[1], i64::MAX)]
}

fn numbered(
    table: &Ident,
    columns: &Sql,
    (ends, only): (Ends<'_>, Option<Sql>),
) -> (Sql, Vec<Value>) {
    let only = only.map_or(Sql::new(""), |only| sql!(" AND {}", only));
    let text = sql!(
        "SELECT rowid{} FROM {} WHERE rowid > ?1 AND rowid <= ?2{} ORDER BY rowid",
        columns,
        table,
        only
    );
    (text, numbers(ends).map(Value::Int).to_vec())
}

/// How many rows are passed over, and how many are wanted then.
fn counts(ends: Ends<'_>) -> [i64; 2] {
    let [behind, upto] = numbers(ends).map(|number| number.max(0));
    [behind, upto.saturating_sub(behind).max(0)]
}

fn counted(table: &Ident, columns: &Sql, ends: Ends<'_>) -> (Sql, Vec<Value>) {
    let text = sql!(
        "SELECT row_number() OVER () + ?1{} FROM {} LIMIT ?2 OFFSET ?1",
        columns,
        table
    );
    (text, counts(ends).map(Value::Int).to_vec())
}

/// No index is used, so that the order is always that of the rows themselves; the count is made as they
/// pass, since a window over them would first be written out as a table.
fn passing(table: &Ident, columns: &Sql, ends: Ends<'_>) -> (Sql, Vec<Value>) {
    let text = sql!(
        "SELECT STRAIGHT_JOIN CAST(@handover_row := @handover_row + 1 AS signed){}
         FROM (SELECT @handover_row := CAST(?1 AS signed)) AS handover_start, {} USE INDEX ()
         LIMIT ?2 OFFSET ?3",
        columns,
        table
    );
    let [behind, many] = counts(ends);
    (text, [behind, many, behind].map(Value::Int).to_vec())
}

/// The columns of a unique index in which nothing is NULL: as good as a key.
fn unique(table: &Table) -> Option<Vec<String>> {
    let sound = |(unique, columns): &&(bool, Vec<String>)| {
        let required = |name: &String| table.column(name).is_some_and(|column| column.required);
        *unique && columns.iter().all(required)
    };
    let mut found = table.indexes.values();
    found.find(sound).map(|(_, columns)| columns.clone())
}

fn keyed(
    table: &Ident,
    key: &[String],
    columns: &[Ident],
    (ends, only): (Ends<'_>, Option<Sql>),
) -> (Sql, Vec<Value>) {
    let (mut terms, values) = by_key(key, ends);
    terms.extend(only);
    let text = sql!(
        "SELECT {} FROM {}{} ORDER BY {}",
        columns.to_vec(),
        table,
        condition(&terms),
        idents(key)
    );
    (text, values)
}

/// The terms of two ends in the order of a key, and their values.
fn by_key(key: &[String], ends: Ends<'_>) -> (Vec<Sql>, Vec<Value>) {
    let names = idents(key);
    let (mut terms, mut values) = (Vec::new(), Vec::new());
    for (end, side) in ends.into_iter().zip(SIDES) {
        let Some(Position::Key(parts)) = end else {
            continue;
        };
        if parts.len() != key.len() {
            continue;
        }
        let places = Sql::places(values.len() + 1, parts.len());
        terms.push(sql!("({}) {} ({})", names, Sql::new(side), places));
        values.extend(parts.iter().map(Part::value));
    }
    (terms, values)
}

/// The same as rows lie.
fn by_address(ends: Ends<'_>) -> (Vec<Sql>, Vec<Value>) {
    let (mut terms, mut values) = (Vec::new(), Vec::new());
    for (end, side) in ends.into_iter().zip(SIDES) {
        let Some(Position::Key(parts)) = end else {
            continue;
        };
        values.extend(parts.iter().take(1).map(Part::value));
        terms.push(sql!(
            "ctid {} CAST(CAST(?{} AS text) AS tid)",
            Sql::new(side),
            values.len()
        ));
    }
    (terms, values)
}

fn lying(table: &Ident, columns: &Sql, (ends, only): (Ends<'_>, Option<Sql>)) -> (Sql, Vec<Value>) {
    let (mut terms, values) = by_address(ends);
    terms.extend(only);
    // With the table's name: alone, it would be that of the text which stands first, and (0,10) before (0,2).
    let order = if terms.is_empty() {
        Sql::new("")
    } else {
        sql!(" ORDER BY {}.ctid", table)
    };
    let text = sql!(
        "SELECT CAST(ctid AS text){} FROM {}{}{}",
        columns,
        table,
        condition(&terms),
        order
    );
    (text, values)
}

fn condition(terms: &[Sql]) -> Sql {
    match terms {
        [] => Sql::new(""),
        terms => sql!(" WHERE {}", Sql::join(" AND ", terms)),
    }
}
