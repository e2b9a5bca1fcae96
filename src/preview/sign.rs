//! Signing: a person says yes to a paper (or to a rollback's preview) in a role, for an organisation,
//! with a reason. All named seats, distinct people, holders of the role on the day, never the author.
//!
//! Out: a [`Signature`] whose statement digest enters the log (`approval.granted`); the words stay in
//! the preview file.
//!
//! Not here: gates of a run (`machine` holds those), cryptographic signatures.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::model::{FileFault, Preview, Signature};
use super::rollback::RollbackPreview;
use crate::machine::event::{Method, On};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan, Seat};
use crate::plan::outline::Holder;

/// Who wants to sign, in which role, why, when.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The person's code.
    pub person: &'a str,
    /// The role they sign in.
    pub role: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The real moment: what the signature says.
    pub at: Timestamp,
    /// The plan's time: the day on which the role must be held.
    pub as_at: Timestamp,
    /// Digest of an evidence file.
    pub evidence: Option<Digest>,
}

/// Why somebody may not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignFault {
    /// No signature is asked of that role.
    #[error("no signature is asked of the role `{role}`")]
    NotAsked {
        /// The role.
        role: Code,
    },
    /// The person does not hold the role on the day.
    #[error("`{person}` does not hold the role `{role}` on that day")]
    NotHeld {
        /// The person's code.
        person: Code,
        /// The role.
        role: Code,
    },
    /// The person wrote the plan.
    #[error("`{person}` wrote the plan, and an author decides nothing in it")]
    Author {
        /// The person's code.
        person: Code,
    },
    /// The seat is filled.
    #[error("the role `{role}` has signed already{}", of(.org.as_ref()))]
    Filled {
        /// The role.
        role: Code,
        /// For which organisation.
        org: Option<Code>,
    },
    /// The person has signed in another role.
    #[error("`{person}` has signed in another role; each signature needs a different person")]
    Twice {
        /// The person's code.
        person: Code,
    },
}

impl SignFault {
    /// The code of its `explain` page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SignFault::NotAsked { .. } => "HO407",
            SignFault::NotHeld { .. } => "HO403",
            SignFault::Author { .. } => "HO404",
            SignFault::Filled { .. } => "HO408",
            SignFault::Twice { .. } => "HO405",
        }
    }
}

fn of(org: Option<&Code>) -> String {
    org.map_or(String::new(), |org| format!(" for `{org}`"))
}

/// What a decision says, word for word. Its digest is all that enters the log.
#[derive(Debug, Clone, Serialize)]
pub struct Statement<'a> {
    /// `granted` or `refused`.
    pub decision: &'a str,
    /// What about.
    pub on: &'a On,
    /// Who, by code.
    pub person: &'a str,
    /// In which role.
    pub role: &'a str,
    /// For which organisation.
    pub org: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When, really.
    pub at: Timestamp,
    /// Digest of an evidence file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
}

impl Statement<'_> {
    /// The statement as RFC 8785 JSON.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Text keys, texts and a moment: always JSON.
        serde_json_canonicalizer::to_vec(self).unwrap_or_default()
    }

    /// SHA-256 of [`Statement::bytes`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes())
    }
}

/// Signs a preview's paper and adds the signature to it.
///
/// # Errors
/// See [`SignFault`]: HO403 to HO408. The preview is then as it was.
pub fn sign(preview: &mut Preview, plan: &Plan, ask: &Ask<'_>) -> Result<Signature, SignFault> {
    let on = paper(preview.paper.fingerprint);
    let house = House::of(plan);
    let signature = house.signature(&preview.seats, &preview.signatures, &on, ask)?;
    preview.signatures.push(signature.clone());
    Ok(signature)
}

/// Signs a rollback's preview and adds the signature to it.
///
/// # Errors
/// As [`sign`].
pub fn sign_rollback(
    preview: &mut RollbackPreview,
    plan: &Plan,
    ask: &Ask<'_>,
) -> Result<Signature, SignFault> {
    let on = rollback(preview.digest());
    let house = House::of(plan);
    let signature = house.signature(&preview.seats, &preview.signatures, &on, ask)?;
    preview.signatures.push(signature.clone());
    Ok(signature)
}

