//! What a database says of its own shape: tables, columns, keys, indexes, foreign keys, triggers.

use std::collections::BTreeMap;

use super::Ident;
use super::kind::Kind;
use super::sql::Fragment;
use crate::plan::digest::Digest;

/// A database's shape, our own `handover_*` tables left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// Tables by name.
    pub tables: BTreeMap<String, Table>,
    /// Whether the table `handover_made_up` is there: only made-up databases have it.
    pub made_up: bool,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Table {
    /// Columns in the table's order.
    pub columns: Vec<Column>,
    /// Columns of the primary key, in the key's order; empty where none is declared.
    pub key: Vec<String>,
    /// Foreign keys: columns, other table, its columns.
    pub references: Vec<(Vec<String>, String, Vec<String>)>,
    /// Unique indexes and other indexes by name: unique?, columns.
    pub indexes: BTreeMap<String, (bool, Vec<String>)>,
    /// The target's own triggers by name, with their definition.
    pub triggers: BTreeMap<String, String>,
    /// It may have others that the server does not show to this account.
    #[serde(skip)]
    pub triggers_hidden: bool,
    /// Declared `WITHOUT ROWID`: its rows have no number of their own.
    pub without_rowid: bool,
    /// Its storage cannot take back what was written (`MyISAM`, `Aria`): no undo, no half of a chunk.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untransactional: bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub declared: String,
    /// What it holds; follows from the declared type.
    #[serde(skip)]
    pub kind: Kind,
    /// NOT NULL.
    pub required: bool,
    /// Its default, as SQL text.
    pub default: Option<String>,
    /// Computed by the database: never written.
    pub generated: bool,
}

impl Catalogue {
    /// Digest over everything in it: a schema that changed shows.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        // Maps with names for keys always have a form.
        Digest::of(&serde_json::to_vec(&self.tables).unwrap_or_default())
    }
}

impl Table {
    /// The column of that name, in whatever case it is written.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// A table by its name, in statements too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableName {
    /// The schema (on `MariaDB` the database) that it lies in, where that is not ours: no row of ours is ever
    /// in such a one.
    pub elsewhere: Option<String>,
    /// Its name there.
    pub table: String,
}

impl TableName {
    /// Its bare name, where it lies beside ours.
    #[must_use]
    pub fn beside_ours(&self) -> Option<&String> {
        self.elsewhere.is_none().then_some(&self.table)
    }

    /// For messages.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.elsewhere {
            Some(place) => format!("{place}.{}", self.table),
            None => self.table.clone(),
        }
    }
}

impl Fragment for TableName {
    fn text(&self) -> String {
        let place = self.elsewhere.iter().map(|place| Ident::new(place));
        let parts: Vec<String> = place
            .chain([Ident::new(&self.table)])
            .map(|part| part.to_string())
            .collect();
        parts.join(".")
    }
}

/// A foreign key, seen from its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    /// The table whose rows hang, wherever on the server it is.
    pub child: TableName,
    /// Its columns.
    pub columns: Vec<String>,
    /// Parent columns; empty: the parent's key.
    pub parent_columns: Vec<String>,
    /// The engine itself would delete or change the child.
    pub reaches: bool,
}

/// An index or a foreign key that may be set aside while rows are loaded: what it is made by tells all
/// of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Accessory {
    /// Its name.
    pub name: String,
    /// For a foreign key, what it asks for; none for an index.
    pub reference: Option<Reference>,
    /// The statement that makes it.
    pub made_by: String,
}

/// What a foreign key asks for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that they refer to.
    pub parent: String,
    /// The columns there.
    pub parent_columns: Vec<String>,
}
