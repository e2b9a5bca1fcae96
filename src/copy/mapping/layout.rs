//! How a program's columns lie in the target table: every stored column in the table's order, whether
//! the map names it, we draw it, or its default stands.
//!
//! In: a program, the target's shape. Out: canonical rows just as the target will store them.
//!
//! Not here: judging (`program`), binding and inserting (`load`).

use std::collections::BTreeMap;

use super::cell::{Bench, Source, Verdict};
use super::draw::Draw;
use super::program::Program;
use super::sight::{Line, Slot};
use crate::copy::tables::shape::{Shape, idents};
use crate::copy::value::canon::{self, Values};
use crate::copy::value::fit::Fit;
use crate::orgdb::catalogue::{Column, Table};
use crate::orgdb::{DbTrouble, Ident, Link, Sql, Value, ValueRef};
use crate::sql;

/// A program's columns in the target's order.
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    places: Vec<Place>,
    /// Columns that are bound, in order: all but those whose default only the engine can tell.
    pub(crate) bound: Vec<String>,
    /// Where the key's values stand in a row.
    pub(crate) key: Vec<usize>,
    /// Where the drawn key stands in a row.
    pub(crate) drawn: Option<usize>,
    /// What is stored can only be known by reading it back.
    pub(crate) read_back: bool,
    /// The table numbers its rows.
    pub(crate) rowid: bool,
    /// Unique keys by which the target itself refuses a second row with the same source key, as the
    /// engine names them: `table.column, …`.
    pub(crate) guards: Vec<String>,
    /// What a server calls its constraints, and their columns as `guards` tells them.
    names: BTreeMap<String, String>,
    /// Where a row of which every value stays as it is may go on in the very bytes that its server sent:
    /// which columns of the source they are of.
    pub(crate) passage: Option<Vec<usize>>,
    /// Where the decimal columns of scale 2 stand in a row, with their names.
    pub(crate) money: Vec<(usize, String)>,
}

/// Where one stored column's value comes from.
enum Place {
    Cell(usize),
    Drawn(Fit),
    Fixed(Vec<u8>),
}

impl Layout {
    /// Lays the program out over the target; a mapped column that is not there is a fault.
    pub(crate) fn new(
        link: &Link,
        program: &mut Program,
        into: &str,
        money: &[String],
        fire: bool,
    ) -> Result<Layout, DbTrouble> {
        let (shape, table) = Shape::read(link, into)?;
        let named = program
            .cells
            .iter()
            .map(|cell| &cell.into)
            .chain(program.id.iter());
        for name in named {
            if table.column(name).is_none_or(|column| column.generated) {
                return Err(DbTrouble::NoSuch(format!("{into}.{name}")));
            }
        }
        let mut layout = Layout {
            key: Vec::new(),
            read_back: shape.key.is_empty() || (fire && may_fire(&table)),
            drawn: None,
            rowid: !table.without_rowid && link.sqlite().is_some(),
            names: names(&table, into),
            guards: guards(program, &table, into),
            shape,
            places: Vec::new(),
            bound: Vec::new(),
            passage: None,
            money: Vec::new(),
        };
        for name in layout.shape.all.clone() {
            if let Some(column) = table.column(&name) {
                layout.place(program, &table, column);
            }
        }
        let place = |name: &String| {
            let mut bound = layout.bound.iter();
            bound.position(|bound| bound.eq_ignore_ascii_case(name))
        };
        let keyed = layout.shape.key.iter().filter_map(place).collect();
        let money = money
            .iter()
            .filter_map(|name| Some((place(name)?, name.clone())));
        layout.money = money.collect();
        layout.key = keyed;
        Ok(layout)
    }

    /// Looks whether rows may go on as they come: both servers must send and take each column alike.
    pub(crate) fn open_passage(
        &mut self,
        (source, target): (&Link, &Link),
        program: &Program,
    ) -> Result<(), DbTrouble> {
        let own = |place: &Place| match place {
            Place::Cell(at) => match program.cells[*at].source {
                Source::Slot(Slot::Own(own)) => Some(own),
                _ => None,
            },
            Place::Drawn(_) | Place::Fixed(_) => None,
        };
        let places: Option<Vec<usize>> = self.places.iter().map(own).collect();
        let Some(places) = places.filter(|_| !self.read_back && !self.key.is_empty()) else {
            return Ok(());
        };
        let (table, columns) = program.sight.columns();
        let sent: Vec<Ident> = (places.iter())
            .map(|at| Ident::new(&columns[*at]))
            .collect();
        let sends = source.wires(&Ident::new(table), &sent)?;
        let takes = target.wires(&self.shape.ident(), &idents(&self.bound))?;
        self.passage = (sends.is_some() && sends == takes).then_some(places);
        Ok(())
    }

    fn place(&mut self, program: &mut Program, table: &Table, column: &Column) {
        let fit = Fit(column.kind);
        self.read_back |= fit.is_unknown();
        let is = |name: &str| name.eq_ignore_ascii_case(&column.name);
        let mapped = program.cells.iter().position(|cell| is(&cell.into));
        let place = if program.id.as_deref().is_some_and(is) {
            self.drawn = Some(self.places.len());
            Place::Drawn(fit)
        } else if let Some(at) = mapped {
            program.cells[at].goes_into(fit);
            Place::Cell(at)
        } else {
            let numbered = table.key.len() == 1
                && is(&table.key[0])
                && column.declared.eq_ignore_ascii_case("INTEGER");
            match default(column, fit) {
                Some(fixed) if !numbered => Place::Fixed(fixed),
                _ => {
                    self.read_back = true;
                    return;
                }
            }
        };
        self.places.push(place);
        self.bound.push(column.name.clone());
    }

