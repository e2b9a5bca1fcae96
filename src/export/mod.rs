//! A run for others: the evidence pack that an auditor keeps, and the views that process-mining and
//! lineage tools read.
//!
//! ```text
//! step log + papers ----views---> OCEL, XES, CSV, OpenLineage    (derived, never evidence)
//!        |                              |
//!        +------------- pack -----------+---> a BagIt folder that explains itself
//! seals, approvals, effects ----^
//! ```
//!
//! In: a log (a run's, or an exported one) and what is kept beside it. Out: files, the same bytes every
//! time. Everything is made from the log alone; no clock is read and no database is asked.
//!
//! Not here: what a log proves (`replay`), the council's databases, printing (`cli`).

pub mod bag;
pub mod disclose;
pub mod leaks;
pub mod pack;
pub mod stamp;
pub mod views;
