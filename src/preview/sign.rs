//! Signing: a person says yes to a paper (or to a rollback's preview) in a role, for an organisation,
//! with a reason. All named seats, distinct people, holders of the role on the day, never the author.
//!
//! Out: a [`Signature`] whose statement digest enters the log (`approval.granted`); the words stay in
//! the preview file.
//!
//! A signature is somebody's recorded word, or one made with their key over a statement in canonical
//! form (`signature`): then anybody can check it with `ssh-keygen`.
//!
//! Not here: gates of a run (`machine` holds those).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::model::{FileFault, Preview, Signature, SshsigSaid};
use super::rollback::RollbackPreview;
use crate::machine::event::{Method, On};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan, Seat};
use crate::plan::outline::{Holder, Outline};
use crate::plan::public_key::PublicKey;
use crate::signature::statement::{self, About, Window};
use crate::signature::{NoProof, Proof};

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
    /// What they signed with their key; without it their word is recorded.
    pub proof: Option<&'a Proof>,
}

/// Why somebody may not sign.
#[derive(Debug, thiserror::Error)]
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
    /// The files they handed in prove nothing.
    #[error(transparent)]
    NoProof(#[from] NoProof),
    /// They signed something else.
    #[error("what was signed is another decision: {0} differs")]
    Other(&'static str),
    /// They signed what no longer counts, or does not count yet.
    #[error("what was signed counts {}", .0.told())]
    Window(Window),
    /// With another key.
    #[error("the key that signed is not the one that `people.toml` has for `{person}`")]
    Key {
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
            SignFault::NoProof(_) | SignFault::Other(_) | SignFault::Key { .. } => "HO410",
            SignFault::Window(_) => "HO411",
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
/// See [`SignFault`]: HO403 to HO408, HO410 and HO411. The preview is then as it was.
pub fn sign(preview: &mut Preview, plan: &Plan, ask: &Ask<'_>) -> Result<Signature, SignFault> {
    let house = House::of(plan);
    let signature = house.signature(&Sheet::of(preview), ask)?;
    preview.signatures.push(signature.clone());
    Ok(signature)
}

/// What somebody signs with their key under a preview, within `window`.
///
/// # Errors
/// As [`sign`].
pub fn to_sign(
    preview: &Preview,
    plan: &Plan,
    ask: &Ask<'_>,
    window: Window,
) -> Result<statement::Statement, SignFault> {
    let sheet = Sheet::of(preview);
    let signature = House::of(plan).recorded(&sheet, ask)?;
    Ok(sheet.statement(&signature, window))
}

/// What somebody signs with their key under a rollback's preview, within `window`.
///
/// # Errors
/// As [`sign`].
pub fn to_sign_rollback(
    preview: &RollbackPreview,
    plan: &Plan,
    ask: &Ask<'_>,
    window: Window,
) -> Result<statement::Statement, SignFault> {
    let sheet = Sheet::of_rollback(preview);
    let signature = House::of(plan).recorded(&sheet, ask)?;
    Ok(sheet.statement(&signature, window))
}

/// Seats that signed without a key although the plan asks for one; a rehearsal may do with that.
#[must_use]
pub fn only_recorded(preview: &Preview, plan: &Plan) -> Vec<Seat> {
    let signs = |signature: &&Signature| {
        signature.method == Method::Recorded && plan.outline.signed.contains(&signature.seat.role)
    };
    let recorded = preview.signatures.iter().filter(signs);
    recorded.map(|signature| signature.seat.clone()).collect()
}

/// The first signature under a preview that does not count any more at `at` (the wall clock) and `as_at`
/// (the plan's time), and why: its time is over, or the signer has left the role.
#[must_use]
pub fn lapsed<'p>(
    preview: &'p Preview,
    plan: &Plan,
    (at, as_at): (Timestamp, Timestamp),
) -> Option<(&'p Signature, SignFault)> {
    let paper = preview.paper.fingerprint;
    let mut ours = preview.signatures.iter().filter(|one| one.signed == paper);
    ours.find_map(|signature| {
        let proof = signature.proof();
        let made = proof.as_ref().and_then(|proof| proof.opened().ok());
        let over = made.map(|(made, _)| made.window);
        if let Some(window) = over.filter(|window| !window.holds(at)) {
            return Some((signature, SignFault::Window(window)));
        }
        let mut holders = plan.outline.holders.iter();
        let who = (&signature.person, &signature.seat.role, &signature.org);
        let holds = holders.any(|holder| holder.sits(who, as_at));
        let left = SignFault::NotHeld {
            person: signature.person.clone(),
            role: signature.seat.role.clone(),
        };
        (!holds).then_some((signature, left))
    })
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
    let house = House::of(plan);
    let signature = house.signature(&Sheet::of_rollback(preview), ask)?;
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
        match signature.proof() {
            None => {
                signature.method != Method::Recorded
                    || said(signature, &on).digest() != signature.statement
            }
            Some(proof) => !proves(&proof, signature, &on),
        }
    };
    match signatures.iter().find(edited) {
        Some(signature) => Err(FileFault::Edited {
            person: signature.person.clone(),
        }),
        None => Ok(()),
    }
}

/// Who signed this paper with a key signed all that stands beside it.
pub(super) fn same_shown(preview: &Preview) -> Result<(), FileFault> {
    let paper = preview.paper.fingerprint;
    let mut ours = preview.signatures.iter().filter(|one| one.signed == paper);
    let other = ours.find(|signature| {
        let proof = signature.proof();
        let made = proof.as_ref().and_then(|proof| proof.opened().ok());
        made.is_some_and(|(made, _)| made.reading != Some(preview.shown))
    });
    other.map_or(Ok(()), |signature| {
        Err(FileFault::Edited {
            person: signature.person.clone(),
        })
    })
}

/// The signature holds, and is over what its entry in the preview says.
fn proves(proof: &Proof, signature: &Signature, on: &On) -> bool {
    let Ok((made, _)) = proof.opened() else {
        return false;
    };
    let sheet = Sheet {
        seats: &[],
        signatures: &[],
        on: on.clone(),
        reading: made.reading,
    };
    signature.method == Method::Sshsig
        && Digest::of(&proof.statement) == signature.statement
        && made == sheet.statement(signature, made.window)
}

/// What lies before whoever signs.
struct Sheet<'a> {
    seats: &'a [Seat],
    signatures: &'a [Signature],
    on: On,
    reading: Option<Digest>,
}

