//! The pen of step kinds that write a handful of rows (staff, contracts, freezes): every row it
//! writes stands in the ledger, in the same transaction, with what undo needs.
//!
//! Not here: bulk rows (`load`), undo itself (`undo`).

use super::effect::{self, Head, Part};
use super::packed::pack;
use super::{Deed, Effect};
use crate::copy::tables::shape::{Shape, find};
use crate::copy::value::canon::{self, Values};
use crate::copy::value::tally::{RowMac, Tally};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbFault, DbTrouble, Dialect, Ident, Link, OrgWriter, Sql, Tx, Value, ValueRef};
use crate::sql;

/// Writes rows with their ledger row: begun with the fence locked and compared, ended by `commit`.
/// Dropped before that, nothing of it stays.
pub struct Pen {
    tx: Tx,
    deed: Deed,
    id: i64,
    ordinal: u64,
    kind: String,
    tally: Tally,
    parts: Vec<Part>,
    /// Changes of a schema that commit by themselves: they are made when the ledger speaks of them.
    later: Vec<Sql>,
}

impl Pen {
    /// Begins effect `ordinal`; `None` when it stands in the ledger already (done before a crash).
    ///
    /// # Errors
    /// `Fenced`, or when the database refuses.
    pub async fn begin(
        writer: &OrgWriter,
        deed: &Deed,
        ordinal: u64,
        kind: &str,
    ) -> Result<Option<Pen>, DbFault> {
        let mut tx = writer.begin().await?;
        let (ours, what) = (deed.clone(), kind.to_owned());
        let id = tx
            .with(move |link| {
                effect::compare_fence(link, &ours)?;
                effect::open(link, &ours, ordinal, &what)
            })
            .await?;
        Ok(id.map(|id| Pen {
            tx,
            deed: deed.clone(),
            id,
            ordinal,
            kind: kind.to_owned(),
            tally: Tally::default(),
            parts: Vec::new(),
            later: Vec::new(),
        }))
    }

    /// Inserts rows of a keyed table; undo deletes exactly these keys.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert(
        &mut self,
        table: &Ident,
        columns: &[Ident],
        rows: Vec<Vec<Value>>,
    ) -> Result<(), DbFault> {
        let (table, columns) = (table.name().to_owned(), columns.to_vec());
        let mac = RowMac::new(&self.deed.key, &table);
        let written = self
            .tx
            .with(move |link| insert(link, &table, &columns, &rows, &mac))
            .await?;
        self.keep(written);
        Ok(())
    }

    /// Changes columns of the row (or rows) where `key` columns have these values, before-images
    /// kept; undo puts them back. How many rows were changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn update(
        &mut self,
        table: &Ident,
        key: &[(Ident, Value)],
        set: &[(Ident, Value)],
    ) -> Result<u64, DbFault> {
        let (table, key, set) = (table.name().to_owned(), key.to_vec(), set.to_vec());
        let mac = RowMac::new(&self.deed.key, &table);
        let written = self
            .tx
            .with(move |link| update(link, &table, &key, &set, &mac))
            .await?;
        let rows = written.1.len() as u64;
        self.keep(written);
        Ok(rows)
    }

    /// A change of the schema with the statement that takes it back (freeze triggers). Where such a
    /// statement commits by itself, it is made after the commit, and both must be fit to be repeated.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn change(&mut self, redo: Sql, undo: Sql) -> Result<(), DbFault> {
        let digest = RowMac::new(&self.deed.key, "change").of(undo.as_str().as_bytes());
        let later = self.tx.with(move |link| match link.dialect() {
            Dialect::Sqlite | Dialect::Postgres => link.script(&redo).map(|()| None),
            Dialect::Mariadb => Ok(Some(redo)),
        });
        self.later.extend(later.await?);
        let part = Part {
            head: Head::Change,
            body: undo.as_str().as_bytes().to_vec(),
        };
        self.keep((part, vec![digest]));
        Ok(())
    }

    /// Reads inside the transaction.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rows(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Vec<Value>>, DbFault> {
        self.tx.rows(sql, values).await
    }

    /// Makes rows and ledger row durable together.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn commit(self) -> Result<Effect, DbFault> {
        let Pen {
            mut tx,
            id,
            ordinal,
            kind,
            tally,
            parts,
            later,
            ..
        } = self;
        let effect = Effect {
            ordinal,
            kind,
            rows: tally.rows,
            root: tally.root(),
        };
        tx.with(move |link| {
            effect::close(link, id, &tally, parts)?;
            if later.is_empty() {
                return Ok(());
            }
            link.commit()?;
            later.iter().try_for_each(|change| link.script(change))
        })
        .await?;
        tx.commit().await?;
        Ok(effect)
    }

    fn keep(&mut self, (part, digests): Written) {
        for digest in &digests {
            self.tally.add(digest);
        }
        self.parts.push(part);
    }
}

/// What undo needs, and the digest of each row.
type Written = (Part, Vec<[u8; 32]>);

