//! Signed decisions: what must have been signed for an entry to be true, and whether the entry may stand.
//! The log holds a statement's digest; everything that the statement says follows from the entry and the
//! run, so that a signature for another run, paper, gate or person fits no entry here.
//!
//! Not here: the signature itself, which needs the files (`signature::check`); whose turn it is (`gate`).

use super::apply::{Judged, ensure};
use super::event::{Actor, ClockKind, Decision, Entry, Method, On};
use super::gate::NotTheirs;
use super::illegal::Breach;
use super::run::Run;
use super::state::{Decided, Verdict};
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::{Gate, Outline};
use crate::plan::public_key::PublicKey;
use crate::signature::statement::{self, About, After, Statement, Window};

impl From<Verdict> for statement::Verdict {
    fn from(verdict: Verdict) -> statement::Verdict {
        match verdict {
            Verdict::Granted => statement::Verdict::Approve,
            Verdict::Refused => statement::Verdict::Refuse,
            Verdict::Revoked => statement::Verdict::Revoke,
        }
    }
}

/// The paper that says who may decide about `on`: the one that is signed, or the one in force.
#[must_use]
pub fn paper_of(run: &Run, on: &On) -> Digest {
    match on {
        On::Paper { paper } => *paper,
        On::Gate { .. } | On::Rollback { .. } => run.paper(),
    }
}

impl Run {
    /// What somebody signs to decide so now: what a statement is made of, and what a signed entry is
    /// held against. Nothing where no log is opened, the plan has no such step, nobody acts, or a gate's
    /// statement lacks the head of the log (and any other has one).
    #[must_use]
    pub fn statement(
        &self,
        actor: &Actor,
        verdict: Verdict,
        decision: &Decision,
        (window, after): (Window, Option<After>),
    ) -> Option<Statement> {
        let Actor::Person {
            person, role, org, ..
        } = actor
        else {
            return None;
        };
        let about = match (&decision.on, after) {
            (On::Paper { paper }, None) => About::Paper { plan: *paper },
            (On::Rollback { preview }, None) => About::Rollback { rollback: *preview },
            (On::Gate { step }, Some(after)) => {
                let at = self.graph.position(step)?;
                let gate = &self.step_at(at).gate;
                About::Gate {
                    log: self.opened()?.origin.clone(),
                    run: self.id()?,
                    plan: self.paper(),
                    step: step.clone(),
                    generation: self.about_at(at).generation,
                    gate: match gate {
                        Gate::Decisions(_) => statement::Gate::Approval,
                        _ => statement::Gate::LeaveOut,
                    },
                    after,
                }
            }
            _ => return None,
        };
        Some(Statement {
            about,
            decision: verdict.into(),
            person: person.clone(),
            role: role.clone(),
            org: org.clone(),
            reading: decision.reading,
            evidence: decision.evidence,
            window,
        })
    }

    /// Whether a statement of that digest was decided on in this run.
    #[must_use]
    pub fn took(&self, statement: &Digest) -> bool {
        let mut decided = self.decided.values();
        decided.any(|decided| decided.statement == *statement)
    }

    /// Yeses that stand, were recorded as said, and that the paper which they are judged by asks a signature
    /// for: none in a run whose clock is real. Those that put another paper in force count by the one before
    /// ([`Run::known`]).
    #[must_use]
    pub fn only_recorded(&self) -> usize {
        let asked = |decided: &&Decided| {
            let outline = self.shelf.get(&paper_of(self, &decided.on));
            outline.is_some_and(|outline| match &decided.actor {
                Actor::Person { role, .. } => self.asks_signature(outline, &decided.on, role),
                Actor::Executor => false,
            })
        };
        let stand = self.decided.values().filter(|decided| {
            decided.verdict == Verdict::Granted && !decided.void && decided.signed.is_none()
        });
        stand.filter(asked).count()
    }

    /// Whether a yes in that role must be signed: as the paper says, in every run whose clock is real.
    fn must_sign(&self, outline: &Outline, on: &On, role: &Code) -> bool {
        self.is_real() && self.asks_signature(outline, on, role)
    }

