//! Death after every commit of entries, or in every chunk, of the story: the long form of the sample in
//! `kills`.
//!
//! Hundreds of stories with one kill each take hours. Here every process of a tale is killed a few
//! commits after it began, until the story is told: after three in the first tale, which is as few as
//! let it get on (a claim, an intent, an outcome), after four in the next. So they die everywhere, go on
//! hundreds of times, and every tale must end with the rows of the undisturbed story.
//!
//! Not here: what undisturbed means (`kills`).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use super::chance::Chance;
use super::stage::{Said, Stage, everything};

/// What a sweep did.
#[derive(Default)]
pub(super) struct Swept {
    pub(super) tales: u64,
    pub(super) kills: u64,
    /// Last entries of the journals that kills left, as [`named`] calls them.
    pub(super) after: BTreeSet<String>,
    /// What was not as in the undisturbed story.
    pub(super) faults: Vec<String>,
}

/// Tells a tale for each of `depths`: every process is killed after so many `word`s (`commit`, `chunk` or `load`).
/// `wrong` says what an ended tale got wrong.
pub(super) fn sweep(
    begun: &Stage,
    word: &str,
    depths: RangeInclusive<u64>,
    wrong: &(impl Fn(&Stage) -> Option<String> + Sync),
) -> Swept {
    let swept = Mutex::new(Swept::default());
    let depths = Mutex::new(depths);
    let tell = || {
        let next = || depths.lock().unwrap().next();
        for depth in std::iter::from_fn(next) {
            let told = tale(&begun.copy(), word, depth, wrong);
            let mut swept = swept.lock().unwrap();
            swept.tales += 1;
            swept.kills += told.kills;
            swept.after.extend(told.after);
            let named = |fault| format!("killed after every {depth} {word}s: {fault}");
            swept.faults.extend(told.faults.into_iter().map(named));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..super::kills::SIDE_BY_SIDE {
            scope.spawn(tell);
        }
    });
    swept.into_inner().unwrap()
}

fn tale(stage: &Stage, word: &str, depth: u64, wrong: &impl Fn(&Stage) -> Option<String>) -> Swept {
    let mut told = Swept::default();
    let fault = loop {
        let mut demo = stage.demo(None);
        // A step that goes on may say again which chunks it had done, before any of that is durable:
        // every other process is let get on to a commit.
        let point = match (word, told.kills % 2) {
            ("chunk" | "load", 1) => "commit:4".to_owned(),
            _ => format!("{word}:{depth}"),
        };
        demo.env("HANDOVER_KILL", point);
        let said = Said::of(demo.output().unwrap());
        if !said.was_killed() {
            let failed = (said.code != Some(0)).then_some(said.text);
            break failed.or_else(|| wrong(stage));
        }
        told.kills += 1;
        if told.kills > 2000 {
            break Some(format!("no end: {}", said.text));
        }
        told.after.insert(last(stage));
    };
    let after = |fault| format!("after {} kills: {fault}", told.kills);
    told.faults.extend(fault.map(after));
    told
}

/// Tells a stage's story to its end, every process of it killed some entries after it began.
#[expect(clippy::print_stderr, reason = "what a chain is run for")]
pub(super) fn chain(stage: &Stage, about: &str, between: (u64, u64)) {
    let mut chance = Chance::told(about);
    let (low, high) = if everything() { (3, 8) } else { between };
    let mut kills = 0;
    loop {
        let point = format!("entry:{}", chance.between(low, high) + kills / 200);
        let mut demo = stage.demo(None);
        let said = Said::of(demo.env("HANDOVER_KILL", &point).output().unwrap());
        if !said.was_killed() {
            assert_eq!(said.code, Some(0), "after {kills} kills: {}", said.text);
            break;
        }
        kills += 1;
        assert!(kills < 2000, "{kills} kills, and no end: {}", said.text);
    }
    eprintln!("{about}: {kills} kills");
    assert!(kills > 0);
}

/// The newest entry of its journal. Read in a copy: opening it would mend what the kill left.
fn last(stage: &Stage) -> String {
    let copy = TempDir::new().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        let from = stage.path.join(".handover").join(name);
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let journal = rusqlite::Connection::open(copy.path().join("journal.db")).unwrap();
    let newest = "SELECT line FROM entry ORDER BY seq DESC LIMIT 1";
    let line: Vec<u8> = journal.query_row(newest, [], |row| row.get(0)).unwrap();
    named(&serde_json::from_slice(&line).unwrap())
}

/// What an entry is about, whichever tale it stands in.
fn named(entry: &Value) -> String {
    let body = &entry["body"];
    let told = [
        &entry["type"],
        &entry["step"],
        &entry["generation"],
        &body["ordinal"],
        &body["rule"],
        &entry["actor"]["person"],
    ];
    let told = told.iter().filter(|value| !value.is_null());
    told.map(ToString::to_string)
        .collect::<Vec<String>>()
        .join(" ")
}

/// The last entry of every commit of an exported log, from position `from`: entries of one commit share
/// their `mono`.
pub(super) fn commits(log: &Path, from: u64) -> BTreeSet<String> {
    let text = std::fs::read_to_string(log).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    let all: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    let entries: Vec<&Value> = all
        .iter()
        .filter(|line| line["seq"].as_u64() >= Some(from))
        .collect();
    let same = |one: &Value, other: &Value| one["mono"] == other["mono"];
    let groups = entries.chunk_by(|one, other| same(one, other));
    groups
        .filter_map(|group| group.last())
        .map(|last| named(last))
        .collect()
}
