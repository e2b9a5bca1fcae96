//! A target table as we write it: its key, its stored columns, the statements that find a row again
//! by its exact key.
//!
//! Not here: reading a whole catalogue (`orgdb::catalogue`).

use crate::copy::value::canon::{self, Values};
use crate::orgdb::catalogue::Table;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, ValueRef};
use crate::sql;

/// Names of a table's key and stored columns, as the ledger keeps them beside packed rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Shape {
    /// The table.
    pub(crate) table: String,
    /// Columns of its primary key; empty: rows are known by `rowid`.
    pub(crate) key: Vec<String>,
    /// Every stored, non-generated column in the table's order.
    pub(crate) all: Vec<String>,
    /// A server's table without a key: its rows are known by all their values, and rows that are alike
    /// stand in for each other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) whole: bool,
    /// Which tongue the table's database speaks.
    #[serde(skip, default = "Dialect::file")]
    pub(crate) dialect: Dialect,
}

impl Shape {
    /// Reads it.
    pub(crate) fn read(link: &Link, table: &str) -> Result<(Shape, Table), DbTrouble> {
        let found = link
            .table(table)?
            .ok_or_else(|| DbTrouble::NoSuch(table.to_owned()))?;
        let stored = found.columns.iter().filter(|column| !column.generated);
        let all: Vec<String> = stored.map(|column| column.name.clone()).collect();
        let whole = found.key.is_empty() && link.dialect() != Dialect::Sqlite;
        let shape = Shape {
            table: table.to_owned(),
            key: if whole {
                all.clone()
            } else {
                found.key.clone()
            },
            all,
            whole,
            dialect: link.dialect(),
        };
        Ok((shape, found))
    }

    pub(crate) fn ident(&self) -> Ident {
        Ident::new(&self.table)
    }

    /// How many values make a key.
    pub(crate) fn key_width(&self) -> usize {
        self.key.len().max(1)
    }

    /// The key's columns as SQL, a file's `rowid` where there is no declared key.
    pub(crate) fn key_columns(&self) -> Vec<Sql> {
        if self.key.is_empty() {
            return vec![Sql::new("rowid")];
        }
        self.key
            .iter()
            .map(|name| sql!("{}", Ident::new(name)))
            .collect()
    }

    /// `key IS ?n AND …`, numbered from `first`.
    pub(crate) fn by_key(&self, first: usize) -> Sql {
        let same = match self.dialect {
            Dialect::Sqlite => Sql::new("IS"),
            Dialect::Postgres | Dialect::Mariadb if self.whole => self.dialect.same(),
            Dialect::Postgres | Dialect::Mariadb => Sql::new("="),
        };
        let terms: Vec<Sql> = self
            .key_columns()
            .iter()
            .enumerate()
            .map(|(at, column)| sql!("{} {} ?{}", column, same, first + at))
            .collect();
        let found = Sql::join(" AND ", &terms);
        match self.dialect {
            // Of rows that are alike, one.
            Dialect::Postgres if self.whole => sql!(
                "ctid = (SELECT ctid FROM {} WHERE {} LIMIT 1)",
                self.ident(),
                found
            ),
            Dialect::Mariadb if self.whole => sql!("{} LIMIT 1", found),
            _ => found,
        }
    }

    /// Every stored column, `AS` nothing, by exact key.
    pub(crate) fn select(&self) -> Sql {
        sql!(
            "SELECT {} FROM {} WHERE {}",
            idents(&self.all),
            self.ident(),
            self.by_key(1)
        )
    }

    /// The key's values of a row in canonical form.
    pub(crate) fn key_of(&self, row: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        for name in &self.key {
            let at = self.all.iter().position(|column| column == name);
            if let Some(value) = at.and_then(|at| Values(row).nth(at)) {
                canon::push(&mut key, value);
            }
        }
        key
    }

    /// Every stored column of the rows with these numbers, in their order.
    pub(crate) fn select_span(&self) -> Sql {
        sql!(
            "SELECT {} FROM {} WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid",
            idents(&self.all),
            self.ident()
        )
    }

    /// Deletes the rows with these numbers.
    pub(crate) fn delete_span(&self) -> Sql {
        sql!("DELETE FROM {} WHERE rowid BETWEEN ?1 AND ?2", self.ident())
    }

    /// Deletes one row by exact key.
    pub(crate) fn delete(&self) -> Sql {
        sql!("DELETE FROM {} WHERE {}", self.ident(), self.by_key(1))
    }

    /// Sets columns by exact key: values first, then the key.
    pub(crate) fn update(&self, set: &[String]) -> Sql {
        let terms: Vec<Sql> = set
            .iter()
            .enumerate()
            .map(|(at, column)| sql!("{} = ?{}", Ident::new(column), at + 1))
            .collect();
        let (terms, key) = (Sql::join(", ", &terms), self.by_key(set.len() + 1));
        sql!("UPDATE {} SET {} WHERE {}", self.ident(), terms, key)
    }
}

/// The one row that a query by key finds, in canonical form appended to `into`; false where there is
/// none.
pub(crate) fn find(
    link: &Link,
    query: &Sql,
    key: &[u8],
    into: &mut Vec<u8>,
) -> Result<bool, DbTrouble> {
    let values: Vec<ValueRef<'_>> = Values(key).collect();
    let mut found = false;
    link.each(query, &values, |row| {
        row.push_all(into);
        found = true;
        Ok::<Flow, DbTrouble>(Flow::Break(()))
    })?;
    Ok(found)
}

/// Names as identifiers.
pub(crate) fn idents(names: &[String]) -> Vec<Ident> {
    names.iter().map(|name| Ident::new(name)).collect()
}

/// Binds borrowed values from place `first` on.
pub(crate) fn bind<'a>(
    statement: &mut rusqlite::Statement<'_>,
    first: usize,
    values: impl IntoIterator<Item = ValueRef<'a>>,
) -> Result<usize, DbTrouble> {
    let mut at = first;
    for value in values {
        statement.raw_bind_parameter(at, rusqlite::types::ToSqlOutput::Borrowed(value))?;
        at += 1;
    }
    Ok(at)
}

/// The one row that a statement with bound values finds, in canonical form appended to `into`;
/// false where there is none.
pub(crate) fn fetch(
    statement: &mut rusqlite::Statement<'_>,
    into: &mut Vec<u8>,
) -> Result<bool, DbTrouble> {
    let width = statement.column_count();
    let mut rows = statement.raw_query();
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    for at in 0..width {
        canon::push(into, row.get_ref(at)?);
    }
    Ok(true)
}
