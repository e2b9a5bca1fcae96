//! What Handover says: data first, then text for people (drawn in 80 columns, or plain sentences for
//! screen readers) and JSON for programs. Every JSON report has `format` and a schema.
//!
//! In: previews, runs, entries, findings. Out: text that ends in a newline and holds no escape byte
//! unless colour is on.
//!
//! Not here: printing, progress bars, terminals (`cli`); what the numbers are (`preview`, `machine`).

pub mod check;
pub mod decisions;
pub mod differing;
pub mod explain;
pub mod faults;
pub mod ink;
pub mod judged;
pub mod mermaid;
pub mod moved;
pub mod preview;
pub mod progress;
pub mod proof;
pub mod reconciliation;
pub mod rest;
pub mod rollback;
pub mod schema;
pub mod sealed;
pub mod stale;
pub mod standing;
pub mod status;
mod table;
pub mod words;

pub use ink::Manner;

/// The format of JSON reports, `format` in each. An added field keeps it; any other change raises it.
pub const FORMAT: u32 = 1;

/// A report: the same facts for eyes, for ears and for programs.
pub trait Report: serde::Serialize {
    /// For people, in 80 columns.
    fn drawn(&self, manner: Manner) -> String;

    /// For screen readers and for people who turn drawing off: whole sentences.
    fn plain(&self) -> String;

    /// Text in the manner asked for.
    fn text(&self, manner: Manner) -> String {
        if manner.plain {
            self.plain()
        } else {
            self.drawn(manner)
        }
    }

    /// For programs. Nothing in a report can fail to be JSON; if it did, the error would stand there.
    fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_else(
            |fault| serde_json::json!({ "format": FORMAT, "error": fault.to_string() }),
        )
    }
}
