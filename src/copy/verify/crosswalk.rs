//! The crosswalk against the rows: each target key drawn once, each source row under one key, each row of
//! ours under its name and each name with its row; what was taken for another row was decided so.
//!
//! In: a target, a run, a source, its datasets. Out: counts by class of difference, never a key.
//!
//! The two sides are laid one under the other and grouped by key: one sorted pass in the engine, whatever
//! the size, and no join that some engine would make row by row. Only names of rows that were taken for
//! others are held in memory, as their natural keys were when they were copied.
//!
//! Not here: which tables are asked about, what a difference means for a run (`steps::verify`).

use std::collections::{BTreeMap, BTreeSet};

use crate::copy::ledger::prepared;
use crate::copy::namesakes::merged;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{DbFault, DbTrouble, Dialect, Ident, Link, OrgReader, Sql, Value, ValueRef};
use crate::plan::decisions::{Decisions, RowRef, Verdict};
use crate::plan::map::{Collision, Dataset};
use crate::plan::model::Code;
use crate::sql;
use crate::values;

/// A target table whose rows other rows find by the crosswalk.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its name.
    pub table: String,
    /// The column that holds the run, and the one that holds the source where several go into one target.
    pub mark: (String, Option<String>),
    /// The column that holds the source key, if all its datasets keep it in one.
    pub source_key: Option<String>,
    /// What fills it.
    pub datasets: Vec<Dataset>,
}

/// Whose names.
#[derive(Debug, Clone)]
pub struct Whose {
    /// The run.
    pub run: uuid::Uuid,
    /// Where the rows came from.
    pub source: Code,
    /// Where they stand.
    pub target: Code,
}

/// What was found of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walked {
    /// Rows and names that were looked at.
    pub rows: u64,
    /// Rows of the run without a name.
    pub nameless: u64,
    /// Names without a row, or drawn a second time.
    pub rowless: u64,
    /// Source rows with two target keys.
    pub twofold: u64,
    /// Source rows that were taken for others.
    pub merged: u64,
    /// Those of them that nobody decided so, whose other row does not stand, or that share it with another
    /// row of the same copy.
    pub undecided: u64,
}

impl Walked {
    /// How many differ.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.nameless + self.rowless + self.twofold + self.undecided
    }
}

/// Holds the names of each table against its rows, all of one moment. A table without a key of one column
/// is left out: its keys are nobody's name.
///
/// # Errors
/// When the database refuses; `NoSuch` for a table that is not there.
pub async fn walked(
    reader: &OrgReader,
    whose: Whose,
    (named, decisions): (Vec<Named>, Decisions),
) -> Result<BTreeMap<String, Walked>, DbFault> {
    let reader = reader.another().await?;
    let work = move |link: &Link| {
        let mut found = BTreeMap::new();
        if !prepared(link)? {
            return Ok(found);
        }
        link.begin(Begin::Read)?;
        for named in &named {
            if let Some(key) = key_of(link, named)? {
                let book = Book {
                    link,
                    whose: &whose,
                    named,
                    key: &key,
                };
                found.insert(named.table.clone(), book.walked(&decisions)?);
            }
        }
        link.commit()?;
        Ok(found)
    };
    reader.with(work).await
}

/// The column that names rows.
fn key_of(link: &Link, named: &Named) -> Result<Option<String>, DbTrouble> {
    let drawn = named.datasets.iter().find_map(|one| one.id.clone());
    if drawn.is_some() {
        return Ok(drawn);
    }
    let table = link.table(&named.table)?;
    let table = table.ok_or_else(|| DbTrouble::NoSuch(named.table.clone()))?;
    let [key] = table.key.as_slice() else {
        return Ok(None);
    };
    Ok(Some(key.clone()))
}

/// One table with its names.
struct Book<'c> {
    link: &'c Link,
    whose: &'c Whose,
    named: &'c Named,
    key: &'c str,
}

