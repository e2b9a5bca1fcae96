//! A log's signed decisions held against the statements and signatures that were made, whoever wrote the
//! log: what an auditor runs years later.
//!
//! In: each signed decision as the log has it ([`Claim`]), and whatever the auditor holds ([`Evidence`]).
//! Out: findings by code: `BAD_APPROVAL`, `REPLAYED_APPROVAL`, `KEY_EXPIRED`, `ROLE`, `FOUR_EYES`,
//! `FORKED_APPROVAL`. Memory grows with the number of decisions, not with the log.
//!
//! Not here: reading a log (`replay`), whether a step needed the decision (`machine`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::allowed_signers::{AllowedSigners, NotAllowed};
use super::sshsig::Sshsig;
use super::statement::{About, Nonce, Statement, Verdict};
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::Outline;

/// A signed decision as the log has it.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its entry.
    pub seq: u64,
    /// The paper that says who may decide there.
    pub paper: Digest,
    /// When it was written down, by the wall clock.
    pub at: Timestamp,
    /// The plan's time: roles, people's days and their keys are judged by it. Under a real clock it is
    /// [`Claim::at`].
    pub as_at: Timestamp,
    /// What must have been signed, by everything else that the entry says.
    pub statement: Statement,
    /// The digest of the statement, as the entry has it.
    pub digest: Digest,
    /// The digest of the signature's file, as the entry has it.
    pub signature: Digest,
    /// The fingerprint of the key, as the entry has it.
    pub key: Option<String>,
}

/// What is held against a log.
pub trait Evidence {
    /// The file with that digest, if it is at hand.
    fn blob(&mut self, digest: Digest) -> Option<Vec<u8>>;
    /// The outline of a paper: who wrote it, who holds which role when, with which key.
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>>;
    /// A list of signers that the auditor trusts more than the papers, where there is one.
    fn allowed(&mut self) -> Option<&AllowedSigners> {
        None
    }
    /// The root of the log at a size; none where the log is shorter or that size was never sealed.
    fn root_at(&mut self, size: u64) -> Option<Digest>;
}

/// Something that is wrong or missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `BAD_APPROVAL` …
    pub code: &'static str,
    /// The entry.
    pub seq: u64,
    /// One sentence, without personal data.
    pub says: String,
    /// Evidence is missing, rather than wrong.
    pub missing: bool,
}

/// Holds every claim of a log, in its order, against the evidence.
pub fn check(claims: impl IntoIterator<Item = Claim>, evidence: &mut dyn Evidence) -> Vec<Finding> {
    let mut checker = Checker::default();
    claims
        .into_iter()
        .flat_map(|claim| checker.hear(&claim, evidence))
        .collect()
}

/// The same, claim by claim.
#[derive(Debug, Default)]
pub struct Checker {
    nonces: BTreeMap<Nonce, u64>,
    /// Who decided with which point about what, and in which entry.
    eyes: BTreeMap<[u8; 32], Vec<(About, Code, u64)>>,
}

