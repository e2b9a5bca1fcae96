//! From a step log alone to the state of its run at any moment, and to a verdict on the log.
//!
//! ```text
//! lines --parse--> entries --chain--> scheduler asked --apply--> Run
//! papers --plan::read--> outlines ----------^
//! ```
//!
//! In: the lines of a log (an exported `steps.jsonl`, or a journal's), and its papers by fingerprint.
//! Out: the `Run` that they fold into, or the first [`Divergence`](fold::Divergence); from `verify`, a
//! report with findings by code, a verdict, and what is *not* proven. It streams: memory does not grow
//! with the log.
//!
//! A log that is exported stands alone: a folder with `steps.jsonl` and `papers/<sha256>`, read by
//! `journal::LogFolder`.
//!
//! Not here: the organisations' databases (nobody needs them to replay), printing (`report`).

pub mod approvals;
pub mod fold;
pub mod papers;
pub mod totals;
pub mod verify;
