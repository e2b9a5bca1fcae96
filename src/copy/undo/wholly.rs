//! Tables that hold nothing but rows of ours. They are emptied in one go where, under a lock that keeps
//! every other writer out, each row that we wrote was found as it was written and there are no others.
//!
//! In: tables under that lock, then the parts of effects as they were read back. Out: empty tables.
//!
//! Not here: the lock and who looks (`untouched`), servers that empty a table outside of any transaction
//! (`emptying`).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use crate::copy::ledger::packed::{Packed, Unpacked};
use crate::copy::standing::Held;
use crate::copy::tables::keyed;
use crate::copy::tables::shape::Shape;
use crate::orgdb::catalogue::{Hanging, TableName};
use crate::orgdb::kind::Kind;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, ValueRef};
use crate::sql;
use crate::values;

/// Keys of other kinds than numbers that are told apart by eight bytes each: beyond so many of them a
/// table's rows are deleted like any others.
const MOST_KEYS: usize = 2_000_000;

/// Tables that may turn out to be wholly ours, with how many rows they hold.
pub(crate) type Whole = BTreeMap<String, u64>;

/// Tables of others that refer to these, and to each other: they stand in the way of emptying these unless
/// they are empty themselves, and beside these.
pub(crate) fn referring<'t>(
    link: &Link,
    tables: impl Iterator<Item = &'t String>,
) -> Result<BTreeSet<TableName>, DbTrouble> {
    let ours: BTreeSet<&String> = tables.collect();
    let (mut found, mut open) = (BTreeSet::new(), Vec::new());
    open.extend(ours.iter().map(|table| (*table).clone()));
    while let Some(table) = open.pop() {
        for Hanging { child, .. } in link.hanging(&table)? {
            let beside = child.beside_ours().cloned();
            if !beside.as_ref().is_some_and(|table| ours.contains(table)) && found.insert(child) {
                open.extend(beside);
            }
        }
    }
    Ok(found)
}

/// Which of these tables could be emptied in one go if all their rows are ours. `most`: how many rows we
/// wrote there at most; none into tables that only refer to the others, and which are nothing without them.
/// Whatever the engine would do beside emptying them (triggers, rules, other tables that refer to them,
/// others who are told) rules it out.
pub(crate) fn candidates(link: &Link, most: &BTreeMap<String, u64>) -> Result<Whole, DbTrouble> {
    let mut whole = Whole::new();
    for (table, most) in most {
        if plain(link, table)? {
            let rows = count(link, table, *most)?;
            if rows <= *most {
                whole.insert(table.clone(), rows);
            }
        }
    }
    let whole = closed(link, whole, most)?;
    let any = whole.keys().any(|table| most.get(table) > Some(&0));
    Ok(if any { whole } else { Whole::new() })
}

/// Without the tables that others refer to which are not emptied with them, and (where they are emptied
/// behind all other rows) without those that refer to rows of ours elsewhere, which go earlier.
fn closed(link: &Link, mut whole: Whole, ours: &BTreeMap<String, u64>) -> Result<Whole, DbTrouble> {
    loop {
        let mut out = BTreeSet::new();
        for table in whole.keys() {
            let elsewhere = |other: &String| !whole.contains_key(other);
            let stays = |one: &Hanging| one.child.beside_ours().is_none_or(elsewhere);
            let known = link.table(table)?.unwrap_or_default();
            let parents = known.references.iter().map(|(_, parent, _)| parent);
            let hanging = link.hanging(table)?;
            let last = link.dialect() != Dialect::Mariadb;
            if hanging.iter().any(stays)
                || last
                    && parents
                        .clone()
                        .any(|parent| ours.contains_key(parent) && elsewhere(parent))
            {
                out.insert(table.clone());
            }
        }
        if out.is_empty() {
            return Ok(whole);
        }
        whole.retain(|table, _| !out.contains(table));
    }
}

/// A table of which emptying it is all that happens.
const PLAIN: &str = "SELECT 1 FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = to_regclass(?1) AND c.relkind = 'r' AND NOT c.relispartition
  AND NOT c.relrowsecurity AND NOT c.relhasrules AND has_table_privilege(c.oid, 'TRUNCATE')
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhparent = c.oid OR inhrelid = c.oid)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables
                  WHERE schemaname = n.nspname AND tablename = c.relname)";

