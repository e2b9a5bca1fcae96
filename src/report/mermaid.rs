//! The plan's graph as Mermaid text, to paste into a wiki: one box a step, one subgraph a phase.
//!
//! Not here: drawing it.

use std::fmt::Write as _;

use crate::plan::model::Plan;
use crate::plan::outline::StepId;

/// The graph, deterministic: the same plan gives the same text.
#[must_use]
pub fn graph(plan: &Plan) -> String {
    let mut text = String::from("flowchart LR\n");
    for (at, phase) in plan.phases.iter().enumerate() {
        let _ = writeln!(text, "  subgraph p{at}[\"{}\"]", safe(&phase.name));
        for step in plan.steps.iter().filter(|step| step.phase == at) {
            let title = safe(&step.title);
            let _ = writeln!(text, "    {}[\"{}<br/>{title}\"]", id(&step.id), step.id);
        }
        text.push_str("  end\n");
    }
    for step in &plan.outline.steps {
        for before in &step.after {
            let _ = writeln!(text, "  {} --> {}", id(before), id(&step.id));
        }
    }
    text
}

fn id(step: &StepId) -> String {
    step.as_str().replace(['/', '-'], "_")
}

fn safe(text: &str) -> String {
    text.replace('"', "#quot;").replace(['<', '>'], " ")
}
