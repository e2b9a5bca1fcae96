//! What a dataset needs to see of a source row: columns of its own table, and columns of parents that
//! declared relations reach. Legacy sources have no keys and no indexes, so each way to a parent is
//! gathered once into the reader's temporary store, keyed on the trimmed reference.
//!
//! In: a map's relations, column names. Out: slots to read from while scanning.
//!
//! Not here: what the values become (`program`), who owns a row (`owner`).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::CachedStatement;
use rusqlite::types::Value;

use super::gather::{Leaf, first_step, gather};
use super::lately::Lately;
use super::needs::{self, Needs};
use super::owner::Owner;
use super::program::Papers;
use crate::copy::tables::position::{Order, Position, Wanted};
use crate::copy::tables::shape::{bind, idents};
use crate::copy::value::canon::{self, Values};
use crate::orgdb::horizon::Horizon;
use crate::orgdb::{DbTrouble, Ident, Link, Row, Sql, ValueRef, catalogue};
use crate::plan::map::{ColumnRef, Relation, Split};
use crate::sql;

/// Where a value is found while scanning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// In the row itself.
    Own(usize),
    /// In a parent: which way, which value.
    Parent(usize, usize),
}

/// A statement and its values.
pub(crate) type Query = (Sql, Vec<crate::orgdb::Value>);

/// What is to be seen of one source table.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    table: String,
    own: Vec<String>,
    ways: Vec<Way>,
    /// In which order rows are read, to go on from any of them.
    order: Order,
    /// What tells where a row stands.
    stand: Stand,
    /// Tables that were asked about, by name.
    known: BTreeMap<String, catalogue::Table>,
    /// Who needs its rows, by these columns, where that is what matters.
    needs: Option<(Arc<Needs>, needs::Columns)>,
}

/// What tells where a scanned row stands.
#[derive(Debug, Clone)]
enum Stand {
    /// So many values before its columns.
    Before(usize),
    /// These of its columns.
    Among(Vec<usize>),
}

/// A way to parents that begins with one relation.
#[derive(Debug, Clone)]
struct Way {
    relation: Relation,
    reference: usize,
    leaves: Vec<Leaf>,
}

impl Sight {
    /// Of `table`, nothing yet.
    pub(crate) fn new(link: &Link, table: &str) -> Result<Sight, DbTrouble> {
        let found = known(link, table)?;
        let order = Order::of(link.dialect(), &found);
        Ok(Sight {
            table: table.to_owned(),
            own: Vec::new(),
            ways: Vec::new(),
            stand: Stand::Before(order.width()),
            order,
            known: BTreeMap::from([(table.to_owned(), found)]),
            needs: None,
        })
    }

    /// Whether a column is there; a table that is not is a fault.
    fn require(&mut self, link: &Link, table: &str, column: &str) -> Result<(), DbTrouble> {
        if !self.known.contains_key(table) {
            self.known.insert(table.to_owned(), known(link, table)?);
        }
        match self.known.get(table).and_then(|table| table.column(column)) {
            Some(_) => Ok(()),
            None => Err(DbTrouble::NoSuch(format!("{table}.{column}"))),
        }
    }

    /// The slot of a column, of the table itself or of a parent.
    pub(crate) fn slot(
        &mut self,
        link: &Link,
        relations: &[Relation],
        column: &ColumnRef,
    ) -> Result<Slot, DbTrouble> {
        self.require(link, &column.table, &column.column)?;
        if column.table == self.table {
            return Ok(Slot::Own(self.see(&column.column)));
        }
        self.beyond(link, relations, &Leaf::Column(column.clone()))
    }

    /// The slot of what a split's rules say of the row that a row of this table leads to.
    pub(super) fn verdict(
        &mut self,
        link: &Link,
        relations: &[Relation],
        split: &Split,
    ) -> Result<Slot, DbTrouble> {
        self.beyond(link, relations, &Leaf::Verdict(split.clone()))
    }

    /// The slot of something that stands in a parent.
    fn beyond(
        &mut self,
        link: &Link,
        relations: &[Relation],
        leaf: &Leaf,
    ) -> Result<Slot, DbTrouble> {
        let first = first_step(relations, &self.table, leaf.table()).ok_or_else(|| {
            DbTrouble::NoSuch(format!("relation from {} to {}", self.table, leaf.table()))
        })?;
        let way = if let Some(way) = self.ways.iter().position(|way| &way.relation == first) {
            way
        } else {
            let table = self.table.clone();
            self.require(link, &table, &first.child.column)?;
            let reference = self.see(&first.child.column);
            self.ways.push(Way {
                relation: first.clone(),
                reference,
                leaves: Vec::new(),
            });
            self.ways.len() - 1
        };
        Ok(Slot::Parent(way, place(&mut self.ways[way].leaves, leaf)))
    }