fn insert(
    link: &Link,
    table: &str,
    columns: &[Ident],
    rows: &[Vec<Value>],
    mac: &RowMac,
) -> Result<Written, DbTrouble> {
    let (shape, _) = Shape::read(link, table)?;
    let text = sql!(
        "INSERT INTO {} ({}) VALUES ({}) RETURNING {}",
        shape.ident(),
        columns,
        Sql::places(1, columns.len()),
        Sql::join(", ", &shape.key_columns())
    );
    let again = shape.select();
    let (mut body, mut digests) = (Vec::new(), Vec::new());
    for row in rows {
        let mut key = Vec::new();
        let values: Vec<ValueRef<'_>> = row.iter().map(Value::lend).collect();
        link.each(&text, &values, |row| {
            row.push_all(&mut key);
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        if let Some(digest) = stored_digest(link, &again, &key, mac)? {
            pack(&mut body, &[&key], &digest);
            digests.push(digest);
        }
    }
    let head = Head::Insert {
        shape,
        label: table.to_owned(),
        quiet: false,
        span: None,
    };
    Ok((Part { head, body }, digests))
}

fn update(
    link: &Link,
    table: &str,
    key: &[(Ident, Value)],
    set: &[(Ident, Value)],
    mac: &RowMac,
) -> Result<Written, DbTrouble> {
    let (shape, _) = Shape::read(link, table)?;
    let (mut body, mut digests) = (Vec::new(), Vec::new());
    change_rows(link, &shape, key, set, mac, &mut |packed, digest| {
        body.extend_from_slice(packed);
        digests.push(digest);
    })?;
    let head = Head::Update {
        shape,
        label: table.to_owned(),
        set: set.iter().map(|(name, _)| name.name().to_owned()).collect(),
    };
    Ok((Part { head, body }, digests))
}

/// Changes the rows whose columns have these values; each comes back packed, with its digest.
pub(crate) fn change_rows(
    link: &Link,
    shape: &Shape,
    key: &[(Ident, Value)],
    set: &[(Ident, Value)],
    mac: &RowMac,
    keep: &mut dyn FnMut(&[u8], [u8; 32]),
) -> Result<(), DbTrouble> {
    let names: Vec<String> = set.iter().map(|(name, _)| name.name().to_owned()).collect();
    let (change, again) = (shape.update(&names), shape.select());
    for key in matching(link, shape, key)? {
        let mut before = Vec::new();
        find(link, &again, &key, &mut before)?;
        let values = set.iter().map(|(_, value)| value.lend());
        let values: Vec<ValueRef<'_>> = values.chain(Values(&key)).collect();
        link.execute_lent(&change, &values)?;
        let moved = moved_key(shape, &key, set);
        let mut after = Vec::new();
        if !find(link, &again, moved.as_ref().unwrap_or(&key), &mut after)? {
            continue;
        }
        // A column of fixed width gives back more than it was set to.
        let key = moved.map_or(key, |_| shape.key_of(&after));
        let (mut packed, digest) = (Vec::new(), mac.of(&after));
        pack(&mut packed, &[&key, &before], &digest);
        keep(&packed, digest);
    }
    Ok(())
}

/// Keys of the rows whose columns have these values.
fn matching(
    link: &Link,
    shape: &Shape,
    wanted: &[(Ident, Value)],
) -> Result<Vec<Vec<u8>>, DbTrouble> {
    let (mut terms, mut values) = (Vec::new(), Vec::new());
    for (name, value) in wanted {
        if *value == Value::Null {
            terms.push(sql!("{} IS NULL", name));
        } else {
            values.push(value.lend());
            terms.push(sql!("{} = ?{}", name, values.len()));
        }
    }
    let text = sql!(
        "SELECT {} FROM {} WHERE {}",
        Sql::join(", ", &shape.key_columns()),
        shape.ident(),
        Sql::join(" AND ", &terms)
    );
    let mut keys = Vec::new();
    link.each(&text, &values, |row| {
        let mut key = Vec::new();
        row.push_all(&mut key);
        keys.push(key);
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    Ok(keys)
}

/// The key after an update that has set a part of it, as it was set.
fn moved_key(shape: &Shape, key: &[u8], set: &[(Ident, Value)]) -> Option<Vec<u8>> {
    let is_set = |name: &String| set.iter().find(|(column, _)| column.name() == name);
    if !shape.key.iter().any(|name| is_set(name).is_some()) {
        return None;
    }
    let mut moved = Vec::new();
    for (name, old) in shape.key.iter().zip(Values(key)) {
        let now = is_set(name).map_or(old, |(_, value)| value.lend());
        canon::push(&mut moved, now);
    }
    Some(moved)
}

/// Digest of the row as it stands; none when a trigger took it away again.
fn stored_digest(
    link: &Link,
    again: &Sql,
    key: &[u8],
    mac: &RowMac,
) -> Result<Option<[u8; 32]>, DbTrouble> {
    let mut row = Vec::new();
    let there = find(link, again, key, &mut row)?;
    Ok(there.then(|| mac.of(&row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_key_column_moves_the_key_and_nothing_else() {
        let shape = Shape {
            table: "t".to_owned(),
            key: vec!["a".to_owned(), "b".to_owned()],
            all: vec!["a".to_owned(), "b".to_owned()],
            whole: false,
            dialect: crate::orgdb::Dialect::Sqlite,
        };
        let mut key = Vec::new();
        canon::push(&mut key, ValueRef::Integer(1));
        canon::push(&mut key, ValueRef::Integer(2));
        let moved = moved_key(&shape, &key, &[(Ident::new("b"), Value::Int(7))]).unwrap();
        let values: Vec<_> = Values(&moved).collect();
        assert_eq!(values, [ValueRef::Integer(1), ValueRef::Integer(7)]);
    }
}
