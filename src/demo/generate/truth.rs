//! What a right copy of a made-up world comes to, kept while its rows are made.
//!
//! Not here: anything that reads a map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Spec;

/// Counts by name.
pub type Tally = BTreeMap<String, u64>;

/// The whole of `truth.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The plan's name.
    pub world: String,
    /// The seed.
    pub seed: u64,
    /// Dwellings asked for.
    pub homes: u32,
    /// Rent years asked for.
    pub years: u32,
    /// Rows of each source table.
    pub source: Tally,
    /// By target (where several sources share one: by source), then dataset.
    pub targets: BTreeMap<String, BTreeMap<String, DatasetTruth>>,
    /// Rows that belong to nobody: by source table, then `orphan` or `owner "XYZ"`.
    pub unrouted: BTreeMap<String, Tally>,
    /// How often each mess occurs.
    pub messes: Tally,
    /// By the same.
    pub staff: BTreeMap<String, StaffTruth>,
    /// Employees assigned to no target.
    pub unassigned_staff: u64,
    /// By the same, then route.
    pub contracts: BTreeMap<String, BTreeMap<String, ContractTruth>>,
    /// By the same.
    pub letters: BTreeMap<String, LetterTruth>,
}

impl Truth {
    /// Of nothing yet.
    pub(super) fn of(spec: &Spec) -> Truth {
        Truth {
            world: spec.world.plan().to_owned(),
            seed: spec.seed,
            homes: spec.homes,
            years: spec.years,
            ..Truth::default()
        }
    }

    /// Takes in what one more source comes to.
    pub(super) fn add(&mut self, part: Truth) {
        add(&mut self.source, part.source);
        add(&mut self.messes, part.messes);
        for (table, reasons) in part.unrouted {
            add(self.unrouted.entry(table).or_default(), reasons);
        }
        self.targets.extend(part.targets);
        self.staff.extend(part.staff);
        self.unassigned_staff += part.unassigned_staff;
        self.contracts.extend(part.contracts);
        self.letters.extend(part.letters);
    }
}

fn add(sums: &mut Tally, more: Tally) {
    for (name, count) in more {
        *sums.entry(name).or_default() += count;
    }
}

/// One dataset for one target: copied + rejected + filtered = its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetTruth {
    /// Rows that arrive.
    pub copied: u64,
    /// Rows kept back as data, by `class target_column`: `date starts_on`, `lookup tenancy_id`.
    pub rejected: Tally,
    /// Rows left out on purpose, by reason.
    pub filtered: Tally,
    /// Sum of money columns over copied rows, in pence.
    pub pence: BTreeMap<String, i64>,
}

/// What a staff transfer to one target comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffTruth {
    /// Assigned, not objecting, still employed.
    pub transferring: u64,
    /// Assigned, but objected.
    pub objectors: u64,
    /// Left before.
    pub left: u64,
}

/// Contracts of one route for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractTruth {
    /// How many.
    pub contracts: u64,
    /// Those with all three signature dates.
    pub signed: u64,
}

/// What notifying one target's tenants comes to, by the class of the letter. Words: `letter`, `email`,
/// `by hand REASON`, `nothing REASON`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterTruth {
    /// Members left out as deleted.
    pub deleted: u64,
    /// A notice that the law asks for.
    pub legal: Tally,
    /// News.
    pub service: Tally,
}

/// Whose a source row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A target, by its position in the world.
    Target(usize),
    /// Nobody: why (`orphan`, `owner "ZZZ"`). Where nothing is split, all the same the one target's.
    Nobody(&'static str),
}

/// What becomes of a source row in one dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Copied,
    Rejected(&'static str),
    Filtered(&'static str),
}

/// The truth while it grows: keyed by words of ours, so that counting a row allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Books {
    split: bool,
    source: BTreeMap<&'static str, u64>,
    fates: BTreeMap<(usize, &'static str), BTreeMap<Fated, u64>>,
    pence: BTreeMap<(usize, &'static str, &'static str), i64>,
    unrouted: BTreeMap<(&'static str, &'static str), u64>,
    messes: BTreeMap<&'static str, u64>,
}

type Fated = (u8, &'static str);

impl Books {
    pub(super) fn new(split: bool) -> Books {
        Books {
            split,
            ..Books::default()
        }
    }

    /// The target a row goes to, if any.
    pub(super) fn target(&self, owner: Owner) -> Option<usize> {
        match owner {
            Owner::Target(target) => Some(target),
            Owner::Nobody(_) if self.split => None,
            Owner::Nobody(_) => Some(0),
        }
    }

    /// A row of a register that no dataset of the homes map reads.
    pub(super) fn plain(&mut self, table: &'static str) {
        *self.source.entry(table).or_default() += 1;
    }

    /// A source row was made, and this is what becomes of it.
    pub(super) fn row(
        &mut self,
        table: &'static str,
        owner: Owner,
        fates: &[(&'static str, Fate)],
    ) {
        self.rows(table, owner, fates, 1);
    }

    /// Several rows of one sort.
    pub(super) fn rows(
        &mut self,
        table: &'static str,
        owner: Owner,
        fates: &[(&'static str, Fate)],
        count: u64,
    ) {
        *self.source.entry(table).or_default() += count;
        let Some(target) = self.target(owner) else {
            if let Owner::Nobody(why) = owner {
                *self.unrouted.entry((table, why)).or_default() += count;
            }
            return;
        };
        for (dataset, fate) in fates {
            let class = match fate {
                Fate::Copied => (0, ""),
                Fate::Rejected(class) => (1, *class),
                Fate::Filtered(reason) => (2, *reason),
            };
            *self
                .fates
                .entry((target, dataset))
                .or_default()
                .entry(class)
                .or_default() += count;
        }
    }

    /// Money of a copied row.
    pub(super) fn pence(
        &mut self,
        owner: Owner,
        dataset: &'static str,
        column: &'static str,
        pence: i64,
    ) {
        if let Some(target) = self.target(owner) {
            *self.pence.entry((target, dataset, column)).or_default() += pence;
        }
    }

    /// A mess occurred.
    pub(super) fn mess(&mut self, name: &'static str) {
        *self.messes.entry(name).or_default() += 1;
    }

    /// The grown truth, with organisations by code.
    pub(super) fn close(self, codes: &[&str], truth: &mut Truth) {
        let named = |map: BTreeMap<&'static str, u64>| -> Tally {
            map.into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect()
        };
        truth.source = named(self.source);
        truth.messes = named(self.messes);
        for ((target, dataset), fates) in self.fates {
            let datasets = truth.targets.entry(codes[target].to_owned()).or_default();
            let dataset = datasets.entry(dataset.to_owned()).or_default();
            for ((class, word), count) in fates {
                match class {
                    0 => dataset.copied = count,
                    1 => drop(dataset.rejected.insert(word.to_owned(), count)),
                    _ => drop(dataset.filtered.insert(word.to_owned(), count)),
                }
            }
        }
        for ((target, dataset, column), pence) in self.pence {
            let datasets = truth.targets.entry(codes[target].to_owned()).or_default();
            let dataset = datasets.entry(dataset.to_owned()).or_default();
            dataset.pence.insert(column.to_owned(), pence);
        }
        for ((table, why), count) in self.unrouted {
            truth
                .unrouted
                .entry(table.to_owned())
                .or_default()
                .insert(why.to_owned(), count);
        }
    }
}
