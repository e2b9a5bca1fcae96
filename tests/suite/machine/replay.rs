//! An auditor replays a log alone: an honest one gives the run as it lived, a doctored one is named.

use handover::journal::JournalFault;
use handover::machine::event::UndoMode;
use handover::machine::line;
use handover::machine::run::Run;
use handover::machine::state::Shelf;
use handover::plan::outline::Outline;
use handover::replay::fold::{Until, replay, replay_until};
use handover::replay::verify::{Evidence, Report, Verdict, verify};
use std::sync::Arc;

use super::paper::{id, outline};
use super::world::{Outcome, World};

fn lines(world: &World) -> Vec<Vec<u8>> {
    world.lines.clone().unwrap()
}

fn read(lines: &[Vec<u8>]) -> impl Iterator<Item = Result<Vec<u8>, JournalFault>> {
    lines.iter().cloned().map(Ok)
}

fn shelf(outline: &Outline) -> Shelf {
    Shelf::from_iter([Arc::new(outline.clone())])
}

/// A run with a failure, a hold, a kill, a rollback, and a finish.
fn eventful() -> (Outline, World) {
    let outline = outline(&[&[], &[0], &[0], &[1, 2]]);
    let mut world = World::unopened(&outline);
    world.lines = Some(Vec::new());
    world.open();
    world.script.insert(id(1), vec![Outcome::Refused]);
    world.script.insert(id(2), vec![Outcome::Hold]);
    world.drive();
    world.answer_holds();
    world.dies_at = Some(world.log.len() + 2);
    world.drive();
    world.claim();
    world.drive();
    assert!(world.roll_back(1, UndoMode::Refuse));
    world.drive();
    world.script.clear();
    world.claim();
    world.drive();
    assert!(world.run.finished(), "{}", world.story());
    world.release();
    (outline, world)
}

fn judge(outline: &Outline, lines: &[Vec<u8>]) -> Report {
    let evidence = Evidence {
        size: Some(lines.len() as u64),
        ..Evidence::default()
    };
    verify(&mut shelf(outline), read(lines), &evidence)
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

/// Lines whose entries were changed, with `prev` made anew: what a forger with the file can do.
fn forged(
    world: &World,
    change: impl Fn(&mut Vec<handover::machine::event::Entry>),
) -> Vec<Vec<u8>> {
    let mut entries = world.log.clone();
    change(&mut entries);
    let mut prev = handover::plan::digest::Digest::ZERO;
    entries
        .iter_mut()
        .map(|entry| {
            entry.prev = prev;
            let line = line::write(entry).unwrap();
            prev = handover::plan::digest::Digest::of(&line);
            line
        })
        .collect()
}

fn renumbered(entries: &mut [handover::machine::event::Entry]) {
    for (seq, entry) in entries.iter_mut().enumerate() {
        entry.seq = seq as u64;
    }
}

#[test]
fn an_honest_log_gives_the_run_as_it_lived() {
    let (outline, world) = eventful();
    let replayed = replay(&mut shelf(&outline), read(&lines(&world))).unwrap();
    assert_eq!(format!("{:?}", replayed.run), format!("{:?}", world.run));
    assert_eq!(judge(&outline, &lines(&world)).verdict, Verdict::Verified);
}

#[test]
fn any_moment_of_a_run_can_be_seen_again() {
    let (outline, world) = eventful();
    let mut run = Run::new(shelf(&outline));
    for entry in &world.log {
        run.apply(entry).unwrap();
        let until = Until::Seq(entry.seq);
        let then = replay_until(&mut shelf(&outline), read(&lines(&world)), until).unwrap();
        assert_eq!(then.size, entry.seq + 1);
        assert_eq!(format!("{:?}", then.run), format!("{run:?}"));
    }
}

#[test]
fn a_log_that_may_have_been_longer_is_not_called_fine() {
    let (outline, world) = eventful();
    let report = verify(
        &mut shelf(&outline),
        read(&lines(&world)),
        &Evidence::default(),
    );
    assert_eq!(
        (report.verdict, codes(&report)),
        (Verdict::CannotTell, vec!["UNCLOSED"])
    );
    let anchored = Evidence {
        anchor: Some(report.head),
        ..Evidence::default()
    };
    let report = verify(&mut shelf(&outline), read(&lines(&world)), &anchored);
    assert_eq!(report.verdict, Verdict::Verified);
    let cut = &lines(&world)[..world.log.len() - 1];
    let report = verify(&mut shelf(&outline), read(cut), &anchored);
    assert_eq!(
        (report.verdict, codes(&report)),
        (Verdict::Tampered, vec!["ROLLED_BACK_LOG"])
    );
}

#[test]
fn a_byte_changed_in_any_line_is_noticed() {
    let (outline, world) = eventful();
    let honest = lines(&world);
    for at in 0..honest.len() - 1 {
        let mut lines = honest.clone();
        let place = lines[at].iter().position(u8::is_ascii_digit).unwrap();
        lines[at][place] = if lines[at][place] == b'1' { b'2' } else { b'1' };
        assert_eq!(
            judge(&outline, &lines).verdict,
            Verdict::Tampered,
            "line {at}"
        );
    }
}

#[test]
fn an_entry_taken_out_swapped_or_doubled_is_noticed_even_if_the_chain_was_rebuilt() {
    let (outline, world) = eventful();
    for at in 1..world.log.len() - 1 {
        let lines = forged(&world, |entries| {
            entries.remove(at);
        });
        assert_eq!(codes(&judge(&outline, &lines)), ["SEQ"], "without {at}");
        let lines = forged(&world, |entries| entries.swap(at, at + 1));
        assert!(
            codes(&judge(&outline, &lines)).contains(&"SEQ"),
            "swapped {at}"
        );
        let lines = forged(&world, |entries| {
            let twice = entries[at].clone();
            entries.insert(at, twice);
        });
        assert!(
            codes(&judge(&outline, &lines)).contains(&"SEQ"),
            "twice {at}"
        );
    }
}

/// Some facts change nothing by themselves; dropping any other one is seen by the state it leaves.
#[test]
fn leaving_out_what_mattered_is_noticed_even_if_everything_was_renumbered() {
    let (outline, world) = eventful();
    for at in 0..world.log.len() {
        let name = world.log[at].event.name();
        let harmless = [
            "run.rested",
            "step.marked",
            "lease.released",
            "step.failed",
            "lease.acquired",
        ];
        if harmless.contains(&name) || at + 1 == world.log.len() {
            continue;
        }
        let lines = forged(&world, |entries| {
            entries.remove(at);
            renumbered(entries);
        });
        let report = judge(&outline, &lines);
        assert_eq!(report.verdict, Verdict::Tampered, "without {at} {name}");
    }
}

#[test]
fn a_log_of_a_newer_version_is_refused_by_name() {
    let (outline, world) = eventful();
    let mut lines = lines(&world);
    let last = lines.len() - 1;
    let text = String::from_utf8(lines[last].clone()).unwrap();
    lines[last] = text.replace("\"v\":1}", "\"v\":2}").into_bytes();
    let report = judge(&outline, &lines);
    assert_eq!((report.exit(), codes(&report)), (11, vec!["NEWER"]));
}

#[test]
fn a_missing_paper_is_missing_evidence() {
    let (_, world) = eventful();
    let report = judge(&super::paper::outline(&[&[]]), &lines(&world));
    assert_eq!((report.exit(), codes(&report)), (10, vec!["NO_PAPER"]));
}
