//! Rows that carry the mark of a run and that no ledger knows: somebody put them in, or copied ours.
//!
//! In: the columns that a map fills from the run, the ledger. Out: how many such rows there are, and which.
//!
//! As long as every row of ours stands as it was written, counting is proof enough: all of them carry the
//! mark, so as many marked rows as ledgered ones are those very rows. Only otherwise are keys compared: a
//! few million of the ledger's at a time, as numbers keyed for this process.
//!
//! Not here: rows that differ (`verify`), which tables are asked about (`steps`).

use std::hash::{BuildHasher as _, RandomState};

use super::narrow::{Narrowed, RowClass, shown_key};
use super::{NAMED, row_name};
use crate::copy::ledger::effect::{self, Head};
use crate::copy::ledger::packed::unpack;
use crate::copy::ledger::{Deed, prepared};
use crate::copy::tables::shape::Shape;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{DbFault, DbTrouble, Ident, Link, OrgReader, Sql, Value, ValueRef};
use crate::plan::map::{Dataset, Origin};
use crate::sql;
use crate::values;

/// A table whose rows say which run they came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    table: String,
    column: String,
}

impl Marked {
    /// Its name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// The tables among these datasets' whose rows say so, each once.
pub fn marked<'d>(datasets: impl IntoIterator<Item = &'d Dataset>) -> Vec<Marked> {
    let mut found: Vec<Marked> = Vec::new();
    for dataset in datasets {
        let mut columns = dataset.columns.iter();
        let holds = columns.find(|column| column.from == Origin::Run);
        let known = found.iter().any(|one| one.table == dataset.into);
        if let (Some(column), false) = (holds, known) {
            found.push(Marked {
                table: dataset.into.clone(),
                column: column.into.clone(),
            });
        }
    }
    found
}

/// What is there beyond the ledger.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Extra {
    /// How many rows.
    pub rows: u64,
    /// Which, the first thousand.
    pub named: Vec<Narrowed>,
}

/// How far to look.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Every row of ours in these tables is known to stand as it was written.
    pub all_stand: bool,
    /// Whether keys are told: only to those who may see them.
    pub values: bool,
}

/// Looks for rows of `deed`'s run that no ledger in this database knows.
///
/// # Errors
/// When the database refuses.
pub async fn extra(
    reader: &OrgReader,
    deed: &Deed,
    marked: Vec<Marked>,
    search: Search,
) -> Result<Extra, DbFault> {
    let deed = deed.clone();
    let reader = reader.another().await?;
    let work = move |link: &Link| {
        let mut found = Extra::default();
        if marked.is_empty() || !prepared(link)? {
            return Ok(found);
        }
        link.begin(Begin::Read)?;
        for marked in &marked {
            let book = Book::read(link, &deed, &marked.table)?;
            let stand = count(link, &deed, marked)?;
            if !search.all_stand || stand != book.rows {
                book.search(marked, search.values, &mut found)?;
            }
        }
        link.commit()?;
        Ok(found)
    };
    reader.with(work).await
}

/// Rows that carry the mark.
fn count(link: &Link, deed: &Deed, marked: &Marked) -> Result<i64, DbTrouble> {
    let query = sql!(
        "SELECT count(*) FROM {} WHERE {} = ?1",
        Ident::new(&marked.table),
        Ident::new(&marked.column)
    );
    let row = link.row(&query, &values![deed.run.to_string()])?;
    Ok(row.and_then(|row| row[0].int()).unwrap_or(0))
}

/// Keys of the ledger that are held at a time: 16 MiB of numbers.
const AT_ONCE: i64 = 1 << 21;

/// What the ledger knows of a table.
struct Book<'c> {
    link: &'c Link,
    deed: &'c Deed,
    shape: Shape,
    /// Effects that wrote into it.
    effects: Vec<i64>,
    /// Rows that must stand there by now.
    rows: i64,
}

