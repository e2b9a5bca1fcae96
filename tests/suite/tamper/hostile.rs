//! Input that was made to hurt (T41), and what later versions may add without any harm (T42).

use std::fs;
use std::io::Write as _;

use serde_json::json;

use super::attack::{Forgery, Pack};
use super::good::good;

#[test]
fn t41_a_million_signatures_under_a_seal_are_refused() {
    let pack = Pack::copy();
    let line = "— nobody.example AAAAAAAAAAAAAAAAAAAAAAAA\n";
    let pack = pack.amended(|files| {
        let seal = files.get_mut("log/checkpoint").unwrap();
        for _ in 0..1_000_000 {
            seal.extend_from_slice(line.as_bytes());
        }
    });
    pack.is_told(&["BAD_SEAL"]);
}

#[test]
fn t41_a_line_without_an_end_is_refused_without_being_read() {
    let pack = Pack::copy();
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(pack.at("log/steps.jsonl"))
        .unwrap();
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        log.write_all(&chunk).unwrap();
    }
    drop(log);
    let found = pack.verified();
    assert_eq!(found.code, 6, "{}", found.said);
}

#[test]
fn t41_numbers_and_depths_that_nobody_writes_are_refused() {
    let deep = format!("{}1{}", "[".repeat(60_000), "]".repeat(2));
    let cases = [
        deep,
        r#"{"seq":-1}"#.to_owned(),
        format!(r#"{{"seq":{}}}"#, u64::MAX),
        r#"{"seq":1e400}"#.to_owned(),
    ];
    for line in cases {
        let mut log = Forgery::honest();
        log.lines[22] = line.into_bytes();
        log.put_in(b"\n").is_told(&["NOT_CANONICAL"]);
    }
}

#[test]
fn t41_a_seal_over_more_entries_than_there_are_numbers_is_refused() {
    for size in ["9223372036854775808", "18446744073709551616", "-1", "068"] {
        let pack = Pack::with(|files| {
            let seal = files.get_mut("log/checkpoint").unwrap();
            let text = String::from_utf8(seal.clone()).unwrap();
            *seal = text
                .replacen("\n68\n", &format!("\n{size}\n"), 1)
                .into_bytes();
        });
        let found = pack.verified();
        assert_eq!(found.code, 6, "{size}: {}", found.said);
    }
}

#[test]
fn t42_signatures_of_strangers_and_parts_for_later_harm_nobody() {
    let mut log = Forgery::honest();
    let mut line = log.newest().note.lines[0].clone();
    line.name = "later.example".to_owned();
    log.newest().note.lines.push(line);
    log.pack().verified().is(0, &[]);
    // An entry with an `x` that a later version wrote, sealed and witnessed as it stands: only its form
    // is looked at here, since the witnesses did not see it.
    let later = Forgery::honest()
        .edit(|entries| {
            let last = entries.len() - 1;
            entries[last]["x"] = json!({ "later": 1 });
        })
        .rewritten()
        .pack()
        .verified();
    for code in ["NOT_CANONICAL", "CHAIN_BREAK", "ROOT_MISMATCH", "STATE"] {
        assert!(!later.tells(code), "{}", later.said);
    }
    assert!(good().pack().exists());
}
