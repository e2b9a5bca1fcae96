//! Many rows of a server's table by their exact keys, in one go. `PostgreSQL` is given lists of keys;
//! `MariaDB` is asked for each key of a hundred in one condition, which its index serves as ranges.
//!
//! In: a shape, packed keys. Out: rows, in no order; how many were deleted.
//!
//! Not here: files, whose rows are asked for one by one (`standing`, `undo`).

use super::shape::{Shape, idents};
use crate::copy::value::canon::Values;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Row, Sql, Value, ValueRef};
use crate::sql;

/// Keys that go to a server at a time.
pub(crate) const MOST: usize = 5_000;

/// What is asked of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Rows,
    /// Rows that nobody else changes, takes out or refers to until the transaction ends.
    RowsHeld,
    /// To hold them so, no more.
    Hold,
}

/// Shows every stored column of the rows with these keys.
pub(crate) fn each<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
    see: impl FnMut(Row<'_>),
) -> Result<(), DbTrouble> {
    ask(link, shape, keys, (Ask::Rows, see))
}

/// The same of rows that nobody else changes, takes out or refers to from now on until the transaction ends:
/// whoever is just doing so is waited for, and what they did is shown.
pub(crate) fn each_held<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
    see: impl FnMut(Row<'_>),
) -> Result<(), DbTrouble> {
    ask(link, shape, keys, (Ask::RowsHeld, see))
}

