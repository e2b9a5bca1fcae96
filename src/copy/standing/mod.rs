//! How ledgered rows stand now: as written, edited, gone; and whether a newer effect of ours answers
//! for a row that an older one wrote.
//!
//! In: a connection and effects. Out: a class per row.
//!
//! Not here: reading part after part (`rereading`), taking rows back (`undo`), reports (`verify`).

pub(super) mod rereading;
mod walk;

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use crate::copy::ledger::effect::{self, Head};
use crate::copy::ledger::packed::{HALF, Packed, Unpacked, unpack};
use crate::copy::tables::keyed;
use crate::copy::tables::shape::{Shape, bind, fetch, find};
use crate::copy::value::canon::Values;
use crate::copy::value::tally::RowMac;
use crate::machine::key::RunKey;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{DbTrouble, Dialect, Link, Row, ValueRef};
use walk::{Met, Walk};

/// Page cache of a file's connection that reads rows back by key, as SQLite wants it (KiB, negative):
/// rows lie where their keys were drawn, all over the file.
const READ_BACK_KIB: i64 = -32_000;

/// Gives a file's connection room to read rows back by key.
pub(super) fn give_room(link: &Link) -> Result<(), DbTrouble> {
    match link.sqlite() {
        Some(file) => Ok(file.pragma_update(None, "cache_size", READ_BACK_KIB)?),
        None => Ok(()),
    }
}

/// Times that we try to catch a file in between two commits of others.
const TRIES: usize = 10;

/// Begins one moment for all that is read here; with another connection at the very same moment where
/// there can be one.
pub(super) fn one_moment(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble>,
) -> Result<Option<Link>, DbTrouble> {
    match link.dialect() {
        Dialect::Sqlite => between_commits(link, beside),
        Dialect::Postgres => shared(link, beside),
        Dialect::Mariadb => link.begin(Begin::Read).map(|()| None),
    }
}

/// A file that nobody commits to between both beginnings.
fn between_commits(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble>,
) -> Result<Option<Link>, DbTrouble> {
    let other = beside()?;
    for _ in 0..TRIES {
        let before = other.version()?;
        link.look_now()?;
        other.look_now()?;
        if other.version()? == before {
            return Ok(Some(other));
        }
        link.rollback()?;
        other.rollback()?;
    }
    link.begin(Begin::Read).map(|()| None)
}

/// A server that lets the other connection look at what this one sees.
fn shared(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble>,
) -> Result<Option<Link>, DbTrouble> {
    link.begin(Begin::Read)?;
    let other = beside().and_then(|other| Ok(other.look_with(link)?.then_some(other)));
    match other {
        Ok(other) => Ok(other),
        // The role may have no more connections: this one goes on alone.
        Err(_) => link.begin(Begin::Read).map(|()| None),
    }
}

/// How a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// As it was written.
    AsWritten,
    /// Some column differs.
    Edited,
    /// Not there.
    Gone,
}

/// Digests of rows by their keys.
type Digests = HashMap<Vec<u8>, [u8; 32]>;

/// Reads rows back and holds them against their digests.
pub(super) struct Reading<'c> {
    pub(super) link: &'c Link,
    /// Where the ledger is read: the same, unless that one must not.
    pub(super) ledger: &'c Link,
    pub(super) key: RunKey,
    macs: BTreeMap<String, RowMac>,
    row: Vec<u8>,
}

/// How the rows of a part stand.
pub(super) struct Held {
    /// Of each row, in the part's order.
    pub(super) standing: Vec<Standing>,
    /// The numbers in a file between which they all stand as they were written, and no other row does.
    pub(super) alone: Option<(i64, i64)>,
    /// The same of a server's rows: between the first of their keys and the last.
    pub(super) by_themselves: bool,
    /// Places of rows that stand as they were written only because a newer effect answers for them.
    pub(super) answered: Vec<usize>,
}

impl Held {
    /// Every row stands as it was written.
    pub(super) fn untouched(&self) -> bool {
        self.standing.iter().all(|row| *row == Standing::AsWritten)
    }
}

