//! What was done in which direction, as a table.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Instant;

use super::super::chance::Chance;
use super::super::stage::everything;
use super::ground::Pair;
use super::tales::drawn;

/// Counts by direction and what is counted.
static DONE: Mutex<BTreeMap<Pair, BTreeMap<&'static str, u64>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// What was counted on this thread, whatever it was.
    static HERE: Cell<u64> = const { Cell::new(0) };
}

/// Adds to what was done in a direction.
pub(super) fn add(pair: Pair, what: &'static str, count: u64) {
    HERE.set(HERE.get() + count);
    let mut done = DONE.lock().unwrap();
    *done.entry(pair).or_default().entry(what).or_default() += count;
}

/// Does `work` in every direction of `which` (where not everything is wanted, in as many as `sampled`), two at
/// a time, each with a chance of its own; says how far it is, and shows the table of all
/// that was done so far. A direction in which nothing was done and counted fails.
#[expect(clippy::print_stderr, reason = "what a matrix is run for")]
pub(super) fn along(
    about: &str,
    sampled: usize,
    which: fn(Pair) -> bool,
    work: impl Fn(Pair, &mut Chance) + Sync,
) {
    let mut chance = Chance::told(about);
    let mut pairs = drawn(&mut chance);
    pairs.retain(|pair| which(*pair));
    if !everything() {
        pairs.truncate(sampled);
    }
    let (begun, all) = (Instant::now(), pairs.len());
    let forked: Vec<_> = pairs
        .into_iter()
        .map(|pair| (pair, chance.fork()))
        .collect();
    let left = Mutex::new(forked.into_iter().enumerate());
    let next = || left.lock().unwrap().next();
    let hand = || {
        for (at, (pair, mut chance)) in std::iter::from_fn(next) {
            let before = HERE.get();
            work(pair, &mut chance);
            assert!(HERE.get() > before, "{about}: nothing was done, {pair}");
            let took = begun.elapsed().as_secs();
            eprintln!("{about}: {} of {all}, {pair}, after {took} s", at + 1);
        }
    };
    std::thread::scope(|scope| {
        let hands = [scope.spawn(hand), scope.spawn(hand)];
        // Whatever failed on a thread fails here, with its own words.
        for hand in hands {
            if let Err(panic) = hand.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    eprintln!("{}", table());
}

fn table() -> String {
    let done = DONE.lock().unwrap();
    let columns: BTreeSet<&str> = done.values().flat_map(BTreeMap::keys).copied().collect();
    let mut text = format!("\n{:<24}", "direction");
    for column in &columns {
        write!(text, "  {column}").unwrap();
    }
    let mut line = |name: &str, counts: &dyn Fn(&str) -> u64| {
        write!(text, "\n{name:<24}").unwrap();
        for column in &columns {
            let width = column.len();
            write!(text, "  {:>width$}", counts(column)).unwrap();
        }
    };
    for (pair, counts) in done.iter() {
        line(&pair.to_string(), &|column| {
            counts.get(column).copied().unwrap_or_default()
        });
    }
    line("all", &|column| {
        done.values().filter_map(|counts| counts.get(column)).sum()
    });
    text
}
