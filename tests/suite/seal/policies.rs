//! Policies as files, and whether a quorum is met.

use std::collections::BTreeSet;

use handover::plan::model::Code;
use handover::seal::policy::Wrong;
use handover::seal::{Policy, Quorum};

use super::{log_key, quorum, witness_key};

fn met(names: &[&str]) -> bool {
    let names: BTreeSet<Code> = names.iter().map(|name| (*name).into()).collect();
    quorum().met(&names)
}

#[test]
fn a_council_and_the_almo_it_owns_are_not_two_pairs_of_eyes() {
    assert!(met(&["audit", "council"]));
    assert!(met(&["audit", "almo"]));
    assert!(!met(&["council", "almo"]));
    assert!(!met(&["audit"]));
    assert!(!met(&["audit", "stranger"]));
    assert!(!met(&["gate"]), "a group's name is nobody's signature");
    assert!(Quorum::default().met(&BTreeSet::new()));
}

#[test]
fn a_quorum_is_said_in_words() {
    assert_eq!(quorum().in_words(), "audit and one of (council, almo)");
}

#[test]
fn a_policy_survives_its_file() {
    let policy = Policy {
        logs: vec![log_key().vkey().clone()],
        quorum: quorum(),
    };
    assert_eq!(Policy::parse(&policy.text()).unwrap(), policy);
    let none = Policy::default();
    assert_eq!(none.text(), "quorum none\n");
    assert_eq!(Policy::parse(&none.text()).unwrap(), none);
}

#[test]
fn a_policy_that_means_less_than_it_seems_is_refused() {
    let audit = witness_key("audit").vkey().to_string();
    let again = handover::plan::vkey::Vkey::new(
        "another.name",
        handover::plan::vkey::KeyKind::Witness,
        *witness_key("audit").vkey().key(),
    );
    let again = again.unwrap().to_string();
    let log = log_key().vkey().to_string();
    for (text, what) in [
        (format!("witness a {audit}\n"), Wrong::Quorum),
        (
            format!("witness a {audit}\nquorum a\nquorum a\n"),
            Wrong::Quorum,
        ),
        (format!("witness a {audit}\nquorum b\n"), Wrong::Name),
        (
            format!("witness a {audit}\nwitness b {again}\nquorum a\n"),
            Wrong::SameKey,
        ),
        (format!("witness none {audit}\nquorum none\n"), Wrong::Name),
        (
            format!("witness a {audit}\ngroup g 2 a\nquorum g\n"),
            Wrong::Need,
        ),
        (
            format!("witness a {audit}\ngroup g any\nquorum g\n"),
            Wrong::Need,
        ),
        (
            format!("witness a {audit}\ngroup g 2 a a\nquorum g\n"),
            Wrong::Name,
        ),
        (format!("witness a {log}\nquorum a\n"), Wrong::Kind),
        (
            format!("group g any h\nwitness h {audit}\nquorum g\n"),
            Wrong::Name,
        ),
        ("believe everybody\n".to_owned(), Wrong::Line),
    ] {
        assert_eq!(Policy::parse(&text).unwrap_err().what, what, "{text}");
    }
    let fine = format!("# ours\n\n\twitness a {audit} https://a.example\nquorum a\n");
    assert!(Policy::parse(&fine).is_ok());
}
