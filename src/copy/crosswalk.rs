//! From a source key to the target key that a dataset drew for it: read from the ledger while
//! loading, foretold from keys seen while looking.
//!
//! Not here: who writes the crosswalk (`load`).

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::canon;
use super::sight::hash;
use crate::orgdb::DbTrouble;

/// Where lookups are answered from.
pub(super) enum Crosswalk<'c> {
    /// Nowhere: every lookup fails.
    None,
    /// The ledger of the target.
    Ledger(Box<Ledger<'c>>),
    /// Keys that a look has seen go by.
    Foretold(&'c Connection),
}

/// How many keys are remembered: bounded, whatever the size of the tables.
const KNOWN: usize = 1 << 15;

/// The target's own `handover_key`, through a read-only connection.
pub(super) struct Ledger<'c> {
    find: CachedStatement<'c>,
    known: Vec<Option<Known>>,
    name: Vec<u8>,
}

/// A name with a source key, and the target key.
type Known = (Box<[u8]>, Box<str>);

impl<'c> Crosswalk<'c> {
    /// Answers from the ledger behind `target`, for rows of `source`.
    pub(super) fn ledger(
        target: &'c Connection,
        run: uuid::Uuid,
        source: &str,
    ) -> Result<Crosswalk<'c>, DbTrouble> {
        let mut find = target.prepare_cached(
            "SELECT target_key FROM handover_key
             WHERE run = ?1 AND org = ?2 AND dataset = ?3 AND source_key = ?4 AND undone_at IS NULL",
        )?;
        find.raw_bind_parameter(1, run.to_string())?;
        find.raw_bind_parameter(2, source)?;
        Ok(Crosswalk::Ledger(Box::new(Ledger {
            find,
            known: std::iter::repeat_with(|| None).take(KNOWN).collect(),
            name: Vec::new(),
        })))
    }

    /// Answers from the keys that are noted in a temporary table.
    pub(super) fn foretold(source: &'c Connection) -> Result<Crosswalk<'c>, DbTrouble> {
        source.pragma_update(None, "query_only", false)?;
        source.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS handover_seen (
               name TEXT NOT NULL, target INTEGER NOT NULL, key BLOB NOT NULL,
               PRIMARY KEY (name, target, key)) WITHOUT ROWID;
             DELETE FROM temp.handover_seen;",
        )?;
        Ok(Crosswalk::Foretold(source))
    }

    /// Appends the target key for a source key; false when there is none.
    pub(super) fn find(
        &mut self,
        name: &str,
        target: usize,
        key: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, DbTrouble> {
        match self {
            Crosswalk::None => Ok(false),
            Crosswalk::Ledger(ledger) => ledger.find(name, key, out),
            Crosswalk::Foretold(source) => {
                let seen = source
                    .prepare_cached(
                        "SELECT 1 FROM temp.handover_seen WHERE name = ?1 AND target = ?2 AND key = ?3",
                    )?
                    .query_row(params![name, count(target), key], |_| Ok(()))
                    .optional()?;
                canon::push(out, ValueRef::Null);
                Ok(seen.is_some())
            }
        }
    }

    /// Notes a key that a look has seen; false when it was there already.
    pub(super) fn note(&self, name: &str, target: usize, key: &[u8]) -> Result<bool, DbTrouble> {
        let Crosswalk::Foretold(source) = self else {
            return Ok(true);
        };
        let mut note = source.prepare_cached(
            "INSERT OR IGNORE INTO temp.handover_seen (name, target, key) VALUES (?1, ?2, ?3)",
        )?;
        Ok(note.execute(params![name, count(target), key])? > 0)
    }
}

fn count(target: usize) -> i64 {
    i64::try_from(target).unwrap_or(i64::MAX)
}

impl Ledger<'_> {
    fn find(&mut self, name: &str, key: &[u8], out: &mut Vec<u8>) -> Result<bool, DbTrouble> {
        self.name.clear();
        self.name.extend_from_slice(name.as_bytes());
        self.name.push(0);
        self.name.extend_from_slice(key);
        let at = hash(&self.name) % KNOWN;
        if let Some((known, target)) = &self.known[at]
            && **known == *self.name
        {
            canon::push_text(out, target.as_bytes());
            return Ok(true);
        }
        self.find.raw_bind_parameter(3, name)?;
        let key = rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Text(key));
        self.find.raw_bind_parameter(4, key)?;
        let mut rows = self.find.raw_query();
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let target: String = row.get(0)?;
        canon::push_text(out, target.as_bytes());
        self.known[at] = Some((self.name.as_slice().into(), target.into()));
        Ok(true)
    }
}
