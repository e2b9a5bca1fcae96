//! What a fresh look at the databases shows that the signed preview did not. Rows come and go between
//! a signature and a run: that is told. What nobody has seen who signed (a fault that stops a step,
//! homes beyond the plan's tolerance) is not run.
//!
//! In: two previews of one paper. Out: differences.
//!
//! Not here: papers that changed (`stale`), what came out of a run (`compare`).

use std::collections::{BTreeMap, BTreeSet};

use super::model::{FindingSaid, Preview};
use super::reading::Reading;
use crate::copy::counts::Counts;
use crate::plan::model::Code;
use crate::plan::outline::StepId;

/// How the databases differ from what the preview was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// What would stop a step, and stood in nobody's way then.
    pub stops: Vec<FindingSaid>,
    /// Homes read then and now, where they are further apart than the plan allows, and how far it does.
    pub homes: Option<(u64, u64, u64)>,
    /// Numbers that came out otherwise.
    pub drifts: Vec<Drift>,
}

/// One number that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Whose rows.
    pub org: Code,
    /// The dataset.
    pub dataset: String,
    /// `to copy`, `kept back`, `left out` or `pence`.
    pub what: &'static str,
    /// When the preview was read.
    pub then: i128,
    /// Now.
    pub now: i128,
}

impl Moved {
    /// Whether those who signed must look again.
    #[must_use]
    pub fn lapses(&self) -> bool {
        !self.stops.is_empty() || self.homes.is_some()
    }
}

/// A preview as far as the rows of some steps go: what it says of the others is left out of its reading.
#[must_use]
pub fn of_rows(mut preview: Preview, of: impl Fn(&StepId) -> bool) -> Preview {
    preview.steps.retain(|step| of(&step.id));
    preview.reading = Reading::of(&preview.steps, &preview.findings);
    if let Some(homes) = &mut preview.homes {
        homes.found = preview.reading.homes();
    }
    preview
}

/// Holds a fresh look against a signed preview of the same paper.
#[must_use]
pub fn moved(signed: &Preview, fresh: &Preview) -> Moved {
    let known = |new: &&FindingSaid| {
        let same = |old: &FindingSaid| {
            (&old.code, &old.about, &old.says) == (&new.code, &new.about, &new.says)
        };
        signed.findings.iter().any(same)
    };
    let stops = fresh.findings.iter().filter(|finding| finding.stops);
    Moved {
        stops: stops.filter(|finding| !known(finding)).cloned().collect(),
        homes: homes(signed, fresh),
        drifts: drifts(signed, fresh),
    }
}

type Sets = BTreeMap<Code, BTreeMap<String, Counts>>;

fn homes(signed: &Preview, fresh: &Preview) -> Option<(u64, u64, u64)> {
    let then = signed.reading.homes().unwrap_or(0);
    let now = fresh.reading.homes().unwrap_or(0);
    let allowed = fresh.homes.as_ref()?.tolerance;
    (then.abs_diff(now) > allowed).then_some((then, now, allowed))
}

fn drifts(signed: &Preview, fresh: &Preview) -> Vec<Drift> {
    let (then, now) = (&signed.reading.orgs, &fresh.reading.orgs);
    let orgs: BTreeSet<&Code> = then.keys().chain(now.keys()).collect();
    let mut drifts = Vec::new();
    for org in orgs {
        let of = |reading: &Sets, dataset: &str| {
            let counts = reading.get(org).and_then(|sets| sets.get(dataset));
            counts.cloned().unwrap_or_default()
        };
        let sets = then.get(org).into_iter().chain(now.get(org));
        let datasets: BTreeSet<&String> = sets.flat_map(|sets| sets.keys()).collect();
        for dataset in datasets {
            let (old, new) = (of(then, dataset), of(now, dataset));
            let moved = numbers(&old).into_iter().zip(numbers(&new));
            drifts.extend(
                moved
                    .filter(|(old, new)| old != new)
                    .map(|((what, then), (_, now))| Drift {
                        org: org.clone(),
                        dataset: dataset.clone(),
                        what,
                        then,
                        now,
                    }),
            );
        }
    }
    drifts
}

fn numbers(counts: &Counts) -> [(&'static str, i128); 5] {
    [
        ("to copy", counts.copied.into()),
        ("kept back", counts.rejected.values().sum::<u64>().into()),
        ("left out", counts.filtered.values().sum::<u64>().into()),
        ("merged", counts.merged.values().sum::<u64>().into()),
        ("pence", counts.pence.values().sum()),
    ]
}
