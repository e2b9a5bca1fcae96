//! An auditor holds a log's signed decisions against the files: each tampering has its finding (T22 to T26
//! of the tamper cases that a signature can show).

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::plan::digest::Digest;
use handover::plan::outline::{Holder, Outline};
use handover::signature::check::{Claim, Evidence, check};
use handover::signature::statement::{About, After};
use handover::signature::{AllowedSigners, Proof, Statement};
use jiff::Timestamp;

use super::desk::{gate, known, preview, second};

/// What an auditor holds: files by digest, one paper, one honest log.
struct Held {
    files: BTreeMap<Digest, Vec<u8>>,
    outline: Outline,
    roots: BTreeMap<u64, Digest>,
    allowed: Option<AllowedSigners>,
}

impl Evidence for Held {
    fn blob(&mut self, digest: Digest) -> Option<Vec<u8>> {
        self.files.get(&digest).cloned()
    }

    fn outline(&mut self, _: Digest) -> Option<Arc<Outline>> {
        Some(Arc::new(self.outline.clone()))
    }

    fn allowed(&mut self) -> Option<&AllowedSigners> {
        self.allowed.as_ref()
    }

    fn root_at(&mut self, size: u64) -> Option<Digest> {
        self.roots.get(&size).copied()
    }
}

fn holder(person: &str, role: &str, org: &str, seed: u8) -> Holder {
    Holder {
        person: person.into(),
        role: role.into(),
        org: org.into(),
        from: None,
        to: Some("2027-12-31T00:00:00Z".parse().unwrap()),
        key: Some(known(seed).public().clone()),
    }
}

fn held() -> Held {
    Held {
        files: BTreeMap::new(),
        outline: Outline {
            author: Some("p01".into()),
            author_key: Some(known(1).public().clone()),
            holders: vec![
                holder("p02", "housing", "dover", 2),
                holder("p03", "housing", "thanet", 3),
            ],
            ..Outline::default()
        },
        roots: BTreeMap::from([(11, Digest::of(b"root"))]),
        allowed: None,
    }
}

impl Held {
    /// A decision as an honest log has it, with its files.
    fn claim(&mut self, seq: u64, statement: &Statement, seed: u8) -> Claim {
        let proof = Proof::made(statement, &known(seed));
        let (digest, signature) = (statement.digest(), proof.signature_digest());
        self.files.insert(digest, proof.statement);
        self.files.insert(signature, proof.signature);
        let at: Timestamp = "2027-03-02T12:00:00Z".parse().unwrap();
        Claim {
            seq,
            paper: Digest::of(b"plan"),
            at,
            as_at: at,
            statement: statement.clone(),
            digest,
            signature,
            key: Some(known(seed).public().fingerprint()),
        }
    }

    fn codes(&mut self, claims: impl IntoIterator<Item = Claim>) -> Vec<&'static str> {
        let found = check(claims, self);
        found.iter().map(|finding| finding.code).collect()
    }
}

#[test]
fn honest_decisions_of_two_people_leave_nothing_to_say() {
    let mut held = held();
    let other = Statement {
        person: "p03".into(),
        org: "thanet".into(),
        ..gate(2)
    };
    let claims = [
        held.claim(20, &gate(1), 2),
        held.claim(21, &other, 3),
        held.claim(22, &preview(3), 2),
    ];
    assert_eq!(held.codes(claims.clone()), [""; 0]);
    held.allowed = Some(AllowedSigners::of(&held.outline.holders));
    assert_eq!(held.codes(claims), [""; 0]);
}

#[test]
fn a_file_that_is_not_at_hand_is_missing_and_never_fine() {
    let mut held = held();
    let claim = held.claim(20, &gate(1), 2);
    held.files.remove(&claim.signature);
    let found = check([claim], &mut held);
    assert_eq!((found.len(), found[0].missing), (1, true));
}