/// The same where emptying a table gives its numbers out again: none that counts by itself.
const PLAIN_THERE: &str = "SELECT 1 FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = ?1 AND table_type = 'BASE TABLE'
  AND lower(engine) = 'innodb' AND create_options NOT LIKE '%partitioned%'
  AND NOT EXISTS (SELECT 1 FROM information_schema.triggers
                  WHERE event_object_schema = DATABASE() AND event_object_table = ?1)
  AND NOT EXISTS (SELECT 1 FROM information_schema.columns
                  WHERE table_schema = DATABASE() AND table_name = ?1 AND extra LIKE '%auto_increment%')";

fn plain(link: &Link, table: &str) -> Result<bool, DbTrouble> {
    match link.dialect() {
        Dialect::Postgres => {
            let name = Ident::new(table).to_string();
            Ok(link.row(&Sql::new(PLAIN), &values![name])?.is_some())
        }
        // A file empties a table page by page where it need not look at each row
        // (<https://www.sqlite.org/lang_delete.html#truncateopt>): no trigger, and no foreign key that it
        // enforces.
        Dialect::Sqlite => {
            let triggers = Sql::new(
                "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?1)",
            );
            let known = link.table(table)?.unwrap_or_default();
            Ok(link.row(&triggers, &values![table])?.is_none()
                && known.references.is_empty()
                && link.hanging(table)?.is_empty())
        }
        Dialect::Mariadb => {
            let known = link.table(table)?.unwrap_or_default();
            Ok(!known.triggers_hidden
                && link.row(&Sql::new(PLAIN_THERE), &values![table])?.is_some())
        }
    }
}

/// How many rows a table holds; where it holds more than `most`, one more than that. A table that cannot
/// hold more than `most`, since its key has no more numbers, is told to hold so many: whether it does is
/// seen when its rows are met.
fn count(link: &Link, table: &str, most: u64) -> Result<u64, DbTrouble> {
    if numbers_in_use(link, table)? == Some(most) {
        return Ok(most);
    }
    let most = usize::try_from(most)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let query = sql!(
        "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS some_rows",
        Ident::new(table),
        most
    );
    Ok(link.row(&query, &[])?.map_or(0, |row| row[0].count()))
}

/// How many numbers there are from a table's first to its last, where its key is one.
fn numbers_in_use(link: &Link, table: &str) -> Result<Option<u64>, DbTrouble> {
    let known = link.table(table)?.unwrap_or_default();
    let [key] = known.key.as_slice() else {
        return Ok(None);
    };
    let kind = known.column(key).map(|column| column.kind);
    if !matches!(kind, Some(Kind::Whole { .. } | Kind::Loose(_))) {
        return Ok(None);
    }
    let (key, table) = (Ident::new(key), Ident::new(table));
    // Each by itself is read off an index's end, and a locked table may be named but once.
    let end = |which: &'static str| {
        let end = sql!("SELECT {}({}) FROM {}", Sql::new(which), key, table);
        let end = link.row(&end, &[])?;
        Ok::<_, DbTrouble>(end.and_then(|row| row[0].int()))
    };
    let (Some(first), Some(last)) = (end("min")?, end("max")?) else {
        return Ok(None);
    };
    Ok(last
        .checked_sub(first)
        .and_then(|more| u64::try_from(more).ok()?.checked_add(1)))
}

/// Proves that tables hold nothing but rows of ours: as many rows as we wrote, each of them found as it
/// was written, no two of them the same.
pub(crate) struct Proof {
    whole: Whole,
    state: RandomState,
    seen: BTreeMap<String, Keys>,
    given_up: bool,
}

/// Which keys of a table were found.
#[derive(Default)]
struct Keys {
    rows: u64,
    /// First and last of numbers between which all rows were found, and no other row lies.
    spans: Vec<(i64, i64)>,
    /// Other keys, eight bytes of each: two may share them, and are then taken for the same.
    others: Vec<u64>,
}

