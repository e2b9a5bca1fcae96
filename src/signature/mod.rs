//! Approvals that can be checked without us: OpenSSH signatures (`sshsig`) over statements in canonical
//! JSON, made and checked with `ssh-keygen -Y sign` and `-Y verify` or with this room.
//!
//! In come bytes from strangers: signatures, statements, keys, lists of signers. Out go values that were
//! checked, or why they are refused. Every input is bounded before it is read, and nothing here panics.
//!
//! Reading order: `statement` says what is signed, `sshsig` the signature over it, `proof` holds both, `allowed_signers` whose
//! key is whose and until when, `check` holds a log's decisions against all three. `private_key` signs
//! with a key file.
//!
//! Not here: files, clocks, randomness (they come in as arguments); seals and witnesses (`seal`); whether
//! a decision may be made at all (`machine`).

pub mod allowed_signers;
mod armour;
pub mod check;
pub mod private_key;
pub mod proof;
pub mod sshsig;
pub mod statement;

pub use crate::plan::public_key::{KeyFault, PublicKey};
pub use allowed_signers::{AllowedSigners, NotAllowed, Signer};
pub use check::{Claim, Evidence, Finding, check};
pub use private_key::{PrivateKey, PrivateKeyFault};
pub use proof::{NoProof, Proof};
pub use sshsig::{SigFault, Sshsig};
pub use statement::{After, Nonce, Second, Statement, StatementFault, Verdict, Window};