impl Book<'_> {
    fn walked(&self, decisions: &Decisions) -> Result<Walked, DbTrouble> {
        let mut found = self.sides()?;
        found.twofold = self.twofold()?;
        for dataset in &self.named.datasets {
            self.taken(dataset, decisions, &mut found)?;
        }
        Ok(found)
    }

    /// Rows and names under one another: a name counts one, as a row that was taken for another counts
    /// one less, since its name is that other's.
    fn sides(&self) -> Result<Walked, DbTrouble> {
        let dialect = self.link.dialect();
        let (run, source) = &self.named.mark;
        let text = |column: &str| as_text(dialect, &Ident::new(column));
        let told = self.named.source_key.as_deref();
        let nothing = || Sql::new("''");
        let mine = match source {
            Some(source) => sql!("{} = ?1 AND {} = ?2", Ident::new(run), Ident::new(source)),
            None => sql!("{} = ?1", Ident::new(run)),
        };
        let query = sql!(
            "SELECT count(*),
                    sum(CASE WHEN n < r THEN r - n ELSE 0 END),
                    sum(CASE WHEN n > r THEN n - r WHEN n > 1 THEN n - 1 ELSE 0 END)
             FROM (SELECT sum(is_row) AS r, sum(is_name) AS n FROM (
               SELECT {} AS k, {} AS s, 1 AS is_row, 0 AS is_name FROM {} WHERE {}
               UNION ALL SELECT {}, {}, 0, 1 FROM handover_key
                 WHERE run = ?1 AND org = ?2 AND dataset IN ({}) AND undone_at IS NULL
               UNION ALL SELECT {}, {}, 0, -1 FROM handover_key
                 WHERE run = ?1 AND org = ?2 AND dataset IN ({}) AND undone_at IS NULL
             ) AS sides GROUP BY k, s) AS keyed",
            text(self.key),
            told.map_or_else(nothing, text),
            Ident::new(&self.named.table),
            mine,
            text("target_key"),
            told.map_or_else(nothing, |_| text("source_key")),
            self.places(3, 0),
            text("target_key"),
            told.map_or_else(nothing, |_| text("source_key")),
            self.places(3, 1)
        );
        let row = self.link.row(&query, &self.asked())?.unwrap_or_default();
        let number = |at: usize| row.get(at).map_or(0, number);
        Ok(Walked {
            rows: number(0),
            nameless: number(1),
            rowless: number(2),
            ..Walked::default()
        })
    }

    /// Source rows that the crosswalk knows by two keys.
    fn twofold(&self) -> Result<u64, DbTrouble> {
        let dialect = self.link.dialect();
        let text = |column: &str| as_text(dialect, &Ident::new(column));
        let query = sql!(
            "SELECT count(*) FROM (SELECT dataset FROM handover_key
               WHERE run = ?1 AND org = ?2 AND dataset IN ({}) AND undone_at IS NULL
               GROUP BY dataset, source_key HAVING count(DISTINCT {}) > 1) AS twofold",
            self.places(3, 0),
            text("target_key")
        );
        let names = self.named.datasets.len();
        let asked = &self.asked()[..2 + names];
        let row = self.link.row(&query, asked)?.unwrap_or_default();
        Ok(row.first().map_or(0, number))
    }

    /// Rows of a dataset that were taken for others: each under its own name, too, beside a row that
    /// stands and for which it may be taken.
    fn taken(
        &self,
        dataset: &Dataset,
        decisions: &Decisions,
        found: &mut Walked,
    ) -> Result<(), DbTrouble> {
        let other = merged(&dataset.name);
        let mut taken: BTreeMap<RowRef, String> = BTreeMap::new();
        let (mut once, mut again) = (BTreeSet::new(), BTreeSet::new());
        self.names(&other, |row, target, step| {
            if !once.insert((step, target.clone())) {
                again.insert(row.clone());
            }
            taken.insert(row, target);
        })?;
        if taken.is_empty() {
            return Ok(());
        }
        let targets: BTreeSet<&String> = taken.values().collect();
        let (mut standing, mut known) = (BTreeMap::new(), BTreeSet::new());
        self.names(&dataset.name, |row, target, _| match taken.get(&row) {
            Some(under) if *under == target => drop(known.insert(row)),
            None if targets.contains(&target) => drop(standing.insert(target, row)),
            _ => {}
        })?;
        let strangers = self.strangers(&targets, &standing)?;
        let mine = taken.iter().filter(|(row, _)| row.org == self.whose.source);
        for (row, target) in mine {
            let first = standing.get(target).cloned();
            let stranger = || RowRef {
                org: self.whose.target.clone(),
                key: target.clone(),
            };
            let first = first.or_else(|| strangers.contains(target).then(stranger));
            let decided = match (dataset.collision, first) {
                (Collision::KeepExisting, Some(_)) => true,
                (Collision::Decide, Some(first)) => {
                    decisions.verdict(&dataset.name, row, &first) == Verdict::Same
                }
                _ => false,
            };
            found.merged += 1;
            let sound = decided && known.contains(row) && !again.contains(row);
            found.undecided += u64::from(!sound);
        }
        Ok(())
    }

    /// Which of these keys, that no row of ours has, stand in the table: rows of its own people.
    fn strangers(
        &self,
        targets: &BTreeSet<&String>,
        standing: &BTreeMap<String, RowRef>,
    ) -> Result<BTreeSet<String>, DbTrouble> {
        let mut found = BTreeSet::new();
        if targets.iter().all(|target| standing.contains_key(*target)) {
            return Ok(found);
        }
        let query = sql!(
            "SELECT {} FROM {}",
            as_text(self.link.dialect(), &Ident::new(self.key)),
            Ident::new(&self.named.table)
        );
        self.link.stream(&query, &[], |row| {
            let key = text(row.get(0));
            if targets.contains(&key) && !standing.contains_key(&key) {
                found.insert(key);
            }
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        Ok(found)
    }

    /// Every source's row under one name: whose it is, its target key, the step that noted it.
    fn names(
        &self,
        name: &str,
        mut see: impl FnMut(RowRef, String, String),
    ) -> Result<(), DbTrouble> {
        let query = Sql::new(
            "SELECT org, source_key, target_key, step FROM handover_key
             WHERE run = ?1 AND dataset = ?2 AND undone_at IS NULL",
        );
        let asked = values![self.whose.run.to_string(), name];
        let asked: Vec<ValueRef<'_>> = asked.iter().map(Value::lend).collect();
        self.link.each(&query, &asked, |row| {
            let at = RowRef {
                org: Code::from(text(row.get(0))),
                key: text(row.get(1)),
            };
            see(at, text(row.get(2)), text(row.get(3)));
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })
    }

    /// The run, the source, the names of datasets, those of what was taken for others.
    fn asked(&self) -> Vec<Value> {
        let mut asked = values![self.whose.run.to_string(), &*self.whose.source].to_vec();
        let datasets = self.named.datasets.iter();
        let names = datasets.clone().map(|one| one.name.clone().into());
        asked.extend(names.chain(datasets.map(|one| merged(&one.name).into())));
        asked
    }

    /// Places of as many values as there are datasets, the first or the second time.
    fn places(&self, from: usize, time: usize) -> Sql {
        let count = self.named.datasets.len();
        Sql::places(from + time * count, count)
    }
}

/// A key as text, told apart byte by byte.
fn as_text(dialect: Dialect, column: &Ident) -> Sql {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => sql!("CAST({} AS TEXT)", column),
        Dialect::Mariadb => sql!("CAST(CONVERT({} USING utf8mb4) AS BINARY)", column),
    }
}

/// A count, which a server may give as a decimal.
fn number(value: &Value) -> u64 {
    let number = value.int().and_then(|number| u64::try_from(number).ok());
    let told = || value.text().and_then(|text| text.parse().ok());
    number.or_else(told).unwrap_or(0)
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(_) | ValueRef::Null => String::new(),
    }
}
