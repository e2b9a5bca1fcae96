//! Attacks on seals and witnesses, most of them by whoever holds the log's key (T07, T10 to T16, T36).

use std::fs;

use handover::seal::tlog_proof::NoTlogProof;
use handover::seal::{LogKey, Proof, Request, TlogProof};

use super::attack::{Forgery, Pack, cosign, log_key, payload, trusted, verify, witness_key};
use super::good::good;

/// Where the witnesses' last word before the close is about, and where the log is closed.
const SEEN: u64 = 60;
const CLOSED: u64 = 68;

/// A way to spoil a proof and the place that it speaks of.
type Spoil<'w> = &'w dyn Fn(&mut Proof, &mut u64);

#[test]
fn t07_a_tail_cut_off_together_with_its_seals_is_noticed_by_what_a_witness_kept() {
    let short = Forgery::honest().cut(58).pack();
    // Nothing in the pack says that there was more: that is not the same as fine.
    short.verified().is(10, &["UNCLOSED"]);
    let kept = good().pack().join("data/log/checkpoint");
    let mut evidence = trusted();
    evidence.extend(["--seal".to_owned(), kept.display().to_string()]);
    verify(&short.root, &evidence).is(6, &["ROLLED_BACK_LOG"]);
    // A witness's file that somebody forgot in the pack.
    let file = format!("log/witness/{CLOSED:012}.add-checkpoint");
    let forgotten = payload(&good().pack())[&file].clone();
    let short = short.amended(|files| drop(files.insert(file, forgotten)));
    short.is_told(&["ROLLED_BACK_LOG"]);
}

#[test]
fn t10_a_seal_by_another_key_of_the_same_name_is_a_strangers() {
    let origin = log_key(good()).origin().to_owned();
    let stranger = LogKey::new(&origin, &[9; 32]).unwrap();
    let mut log = Forgery::honest();
    let head = log.newest().head.clone();
    *log.newest() = stranger.seal(head.size, head.root);
    log.pack().is_told(&["UNTRUSTED_KEY"]);
}

#[test]
fn t11_a_false_signature_spoils_the_good_one_beside_it() {
    let mut flipped = Forgery::honest();
    flipped.newest().note.lines[0].signature[9] ^= 1;
    flipped.pack().is_told(&["BAD_SIGNATURE"]);
    let mut beside = Forgery::honest();
    let mut line = beside.newest().note.lines[0].clone();
    line.signature[9] ^= 1;
    beside.newest().note.lines.push(line);
    beside.pack().is_told(&["BAD_SIGNATURE"]);
}

/// A later fact that whoever holds the log's key would like to be another.
fn other_past() -> Forgery {
    Forgery::honest()
        .edit(|entries| entries[22]["body"]["actual"] = "13 rows".into())
        .rewritten()
}

#[test]
fn t12_whoever_signs_two_pasts_is_convicted_by_their_own_signatures() {
    let other = other_past().seals.pop().unwrap();
    assert_eq!(other.head.size, CLOSED);
    let both = Pack::copy().amended(|files| {
        files.insert("log/checkpoint".to_owned(), other.bytes());
    });
    both.is_told(&["EQUIVOCATION"]);
    // The auditor's own copy of the other one does it, too.
    let kept = both.outside().join("kept");
    fs::write(&kept, other.bytes()).unwrap();
    let mut evidence = trusted();
    evidence.extend(["--seal".to_owned(), kept.display().to_string()]);
    verify(&good().pack(), &evidence).is(6, &["EQUIVOCATION"]);
}

#[test]
fn t13_a_past_that_was_rewritten_does_not_fit_what_witnesses_signed_before() {
    let honest = Forgery::honest();
    let signed = honest.seals.iter().find(|seal| seal.head.size == SEEN);
    let mut other = other_past();
    let at = other.seals.iter().position(|seal| seal.head.size == SEEN);
    other.seals[at.unwrap()] = signed.unwrap().clone();
    other.pack().is_told(&["INCONSISTENT"]);
}

#[test]
fn t14_a_witnesss_word_about_another_state_counts_for_nothing() {
    let mut lifted = Forgery::honest();
    let seen = lifted.seals.iter().find(|seal| seal.head.size == SEEN);
    let words = seen.unwrap().note.lines[1..].to_vec();
    lifted.newest().note.lines.splice(1.., words);
    // They are the witnesses' keys and false there: the whole note is refused.
    lifted.pack().is_told(&["BAD_SIGNATURE"]);

    // Without any word of theirs nobody outside has seen what the deed rests on.
    let mut silent = Forgery::honest();
    for seal in &mut silent.seals {
        seal.note.lines.truncate(1);
    }
    silent.pack().verified().is(10, &["NO_QUORUM"]);
}

