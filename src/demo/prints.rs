//! Fingerprints of whole databases: every user table's rows, indexes and triggers, our own
//! `handover_*` tables left out. They show that a rollback leaves nothing behind.
//!
//! Shares no code with the copier: plain SQL and a hash.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use crate::plan::digest::Digest;

/// A database's fingerprint by organisation.
pub type Prints = BTreeMap<String, Digest>;

/// Takes the fingerprint of every database, side by side.
///
/// # Errors
/// When a database cannot be read.
pub fn take(databases: &BTreeMap<String, std::path::PathBuf>) -> rusqlite::Result<Prints> {
    std::thread::scope(|scope| {
        let works: Vec<_> = databases
            .iter()
            .map(|(org, path)| (org, scope.spawn(move || fingerprint(path))))
            .collect();
        let joined = works.into_iter().map(|(org, work)| {
            let print = work.join().unwrap_or(Err(rusqlite::Error::InvalidQuery))?;
            Ok((org.clone(), print))
        });
        joined.collect()
    })
}

fn fingerprint(path: &Path) -> rusqlite::Result<Digest> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut hash = Sha256::new();
    let mut objects = db.prepare(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
         WHERE name NOT LIKE 'handover\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'handover\\_%' ESCAPE '\\'
         ORDER BY type, name",
    )?;
    let mut rows = objects.query([])?;
    let mut tables: Vec<String> = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        hash.update(format!("{kind}\0{name}\0{sql}\0"));
        if kind == "table" && !name.starts_with("sqlite_") {
            tables.push(name);
        }
    }
    for table in tables {
        rows_of(&db, &table, &mut hash)?;
    }
    Ok(Digest(hash.finalize().into()))
}

fn rows_of(db: &Connection, table: &str, hash: &mut Sha256) -> rusqlite::Result<()> {
    let quoted = crate::orgdb::Ident::new(table);
    let mut query = db.prepare(&format!("SELECT * FROM {quoted}"))?;
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
