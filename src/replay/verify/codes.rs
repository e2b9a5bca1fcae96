//! The finding codes of `verify`, each with the layer it belongs to: the one place where what other rooms
//! call a fault becomes the auditor's word for it.
//!
//! Not here: when something is found (`reader`, `seals`, `signed`; `export` for packs; `run` for databases).

/// What is checked, in this order. Each layer holds without the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The pack's lists, its papers, its annex, what is derived.
    Pack,
    /// The lines: form, order, chain.
    File,
    /// Whose log it is.
    Trust,
    /// The signed heads over the lines.
    Seal,
    /// What people outside signed about those heads.
    Witness,
    /// The scheduler run again.
    Replay,
    /// Signatures under decisions.
    Approval,
    /// The organisations' databases, or what their ledgers held at the close.
    Data,
}

impl Layer {
    /// Every layer, in the order of checking.
    pub const ALL: [Layer; 8] = [
        Layer::Pack,
        Layer::File,
        Layer::Trust,
        Layer::Seal,
        Layer::Witness,
        Layer::Replay,
        Layer::Approval,
        Layer::Data,
    ];

    /// The layer that a code belongs to.
    #[must_use]
    pub fn of(code: &str) -> Layer {
        match code {
            "BAG" | "PATH" | "PLAN_DIGEST" | "ATTACHMENT" | "EXPORT_DRIFT" | "PII_LEAK"
            | "MANIFEST" | "NO_LOG" | "OTHER_VERSION" => Layer::Pack,
            "CHAIN_BREAK" | "SEQ" | "NOT_CANONICAL" | "TORN" | "EMPTY" | "NEWER" | "UNREADABLE"
            | "ANCHOR" => Layer::File,
            "UNTRUSTED_KEY" | "NO_KEY" => Layer::Trust,
            "ROOT_MISMATCH" | "TRUNCATED" | "BAD_SEAL" | "BAD_SIGNATURE" | "EQUIVOCATION"
            | "BAD_PROOF" | "UNSEALED" | "UNCLOSED" => Layer::Seal,
            "ROLLED_BACK_LOG" | "INCONSISTENT" | "UNCOSIGNED" | "NO_QUORUM" | "TIME_ORDER" => {
                Layer::Witness
            }
            "BAD_APPROVAL" | "REPLAYED_APPROVAL" | "KEY_EXPIRED" | "ROLE" | "FORKED_APPROVAL" => {
                Layer::Approval
            }
            "PHANTOM_COMMIT" | "UNLOGGED_EFFECT" | "EFFECT_MISMATCH" | "MANIFEST_MISMATCH"
            | "SOURCE_DRIFT" | "ROLLBACK_ROOT" => Layer::Data,
            _ => Layer::Replay,
        }
    }

    /// What a claim about this layer is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Layer::Pack => "pack",
            Layer::File => "record",
            Layer::Trust => "trust",
            Layer::Seal => "seals",
            Layer::Witness => "witnesses",
            Layer::Replay => "replay",
            Layer::Approval => "approvals",
            Layer::Data => "live data",
        }
    }
}

/// The word of the auditor's guide for a code of the machine's law, where it has another.
pub(super) fn told(code: &'static str) -> &'static str {
    match code {
        // Somebody else's entry was put in; a rollback that nobody could have begun.
        "OTHER_RUN" => "SEQ",
        "ROLLBACK" => "STATE",
        // Something began although a refusal stood.
        "REFUSED" => "UNAPPROVED",
        // The note from outside is of a longer log, or of another.
        "ANCHOR" => "ROLLED_BACK_LOG",
        other => other,
    }
}

/// Whether a code of the record alone says that evidence is missing rather than wrong.
pub(super) fn is_missing(code: &str) -> bool {
    matches!(
        code,
        "NO_PAPER" | "NEWER" | "UNCLOSED" | "UNREADABLE" | "EMPTY"
    )
}
