//! Rows of others on a server that hang on rows of ours. Keys of ours are remembered as eight bytes
//! each, and the children's keys are read once.
//!
//! Two keys may share their eight bytes: a stranger may then be taken for one of ours here. Undo finds
//! it all the same, since the server refuses to delete its parent.
//!
//! In: rows as an undo unpacks them. Out: how many of ours have children of others.
//!
//! Not here: files (`children`).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::children::key_places;
use super::hanging::{hanging, hangs, may_look};
use crate::copy::ledger::packed::Unpacked;
use crate::copy::tables::shape::{Shape, idents};
use crate::copy::value::canon;
use crate::orgdb::catalogue::Hanging;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Row, Sql};
use crate::sql;

/// Keys of ours by table.
pub(crate) struct Strangers<'c> {
    link: &'c Link,
    state: RandomState,
    tables: BTreeMap<String, (Shape, Vec<u64>)>,
    /// Rows that were changed, and let go again when that is undone.
    changed: BTreeMap<String, BTreeSet<u64>>,
    /// Tables that have nothing to do with any foreign key.
    apart: BTreeSet<String>,
}

impl<'c> Strangers<'c> {
    pub(crate) fn new(link: &'c Link) -> Strangers<'c> {
        Strangers {
            link,
            state: RandomState::default(),
            tables: BTreeMap::new(),
            changed: BTreeMap::new(),
            apart: BTreeSet::new(),
        }
    }

    pub(crate) fn note(&mut self, (shape, _, rows): &Unpacked<'_>) -> Result<(), DbTrouble> {
        if self.apart.contains(&shape.table) {
            return Ok(());
        }
        if !self.tables.contains_key(&shape.table) {
            if !hangs(self.link, &shape.table)? {
                self.apart.insert(shape.table.clone());
                return Ok(());
            }
            let none = ((*shape).clone(), Vec::new());
            self.tables.insert(shape.table.clone(), none);
        }
        if let Some((_, known)) = self.tables.get_mut(&shape.table) {
            known.extend(rows.iter().map(|row| told(&self.state, row.key)));
        }
        Ok(())
    }

    pub(super) fn note_changed(&mut self, (shape, _, rows): &Unpacked<'_>) {
        let noted = rows.iter().map(|row| told(&self.state, row.key));
        let table = self.changed.entry(shape.table.clone());
        table.or_default().extend(noted);
    }

    /// How many of our rows, by table, have a child that is not ours.
    pub(crate) fn find(mut self) -> Result<Vec<(String, u64)>, DbTrouble> {
        self.tables
            .values_mut()
            .for_each(|(_, keys)| keys.sort_unstable());
        let mut found = Vec::new();
        for (table, (shape, ours)) in &self.tables {
            for hanging in hanging(self.link, table)? {
                let rows = self.parents(shape, ours, &hanging)?;
                if rows > 0 {
                    found.push((table.clone(), rows));
                }
            }
        }
        Ok(found)
    }

    fn parents(&self, shape: &Shape, ours: &[u64], hanging: &Hanging) -> Result<u64, DbTrouble> {
        let Some(places) = key_places(shape, hanging) else {
            return Ok(0);
        };
        if places.len() != shape.key.len()
            || !may_look(self.link, hanging)?
            || self.all_are_ours(hanging)?
        {
            return Ok(0);
        }
        let mut asked = references(hanging);
        if let Some(table) = hanging.child.beside_ours() {
            asked
                .0
                .extend(Shape::read(self.link, table)?.0.key_columns());
        }
        let children = self.noted(hanging);
        let changed = hanging.child.beside_ours();
        let changed = changed.and_then(|table| self.changed.get(table));
        let mut found = BTreeSet::new();
        let width = hanging.columns.len();
        let (columns, there) = asked;
        let query = sql!(
            "SELECT {} FROM {} WHERE {}",
            Sql::join(", ", &columns),
            hanging.child,
            Sql::join(" AND ", &there)
        );
        self.link.each(&query, &[], |row| {
            let parent = self.key(
                row,
                places
                    .iter()
                    .enumerate()
                    .fold(vec![0; width], |mut order, (column, place)| {
                        order[*place] = column;
                        order
                    }),
            );
            let stranger = || self.key(row, (width..row.width()).collect());
            if ours.binary_search(&parent).is_ok() {
                let child = stranger();
                let lets_go = changed.is_some_and(|changed| changed.contains(&child));
                if !lets_go && children.binary_search(&child).is_err() {
                    found.insert(parent);
                }
            }
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        Ok(found.len() as u64)
    }

    /// As many rows as we wrote: nobody else's can be among them.
    fn all_are_ours(&self, hanging: &Hanging) -> Result<bool, DbTrouble> {
        let count = sql!("SELECT count(*) FROM {}", hanging.child);
        let there = self.link.row(&count, &[])?.map_or(0, |row| row[0].count());
        Ok(there == self.noted(hanging).len() as u64)
    }

    /// Keys of ours in a table whose rows hang.
    fn noted(&self, hanging: &Hanging) -> &[u64] {
        let ours = hanging.child.beside_ours();
        let noted = ours.and_then(|table| self.tables.get(table));
        noted.map_or(&[][..], |(_, keys)| keys.as_slice())
    }

    fn key(&self, row: Row<'_>, places: Vec<usize>) -> u64 {
        let mut key = Vec::new();
        for place in places {
            canon::push(&mut key, row.get(place));
        }
        told(&self.state, &key)
    }
}

/// A child's references, and that each is one.
fn references(hanging: &Hanging) -> (Vec<Sql>, Vec<Sql>) {
    let columns = idents(&hanging.columns).into_iter();
    columns
        .map(|column| (sql!("{}", column), sql!("{} IS NOT NULL", column)))
        .unzip()
}

fn told(state: &RandomState, key: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(key);
    hasher.finish()
}
