//! Rows that share a natural key: the same person at two councils, a supplier that the target knows.
//!
//! In: rows that stand, or will stand before a row comes. Out: what becomes of that row: it goes, it is
//! another name for one that stands, or everything stops until somebody has decided.
//!
//! A natural key is held as half a SHA-256 of its values, beside who has it: some hundred bytes for each
//! such row, so natural keys are for people and suppliers, not for ledgers.
//!
//! Not here: what the paper says (`plan::map`, `plan::decisions`), writing other names (`writing`).

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;

use crate::copy::value::canon::Values;
use crate::orgdb::ValueRef;
use crate::plan::decisions::{Decisions, RowRef, Verdict};
use crate::plan::digest::Digest;
use crate::plan::map::{Collision, Dataset, Map};
use crate::plan::model::Code;

pub(super) use standing::standing;
pub use standing::{Strangers, strangers};

/// A natural key's values, hashed. Never leaves the process.
pub(crate) type Name = [u8; 16];

/// Who has which natural key, by target and dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namesakes(BTreeMap<(Code, String), Known>);

type Known = HashMap<Name, SmallVec<[Namesake; 1]>>;

/// A row that stands, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namesake {
    pub(crate) row: RowRef,
    /// Its key at the target, where that is known already.
    pub(crate) target: Option<Box<str>>,
}

/// What becomes of a row that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meeting<'n> {
    /// It goes.
    Alone,
    /// It is another name for this one; the policy in words.
    Merges(&'n Namesake, &'static str),
    /// Everything stops: a code of `explain`.
    Stops(&'static str),
}

/// Rows about which nobody has decided: those that share one natural key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The dataset.
    pub dataset: String,
    /// The rows, those that stand first.
    pub rows: Vec<RowRef>,
}

impl Namesakes {
    /// Notes who has a natural key.
    pub(crate) fn add(&mut self, at: (&Code, &str), name: Name, who: Namesake) {
        let of = (at.0.clone(), at.1.to_owned());
        self.0
            .entry(of)
            .or_default()
            .entry(name)
            .or_default()
            .push(who);
    }

    /// Takes in all of another's, behind its own.
    pub fn extend(&mut self, other: &Namesakes) {
        for (of, known) in &other.0 {
            let mine = self.0.entry(of.clone()).or_default();
            for (name, rows) in known {
                mine.entry(*name).or_default().extend(rows.iter().cloned());
            }
        }
    }

    /// Those that are no rows of this organisation: within one source nothing is merged.
    pub(crate) fn without(&self, source: &Code) -> Namesakes {
        let others = |rows: &SmallVec<[Namesake; 1]>| {
            let others = rows.iter().filter(|one| one.row.org != *source);
            others.cloned().collect::<SmallVec<_>>()
        };
        let known = |known: &Known| {
            let known = known.iter().map(|(name, rows)| (*name, others(rows)));
            known.filter(|(_, rows)| !rows.is_empty()).collect()
        };
        Namesakes(
            self.0
                .iter()
                .map(|(of, all)| (of.clone(), known(all)))
                .collect(),
        )
    }

    /// Who has this natural key, in the order in which they came.
    pub(crate) fn who(&self, at: (&Code, &str), name: &Name) -> &[Namesake] {
        let known = self.0.get(&(at.0.clone(), at.1.to_owned()));
        known
            .and_then(|known| known.get(name))
            .map_or(&[], SmallVec::as_slice)
    }

    /// Tells these from all others, whatever the order in which they came.
    pub(crate) fn told(&self) -> Digest {
        let mut lines = BTreeSet::new();
        for ((target, dataset), known) in &self.0 {
            for (name, rows) in known {
                let rows: Vec<String> = rows.iter().map(|one| one.row.to_string()).collect();
                lines.insert(format!("{target} {dataset} {name:?} {rows:?}"));
            }
        }
        Digest::of(format!("{lines:?}").as_bytes())
    }
}

/// How such a name ends.
const MERGED: &str = ":merged";

