//! What a step did, as rows that came and rows that went; done again on top of other rows.

use std::collections::BTreeMap;

use super::rows::Held;

/// How many more (or fewer) of each row there are, by table; files that came.
pub(super) struct Change(BTreeMap<String, BTreeMap<String, i64>>);

impl Change {
    /// What leads from `before` to `after`.
    pub(super) fn between(before: &Held, after: &Held) -> Change {
        let mut change: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for (held, step) in [(before, -1), (after, 1)] {
            for (name, rows) in held {
                let counts = change.entry(name.clone()).or_default();
                for row in rows {
                    *counts.entry(row.clone()).or_default() += step;
                }
            }
        }
        for counts in change.values_mut() {
            counts.retain(|_, more| *more != 0);
        }
        change.retain(|_, counts| !counts.is_empty());
        Change(change)
    }

    /// Does the same to other rows.
    pub(super) fn put_on(&self, held: &mut Held) {
        for (name, counts) in &self.0 {
            let rows = held.entry(name.clone()).or_default();
            for (row, more) in counts {
                for _ in 0..*more {
                    rows.push(row.clone());
                }
                for _ in *more..0 {
                    let at = rows.iter().position(|found| found == row);
                    rows.swap_remove(at.expect("a row that a step took away is there"));
                }
            }
            rows.sort_unstable();
        }
    }
}
