//! Attacks on the lines of a log: edited, dropped, swapped, copied, cut, written otherwise (T01 to T09).

use handover::plan::digest::Digest;
use serde_json::Value;

use super::attack::{Forgery, Pack, verify};

/// A number that somebody would like to be another.
fn thirteen(entries: &mut [Value]) {
    let check = &mut entries[22]["body"];
    assert_eq!(check["actual"], "12 rows");
    check["actual"] = "13 rows".into();
}

#[test]
fn t01_a_number_that_was_edited_breaks_the_chain_and_the_seal() {
    let edited = Forgery::honest().edit(|entries| thirteen(entries));
    edited
        .put_in(b"\n")
        .is_told(&["CHAIN_BREAK", "ROOT_MISMATCH"]);
}

#[test]
fn t02_a_chain_that_was_made_anew_does_not_hide_an_edit_from_the_seals() {
    let edited = Forgery::honest().edit(|entries| thirteen(entries)).chain();
    edited.put_in(b"\n").is_told(&["ROOT_MISMATCH"]);
    edited.pack().is_told(&["ROOT_MISMATCH"]);
}

#[test]
fn t03_an_entry_that_was_dropped_and_the_rest_renumbered_is_missed() {
    let dropped = Forgery::honest().edit(|entries| drop(entries.remove(22)));
    dropped.chain().pack().is_told(&["ROOT_MISMATCH"]);
}

#[test]
fn t04_two_entries_that_changed_places_are_told() {
    let swapped = Forgery::honest().edit(|entries| entries.swap(21, 22));
    swapped.put_in(b"\n").is_told(&["SEQ", "ROOT_MISMATCH"]);
}

#[test]
fn t05_an_entry_that_stands_twice_is_told() {
    let twice = Forgery::honest().edit(|entries| entries.insert(22, entries[21].clone()));
    twice.put_in(b"\n").is_told(&["SEQ", "ROOT_MISMATCH"]);
}

#[test]
fn t06_a_tail_that_was_cut_off_is_noticed_by_the_seals_that_stayed() {
    let mut short = Forgery::honest();
    short.lines.truncate(58);
    short.put_in(b"\n").is_told(&["TRUNCATED"]);
}

#[test]
fn t08_a_log_that_was_written_otherwise_is_not_taken_for_the_same_log() {
    let text = |change: &dyn Fn(&str) -> Vec<u8>| {
        let mut log = Forgery::honest();
        let line = String::from_utf8(log.lines[22].clone()).unwrap();
        log.lines[22] = change(&line);
        assert_ne!(log.lines[22], line.as_bytes());
        log
    };
    let cases: [(&str, Forgery); 9] = [
        (
            "windows line ends",
            text(&|line| format!("{line}\r").into()),
        ),
        ("pretty", text(&|line| line.replace("\":", "\": ").into())),
        (
            "a float",
            text(&|line| line.replace("\"seq\":22", "\"seq\":22.0").into()),
        ),
        (
            "a key twice",
            text(&|line| line.replace("\"seq\":22", "\"seq\":22,\"seq\":22").into()),
        ),
        (
            "a NUL",
            text(&|line| line.replace("12 rows", "12 rows\0").into()),
        ),
        (
            "an escape",
            text(&|line| line.replace("12 rows", "12\\u0020rows").into()),
        ),
        (
            "not UTF-8",
            text(&|line| [line.as_bytes(), &[0xff]].concat()),
        ),
        (
            "another order of keys",
            text(&|line| {
                let rest = line.replace(",\"seq\":22", "");
                rest.replacen('{', "{\"seq\":22,", 1).into()
            }),
        ),
        ("a byte-order mark", {
            let mut log = Forgery::honest();
            log.lines[0].splice(0..0, *b"\xef\xbb\xbf");
            log
        }),
    ];
    for (what, log) in cases {
        let found = log.put_in(b"\n").verified();
        assert!(found.tells("NOT_CANONICAL"), "{what}: {}", found.said);
        assert_eq!(found.code, 6, "{what}");
    }
    Forgery::honest().put_in(b"").is_told(&["TORN"]);
}

#[test]
fn t09_two_hashes_are_never_taken_for_an_entry() {
    let mut log = Forgery::honest();
    let leaf = |line: &[u8]| handover::seal::tree::leaf_hash(line).0;
    let pairs = log
        .lines
        .chunks(2)
        .map(|pair| [leaf(&pair[0]), leaf(&pair[1])].concat());
    let (at, both) = (0..)
        .zip(pairs)
        .find(|(_, both)| !both.contains(&b'\n'))
        .unwrap();
    log.lines.splice(2 * at..2 * at + 2, [both]);
    log.put_in(b"\n").is_told(&["NOT_CANONICAL", "TRUNCATED"]);

    // The same size with another entry in the place of the second.
    let last = log.lines.last().unwrap().clone();
    log.lines.push(last);
    log.put_in(b"\n").is_told(&["ROOT_MISMATCH"]);
}

#[test]
fn t09_a_seal_over_nothing_has_the_root_of_nothing() {
    let root = Digest::of(b"something").0;
    let origin = super::good::good()
        .minuted
        .split('+')
        .next()
        .unwrap()
        .to_owned();
    let pack = Pack::with(|files| {
        let newest = String::from_utf8(files["log/checkpoint"].clone()).unwrap();
        let mut lines: Vec<&str> = newest.lines().collect();
        lines[1] = "0";
        assert_eq!(lines[0], origin);
        let bytes = lines.join("\n") + "\n";
        files.insert("log/checkpoints/000000000000".to_owned(), bytes.into());
    });
    assert_ne!(root, Digest::of(b"").0);
    pack.is_told(&["BAD_SEAL"]);
}

#[test]
fn a_log_without_its_pack_is_judged_by_the_same_eyes() {
    let folder = super::good::good().closed().join("log");
    let copy = crate::export::stage::copied(&folder);
    let trusted = super::attack::trusted();
    verify(copy.path(), &trusted).is(0, &[]);
    let edited = Forgery::honest().edit(|entries| thirteen(entries)).chain();
    let mut bytes = edited.lines.join(&b'\n');
    bytes.push(b'\n');
    std::fs::write(copy.path().join("steps.jsonl"), bytes).unwrap();
    verify(copy.path(), &trusted).is(6, &["ROOT_MISMATCH"]);
}