#[test]
fn a_forged_approval_is_a_bad_one() {
    let mut held = held();
    let unknown = held.claim(20, &gate(1), 9);
    assert_eq!(held.codes([unknown]), ["BAD_APPROVAL"]);
    // Another key than the log says.
    let mut claim = held.claim(20, &gate(1), 2);
    claim.key = Some(known(3).public().fingerprint());
    assert_eq!(held.codes([claim]), ["BAD_APPROVAL"]);
    // Made for another namespace.
    let mut claim = held.claim(20, &gate(1), 2);
    let elsewhere = known(2).sign("preview@handover", &gate(1).bytes());
    claim.signature = Digest::of(elsewhere.as_bytes());
    held.files.insert(claim.signature, elsewhere.into_bytes());
    assert_eq!(held.codes([claim]), ["BAD_APPROVAL"]);
    // Over another text.
    let mut claim = held.claim(20, &gate(1), 2);
    let text = known(2).sign("approval@handover", &gate(2).bytes());
    claim.signature = Digest::of(text.as_bytes());
    held.files.insert(claim.signature, text.into_bytes());
    assert_eq!(held.codes([claim]), ["BAD_APPROVAL"]);
    // The list that came from the committee's minutes does not have the key.
    let claim = held.claim(20, &gate(1), 2);
    held.allowed = Some(AllowedSigners::of(&[holder("p02", "housing", "dover", 8)]));
    assert_eq!(held.codes([claim]), ["BAD_APPROVAL"]);
}

#[test]
fn an_approval_of_something_else_is_a_replayed_one() {
    for part in 0..5 {
        let mut held = held();
        let mut honest = gate(1);
        let About::Gate {
            log,
            run,
            plan,
            step,
            generation,
            ..
        } = &mut honest.about
        else {
            unreachable!()
        };
        match part {
            0 => "other/log".clone_into(log),
            1 => *run = "018f2e5c-2222-7000-8000-000000000001".parse().unwrap(),
            2 => *plan = Digest::of(b"another"),
            3 => *generation = 2,
            _ => *step = "accept".into(),
        }
        // What was signed is a yes to `gate(1)`; the log uses it here.
        let claim = Claim {
            statement: honest,
            ..held.claim(20, &gate(1), 2)
        };
        assert_eq!(held.codes([claim]), ["REPLAYED_APPROVAL"], "part {part}");
    }
    let mut held = held();
    let twice = [held.claim(20, &gate(1), 2), held.claim(30, &gate(1), 2)];
    assert_eq!(held.codes(twice), ["REPLAYED_APPROVAL"]);
    let refused = Claim {
        statement: Statement {
            decision: handover::signature::Verdict::Refuse,
            ..gate(1)
        },
        ..held.claim(20, &gate(1), 2)
    };
    assert_eq!(held.codes([refused]), ["BAD_APPROVAL"]);
}

#[test]
fn a_key_or_a_statement_out_of_its_time_is_expired() {
    let mut held = held();
    let mut late = held.claim(20, &gate(1), 2);
    late.as_at = "2028-01-01T00:00:00Z".parse().unwrap();
    let codes = held.codes([late]);
    assert_eq!(codes, ["KEY_EXPIRED", "ROLE"], "out of post as well");
    let mut early = held.claim(20, &gate(1), 2);
    early.at = "2027-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(held.codes([early]), ["KEY_EXPIRED"]);
    let mut over = gate(1);
    over.window.not_after = second("2027-03-01T10:00:00Z");
    let over = held.claim(20, &over, 2);
    assert_eq!(held.codes([over]), ["KEY_EXPIRED"]);
}

#[test]
fn a_role_that_was_not_held_is_told() {
    let mut held = held();
    let other = Statement {
        role: "s151".into(),
        ..gate(1)
    };
    let claim = held.claim(20, &other, 2);
    assert_eq!(held.codes([claim]), ["ROLE"]);
}

#[test]
fn one_key_under_two_codes_is_one_pair_of_eyes() {
    let mut held = held();
    held.outline.holders[1].key = Some(known(2).public().clone());
    let other = Statement {
        person: "p03".into(),
        org: "thanet".into(),
        ..gate(2)
    };
    let both = [held.claim(20, &gate(1), 2), held.claim(21, &other, 2)];
    assert_eq!(held.codes(both), ["FOUR_EYES"]);
    // The author under another code, and under their own.
    held.outline.holders[0].key = Some(known(1).public().clone());
    let author = held.claim(20, &gate(1), 1);
    assert_eq!(held.codes([author]), ["FOUR_EYES"]);
}

#[test]
fn a_signer_who_saw_another_log_is_told() {
    let seen = |size: u64, root: &[u8]| {
        let mut statement = gate(1);
        if let About::Gate { after, .. } = &mut statement.about {
            *after = After {
                size,
                root: Digest::of(root),
            };
        }
        statement
    };
    for statement in [
        seen(11, b"a hidden fork"),
        seen(12, b"root"),
        seen(21, b"root"),
    ] {
        let mut held = held();
        held.roots.insert(21, Digest::of(b"root"));
        let claim = held.claim(20, &statement, 2);
        assert_eq!(held.codes([claim]), ["FORKED_APPROVAL"]);
    }
}
