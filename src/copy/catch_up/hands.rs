//! The target's rows, read, changed and taken out many at a time.
//!
//! Not here: the transaction (`write`), which rows (`compare`).

use foldhash::HashMap;

use super::write::{Going, Writing};
use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::packed::HALF;
use crate::copy::standing::{Reading, note_newest};
use crate::copy::tables::keyed;
use crate::copy::tables::shape::{Shape, find};
use crate::copy::undo::children::Guards;
use crate::copy::value::canon::{self, Values};
use crate::copy::writing::store::Work;
use crate::orgdb::{DbTrouble, Link, Value, ValueRef};
use crate::sql;

/// Rows by their keys.
type Rows = HashMap<Vec<u8>, Vec<u8>>;

/// The target's rows, read and written many at a time.
pub(super) struct Hands<'c> {
    pub(super) link: &'c Link,
    reading: Reading<'c>,
    guards: Guards,
    shape: Shape,
    label: String,
    /// Columns that a change sets: all but the key's and those of references into the own dataset.
    pub(super) set: Vec<String>,
    pub(super) later: Vec<String>,
    /// The column that the crosswalk knows rows by.
    target: Option<usize>,
    /// Rows that wait to go.
    pub(super) going: Vec<Going>,
}

impl<'c> Hands<'c> {
    pub(super) fn new(link: &'c Link, writing: &Writing) -> Result<Hands<'c>, DbTrouble> {
        let Work { compiled, deed, .. } = &writing.work;
        let shape = compiled.layout.shape.clone();
        note_newest(link, &effect::all_standing(link, deed.run)?)?;
        let program = &compiled.program;
        let later: Vec<String> = program.later.iter().map(|one| one.into.clone()).collect();
        let fixed = |name: &&String| {
            let mut fixed = shape.key.iter().chain(&later);
            !fixed.any(|one| one.eq_ignore_ascii_case(name))
        };
        let key = compiled.layout.key.first().copied();
        Ok(Hands {
            link,
            reading: Reading::new(link, &deed.key),
            guards: Guards::default(),
            label: program.name.clone(),
            set: shape.all.iter().filter(fixed).cloned().collect(),
            later,
            target: compiled.layout.drawn.or(key),
            going: Vec::new(),
            shape,
        })
    }

    /// The rows with these keys, whole: nobody else writes to them from now on until the transaction ends.
    pub(super) fn rows<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Result<Rows, DbTrouble> {
        let keys: Vec<&[u8]> = keys.collect();
        let mut found = Rows::default();
        if self.link.sqlite().is_some() {
            let select = self.shape.select();
            for key in keys {
                let mut row = Vec::new();
                if find(self.link, &select, key, &mut row)? {
                    found.insert(key.to_vec(), row);
                }
            }
            return Ok(found);
        }
        for some in keys.chunks(keyed::MOST) {
            keyed::each_held(self.link, &self.shape, some.iter().copied(), |row| {
                let mut here = Vec::new();
                row.push_all(&mut here);
                found.insert(self.shape.key_of(&here), here);
            })?;
        }
        Ok(found)
    }

    /// How many of these rows are not as we left them.
    pub(super) fn edited<'k>(
        &mut self,
        there: &Rows,
        rows: impl Iterator<Item = (&'k Vec<u8>, &'k [u8; HALF])>,
    ) -> Result<usize, DbTrouble> {
        let mut edited = 0;
        for (key, half) in rows {
            let ours = match there.get(key) {
                Some(row) => self
                    .reading
                    .is_ours(&self.shape, &self.label, (key, row), half)?,
                None => false,
            };
            edited += usize::from(!ours);
        }
        Ok(edited)
    }

    /// A row as it should be: references into the own dataset stay as they are for now.
    pub(super) fn merge(&self, before: &[u8], judged: &[u8]) -> Vec<u8> {
        let mut after = Vec::with_capacity(judged.len());
        let columns = self.shape.all.iter();
        for ((name, before), judged) in columns.zip(Values(before)).zip(Values(judged)) {
            let stays = self.later.iter().any(|one| one.eq_ignore_ascii_case(name));
            canon::push(&mut after, if stays { before } else { judged });
        }
        after
    }

    /// A row with other references.
    pub(super) fn refer(&self, before: &[u8], references: &[u8]) -> Vec<u8> {
        let mut after = Vec::with_capacity(before.len());
        for (name, before) in self.shape.all.iter().zip(Values(before)) {
            let mut later = self.later.iter();
            let at = later.position(|one| one.eq_ignore_ascii_case(name));
            let value = at.and_then(|at| Values(references).nth(at));
            canon::push(&mut after, value.unwrap_or(before));
        }
        after
    }

