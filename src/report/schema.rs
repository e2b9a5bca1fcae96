//! JSON Schemas of what `--json` prints, by the name of the report: made from the same types.
//!
//! Not here: the schema of plan files (`plan`) and of log entries (`machine`).

use schemars::{JsonSchema, Schema, schema_for};

use super::check::CheckReport;
use super::decisions::DecisionsReport;
use super::explain::ExplainReport;
use super::proof::ProofReport;
use super::reconciliation::ReconciliationReport;
use super::rest::RestReport;
use super::stale::StaleReport;
use super::status::StatusReport;
use crate::preview::{Preview, RollbackPreview};

/// Every report that has a JSON form, by name.
pub const NAMES: [&str; 10] = [
    "preview",
    "rollback-preview",
    "check",
    "stale",
    "status",
    "rest",
    "decisions",
    "proof",
    "reconciliation",
    "explain",
];

/// The schema of a report; `None` where there is no such report.
#[must_use]
pub fn schema(name: &str) -> Option<Schema> {
    Some(match name {
        "preview" => of::<Preview>(),
        "rollback-preview" => of::<RollbackPreview>(),
        "check" => of::<CheckReport>(),
        "stale" => of::<StaleReport>(),
        "status" => of::<StatusReport>(),
        "rest" => of::<RestReport>(),
        "decisions" => of::<DecisionsReport>(),
        "proof" => of::<ProofReport>(),
        "reconciliation" => of::<ReconciliationReport>(),
        "explain" => of::<ExplainReport>(),
        _ => return None,
    })
}

fn of<T: JsonSchema>() -> Schema {
    schema_for!(T)
}
