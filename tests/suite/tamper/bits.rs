//! One bit anywhere: whatever file of a pack it is in, and whether or not the lists are made anew around
//! it, an auditor is never told VERIFIED.
//!
//! `HANDOVER_FULL=1` tries every bit of the files that are small.

use proptest::prelude::*;

use super::attack::{Pack, payload};
use super::good::good;
use crate::cases::cases;
use crate::export::stage::files;

/// Bytes of a file that is small.
const SMALL: usize = 600;

/// Flips a bit of a file of the pack, by its path below the pack's own folder.
fn flipped(path: &str, bit: usize) -> Pack {
    let pack = Pack::copy();
    let place = pack.root.join(path);
    let mut bytes = std::fs::read(&place).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(place, bytes).unwrap();
    pack
}

/// The same below `data/`, with lists that are right again.
fn flipped_and_listed(path: &str, bit: usize) -> Pack {
    Pack::with(|files| files.get_mut(path).unwrap()[bit / 8] ^= 1 << (bit % 8))
}

/// What something outside the lists vouches for: the seals for the log, the log for papers, approvals and
/// ledgers, the log again for what is derived from it. Taking a signature away from a seal is not forging
/// one, and the description of the files is made anew with the lists.
fn vouched(path: &str) -> bool {
    const SEALS: [&str; 3] = ["log/checkpoint", "log/witness/", "ro-crate"];
    !SEALS.iter().any(|below| path.starts_with(below))
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn no_bit_of_a_pack_is_flipped_without_being_told(file: prop::sample::Index, bit: prop::sample::Index) {
        let all: Vec<(String, Vec<u8>)> = files(&good().pack()).into_iter().collect();
        let all: Vec<_> = all.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
        let (path, bytes) = file.get(&all);
        let bit = bit.index(bytes.len() * 8);
        let found = flipped(path, bit).verified();
        prop_assert!(found.code != 0, "bit {} of {}: {}", bit, path, found.said);
    }

    #[test]
    fn no_bit_of_the_evidence_is_flipped_without_being_told_even_where_the_lists_are_made_anew(
        file: prop::sample::Index,
        bit: prop::sample::Index,
    ) {
        let all = payload(&good().pack()).into_iter();
        let all: Vec<_> = all.filter(|(path, bytes)| vouched(path) && !bytes.is_empty()).collect();
        let (path, bytes) = file.get(&all);
        let bit = bit.index(bytes.len() * 8);
        let found = flipped_and_listed(path, bit).verified();
        prop_assert!(found.code != 0, "bit {} of {}: {}", bit, path, found.said);
    }
}

#[test]
fn every_bit_of_the_small_files_is_tried_where_time_is_no_matter() {
    let few = if std::env::var_os("HANDOVER_FULL").is_some() {
        1
    } else {
        4_001
    };
    for (path, bytes) in payload(&good().pack()) {
        if bytes.len() > SMALL || !vouched(&path) {
            continue;
        }
        for bit in (0..bytes.len() * 8).step_by(few) {
            let found = flipped_and_listed(&path, bit).verified();
            assert_ne!(found.code, 0, "bit {bit} of {path}: {}", found.said);
        }
    }
}
