//! The tree against its definition, against known roots, and against somebody else's implementation.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use handover::plan::digest::Digest;
use handover::seal::proof::{NoProof, check_consistency, check_inclusion, consistency, inclusion};
use handover::seal::tree::{Tree, leaf_hash, node_hash, root_of_hashes};
use proptest::prelude::*;
use sha2::Sha256;

/// The leaves and roots that implementations of RFC 6962 are commonly tried on.
const KNOWN: [(&str, &str); 8] = [
    (
        "",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    ),
    (
        "00",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    ),
    (
        "10",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    ),
    (
        "2021",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (
        "3031",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    ),
    (
        "40414243",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ),
    (
        "5051525354555657",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    ),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|at| leaf_hash(&at.to_be_bytes())).collect()
}

/// RFC 6962 section 2.1 as it is written there: recursive, whole list in hand.
fn by_the_book(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let cut = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(cut);
            node_hash(&by_the_book(left), &by_the_book(right))
        }
    }
}

#[test]
fn roots_are_those_that_other_implementations_of_rfc_6962_give() {
    let mut tree = Tree::default();
    for (leaf, root) in KNOWN {
        tree.add(&bytes(leaf));
        assert_eq!(tree.root().to_string(), root, "{} leaves", tree.size());
    }
}

#[test]
fn the_growing_tree_agrees_with_the_recursive_definition() {
    for size in 0..130 {
        let leaves = leaves(size);
        assert_eq!(
            root_of_hashes(&leaves),
            by_the_book(&leaves),
            "{size} leaves"
        );
    }
}

#[test]
fn two_child_hashes_are_not_taken_for_a_leaf() {
    let pair = leaves(2);
    let node = node_hash(&pair[0], &pair[1]);
    let fake = [pair[0].0, pair[1].0].concat();
    assert_ne!(leaf_hash(&fake), node);
}

#[test]
fn every_line_and_every_older_log_of_a_small_log_can_be_proved() {
    for size in 1..40_usize {
        let all = leaves(size);
        let root = root_of_hashes(&all);
        for at in 0..size {
            let proof = inclusion(&all, at).unwrap();
            check_inclusion(&all[at], at as u64, size as u64, &root, &proof).unwrap();
        }
        for old in 0..=size {
            let proof = consistency(&all, old).unwrap();
            let old_root = root_of_hashes(&all[..old]);
            check_consistency(old as u64, &old_root, size as u64, &root, &proof).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn proofs_agree_with_an_implementation_that_is_not_ours(size in 1..300_usize, seed in any::<u64>()) {
        let items: Vec<Vec<u8>> = (0..size).map(|at| (seed ^ at as u64).to_be_bytes().to_vec()).collect();
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for item in &items {
            theirs.push(item.clone());
        }
        let ours: Vec<Digest> = items.iter().map(|item| leaf_hash(item)).collect();
        let root = root_of_hashes(&ours);
        let their_root = theirs.root();
        prop_assert_eq!(their_root.as_bytes().as_slice(), root.0.as_slice());

        let at = usize::try_from(seed).unwrap_or(0) % size;
        let proof = inclusion(&ours, at).unwrap();
        let flat: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
        let their_proof = theirs.prove_inclusion(at);
        prop_assert_eq!(their_proof.as_bytes(), flat.as_slice());

        let old = 1 + at;
        let proof = consistency(&ours, old).unwrap();
        let flat: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
        let their_proof = theirs.prove_consistency(size - old);
        prop_assert_eq!(their_proof.as_bytes(), flat.as_slice());
    }

    #[test]
    fn a_proof_with_one_hash_more_less_or_other_proves_nothing(
        size in 2..200_usize, at in any::<prop::sample::Index>(), hit in any::<prop::sample::Index>()
    ) {
        let all = leaves(size);
        let (root, at) = (root_of_hashes(&all), at.index(size));
        let proof = inclusion(&all, at).unwrap();
        let check = |proof: &[Digest]| check_inclusion(&all[at], at as u64, size as u64, &root, proof);
        prop_assert_eq!(check(&proof), Ok(()));
        let mut longer = proof.clone();
        longer.push(root);
        prop_assert_eq!(check(&longer), Err(NoProof::Length));
        prop_assert_eq!(check(&proof[1..]), Err(NoProof::Length));
        let mut other = proof.clone();
        let hit = hit.index(other.len());
        other[hit].0[0] ^= 1;
        prop_assert_eq!(check(&other), Err(NoProof::Root));
        let elsewhere = (at + 1) % size;
        prop_assert!(check_inclusion(&all[at], elsewhere as u64, size as u64, &root, &proof).is_err());
    }

    #[test]
    fn a_log_with_another_past_is_not_consistent(
        size in 2..200_usize, old in any::<prop::sample::Index>(), edited in any::<prop::sample::Index>()
    ) {
        let all = leaves(size);
        let old = 1 + old.index(size - 1);
        let old_root = root_of_hashes(&all[..old]);
        let mut fork = all.clone();
        fork[edited.index(old)] = leaf_hash(b"edited");
        let root = root_of_hashes(&fork);
        let proof = consistency(&fork, old).unwrap();
        prop_assert!(check_consistency(old as u64, &old_root, size as u64, &root, &proof).is_err());
        let honest = consistency(&all, old).unwrap();
        prop_assert!(check_consistency(old as u64, &old_root, size as u64, &root, &honest).is_err());
    }
}

#[test]
fn sizes_beyond_any_log_are_refused_and_not_computed() {
    let root = Digest::of(b"root");
    let proof = vec![root; 63];
    let far = check_inclusion(&root, u64::MAX - 1, u64::MAX, &root, &proof);
    assert!(far.is_err());
    let far = check_consistency(1 << 63, &root, u64::MAX, &root, &proof);
    assert!(far.is_err());
    assert_eq!(
        check_inclusion(&root, 5, 5, &root, &[]),
        Err(NoProof::Outside)
    );
    assert_eq!(
        check_consistency(6, &root, 5, &root, &[]),
        Err(NoProof::Outside)
    );
}
