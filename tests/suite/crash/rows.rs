//! What the organisations hold: every row of every table of their own, every index and trigger, every
//! letter. Plain SQL; no code of the copier.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Rows by `database.table`, letters by path: each sorted, with repeats.
pub(super) type Held = BTreeMap<String, Vec<String>>;

/// Everything that stands in the databases and outboxes of a demo's folder.
pub(super) fn held(folder: &Path) -> Held {
    let mut held = Held::new();
    for entry in std::fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "db") {
            database(&path, &mut held);
        }
    }
    letters_of(folder, &mut held);
    held
}

/// Adds every letter that lies in a demo's folder.
pub(super) fn letters_of(folder: &Path, held: &mut Held) {
    let runs = std::fs::read_dir(folder.join(".handover")).unwrap();
    for run in runs.map(|run| run.unwrap().path()) {
        let outbox = run.join("outbox");
        if outbox.is_dir() {
            letters(&outbox, &outbox, held);
        }
    }
}

/// Adds what stands in a file.
pub(super) fn database(path: &Path, held: &mut Held) {
    let org = path.file_stem().unwrap().to_string_lossy().into_owned();
    let db = Connection::open(path).unwrap();
    let mut named = db
        .prepare(
            "SELECT type, name, sql FROM sqlite_master
             WHERE name NOT LIKE 'handover\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'handover\\_%' ESCAPE '\\'
             ORDER BY 1, 2",
        )
        .unwrap();
    let objects: Vec<(String, String, Option<String>)> = named
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    for (kind, name, sql) in &objects {
        let shape = held.entry(format!("{org}: shape")).or_default();
        shape.push(format!("{kind} {name} {}", sql.as_deref().unwrap_or("")));
        if kind == "table" && !name.starts_with("sqlite_") {
            held.insert(format!("{org}.{name}"), table(&db, name));
        }
    }
}

fn table(db: &Connection, name: &str) -> Vec<String> {
    let mut all = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
    let width = all.column_count();
    let mut found = all.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let mut text = String::new();
        for column in 0..width {
            let value = row.get_ref(column).unwrap();
            text.push('|');
            text.push_str(&cell(value));
        }
        rows.push(text);
    }
    rows.sort_unstable();
    rows
}

/// A value with its storage class: the text `1` is not the number 1.
fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => format!("{number}"),
        ValueRef::Real(number) => format!("{number:?}f"),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => format!("{bytes:?}"),
    }
}

fn letters(outbox: &Path, folder: &Path, held: &mut Held) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            letters(outbox, &path, held);
        } else {
            let name = path.strip_prefix(outbox).unwrap().display();
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            held.insert(format!("outbox: {name}"), vec![text]);
        }
    }
}

/// The first few differences, in words; none if both hold the same.
pub(super) fn differences(wanted: &Held, found: &Held) -> Vec<String> {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let none = Vec::new();
    let mut said = Vec::new();
    for name in names {
        let (wanted, found) = (wanted.get(name), found.get(name));
        let (before, after) = (wanted.unwrap_or(&none), found.unwrap_or(&none));
        if before == after && wanted.is_some() == found.is_some() {
            continue;
        }
        let (kept, there) = (BTreeSet::from_iter(before), BTreeSet::from_iter(after));
        let lost: Vec<_> = kept.difference(&there).collect();
        let new: Vec<_> = there.difference(&kept).collect();
        said.push(format!(
            "{name}: {} rows wanted, {} found; {} lost {:?}, {} new {:?}",
            before.len(),
            after.len(),
            lost.len(),
            lost.first(),
            new.len(),
            new.first(),
        ));
    }
    said
}
