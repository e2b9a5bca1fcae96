//! In which order a source table is read, and where in it a row stands, so that a copy goes on from
//! there after a crash.
//!
//! A file's rows have numbers; a server's are read in the order of their key, by the index that the key
//! has. Where a server's table has no key, its rows are read as they lie (`ctid`): an update in between
//! moves a row, and `verify` finds what came of it. `MariaDB` has no such address: there a table without
//! a key is read in the order in which its rows lie, which is that of their coming, and a row's place is
//! its count. Rows that come later stand behind, an update moves none; a row that is deleted between a
//! crash and the resume moves those behind it, and `verify` finds that, too.
//!
//! Not here: reading (`scan`, `survey`), keeping positions (`store`).

use serde::{Deserialize, Serialize};

use super::shape::idents;
use crate::orgdb::catalogue::Table;
use crate::orgdb::{Dialect, Ident, Row, Sql, Value, ValueRef};
use crate::sql;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Position {
    /// By its number.
    Row(i64),
    /// By its key, as text; by nothing before the first.
    Key(Vec<String>),
}

impl Default for Position {
    fn default() -> Position {
        Position::start()
    }
}

impl Position {
    /// Before the first row.
    pub(super) fn start() -> Position {
        Position::Row(i64::MIN)
    }

    /// Whether nothing stands before it.
    pub(super) fn is_start(&self) -> bool {
        match self {
            Position::Row(number) => *number == i64::MIN,
            Position::Key(parts) => parts.is_empty(),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'p> {
    /// Those behind a position.
    Behind(&'p Position),
    /// Those up to it.
    UpTo(&'p Position),
}

/// The order of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// By their number.
    Numbered,
    /// By their count, in the order of the table's own key.
    Counted,
    /// By their key.
    Keyed(Vec<String>),
    /// As they lie.
    Lying,
    /// By their count, as they lie.
    Passing,
}

impl Order {
    /// The order of a table in a database of this kind.
    pub(super) fn of(dialect: Dialect, table: &Table) -> Order {
        match dialect {
            Dialect::Sqlite if table.without_rowid => Order::Counted,
            Dialect::Sqlite => Order::Numbered,
            Dialect::Postgres if table.key.is_empty() => Order::Lying,
            Dialect::Mariadb if table.key.is_empty() => match unique(table) {
                Some(key) => Order::Keyed(key),
                None => Order::Passing,
            },
            Dialect::Postgres | Dialect::Mariadb => Order::Keyed(table.key.clone()),
        }
    }

    /// How many values tell where a row stands.
    pub(super) fn width(&self) -> usize {
        match self {
            Order::Keyed(key) => key.len(),
            _ => 1,
        }
    }

    /// Where a scanned row stands.
    pub(super) fn position(&self, row: Row<'_>) -> Position {
        match (self, row.get(0)) {
            (Order::Numbered | Order::Counted | Order::Passing, ValueRef::Integer(number)) => {
                Position::Row(number)
            }
            _ => Position::Key((0..self.width()).map(|at| shown(row.get(at))).collect()),
        }
    }

    /// The scan: where each row stands, then its columns.
    pub(super) fn scan(
        &self,
        table: &Ident,
        columns: &[Ident],
        wanted: Wanted<'_>,
    ) -> (Sql, Vec<Value>) {
        let (position, upto) = match wanted {
            Wanted::Behind(position) => (position, false),
            Wanted::UpTo(position) => (position, true),
        };
        let columns: Vec<Sql> = columns.iter().map(|column| sql!(", {}", column)).collect();
        let columns = Sql::join("", &columns);
        match self {
            Order::Numbered => (
                sql!(
                    "SELECT rowid{} FROM {} WHERE rowid {} ?1 ORDER BY rowid",
                    columns,
                    table,
                    side(upto)
                ),
                vec![number(position)],
            ),
            Order::Counted => (counted(table, &columns, upto), vec![number(position)]),
            Order::Keyed(key) => keyed(table, key, &columns, position, upto),
            Order::Lying => lying(table, &columns, position, upto),
            Order::Passing => passing(table, &columns, position, upto),
        }
    }
}

fn side(upto: bool) -> Sql {
    Sql::new(if upto { "<=" } else { ">" })
}

fn number(position: &Position) -> Value {
    match position {
        Position::Row(number) => Value::Int(*number),
        Position::Key(_) => Value::Int(i64::MIN),
    }
}

fn counted(table: &Ident, columns: &Sql, upto: bool) -> Sql {
    if upto {
        return sql!(
            "SELECT row_number() OVER (){} FROM {} LIMIT max(?1, 0)",
            columns,
            table
        );
    }
    sql!(
        "SELECT row_number() OVER () + max(?1, 0){} FROM {} LIMIT -1 OFFSET max(?1, 0)",
        columns,
        table
    )
}

/// No index is used, so that the order is always that of the rows themselves; the count is made as they
/// pass, since a window over them would first be written out as a table.
fn passing(table: &Ident, columns: &Sql, position: &Position, upto: bool) -> (Sql, Vec<Value>) {
    let Value::Int(number) = number(position) else {
        return (Sql::new("SELECT 1 LIMIT 0"), Vec::new());
    };
    let number = number.max(0);
    let (first, limit) = if upto {
        (0, Sql::new("LIMIT ?2"))
    } else {
        (number, Sql::new("LIMIT 9223372036854775807 OFFSET ?2"))
    };
    let text = sql!(
        "SELECT STRAIGHT_JOIN CAST(@handover_row := @handover_row + 1 AS signed){}
         FROM (SELECT @handover_row := CAST(?1 AS signed)) AS handover_start, {} USE INDEX () {}",
        columns,
        table,
        limit
    );
    (text, vec![Value::Int(first), Value::Int(number)])
}

/// The columns of a unique index in which nothing is NULL: as good as a key.
fn unique(table: &Table) -> Option<Vec<String>> {
    let sound = |(unique, columns): &&(bool, Vec<String>)| {
        let required = |name: &String| table.column(name).is_some_and(|column| column.required);
        *unique && columns.iter().all(required)
    };
    let mut found = table.indexes.values();
    found.find(sound).map(|(_, columns)| columns.clone())
}

fn keyed(
    table: &Ident,
    key: &[String],
    columns: &Sql,
    position: &Position,
    upto: bool,
) -> (Sql, Vec<Value>) {
    let parts = match position {
        Position::Key(parts) if parts.len() == key.len() => parts.as_slice(),
        _ => &[],
    };
    let key = idents(key);
    let places: Vec<Sql> = (1..=parts.len()).map(|at| sql!("?{}", at)).collect();
    let text = if parts.is_empty() {
        sql!("SELECT {}{} FROM {} ORDER BY {}", key, columns, table, key)
    } else {
        sql!(
            "SELECT {}{} FROM {} WHERE ({}) {} ({}) ORDER BY {}",
            key,
            columns,
            table,
            key,
            side(upto),
            Sql::join(", ", &places),
            key
        )
    };
    (
        text,
        parts.iter().map(|part| part.as_str().into()).collect(),
    )
}

fn lying(table: &Ident, columns: &Sql, position: &Position, upto: bool) -> (Sql, Vec<Value>) {
    let Position::Key(parts) = position else {
        let text = sql!("SELECT CAST(ctid AS text){} FROM {}", columns, table);
        return (text, Vec::new());
    };
    let text = sql!(
        "SELECT CAST(ctid AS text){} FROM {} WHERE ctid {} CAST(CAST(?1 AS text) AS tid) ORDER BY ctid",
        columns,
        table,
        side(upto)
    );
    (
        text,
        parts
            .iter()
            .take(1)
            .map(|part| part.as_str().into())
            .collect(),
    )
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}