    /// Appends the row of a line; the first column that cannot be stops it.
    #[inline]
    pub(crate) fn row(
        &self,
        program: &Program,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        draw: &Draw,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, DbTrouble> {
        bench.unchanged = true;
        values(self.places.iter(), |place| {
            place.value(program, line, bench, draw, out)
        })
    }

    /// Appends the key's values of a line, without the rest of its row.
    pub(crate) fn key_of_line(
        &self,
        program: &Program,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        draw: &Draw,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, DbTrouble> {
        let places = self.key.iter().map(|at| &self.places[*at]);
        values(places, |place| place.value(program, line, bench, draw, out))
    }

    /// Appends a row once more, with another drawn key.
    pub(crate) fn redraw(&self, row: &[u8], id: &[u8; 36], out: &mut Vec<u8>) {
        for (place, value) in self.places.iter().zip(Values(row)) {
            match place {
                Place::Drawn(fit) => drop(fit.push(out, ValueRef::Text(id))),
                Place::Cell(_) | Place::Fixed(_) => canon::push(out, value),
            }
        }
    }

    /// Appends the key's values of a row.
    #[inline]
    pub(crate) fn push_key(&self, row: &[u8], out: &mut Vec<u8>) {
        for wanted in &self.key {
            let mut rest = Values(row);
            for _ in 0..*wanted {
                rest.next();
            }
            let start = rest.0;
            rest.next();
            out.extend_from_slice(&start[..start.len() - rest.0.len()]);
        }
    }

    /// What a refusal stands on, told by columns where the engine told a constraint's name.
    pub(crate) fn refused_on<'n>(&'n self, on: &'n str) -> &'n str {
        self.names.get(on).map_or(on, String::as_str)
    }

    /// The insert, every bound column.
    pub(crate) fn insert(&self) -> Sql {
        sql!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.shape.ident(),
            idents(&self.bound),
            Sql::places(1, self.bound.len())
        )
    }
}

impl Place {
    /// Appends its value of a line.
    #[inline]
    fn value(
        &self,
        program: &Program,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        draw: &Draw,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, DbTrouble> {
        match self {
            Place::Cell(at) => program.cells[*at].evaluate(*at, line, bench, out),
            Place::Fixed(bytes) => {
                out.extend_from_slice(bytes);
                Ok(Verdict::Fine)
            }
            Place::Drawn(fit) => {
                fit.push(out, ValueRef::Text(&draw.id(&bench.key)));
                Ok(Verdict::Fine)
            }
        }
    }
}

/// Evaluates places one after the other; the first that cannot be stops it.
#[inline]
fn values<'p>(
    mut places: impl Iterator<Item = &'p Place>,
    mut value: impl FnMut(&Place) -> Result<Verdict, DbTrouble>,
) -> Result<Verdict, DbTrouble> {
    places
        .try_fold(Verdict::Fine, |_, place| match value(place) {
            Ok(Verdict::Fine) => Ok(Verdict::Fine),
            Ok(verdict) => Err(Ok(verdict)),
            Err(trouble) => Err(Err(trouble)),
        })
        .or_else(|stopped| stopped)
}

/// `table.constraint` -> `table.column, …`, for every unique index. (The primary key is one, too.)
fn names(table: &Table, into: &str) -> BTreeMap<String, String> {
    let uniques = table.indexes.iter().filter(|(_, (unique, _))| *unique);
    let told = |(name, (_, columns)): (&String, &(bool, Vec<String>))| {
        let columns: Vec<String> = columns
            .iter()
            .map(|column| format!("{into}.{column}"))
            .collect();
        (format!("{into}.{name}"), columns.join(", "))
    };
    uniques.map(told).collect()
}

/// Whether triggers may change what is written.
fn may_fire(table: &Table) -> bool {
    table.triggers_hidden || !table.triggers.is_empty()
}

/// The unique keys of the target that two rows with one source key would share.
fn guards(program: &Program, table: &Table, into: &str) -> Vec<String> {
    let uniques = table.indexes.values().filter(|(unique, _)| *unique);
    let keys = std::iter::once(&table.key).chain(uniques.map(|(_, columns)| columns));
    let shared = |key: &&Vec<String>| {
        let follows = |name: &String| {
            let required = table.column(name).is_some_and(|column| column.required);
            program.follows_from_key(name, required)
        };
        !key.is_empty() && key.iter().all(follows)
    };
    let named = |key: &Vec<String>| {
        let columns: Vec<String> = key
            .iter()
            .map(|column| format!("{into}.{column}"))
            .collect();
        columns.join(", ")
    };
    keys.filter(shared).map(named).collect()
}

/// The column's default as it is stored; none when it is different for each row.
fn default(column: &Column, fit: Fit) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let value = match &column.default {
        Some(text) => literal(text)?,
        None => Value::Null,
    };
    fit.push(&mut bytes, value.lend()).then_some(bytes)
}

/// A literal as SQL writes it; none for any other expression.
fn literal(text: &str) -> Option<Value> {
    let quoted = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(inner) = quoted {
        let plain = inner.replace("''", "'");
        return (plain.matches('\'').count() * 2 == inner.matches('\'').count())
            .then(|| plain.into());
    }
    match text.to_ascii_uppercase().as_str() {
        "NULL" => Some(Value::Null),
        "TRUE" => Some(Value::Int(1)),
        "FALSE" => Some(Value::Int(0)),
        _ => text.parse().ok().map(Value::Int),
    }
}
