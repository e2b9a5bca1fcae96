//! Rows of a dataset by what became of them.
//!
//! Not here: judging them (`mapping`), sums over them that people ask for (`look::slices`).

use std::collections::BTreeMap;

/// Rows of one dataset for one target, by class; copied + rejected + filtered + merged = routed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Would be (or were) written.
    pub copied: u64,
    /// Cannot go, by rule code and column: `("HO511", "tenure") -> 13`.
    pub rejected: BTreeMap<String, u64>,
    /// Left out on purpose, by reason.
    pub filtered: BTreeMap<String, u64>,
    /// Stand in the target as another row that was there before, by policy: `kept existing`, `decided`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub merged: BTreeMap<String, u64>,
    /// Mended on the way, by what and column: `nul notes`, `encoding surname`, `null bedrooms`; a
    /// reference into the own dataset that found nothing is `HO505 parent_asset_id`.
    #[serde(default)]
    pub mended: BTreeMap<String, u64>,
    /// Sum of each decimal column with scale 2 over copied rows, in pence.
    pub pence: BTreeMap<String, i128>,
}

impl Counts {
    /// Rows that belong to the target: copied + rejected + filtered + merged.
    #[must_use]
    pub fn routed(&self) -> u64 {
        let classes = [&self.rejected, &self.filtered, &self.merged];
        let behind = classes.into_iter().flat_map(BTreeMap::values);
        self.copied + behind.sum::<u64>()
    }

    /// Adds what became of further lines: those that went are counted as they are written.
    pub(crate) fn add_left(&mut self, further: &Counts) {
        let pairs = [
            (&mut self.rejected, &further.rejected),
            (&mut self.filtered, &further.filtered),
            (&mut self.merged, &further.merged),
            (&mut self.mended, &further.mended),
        ];
        for (all, new) in pairs {
            for (name, rows) in new {
                *all.entry(name.clone()).or_default() += rows;
            }
        }
    }
}

/// One more under a name, without making the name anew.
pub(crate) fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(rows) => *rows += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}
