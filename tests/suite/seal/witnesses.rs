//! A witness signs one past of a log, whoever asks.

use handover::plan::digest::Digest;
use handover::seal::proof::consistency;
use handover::seal::tree::leaf_hash;
use handover::seal::{Ledger, LogKey, Refusal, Request};

use super::{ORIGIN, lines, log_key, seal};

fn request(all: &[Vec<u8>], old: usize) -> Request {
    let leaves: Vec<Digest> = all.iter().map(|line| leaf_hash(line)).collect();
    Request {
        old: old as u64,
        proof: consistency(&leaves, old).unwrap(),
        seal: seal(&log_key(), all),
    }
}

/// Seconds since 1970.
const NOW: u64 = 1_800_000_000;

fn knowing() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.know(log_key().vkey().clone()).unwrap();
    ledger
}

fn forked(all: &[Vec<u8>], at: usize) -> Vec<Vec<u8>> {
    let mut fork = all.to_vec();
    fork[at] = b"{\"another\":\"past\"}".to_vec();
    fork
}

#[test]
fn a_witness_follows_a_log_and_its_record_survives_its_file() {
    let mut ledger = knowing();
    let all = lines(20);
    for (old, new) in [(0, 4), (4, 5), (5, 5), (5, 20)] {
        let judged = ledger.judge(&request(&all[..new], old), NOW).unwrap();
        assert_eq!(judged.head.size, new as u64);
        ledger = Ledger::parse(&ledger.text()).unwrap();
    }
    assert_eq!(ledger.newest(ORIGIN).unwrap().0, 20);
}

#[test]
fn a_log_that_nobody_named_is_not_signed() {
    let mut ledger = Ledger::default();
    let refused = ledger.judge(&request(&lines(3), 0), NOW);
    assert!(matches!(refused, Err(Refusal::UnknownLog(_))));
}

#[test]
fn a_log_is_known_by_one_key_only() {
    let mut ledger = knowing();
    let other = LogKey::new(ORIGIN, &[8; 32]).unwrap();
    assert!(matches!(
        ledger.know(other.vkey().clone()),
        Err(Refusal::OtherKey(_))
    ));
    let mut impostor = request(&lines(3), 0);
    impostor.seal = seal(&other, &lines(3));
    assert!(matches!(
        ledger.judge(&impostor, NOW),
        Err(Refusal::Seal(_))
    ));
}

#[test]
fn a_log_that_was_cut_is_not_signed_again_and_the_record_stays() {
    let mut ledger = knowing();
    let all = lines(20);
    ledger.judge(&request(&all, 0), NOW).unwrap();
    let before = ledger.clone();
    let cut = ledger.judge(&request(&all[..12], 0), NOW);
    assert_eq!(cut, Err(Refusal::RolledBack { known: 20, now: 12 }));
    assert_eq!(ledger, before);
}

#[test]
fn a_fork_is_not_signed_whatever_proof_comes_with_it() {
    let all = lines(20);
    let fork = forked(&all, 3);
    for old in 0..=12 {
        let mut ledger = knowing();
        ledger.judge(&request(&all[..12], 0), NOW).unwrap();
        let before = ledger.clone();
        let mut asked = request(&fork, old);
        assert!(ledger.judge(&asked, NOW).is_err());
        asked.old = 12;
        assert!(
            ledger.judge(&asked, NOW).is_err(),
            "the proof from {old} passed"
        );
        asked.proof = request(&all, 12).proof;
        assert!(ledger.judge(&asked, NOW).is_err());
        assert_eq!(ledger, before);
    }
    let mut ledger = knowing();
    ledger.judge(&request(&all[..12], 0), NOW).unwrap();
    let same_size = request(&fork[..12], 12);
    assert!(matches!(
        ledger.judge(&same_size, NOW),
        Err(Refusal::Fork(_))
    ));
}

#[test]
fn a_witness_that_missed_a_request_says_from_where_it_wants_the_proof() {
    let mut ledger = knowing();
    let all = lines(20);
    ledger.judge(&request(&all[..8], 0), NOW).unwrap();
    let refused = ledger.judge(&request(&all, 12), NOW);
    assert_eq!(
        refused,
        Err(Refusal::Elsewhere {
            asked: 12,
            known: 8
        })
    );
    ledger.judge(&request(&all, 8), NOW).unwrap();
}

#[test]
fn a_record_that_somebody_edited_is_not_believed() {
    let mut ledger = knowing();
    ledger.judge(&request(&lines(5), 0), NOW).unwrap();
    let text = ledger.text();
    assert!(Ledger::parse(&text.replace(" 5 ", " 05 ")).is_err());
    assert!(Ledger::parse(&format!("{text}nonsense\n")).is_err());
}

#[test]
fn a_witness_whose_clock_went_back_never_signs_before_its_own_last_word() {
    let all = lines(20);
    let mut ledger = knowing();
    ledger.judge(&request(&all[..12], 0), NOW).unwrap();
    let mut ledger = Ledger::parse(&ledger.text()).unwrap();
    // A clock that was set right by a little goes on from there.
    let little = ledger.clone().judge(&request(&all, 12), NOW - 30);
    assert_eq!(little.unwrap().time, NOW);
    let before = ledger.clone();
    let much = ledger.judge(&request(&all, 12), NOW - 3600);
    assert_eq!(much, Err(Refusal::Clock(3600)));
    assert_eq!(ledger, before);
    // A record from before times were written down is read as it is.
    let old = ledger.text().replace(&format!(" {NOW}\n"), "\n");
    assert_ne!(old, ledger.text());
    let mut old = Ledger::parse(&old).unwrap();
    assert_eq!(old.text().matches(' ').count(), 2);
    assert_eq!(old.judge(&request(&all, 12), 5).unwrap().time, 5);
}
