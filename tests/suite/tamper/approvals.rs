//! Attacks on decisions by whoever holds the log's key: signatures of strangers, signatures for something
//! else, signatures out of their time, words taken back (T22 to T26). The log is chained and sealed anew around each.

use std::fs;

use handover::export::pack::Signed;
use handover::plan::digest::Digest;
use handover::signature::PrivateKey;
use serde_json::Value;

use super::attack::{Forgery, Pack, trusted, verify};
use super::good::good;

const GATE: &str = "approval@handover";

/// The second decision at the gate, by `p03`.
fn second(log: &Forgery) -> u64 {
    *log.signed.keys().last().unwrap()
}

fn key_of(person: &str) -> PrivateKey {
    PrivateKey::parse(&fs::read(good().closed().join("keys").join(person)).unwrap()).unwrap()
}

/// The second decision with another statement, signed with this key for this purpose; the entry speaks of
/// both, and says of the decision what `entry` makes of it.
fn signed_otherwise(
    key: &PrivateKey,
    namespace: &str,
    change: impl FnOnce(&mut Value),
    entry: impl FnOnce(&mut Value),
) -> Forgery {
    let mut log = Forgery::honest();
    let seq = second(&log);
    let mut statement: Value = serde_json::from_slice(&log.signed[&seq].statement).unwrap();
    change(&mut statement);
    let statement = serde_json::to_vec(&statement).unwrap();
    let signature = key.sign(namespace, &statement).into_bytes();
    let at = usize::try_from(seq).unwrap();
    let digests = [&statement, &signature].map(|bytes| Digest::of(bytes).to_string());
    let fingerprint = key.public().fingerprint();
    log.signed.insert(
        seq,
        Signed {
            statement,
            signature,
        },
    );
    log.edit(|entries| {
        let [statement, signature] = digests;
        entries[at]["body"]["statement"] = statement.into();
        entries[at]["body"]["signed"]["signature"] = signature.into();
        entries[at]["actor"]["key"] = fingerprint.into();
        entry(&mut entries[at]);
    })
    .rewritten()
}

#[test]
fn what_these_attacks_do_is_no_attack_where_nothing_is_changed() {
    let same = signed_otherwise(&key_of("p03"), GATE, |_| {}, |_| {}).pack();
    let found = same.verified();
    for code in ["BAD_APPROVAL", "REPLAYED_APPROVAL", "ROOT_MISMATCH"] {
        assert!(!found.tells(code), "{}", found.said);
    }
}

#[test]
fn t22_a_signed_yes_that_was_taken_back_opens_nothing() {
    let mut log = Forgery::honest();
    let seq = second(&log);
    let mut statement: Value = serde_json::from_slice(&log.signed[&seq].statement).unwrap();
    let nonce = "ab".repeat(16);
    statement["decision"] = "revoke".into();
    statement["nonce"] = nonce.clone().into();
    let statement = serde_json::to_vec(&statement).unwrap();
    let signature = key_of("p03").sign(GATE, &statement).into_bytes();
    let digests = [&statement, &signature].map(|bytes| Digest::of(bytes).to_string());
    let signed = Signed {
        statement,
        signature,
    };
    log.signed.insert(seq + 1, signed);
    let at = usize::try_from(seq).unwrap();
    log.edit(|entries| {
        let [statement, signature] = digests;
        let mut no = entries[at].clone();
        no["type"] = "approval.revoked".into();
        no["body"]["statement"] = statement.into();
        no["body"]["signed"]["signature"] = signature.into();
        no["body"]["signed"]["window"]["nonce"] = nonce.into();
        entries.insert(at + 1, no);
    })
    .rewritten()
    .pack()
    .is_told(&["REVOKED"]);
}

#[test]
fn t23_a_strangers_signature_is_nobodys_yes() {
    let stranger = PrivateKey::from_seed(&[5; 32]).unwrap();
    let forged = signed_otherwise(&stranger, GATE, |_| {}, |_| {});
    forged.pack().is_told(&["BAD_APPROVAL"]);
}

