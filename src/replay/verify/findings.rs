//! Findings as they add up: the first of them one by one, the rest by their number, and what is wrong never
//! lost behind what is missing. A hostile log or pack must not fill memory.
//!
//! Not here: what a finding is (`Finding`), what makes one (the rooms that look).

use super::Finding;

/// Findings kept one by one.
const FINDINGS_MAX: usize = 100;

/// The first findings, and how many more there were.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    more: u64,
}

impl Findings {
    /// Those that were kept elsewhere, and how many more there were.
    pub(super) fn kept(kept: Vec<Finding>, more: u64) -> Findings {
        Findings { kept, more }
    }

    /// Takes in one more.
    pub fn add(&mut self, finding: Finding) {
        if self.kept.len() < FINDINGS_MAX {
            self.kept.push(finding);
            return;
        }
        self.more += 1;
        if !finding.missing && !self.any_wrong() {
            self.kept.pop();
            self.kept.push(finding);
        }
    }

    /// Takes in others.
    pub fn join(&mut self, others: Findings) {
        self.extend(others.kept);
        self.more += others.more;
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }

    /// Those that are kept, and how many more there were.
    pub(super) fn told(self) -> (Vec<Finding>, u64) {
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
        assert_eq!((kept.len(), more), (FINDINGS_MAX, 1_901));
    }
}
