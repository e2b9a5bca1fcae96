//! Findings as they add up: the first of them one by one, the rest by their number in each layer, and what is
//! wrong never lost behind what is missing. A hostile log or pack must not fill memory.
//!
//! Not here: what a finding is (`Finding`), what makes one (the rooms that look).

use std::collections::BTreeMap;

use super::{Finding, Layer};

/// Findings kept one by one.
const FINDINGS_MAX: usize = 100;

/// The first findings, and how many more there were.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    more: More,
}

/// How many findings there were beyond those that are kept, by what they are about: a layer of which none is
/// kept is not clear for that.
pub type More = BTreeMap<Layer, u64>;

impl Findings {
    /// Those that were kept elsewhere, and how many more there were.
    pub(super) fn kept(kept: Vec<Finding>, more: More) -> Findings {
        Findings { kept, more }
    }

    /// Takes in one more.
    pub fn add(&mut self, finding: Finding) {
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(finding);
            return;
        }
        let spared = if finding.missing || self.any_wrong() {
            Some(finding)
        } else {
            let last = self.kept.pop();
            self.kept.push(finding);
            last
        };
        if let Some(spared) = spared {
            *self.more.entry(spared.layer()).or_default() += 1;
        }
    }

    /// Takes in others.
    pub fn join(&mut self, others: Findings) {
        self.extend(others.kept);
        for (layer, more) in others.more {
            *self.more.entry(layer).or_default() += more;
        }
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }

    /// Those that are kept, and how many more there were.
    pub(super) fn told(self) -> (Vec<Finding>, More) {
        (self.kept, self.more)
    }

    /// Whether something is wrong, rather than missing.
    pub(super) fn any_wrong(&self) -> bool {
        self.kept.iter().any(|finding| !finding.missing)
    }
}

impl Extend<Finding> for Findings {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Findings {
        let mut all = Findings::default();
        all.extend(findings);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_however_much_is_missing_before_it() {
        let mut all = Findings::default();
        all.extend((0..2_000).map(|_| Finding::missing("ATTACHMENT", None, "not at hand")));
        all.add(Finding::wrong("ATTACHMENT", None, "another one"));
        let (kept, more) = all.told();
        assert!(kept.iter().any(|finding| !finding.missing));
        assert_eq!(kept.len(), FINDINGS_MAX);
        assert_eq!(more, BTreeMap::from([(Layer::Pack, 1_901)]));
    }

    #[test]
    fn what_is_not_kept_is_counted_where_it_belongs() {
        let wrong = |code, n| (0..n).map(move |_| Finding::wrong(code, None, "so"));
        let mut all: Findings = wrong("BACKDATED", 150).collect();
        all.join(wrong("CHAIN_BREAK", 2).collect());
        all.join(wrong("PATH", 130).collect());
        let (kept, more) = all.told();
        assert_eq!(kept.len(), FINDINGS_MAX);
        let layers = [(Layer::Pack, 130), (Layer::File, 2), (Layer::Replay, 50)];
        assert_eq!(more, BTreeMap::from(layers));
    }
}