    /// Whether the wall's clock is the plan's: no rehearsal.
    pub(super) fn is_real(&self) -> bool {
        let opened = self.opened();
        opened.is_none_or(|opened| opened.clock == ClockKind::Real)
    }

    fn asks_signature(&self, outline: &Outline, on: &On, role: &Code) -> bool {
        let signs = match on {
            On::Gate { step } => match self.graph.position(step).map(|at| self.step_at(at)) {
                Some(step) if matches!(step.gate, Gate::Decisions(_)) => &step.signed,
                _ => &outline.signed,
            },
            On::Paper { .. } => &outline.signed,
            On::Rollback { .. } => return false,
        };
        signs.contains(role)
    }

    /// A decision is signed where it must be, and what is signed is this decision and no other.
    pub(super) fn judge_proof(
        &self,
        outline: &Outline,
        entry: &Entry,
        body: &Decision,
        verdict: Verdict,
    ) -> Judged {
        let Actor::Person {
            person, role, key, ..
        } = &entry.actor
        else {
            return Err(Breach::NotTheirs(NotTheirs::NoPerson));
        };
        let (signed, key) = match (body.method, &body.signed, key) {
            (Method::Recorded, None, None) => {
                let needs = match verdict {
                    Verdict::Granted => self.must_sign(outline, &body.on, role),
                    Verdict::Refused => false,
                    // What a key said is taken back by a key.
                    Verdict::Revoked => self.stands_signed(&body.on, &entry.actor),
                };
                return ensure(!needs, Breach::NoSignature);
            }
            (Method::Sshsig, Some(signed), Some(key)) => (signed, key),
            _ => return Err(Breach::Proof),
        };
        let stated = self.statement(&entry.actor, verdict, body, (signed.window, signed.after));
        let same = stated.is_some_and(|stated| stated.digest() == body.statement);
        ensure(same, Breach::OtherStatement)?;
        ensure(signed.window.holds(entry.at.moment()), Breach::Window)?;
        let seen = |after: After| (1..=entry.seq).contains(&after.size);
        ensure(signed.after.is_none_or(seen), Breach::SealAhead)?;
        let used = self.nonces.contains(&signed.window.nonce);
        ensure(!used, Breach::Nonce)?;
        self.one_pair_of_eyes(outline, &body.on, (person, key))
            .map_err(Breach::NotTheirs)
    }

    /// Whether the decision that stands in the actor's seat was signed with a key.
    fn stands_signed(&self, on: &On, actor: &Actor) -> bool {
        let seat = |actor: &Actor| match actor {
            Actor::Executor => None,
            Actor::Person { role, org, .. } => Some((role.clone(), org.clone())),
        };
        let theirs = |decided: &Decided| seat(&decided.actor) == seat(actor);
        self.not_void(on)
            .any(|(_, decided)| decided.signed.is_some() && theirs(decided))
    }

    /// The key is the person's own, and neither the author's nor one that decided for somebody else.
    fn one_pair_of_eyes(
        &self,
        outline: &Outline,
        on: &On,
        (person, key): (&Code, &str),
    ) -> Result<(), NotTheirs> {
        let mut theirs = outline
            .holders
            .iter()
            .filter(|holder| holder.person == *person);
        let own = theirs
            .find_map(|holder| holder.key.as_ref())
            .filter(|own| own.fingerprint() == key)
            .ok_or(NotTheirs::OtherKey)?;
        let author = outline.author_key.as_ref();
        if author.is_some_and(|author| author.point == own.point) {
            return Err(NotTheirs::Author);
        }
        let same = self.not_void(on).any(|(_, decided)| match &decided.actor {
            Actor::Person {
                person: other,
                key: Some(used),
                ..
            } => other != person && self.key(used).is_some_and(|used| used.point == own.point),
            _ => false,
        });
        if same {
            Err(NotTheirs::SameKey)
        } else {
            Ok(())
        }
    }

    /// The key with that fingerprint, in any paper of the run.
    fn key(&self, fingerprint: &str) -> Option<&PublicKey> {
        let holders = self.shelf.outlines().flat_map(|outline| &outline.holders);
        let mut keys = holders.filter_map(|holder| holder.key.as_ref());
        keys.find(|key| key.fingerprint() == fingerprint)
    }
}
