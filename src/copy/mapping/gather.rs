//! Parents of source rows, gathered once into the reader's own temporary store, each under the trimmed
//! reference that finds it. Legacy sources have neither keys nor indexes: a server that was asked to
//! join them would compare every row with every other.
//!
//! In: a relation, the values that are wanted behind it. Out: the name of a temporary table.
//!
//! Not here: looking a row's parent up while scanning (`sight`).

use std::collections::{BTreeSet, VecDeque};

use rusqlite::{Connection, params_from_iter};

use super::sight::{known, lent, place};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link, Sql};
use crate::plan::digest::Digest;
use crate::plan::map::{ColumnRef, Relation};
use crate::sql;

/// Makes the temporary table that a reference finds its parent's values in, unless an earlier dataset
/// of this link's read transaction needed the same; its name.
pub(crate) fn gather(
    link: &Link,
    relations: &[Relation],
    relation: &Relation,
    leaves: &[ColumnRef],
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
    for leaf in leaves.iter().filter(|leaf| leaf.table != parent.table) {
        let step = first_step(relations, &parent.table, &leaf.table).ok_or_else(|| {
            DbTrouble::NoSuch(format!("relation from {} to {}", parent.table, leaf.table))
        })?;
        place(&mut further, step);
    }
    let (mut joins, mut whole, mut homes) = (Vec::new(), vec![Sql::new("1")], Vec::new());
    for (at, step) in further.iter().enumerate() {
        let behind: Vec<ColumnRef> = leaves
            .iter()
            .filter(|leaf| leaf.table != parent.table)
            .filter(|leaf| first_step(relations, &parent.table, &leaf.table) == Some(step))
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
    for leaf in leaves.iter().filter(|leaf| leaf.table == parent.table) {
        place(&mut columns, &leaf.column);
    }
    for step in &further {
        place(&mut columns, &step.child.column);
    }
    let from = rows_of(link, &name, &parent.table, &columns)?;
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
            from,
            Sql::join("", &joins),
            Ident::new(&parent.column)
        )
        .as_str(),
    )?;
    if link.sqlite().is_none() {
        scratch.execute_batch(sql!("DROP TABLE {}", from).as_str())?;
    }
    Ok(name)
}

/// Where a parent's rows are: in the file itself, or fetched from a server into our own store.
fn rows_of(link: &Link, name: &Ident, table: &str, columns: &[String]) -> Result<Sql, DbTrouble> {
    let table = Ident::new(table);
    if link.sqlite().is_some() {
        return Ok(sql!("{}", table));
    }
    let columns: Vec<Ident> = columns.iter().map(|column| Ident::new(column)).collect();
    let into = sql!("temp.{}", Ident::new(&format!("{}_rows", name.name())));
    let scratch = link.scratch()?;
    scratch.execute_batch(sql!("CREATE TABLE {} ({})", into, columns).as_str())?;
    let query = sql!("SELECT {} FROM {}", columns, table);
    fetch(link, scratch, &into, columns.len(), &query)?;
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
    let places: Vec<Sql> = (1..=width).map(|at| sql!("?{}", at)).collect();
    let text = sql!("INSERT INTO {} VALUES ({})", into, Sql::join(", ", &places));
    let mut keep = scratch.prepare(text.as_str())?;
    link.stream(query, &[], |row| {
        let values = (0..width).map(|at| lent(row.get(at)));
        keep.execute(params_from_iter(values))?;
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

fn leaf_value(parent: &ColumnRef, leaf: &ColumnRef, homes: &[Vec<ColumnRef>]) -> Sql {
    if leaf.table == parent.table {
        return sql!("p.{}", Ident::new(&leaf.column));
    }
    let found = homes.iter().enumerate().find_map(|(join, leaves)| {
        let at = leaves.iter().position(|other| other == leaf)?;
        Some(sql!("j{}.v{}", join, at))
    });
    found.unwrap_or_else(|| Sql::new("NULL"))
}

/// One word for one way to one set of values.
fn told(relation: &Relation, leaves: &[ColumnRef]) -> Digest {
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
