//! Rules that say whose rows are, where no code in a column does: by ranges or beginnings of references, by
//! wards and postcodes, by several columns together.
//!
//! In: a map's `[[split.TABLE]]`. Out: rules for the rows of that table, and all that leads to them.
//!
//! Not here: reading them (`map_split`), judging rows by them (`copy::mapping`).

use super::condition::Condition;
use super::model::{Code, Place};

/// Whose the rows of a table are, and of all that leads to it, by rules. A row belongs to the organisation
/// whose rules take it: to nobody where no rule does, or those of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The table whose rows the rules judge.
    pub table: String,
    /// The rules in the file's order.
    pub rules: Vec<SplitRule>,
    /// Where they begin.
    pub place: Place,
}

/// One rule of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitRule {
    /// Whose the rows are that it takes.
    pub owner: Code,
    /// Which those are.
    pub takes: Takes,
    /// Where it stands.
    pub place: Place,
}

/// Which rows a rule takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// Those of which all of these hold.
    Where(Vec<Condition>),
    /// Those that no other rule takes.
    Otherwise,
}

impl Split {
    /// Every condition of every rule.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.rules.iter().flat_map(|rule| match &rule.takes {
            Takes::Where(conditions) => conditions.as_slice(),
            Takes::Otherwise => &[],
        })
    }

    /// The organisations of these rules, each once.
    #[must_use]
    pub fn owners(&self, rules: &[usize]) -> Vec<&Code> {
        let rules = rules.iter().filter_map(|at| self.rules.get(*at));
        let mut owners: Vec<&Code> = rules.map(|rule| &rule.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}