/// Holds the rows with these keys so, and shows none of them.
pub(crate) fn hold<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<(), DbTrouble> {
    ask(link, shape, keys, (Ask::Hold, |_: Row<'_>| {}))
}

fn ask<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
    (what, mut see): (Ask, impl FnMut(Row<'_>)),
) -> Result<(), DbTrouble> {
    if shape.dialect == Dialect::Mariadb {
        return ask_of_few(link, shape, keys, (what, see));
    }
    let (lists, kinds) = (columns_of(shape, keys), kinds(link, shape)?);
    let columns: Vec<Sql> = idents(&shape.all)
        .iter()
        .map(|column| sql!("t.{}", column))
        .collect();
    let columns = match what {
        Ask::Hold => Sql::new("1"),
        Ask::Rows | Ask::RowsHeld => Sql::join(", ", &columns),
    };
    let text = match shape.dialect {
        Dialect::Sqlite | Dialect::Mariadb => return Ok(()),
        Dialect::Postgres => sql!(
            "SELECT {} FROM {} AS t JOIN {} ON {}{}",
            columns,
            shape.ident(),
            asked(&kinds),
            matched(shape),
            Sql::new(match what {
                Ask::Rows => "",
                Ask::RowsHeld | Ask::Hold => " FOR UPDATE OF t",
            })
        ),
    };
    let values: Vec<Value> = lists.into_iter().map(Value::Text).collect();
    let lent: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    link.each(&text, &lent, |row| {
        see(row);
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

/// Deletes the rows with these keys; how many there were.
pub(crate) fn delete<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<u64, DbTrouble> {
    if shape.dialect == Dialect::Mariadb {
        return delete_few(link, shape, keys);
    }
    let (lists, kinds) = (columns_of(shape, keys), kinds(link, shape)?);
    let text = match shape.dialect {
        Dialect::Sqlite | Dialect::Mariadb => return Ok(0),
        Dialect::Postgres => sql!(
            "DELETE FROM {} AS t USING {} WHERE {}",
            shape.ident(),
            asked(&kinds),
            matched(shape)
        ),
    };
    let values: Vec<Value> = lists.into_iter().map(Value::Text).collect();
    link.execute(&text, &values)
}

/// Sets columns of the rows with these keys to what stands in whole rows.
pub(crate) fn change(
    link: &Link,
    shape: &Shape,
    columns: &[String],
    rows: &[(&[u8], &[u8])],
) -> Result<(), DbTrouble> {
    let places: Vec<usize> = columns
        .iter()
        .filter_map(|name| shape.all.iter().position(|one| one == name))
        .collect();
    if shape.dialect == Dialect::Postgres {
        return change_lists(link, shape, &places, rows);
    }
    let text = shape.update(columns);
    for (key, row) in rows {
        let row: Vec<ValueRef<'_>> = Values(row).collect();
        let set = places.iter().filter_map(|at| row.get(*at).copied());
        let values: Vec<ValueRef<'_>> = set.chain(Values(key)).collect();
        link.execute_lent(&text, &values)?;
    }
    Ok(())
}

fn change_lists(
    link: &Link,
    shape: &Shape,
    places: &[usize],
    rows: &[(&[u8], &[u8])],
) -> Result<(), DbTrouble> {
    let names = shape.key.iter().cloned();
    let set = || places.iter().map(|at| shape.all[*at].clone());
    let all: Vec<String> = names.chain(set()).collect();
    let kinds = kinds_of(link, shape, &all)?;
    let mut lists = lists(all.len());
    for (at, (key, row)) in rows.iter().enumerate() {
        let row: Vec<ValueRef<'_>> = Values(row).collect();
        let set = places.iter().filter_map(|at| row.get(*at).copied());
        push_row(&mut lists, at, Values(key).chain(set));
    }
    let key = shape.key.len();
    let terms: Vec<Sql> = set()
        .enumerate()
        .map(|(at, name)| sql!("{} = asked.k{}", Ident::new(&name), key + at))
        .collect();
    let text = sql!(
        "UPDATE {} AS t SET {} FROM {} WHERE {}",
        shape.ident(),
        Sql::join(", ", &terms),
        asked(&kinds),
        matched(shape)
    );
    let values: Vec<Value> = closed(lists).into_iter().map(Value::Text).collect();
    link.execute(&text, &values)?;
    Ok(())
}

/// Where keys of one column begin and end, as the values that stand there; none for other keys. Rows
/// that were loaded together mostly lie together.
pub(crate) fn ends<'k>(
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Option<[ValueRef<'k>; 2]> {
    if shape.key.len() != 1 || shape.whole {
        return None;
    }
    let mut values = keys.filter_map(|key| Values(key).next());
    let first = values.next()?;
    Some(values.fold([first, first], |[least, most], value| {
        [
            if before(value, least) { value } else { least },
            if before(most, value) { value } else { most },
        ]
    }))
}

/// By bytes, where the server may have another order: what it then leaves out is asked for by key.
fn before(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match (left, right) {
        (ValueRef::Integer(left), ValueRef::Integer(right)) => left < right,
        (ValueRef::Text(left), ValueRef::Text(right)) => left < right,
        _ => false,
    }
}

/// Shows every stored column of at most so many rows between two keys.
pub(crate) fn between(
    link: &Link,
    shape: &Shape,
    ends: [ValueRef<'_>; 2],
    most: usize,
    mut see: impl FnMut(Row<'_>),
) -> Result<(), DbTrouble> {
    let key = Ident::new(&shape.key[0]);
    let text = sql!(
        "SELECT {} FROM {} WHERE {} >= ?1 AND {} <= ?2 ORDER BY {} LIMIT {}",
        idents(&shape.all),
        shape.ident(),
        key,
        key,
        key,
        most
    );
    link.stream(&text, &ends, |row| {
        see(row);
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

/// Deletes whatever lies between two keys; how many rows there were.
pub(crate) fn delete_span(
    link: &Link,
    shape: &Shape,
    ends: [ValueRef<'_>; 2],
) -> Result<u64, DbTrouble> {
    let key = Ident::new(&shape.key[0]);
    let delete = sql!(
        "DELETE FROM {} WHERE {} >= ?1 AND {} <= ?2",
        shape.ident(),
        key,
        key
    );
    link.execute_lent(&delete, &ends)
}

/// Deletes what lies between two keys and shows each deleted row, where the server can; whether it
/// can. More rows than `most` are not touched.
pub(crate) fn delete_between(
    link: &Link,
    shape: &Shape,
    ends: [ValueRef<'_>; 2],
    most: usize,
    mut see: impl FnMut(Row<'_>),
) -> Result<bool, DbTrouble> {
    if !link.shows_deleted() {
        return Ok(false);
    }
    let key = Ident::new(&shape.key[0]);
    let here = sql!("{} WHERE {} >= ?1 AND {} <= ?2", shape.ident(), key, key);
    let mut count = 0;
    let counted = sql!(
        "SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS some_rows",
        here,
        most + 1
    );
    link.each(&counted, &ends, |row| {
        count = match row.get(0) {
            ValueRef::Integer(count) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    if count > most {
        return Ok(false);
    }
    let delete = sql!("DELETE FROM {} RETURNING {}", here, idents(&shape.all));
    link.each(&delete, &ends, |row| {
        see(row);
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    Ok(true)
}

/// Keys that one condition names: the server holds each row that it finds against all of them, so twice
/// as many cost twice as much a row.
pub(crate) const FEW: usize = 100;

fn ask_of_few<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
    (what, mut see): (Ask, impl FnMut(Row<'_>)),
) -> Result<(), DbTrouble> {
    let keys: Vec<&[u8]> = keys.collect();
    let columns = match what {
        Ask::Hold => Sql::new("1"),
        Ask::Rows | Ask::RowsHeld => sql!("{}", idents(&shape.all)),
    };
    for few in keys.chunks(FEW) {
        let text = sql!(
            "SELECT {} FROM {} WHERE {}{}",
            columns,
            shape.ident(),
            any_of(shape, few.len()),
            Sql::new(match what {
                Ask::Rows => "",
                Ask::RowsHeld | Ask::Hold => " FOR UPDATE",
            })
        );
        let values: Vec<ValueRef<'_>> = few.iter().flat_map(|key| Values(key)).collect();
        link.each(&text, &values, |row| {
            see(row);
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
    }
    Ok(())
}

fn delete_few<'k>(
    link: &Link,
    shape: &Shape,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<u64, DbTrouble> {
    let keys: Vec<&[u8]> = keys.collect();
    let mut deleted = 0;
    for few in keys.chunks(FEW) {
        let text = sql!(
            "DELETE FROM {} WHERE {}",
            shape.ident(),
            any_of(shape, few.len())
        );
        let values: Vec<ValueRef<'_>> = few.iter().flat_map(|key| Values(key)).collect();
        deleted += link.execute_lent(&text, &values)?;
    }
    Ok(deleted)
}

/// `("a" = ?1 AND "b" = ?2) OR …`: so the link holds text against text letter by letter.
fn any_of(shape: &Shape, keys: usize) -> Sql {
    let width = shape.key.len();
    let same = if shape.whole {
        shape.dialect.same()
    } else {
        Sql::new("=")
    };
    let one = |key: usize| {
        let columns = shape.key.iter().enumerate();
        let terms: Vec<Sql> = columns
            .map(|(at, name)| sql!("{} {} ?{}", Ident::new(name), same, key * width + at + 1))
            .collect();
        sql!("({})", Sql::join(" AND ", &terms))
    };
    let all: Vec<Sql> = (0..keys).map(one).collect();
    Sql::join(" OR ", &all)
}

/// `unnest` of one list for each column: text that the server reads as the column's own type.
fn asked(kinds: &[Sql]) -> Sql {
    let lists = kinds.iter().enumerate();
    let lists: Vec<Sql> = lists
        .map(|(at, kind)| sql!("CAST(CAST(?{} AS text) AS {}[])", at + 1, kind))
        .collect();
    let names: Vec<Sql> = (0..kinds.len()).map(|at| sql!("k{}", at)).collect();
    sql!(
        "unnest({}) AS asked ({})",
        Sql::join(", ", &lists),
        Sql::join(", ", &names)
    )
}

fn matched(shape: &Shape) -> Sql {
    let same = if shape.whole {
        shape.dialect.same()
    } else {
        Sql::new("=")
    };
    let terms: Vec<Sql> = shape
        .key
        .iter()
        .enumerate()
        .map(|(at, name)| sql!("t.{} {} asked.k{}", Ident::new(name), same, at))
        .collect();
    Sql::join(" AND ", &terms)
}

/// The key columns' types, as the catalogue writes them.
fn kinds(link: &Link, shape: &Shape) -> Result<Vec<Sql>, DbTrouble> {
    kinds_of(link, shape, &shape.key)
}

/// Columns' types, as the catalogue writes them.
fn kinds_of(link: &Link, shape: &Shape, names: &[String]) -> Result<Vec<Sql>, DbTrouble> {
    let table = link
        .table(&shape.table)?
        .ok_or_else(|| DbTrouble::NoSuch(shape.table.clone()))?;
    names
        .iter()
        .map(|name| {
            let column = table.column(name);
            let column =
                column.ok_or_else(|| DbTrouble::NoSuch(format!("{}.{name}", shape.table)))?;
            // Longer values than the type takes would be cut without a word: none was stored.
            Ok(Sql::definition(column.declared.clone()))
        })
        .collect()
}

/// One list of values for each key column, as the server writes arrays:
/// <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>.
fn columns_of<'k>(shape: &Shape, keys: impl Iterator<Item = &'k [u8]>) -> Vec<String> {
    let mut lists = lists(shape.key.len());
    for (at, key) in keys.enumerate() {
        push_row(&mut lists, at, Values(key));
    }
    closed(lists)
}

fn lists(count: usize) -> Vec<String> {
    vec![String::from("{"); count]
}

fn push_row<'v>(lists: &mut [String], at: usize, values: impl Iterator<Item = ValueRef<'v>>) {
    for (list, value) in lists.iter_mut().zip(values) {
        if at > 0 {
            list.push(',');
        }
        push(list, value);
    }
}

fn closed(mut lists: Vec<String>) -> Vec<String> {
    for list in &mut lists {
        list.push('}');
    }
    lists
}

fn push(list: &mut String, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => list.push_str("NULL"),
        ValueRef::Integer(number) => list.push_str(&number.to_string()),
        ValueRef::Real(number) => list.push_str(&number.to_string()),
        ValueRef::Text(bytes) => {
            list.push('"');
            for letter in String::from_utf8_lossy(bytes).chars() {
                if matches!(letter, '"' | '\\') {
                    list.push('\\');
                }
                list.push(letter);
            }
            list.push('"');
        }
        ValueRef::Blob(bytes) => {
            use std::fmt::Write as _;
            list.push_str("\"\\\\x");
            for byte in bytes {
                let _ = write!(list, "{byte:02x}");
            }
            list.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_key_holds_stays_one_element() {
        let mut list = String::new();
        for value in [
            ValueRef::Text(b"a,b}\"\\{"),
            ValueRef::Text(b""),
            ValueRef::Null,
            ValueRef::Integer(-7),
            ValueRef::Blob(b"\x00\xff"),
        ] {
            push(&mut list, value);
            list.push(';');
        }
        let wanted = concat!(r#""a,b}\"\\{";"#, r#""";NULL;-7;"#, r#""\\x00ff";"#);
        assert_eq!(list, wanted);
    }
}
