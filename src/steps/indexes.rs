//! What a copy does to the target's indexes and foreign keys while it loads: whether it may, and what that
//! keeps others from.
//!
//! In: a copy, its target. Out: findings, a sentence for the preview.
//!
//! Not here: doing it (`copy`).

use std::collections::BTreeSet;

use super::data_copy::datasets;
use super::{Fault, Finding, Look};
use crate::orgdb::{DbTrouble, Dialect, Link};
use crate::plan::model::{Code, DataCopy, Indexes};

/// Why tables cannot be filled under a lock, where that is asked for.
pub(super) async fn check(look: &Look, step: &DataCopy) -> Result<Vec<Finding>, Fault> {
    if step.indexes != Indexes::RebuildLocked {
        return Ok(Vec::new());
    }
    let reader = look.reader(&step.target)?;
    if reader.dialect() != Dialect::Postgres {
        let says = format!(
            "`{}` cannot keep its tables locked while their indexes are built again: only PostgreSQL takes \
             that back with everything else",
            step.target
        );
        let help = "say `indexes = \"rebuild\"` or `\"keep\"` in the step";
        return Ok(vec![Finding::stop("HO544", "indexes", says).help(help)]);
    }
    let filled = filled(step);
    let barred = reader.with(move |link| {
        let mut barred = Vec::new();
        for table in &filled {
            if link.table(table)?.is_some() && !link.owns(table)? {
                barred.push((table.clone(), Bar::NotOwned));
            }
        }
        for parent in parents(link, &filled)? {
            if !link.may_be_parent(&parent)? {
                barred.push((parent, Bar::NoParent));
            }
        }
        Ok(barred)
    });
    let barred = barred.await?.into_iter();
    Ok(barred
        .map(|(table, bar)| bar.finding(&step.target, table))
        .collect())
}

/// What an account may not do with a table.
enum Bar {
    /// Set its indexes and foreign keys aside.
    NotOwned,
    /// Lock it, or let foreign keys refer to it.
    NoParent,
}

impl Bar {
    fn finding(self, target: &Code, table: String) -> Finding {
        let (says, help) = match self {
            Bar::NotOwned => (
                format!(
                    "this account does not own `{table}` of `{target}`, and cannot set its indexes and foreign \
                     keys aside"
                ),
                "let its owner copy, or say `indexes = \"keep\"` in the step",
            ),
            Bar::NoParent => (
                format!(
                    "foreign keys refer to `{table}` of `{target}`, which this account may not lock or not \
                     refer to"
                ),
                "grant it UPDATE and REFERENCES there, or say `indexes = \"keep\"` in the step",
            ),
        };
        Finding::stop("HO544", table, says).help(help)
    }
}

/// What the copy keeps others from, and for how long.
pub(super) async fn foretold(look: &Look, step: &DataCopy) -> Result<Option<String>, Fault> {
    if step.indexes == Indexes::Keep {
        return Ok(None);
    }
    let (reader, filled) = (look.reader(&step.target)?, filled(step));
    let asked = filled.clone();
    let parents = reader.with(move |link| parents(link, &asked)).await?;
    let beyond = if parents.is_empty() {
        String::new()
    } else {
        let parents = named(&parents);
        format!(", and so are {parents}, to which foreign keys of theirs refer")
    };
    let target = &step.target;
    Ok(Some(if step.indexes == Indexes::RebuildLocked {
        format!(
            "{} of `{target}` are one group, filled in one transaction: they are locked (ACCESS EXCLUSIVE) from \
             before their first row until all of it is durable, and nobody else reads or writes them \
             meanwhile{beyond}; behind the last row their indexes are built again and their foreign keys \
             checked, and only then does the lock go; a stop or a crash leaves all as it was, and the group \
             begins again",
            named(&filled)
        )
    } else {
        format!(
            "empty tables of `{target}` are locked for a moment before their first row{beyond}; their indexes \
             and foreign keys do not hold while they are filled, and each table is locked against \
             writes while they are built again"
        )
    }))
}

/// The tables that the copy fills.
fn filled(step: &DataCopy) -> BTreeSet<String> {
    let filled = datasets(step).into_iter();
    filled.map(|dataset| dataset.into.clone()).collect()
}

/// Others, to which foreign keys of theirs refer that may be set aside.
fn parents(link: &Link, filled: &BTreeSet<String>) -> Result<BTreeSet<String>, DbTrouble> {
    let mut parents = BTreeSet::new();
    for table in filled {
        let asked = link.parents(table)?.into_iter();
        parents.extend(asked.filter(|parent| !filled.contains(parent)));
    }
    Ok(parents)
}

fn named(tables: &BTreeSet<String>) -> String {
    let tables: Vec<String> = tables.iter().map(|name| format!("`{name}`")).collect();
    tables.join(", ")
}
