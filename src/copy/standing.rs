//! How ledgered rows stand now: as written, edited, gone; and whether a newer effect of ours answers
//! for a row that an older one wrote.
//!
//! In: a connection and effects. Out: a class per row.
//!
//! Not here: taking rows back (`undo`), reports (`verify`).

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, Rows, Statement, params};

use super::canon::{self, Values};
use super::effect::{self, Head};
use super::keyed;
use super::packed::{HALF, Packed, Unpacked, unpack};
use super::shape::{Shape, bind, fetch, find};
use super::tally::RowMac;
use crate::machine::key::RunKey;
use crate::orgdb::{DbTrouble, Link, ValueRef};

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

/// Goes along written rows as they are met again, mostly in their order. A digest is of the whole row,
/// its key included: no key needs to be compared.
struct Walk<'r> {
    rows: &'r [Packed<'r>],
    same: Vec<bool>,
    next: usize,
}

impl<'r> Walk<'r> {
    fn over(rows: &'r [Packed<'r>]) -> Walk<'r> {
        Walk {
            rows,
            same: vec![false; rows.len()],
            next: 0,
        }
    }

    /// A row with this digest was met. Rows that were passed over are looked for by their keys later.
    fn meet(&mut self, digest: &[u8; 32]) {
        const AHEAD: usize = 8;
        let ahead = self.rows[self.next..].iter().take(AHEAD);
        if let Some(passed) = ahead.clone().position(|row| *row.digest == digest[..HALF]) {
            self.same[self.next + passed] = true;
            self.next += passed + 1;
        }
    }
}

/// Reads rows back and holds them against their digests.
pub(super) struct Reading<'c> {
    link: &'c Link,
    key: RunKey,
    macs: BTreeMap<String, RowMac>,
    row: Vec<u8>,
}

/// How the rows of a part stand.
pub(super) struct Held {
    /// Of each row, in the part's order.
    pub(super) standing: Vec<Standing>,
    /// The numbers between which they all stand as they were written, and no other row does.
    pub(super) alone: Option<(i64, i64)>,
}

