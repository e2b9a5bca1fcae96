//! Conditions and the rules of a split, compiled: evaluated here for every engine alike, on values as they
//! were read, never by a server, whose collations differ.
//!
//! In: a map's conditions, a scanned line. Out: whether they hold; which rules take a row, and so whose it is.
//!
//! Not here: what a test holds of a text (`plan::condition`), rows that lead to a judged one (`gather`).

use std::borrow::Cow;

use super::cell::trimmed;
use super::sight::{Line, Sight, Slot};
use crate::copy::tables::position::{Position, Wanted};
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Link, Value, ValueRef};
use crate::plan::map::{ColumnRef, Condition, Relation, Split, Takes, Test};

/// A condition, compiled.
pub(super) struct Passes {
    slot: Slot,
    test: Test,
}

impl Passes {
    /// Compiles conditions; `slot` finds their columns.
    pub(super) fn compile(
        conditions: &[Condition],
        slot: &mut dyn FnMut(&ColumnRef) -> Result<Slot, DbTrouble>,
    ) -> Result<Vec<Passes>, DbTrouble> {
        let compiled = conditions.iter().map(|condition| {
            Ok(Passes {
                slot: slot(&condition.column)?,
                test: condition.test.clone(),
            })
        });
        compiled.collect()
    }

    /// Whether the line passes.
    pub(super) fn holds(&self, line: Line<'_>) -> bool {
        let mut scratch = Vec::new();
        let raw = line.raw(self.slot);
        let text =
            (raw != ValueRef::Null).then(|| trimmed(raw, true, &mut scratch).unwrap_or_default());
        self.test.holds(text.as_deref())
    }
}

/// The rules of a split, compiled for the table whose rows they judge.
pub(super) struct Rules {
    split: Split,
    /// By rule: what must hold, nothing for the one that takes all others.
    tests: Vec<Option<Vec<Passes>>>,
    /// Ways to parents that the rules take.
    pub(super) ways: Vec<usize>,
}

impl Rules {
    /// Compiles rules for the table that `sight` is of.
    pub(super) fn compile(
        link: &Link,
        relations: &[Relation],
        sight: &mut Sight,
        split: &Split,
    ) -> Result<Rules, DbTrouble> {
        let mut ways = Vec::new();
        let mut slot = |column: &ColumnRef| {
            let slot = sight.slot(link, relations, column)?;
            if let Slot::Parent(way, _) = slot {
                ways.push(way);
            }
            Ok(slot)
        };
        let mut tests = Vec::new();
        for rule in &split.rules {
            tests.push(match &rule.takes {
                Takes::Where(conditions) => Some(Passes::compile(conditions, &mut slot)?),
                Takes::Otherwise => None,
            });
        }
        ways.sort_unstable();
        ways.dedup();
        Ok(Rules {
            split: split.clone(),
            tests,
            ways,
        })
    }

    /// The rules that take a line, by their place among the rules.
    fn takers(&self, line: Line<'_>) -> Vec<usize> {
        let all = |tests: &[Passes]| tests.iter().all(|test| test.holds(line));
        let taken = |tests: &Option<Vec<Passes>>| tests.as_deref().is_some_and(all);
        let tests = || self.tests.iter().enumerate();
        let takers: Vec<usize> = tests()
            .filter(|(_, tests)| taken(tests))
            .map(|(at, _)| at)
            .collect();
        if !takers.is_empty() {
            return takers;
        }
        let rest = tests().find(|(_, tests)| tests.is_none());
        rest.map(|(at, _)| at).into_iter().collect()
    }

    /// Whose a line is: an organisation's code, or why it is nobody's, which no code looks like.
    pub(super) fn verdict(&self, line: Line<'_>) -> Cow<'_, str> {
        match self.split.owners(&self.takers(line)).as_slice() {
            [] => Cow::Borrowed("no rule"),
            [owner] => Cow::Borrowed(*owner),
            several => {
                let several: Vec<&str> = several.iter().map(|owner| &***owner).collect();
                Cow::Owned(format!("claimed by {}", several.join(" and ")))
            }
        }
    }
}

/// A row of the table that rules judge.
pub(crate) struct Judged<'r> {
    line: Line<'r>,
    slots: &'r [Slot],
    rules: &'r Rules,
}

impl<'r> Judged<'r> {
    /// The columns that were asked for.
    pub(super) fn columns(&self) -> impl Iterator<Item = ValueRef<'r>> {
        let line = self.line;
        self.slots.iter().map(move |slot| line.raw(*slot))
    }

    /// Whose the row is, in a word.
    pub(super) fn verdict(&self) -> Cow<'r, str> {
        self.rules.verdict(self.line)
    }

    /// The rules that take it, by their place among the rules.
    pub(crate) fn takers(&self) -> Vec<usize> {
        self.rules.takers(self.line)
    }
}

/// Goes through the table that a split's rules judge, with some of its columns.
pub(crate) fn each_judged(
    link: &Link,
    relations: &[Relation],
    split: &Split,
    columns: &[String],
    mut see: impl FnMut(Judged<'_>) -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    let mut sight = Sight::new(link, &split.table)?;
    let rules = Rules::compile(link, relations, &mut sight, split)?;
    let mut slots = Vec::new();
    for column in columns {
        let column = ColumnRef {
            table: split.table.clone(),
            column: column.clone(),
        };
        slots.push(sight.slot(link, relations, &column)?);
    }
    let mut parents = sight.open(link, relations)?;
    let (text, values) = sight.scan(Wanted::Behind(&Position::start()));
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    link.stream(&text, &values, |row| {
        let held = row.hold();
        let row = row.or_held(&held);
        parents.go_on(row, &[])?;
        see(Judged {
            line: sight.line(row, &parents),
            slots: &slots,
            rules: &rules,
        })?;
        Ok(Flow::Continue(()))
    })
}