    /// The place of a column of the table itself.
    pub(super) fn own(&mut self, link: &Link, column: &str) -> Result<usize, DbTrouble> {
        let table = self.table.clone();
        self.require(link, &table, column)?;
        Ok(self.see(column))
    }

    /// The place of a column that is there. Once the whole key is seen, it is not asked for twice.
    fn see(&mut self, column: &str) -> usize {
        let place = place(&mut self.own, &column.to_owned());
        if let Order::Keyed(key) = &self.order {
            let own = |name: &String| self.own.iter().position(|own| own == name);
            if let Some(among) = key.iter().map(own).collect() {
                self.stand = Stand::Among(among);
            }
        }
        place
    }

    /// From here on it is told, too, who needs each row.
    pub(super) fn ask_who_needs(
        &mut self,
        link: &Link,
        papers: &Papers<'_>,
    ) -> Result<(), DbTrouble> {
        let mut places = Vec::new();
        for column in Needs::columns(&papers.map.relations, &self.table) {
            places.push((self.own(link, &column)?, column));
        }
        let needs = Needs {
            map: papers.map.clone(),
            route: papers.route.clone(),
            tables: papers.tables.to_vec(),
        };
        self.needs = Some((Arc::new(needs), places));
        Ok(())
    }

    /// The table, and its columns that are read.
    pub(super) fn columns(&self) -> (&str, &[String]) {
        (&self.table, &self.own)
    }

    /// The scan of what stands behind a position (or of what stands up to it), in order: where each row
    /// stands first, unless its columns tell that, then the columns.
    pub(crate) fn scan(&self, wanted: Wanted<'_>) -> Query {
        self.scan_only(wanted, None)
    }

    /// The same of the rows for which a term of the server's own is true.
    pub(crate) fn scan_only(&self, wanted: Wanted<'_>, only: Option<Sql>) -> Query {
        let (table, columns) = (Ident::new(&self.table), idents(&self.own));
        match self.stand {
            Stand::Before(_) => self.order.scan(&table, &columns, (wanted, only)),
            Stand::Among(_) => self.order.scan_columns(&table, &columns, (wanted, only)),
        }
    }

    /// A position in the middle of its rows, where that can be told without reading them.
    pub(crate) fn middle(&self, link: &Link) -> Result<Option<Position>, DbTrouble> {
        self.order.middle(link, &Ident::new(&self.table))
    }

    /// The scan of nothing but where such rows stand.
    pub(crate) fn scan_stands(&self, wanted: Wanted<'_>, only: Sql) -> Query {
        let table = Ident::new(&self.table);
        self.order.scan(&table, &[], (wanted, Some(only)))
    }

    /// How many such rows there are; none where nobody tells.
    pub(crate) fn count(&self, wanted: Wanted<'_>, only: Sql) -> Option<Query> {
        self.order.count(&Ident::new(&self.table), (wanted, only))
    }

    /// Whether rows stand by their number.
    pub(super) fn has_numbered_rows(&self) -> bool {
        self.order == Order::Numbered
    }

    /// What tells rows whose lines are as they are now from those that come later; none where a line holds
    /// more than its own row.
    pub(super) fn horizon(&self, link: &Link) -> Result<Option<Horizon>, DbTrouble> {
        if !self.ways.is_empty() || self.needs.is_some() {
            return Ok(None);
        }
        let mut columns = self.own.clone();
        if let Order::Keyed(key) = &self.order {
            columns.extend(key.iter().cloned());
        }
        link.horizon(&self.table, &columns)
    }

    /// How many values stand before a row's columns.
    pub(crate) fn lead(&self) -> usize {
        match &self.stand {
            Stand::Before(width) => *width,
            Stand::Among(_) => 0,
        }
    }

    /// A scanned row with its parents.
    pub(crate) fn line<'r>(&'r self, row: Row<'r>, parents: &'r Parents<'r>) -> Line<'r> {
        Line {
            row,
            parents,
            stand: &self.stand,
            lead: self.lead(),
        }
    }

    /// The position that a line's stand tells.
    pub(crate) fn position(&self, stand: &[u8]) -> Position {
        self.order.position(Values(stand))
    }

