//! Seals in the formats of other people: trees, notes, cosignatures, policies, and what an auditor's
//! check finds.

mod check;
mod formats;
mod policies;
mod told;
mod tree;
mod witnesses;

use handover::plan::digest::Digest;
use handover::plan::quorum::{Group, Quorum, Witness};
use handover::seal::{LogKey, Seal, Tree, WitnessKey};

const ORIGIN: &str = "ekh/0190a6c8-0000-7000-8000-000000000000";

fn log_key() -> LogKey {
    LogKey::new(ORIGIN, &[7; 32]).unwrap()
}

fn witness_key(name: &str) -> WitnessKey {
    let seed = Digest::of(name.as_bytes()).0;
    WitnessKey::new(name, &seed).unwrap()
}

fn lines(count: u64) -> Vec<Vec<u8>> {
    let line = |at| format!("{{\"seq\":{at}}}").into_bytes();
    (0..count).map(line).collect()
}

fn tree(lines: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::default();
    for line in lines {
        tree.add(line);
    }
    tree
}

fn seal(key: &LogKey, lines: &[Vec<u8>]) -> Seal {
    let tree = tree(lines);
    key.seal(tree.size(), tree.root())
}

/// Audit and one of the two organisations.
fn quorum() -> Quorum {
    let witness = |name: &str| Witness {
        name: name.into(),
        key: witness_key(name).vkey().clone(),
    };
    let group = |name: &str, need, members: &[&str]| Group {
        name: name.into(),
        need,
        members: members.iter().map(|member| (*member).into()).collect(),
    };
    Quorum {
        witnesses: ["audit", "council", "almo"].map(witness).into(),
        groups: vec![
            group("orgs", 1, &["council", "almo"]),
            group("gate", 2, &["audit", "orgs"]),
        ],
        needed: Some("gate".into()),
    }
}
