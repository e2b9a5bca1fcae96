//! A statement and the signature over it, as files bring them: together they prove a decision.
//!
//! Not here: whether the decision fits a run (`machine`) or a preview (`preview`).

use super::private_key::PrivateKey;
use super::sshsig::{SigFault, Sshsig};
use super::statement::{Statement, StatementFault};
use crate::plan::digest::Digest;
use crate::plan::public_key::PublicKey;

/// The bytes of both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The statement: exactly what was signed.
    pub statement: Vec<u8>,
    /// The armoured signature.
    pub signature: Vec<u8>,
}

/// Why two files prove nothing.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The statement is none of ours.
    #[error(transparent)]
    Statement(#[from] StatementFault),
    /// The signature is none, or over something else.
    #[error(transparent)]
    Signature(#[from] SigFault),
}

impl Proof {
    /// Signs a statement with a key that is at hand.
    #[must_use]
    pub fn made(statement: &Statement, key: &PrivateKey) -> Proof {
        let bytes = statement.bytes();
        let signature = key.sign(statement.namespace(), &bytes);
        Proof {
            statement: bytes,
            signature: signature.into_bytes(),
        }
    }

    /// What was signed, and with which key: the signature holds.
    ///
    /// # Errors
    /// When either file is damaged, or they do not belong together.
    pub fn opened(&self) -> Result<(Statement, PublicKey), NoProof> {
        let statement = Statement::parse(&self.statement)?;
        let signature = Sshsig::parse(&self.signature)?;
        let key = signature.verify(statement.namespace(), &self.statement)?;
        Ok((statement, key.clone()))
    }

    /// SHA-256 of the signature's file.
    #[must_use]
    pub fn signature_digest(&self) -> Digest {
        Digest::of(&self.signature)
    }
}