    /// Gathers the parents into the temporary store and opens the ways to them.
    pub(crate) fn open<'c>(
        &self,
        link: &'c Link,
        relations: &[Relation],
    ) -> Result<Parents<'c>, DbTrouble> {
        let mut probes = Vec::new();
        for way in &self.ways {
            let table = gather(link, relations, &way.relation, &way.leaves)?;
            let values: Vec<Sql> = (0..way.leaves.len()).map(|at| sql!("v{}", at)).collect();
            let text = sql!(
                "SELECT {} FROM temp.{} WHERE k = ?1",
                Sql::join(", ", &[&[Sql::new("whole")], values.as_slice()].concat()),
                table
            );
            probes.push(Probe {
                reference: way.reference + self.lead(),
                find: link.scratch()?.prepare_cached(text.as_str())?,
                known: Lately::new(KNOWN),
                now: 0,
            });
        }
        let needs = match &self.needs {
            Some((needs, places)) => Some(needs.open(link, &self.table, places.clone())?),
            None => None,
        };
        Ok(Parents {
            probes,
            needs,
            lead: self.lead(),
        })
    }
}

pub(crate) fn known(link: &Link, table: &str) -> Result<catalogue::Table, DbTrouble> {
    link.table(table)?
        .ok_or_else(|| DbTrouble::NoSuch(table.to_owned()))
}

pub(crate) fn place<T: PartialEq + Clone>(list: &mut Vec<T>, wanted: &T) -> usize {
    list.iter()
        .position(|item| item == wanted)
        .unwrap_or_else(|| {
            list.push(wanted.clone());
            list.len() - 1
        })
}

/// How many parents a way remembers: bounded, whatever the size of the table.
const KNOWN: usize = 1 << 16;

/// The ways to parents, each at the parent of the row that is being looked at.
pub(crate) struct Parents<'c> {
    probes: Vec<Probe<'c>>,
    needs: Option<needs::Probe<'c>>,
    lead: usize,
}

struct Probe<'c> {
    reference: usize,
    find: CachedStatement<'c>,
    known: Lately<Known>,
    now: usize,
}

struct Known {
    /// Every step of the way was found.
    whole: bool,
    values: Vec<Value>,
    /// All of that in canonical form.
    canonical: Vec<u8>,
    /// Whose the rows are that hang on this parent, once one of them was asked about.
    owner: OnceCell<Owner>,
}

impl Parents<'_> {
    /// No way at all, for those who need none.
    pub(crate) fn none() -> Parents<'static> {
        Parents {
            probes: Vec::new(),
            needs: None,
            lead: 0,
        }
    }

    /// Goes to the parents of a scanned row along some ways: enough to know whose the row is, and who
    /// needs it.
    #[inline]
    pub(crate) fn go_first(&mut self, row: Row<'_>, ways: &[usize]) -> Result<(), DbTrouble> {
        if let Some(needs) = &mut self.needs {
            needs.ask(row, self.lead)?;
        }
        for way in ways {
            if let Some(probe) = self.probes.get_mut(*way) {
                probe.go_to(row)?;
            }
        }
        Ok(())
    }

    /// Goes along all other ways.
    #[inline]
    pub(crate) fn go_on(&mut self, row: Row<'_>, gone: &[usize]) -> Result<(), DbTrouble> {
        let ways = self.probes.iter_mut().enumerate();
        let mut others = ways.filter(|(way, _)| !gone.contains(way));
        others.try_for_each(|(_, probe)| probe.go_to(row))
    }
}

impl Probe<'_> {
    fn go_to(&mut self, row: Row<'_>) -> Result<(), DbTrouble> {
        let number;
        let key = match row.get(self.reference) {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => trim_end(bytes),
            ValueRef::Integer(value) => {
                number = value.to_string();
                number.as_bytes()
            }
            ValueRef::Real(value) => {
                number = format!("{value:?}");
                number.as_bytes()
            }
            ValueRef::Null => b"",
        };
        if self.known.is_at(self.now, key) {
            return Ok(());
        }
        if let Some(place) = self.known.place(key) {
            self.now = place;
            return Ok(());
        }
        let found = self.fetch(key)?;
        self.now = self.known.put(key, found);
        Ok(())
    }

    fn fetch(&mut self, key: &[u8]) -> Result<Known, DbTrouble> {
        let width = self.find.column_count();
        bind(&mut self.find, 1, [ValueRef::Text(key)])?;
        let mut rows = self.find.raw_query();
        let mut known = Known {
            whole: false,
            values: vec![Value::Null; width - 1],
            canonical: Vec::new(),
            owner: OnceCell::new(),
        };
        if let Some(row) = rows.next()? {
            known.whole = row.get_ref(0)? == ValueRef::Integer(1);
            for (at, value) in known.values.iter_mut().enumerate() {
                *value = lent(row.get_ref(at + 1)?);
            }
        }
        canon::push(&mut known.canonical, ValueRef::Integer(known.whole.into()));
        for value in &known.values {
            canon::push(&mut known.canonical, value.into());
        }
        Ok(known)
    }
}

