//! What a right copy of a made-up world comes to, kept while its rows are made.
//!
//! Not here: anything that reads a map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// By target, then dataset.
    pub targets: BTreeMap<String, BTreeMap<String, DatasetTruth>>,
    /// Rows that belong to nobody: by source table, then `orphan` or `owner "XYZ"`.
    pub unrouted: BTreeMap<String, Tally>,
    /// How often each mess occurs.
    pub messes: Tally,
    /// By target.
    pub staff: BTreeMap<String, StaffTruth>,
    /// By target, then route.
    pub contracts: BTreeMap<String, BTreeMap<String, ContractTruth>>,
    /// By target.
    pub letters: BTreeMap<String, LetterTruth>,
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

/// Letters of the purpose `transfer` for one target, by the rules of notification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterTruth {
    /// People considered.
    pub people: u64,
    /// By property of the person: `deceased`, `gone-away`, `safe-contact`.
    pub marked: Tally,
}
