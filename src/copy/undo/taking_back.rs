//! Taking effects back inside a transaction: rows out, before-images back in, definitions as they were.
//!
//! In: effects or their parts, how their rows stand where that is known. Out: counts, and what had
//! changed.
//!
//! Not here: transactions and marks (`undo`, `untouched`), how rows stand (`standing`).

use super::Undone;
use super::children::Guards;
use super::found::Changed;
use crate::copy::ledger::Deed;
use crate::copy::ledger::effect::{self, Head, Kept, Part};
use crate::copy::ledger::packed::{Packed, Unpacked, unpack};
use crate::copy::standing::{Held, Reading, Standing};
use crate::copy::tables::indexes;
use crate::copy::tables::keyed;
use crate::copy::tables::shape::{Shape, bind, idents};
use crate::copy::tables::triggers;
use crate::copy::value::canon::Values;
use crate::copy::writing::aside;
use crate::machine::event::UndoMode;
use crate::orgdb::catalogue::Accessory;
use crate::orgdb::{DbTrouble, Link, Sql, Value, ValueRef};
use crate::sql;

/// Takes effects back inside a transaction that the caller opened.
pub(super) struct TakingBack<'c> {
    link: &'c Link,
    reading: Reading<'c>,
    guards: Guards,
    deed: Deed,
    mode: UndoMode,
    /// What was taken back so far.
    pub(crate) done: Undone,
    /// What had changed.
    pub(crate) changed: Changed,
    /// Nobody else can write to the tables concerned until the transaction ends.
    alone: bool,
}

