//! Parents of source rows, gathered once into the reader's own temporary store, each under the trimmed
//! reference that finds it. Legacy sources have neither keys nor indexes: a server that was asked to
//! join them would compare every row with every other.
//!
//! In: a relation, the values that are wanted behind it. Out: the name of a temporary table.
//!
//! What a split's rules say of a row stands beside it there, like a column: judged once a row, as it is
//! gathered, by the same rules in the same place for every engine.
//!
//! Not here: looking a row's parent up while scanning (`sight`), judging (`rules`).

use std::collections::{BTreeSet, VecDeque};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::rules::each_judged;
use super::sight::{known, lent, place};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link, Sql};
use crate::plan::digest::Digest;
use crate::plan::map::{ColumnRef, Relation, Split};
use crate::sql;

/// Something of a parent that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaf {
    /// The value of a column.
    Column(ColumnRef),
    /// What the rules of a split say of the row.
    Verdict(Split),
}

impl Leaf {
    /// The table that it is of.
    pub(super) fn table(&self) -> &str {
        match self {
            Leaf::Column(column) => &column.table,
            Leaf::Verdict(split) => &split.table,
        }
    }
}

/// Under which name verdicts stand beside the rows that were judged.
const VERDICT: &str = "handover_verdict";

/// Makes the temporary table that a reference finds its parent's values in, unless an earlier dataset
/// of this link's read transaction needed the same; its name.
pub(super) fn gather(
    link: &Link,
    relations: &[Relation],
    relation: &Relation,
    leaves: &[Leaf],
) -> Result<Ident, DbTrouble> {
    let name = Ident::new(&format!("handover_parent_{}", told(relation, leaves)));
    if link.scratch()?.table_exists(Some("temp"), name.name())? {
        return Ok(name);
    }
    let parent = &relation.parent;
    let table = known(link, &parent.table)?;
    if table.column(&parent.column).is_none() {
        return Err(DbTrouble::NoSuch(format!(
            "{}.{}",
            parent.table, parent.column
        )));
    }
    let mut further = Vec::new();
    for leaf in leaves.iter().filter(|leaf| leaf.table() != parent.table) {
        let step = first_step(relations, &parent.table, leaf.table()).ok_or_else(|| {
            DbTrouble::NoSuch(format!(
                "relation from {} to {}",
                parent.table,
                leaf.table()
            ))
        })?;
        place(&mut further, step);
    }
    let (mut joins, mut whole, mut homes) = (Vec::new(), vec![Sql::new("1")], Vec::new());
    for (at, step) in further.iter().enumerate() {
        let behind: Vec<Leaf> = leaves
            .iter()
            .filter(|leaf| leaf.table() != parent.table)
            .filter(|leaf| first_step(relations, &parent.table, leaf.table()) == Some(step))
            .cloned()
            .collect();
        let next = gather(link, relations, step, &behind)?;
        joins.push(sql!(
            " LEFT JOIN temp.{} AS j{} ON j{}.k = rtrim(p.{})",
            next,
            at,
            at,
            Ident::new(&step.child.column)
        ));
        whole.push(sql!("coalesce(j{}.whole, 0)", at));
        homes.push(behind);
    }
    let values: Vec<Sql> = leaves
        .iter()
        .map(|leaf| leaf_value(parent, leaf, &homes))
        .collect();
    let names: Vec<Sql> = (0..leaves.len()).map(|at| sql!("v{}", at)).collect();
    let mut columns = vec![parent.column.clone()];
    for step in &further {
        place(&mut columns, &step.child.column);
    }
    let rows = rows(link, relations, (&name, parent), columns, leaves)?;
    let scratch = link.scratch()?;
    scratch.execute_batch(
        sql!(
            "CREATE TEMP TABLE {} (k TEXT PRIMARY KEY NOT NULL, whole, {}) WITHOUT ROWID;
             INSERT OR IGNORE INTO temp.{} SELECT rtrim(p.{}), {}, {} FROM {} AS p{} WHERE p.{} IS NOT NULL",
            name,
            Sql::join(", ", &names),
            name,
            Ident::new(&parent.column),
            Sql::join(" AND ", &whole),
            Sql::join(", ", &values),
            rows,
            Sql::join("", &joins),
            Ident::new(&parent.column)
        )
        .as_str(),
    )?;
    // A file's own statements may still be open, and nothing is dropped beneath them.
    if link.sqlite().is_none() {
        scratch.execute_batch(sql!("DROP TABLE {}", rows).as_str())?;
    }
    Ok(name)
}