type Said = (&'static str, String);

impl Checker {
    /// What is wrong with one more claim.
    pub fn hear(&mut self, claim: &Claim, evidence: &mut dyn Evidence) -> Vec<Finding> {
        let finding = |(code, says): Said, missing: bool| Finding {
            code,
            seq: claim.seq,
            says,
            missing,
        };
        let files = (evidence.blob(claim.digest), evidence.blob(claim.signature));
        let (Some(statement), Some(signature)) = files else {
            let says = "the statement or the signature of this decision is not at hand".to_owned();
            return vec![finding(("BAD_APPROVAL", says), true)];
        };
        let Some(outline) = evidence.outline(claim.paper) else {
            let says = "the paper that this decision was made under is not at hand".to_owned();
            return vec![finding(("BAD_APPROVAL", says), true)];
        };
        let signers = match evidence.allowed() {
            Some(allowed) => allowed.clone(),
            None => AllowedSigners::of(&outline.holders),
        };
        let mut found = Vec::new();
        found.extend(self.replayed(claim, &statement));
        found.extend(self.signed(claim, (&statement, &signature), &signers, &outline));
        found.extend(roles(claim, &outline));
        found.extend(forked(claim, evidence));
        found.into_iter().map(|said| finding(said, false)).collect()
    }

    /// The statement is about something else than the entry, or was used before.
    fn replayed(&mut self, claim: &Claim, bytes: &[u8]) -> Vec<Said> {
        let mut found = Vec::new();
        let honest = &claim.statement;
        match Statement::parse(bytes) {
            Err(fault) => found.push(("BAD_APPROVAL", fault.to_string())),
            Ok(made) if Digest::of(bytes) != claim.digest => {
                drop(made);
                let says = "the statement is not the one that the log speaks of".to_owned();
                found.push(("BAD_APPROVAL", says));
            }
            Ok(made) => {
                if let Some(part) = made.differs_from(honest) {
                    let says = format!("what was signed is another decision: {part} differs");
                    let code = if made.about == honest.about {
                        "BAD_APPROVAL"
                    } else {
                        "REPLAYED_APPROVAL"
                    };
                    found.push((code, says));
                }
                if !made.window.holds(claim.at) {
                    let says = format!("it counted {}", made.window.told());
                    found.push(("KEY_EXPIRED", says));
                }
                if let Some(first) = self.nonces.get(&made.window.nonce) {
                    let says = format!("its nonce was used in entry {first}");
                    found.push(("REPLAYED_APPROVAL", says));
                } else {
                    self.nonces.insert(made.window.nonce, claim.seq);
                }
            }
        }
        found
    }

    /// The signature does not hold, or its key is not the person's.
    fn signed(
        &mut self,
        claim: &Claim,
        (statement, signature): (&[u8], &[u8]),
        signers: &AllowedSigners,
        outline: &Outline,
    ) -> Vec<Said> {
        let bad = |says: String| vec![("BAD_APPROVAL", says)];
        if Digest::of(signature) != claim.signature {
            return bad("the signature is not the one that the log speaks of".to_owned());
        }
        let namespace = claim.statement.namespace();
        let made = Sshsig::parse(signature)
            .and_then(|signature| signature.verify(namespace, statement).cloned());
        let key = match made {
            Ok(key) => key,
            Err(fault) => return bad(fault.to_string()),
        };
        let mut found = Vec::new();
        if claim.key.as_deref() != Some(&key.fingerprint()) {
            found.extend(bad("another key signed than the log says".to_owned()));
        }
        let person = &claim.statement.person;
        match signers.find(person, namespace, &key, claim.as_at) {
            Ok(_) => {}
            Err(why @ NotAllowed::Expired) => found.push(("KEY_EXPIRED", why.to_string())),
            Err(why) => found.extend(bad(why.to_string())),
        }
        found.extend(self.eyes(claim, key.point, outline));
        found
    }

    /// One key is one pair of eyes, whatever codes stand beside it; an author has none.
    fn eyes(&mut self, claim: &Claim, point: [u8; 32], outline: &Outline) -> Vec<Said> {
        let mut found = Vec::new();
        let (about, person) = (&claim.statement.about, &claim.statement.person);
        let theirs = outline.author_key.as_ref();
        if theirs.is_some_and(|key| key.point == point) || outline.author.as_ref() == Some(person) {
            let says = "whoever wrote the plan decided in it".to_owned();
            found.push(("FOUR_EYES", says));
        }
        let before = self.eyes.entry(point).or_default();
        let other = before
            .iter()
            .find(|(thing, who, _)| same_thing(thing, about) && who != person);
        if let Some((_, _, first)) = other {
            let says = format!("the same key decided for somebody else in entry {first}");
            found.push(("FOUR_EYES", says));
        }
        if claim.statement.decision == Verdict::Approve {
            before.push((about.clone(), person.clone(), claim.seq));
        }
        found
    }
}

fn roles(claim: &Claim, outline: &Outline) -> Option<Said> {
    let Statement {
        person, role, org, ..
    } = &claim.statement;
    let mut holders = outline.holders.iter();
    let held = holders.any(|holder| holder.sits((person, role, org), claim.as_at));
    let says = || "the signer did not hold that role for that organisation on that day".to_owned();
    (!held).then(|| ("ROLE", says()))
}

fn forked(claim: &Claim, evidence: &mut dyn Evidence) -> Option<Said> {
    let About::Gate { after, .. } = &claim.statement.about else {
        return None;
    };
    let same = after.size <= claim.seq && evidence.root_at(after.size) == Some(after.root);
    let says = || {
        format!(
            "the signer saw another log: its head at {} is not this one's",
            after.size
        )
    };
    (!same).then(|| ("FORKED_APPROVAL", says()))
}

/// Two decisions about one thing: of a gate, whatever heads of the log were seen.
fn same_thing(one: &About, other: &About) -> bool {
    match (one, other) {
        (
            About::Gate {
                run,
                step,
                generation,
                ..
            },
            About::Gate {
                run: r,
                step: s,
                generation: g,
                ..
            },
        ) => (run, step, generation) == (r, s, g),
        _ => one == other,
    }
}