impl<'a> Sheet<'a> {
    fn of(preview: &'a Preview) -> Sheet<'a> {
        Sheet {
            seats: &preview.seats,
            signatures: &preview.signatures,
            on: paper(preview.paper.fingerprint),
            reading: Some(preview.shown),
        }
    }

    fn of_rollback(preview: &'a RollbackPreview) -> Sheet<'a> {
        Sheet {
            seats: &preview.seats,
            signatures: &preview.signatures,
            on: rollback(preview.digest()),
            reading: None,
        }
    }

    fn digest(&self) -> Digest {
        match &self.on {
            On::Paper { paper } => *paper,
            On::Rollback { preview } => *preview,
            On::Gate { .. } => Digest::ZERO,
        }
    }

    fn statement(&self, signature: &Signature, window: Window) -> statement::Statement {
        statement::Statement {
            about: match &self.on {
                On::Rollback { preview } => About::Rollback { rollback: *preview },
                On::Paper { .. } | On::Gate { .. } => About::Paper {
                    plan: self.digest(),
                },
            },
            decision: statement::Verdict::Approve,
            person: signature.person.clone(),
            role: signature.seat.role.clone(),
            org: signature.org.clone(),
            reading: self.reading,
            evidence: signature.evidence,
            window,
        }
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
    outline: &'a Outline,
}

impl<'a> House<'a> {
    fn of(plan: &'a Plan) -> House<'a> {
        House {
            author: &plan.author,
            holders: &plan.outline.holders,
            outline: &plan.outline,
        }
    }

    /// The signature with its proof, where there is one.
    fn signature(&self, sheet: &Sheet<'_>, ask: &Ask<'_>) -> Result<Signature, SignFault> {
        let mut signature = self.recorded(sheet, ask)?;
        let Some(proof) = ask.proof else {
            return Ok(signature);
        };
        let (made, key) = proof.opened()?;
        if let Some(part) = made.differs_from(&sheet.statement(&signature, made.window)) {
            return Err(SignFault::Other(part));
        }
        if !made.window.holds(ask.at) {
            return Err(SignFault::Window(made.window));
        }
        self.own_key(&signature.person, &key)?;
        signature.method = Method::Sshsig;
        signature.statement = Digest::of(&proof.statement);
        signature.sshsig = Some(SshsigSaid {
            statement: String::from_utf8_lossy(&proof.statement).into_owned(),
            signature: String::from_utf8_lossy(&proof.signature).into_owned(),
        });
        Ok(signature)
    }

    /// The key is the person's, and not also the author's.
    fn own_key(&self, person: &Code, key: &PublicKey) -> Result<(), SignFault> {
        let person = person.clone();
        let author = self.outline.author_key.as_ref();
        if author.is_some_and(|author| author.point == key.point) {
            return Err(SignFault::Author { person });
        }
        let mut own = self.holders.iter().filter(|holder| holder.person == person);
        if own.any(|holder| holder.key.as_ref() == Some(key)) {
            Ok(())
        } else {
            Err(SignFault::Key { person })
        }
    }

    fn recorded(&self, sheet: &Sheet<'_>, ask: &Ask<'_>) -> Result<Signature, SignFault> {
        let (person, role): (Code, Code) = (ask.person.into(), ask.role.into());
        if !sheet.seats.iter().any(|seat| seat.role == role) {
            return Err(SignFault::NotAsked { role });
        }
        if *self.author == person {
            return Err(SignFault::Author { person });
        }
        let (seat, org) = self.seat(sheet.seats, sheet.signatures, ask)?;
        let mut signed = sheet.signatures.iter();
        if signed.any(|signature| signature.person == person) {
            return Err(SignFault::Twice { person });
        }
        let mut signature = Signature {
            seat,
            person,
            org,
            reason: ask.reason.to_owned(),
            at: ask.at,
            method: Method::Recorded,
            signed: sheet.digest(),
            statement: Digest::ZERO,
            sshsig: None,
            evidence: ask.evidence,
        };
        signature.statement = said(&signature, &sheet.on).digest();
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
    &*holder.person == ask.person && &*holder.role == ask.role && holder.in_post(ask.as_at)
}