/// Where a parent's rows are, with these columns and whatever of them is wanted.
fn rows(
    link: &Link,
    relations: &[Relation],
    (name, parent): (&Ident, &ColumnRef),
    mut columns: Vec<String>,
    leaves: &[Leaf],
) -> Result<Sql, DbTrouble> {
    let mut split = None;
    for leaf in leaves.iter().filter(|leaf| leaf.table() == parent.table) {
        match leaf {
            Leaf::Column(leaf) => drop(place(&mut columns, &leaf.column)),
            Leaf::Verdict(rules) => split = Some(rules),
        }
    }
    match split {
        Some(split) => judged(link, relations, name, split, &columns),
        None => as_they_are(link, name, &parent.table, &columns),
    }
}

/// Rows that nobody judges: in the file itself, or fetched from a server into our own store.
fn as_they_are(
    link: &Link,
    name: &Ident,
    table: &str,
    columns: &[String],
) -> Result<Sql, DbTrouble> {
    let table = Ident::new(table);
    if link.sqlite().is_some() {
        return Ok(sql!("{}", table));
    }
    let columns: Vec<Ident> = columns.iter().map(|column| Ident::new(column)).collect();
    let scratch = link.scratch()?;
    let into = store(scratch, name, &columns)?;
    let query = sql!("SELECT {} FROM {}", columns, table);
    fetch(link, scratch, &into, columns.len(), &query)?;
    Ok(into)
}

/// A place in our own store for a parent's rows.
fn store(scratch: &Connection, name: &Ident, columns: &[Ident]) -> Result<Sql, DbTrouble> {
    let into = sql!("temp.{}", Ident::new(&format!("{}_rows", name.name())));
    scratch.execute_batch(sql!("CREATE TABLE {} ({})", into, columns).as_str())?;
    Ok(into)
}

/// The rows that a split's rules judge, in our own store, each with what they say of it.
fn judged(
    link: &Link,
    relations: &[Relation],
    name: &Ident,
    split: &Split,
    columns: &[String],
) -> Result<Sql, DbTrouble> {
    let mut named: Vec<Ident> = columns.iter().map(|column| Ident::new(column)).collect();
    named.push(Ident::new(VERDICT));
    let scratch = link.scratch()?;
    let into = store(scratch, name, &named)?;
    let places = Sql::places(1, named.len());
    let text = sql!("INSERT INTO {} VALUES ({})", into, places);
    let mut keep = scratch.prepare(text.as_str())?;
    each_judged(link, relations, split, columns, |row| {
        let verdict = Value::Text(row.verdict().into_owned());
        let values = row.columns().map(lent).chain([verdict]);
        keep.execute(params_from_iter(values))?;
        Ok(())
    })?;
    Ok(into)
}

/// What a server answers, kept in our own store.
fn fetch(
    link: &Link,
    scratch: &Connection,
    into: &Sql,
    width: usize,
    query: &Sql,
) -> Result<(), DbTrouble> {
    let text = sql!("INSERT INTO {} VALUES ({})", into, Sql::places(1, width));
    let mut keep = scratch.prepare(text.as_str())?;
    link.stream(query, &[], |row| {
        let values = (0..width).map(|at| lent(row.get(at)));
        keep.execute(params_from_iter(values))?;
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

fn leaf_value(parent: &ColumnRef, leaf: &Leaf, homes: &[Vec<Leaf>]) -> Sql {
    if leaf.table() == parent.table {
        return match leaf {
            Leaf::Column(leaf) => sql!("p.{}", Ident::new(&leaf.column)),
            Leaf::Verdict(_) => sql!("p.{}", Ident::new(VERDICT)),
        };
    }
    let found = homes.iter().enumerate().find_map(|(join, leaves)| {
        let at = leaves.iter().position(|other| other == leaf)?;
        Some(sql!("j{}.v{}", join, at))
    });
    found.unwrap_or_else(|| Sql::new("NULL"))
}

/// One word for one way to one set of values.
fn told(relation: &Relation, leaves: &[Leaf]) -> Digest {
    Digest::of(format!("{relation:?} {leaves:?}").as_bytes())
}

/// The first relation of the shortest way from one table to another.
pub(super) fn first_step<'m>(
    relations: &'m [Relation],
    from: &str,
    to: &str,
) -> Option<&'m Relation> {
    let (mut seen, mut queue) = (BTreeSet::from([from]), VecDeque::new());
    let steps = |table: &str| {
        let table = table.to_owned();
        relations
            .iter()
            .filter(move |relation| relation.child.table == table)
    };
    queue.extend(steps(from).map(|relation| (relation, relation)));
    while let Some((first, last)) = queue.pop_front() {
        let here = last.parent.table.as_str();
        if here == to {
            return Some(first);
        }
        if seen.insert(here) {
            queue.extend(steps(here).map(|relation| (first, relation)));
        }
    }
    None
}