impl<'c> Book<'c> {
    fn read(link: &'c Link, deed: &'c Deed, table: &str) -> Result<Book<'c>, DbTrouble> {
        let mut book = Book {
            link,
            deed,
            shape: Shape::read(link, table)?.0,
            effects: Vec::new(),
            rows: 0,
        };
        for effect in effect::all_standing(link, deed.run)? {
            book.effect(effect)?;
        }
        Ok(book)
    }

    /// Adds an effect's rows, from the heads of its parts where these say enough.
    fn effect(&mut self, effect: i64) -> Result<(), DbTrouble> {
        let query = Sql::new("SELECT head FROM handover_undo WHERE effect = ?1 ORDER BY part");
        let mut heads = Vec::new();
        for row in self.link.rows(&query, &values![effect])? {
            let head = row.into_iter().next().map(Value::into_text);
            let head = serde_json::from_str(&head.unwrap_or_default());
            heads.push(head.map_err(|_| DbTrouble::Damaged)?);
        }
        let of_rows: Vec<&Head> = heads
            .iter()
            .filter(|head| table_of(head).is_some())
            .collect();
        if !of_rows.iter().any(|head| self.is_mine(head)) {
            return Ok(());
        }
        self.effects.push(effect);
        if let [head] = of_rows.as_slice() {
            let query = Sql::new("SELECT rows FROM handover_effect WHERE effect = ?1");
            let row = self.link.row(&query, &values![effect])?;
            self.rows += sign(head) * row.and_then(|row| row[0].int()).unwrap_or(0);
            return Ok(());
        }
        for part in effect::parts(self.link, effect)? {
            let rows = unpack(&part.head, &part.body)?;
            let rows = rows.filter(|_| self.is_mine(&part.head));
            let rows = rows.map_or(0, |(_, _, rows)| rows.len());
            self.rows += sign(&part.head) * i64::try_from(rows).unwrap_or(i64::MAX);
        }
        Ok(())
    }

    fn is_mine(&self, head: &Head) -> bool {
        table_of(head).is_some_and(|table| table == self.shape.table)
    }

    /// Names the marked rows whose keys the ledger does not know, in as many passes as it takes to hold
    /// its keys.
    fn search(&self, marked: &Marked, values: bool, found: &mut Extra) -> Result<(), DbTrouble> {
        let passes = u64::try_from(self.rows / AT_ONCE).unwrap_or(0) + 1;
        let blind = RandomState::new();
        let query = sql!(
            "SELECT {} FROM {} WHERE {} = ?1",
            Sql::join(", ", &self.shape.key_columns()),
            self.shape.ident(),
            Ident::new(&marked.column)
        );
        let run = self.deed.run.to_string();
        for pass in 0..passes {
            let ours = self.keys(|key| {
                let number = blind.hash_one(key);
                (number % passes == pass).then_some(number)
            })?;
            let mut key = Vec::new();
            self.link
                .stream(&query, &[ValueRef::Text(run.as_bytes())], |row| {
                    key.clear();
                    row.push_all(&mut key);
                    let number = blind.hash_one(key.as_slice());
                    if number % passes == pass && ours.binary_search(&number).is_err() {
                        self.name(&key, values, found);
                    }
                    Ok::<Flow, DbTrouble>(Flow::Continue(()))
                })?;
        }
        Ok(())
    }

    /// Numbers of the keys that the ledger knows and that are wanted, in order.
    fn keys(&self, wanted: impl Fn(&[u8]) -> Option<u64>) -> Result<Vec<u64>, DbTrouble> {
        let mut found = Vec::new();
        for effect in &self.effects {
            for part in effect::parts(self.link, *effect)? {
                if let (true, Some((_, _, rows))) =
                    (self.is_mine(&part.head), unpack(&part.head, &part.body)?)
                {
                    found.extend(rows.iter().filter_map(|row| wanted(row.key)));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn name(&self, key: &[u8], values: bool, found: &mut Extra) {
        found.rows += 1;
        if found.named.len() < NAMED {
            found.named.push(Narrowed {
                table: self.shape.table.clone(),
                row: row_name(self.deed, &self.shape.table, key),
                class: RowClass::Extra,
                columns: Vec::new(),
                key: values.then(|| shown_key(&self.shape, key)),
            });
        }
    }
}

/// The table that a part's rows are of.
fn table_of(head: &Head) -> Option<&str> {
    match head {
        Head::Insert { shape, .. } | Head::Update { shape, .. } | Head::Delete { shape, .. } => {
            Some(&shape.table)
        }
        Head::Change
        | Head::Aside { .. }
        | Head::Emptying { .. }
        | Head::Position
        | Head::Lines { .. }
        | Head::Places { .. } => None,
    }
}

/// What a part's rows do to how many there are.
fn sign(head: &Head) -> i64 {
    match head {
        Head::Insert { .. } => 1,
        Head::Delete { .. } => -1,
        Head::Update { .. }
        | Head::Change
        | Head::Aside { .. }
        | Head::Emptying { .. }
        | Head::Position
        | Head::Lines { .. }
        | Head::Places { .. } => 0,
    }
}
