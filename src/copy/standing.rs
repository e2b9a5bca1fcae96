//! How ledgered rows stand now: as written, edited, gone; and whether a newer effect of ours answers
//! for a row that an older one wrote.
//!
//! In: a connection and effects. Out: a class per row.
//!
//! Not here: taking rows back (`undo`), reports (`verify`).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::canon::Values;
use super::effect::{self, Head};
use super::packed::{HALF, Packed, unpack};
use super::shape::{Shape, bind, fetch};
use super::tally::RowMac;
use crate::machine::key::RunKey;
use crate::orgdb::DbTrouble;

/// Page cache of a connection that reads rows back by key, as SQLite wants it (KiB, negative): rows lie
/// where their keys were drawn, all over the file.
pub(super) const READ_BACK_KIB: i64 = -32_000;

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

/// Reads rows back and holds them against their digests.
pub(super) struct Reading<'c> {
    connection: &'c Connection,
    key: RunKey,
    macs: BTreeMap<String, RowMac>,
    row: Vec<u8>,
}

impl<'c> Reading<'c> {
    pub(super) fn new(connection: &'c Connection, key: &RunKey) -> Reading<'c> {
        Reading {
            connection,
            key: key.clone(),
            macs: BTreeMap::new(),
            row: Vec::new(),
        }
    }

    /// How the row stands against the digest beside it.
    pub(super) fn standing(
        &mut self,
        shape: &Shape,
        label: &str,
        packed: &Packed<'_>,
    ) -> Result<Standing, DbTrouble> {
        let mut select = self.connection.prepare_cached(shape.select().as_str())?;
        bind(&mut select, 1, Values(packed.key))?;
        self.row.clear();
        if !fetch(&mut select, &mut self.row)? {
            return Ok(Standing::Gone);
        }
        let same = self.mac(label).of(&self.row)[..HALF] == *packed.digest;
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

    /// The row differs from this digest; the newest effect that changed it may say why.
    fn answered_for(&mut self, shape: &Shape, key: &[u8]) -> Result<Standing, DbTrouble> {
        let newest: Option<(String, Vec<u8>)> = self
            .connection
            .prepare_cached(
                "SELECT label, digest FROM temp.handover_newest WHERE tbl = ?1 AND key = ?2",
            )?
            .query_row(params![shape.table, key], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(match newest {
            Some((label, digest)) if self.mac(&label).of(&self.row)[..HALF] == *digest => {
                Standing::AsWritten
            }
            _ => Standing::Edited,
        })
    }
}

/// Notes in a temporary table which effect changed which row last, among these effects (in the order
/// in which they were made).
pub(super) fn note_newest(connection: &Connection, effects: &[i64]) -> Result<(), DbTrouble> {
    // The file itself was opened read-only or is not touched here: only the temporary store is.
    connection.pragma_update(None, "query_only", false)?;
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS handover_newest (
           tbl TEXT NOT NULL, key BLOB NOT NULL, label TEXT NOT NULL, digest BLOB NOT NULL,
           PRIMARY KEY (tbl, key)) WITHOUT ROWID;
         DELETE FROM temp.handover_newest;",
    )?;
    let mut note = connection.prepare_cached(
        "INSERT OR REPLACE INTO temp.handover_newest (tbl, key, label, digest) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for id in effects {
        for part in effect::parts_like(connection, *id, "update")? {
            let Head::Update { .. } = part.head else {
                continue;
            };
            let Some((shape, label, rows)) = unpack(&part.head, &part.body)? else {
                continue;
            };
            for row in rows {
                note.execute(params![shape.table, row.key, label, row.digest])?;
            }
        }
    }
    Ok(())
}
