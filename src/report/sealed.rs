//! Whether a log is sealed, and whose eyes it has: said in every report about a run.
//!
//! Not here: whether seals hold (`replay`, `seal::check`).

use schemars::JsonSchema;
use serde::Serialize;

use crate::machine::event::ClockKind;
use crate::machine::run::Run;

/// Sealed or not, and by whom it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SealStatus {
    /// The log's verifier key; absent: nobody seals this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whose cosignatures the plan asks for, in words; absent: nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<String>,
    /// How many entries a seal with all of those covers.
    pub witnessed: u64,
    /// A rehearsal waits for no witness.
    pub rehearsal: bool,
}

impl SealStatus {
    /// Of a run.
    #[must_use]
    pub fn of(run: &Run) -> SealStatus {
        let opened = run.opened();
        let quorum = run.quorum().filter(|quorum| quorum.needed.is_some());
        SealStatus {
            key: opened.and_then(|opened| opened.log_key.clone()),
            quorum: quorum.map(crate::plan::quorum::Quorum::in_words),
            witnessed: run.witnessed(),
            rehearsal: opened.is_some_and(|opened| opened.clock == ClockKind::MadeUp),
        }
    }

    /// One sentence's body.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.key.is_none() {
            return "none: this log has no key, so nobody can prove later that it is whole"
                .to_owned();
        }
        let Some(quorum) = &self.quorum else {
            return "sealed by the project's own key; the plan asks for no witness".to_owned();
        };
        let seen = match self.witnessed {
            0 => format!("sealed, and not yet signed by {quorum}"),
            entries => format!("sealed, the first {entries} entries signed by {quorum}"),
        };
        if self.rehearsal {
            format!("{seen}; a rehearsal waits for no witness")
        } else {
            seen
        }
    }
}