#[test]
fn t14_one_key_under_two_names_is_one_witness() {
    let policy = fs::read_to_string(good().trust().join("tlog-policy")).unwrap();
    let lines: Vec<&str> = policy.lines().collect();
    let key = |name: &str| {
        let start = format!("witness {name} ");
        let line = lines.iter().find_map(|line| line.strip_prefix(&start));
        line.unwrap().to_owned()
    };
    let twice = policy.replace(&key("almo"), &key("audit"));
    let place = Pack::copy();
    let file = place.outside().join("policy");
    fs::write(&file, twice).unwrap();
    let mut evidence = trusted();
    evidence[3] = file.display().to_string();
    let found = verify(&place.root, &evidence);
    assert_eq!(found.code, 2, "{}", found.said);
}

#[test]
fn t15_a_witness_whose_times_go_back_is_told() {
    let now = u64::try_from(super::now().as_second()).unwrap();
    let mut back = Forgery::honest();
    let newest = back.newest();
    newest.note.lines.truncate(1);
    cosign(newest, "council", now);
    cosign(newest, "audit", now - 86_400);
    back.pack().is_told(&["TIME_ORDER"]);
}

#[test]
fn t16_a_log_made_anew_with_new_keys_is_nothing_to_whoever_has_the_minute() {
    let origin = log_key(good()).origin().to_owned();
    let own = LogKey::new(&origin, &[9; 32]).unwrap();
    let other = Forgery::honest()
        .edit(|entries| entries[0]["body"]["log_key"] = own.vkey().to_string().into())
        .chain()
        .seal_with(&own);
    let pack = other.pack();
    let beside = payload(&pack.root)["policy/log.vkey"].clone();
    assert_eq!(beside, format!("{}\n", own.vkey()).into_bytes());
    pack.is_told(&["UNTRUSTED_KEY"]);
}

#[test]
fn t16_a_pack_is_never_believed_for_the_keys_that_lie_in_it() {
    let found = verify(&good().pack(), &[]);
    assert_eq!(found.code, 10, "{}", found.said);
}

#[test]
fn t36_a_witnesss_proof_that_proves_another_step_is_told() {
    let file = format!("log/witness/{CLOSED:012}.add-checkpoint");
    let honest = Request::parse(&payload(&good().pack())[&file]).unwrap();
    assert!(!honest.proof.is_empty());
    let spoilt: [&dyn Fn(&mut Request); 4] = [
        &|request| request.proof.truncate(1),
        &|request| request.proof.push(request.proof[0]),
        &|request| request.proof[0].0[0] ^= 1,
        &|request| request.old -= 1,
    ];
    for spoil in spoilt {
        let mut request = honest.clone();
        spoil(&mut request);
        let pack = Pack::copy().amended(|files| drop(files.insert(file.clone(), request.bytes())));
        pack.is_told(&["BAD_PROOF"]);
    }
}

#[test]
fn t36_an_entry_that_is_handed_out_is_proved_by_its_own_proof_alone() {
    let place = Pack::copy();
    let to = place.outside().join("entry");
    let tell = |command: &str| super::good::tell(&good().closed(), command, 0);
    tell(&format!("export . --entry 22 --to {}", to.display()));
    let line = fs::read(to.join("22.json")).unwrap();
    let proof = TlogProof::parse(&fs::read(to.join("22.tlog-proof")).unwrap()).unwrap();
    let key = good().minuted.parse().unwrap();
    assert_eq!(proof.check(&line, &key), Ok(()));
    let ways: [Spoil<'_>; 4] = [
        &|proof, _| proof.truncate(2),
        &|proof, _| proof.push(proof[0]),
        &|_, index| *index += 1,
        &|proof, _| proof[1].0[31] ^= 128,
    ];
    for way in ways {
        let mut spoilt = proof.clone();
        way(&mut spoilt.proof, &mut spoilt.index);
        let refused: Result<(), NoTlogProof> = spoilt.check(&line, &key);
        assert!(refused.is_err());
    }
    let mut other = proof.clone();
    other.seal = other_past().seals.pop().unwrap();
    assert!(other.check(&line, &key).is_err(), "a proof of another tree");
    assert!(proof.check(&line[1..], &key).is_err());
}

#[test]
fn a_witness_of_our_own_choice_is_no_witness_of_the_plan() {
    // The witness's key is real; the minute names another.
    assert_ne!(witness_key("almo").vkey(), witness_key("audit").vkey());
    let mut alone = Forgery::honest();
    let now = u64::try_from(super::now().as_second()).unwrap();
    for seal in &mut alone.seals {
        seal.note.lines.truncate(1);
        cosign(seal, "almo", now);
    }
    alone.pack().verified().is(10, &["NO_QUORUM"]);
}
