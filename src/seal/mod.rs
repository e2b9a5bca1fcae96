//! Seals: signed heads of a step log, and what others sign about them. Everything that an auditor must
//! be able to check with tools that are not ours is here, in formats that are not ours either.
//!
//! ```text
//! lines --Tree--> root --Head--> text --LogKey--> seal (a signed note)
//!                                          |
//!      request file --Ledger::judge--> cosignature line --> seal with more lines --> Quorum
//! ```
//!
//! The tree is RFC 6962's (RFC 9162 describes the same one); notes, checkpoints, cosignatures, request
//! files, proof files and policies are C2SP's (signed-note, tlog-checkpoint, tlog-cosignature,
//! tlog-witness, tlog-proof, tlog-policy; commit 5ba5ee8). A C2SP *checkpoint* is called a seal here:
//! a checkpoint is a place to which a run can be rolled back.
//!
//! Pure: bytes in, bytes out. Not here: files, journals, clocks, randomness.

mod above;
mod base64;
pub mod check;
pub mod cosign;
pub mod head;
pub mod key;
pub mod note;
pub mod policy;
pub mod proof;
pub mod request;
pub mod silence;
pub mod tlog_proof;
pub mod tree;
pub mod witness;

pub use self::check::{Finding, SealCheck, Trust};
pub use self::cosign::Cosignature;
pub use self::head::{Head, NoHead, Seal};
pub use self::key::{LogKey, NoKey, WitnessKey};
pub use self::note::{NoNote, Note};
pub use self::policy::{NoPolicy, Policy};
pub use self::proof::{NoProof, Proof};
pub use self::request::{NoRequest, Request};
pub use self::silence::{Drive, Silence, Silences};
pub use self::tlog_proof::TlogProof;
pub use self::tree::Tree;
pub use self::witness::{Judged, Ledger, Refusal};
pub use crate::plan::quorum::{Group, Quorum, Witness};
pub use crate::plan::vkey::{KeyKind, NoVkey, Vkey};