/// The name under which the crosswalk knows rows of a dataset that were taken for others.
pub(crate) fn merged(dataset: &str) -> String {
    format!("{dataset}{MERGED}")
}

/// Stops a second row of one source that would be taken for the same row as the first: the two would be
/// one, and nobody has said that of rows of one register.
pub(crate) const SECOND: &str = "HO537";

/// How rows of one dataset meet others.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    dataset: Dataset,
    decisions: Decisions,
    source: Code,
    /// Where the natural key stands in a row's canonical values.
    places: Vec<usize>,
}

impl Manners {
    /// Of rows from `source` whose columns lie as `place` says; none where they meet nobody.
    pub(crate) fn of(
        (map, dataset): (&Map, &Dataset),
        source: &Code,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Option<Manners> {
        let places = dataset.natural_key.iter().map(|name| place(name));
        let places: Option<Vec<usize>> = places.collect();
        Some(Manners {
            places: places.filter(|_| dataset.meets())?,
            dataset: dataset.clone(),
            decisions: map.decisions.clone(),
            source: source.clone(),
        })
    }

    /// The dataset's name.
    pub(crate) fn dataset(&self) -> &str {
        &self.dataset.name
    }

    /// The columns of the natural key.
    pub(crate) fn columns(&self) -> String {
        self.dataset.natural_key.join("+")
    }

    /// Whether a row may be taken for another.
    pub(crate) fn merges(&self) -> bool {
        self.dataset.collision.merges()
    }

    /// A row's natural key, if it has one.
    pub(crate) fn name(&self, values: &[u8]) -> Option<Name> {
        let value = |place: &usize| Values(values).nth(*place).unwrap_or(ValueRef::Null);
        name_of(self.places.iter().map(value))
    }

    /// A row by its source key.
    pub(crate) fn row(&self, key: &[u8]) -> RowRef {
        RowRef {
            org: self.source.clone(),
            key: String::from_utf8_lossy(key).into_owned(),
        }
    }

    /// What becomes of the row with this source key and this name.
    pub(crate) fn meet<'n>(
        &self,
        known: &'n Namesakes,
        target: &Code,
        (key, name): (&[u8], &Name),
    ) -> Meeting<'n> {
        let others = known.who((target, &self.dataset.name), name);
        meeting((&self.dataset, &self.decisions), &self.row(key), others)
    }
}

/// What becomes of `row`, whose natural key the others have: by the dataset's policy, the decisions.
fn meeting<'n>(
    (dataset, decisions): (&Dataset, &Decisions),
    row: &RowRef,
    others: &'n [Namesake],
) -> Meeting<'n> {
    let Some(first) = others.first() else {
        return Meeting::Alone;
    };
    match dataset.collision {
        Collision::Namespace => Meeting::Alone,
        Collision::Refuse => Meeting::Stops("HO537"),
        Collision::KeepExisting => Meeting::Merges(first, "kept existing"),
        Collision::Decide => {
            let verdict = |other: &Namesake| decisions.verdict(&dataset.name, row, &other.row);
            let same = others.iter().find(|other| verdict(other) == Verdict::Same);
            match same {
                Some(same) => Meeting::Merges(same, "decided"),
                None if others
                    .iter()
                    .all(|other| verdict(other) == Verdict::Different) =>
                {
                    Meeting::Alone
                }
                None => Meeting::Stops("HO545"),
            }
        }
    }
}

/// The name that values make; none where one of them is missing. Spaces at the end and the engine's
/// own way to keep a number do not count.
pub(crate) fn name_of<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> Option<Name> {
    let mut hasher = Sha256::new();
    for value in values {
        let number;
        let text = match value {
            ValueRef::Text(text) | ValueRef::Blob(text) => text.trim_ascii_end(),
            ValueRef::Integer(value) => {
                number = value.to_string();
                number.as_bytes()
            }
            ValueRef::Real(value) => {
                number = value.to_string();
                number.as_bytes()
            }
            ValueRef::Null => b"",
        };
        if text.is_empty() {
            return None;
        }
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let mut name = Name::default();
    name.copy_from_slice(&hasher.finalize()[..16]);
    Some(name)
}
