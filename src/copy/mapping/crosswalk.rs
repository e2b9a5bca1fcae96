//! From a source key to the target key that a dataset drew for it: read from the ledger while
//! loading, foretold from keys seen while looking.
//!
//! Not here: who writes the crosswalk (`load`).

use foldhash::HashSet;
use roaring::RoaringTreemap;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::lately::Lately;
use crate::copy::value::canon;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Sql, Value, ValueRef};
use crate::values;

/// Where lookups are answered from.
pub(crate) enum Crosswalk<'c> {
    /// Nowhere: every lookup fails.
    None,
    /// The ledger of the target.
    Ledger(Box<Ledger<'c>>),
    /// Keys that a look has seen go by.
    Foretold(Box<Foretold<'c>>),
}

/// Source keys by name and target: numbers in compressed bitmaps (a ledger of millions of rows takes
/// a few MiB), whatever else in the reader's temporary store.
pub(crate) struct Foretold<'c> {
    /// By name, then target.
    numbers: Vec<(String, Vec<RoaringTreemap>)>,
    note: CachedStatement<'c>,
    find: CachedStatement<'c>,
    /// Names, targets and keys that were found lately.
    lately: Lately<()>,
    told: Vec<u8>,
}

/// How many keys are remembered: bounded, whatever the size of the tables.
const KNOWN: usize = 1 << 15;

/// The same for a look, which sees the rows of all targets.
const LATELY: usize = 1 << 17;

/// The target's own `handover_key`, through a read-only connection. What a server knows of a dataset is
/// fetched at the first question, into our own store.
pub(crate) struct Ledger<'c> {
    find: CachedStatement<'c>,
    /// Target keys by name and source key.
    known: Lately<Box<str>>,
    name: Vec<u8>,
    asks: Asks<'c>,
    /// Names and target keys whose rows are about to go: nothing refers to them any more.
    going: HashSet<(String, String)>,
}

/// What must be done before a dataset's keys are looked for.
enum Asks<'c> {
    /// Nothing: they are looked for where they stand.
    Nothing,
    /// They are fetched from the server.
    Server(Fetching<'c>),
    /// Nothing: those of these names were fetched, and no others are asked for.
    Fetched(&'c [String]),
}

/// What a server knew of some datasets' keys when it was asked: for whoever cannot see there what is
/// written meanwhile.
pub(crate) struct Fetched {
    store: Connection,
    names: Vec<String>,
}

struct Fetching<'c> {
    target: &'c Link,
    run: String,
    source: String,
    fetched: Vec<String>,
}