impl<'c> TakingBack<'c> {
    /// For a transaction beside other writers: rows are read as they are taken back.
    pub(crate) fn new(link: &'c Link, deed: &Deed, mode: UndoMode) -> TakingBack<'c> {
        TakingBack {
            link,
            reading: Reading::new(link, &deed.key),
            guards: Guards::default(),
            deed: deed.clone(),
            mode,
            done: Undone::default(),
            changed: Changed::new(),
            alone: false,
        }
    }

    /// For a transaction that keeps every other writer out of the tables concerned: what has changed after all
    /// is counted to the end, and nothing may be committed then.
    pub(crate) fn alone(link: &'c Link, deed: &Deed) -> TakingBack<'c> {
        TakingBack {
            alone: true,
            ..TakingBack::new(link, deed, UndoMode::Skip)
        }
    }

    /// False when the mode is `refuse` and something had changed after all.
    pub(crate) fn effect(&mut self, kept: &Kept) -> Result<bool, DbTrouble> {
        for part in effect::parts(self.link, kept.id)?.iter().rev() {
            if !self.part(part)? {
                return Ok(false);
            }
            if let Head::Delete { names, .. } = &part.head
                && !names.is_empty()
            {
                self.remember_keys(part, kept)?;
            }
        }
        Ok(true)
    }

    /// The crosswalk knows rows again that were taken out.
    fn remember_keys(&self, part: &Part, kept: &Kept) -> Result<(), DbTrouble> {
        let Some((_, _, rows)) = unpack(&part.head, &part.body)? else {
            return Ok(());
        };
        let Head::Delete {
            shape,
            names,
            target,
            source,
            ..
        } = &part.head
        else {
            return Ok(());
        };
        let at = shape
            .all
            .iter()
            .position(|name| Some(name) == target.as_ref());
        let known = |row: &Packed<'_>| Values(row.before).nth(at?).map(Value::of);
        let keys: Vec<Value> = rows.iter().filter_map(known).collect();
        effect::remember_keys(self.link, kept.id, (source, names), &keys)
    }

    fn part(&mut self, part: &Part) -> Result<bool, DbTrouble> {
        if part.head == Head::Change {
            let text = std::str::from_utf8(&part.body).map_err(|_| DbTrouble::Damaged)?;
            self.link.script(&Sql::definition(text.to_owned()))?;
            return Ok(true);
        }
        if let Head::Aside { table, accessory } = &part.head {
            return self.build(table, accessory);
        }
        let Some(rows) = unpack(&part.head, &part.body)? else {
            return Ok(true);
        };
        self.quietly(&part.head, &rows, |back| {
            if matches!(part.head, Head::Insert { .. }) && back.at_once(&rows)? {
                return Ok(true);
            }
            back.hold(&part.head, &rows)?;
            let held = back.reading.part(&part.head, &rows)?;
            back.rows(&part.head, &rows, &held)
        })
    }

    /// Builds again what stands aside; false where rows of others do not let a foreign key stand.
    fn build(&mut self, table: &str, one: &Accessory) -> Result<bool, DbTrouble> {
        // What the target's people did once all of them stood again is not undone.
        if aside::was_built(self.link, &self.deed)? || indexes::stands(self.link, table, one)? {
            return Ok(true);
        }
        if let Some(asked) = &one.reference {
            let orphans = indexes::orphans(self.link, table, asked)?;
            if orphans > 0 {
                self.done.orphans = Some((table.to_owned(), one.name.clone(), orphans));
                return Ok(false);
            }
        }
        indexes::build(self.link, table, one)?;
        Ok(true)
    }

    /// Takes a part back of which it is known how its rows stand; false as for an effect.
    pub(crate) fn judged(
        &mut self,
        head: &Head,
        rows: &Unpacked<'_>,
        found: &Held,
    ) -> Result<bool, DbTrouble> {
        self.quietly(head, rows, |back| back.rows(head, rows, found))
    }

    /// Counts rows of a part that go with their whole table.
    pub(crate) fn count(&mut self, head: &Head, rows: u64) {
        match head {
            Head::Update { .. } => self.done.restored += rows,
            _ => self.done.removed += rows,
        }
    }

    /// On a server others write beside us: nobody does so to these rows from before they are looked at until they
    /// are gone, and nobody hangs one on them.
    fn hold(&self, head: &Head, (shape, _, rows): &Unpacked<'_>) -> Result<(), DbTrouble> {
        if self.alone || self.link.sqlite().is_some() || matches!(head, Head::Delete { .. }) {
            return Ok(());
        }
        for some in rows.chunks(keyed::MOST) {
            keyed::hold(self.link, shape, some.iter().map(|row| row.key))?;
        }
        Ok(())
    }

    /// With the target's triggers set aside, if they were when the rows were written.
    fn quietly(
        &mut self,
        head: &Head,
        rows: &Unpacked<'_>,
        work: impl FnOnce(&mut Self) -> Result<bool, DbTrouble>,
    ) -> Result<bool, DbTrouble> {
        let aside = match head {
            Head::Insert { quiet: true, .. } => triggers::set_aside(self.link, &rows.0.table)?,
            _ => Vec::new(),
        };
        let all = work(self)?;
        if all {
            triggers::put_back(self.link, &aside)?;
        }
        Ok(all)
    }

    fn rows(&mut self, head: &Head, rows: &Unpacked<'_>, found: &Held) -> Result<bool, DbTrouble> {
        let inserted = matches!(head, Head::Insert { .. });
        Ok(inserted && self.together(rows, found)? || self.one_by_one(head, rows, found)?)
    }

    /// Takes inserted rows out of a server in the very statement that reads them, where they lie together
    /// as they were written and nothing hangs on them; false when they must be looked at first.
    fn at_once(&mut self, rows: &Unpacked<'_>) -> Result<bool, DbTrouble> {
        if self.link.sqlite().is_some()
            || rows.2.is_empty()
            || self.guards.any(self.link, rows.0)?
        {
            return Ok(false);
        }
        let gone = self.reading.delete_as_written(rows)?;
        if gone {
            self.done.removed += rows.2.len() as u64;
        }
        Ok(gone)
    }

    /// Takes inserted rows out in one go that stand by themselves just as they were written, where nothing
    /// hangs on them; false when they must be looked at one by one.
    fn together(&mut self, rows: &Unpacked<'_>, held: &Held) -> Result<bool, DbTrouble> {
        let (shape, _, rows) = rows;
        let in_one_go = match self.link.sqlite() {
            Some(_) => held.alone.is_some() || self.alone && held.untouched(),
            None => !shape.whole && held.untouched(),
        };
        if !in_one_go || self.guards.any(self.link, shape)? {
            return Ok(false);
        }
        let ends = keyed::ends(shape, rows.iter().map(|row| row.key));
        let deleted = match (held.alone, ends) {
            (Some((first, last)), _) => self
                .link
                .execute_lent(&shape.delete_span(), &[first, last].map(ValueRef::Integer)),
            (None, Some(ends)) if self.alone && held.by_themselves => self
                .link
                .within_savepoint(|| keyed::delete_span(self.link, shape, ends)),
            (None, _) => self.delete_by_keys(shape, rows),
        };
        match deleted {
            Ok(deleted) if self.alone && deleted != rows.len() as u64 => Err(DbTrouble::Clash),
            Ok(_) => {
                self.done.removed += rows.len() as u64;
                Ok(true)
            }
            // A statement that fails has done nothing.
            Err(DbTrouble::Constraint {
                kind: "foreign key",
                ..
            }) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// Many at a time; all of them or none.
    fn delete_by_keys(&self, shape: &Shape, rows: &[Packed<'_>]) -> Result<u64, DbTrouble> {
        if let Some(file) = self.link.sqlite() {
            let mut delete = file.prepare_cached(shape.delete().as_str())?;
            let mut deleted = 0;
            for row in rows {
                bind(&mut delete, 1, Values(row.key))?;
                deleted += delete.raw_execute()? as u64;
            }
            return Ok(deleted);
        }
        self.link.within_savepoint(|| {
            let mut deleted = 0;
            for some in rows.chunks(keyed::MOST) {
                deleted += keyed::delete(self.link, shape, some.iter().map(|row| row.key))?;
            }
            Ok(deleted)
        })
    }

    fn one_by_one(
        &mut self,
        head: &Head,
        rows: &Unpacked<'_>,
        found: &Held,
    ) -> Result<bool, DbTrouble> {
        let (shape, _, rows) = rows;
        for (row, standing) in rows.iter().zip(&found.standing).rev() {
            if !self.row(head, shape, row, *standing)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn row(
        &mut self,
        head: &Head,
        shape: &Shape,
        row: &Packed<'_>,
        standing: Standing,
    ) -> Result<bool, DbTrouble> {
        match standing {
            // Somebody has put one in its place, which is not ours to touch.
            Standing::Edited if matches!(head, Head::Delete { .. }) => {
                return Ok(self.report(shape, "edited"));
            }
            Standing::Gone => return Ok(self.report(shape, "deleted")),
            Standing::Edited if self.mode != UndoMode::Force => {
                return Ok(self.report(shape, "edited"));
            }
            Standing::Edited => drop(self.report(shape, "edited")),
            Standing::AsWritten => {}
        }
        match head {
            Head::Update { set, .. } => self.put_back(shape, set, row, standing),
            Head::Delete { .. } => self.put_in(shape, row),
            _ => self.take_out(shape, row),
        }
    }

    /// Counts a changed row; whether undo may go on.
    fn report(&mut self, shape: &Shape, class: &'static str) -> bool {
        *self
            .changed
            .entry((shape.table.clone(), class))
            .or_default() += 1;
        self.mode != UndoMode::Refuse
    }

    fn take_out(&mut self, shape: &Shape, row: &Packed<'_>) -> Result<bool, DbTrouble> {
        if self.guards.would_reach_others(self.link, shape, row.key)? {
            return Ok(self.report(shape, "has children"));
        }
        let key: Vec<ValueRef<'_>> = Values(row.key).collect();
        let delete = || self.link.execute_lent(&shape.delete(), &key);
        match self.link.within_savepoint(delete) {
            Ok(_) => self.done.removed += 1,
            Err(DbTrouble::Constraint {
                kind: "foreign key",
                ..
            }) => {
                return Ok(self.report(shape, "has children"));
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(true)
    }

    /// A row that was taken out stands again as it was.
    fn put_in(&mut self, shape: &Shape, row: &Packed<'_>) -> Result<bool, DbTrouble> {
        let values: Vec<ValueRef<'_>> = Values(row.before).collect();
        let text = sql!(
            "INSERT INTO {} ({}) VALUES ({})",
            shape.ident(),
            idents(&shape.all),
            Sql::places(1, shape.all.len())
        );
        match self
            .link
            .within_savepoint(|| self.link.execute_lent(&text, &values))
        {
            Ok(_) => self.done.restored += 1,
            // Somebody has taken what the row needs, or its place.
            Err(DbTrouble::Constraint { .. }) => return Ok(self.report(shape, "edited")),
            Err(trouble) => return Err(trouble),
        }
        Ok(true)
    }

    /// The whole row where it is as we left it; where somebody edited it, only the columns we set.
    fn put_back(
        &mut self,
        shape: &Shape,
        set: &[String],
        row: &Packed<'_>,
        standing: Standing,
    ) -> Result<bool, DbTrouble> {
        let columns = if standing == Standing::AsWritten {
            &shape.all
        } else {
            set
        };
        let before = shape.all.iter().zip(Values(row.before));
        let wanted = before
            .filter(|(name, _)| columns.contains(name))
            .map(|(_, value)| value);
        let names: Vec<String> = shape
            .all
            .iter()
            .filter(|name| columns.contains(name))
            .cloned()
            .collect();
        let values: Vec<ValueRef<'_>> = wanted.chain(Values(row.key)).collect();
        self.link.execute_lent(&shape.update(&names), &values)?;
        self.done.restored += 1;
        Ok(true)
    }
}
