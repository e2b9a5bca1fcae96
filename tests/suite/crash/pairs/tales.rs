//! The tale of a direction: a copy days before, an office that works on, a catch-up behind the freeze, staff,
//! contracts and letters; told once without a disturbance, and as often as wanted with one.
//!
//! Not here: the disturbances.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::super::chance::Chance;
use super::super::played::played_to;
use super::super::rows::{Held, differences};
use super::super::stage::{BEGUN, EARLY, Said, Stage, began, everything};
use super::super::sweep::commits;
use super::ground::{Ground, Pair};

/// What is made once for each direction.
pub(super) struct Once<T: 'static>(Mutex<BTreeMap<Pair, Arc<OnceLock<T>>>>);

impl<T> Once<T> {
    const fn new() -> Once<T> {
        Once(Mutex::new(BTreeMap::new()))
    }

    fn get(&self, pair: Pair, make: impl FnOnce() -> T) -> Made<T> {
        let cell = Arc::clone(self.0.lock().unwrap().entry(pair).or_default());
        cell.get_or_init(make);
        Made(cell)
    }
}

/// One of them.
pub(super) struct Made<T>(Arc<OnceLock<T>>);

impl<T> std::ops::Deref for Made<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get().unwrap()
    }
}

/// A whole tale, in which the copy breaks, takes its rows out again and is mended.
pub(super) struct Tale {
    /// Its run has just begun.
    pub(super) begun: Stage,
    /// What all hold at its end.
    pub(super) told: Held,
    /// The last entry of each commit after the beginning.
    pub(super) commits: std::collections::BTreeSet<String>,
}

pub(super) fn tale(pair: Pair) -> Made<Tale> {
    static TALES: Once<Tale> = Once::new();
    TALES.get(pair, || {
        let begun = begin(pair, None);
        let stage = begun.copy();
        Said::of(stage.demo(None).output().unwrap()).is(0, &["25 new telephone numbers"]);
        Tale {
            told: stage.held(),
            commits: commits(&stage.path.join("log/steps.jsonl"), BEGUN),
            begun,
        }
    })
}

/// The moment before the copy, in a tale in which nothing breaks.
pub(super) struct Eve {
    /// The next thing that `run` does is to copy.
    pub(super) stage: Stage,
    /// What all hold then.
    pub(super) before: Held,
    /// What all hold once rows were copied, and people are waited for.
    pub(super) copied: Held,
    /// How many chunks that takes.
    pub(super) chunks: u64,
}

pub(super) fn eve(pair: Pair) -> Made<Eve> {
    static EVES: Once<Eve> = Once::new();
    EVES.get(pair, || {
        let stage = begin(pair, Some("none"));
        played_to(&stage, "tell-tenants");
        played_to(&stage, "contracts-novated");
        let copy = stage.copy();
        copy.tell(&["run", "."]).is(4, &["Waiting safely"]);
        let log = copy.tell(&["export", ".", "--as", "log", "--to", "copied-log"]);
        log.is(0, &[]);
        let log = std::fs::read_to_string(copy.path.join("copied-log/steps.jsonl")).unwrap();
        let marked = |line: &&str| line.contains("\"type\":\"step.marked\"");
        Eve {
            before: stage.held(),
            copied: copy.held(),
            chunks: log.lines().filter(marked).count() as u64,
            stage,
        }
    })
}

fn begin(pair: Pair, breaks: Option<&str>) -> Stage {
    began(
        Stage::on(EARLY, |above| Some(Ground::new(pair, above))),
        breaks,
    )
}

/// Holds what a stage's databases hold against what they should.
#[track_caller]
pub(super) fn same(stage: &Stage, wanted: &Held, when: &str) {
    let differences = differences(wanted, &stage.held());
    assert!(differences.is_empty(), "{when}: {differences:#?}");
}

/// All nine directions with `HANDOVER_FULL=1`, otherwise three of them, in which every engine is source
/// once and target once.
pub(super) fn drawn(chance: &mut Chance) -> Vec<Pair> {
    let mut pairs = Pair::all();
    if everything() {
        return pairs;
    }
    let mut some = Vec::new();
    while !pairs.is_empty() {
        let last = pairs.len() as u64 - 1;
        let at = usize::try_from(chance.between(0, last)).unwrap();
        let pair: Pair = pairs[at];
        pairs.retain(|other| other.from != pair.from && other.to != pair.to);
        some.push(pair);
    }
    some
}
