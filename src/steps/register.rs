//! A register of the source (staff, contracts), line by line: each line as its map makes it, with the
//! raw key by which the source row is found again and the target key that we draw for it.
//!
//! The drawn key is a keyed digest of run, dataset, source key and `draw`, so a line that has landed is
//! known by its key alone, whatever happened in between and however the register has changed. A step
//! that we take back draws anew in each generation, since a key is never used twice; one that only
//! people take back knows its lines again in any generation.
//!
//! In: the step's list, map and organisations. Out: lines in the order of the source key.
//!
//! Not here: who transfers and which contract goes (`staff_transfer`, `contract_novation`).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Builder;

use super::{Act, Fault, Finding, Look};
use crate::copy::ledger::{Deed, Pen};
use crate::copy::look::rules::nobodys;
use crate::copy::look::{Mapped, mapped_rows};
use crate::copy::route::Route;
use crate::orgdb::{Ident, OrgReader, Sql, Value};
use crate::plan::map::{Dataset, Map, Origin};
use crate::plan::model::Code;
use crate::sql;

/// Where a register stands and how it is read.
pub(super) struct Register<'a> {
    pub source: &'a Code,
    pub target: &'a Code,
    /// The table at the source.
    pub list: &'a str,
    pub map: &'a Map,
    pub dataset: &'a Dataset,
    /// The column that says which organisation a line is for, as the plan writes it.
    pub split: Option<&'a str>,
    /// The column at the source that the step changes.
    pub changes: &'a str,
    /// Which drawing of keys this is: the generation, or always the same.
    pub draw: u32,
}

/// One line of a register.
pub(super) struct Line {
    /// The source key, for people and for evidence files: parts joined by `/`.
    pub name: String,
    /// What the column that the step changes holds, trimmed.
    pub held: String,
    /// The line as the map makes it.
    pub mapped: Mapped,
    raw_key: Vec<Value>,
    key: Vec<String>,
}

/// The map's dataset for `into`, which a step of this kind needs.
pub(super) fn dataset<'a>(map: &'a Map, into: &str) -> Result<&'a Dataset, Finding> {
    let found = map.datasets.iter().find(|dataset| dataset.into == into);
    let Some(dataset) = found else {
        let says = format!("`{}` has no table that goes into `{into}`", map.path);
        return Err(Finding::stop("HO522", into, says).help(format!("add `[table.{into}]`")));
    };
    if dataset.id.is_some() {
        return Ok(dataset);
    }
    let says = format!("`{}` draws no key for `{into}`", map.path);
    Err(Finding::stop("HO522", into, says).help(format!("add `id` to `[table.{}]`", dataset.name)))
}