#[test]
fn t23_a_signature_that_was_damaged_holds_nothing() {
    let mut log = Forgery::honest();
    let seq = second(&log);
    let at = usize::try_from(seq).unwrap();
    let signed = log.signed.get_mut(&seq).unwrap();
    let text = String::from_utf8(signed.signature.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let line = lines[3];
    let other = if line.starts_with('A') { "B" } else { "A" };
    let damaged = text.replace(line, &format!("{other}{}", &line[1..]));
    signed.signature = damaged.into_bytes();
    let digest = Digest::of(&signed.signature).to_string();
    log.edit(|entries| entries[at]["body"]["signed"]["signature"] = digest.into())
        .rewritten()
        .pack()
        .is_told(&["BAD_APPROVAL"]);
}

#[test]
fn t23_what_was_signed_for_another_purpose_is_no_yes() {
    let forged = signed_otherwise(&key_of("p03"), "preview@handover", |_| {}, |_| {});
    forged.pack().is_told(&["BAD_APPROVAL"]);
    let forged = signed_otherwise(&key_of("p03"), "git", |_| {}, |_| {});
    forged.pack().is_told(&["BAD_APPROVAL"]);
}

#[test]
fn t24_a_yes_to_another_run_plan_step_or_log_is_not_taken_for_this_one() {
    for (field, other) in [
        ("run", "01900000-0000-7000-8000-000000000000".to_owned()),
        ("plan", "ab".repeat(32)),
        ("step", "deed".to_owned()),
        (
            "log",
            "homes/01900000-0000-7000-8000-000000000000".to_owned(),
        ),
    ] {
        let forged = signed_otherwise(
            &key_of("p03"),
            GATE,
            |statement| statement[field] = other.into(),
            |_| {},
        );
        let found = forged.pack().verified();
        assert!(found.tells("REPLAYED_APPROVAL"), "{field}: {}", found.said);
        assert_eq!(found.code, 6);
    }
}

#[test]
fn t24_a_nonce_counts_once() {
    let log = Forgery::honest();
    let seq = second(&log);
    let (_, first) = log.signed.range(..seq).next_back().unwrap();
    let first: Value = serde_json::from_slice(&first.statement).unwrap();
    let nonce = first["nonce"].clone();
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["nonce"] = nonce.clone(),
        |entry| entry["body"]["signed"]["window"]["nonce"] = nonce.clone(),
    );
    forged.pack().is_told(&["REPLAYED_APPROVAL"]);
}

#[test]
fn t25_a_yes_given_before_or_after_it_counted_is_over() {
    let day = "2020-01-01T00:00:00Z";
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["not_after"] = day.into(),
        |entry| entry["body"]["signed"]["window"]["not_after"] = day.into(),
    );
    forged.pack().is_told(&["KEY_EXPIRED"]);
}

#[test]
fn a_replay_that_ends_in_the_midst_of_a_log_is_not_said_to_have_been_right_to_its_end() {
    let honest = signed_otherwise(&key_of("p03"), GATE, |_| {}, |_| {});
    assert!(honest.pack().verified().holds("replay"));
    let day = "2020-01-01T00:00:00Z";
    let expired = |entry: &mut Value| entry["body"]["signed"]["window"]["not_after"] = day.into();
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["not_after"] = day.into(),
        expired,
    );
    let found = forged.pack().verified();
    assert!(!found.holds("replay"), "{}", found.said);
}

#[test]
fn t25_a_key_that_the_auditors_list_says_was_over_signs_nothing() {
    let place = Pack::copy();
    let list = fs::read_to_string(good().trust().join("allowed_signers")).unwrap();
    let over = list.replace("namespaces=", "valid-before=\"20200101Z\",namespaces=");
    let file = place.outside().join("signers");
    fs::write(&file, over).unwrap();
    let mut evidence = trusted();
    evidence[5] = file.display().to_string();
    verify(&place.root, &evidence).is(6, &["KEY_EXPIRED"]);
}

#[test]
fn t25_a_role_that_somebody_does_not_hold_decides_nothing() {
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["role"] = "lead".into(),
        |entry| entry["actor"]["role"] = "lead".into(),
    );
    forged.pack().is_told(&["ROLE"]);
}

#[test]
fn t25_nobody_is_two_pairs_of_eyes() {
    // One person's key under the other's code.
    let forged = signed_otherwise(&key_of("p02"), GATE, |_| {}, |_| {});
    forged.pack().is_told(&["FOUR_EYES"]);
    // Whoever wrote the plan.
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["person"] = "p01".into(),
        |entry| entry["actor"]["person"] = "p01".into(),
    );
    forged.pack().is_told(&["FOUR_EYES"]);
}

#[test]
fn t26_a_yes_to_another_history_fits_no_honest_log() {
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let forged = signed_otherwise(
        &key_of("p03"),
        GATE,
        |statement| statement["after"]["root"] = root.into(),
        |entry| entry["body"]["signed"]["after"]["root"] = root.into(),
    );
    forged.pack().is_told(&["FORKED_APPROVAL"]);
    // The history before the yes is another one, and everything else is made anew.
    Forgery::honest()
        .edit(|entries| entries[22]["body"]["actual"] = "13 rows".into())
        .rewritten()
        .pack()
        .is_told(&["FORKED_APPROVAL"]);
}
