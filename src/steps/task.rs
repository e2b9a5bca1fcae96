//! `task`: a person does it and says so. The machine's gate has their word; here the evidence that
//! the plan asks for is looked for, since missing evidence is never reported as fine.
//!
//! Not here: who may say it is done (`machine`).

use super::{Finding, Forecast, Look};
use crate::plan::model::Task;

pub(super) fn check(look: &Look, step: &Task) -> Vec<Finding> {
    let (Some(evidence), Some(run)) = (&step.evidence, &look.run) else {
        return Vec::new();
    };
    if !run.evidence.is_empty() {
        return Vec::new();
    }
    let says = format!("the task asks for evidence ({evidence}) and none was handed in");
    let help = format!("handover approve RUN {} --evidence FILE", look.step().id);
    vec![Finding::stop("HO531", "evidence", says).help(help)]
}

pub(super) fn preview(step: &Task) -> Forecast {
    let hands_in = step.evidence.iter();
    Forecast {
        line: "done by a person".to_owned(),
        notes: hands_in.map(|what| format!("hands in: {what}")).collect(),
        ..Forecast::default()
    }
}
