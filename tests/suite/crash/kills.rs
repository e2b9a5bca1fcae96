//! The story of the demo, killed and played on: it breaks, rolls back, is mended and finishes, and
//! wherever SIGKILL hits it, every organisation ends with the rows of a story that nobody disturbed.
//!
//! All copies share one run and one key, so that rows and letters may be compared byte by byte.

use std::io::BufRead;
use std::process::Stdio;
use std::sync::{Mutex, OnceLock};

use super::chance::Chance;
use super::rows::{Held, differences};
use super::stage::{Said, Stage, begun};
use super::sweep::sweep;

/// Kills and copies at a time.
pub(super) const SIDE_BY_SIDE: usize = 2;

/// The undisturbed story: what everybody holds at its end, how many entries and chunks it had.
struct Reference {
    held: Held,
    entries: u64,
    chunks: u64,
}

fn reference() -> &'static Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    REFERENCE.get_or_init(|| {
        let stage = begun().copy();
        finish(&stage, "undisturbed");
        let log = std::fs::read_to_string(stage.path.join("log/steps.jsonl")).unwrap();
        let count = |word: &str| log.lines().filter(|line| line.contains(word)).count() as u64;
        Reference {
            held: stage.held(),
            entries: count("\"seq\""),
            chunks: count("\"type\":\"step.marked\""),
        }
    })
}

fn finish(stage: &Stage, when: &str) {
    let said = Said::of(stage.demo(None).output().unwrap());
    assert_eq!(said.code, Some(0), "{when}: {}", said.text);
}

fn compare(stage: &Stage, when: &str) {
    let differences = differences(&reference().held, &stage.held());
    assert!(differences.is_empty(), "{when}: {differences:#?}");
}

/// Kills a fresh copy at `point`, plays on, compares; whether the point was reached at all.
fn kill_once(point: &str) -> bool {
    let stage = begun().copy();
    let mut demo = stage.demo(None);
    let said = Said::of(demo.env("HANDOVER_KILL", point).output().unwrap());
    let killed = said.was_killed();
    assert!(killed || said.code == Some(0), "{point}: {}", said.text);
    if killed {
        finish(&stage, point);
    }
    compare(&stage, point);
    killed
}

/// Kills at each of `points`, on a few threads; how many were reached.
fn kill_at(points: Vec<String>) -> usize {
    let left = Mutex::new(points.into_iter());
    let work = || {
        let next = || left.lock().unwrap().next();
        std::iter::from_fn(next)
            .filter(|point| kill_once(point))
            .count()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn everything() -> bool {
    std::env::var_os("HANDOVER_FULL").is_some()
}

/// Every entry with `HANDOVER_FULL=1` (see [`sweep`]), otherwise six of them, spread over the story.
#[test]
fn a_kill_after_any_journal_entry_leaves_every_council_with_the_same_rows() {
    if everything() {
        return kill_everywhere("entry");
    }
    let entries = reference().entries;
    let seqs = Chance::told("kills at entries").spread(6, entries);
    let reached = kill_at(seqs.iter().map(|seq| format!("entry:{seq}")).collect());
    eprintln!("killed after {reached} of {} entries", seqs.len());
    assert!(reached > 0);
}

/// Every durable chunk whose mark is not yet written with `HANDOVER_FULL=1`, otherwise four.
#[test]
fn a_kill_between_a_chunk_and_its_mark_never_copies_a_row_twice() {
    if everything() {
        return kill_everywhere("chunk");
    }
    let chunks = reference().chunks;
    let counts = Chance::told("kills at chunks").spread(4, chunks);
    let points = counts.iter().map(|count| format!("chunk:{count}"));
    let reached = kill_at(points.collect());
    eprintln!("killed after {reached} of {} chunks", counts.len());
    assert!(reached > 0);
}

fn kill_everywhere(word: &str) {
    let (entries, chunks) = (reference().entries, reference().chunks);
    let swept = sweep(begun().copy(), word, &|stage| {
        let said = Said::of(stage.demo(None).output().unwrap());
        let differences = differences(&reference().held, &stage.held());
        let ended = said.code == Some(0) && differences.is_empty();
        (!ended).then(|| format!("{:?}: {differences:#?}\n{}", said.code, said.text))
    });
    eprintln!(
        "a story of {entries} entries and {chunks} chunks: {} kills at every {word}, {} more left \
         what one of these had left, {} differences",
        swept.kills,
        swept.alike,
        swept.faults.len(),
    );
    assert!(swept.faults.is_empty(), "{}", swept.faults.join("\n"));
    assert!(
        swept.kills as u64 + swept.alike as u64
            >= if word == "entry" {
                entries - 12
            } else {
                chunks / 2
            }
    );
}

/// A machine that fails again and again: every process gets a few entries further and dies.
#[test]
fn a_run_killed_again_and_again_still_ends_with_the_same_rows() {
    let mut chance = Chance::told("a chain of kills");
    let stage = begun().copy();
    let (low, high) = if everything() { (3, 8) } else { (20, 60) };
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
    eprintln!("a chain of {kills} kills");
    compare(&stage, "a chain of kills");
}

/// SIGKILL from outside, at whatever the process is doing: in a chunk, in a commit, in a checkpoint.
#[test]
fn a_kill_from_outside_in_mid_copy_loses_nothing() {
    let mut chance = Chance::told("kills from outside");
    let stage = begun().copy();
    let mut kills = 0;
    for _ in 0..if everything() { 200 } else { 6 } {
        let lines = usize::try_from(chance.between(1, 12)).unwrap();
        let mut demo = stage.demo(None);
        let mut child = demo
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let heard = said.by_ref().map_while(Result::ok).take(lines).count();
        child.kill().unwrap();
        child.wait().unwrap();
        kills += usize::from(heard == lines);
    }
    eprintln!("{kills} kills from outside");
    finish(&stage, "killed from outside");
    compare(&stage, "killed from outside");
}
