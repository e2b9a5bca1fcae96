//! Rows of the tables in which a server tells its own shape.
//!
//! In: how to ask, what for. Out: owned values, read as text or as true and false.
//!
//! Not here: the questions (the servers' own rooms), what a shape is made of (`catalogue`).

use std::collections::BTreeMap;

use super::catalogue::{Hanging, Table, TableName};
use super::link::{Flow, See};
use super::{DbTrouble, Value, ValueRef};

/// Asks with texts, and shows each row.
pub(super) fn each(
    values: &[&str],
    ask: impl FnOnce(&[ValueRef<'_>], &mut See<'_>) -> Result<(), DbTrouble>,
    mut see: impl FnMut(&[Value]),
) -> Result<(), DbTrouble> {
    let lent = values.iter().map(|text| ValueRef::Text(text.as_bytes()));
    let lent: Vec<ValueRef<'_>> = lent.collect();
    ask(&lent, &mut |row| {
        let owned: Vec<Value> = (0..row.width()).map(|at| Value::of(row.get(at))).collect();
        see(&owned);
        Ok(Flow::Continue(()))
    })
}

/// Adds one column of an index: table, index, unique, column.
pub(super) fn add_index(tables: &mut BTreeMap<String, Table>, row: &[Value]) {
    if let Some(table) = tables.get_mut(&text(row, 0)) {
        let index = table.indexes.entry(text(row, 1)).or_default();
        index.0 = truth(row, 2);
        index.1.push(text(row, 3));
    }
}

/// Adds a trigger: table, trigger, definition.
pub(super) fn add_trigger(tables: &mut BTreeMap<String, Table>, row: &[Value]) {
    if let Some(table) = tables.get_mut(&text(row, 0)) {
        table.triggers.insert(text(row, 1), text(row, 2));
    }
}

/// Foreign keys by the place of their table, its name and theirs.
pub(super) type HangingKeys = BTreeMap<[String; 3], Hanging>;

/// Adds one column of a foreign key that points at a table: the child's place (blank where it is ours), the
/// child, the key's name, its column, the parent's column, whether it reaches its rows.
pub(super) fn add_hanging(keys: &mut HangingKeys, row: &[Value]) {
    let name = [0, 1, 2].map(|at| text(row, at));
    let [place, table, _] = name.clone();
    let key = keys.entry(name).or_insert_with(|| Hanging {
        child: TableName {
            elsewhere: (!place.is_empty()).then_some(place),
            table,
        },
        columns: Vec::new(),
        parent_columns: Vec::new(),
        reaches: truth(row, 5),
    });
    key.columns.push(text(row, 3));
    key.parent_columns.push(text(row, 4));
}

/// A text; some servers tell some of theirs as bytes.
pub(super) fn text(row: &[Value], at: usize) -> String {
    match row.get(at) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Blob(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

/// Whether it is true.
pub(super) fn truth(row: &[Value], at: usize) -> bool {
    row.get(at).and_then(Value::int) == Some(1)
}
