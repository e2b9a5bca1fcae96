//! Fingerprints of whole databases: every user table's rows, indexes and triggers, our own
//! `handover_*` tables left out. They show that a rollback leaves nothing behind.
//!
//! Shares no code with the copier: plain SQL and a hash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link};
use crate::plan::digest::Digest;
use crate::sql;

/// A database's fingerprint by organisation.
pub type Prints = BTreeMap<String, Digest>;

/// Rows of a table whose numbers share all but this many bits are hashed together.
const SPAN: u32 = 17;

/// Takes the fingerprint of every database: a digest over its objects and over the digests of its
/// tables, span by span, as many side by side as the machine has cores.
///
/// # Errors
/// When a database cannot be read.
pub fn take(databases: &BTreeMap<String, PathBuf>) -> rusqlite::Result<Prints> {
    let mut spans = Vec::new();
    for (org, path) in databases {
        spans.extend(spans_of(path)?.into_iter().map(|span| (org, path, span)));
    }
    let mut prints: BTreeMap<String, Sha256> = BTreeMap::new();
    for (at, digest) in side_by_side(&spans)? {
        let org = spans[at].0.clone();
        prints.entry(org).or_default().update(digest);
    }
    let whole = |(org, hash): (String, Sha256)| (org, Digest(hash.finalize().into()));
    Ok(prints.into_iter().map(whole).collect())
}

type Numbered = Vec<(usize, [u8; 32])>;

/// The digest of every span, in their order.
fn side_by_side(spans: &[(&String, &PathBuf, Span)]) -> rusqlite::Result<Numbered> {
    let next = AtomicUsize::new(0);
    let work = || -> rusqlite::Result<Numbered> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, path, span)) = spans.get(at) else {
                return Ok(done);
            };
            done.push((at, digest(path, span)?));
        }
    };
    let mut all = std::thread::scope(|scope| -> rusqlite::Result<Numbered> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let hands: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for hand in hands {
            let done = hand.join();
            all.extend(done.unwrap_or(Err(rusqlite::Error::InvalidQuery))?);
        }
        Ok(all)
    })?;
    all.sort_unstable_by_key(|(at, _)| *at);
    Ok(all)
}

/// The fingerprint of a server's database: what is declared, and of every table how many rows it has
/// and what their digests add up to, in whatever order they come.
pub(super) fn of_a_server(link: &Link) -> Result<Digest, DbTrouble> {
    let catalogue = link.catalogue()?;
    let mut whole = Sha256::new();
    whole.update(catalogue.fingerprint().0);
    for (name, table) in &catalogue.tables {
        let columns: Vec<Ident> = table
            .columns
            .iter()
            .map(|column| Ident::new(&column.name))
            .collect();
        let query = sql!("SELECT {} FROM {}", columns, Ident::new(name));
        let (mut rows, mut sum, mut bytes) = (0_u64, [0_u64; 4], Vec::new());
        link.each(&query, &[], |row| {
            bytes.clear();
            (0..row.width()).for_each(|at| append(&mut bytes, row.get(at)));
            rows += 1;
            for (part, digest) in sum.iter_mut().zip(Sha256::digest(&bytes).chunks_exact(8)) {
                let mut word = [0; 8];
                word.copy_from_slice(digest);
                *part = part.wrapping_add(u64::from_be_bytes(word));
            }
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        whole.update(rows.to_be_bytes());
        for part in sum {
            whole.update(part.to_be_bytes());
        }
    }
    Ok(Digest(whole.finalize().into()))
}

/// A part of a database.
enum Span {
    /// What is declared in it.
    Objects(String),
    /// Rows of a table: all of them, or those whose number begins so.
    Rows(String, Option<i64>),
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // A connection stays on its thread: a lock at every value would cost more than the hash.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn spans_of(path: &Path) -> rusqlite::Result<Vec<Span>> {
    let db = open(path)?;
    let mut objects = db.prepare(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
         WHERE name NOT LIKE 'handover\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'handover\\_%' ESCAPE '\\'
         ORDER BY type, name",
    )?;
    let mut rows = objects.query([])?;
    let (mut declared, mut tables) = (String::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        declared.extend([&kind, "\0", &name, "\0", &sql, "\0"]);
        if kind == "table" && !name.starts_with("sqlite_") {
            tables.push(name);
        }
    }
    let mut spans = vec![Span::Objects(declared)];
    for table in tables {
        spans.extend(spans_of_table(&db, table)?);
    }
    Ok(spans)
}

/// A table without row numbers is one span.
fn spans_of_table(db: &Connection, table: String) -> rusqlite::Result<Vec<Span>> {
    let quoted = Ident::new(&table);
    let numbered: bool = db.query_row(
        "SELECT wr = 0 FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
        [&table],
        |row| row.get(0),
    )?;
    if !numbered {
        return Ok(vec![Span::Rows(table, None)]);
    }
    let ends = format!("SELECT min(rowid) >> {SPAN}, max(rowid) >> {SPAN} FROM {quoted}");
    let (first, last): (Option<i64>, Option<i64>) =
        db.query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let numbers = first.zip(last).map(|(first, last)| first..=last);
    let spans = numbers.into_iter().flatten();
    Ok(spans
        .map(|begin| Span::Rows(table.clone(), Some(begin)))
        .collect())
}

fn digest(path: &Path, span: &Span) -> rusqlite::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    match span {
        Span::Objects(declared) => hash.update(declared),
        Span::Rows(table, begin) => rows_of(&open(path)?, table, *begin, &mut hash)?,
    }
    Ok(hash.finalize().into())
}

fn rows_of(
    db: &Connection,
    table: &str,
    begin: Option<i64>,
    hash: &mut Sha256,
) -> rusqlite::Result<()> {
    let quoted = Ident::new(table);
    let which = begin.map_or(String::new(), |begin| {
        let (first, last) = (begin << SPAN, ((begin + 1) << SPAN) - 1);
        format!(" WHERE rowid BETWEEN {first} AND {last} ORDER BY rowid")
    });
    let mut query = db.prepare(&format!("SELECT * FROM {quoted}{which}"))?;
    let columns = query.column_count();
    let mut rows = query.query([])?;
    let mut bytes = Vec::with_capacity(1024);
    while let Some(row) = rows.next()? {
        bytes.clear();
        for column in 0..columns {
            append(&mut bytes, row.get_ref(column)?);
        }
        hash.update(&bytes);
    }
    Ok(())
}

fn append(bytes: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut tagged = |tag: u8, value: &[u8]| {
        bytes.push(tag);
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        bytes.extend_from_slice(value);
    };
    match value {
        ValueRef::Null => bytes.push(0),
        ValueRef::Integer(number) => tagged(1, &number.to_le_bytes()),
        ValueRef::Real(number) => tagged(2, &number.to_le_bytes()),
        ValueRef::Text(text) => tagged(3, text),
        ValueRef::Blob(blob) => tagged(4, blob),
    }
}
