//! How many cases a property is tried on, and by which chance: few and always the same by default, so
//! that two runs of the same tests say the same; many and new ones for whoever asks.
//!
//! `PROPTEST_CASES=30000` says how many, `HANDOVER_FULL=1` means fifty times the few. Either draws a
//! seed of its own and prints it beside a failure; `PROPTEST_RNG_SEED` repeats it.

use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::test_runner::{Config, RngSeed};

/// The chance of every ordinary run: 2020-10-01, the day on which East Kent's homes went back.
const USUAL: u64 = 20_201_001;

/// For `#![proptest_config(cases(40))]`.
pub fn cases(few: u32) -> Config {
    // Reads `PROPTEST_CASES` and `PROPTEST_RNG_SEED`.
    let said = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let full = std::env::var_os("HANDOVER_FULL").is_some();
    let cases = match (asked, full) {
        (true, _) => said.cases,
        (false, true) => few * 50,
        (false, false) => few,
    };
    let rng_seed = match said.rng_seed {
        RngSeed::Random if asked || full => RngSeed::Fixed(drawn()),
        RngSeed::Random => RngSeed::Fixed(USUAL),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    Config {
        cases,
        rng_seed,
        max_shrink_iters: 500,
        failure_persistence: None,
        ..said
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the harness shows it beside a failure, and nothing else can"
)]
fn drawn() -> u64 {
    let seed = RandomState::new().build_hasher().finish();
    eprintln!("PROPTEST_RNG_SEED={seed}");
    seed
}
