//! What an undo would find: how the rows of a step stand, and whose rows hang on them.
//!
//! In: parts of effects as they were read back. Out: counts by table and class.
//!
//! Not here: how a row stands (`standing`), taking rows back (`undo`, `untouched`).

use std::collections::{BTreeMap, BTreeSet};

use super::Undone;
use super::children::Ours;
use crate::copy::ledger::effect::{Head, Part};
use crate::copy::ledger::packed::Unpacked;
use crate::copy::standing::{Held, Standing};
use crate::orgdb::{DbTrouble, Link};

/// Rows changed since, by table and class.
pub(crate) type Changed = BTreeMap<(String, &'static str), u64>;

/// Adds up what is found.
pub(crate) struct Found<'c> {
    done: Undone,
    changed: Changed,
    ours: Ours<'c>,
    /// Tables that we were emptying, and of which no row of ours was met.
    emptying: BTreeSet<String>,
}

impl<'c> Found<'c> {
    /// Nothing yet.
    pub(crate) fn new(link: &'c Link) -> Result<Found<'c>, DbTrouble> {
        Ok(Found {
            done: Undone::default(),
            changed: Changed::new(),
            ours: Ours::new(link)?,
            emptying: BTreeSet::new(),
        })
    }

    /// Where no row of ours stands in these tables any more, we have taken them out ourselves.
    pub(super) fn or_emptied(&mut self, tables: BTreeSet<String>) {
        self.emptying = tables;
    }

    /// Adds a part; whether all its rows stand as they were written.
    pub(crate) fn add(
        &mut self,
        part: &Part,
        rows: &Unpacked<'_>,
        held: &Held,
    ) -> Result<bool, DbTrouble> {
        let inserted = matches!(part.head, Head::Insert { .. });
        match part.head {
            Head::Insert { .. } => self.ours.note(rows, held)?,
            Head::Update { .. } => self.ours.note_changed(rows)?,
            _ => {}
        }
        if held.standing.iter().any(|row| *row != Standing::Gone) {
            self.emptying.remove(&rows.0.table);
        }
        let mut untouched = true;
        for standing in &held.standing {
            let class = match standing {
                Standing::AsWritten if inserted => {
                    self.done.removed += 1;
                    continue;
                }
                Standing::AsWritten => {
                    self.done.restored += 1;
                    continue;
                }
                Standing::Edited => "edited",
                Standing::Gone => "deleted",
            };
            untouched = false;
            let class = (rows.0.table.clone(), class);
            *self.changed.entry(class).or_default() += 1;
        }
        Ok(untouched)
    }

    /// Looks for rows of others that hang on ours, and adds it all up.
    pub(crate) fn end(mut self) -> Result<Undone, DbTrouble> {
        for table in self.emptying {
            self.changed.remove(&(table, "deleted"));
        }
        for (table, rows) in self.ours.with_children_of_others()? {
            *self.changed.entry((table, "has children")).or_default() += rows;
        }
        Ok(listed(self.done, self.changed))
    }
}

/// With what had changed written down.
pub(crate) fn listed(mut done: Undone, changed: Changed) -> Undone {
    done.changed = changed
        .into_iter()
        .map(|((table, class), rows)| (table, class, rows))
        .collect();
    done
}
