//! Rows that several may need: a supplier, an officer, the block that a flat is in. Each goes to every
//! target whose rows refer to it, near or far, by the relations that the map declares; to nobody else.
//!
//! In: a map, a route, a source inside one read transaction. Out: a temporary table of who needs what, a
//! probe into it.
//!
//! First every row that has an owner says what it refers to; then what is needed says what it refers to
//! itself, until nothing new is said: circles and references of a table to itself come to an end. Rows that
//! are left out on purpose need nothing.
//!
//! Not here: whose a row is by its own way up (`program`), copying it (`reading`).

use std::borrow::Cow;

use rusqlite::{CachedStatement, Connection, params};

use super::cell::trimmed;
use super::program::{Papers, Program};
use super::sight::{Slot, place};
use crate::copy::route::Route;
use crate::copy::tables::position::{Position, Wanted};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Link, Row, Value, ValueRef};
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, GoesTo, Map, Relation};
use crate::sql;

/// What must be known to tell who needs which rows.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    pub(super) map: Map,
    pub(super) route: Route,
    pub(super) tables: Vec<String>,
}

/// Columns by which others refer to a table's rows, with their places among those that are scanned.
pub(super) type Columns = Vec<(usize, String)>;

/// Asks who needs the row that is being looked at.
pub(super) struct Probe<'c> {
    table: String,
    columns: Columns,
    find: CachedStatement<'c>,
    /// Targets, by their place in the route.
    pub(super) now: Vec<usize>,
}

