//! Indexes of a `MariaDB` or `MySQL` table that may be set aside while rows are loaded, in the words of
//! `SHOW CREATE TABLE`.
//!
//! Unique ones decide about single rows and stay. Foreign keys stay, too: to add one, the server copies
//! the whole table row by row (<https://mariadb.com/kb/en/innodb-online-ddl-operations-with-the-inplace-alter-algorithm/>),
//! which costs more than it saves; and so do the indexes that a foreign key leans on, this table's or
//! another's, and one that gives out numbers.
//!
//! Not here: setting them aside and building them again (`copy`).

use std::collections::BTreeSet;

use super::Session;
use crate::orgdb::catalogue::Accessory;
use crate::orgdb::information::{self, text};
use crate::orgdb::{DbTrouble, Ident, Sql, Value};
use crate::sql;

/// First columns of indexes that somebody leans on.
const LEANED_ON: &str = "SELECT k.column_name FROM information_schema.key_column_usage AS k
  WHERE k.table_schema = DATABASE() AND k.table_name = ?1 AND k.referenced_table_name IS NOT NULL
  UNION SELECT k.referenced_column_name FROM information_schema.key_column_usage AS k
  WHERE k.referenced_table_schema = DATABASE() AND k.referenced_table_name = ?1
  UNION SELECT c.column_name FROM information_schema.columns AS c
  WHERE c.table_schema = DATABASE() AND c.table_name = ?1 AND c.extra LIKE '%auto_increment%'";

/// Index, its first column.
const INDEXES: &str =
    "SELECT index_name, coalesce(column_name, '') FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name = ?1 AND non_unique = 1 AND seq_in_index = 1
  ORDER BY index_name";

/// In the order of their names.
pub(in crate::orgdb) fn read(session: &Session, table: &str) -> Result<Vec<Accessory>, DbTrouble> {
    let mut leaned_on = BTreeSet::new();
    each(session, &Sql::new(LEANED_ON), &[table], |row| {
        leaned_on.insert(text(row, 0).to_lowercase());
    })?;
    let mut names = Vec::new();
    each(session, &Sql::new(INDEXES), &[table], |row| {
        if !leaned_on.contains(&text(row, 1).to_lowercase()) {
            names.push(text(row, 0));
        }
    })?;
    let mut told = String::new();
    if !names.is_empty() {
        let show = sql!("SHOW CREATE TABLE {}", Ident::new(table));
        each(session, &show, &[], |row| told = text(row, 1))?;
    }
    let accessory = |name: String| {
        let start = sql!("KEY {} ", Ident::new(&name));
        let mut lines = told.lines().map(|line| line.trim().trim_end_matches(','));
        let words = lines.find(|line| line.starts_with(start.as_str()))?;
        let made_by = sql!(
            "ALTER TABLE {} ADD {}",
            Ident::new(table),
            Sql::definition(words.to_owned())
        );
        Some(Accessory {
            name,
            reference: None,
            made_by: made_by.as_str().to_owned(),
        })
    };
    Ok(names.into_iter().filter_map(accessory).collect())
}

fn each(
    session: &Session,
    query: &Sql,
    values: &[&str],
    see: impl FnMut(&[Value]),
) -> Result<(), DbTrouble> {
    information::each(values, |values, see| session.each(query, values, see), see)
}
