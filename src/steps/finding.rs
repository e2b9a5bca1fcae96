//! A finding of live data as a fault of the plan, so that `check` says both in the same shape.
//!
//! Not here: finding it (each kind's `check`), drawing it (`report::faults`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Finding;
use crate::plan::fault::{Fault, PlanFaults, Severity};
use crate::plan::model::Plan;

impl Finding {
    /// The finding as a fault; gather several with [`faults`].
    #[must_use]
    pub fn fault(&self) -> Fault {
        let severity = if self.stops {
            Severity::Error
        } else {
            Severity::Warning
        };
        let place = self.place.as_ref();
        Fault::live(
            self.code, severity, place, &self.says, &self.help, &self.rows,
        )
    }
}

/// Findings of several steps, in the order of the lines of the plan's papers they are about.
#[must_use]
pub fn faults<'a>(plan: &Plan, findings: impl IntoIterator<Item = &'a Finding>) -> PlanFaults {
    let found: Vec<Fault> = findings.into_iter().map(Finding::fault).collect();
    let texts: BTreeMap<String, Arc<str>> = plan
        .papers
        .iter()
        .filter_map(|(path, _)| Some((path.to_owned(), plan.papers.text(path)?.into())))
        .collect();
    PlanFaults::gather(&plan.name, found, texts)
}