impl<'c> Crosswalk<'c> {
    /// Answers from the ledger behind `target`, for rows of `source`.
    pub(crate) fn ledger(
        target: &'c Link,
        run: uuid::Uuid,
        source: &str,
    ) -> Result<Crosswalk<'c>, DbTrouble> {
        let (run, source) = (run.to_string(), source.to_owned());
        let mut find;
        let asks = if let Some(file) = target.sqlite() {
            find = file.prepare_cached(
                "SELECT target_key FROM handover_key
                 WHERE run = ?1 AND org = ?2 AND dataset = ?3 AND source_key = ?4 AND undone_at IS NULL",
            )?;
            Asks::Nothing
        } else {
            let scratch = target.scratch()?;
            scratch.execute_batch(STORE)?;
            find = scratch.prepare_cached(FIND)?;
            Asks::Server(Fetching {
                target,
                run: run.clone(),
                source: source.clone(),
                fetched: Vec::new(),
            })
        };
        find.raw_bind_parameter(1, run)?;
        find.raw_bind_parameter(2, source)?;
        Ok(Crosswalk::of(find, asks))
    }

    /// Answers from what was fetched before.
    pub(crate) fn fetched(fetched: &'c Fetched) -> Result<Crosswalk<'c>, DbTrouble> {
        let find = fetched.store.prepare_cached(FIND)?;
        Ok(Crosswalk::of(find, Asks::Fetched(&fetched.names)))
    }

    fn of(find: CachedStatement<'c>, asks: Asks<'c>) -> Crosswalk<'c> {
        Crosswalk::Ledger(Box::new(Ledger {
            find,
            known: Lately::new(KNOWN),
            name: Vec::new(),
            asks,
            going: HashSet::default(),
        }))
    }

    /// Answers from the keys that are noted in a temporary table.
    pub(crate) fn foretold(source: &'c Connection) -> Result<Crosswalk<'c>, DbTrouble> {
        source.pragma_update(None, "query_only", false)?;
        source.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS handover_seen (
               name TEXT NOT NULL, target INTEGER NOT NULL, key BLOB NOT NULL,
               PRIMARY KEY (name, target, key)) WITHOUT ROWID;
             DELETE FROM temp.handover_seen;",
        )?;
        Ok(Crosswalk::Foretold(Box::new(Foretold {
            numbers: Vec::new(),
            note: source.prepare_cached(
                "INSERT OR IGNORE INTO temp.handover_seen (name, target, key) VALUES (?1, ?2, ?3)",
            )?,
            find: source.prepare_cached(
                "SELECT 1 FROM temp.handover_seen WHERE name = ?1 AND target = ?2 AND key = ?3",
            )?,
            lately: Lately::new(LATELY),
            told: Vec::new(),
        })))
    }

    /// Appends the target key for a source key; false when there is none.
    pub(crate) fn find(
        &mut self,
        name: &str,
        target: usize,
        key: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, DbTrouble> {
        match self {
            Crosswalk::None => Ok(false),
            Crosswalk::Ledger(ledger) => ledger.find(name, key, out),
            Crosswalk::Foretold(foretold) => {
                canon::push(out, ValueRef::Null);
                foretold.seen(name, target, key)
            }
        }
    }

    /// Rows with these names and target keys are about to go.
    pub(crate) fn lose(&mut self, going: HashSet<(String, String)>) {
        if let Crosswalk::Ledger(ledger) = self {
            ledger.going = going;
        }
    }

    /// Whether rows of this name are about to go.
    pub(crate) fn loses(&self, name: &str) -> bool {
        match self {
            Crosswalk::Ledger(ledger) => ledger.going.iter().any(|(going, _)| going == name),
            Crosswalk::None | Crosswalk::Foretold(_) => false,
        }
    }

    /// Notes a key that a look has seen; false when it was there already.
    pub(crate) fn note(
        &mut self,
        name: &str,
        target: usize,
        key: &[u8],
    ) -> Result<bool, DbTrouble> {
        match self {
            Crosswalk::Foretold(foretold) => foretold.note(name, target, key),
            Crosswalk::None | Crosswalk::Ledger(_) => Ok(true),
        }
    }
}

impl Foretold<'_> {
    fn numbers(&mut self, name: &str, target: usize) -> &mut RoaringTreemap {
        let known = self.numbers.iter().position(|(known, _)| known == name);
        let at = known.unwrap_or_else(|| {
            self.numbers.push((name.to_owned(), Vec::new()));
            self.numbers.len() - 1
        });
        let targets = &mut self.numbers[at].1;
        if targets.len() <= target {
            targets.resize_with(target + 1, RoaringTreemap::new);
        }
        &mut targets[target]
    }

    fn note(&mut self, name: &str, target: usize, key: &[u8]) -> Result<bool, DbTrouble> {
        if let Some(number) = number(key) {
            return Ok(self.numbers(name, target).insert(number));
        }
        Ok(self.note.execute(params![name, count(target), key])? > 0)
    }

    fn seen(&mut self, name: &str, target: usize, key: &[u8]) -> Result<bool, DbTrouble> {
        if let Some(number) = number(key) {
            return Ok(self.numbers(name, target).contains(number));
        }
        self.told.clear();
        self.told.extend_from_slice(name.as_bytes());
        self.told.push(0);
        self.told.extend_from_slice(&target.to_be_bytes());
        self.told.extend_from_slice(key);
        if self.lately.place(&self.told).is_some() {
            return Ok(true);
        }
        let found = self
            .find
            .query_row(params![name, count(target), key], |_| Ok(()));
        let found = found.optional()?.is_some();
        if found {
            self.lately.put(&self.told, ());
        }
        Ok(found)
    }
}