    /// Sets columns of rows, many at a time; which rows the target took.
    pub(super) fn change(
        &self,
        columns: &[String],
        rows: &[(&[u8], &[u8])],
    ) -> Result<Vec<bool>, DbTrouble> {
        if columns.is_empty() {
            return Ok(vec![true; rows.len()]);
        }
        let mut taken = Vec::with_capacity(rows.len());
        for some in rows.chunks(keyed::MOST) {
            some_or_less(some, &mut taken, &mut |some| {
                self.link
                    .within_savepoint(|| keyed::change(self.link, &self.shape, columns, some))
            })?;
        }
        Ok(taken)
    }

    /// Takes rows out, many at a time; which of them went.
    pub(super) fn take_out(&mut self, keys: &[&[u8]]) -> Result<Vec<bool>, DbTrouble> {
        let mut gone = Vec::with_capacity(keys.len());
        let (link, shape) = (self.link, &self.shape);
        if link.sqlite().is_some() || self.guards.any(link, shape)? {
            for key in keys {
                let reaches = self.guards.would_reach_others(link, shape, key)?;
                gone.push(!reaches && went(link, shape, key)?);
            }
            return Ok(gone);
        }
        for some in keys.chunks(keyed::MOST) {
            some_or_less(some, &mut gone, &mut |some| {
                link.within_savepoint(|| keyed::delete(link, shape, some.iter().copied()).map(drop))
            })?;
        }
        Ok(gone)
    }

    pub(super) fn updated(&self, set: Vec<String>, body: Vec<u8>) -> Part {
        let head = Head::Update {
            shape: self.shape.clone(),
            label: self.label.clone(),
            set,
        };
        Part { head, body }
    }

    pub(super) fn deleted(&self, work: &Work) -> Head {
        Head::Delete {
            shape: self.shape.clone(),
            label: self.label.clone(),
            quiet: work.quiet,
            names: if work.keeps {
                work.compiled.names()
            } else {
                Vec::new()
            },
            target: self.target.and_then(|at| self.shape.all.get(at).cloned()),
            source: work.source.clone(),
        }
    }

    /// What the crosswalk calls a row.
    pub(super) fn target_of(&self, row: &[u8]) -> Option<Value> {
        Values(row).nth(self.target?).map(Value::of)
    }

    /// Nothing refers to these rows any more.
    pub(super) fn forget_keys(&self, work: &Work, targets: &[Value]) -> Result<(), DbTrouble> {
        if !work.keeps {
            return Ok(());
        }
        effect::forget_keys(
            self.link,
            &work.deed,
            (&work.source, &work.compiled.names()),
            targets,
        )
    }

    /// Notes names that changed rows have come to.
    pub(super) fn note_names<'k>(
        &self,
        work: &Work,
        rows: impl Iterator<Item = (&'k Vec<u8>, &'k Vec<u8>)>,
    ) -> Result<(), DbTrouble> {
        if !work.keeps || work.compiled.program.aliases.is_empty() {
            return Ok(());
        }
        let note = sql!(
            "INSERT INTO handover_key (run, dataset, org, source_key, generation, step, target_key)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM handover_key
               WHERE run = ?1 AND dataset = ?2 AND org = ?3 AND source_key = ?4 AND undone_at IS NULL)"
        );
        let deed = &work.deed;
        for (keys, row) in rows {
            let Some(target) = self.target_of(row) else {
                continue;
            };
            for (name, key) in work.compiled.names().into_iter().zip(Values(keys)).skip(1) {
                if let ValueRef::Text(_) = key {
                    let values = [
                        deed.run.to_string().into(),
                        name.into(),
                        work.source.as_str().into(),
                        Value::of(key),
                        Value::Int(deed.generation.into()),
                        deed.step.as_str().into(),
                        target.clone(),
                    ];
                    self.link.execute(&note, &values)?;
                }
            }
        }
        Ok(())
    }
}

/// Does something to many rows at once; where the target refuses one of them, to fewer and fewer.
fn some_or_less<T>(
    rows: &[T],
    done: &mut Vec<bool>,
    act: &mut impl FnMut(&[T]) -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    if rows.is_empty() {
        return Ok(());
    }
    match act(rows) {
        Ok(()) => done.extend(rows.iter().map(|_| true)),
        Err(DbTrouble::Constraint { .. }) if rows.len() == 1 => done.push(false),
        Err(DbTrouble::Constraint { .. }) => {
            let (left, right) = rows.split_at(rows.len() / 2);
            some_or_less(left, done, act)?;
            some_or_less(right, done, act)?;
        }
        Err(trouble) => return Err(trouble),
    }
    Ok(())
}

/// Takes one row out; false where something hangs on it.
fn went(link: &Link, shape: &Shape, key: &[u8]) -> Result<bool, DbTrouble> {
    let values: Vec<ValueRef<'_>> = Values(key).collect();
    match link.within_savepoint(|| link.execute_lent(&shape.delete(), &values)) {
        Ok(_) => Ok(true),
        Err(DbTrouble::Constraint { .. }) => Ok(false),
        Err(trouble) => Err(trouble),
    }
}