impl Proof {
    pub(crate) fn of(whole: Whole) -> Proof {
        Proof {
            whole,
            state: RandomState::default(),
            seen: BTreeMap::new(),
            given_up: false,
        }
    }

    /// Inserted rows that all stand as they were written.
    pub(crate) fn add(&mut self, rows: &Unpacked<'_>, held: &Held) {
        let (shape, _, rows) = rows;
        if !self.whole.contains_key(&shape.table) {
            return;
        }
        let keys = self.seen.entry(shape.table.clone()).or_default();
        keys.rows += rows.len() as u64;
        match (held.alone, numbers(rows, held, shape)) {
            (Some(span), _) | (None, Some(span)) => keys.spans.push(span),
            (None, None) => {
                let told = rows.iter().map(|row| told(&self.state, row.key));
                let room = MOST_KEYS.saturating_sub(keys.others.len());
                keys.others.extend(told.take(room));
                // Numbers and other keys cannot be held against each other.
                self.given_up |= shape.whole || rows.len() > room || !keys.spans.is_empty();
            }
        }
    }

    /// Whether all the tables are proved to be wholly ours.
    pub(crate) fn holds(mut self) -> bool {
        let seen = &mut self.seen;
        let all_ours = |(table, rows): (&String, &u64)| {
            let keys = seen.remove(table).unwrap_or_default();
            keys.rows == *rows && keys.all_differ()
        };
        !self.given_up && self.whole.iter().all(all_ours)
    }
}

impl Keys {
    fn all_differ(mut self) -> bool {
        self.spans.sort_unstable();
        self.others.sort_unstable();
        (self.spans.is_empty() || self.others.is_empty())
            && self.spans.windows(2).all(|pair| pair[0].1 < pair[1].0)
            && self.others.windows(2).all(|pair| pair[0] != pair[1])
    }
}

/// First and last key of a server's rows that lie by themselves, where keys are numbers.
fn numbers(rows: &[Packed<'_>], held: &Held, shape: &Shape) -> Option<(i64, i64)> {
    if !held.by_themselves {
        return None;
    }
    match keyed::ends(shape, rows.iter().map(|row| row.key))? {
        [ValueRef::Integer(first), ValueRef::Integer(last)] => Some((first, last)),
        _ => None,
    }
}

fn told(state: &RandomState, key: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// Empties tables that were proved to be wholly ours. A server needs a moment without any reader for the
/// quick way; where it does not get one, the rows are deleted.
pub(crate) fn empty(link: &Link, whole: &Whole) -> Result<(), DbTrouble> {
    let names: Vec<Ident> = whole.keys().map(|table| Ident::new(table)).collect();
    if names.is_empty() {
        return Ok(());
    }
    if link.dialect() == Dialect::Postgres {
        // No RESTART IDENTITY: a number is never given twice.
        link.script(&Sql::new("SET LOCAL lock_timeout = '1s'"))?;
        let quick = link.within_savepoint(|| link.script(&sql!("TRUNCATE {}", names)));
        link.script(&Sql::new("SET LOCAL lock_timeout = '30s'"))?;
        match quick {
            Err(
                DbTrouble::Locked(_) | DbTrouble::Clash | DbTrouble::ReadOnly | DbTrouble::State(_),
            ) => {}
            answer => return answer,
        }
    }
    for (name, rows) in names.iter().zip(whole.values()) {
        if link.execute(&sql!("DELETE FROM {}", name), &[])? != *rows {
            return Err(DbTrouble::Clash);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_written_twice_proves_nothing() {
        let spans = |spans: &[(i64, i64)]| Keys {
            spans: spans.to_vec(),
            ..Keys::default()
        };
        assert!(spans(&[(5, 9), (1, 4)]).all_differ());
        assert!(!spans(&[(1, 4), (4, 9)]).all_differ());
        let others = |others: &[u64]| Keys {
            others: others.to_vec(),
            ..Keys::default()
        };
        assert!(others(&[3, 1, 2]).all_differ());
        assert!(!others(&[3, 1, 3]).all_differ());
    }
}