impl<'c> Reading<'c> {
    pub(super) fn new(link: &'c Link, key: &RunKey) -> Reading<'c> {
        Reading {
            link,
            key: key.clone(),
            macs: BTreeMap::new(),
            row: Vec::new(),
        }
    }

    /// How the rows of a part stand against the digests beside them.
    ///
    /// Rows that were inserted together lie together: they are read in one go where the engine
    /// numbered them, and only what is not found there as it was written is looked for by its key.
    pub(super) fn part(
        &mut self,
        head: &Head,
        (shape, label, rows): &Unpacked<'_>,
    ) -> Result<Held, DbTrouble> {
        if let Head::Delete { .. } = head {
            return Ok(Held {
                standing: self.taken_out(shape, rows)?,
                alone: None,
            });
        }
        let Some(file) = self.link.sqlite() else {
            let standing = self.on_a_server(shape, label, rows)?;
            return Ok(Held {
                alone: None,
                standing,
            });
        };
        let span = match head {
            Head::Insert { span, .. } if !shape.key.is_empty() => *span,
            _ => None,
        };
        let (mut among, mut select);
        let mut lying = None;
        if let Some((first, last)) = span {
            among = file.prepare_cached(shape.select_span().as_str())?;
            bind(&mut among, 1, [first, last].map(ValueRef::Integer))?;
            lying = Some(among.raw_query());
        }
        select = file.prepare_cached(shape.select().as_str())?;
        let (mac, mut here) = (self.mac(label), Vec::new());
        let mut there = next(&mut lying, &mut here)?;
        let (mut standing, mut alone) = (Vec::with_capacity(rows.len()), true);
        for row in rows {
            if there && mac.of(&here)[..HALF] == *row.digest {
                standing.push(Standing::AsWritten);
                there = next(&mut lying, &mut here)?;
                continue;
            }
            alone = false;
            standing.push(self.by_key(&mut select, &mac, shape, row)?);
            if there && shape.key_of(&here) == row.key {
                there = next(&mut lying, &mut here)?;
            }
        }
        let alone = span.filter(|_| alone && !there);
        Ok(Held { standing, alone })
    }

    /// The same on a server: what lies between the first key and the last is read in one go, and only
    /// what is not found there as it was written is asked for by key.
    fn on_a_server(
        &mut self,
        shape: &Shape,
        label: &str,
        rows: &[Packed<'_>],
    ) -> Result<Vec<Standing>, DbTrouble> {
        let mac = self.mac(label);
        let same = self.lying(shape, &mac, rows)?;
        let open: Vec<&Packed<'_>> = rows
            .iter()
            .zip(&same)
            .filter(|(_, same)| !**same)
            .map(|(row, _)| row)
            .collect();
        let mut there = Digests::new();
        for some in open.chunks(keyed::MOST) {
            there.extend(self.digests(shape, &mac, some)?);
        }
        let mut standing = Vec::with_capacity(rows.len());
        for (row, same) in rows.iter().zip(same) {
            standing.push(if same {
                Standing::AsWritten
            } else {
                match there.get(row.key) {
                    None => self.answered_for_none(shape, row.key)?,
                    Some(digest) if digest[..HALF] == *row.digest => Standing::AsWritten,
                    Some(_) => {
                        self.row.clear();
                        find(self.link, &shape.select(), row.key, &mut self.row)?;
                        self.answered_for(shape, row.key)?
                    }
                }
            });
        }
        Ok(standing)
    }

    /// Which of these rows are found as they were written between the first of their keys and the last,
    /// in the order in which they were written; not more than a few rows of others are read for it.
    fn lying(
        &self,
        shape: &Shape,
        mac: &RowMac,
        rows: &[Packed<'_>],
    ) -> Result<Vec<bool>, DbTrouble> {
        let mut walk = Walk::over(rows);
        let Some(ends) = keyed::ends(shape, rows.iter().map(|row| row.key)) else {
            return Ok(walk.same);
        };
        let most = rows.len() + rows.len() / 4;
        let mut here = Vec::new();
        keyed::between(self.link, shape, ends, most, |row| {
            here.clear();
            (0..row.width()).for_each(|at| canon::push(&mut here, row.get(at)));
            walk.meet(&mac.of(&here));
        })?;
        Ok(walk.same)
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
                (0..row.width()).for_each(|at| canon::push(&mut here, row.get(at)));
                walk.meet(&mac.of(&here));
                deleted += 1;
            })?;
            if can && deleted == rows.len() && walk.same.iter().all(|same| *same) {
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
                    (0..row.width()).for_each(|at| canon::push(&mut here, row.get(at)));
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
    fn digests(
        &mut self,
        shape: &Shape,
        mac: &RowMac,
        rows: &[&Packed<'_>],
    ) -> Result<Digests, DbTrouble> {
        let mut found = Digests::with_capacity(rows.len());
        let keys = rows.iter().map(|row| row.key);
        let mut here = Vec::new();
        keyed::each(self.link, shape, keys, |row| {
            here.clear();
            (0..row.width()).for_each(|at| canon::push(&mut here, row.get(at)));
            found.insert(shape.key_of(&here), mac.of(&here));
        })?;
        Ok(found)
    }

    /// How the row with this key stands against the digest beside it.
    fn by_key(
        &mut self,
        select: &mut Statement<'_>,
        mac: &RowMac,
        shape: &Shape,
        packed: &Packed<'_>,
    ) -> Result<Standing, DbTrouble> {
        bind(select, 1, Values(packed.key))?;
        self.row.clear();
        if !fetch(select, &mut self.row)? {
            return self.answered_for_none(shape, packed.key);
        }
        let same = mac.of(&self.row)[..HALF] == *packed.digest;
        Ok(if same {
            Standing::AsWritten
        } else {
            self.answered_for(shape, packed.key)?
        })
    }

    fn mac(&mut self, label: &str) -> RowMac {
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
    fn newest(&self, shape: &Shape, key: &[u8]) -> Result<Option<(String, Vec<u8>)>, DbTrouble> {
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

/// Reads the next row in canonical form; false where there is none.
fn next(rows: &mut Option<Rows<'_>>, into: &mut Vec<u8>) -> Result<bool, DbTrouble> {
    into.clear();
    let Some(rows) = rows else {
        return Ok(false);
    };
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    for at in 0..row.as_ref().column_count() {
        canon::push(into, row.get_ref(at)?);
    }
    Ok(true)
}

/// Notes in a temporary table which effect changed which row last, among these effects (in the order
/// in which they were made).
pub(super) fn note_newest(link: &Link, effects: &[i64]) -> Result<(), DbTrouble> {
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
            for part in effect::parts_like(link, *id, kind)? {
                note_part(scratch, NOTE, &part)?;
                removed |= kind == "delete";
            }
        }
        // A row that was taken out may have come again; no other row that comes is newer than anything.
        if removed {
            for part in effect::parts_like(link, *id, "insert")? {
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