/// Text that is not UTF-8 is kept as bytes: both read the same later.
pub(crate) fn lent(raw: ValueRef<'_>) -> Value {
    match raw {
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_vec()),
        },
        other => other.try_into().unwrap_or(Value::Null),
    }
}

/// Without trailing spaces: references are compared so.
pub(crate) fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |at| at + 1);
    &bytes[..end]
}

/// A scanned row with its parents.
#[derive(Clone, Copy)]
pub(crate) struct Line<'r> {
    row: Row<'r>,
    parents: &'r Parents<'r>,
    stand: &'r Stand,
    lead: usize,
}

/// Before no row stands anything.
#[cfg(test)]
static NOTHING: Stand = Stand::Before(0);

impl<'r> Line<'r> {
    /// Of values that stand in no table.
    #[cfg(test)]
    pub(super) fn alone(values: &'r [ValueRef<'r>], parents: &'r Parents<'r>) -> Line<'r> {
        Line {
            row: Row::Held(values),
            parents,
            stand: &NOTHING,
            lead: 0,
        }
    }

    /// The raw value of a slot.
    #[inline]
    pub(crate) fn raw(&self, slot: Slot) -> ValueRef<'r> {
        match slot {
            Slot::Own(at) => self.row.get(at + self.lead),
            Slot::Parent(way, at) => self.known(way).map_or(ValueRef::Null, |known| {
                known.values.get(at).map_or(ValueRef::Null, ValueRef::from)
            }),
        }
    }

    /// Whose the line is, as `tell` says; asked once for all lines with one parent.
    pub(crate) fn owner(&self, slot: Slot, tell: impl FnOnce() -> Owner) -> Cow<'r, Owner> {
        let known = match slot {
            Slot::Own(_) => None,
            Slot::Parent(way, _) => self.known(way),
        };
        match known {
            Some(known) => Cow::Borrowed(known.owner.get_or_init(tell)),
            None => Cow::Owned(tell()),
        }
    }

    /// Who needs the row, by their place in the route.
    pub(super) fn needed(&self) -> &'r [usize] {
        self.parents.needs.as_ref().map_or(&[], |probe| &probe.now)
    }

    /// Appends columns of its own just as their server sent them; false where they came otherwise.
    #[inline]
    pub(crate) fn push_as_it_came(&self, own: &[usize], out: &mut Vec<u8>) -> bool {
        own.iter().all(|at| {
            let field = self.row.as_it_came(at + self.lead);
            out.extend_from_slice(field.unwrap_or_default());
            field.is_some()
        })
    }

    /// Appends what tells where it stands.
    #[inline]
    pub(crate) fn push_stand(&self, out: &mut Vec<u8>) {
        match self.stand {
            Stand::Before(width) => (0..*width).for_each(|at| self.row.push(at, out)),
            Stand::Among(places) => places.iter().for_each(|at| self.row.push(*at, out)),
        }
    }

    /// Appends everything that is seen of the line: where it stands, its columns, its parents.
    #[inline]
    pub(crate) fn push_all(&self, out: &mut Vec<u8>) {
        if let Stand::Among(_) = self.stand {
            self.push_stand(out);
        }
        self.row.push_all(out);
        for probe in &self.parents.probes {
            if let Some(known) = probe.known.at(probe.now) {
                out.extend_from_slice(&known.canonical);
            }
        }
    }

    /// Whether every step of the way to a slot was found.
    pub(super) fn is_whole(&self, slot: Slot) -> bool {
        match slot {
            Slot::Own(_) => true,
            Slot::Parent(way, _) => self.known(way).is_some_and(|known| known.whole),
        }
    }

    fn known(&self, way: usize) -> Option<&'r Known> {
        let probe = self.parents.probes.get(way)?;
        probe.known.at(probe.now)
    }
}