/// Seats of the plan that have not signed this preview.
#[must_use]
pub fn missing(preview: &Preview, plan: &Plan) -> Vec<Seat> {
    unfilled(&plan.signed_by, &preview.signatures)
}

/// Seats among `seats` that no signature fills.
#[must_use]
pub fn unfilled(seats: &[Seat], signatures: &[Signature]) -> Vec<Seat> {
    let filled: BTreeSet<&Seat> = signatures.iter().map(|signature| &signature.seat).collect();
    let open = seats.iter().filter(|seat| !filled.contains(seat));
    open.cloned().collect()
}

/// What a paper signature is about.
pub(super) fn paper(paper: Digest) -> On {
    On::Paper { paper }
}

/// What a rollback signature is about.
pub(super) fn rollback(preview: Digest) -> On {
    On::Rollback { preview }
}

/// Every signature still carries the digest of the statement it makes.
pub(super) fn unedited(signatures: &[Signature], on: fn(Digest) -> On) -> Result<(), FileFault> {
    let edited = |signature: &&Signature| {
        let on = on(signature.signed);
        said(signature, &on).digest() != signature.statement
    };
    match signatures.iter().find(edited) {
        Some(signature) => Err(FileFault::Edited {
            person: signature.person.clone(),
        }),
        None => Ok(()),
    }
}

fn said<'a>(signature: &'a Signature, on: &'a On) -> Statement<'a> {
    Statement {
        decision: "granted",
        on,
        person: &signature.person,
        role: &signature.seat.role,
        org: &signature.org,
        reason: &signature.reason,
        at: signature.at,
        evidence: signature.evidence,
    }
}

/// Who may decide in a plan.
struct House<'a> {
    author: &'a Code,
    holders: &'a [Holder],
}

impl<'a> House<'a> {
    fn of(plan: &'a Plan) -> House<'a> {
        House {
            author: &plan.author,
            holders: &plan.outline.holders,
        }
    }

    fn signature(
        &self,
        seats: &[Seat],
        signed: &[Signature],
        on: &On,
        ask: &Ask<'_>,
    ) -> Result<Signature, SignFault> {
        let (person, role): (Code, Code) = (ask.person.into(), ask.role.into());
        if !seats.iter().any(|seat| seat.role == role) {
            return Err(SignFault::NotAsked { role });
        }
        if *self.author == person {
            return Err(SignFault::Author { person });
        }
        let (seat, org) = self.seat(seats, signed, ask)?;
        if signed.iter().any(|signature| signature.person == person) {
            return Err(SignFault::Twice { person });
        }
        let mut signature = Signature {
            seat,
            person,
            org,
            reason: ask.reason.to_owned(),
            at: ask.at,
            method: Method::Recorded,
            signed: match on {
                On::Paper { paper } => *paper,
                On::Rollback { preview } => *preview,
                On::Gate { .. } => Digest::ZERO,
            },
            statement: Digest::ZERO,
            evidence: ask.evidence,
        };
        signature.statement = said(&signature, on).digest();
        Ok(signature)
    }

    /// The first open seat that a role held on the day fills, and the organisation acted for. A seat
    /// that names no organisation takes any holder.
    fn seat(
        &self,
        seats: &[Seat],
        signed: &[Signature],
        ask: &Ask<'_>,
    ) -> Result<(Seat, Code), SignFault> {
        let mut filled = None;
        for holder in self.holders.iter().filter(|holder| holds(holder, ask)) {
            let fits = |seat: &&Seat| {
                seat.role == holder.role && seat.org.as_ref().is_none_or(|org| *org == holder.org)
            };
            for seat in seats.iter().filter(fits) {
                if signed.iter().any(|signature| signature.seat == *seat) {
                    filled = Some(seat.org.clone());
                } else {
                    return Ok((seat.clone(), holder.org.clone()));
                }
            }
        }
        Err(match filled {
            Some(org) => SignFault::Filled {
                role: ask.role.into(),
                org,
            },
            None => SignFault::NotHeld {
                person: ask.person.into(),
                role: ask.role.into(),
            },
        })
    }
}

fn holds(holder: &Holder, ask: &Ask<'_>) -> bool {
    &*holder.person == ask.person
        && &*holder.role == ask.role
        && holder.from.is_none_or(|from| from <= ask.as_at)
        && holder.to.is_none_or(|to| ask.as_at < to)
}
