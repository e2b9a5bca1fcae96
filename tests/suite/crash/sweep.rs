//! A kill at every point of the story, each played on to its end and compared: the long form of the
//! sample in `kills`.
//!
//! Nobody plays the story from its start a thousand times. A folder that a kill left is kept every
//! [`STRETCH`] entries, and the points of the next stretch are reached from copies of it. Entries that
//! were made durable in one commit leave one and the same journal: one kill stands for all of them.
//!
//! Not here: what undisturbed means (`kills`).

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::stage::{Said, Stage};

/// Entries from one kept folder to the next.
const STRETCH: u64 = 20;

/// What a sweep did.
#[derive(Default)]
pub(super) struct Swept {
    /// States of the journal (or of a chunk without its mark) that a kill left and that were played on.
    pub(super) kills: usize,
    /// Kills that left what another had left: entries of one commit.
    pub(super) alike: usize,
    /// What was not as in the undisturbed story.
    pub(super) faults: Vec<String>,
}

/// Kills at every `word` (`entry` or `chunk`) that a story from `from` comes to. `play_on` plays a
/// killed folder to its end, and says what is wrong with it.
pub(super) fn sweep(
    from: Stage,
    word: &str,
    play_on: &(impl Fn(&Stage) -> Option<String> + Sync),
) -> Swept {
    let swept = Mutex::new(Swept::default());
    let mut from = Some(from);
    while let Some(here) = from {
        let next = killed(&here, "entry", STRETCH);
        let end = next.as_ref().map_or(u64::MAX, entries);
        assert!(end > entries(&here) + STRETCH / 2, "the story stands still");
        Stretch {
            from: &here,
            word,
            end,
            next: Mutex::new(Some(1)),
            heads: Mutex::default(),
        }
        .walk(&swept, play_on);
        from = next;
    }
    swept.into_inner().unwrap()
}

/// The points between one kept folder and the next.
struct Stretch<'a> {
    from: &'a Stage,
    word: &'a str,
    /// How many entries the next kept folder has.
    end: u64,
    /// The next point to try; none once one lay beyond the end.
    next: Mutex<Option<u64>>,
    /// Lengths of the journals that were played on.
    heads: Mutex<BTreeSet<u64>>,
}

impl Stretch<'_> {
    fn walk(&self, swept: &Mutex<Swept>, play_on: &(impl Fn(&Stage) -> Option<String> + Sync)) {
        let work = || {
            while let Some(count) = self.take() {
                let Some(stage) = killed(self.from, self.word, count) else {
                    return self.stop();
                };
                let head = entries(&stage);
                if head > self.end {
                    return self.stop();
                }
                if self.word == "entry" && !self.heads.lock().unwrap().insert(head) {
                    swept.lock().unwrap().alike += 1;
                    continue;
                }
                let fault = play_on(&stage);
                let mut swept = swept.lock().unwrap();
                swept.kills += 1;
                let told = |fault| format!("{} {count}, {head} entries: {fault}", self.word);
                swept.faults.extend(fault.map(told));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..super::kills::SIDE_BY_SIDE {
                scope.spawn(work);
            }
        });
    }

    fn take(&self) -> Option<u64> {
        let mut next = self.next.lock().unwrap();
        let taken = *next;
        *next = taken.map(|count| count + 1);
        taken
    }

    fn stop(&self) {
        *self.next.lock().unwrap() = None;
    }
}

/// A copy of `from`, played on until SIGKILL ended it there; none if it came to its end before.
fn killed(from: &Stage, word: &str, count: u64) -> Option<Stage> {
    let stage = from.copy();
    let mut demo = stage.demo(None);
    demo.env("HANDOVER_KILL", format!("{word}:{count}"));
    let said = Said::of(demo.output().unwrap());
    assert!(
        said.was_killed() || said.code == Some(0),
        "{word} {count}: {}",
        said.text
    );
    said.was_killed().then_some(stage)
}

/// How many entries its journal holds. Read in a copy: opening it would mend what the kill left.
fn entries(stage: &Stage) -> u64 {
    let copy = tempfile::TempDir::new().unwrap();
    for name in ["journal.db", "journal.db-wal"] {
        let from = stage.path.join(".handover").join(name);
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    let journal = rusqlite::Connection::open(copy.path().join("journal.db")).unwrap();
    journal
        .query_row("SELECT sum(size) FROM run", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs()
}
