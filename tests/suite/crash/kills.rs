//! The story of the demo, killed and played on: it breaks, rolls back, is mended and finishes, and
//! wherever SIGKILL hits it, every organisation ends with the rows of a story that nobody disturbed.
//!
//! All copies share one run and one key, so that rows and letters may be compared byte by byte.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::ops::RangeInclusive;
use std::process::Stdio;
use std::sync::{Mutex, OnceLock};

use super::chance::Chance;
use super::rows::{Held, differences};
use super::stage::{BEGUN, Said, Stage, begun, everything};
use super::sweep::{Swept, chain, commits, sweep};

/// Kills and copies at a time.
pub(super) const SIDE_BY_SIDE: usize = 2;

/// The undisturbed story: what everybody holds at its end, how many entries and chunks it had.
struct Reference {
    held: Held,
    entries: u64,
    chunks: u64,
    /// The last entry of each of its commits after [`begun`].
    commits: BTreeSet<String>,
}

fn reference() -> &'static Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    REFERENCE.get_or_init(|| {
        let stage = begun().copy();
        finish(&stage, "undisturbed");
        let path = stage.path.join("log/steps.jsonl");
        let log = std::fs::read_to_string(&path).unwrap();
        let count = |word: &str| log.lines().filter(|line| line.contains(word)).count() as u64;
        Reference {
            held: stage.held(),
            entries: count("\"seq\""),
            chunks: count("\"type\":\"step.marked\""),
            commits: commits(&path, BEGUN),
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

/// Nine of ten commits at least with `HANDOVER_FULL=1` (see [`sweep`]), otherwise six entries, spread
/// over the story.
#[test]
fn a_kill_after_any_journal_entry_leaves_every_council_with_the_same_rows() {
    if everything() {
        return kill_after_commits();
    }
    let entries = reference().entries;
    let seqs = Chance::told("kills at entries").spread(6, entries);
    let reached = kill_at(seqs.iter().map(|seq| format!("entry:{seq}")).collect());
    eprintln!("killed after {reached} of {} entries", seqs.len());
    assert!(reached > 0);
}

/// At least as many kills as there are chunks with `HANDOVER_FULL=1`, otherwise four.
#[test]
fn a_kill_between_a_chunk_and_its_mark_never_copies_a_row_twice() {
    let chunks = reference().chunks;
    if everything() {
        assert!(swept("chunk", 1..=4).kills >= chunks);
        return;
    }
    let counts = Chance::told("kills at chunks").spread(4, chunks);
    let points = counts.iter().map(|count| format!("chunk:{count}"));
    let reached = kill_at(points.collect());
    eprintln!("killed after {reached} of {} chunks", counts.len());
    assert!(reached > 0);
}

/// Tales whose every process dies after so many `word`s.
#[expect(clippy::print_stderr, reason = "what a sweep is run for")]
fn swept(word: &str, depths: RangeInclusive<u64>) -> Swept {
    let undisturbed = &reference().held;
    let swept = sweep(begun(), word, depths, &|stage| {
        let differences = differences(undisturbed, &stage.held());
        (!differences.is_empty()).then(|| format!("{differences:#?}"))
    });
    let (tales, kills, faults) = (swept.tales, swept.kills, swept.faults.len());
    eprintln!("{word}: {kills} kills in {tales} tales, {faults} ended otherwise");
    assert!(swept.faults.is_empty(), "{}", swept.faults.join("\n"));
    swept
}

/// Entries of one commit leave one journal: a kill after the last is a kill after each.
fn kill_after_commits() {
    let commits = &reference().commits;
    let swept = swept("commit", 3..=8);
    let missed: Vec<&String> = commits.difference(&swept.after).collect();
    let (all, reached) = (commits.len(), commits.len() - missed.len());
    // Steps side by side share commits as it happens: what is last in one tale is not in another.
    let said = format!("killed after {reached} of the {all} commits; not after {missed:#?}");
    assert!(reached * 10 >= all * 9, "{said}");
}

/// A machine that fails again and again: every process gets a few entries further and dies.
#[test]
fn a_run_killed_again_and_again_still_ends_with_the_same_rows() {
    let stage = begun().copy();
    chain(&stage, "a chain of kills", (20, 60));
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