impl Register<'_> {
    /// Every line for the target.
    pub(super) async fn lines(&self, look: &Look) -> Result<Vec<Line>, Fault> {
        let reader = look.reader(self.source)?;
        let mut raw = self.raw(reader).await?;
        let route = self.route(look);
        let mapped = mapped_rows(reader, self.map, self.dataset, &route, self.target).await?;
        let lines = mapped.into_iter().filter_map(|(key, mapped)| {
            let key: Vec<String> = key.iter().map(|part| part.trim().to_owned()).collect();
            let (raw_key, held) = raw.remove(&key)?;
            Some(Line {
                name: key.join("/"),
                held,
                mapped,
                raw_key,
                key,
            })
        });
        Ok(lines.collect())
    }

    /// Lines that no organisation of the plan has: by the split column or its rules, for all targets together.
    pub(super) async fn nobodys(&self, look: &Look) -> Result<u64, Fault> {
        let Some(split) = self.split else {
            return Ok(0);
        };
        if self.map.splits.contains_key(split) {
            let (reader, route) = (look.reader(self.source)?, self.route(look));
            return Ok(nobodys(reader, self.map, self.dataset, &route).await?);
        }
        let (table, column) = split.split_once('.').unwrap_or((self.list, split));
        if table != self.list {
            return Ok(0);
        }
        let (table, column) = (Ident::new(table), Ident::new(column));
        let query = sql!("SELECT {}, count(*) FROM {} GROUP BY 1", column, table);
        let groups = look.reader(self.source)?.rows(query, Vec::new()).await?;
        let open = groups.iter().filter(|row| {
            let owner = self.map.owners.get(said(&row[0]).as_str());
            owner.is_none_or(|org| !look.plan.targets.contains(org))
        });
        let rows: i64 = open.filter_map(|row| row[1].int()).sum();
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    /// Drawn keys that stand in the target's table already.
    pub(super) async fn landed(&self, look: &Look) -> Result<BTreeSet<String>, Fault> {
        let Some(id) = &self.dataset.id else {
            return Ok(BTreeSet::new());
        };
        let query = sql!(
            "SELECT {} FROM {}",
            Ident::new(id),
            Ident::new(&self.dataset.into)
        );
        let rows = look.reader(self.target)?.rows(query, Vec::new()).await?;
        Ok(rows.iter().map(|row| said(&row[0])).collect())
    }

    /// The target key of a line.
    pub(super) fn drawn(&self, deed: &Deed, line: &Line) -> String {
        let mut message = Vec::new();
        let parts = [
            deed.run.to_string(),
            self.source.to_string(),
            self.draw.to_string(),
        ];
        for part in parts.iter().chain([&self.dataset.name]).chain(&line.key) {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part.as_bytes());
        }
        let digest = deed.key.keyed("steps/id/v1", &message);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.0[..16]);
        Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }

    /// Inserts `rows` with their drawn keys.
    pub(super) async fn insert(
        &self,
        act: &Act,
        pen: &mut Pen,
        rows: Vec<(String, Vec<Value>)>,
    ) -> Result<(), Fault> {
        let mut columns: Vec<Ident> = self.dataset.id.iter().map(|id| Ident::new(id)).collect();
        let mapped = self.dataset.columns.iter();
        columns.extend(mapped.map(|column| Ident::new(&column.into)));
        let run = Value::from(act.deed.run.to_string());
        let of_run: Vec<bool> = self
            .dataset
            .columns
            .iter()
            .map(|column| column.from == Origin::Run)
            .collect();
        let rows = rows.into_iter().map(|(id, values)| {
            let filled = values.into_iter().zip(&of_run);
            let filled = filled.map(|(value, of_run)| if *of_run { run.clone() } else { value });
            std::iter::once(Value::from(id)).chain(filled).collect()
        });
        let table = Ident::new(&self.dataset.into);
        pen.insert(&table, &columns, rows.collect()).await?;
        Ok(())
    }

    /// Sets the column that the step changes, in the one source row of `line`.
    pub(super) async fn change(
        &self,
        pen: &mut Pen,
        line: &Line,
        value: Value,
    ) -> Result<(), Fault> {
        let columns = self.dataset.key.iter().map(|column| Ident::new(column));
        let key: Vec<(Ident, Value)> = columns.zip(line.raw_key.iter().cloned()).collect();
        let set = [(Ident::new(self.changes), value)];
        let changed = pen.update(&Ident::new(self.list), &key, &set).await?;
        if changed == 1 {
            return Ok(());
        }
        let says = format!(
            "a key of `{}` names {changed} rows of `{}` where it must name one",
            self.list, self.source
        );
        Err(Fault::refused("HO534", self.list, changed, says)
            .help("mend the register's keys at the source"))
    }

    /// The value of a target column in a mapped row.
    pub(super) fn value<'a>(&self, row: &'a [Value], column: &str) -> Option<&'a Value> {
        let at = self
            .dataset
            .columns
            .iter()
            .position(|one| one.into == column)?;
        row.get(at).filter(|value| **value != Value::Null)
    }

    /// Puts `value` into a target column of a mapped row, where the map has that column.
    pub(super) fn put(&self, row: &mut [Value], column: &str, value: Value) {
        let at = self
            .dataset
            .columns
            .iter()
            .position(|one| one.into == column);
        if let Some(place) = at.and_then(|at| row.get_mut(at)) {
            *place = value;
        }
    }

    fn route(&self, look: &Look) -> Route {
        Route {
            source: self.source.clone(),
            targets: match self.split {
                Some(_) => look.plan.targets.clone(),
                None => vec![self.target.clone()],
            },
            split: self.split.map(str::to_owned),
            handover: look.plan.handover,
        }
    }

    /// Raw key values and what the changed column holds, by trimmed key.
    async fn raw(
        &self,
        reader: &OrgReader,
    ) -> Result<BTreeMap<Vec<String>, (Vec<Value>, String)>, Fault> {
        let mut columns: Vec<Ident> = self.dataset.key.iter().map(|key| Ident::new(key)).collect();
        columns.push(Ident::new(self.changes));
        let query: Sql = sql!("SELECT {} FROM {}", columns, Ident::new(self.list));
        let rows = reader.rows(query, Vec::new()).await?;
        let total = rows.len();
        let mut raw = BTreeMap::new();
        for mut row in rows {
            let held = row.pop().map(|value| said(&value)).unwrap_or_default();
            raw.insert(row.iter().map(said).collect(), (row, held));
        }
        if raw.len() == total {
            return Ok(raw);
        }
        let twice = (total - raw.len()) as u64;
        let says = format!(
            "{twice} lines of `{}` share their key with another",
            self.list
        );
        Err(Fault::refused("HO534", self.list, twice, says)
            .help("mend the register's keys at the source"))
    }
}

/// A value as trimmed text; nothing for NULL.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::Null | Value::Blob(_) => String::new(),
        Value::Int(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.trim().to_owned(),
    }
}
