//! Whose a row is: by the code in a column, its own or a parent's; by rules, judged at the row itself or at
//! the row that it leads to; by who needs it.
//!
//! In: a route, a map, a scanned line. Out: targets by their place in the route, or why it is nobody's.
//!
//! Not here: the rules (`rules`), who needs a row (`needs`).

use std::borrow::Cow;

use foldhash::HashMap;

use super::cell::trimmed;
use super::program::Papers;
use super::rules::Rules;
use super::sight::{Line, Sight, Slot};
use crate::orgdb::{DbTrouble, Link, ValueRef};
use crate::plan::map::{ColumnRef, Split};

/// Why a row goes nowhere that goes where it is needed.
const NOT_NEEDED: &str = "not needed";

/// Why a row belongs to nobody that leads to no row that could say whose it is.
const ORPHAN: &str = "orphan";

/// Whose a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This target's.
    Target(usize),
    /// These targets'.
    Several(Vec<usize>),
    /// Nobody's, for a reason.
    Nobody(String),
}

impl Owner {
    /// Of those who need it.
    pub(super) fn of(targets: Vec<usize>) -> Owner {
        match targets.as_slice() {
            [] => Owner::Nobody(NOT_NEEDED.to_owned()),
            [one] => Owner::Target(*one),
            _ => Owner::Several(targets),
        }
    }

    /// The targets whose it is, by their place in the route.
    pub(crate) fn targets(&self) -> &[usize] {
        match self {
            Owner::Target(target) => std::slice::from_ref(target),
            Owner::Several(targets) => targets,
            Owner::Nobody(_) => &[],
        }
    }
}

/// What tells whose the rows of a table are.
pub(super) struct Whose {
    told: Told,
    /// Ways to parents that telling takes.
    ways: Vec<usize>,
    /// By code of a column or of an organisation: the target, if it is one of ours.
    owners: HashMap<String, Option<usize>>,
}

enum Told {
    /// Nothing is shared out: all is the one target's.
    Nothing,
    /// A code in a column.
    Code(Slot),
    /// Rules, at the row itself.
    Rules(Rules),
    /// What rules said of the row that this one leads to.
    Verdict(Slot),
}

impl Whose {
    /// What tells whose the rows of the sight's table are; `by_owner` or not at all.
    pub(super) fn compile(
        link: &Link,
        papers: &Papers<'_>,
        (sight, table): (&mut Sight, &str),
        by_owner: bool,
    ) -> Result<Whose, DbTrouble> {
        let (map, relations) = (papers.map, &papers.map.relations);
        let split = papers.route.split.as_deref().filter(|_| by_owner);
        let rules = split.and_then(|split| map.splits.get(split));
        let told = match (split, rules) {
            (None, _) => Told::Nothing,
            (_, Some(rules)) if rules.table == table => {
                Told::Rules(Rules::compile(link, relations, sight, rules)?)
            }
            (_, Some(rules)) => Told::Verdict(sight.verdict(link, relations, rules)?),
            (Some(split), None) => {
                Told::Code(sight.slot(link, relations, &column(split, table))?)
            }
        };
        let ways = match &told {
            Told::Code(Slot::Parent(way, _)) | Told::Verdict(Slot::Parent(way, _)) => vec![*way],
            Told::Rules(rules) => rules.ways.clone(),
            _ => Vec::new(),
        };
        Ok(Whose {
            told,
            ways,
            owners: match rules {
                Some(rules) => by_rule(papers, rules),
                None => by_code(papers),
            },
        })
    }

    /// Whether rows are shared out at all.
    pub(super) fn shares(&self) -> bool {
        !matches!(self.told, Told::Nothing)
    }

    /// The ways to parents that must be gone before it can be told.
    pub(super) fn ways(&self) -> &[usize] {
        &self.ways
    }

    /// Whose a line is.
    #[inline]
    pub(super) fn of<'r>(&self, line: Line<'r>) -> Cow<'r, Owner> {
        match &self.told {
            Told::Nothing => Cow::Owned(Owner::Target(0)),
            Told::Code(slot) => line.owner(*slot, || self.by_code(line, *slot)),
            Told::Rules(rules) => Cow::Owned(self.by_verdict(&rules.verdict(line))),
            Told::Verdict(slot) => line.owner(*slot, || match line.raw(*slot) {
                ValueRef::Text(verdict) => self.by_verdict(&String::from_utf8_lossy(verdict)),
                _ => Owner::Nobody(ORPHAN.to_owned()),
            }),
        }
    }

    fn by_code(&self, line: Line<'_>, slot: Slot) -> Owner {
        let mut scratch = Vec::new();
        let code = trimmed(line.raw(slot), false, &mut scratch).unwrap_or_default();
        match self.owners.get(code.as_ref()) {
            Some(Some(target)) => Owner::Target(*target),
            _ if code.is_empty() && !line.is_whole(slot) => Owner::Nobody(ORPHAN.to_owned()),
            _ => Owner::Nobody(format!("owner \"{code}\"")),
        }
    }

    fn by_verdict(&self, verdict: &str) -> Owner {
        match self.owners.get(verdict) {
            Some(Some(target)) => Owner::Target(*target),
            // An organisation of the rules that gets nothing by this copy.
            Some(None) => Owner::Nobody(format!("for {verdict}")),
            None => Owner::Nobody(verdict.to_owned()),
        }
    }
}

/// `table.column`, or a column of the dataset's own table.
fn column(split: &str, table: &str) -> ColumnRef {
    let (table, column) = split.split_once('.').unwrap_or((table, split));
    ColumnRef {
        table: table.to_owned(),
        column: column.to_owned(),
    }
}

/// Each code of the split column, and the target it stands for if that is one of ours. A code that
/// the map does not name may be an organisation's own.
fn by_code(papers: &Papers<'_>) -> HashMap<String, Option<usize>> {
    let targets = &papers.route.targets;
    let place = |code: &str| targets.iter().position(|target| &**target == code);
    let mut owners: HashMap<String, Option<usize>> = HashMap::default();
    if papers.map.owners.is_empty() {
        owners.extend(
            targets
                .iter()
                .enumerate()
                .map(|(at, code)| (code.to_string(), Some(at))),
        );
    }
    for (code, org) in &papers.map.owners {
        owners.insert(code.trim().to_owned(), place(org));
    }
    owners
}

/// Each organisation of the rules, and its place if it is one of ours.
fn by_rule(papers: &Papers<'_>, rules: &Split) -> HashMap<String, Option<usize>> {
    let targets = &papers.route.targets;
    let place = |code: &str| targets.iter().position(|target| &**target == code);
    let owners = rules.rules.iter().map(|rule| &rule.owner);
    owners.map(|org| (org.to_string(), place(org))).collect()
}
