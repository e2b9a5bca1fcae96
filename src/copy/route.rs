//! The way of a transfer: from which source, to which targets, whose rows are whose.
//!
//! Not here: what becomes of a row on the way (`mapping`).

use crate::plan::model::Code;

/// How a source is read through a map, for which targets.
#[derive(Debug, Clone)]
pub struct Route {
    /// The source organisation.
    pub source: Code,
    /// The targets that share it: one for a whole transfer.
    pub targets: Vec<Code>,
    /// The column that says whose a row is; absent: every row goes to the one target.
    pub split: Option<String>,
    /// The plan's handover, for derived dates.
    pub handover: jiff::Timestamp,
}