impl Needs {
    /// Columns of a table by which others may refer to its rows.
    pub(super) fn columns(relations: &[Relation], table: &str) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        for relation in relations.iter().filter(|one| one.parent.table == table) {
            place(&mut columns, &relation.parent.column);
        }
        columns
    }

    /// Opens the way to who needs rows of `table`, told once for each look at the source.
    pub(super) fn open<'c>(
        &self,
        link: &'c Link,
        table: &str,
        columns: Columns,
    ) -> Result<Probe<'c>, DbTrouble> {
        let name = self.gather(link)?;
        Probe::new(link.scratch()?, &name, table, columns)
    }

    /// Makes the table of who needs what, unless it is there already; its name.
    fn gather(&self, link: &Link) -> Result<Ident, DbTrouble> {
        let told = format!("{:?} {:?} {:?}", self.map, self.route, self.tables);
        let name = Ident::new(&format!("handover_need_{}", Digest::of(told.as_bytes())));
        let scratch = link.scratch()?;
        if scratch.table_exists(Some("temp"), name.name())? {
            return Ok(name);
        }
        scratch.execute_batch(
            sql!(
                "CREATE TEMP TABLE {} (tab TEXT NOT NULL, col TEXT NOT NULL, key BLOB NOT NULL,
                   target INTEGER NOT NULL, PRIMARY KEY (tab, col, key, target)) WITHOUT ROWID",
                name
            )
            .as_str(),
        )?;
        let ours = |dataset: &&Dataset| self.tables.contains(&dataset.from);
        let datasets: Vec<&Dataset> = self.map.datasets.iter().filter(ours).collect();
        for dataset in datasets
            .iter()
            .filter(|one| one.goes_to != GoesTo::WhoNeedsIt)
        {
            self.refer(link, &name, dataset, false)?;
        }
        loop {
            let mut more = false;
            for dataset in datasets.iter().filter(|one| one.goes_to != GoesTo::Owner) {
                more |= self.refer(link, &name, dataset, true)?;
            }
            if !more {
                return Ok(name);
            }
        }
    }

    /// Notes what the rows of a dataset refer to, for those who own them or for those who need them;
    /// whether anything was new.
    fn refer(
        &self,
        link: &Link,
        name: &Ident,
        dataset: &Dataset,
        needed: bool,
    ) -> Result<bool, DbTrouble> {
        let shared = |table: &str| {
            let mut datasets = self.map.datasets.iter();
            datasets.any(|one| one.from == table && one.goes_to != GoesTo::Owner)
        };
        let relations = self.map.relations.iter();
        let out: Vec<&Relation> = relations
            .filter(|one| one.child.table == dataset.from && shared(&one.parent.table))
            .collect();
        if out.is_empty() {
            return Ok(false);
        }
        let bare = Dataset {
            columns: Vec::new(),
            aliases: Vec::new(),
            goes_to: GoesTo::Owner,
            ..dataset.clone()
        };
        let papers = Papers {
            map: &self.map,
            route: &self.route,
            run: uuid::Uuid::nil(),
            tables: &self.tables,
        };
        let mut program = Program::compile_as(link, &papers, &bare, !needed)?;
        let mut slots: Vec<(&Relation, Slot)> = Vec::new();
        for relation in out {
            let slot = program
                .sight
                .slot(link, &self.map.relations, &relation.child)?;
            slots.push((relation, slot));
        }
        let mut probe = None;
        if needed {
            let columns = Needs::columns(&self.map.relations, &dataset.from);
            let mut places = Vec::new();
            for column in columns {
                places.push((program.sight.own(link, &column)?, column));
            }
            probe = Some(Probe::new(link.scratch()?, name, &dataset.from, places)?);
        }
        let text = sql!(
            "INSERT OR IGNORE INTO temp.{} VALUES (?1, ?2, ?3, ?4)",
            name
        );
        let mut note = link.scratch()?.prepare(text.as_str())?;
        let mut parents = program.sight.open(link, &self.map.relations)?;
        let (text, values) = program.sight.scan(Wanted::Behind(&Position::start()));
        let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
        let (mut more, mut scratch) = (false, Vec::new());
        link.stream(&text, &values, |row| {
            let held = row.hold();
            let row = row.or_held(&held);
            parents.go_first(row, &[])?;
            parents.go_on(row, &[])?;
            let seen = program.sight.line(row, &parents);
            let targets = match &mut probe {
                Some(probe) => {
                    probe.ask(row, program.sight.lead())?;
                    probe.now.clone()
                }
                None => program.owner(seen).targets().to_vec(),
            };
            if targets.is_empty() || program.filtered(seen).is_some() {
                return Ok(Flow::Continue(()));
            }
            for (relation, slot) in &slots {
                let key = reference(seen.raw(*slot), &mut scratch);
                for target in targets.iter().filter(|_| !key.is_empty()) {
                    let target = i64::try_from(*target).unwrap_or(i64::MAX);
                    let parent = &relation.parent;
                    let noted = note.execute(params![parent.table, parent.column, key, target])?;
                    more |= noted > 0;
                }
            }
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        Ok(more)
    }
}

impl<'c> Probe<'c> {
    fn new(
        scratch: &'c Connection,
        name: &Ident,
        table: &str,
        columns: Columns,
    ) -> Result<Probe<'c>, DbTrouble> {
        let text = sql!(
            "SELECT target FROM temp.{} WHERE tab = ?1 AND col = ?2 AND key = ?3 ORDER BY target",
            name
        );
        Ok(Probe {
            table: table.to_owned(),
            columns,
            find: scratch.prepare_cached(text.as_str())?,
            now: Vec::new(),
        })
    }

    /// Asks for a scanned row, whose columns begin at `lead`.
    pub(super) fn ask(&mut self, row: Row<'_>, lead: usize) -> Result<(), DbTrouble> {
        self.now.clear();
        let mut scratch = Vec::new();
        for (at, column) in &self.columns {
            let key = reference(row.get(at + lead), &mut scratch);
            if key.is_empty() {
                continue;
            }
            let mut rows = self.find.query(params![self.table, column, key])?;
            while let Some(row) = rows.next()? {
                let target: i64 = row.get(0)?;
                let target = usize::try_from(target).unwrap_or(usize::MAX);
                if !self.now.contains(&target) {
                    self.now.push(target);
                }
            }
        }
        self.now.sort_unstable();
        Ok(())
    }
}

/// A reference and the key that it means, in the one form in which both are noted and asked for: as the
/// crosswalk knows keys (`Program::read_key`), so that whatever a lookup finds is needed; bytes that are no
/// text stay as they are.
fn reference<'a>(raw: ValueRef<'a>, scratch: &'a mut Vec<u8>) -> Cow<'a, [u8]> {
    match (trimmed(raw, true, scratch), raw) {
        (Some(Cow::Borrowed(text)), _) => Cow::Borrowed(text.as_bytes()),
        (Some(Cow::Owned(text)), _) => Cow::Owned(text.into_bytes()),
        (None, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => Cow::Borrowed(bytes.trim_ascii()),
        (None, _) => Cow::Borrowed(b""),
    }
}