impl<'c> Reading<'c> {
    pub(super) fn new(link: &'c Link, key: &RunKey) -> Reading<'c> {
        Reading::beside(link, link, key)
    }

    /// With the ledger read on another connection than the rows.
    pub(super) fn beside(link: &'c Link, ledger: &'c Link, key: &RunKey) -> Reading<'c> {
        Reading {
            link,
            ledger,
            key: key.clone(),
            macs: BTreeMap::new(),
            row: Vec::new(),
        }
    }

    /// How the rows of a part stand against the digests beside them.
    pub(super) fn part(&mut self, head: &Head, unpacked: &Unpacked<'_>) -> Result<Held, DbTrouble> {
        let met = self.met(head, unpacked)?;
        self.settle(head, unpacked, &met)
    }

    /// Which of a part's rows are met where they were written.
    fn met(&mut self, head: &Head, unpacked: &Unpacked<'_>) -> Result<Met, DbTrouble> {
        let (mac, mut walk) = (self.mac(unpacked.1), Walk::over(&unpacked.2));
        let mut here = Vec::new();
        self.lying(head, unpacked, |row| {
            here.clear();
            row.push_all(&mut here);
            walk.meet(&mac.of(&here));
        })?;
        Ok(walk.end())
    }

    /// Shows the rows that lie where a part's rows were written. Rows that were inserted together lie
    /// together: in a file between the numbers that they were given, on a server between the first of
    /// their keys and the last (not more than a few rows of others are shown there).
    pub(super) fn lying(
        &self,
        head: &Head,
        (shape, _, rows): &Unpacked<'_>,
        mut see: impl FnMut(Row<'_>),
    ) -> Result<(), DbTrouble> {
        if let Head::Delete { .. } = head {
            return Ok(());
        }
        if self.link.sqlite().is_some() {
            let Some((first, last)) = span_of(head, shape) else {
                return Ok(());
            };
            let span = [first, last].map(ValueRef::Integer);
            return self.link.each(&shape.select_span(), &span, |row| {
                see(row);
                Ok::<Flow, DbTrouble>(Flow::Continue(()))
            });
        }
        let Some(ends) = keyed::ends(shape, rows.iter().map(|row| row.key)) else {
            return Ok(());
        };
        let most = rows.len() + rows.len() / 4 + 1;
        keyed::between(self.link, shape, ends, most, see)
    }

    /// Looks closer at the rows that were not met as they were written.
    pub(super) fn settle(
        &mut self,
        head: &Head,
        unpacked: &Unpacked<'_>,
        met: &Met,
    ) -> Result<Held, DbTrouble> {
        let (shape, rows) = (unpacked.0, &unpacked.2);
        let mut found = Held {
            standing: vec![Standing::AsWritten; rows.len()],
            alone: None,
            by_themselves: false,
            answered: Vec::new(),
        };
        if let Head::Delete { .. } = head {
            found.standing = self.taken_out(shape, rows)?;
            return Ok(found);
        }
        if met.same.iter().all(|same| *same) {
            let alone = met.seen == rows.len() && !rows.is_empty();
            found.alone = span_of(head, shape).filter(|_| alone && self.link.sqlite().is_some());
            found.by_themselves = alone && self.link.sqlite().is_none();
            return Ok(found);
        }
        let open: Vec<usize> = (0..rows.len()).filter(|at| !met.same[*at]).collect();
        for some in open.chunks(keyed::MOST) {
            match self.link.sqlite() {
                Some(_) => self.one_by_one(unpacked, some, &mut found)?,
                None => self.together(unpacked, some, &mut found)?,
            }
        }
        Ok(found)
    }

    /// Asks a file for these rows by their keys.
    fn one_by_one(
        &mut self,
        (shape, label, rows): &Unpacked<'_>,
        open: &[usize],
        held: &mut Held,
    ) -> Result<(), DbTrouble> {
        let Some(file) = self.link.sqlite() else {
            return Ok(());
        };
        let mut select = file.prepare_cached(shape.select().as_str())?;
        let mac = self.mac(label);
        for at in open {
            bind(&mut select, 1, Values(rows[*at].key))?;
            self.row.clear();
            held.standing[*at] = if !fetch(&mut select, &mut self.row)? {
                self.answered_for_none(shape, rows[*at].key)?
            } else if mac.of(&self.row)[..HALF] == *rows[*at].digest {
                Standing::AsWritten
            } else {
                held.answered.push(*at);
                self.answered_for(shape, rows[*at].key)?
            };
        }
        Ok(())
    }

    /// Asks a server for these rows by their keys, all at once.
    fn together(
        &mut self,
        (shape, label, rows): &Unpacked<'_>,
        open: &[usize],
        held: &mut Held,
    ) -> Result<(), DbTrouble> {
        let mac = self.mac(label);
        let there = self.digests(shape, &mac, open.iter().map(|at| rows[*at].key))?;
        for at in open {
            let row = &rows[*at];
            held.standing[*at] = match there.get(row.key) {
                None => self.answered_for_none(shape, row.key)?,
                Some(digest) if digest[..HALF] == *row.digest => Standing::AsWritten,
                Some(_) => {
                    self.row.clear();
                    find(self.link, &shape.select(), row.key, &mut self.row)?;
                    held.answered.push(*at);
                    self.answered_for(shape, row.key)?
                }
            };
        }
        Ok(())
    }

    /// Deletes these rows in one go, if nothing else lies between them and every one that is deleted is
    /// as it was written; nothing is deleted otherwise.
    pub(super) fn delete_as_written(
        &mut self,
        (shape, label, rows): &Unpacked<'_>,
    ) -> Result<bool, DbTrouble> {
        let Some(ends) = keyed::ends(shape, rows.iter().map(|row| row.key)) else {
            return Ok(false);
        };
        let mac = self.mac(label);
        let (mut here, mut walk, mut deleted) = (Vec::new(), Walk::over(rows), 0);
        let answer = self.link.within_savepoint(|| {
            let can = keyed::delete_between(self.link, shape, ends, rows.len(), |row| {
                here.clear();
                row.push_all(&mut here);
                walk.meet(&mac.of(&here));
                deleted += 1;
            })?;
            if can && deleted == rows.len() && walk.all() {
                Ok(true)
            } else {
                Err(DbTrouble::Interrupted)
            }
        });
        match answer {
            // Rolled back: it is looked at more closely.
            Err(
                DbTrouble::Interrupted
                | DbTrouble::Constraint {
                    kind: "foreign key",
                    ..
                },
            ) => Ok(false),
            answer => answer,
        }
    }

    /// Whether a row is as it was written with half this digest, or as the newest effect left it.
    pub(super) fn is_ours(
        &mut self,
        shape: &Shape,
        label: &str,
        (key, row): (&[u8], &[u8]),
        half: &[u8],
    ) -> Result<bool, DbTrouble> {
        if self.mac(label).of(row)[..HALF] == *half {
            return Ok(true);
        }
        self.row.clear();
        self.row.extend_from_slice(row);
        Ok(self.answered_for(shape, key)? == Standing::AsWritten)
    }

    /// How rows stand that were taken out: as written where they are not there, or stand there again by
    /// a newer effect.
    fn taken_out(
        &mut self,
        shape: &Shape,
        rows: &[Packed<'_>],
    ) -> Result<Vec<Standing>, DbTrouble> {
        let mut there: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        if self.link.sqlite().is_some() {
            for row in rows {
                let mut here = Vec::new();
                if find(self.link, &shape.select(), row.key, &mut here)? {
                    there.insert(row.key.to_vec(), here);
                }
            }
        } else {
            for some in rows.chunks(keyed::MOST) {
                keyed::each(self.link, shape, some.iter().map(|row| row.key), |row| {
                    let mut here = Vec::new();
                    row.push_all(&mut here);
                    there.insert(shape.key_of(&here), here);
                })?;
            }
        }
        let mut standing = Vec::with_capacity(rows.len());
        for row in rows {
            standing.push(match there.remove(row.key) {
                None => Standing::AsWritten,
                Some(here) => {
                    self.row = here;
                    self.answered_for(shape, row.key)?
                }
            });
        }
        Ok(standing)
    }

    /// Digests of the rows with these keys, by key.
    fn digests<'k>(
        &mut self,
        shape: &Shape,
        mac: &RowMac,
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
    ) -> Result<Digests, DbTrouble> {
        let mut found = Digests::with_capacity(keys.len());
        let mut here = Vec::new();
        keyed::each(self.link, shape, keys, |row| {
            here.clear();
            row.push_all(&mut here);
            found.insert(shape.key_of(&here), mac.of(&here));
        })?;
        Ok(found)
    }

    pub(super) fn mac(&mut self, label: &str) -> RowMac {
        if let Some(mac) = self.macs.get(label) {
            return mac.clone();
        }
        let mac = RowMac::new(&self.key, label);
        self.macs.insert(label.to_owned(), mac.clone());
        mac
    }

    /// The row is not there; the newest effect on it may have taken it out.
    fn answered_for_none(&self, shape: &Shape, key: &[u8]) -> Result<Standing, DbTrouble> {
        Ok(match self.newest(shape, key)? {
            Some((_, digest)) if digest.is_empty() => Standing::AsWritten,
            _ => Standing::Gone,
        })
    }

    /// What the newest effect that changed a row says of it; an empty digest: it took the row out.
    pub(super) fn newest(
        &self,
        shape: &Shape,
        key: &[u8],
    ) -> Result<Option<(String, Vec<u8>)>, DbTrouble> {
        let found = self
            .link
            .scratch()?
            .prepare_cached(
                "SELECT label, digest FROM temp.handover_newest WHERE tbl = ?1 AND key = ?2",
            )?
            .query_row(params![shape.table, key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(found)
    }

    /// The row differs from this digest; the newest effect that changed it may say why.
    fn answered_for(&mut self, shape: &Shape, key: &[u8]) -> Result<Standing, DbTrouble> {
        Ok(match self.newest(shape, key)? {
            Some((label, digest)) if self.mac(&label).of(&self.row)[..HALF] == *digest => {
                Standing::AsWritten
            }
            _ => Standing::Edited,
        })
    }
}

/// The numbers that a file gave a part's rows, where their digests tell them apart: without a declared
/// key the number itself is no part of the row.
fn span_of(head: &Head, shape: &Shape) -> Option<(i64, i64)> {
    match head {
        Head::Insert { span, .. } if !shape.key.is_empty() => *span,
        _ => None,
    }
}

/// Notes in a temporary table which effect changed which row last, among these effects (in the order
/// in which they were made).
pub(super) fn note_newest(link: &Link, effects: &[i64]) -> Result<(), DbTrouble> {
    note_newest_of(link, link, effects)
}

/// The same with the ledger read on another connection than the rows.
pub(super) fn note_newest_of(link: &Link, ledger: &Link, effects: &[i64]) -> Result<(), DbTrouble> {
    let scratch = link.scratch()?;
    scratch.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS handover_newest (
           tbl TEXT NOT NULL, key BLOB NOT NULL, label TEXT NOT NULL, digest BLOB NOT NULL,
           PRIMARY KEY (tbl, key)) WITHOUT ROWID;
         DELETE FROM temp.handover_newest;",
    )?;
    let mut removed = false;
    for id in effects {
        for kind in ["update", "delete"] {
            for part in effect::parts_like(ledger, *id, kind)? {
                note_part(scratch, NOTE, &part)?;
                removed |= kind == "delete";
            }
        }
        // A row that was taken out may have come again; no other row that comes is newer than anything.
        if removed {
            for part in effect::parts_like(ledger, *id, "insert")? {
                note_part(scratch, NOTE_AGAIN, &part)?;
            }
        }
    }
    Ok(())
}

const NOTE: &str =
    "INSERT OR REPLACE INTO temp.handover_newest (tbl, key, label, digest) VALUES (?1, ?2, ?3, ?4)";
const NOTE_AGAIN: &str =
    "UPDATE temp.handover_newest SET label = ?3, digest = ?4 WHERE tbl = ?1 AND key = ?2";

/// A row that was taken out has an empty digest.
fn note_part(scratch: &Connection, how: &str, part: &effect::Part) -> Result<(), DbTrouble> {
    let Some((shape, label, rows)) = unpack(&part.head, &part.body)? else {
        return Ok(());
    };
    let mut note = scratch.prepare_cached(how)?;
    let gone = matches!(part.head, Head::Delete { .. });
    for row in rows {
        let digest = if gone { &[] } else { row.digest };
        note.execute(params![shape.table, row.key, label, digest])?;
    }
    Ok(())
}
