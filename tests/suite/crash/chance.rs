//! Chance that can be repeated: a seed that is printed, and numbers out of it.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Numbers out of a seed (`SplitMix64`, Steele, Lea and Flood 2014).
pub(super) struct Chance(u64);

impl Chance {
    /// From `HANDOVER_SEED`, or a seed of its own; says which, for whoever has to repeat a failure.
    #[expect(
        clippy::print_stderr,
        reason = "the harness shows it beside a failure, and nothing else can"
    )]
    pub(super) fn told(what: &str) -> Chance {
        let said = std::env::var("HANDOVER_SEED").ok();
        let seed = said.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let fresh = RandomState::new().build_hasher();
            fresh.finish() % 1_000_000
        });
        eprintln!("{what}: HANDOVER_SEED={seed}");
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Another chance, for whoever works beside us: theirs and ours go on apart.
    pub(super) fn fork(&mut self) -> Chance {
        Chance(self.next())
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// `count` numbers from 1 to `high`, one out of each equal stretch, so that a sample spans it all.
    pub(super) fn spread(&mut self, count: u64, high: u64) -> Vec<u64> {
        let edge = |part: u64| part * high / count;
        (0..count)
            .filter(|part| edge(part + 1) > edge(*part))
            .map(|part| self.between(edge(part) + 1, edge(part + 1)))
            .collect()
    }
}