/// The number that a key is, if it is written as numbers are: `7`, never `07`.
fn number(key: &[u8]) -> Option<u64> {
    let plain = matches!(key.len(), 1..=18) && key.iter().all(u8::is_ascii_digit);
    if !plain || (key[0] == b'0' && key.len() > 1) {
        return None;
    }
    let digits = key.iter().map(|byte| u64::from(byte - b'0'));
    Some(digits.fold(0, |value, digit| value * 10 + digit))
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
        let known = self.known.place(&self.name);
        if let Some(target) = known.and_then(|place| self.known.at(place)) {
            canon::push_text(out, target.as_bytes());
            return Ok(true);
        }
        match &mut self.asks {
            Asks::Nothing => {}
            Asks::Server(server) => server.fetch(name)?,
            Asks::Fetched(names) if names.iter().any(|known| known == name) => {}
            // Nothing is known of it: a mistake in our source, and never "there is none".
            Asks::Fetched(_) => return Err(DbTrouble::Other(-1)),
        }
        self.find.raw_bind_parameter(3, name)?;
        let key = rusqlite::types::ToSqlOutput::Borrowed(ValueRef::Text(key));
        self.find.raw_bind_parameter(4, key)?;
        let mut rows = self.find.raw_query();
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let target: String = row.get(0)?;
        if !self.going.is_empty() && self.going.contains(&(name.to_owned(), target.clone())) {
            return Ok(false);
        }
        canon::push_text(out, target.as_bytes());
        self.known.put(&self.name, target.into());
        Ok(true)
    }
}

impl Fetching<'_> {
    /// Fetches a dataset's keys, once.
    fn fetch(&mut self, dataset: &str) -> Result<(), DbTrouble> {
        if self.fetched.iter().any(|known| known == dataset) {
            return Ok(());
        }
        let of = (self.run.as_str(), self.source.as_str(), dataset);
        fetch(self.target, self.target.scratch()?, of)?;
        self.fetched.push(dataset.to_owned());
        Ok(())
    }
}

impl Fetched {
    /// Asks a server for the keys of `names` that rows of `source` have there.
    pub(crate) fn of(
        target: &Link,
        run: uuid::Uuid,
        source: &str,
        names: Vec<String>,
    ) -> Result<Fetched, DbTrouble> {
        let (store, run) = (Link::store_apart()?, run.to_string());
        store.execute_batch(STORE)?;
        for name in &names {
            fetch(target, &store, (&run, source, name))?;
        }
        Ok(Fetched { store, names })
    }
}

/// Where fetched keys are kept.
const STORE: &str = "CREATE TEMP TABLE IF NOT EXISTS handover_fetched (
  dataset TEXT NOT NULL, source_key TEXT NOT NULL, target_key TEXT NOT NULL,
  PRIMARY KEY (dataset, source_key)) WITHOUT ROWID;
DELETE FROM temp.handover_fetched;";

/// Where they are found again.
const FIND: &str =
    "SELECT target_key FROM temp.handover_fetched WHERE dataset = ?3 AND source_key = ?4";

/// Fetches the keys of one name.
fn fetch(
    target: &Link,
    store: &Connection,
    (run, source, name): (&str, &str, &str),
) -> Result<(), DbTrouble> {
    let mut keep = store.prepare_cached(
        "INSERT OR REPLACE INTO temp.handover_fetched (dataset, source_key, target_key)
         VALUES (?1, ?2, ?3)",
    )?;
    let query = Sql::new(
        "SELECT source_key, target_key FROM handover_key
         WHERE run = ?1 AND org = ?2 AND dataset = ?3 AND undone_at IS NULL",
    );
    let asked = values![run, source, name];
    let asked: Vec<ValueRef<'_>> = asked.iter().map(Value::lend).collect();
    target.each(&query, &asked, |row| {
        let text = |at| match row.get(at) {
            ValueRef::Text(text) => std::str::from_utf8(text).unwrap_or_default(),
            _ => "",
        };
        keep.execute(params![name, text(0), text(1)])?;
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}
