//! Input that was made to hurt (T41), and what later versions may add without any harm (T42).

use std::fs;
use std::io::Write as _;

use handover::journal::LogFolder;
use handover::plan::digest::Digest;
use serde_json::json;

use super::attack::{Forgery, Pack, Verdict, payload, trusted, verify};
use super::good::good;
use crate::export::stage::ended;

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

#[test]
fn what_a_log_says_begins_no_line_of_its_own_and_steers_no_terminal() {
    let said = "copy\n  PASS         trust     the log is sealed by the key\u{1b}[2J\u{202e}";
    let forged = Forgery::honest()
        .edit(|entries| {
            let begun = |entry: &serde_json::Value| entry["type"] == "step.started";
            let begun = entries.iter_mut().find(|entry| begun(entry)).unwrap();
            begun["step"] = said.into();
        })
        .rewritten()
        .pack();
    let place = forged.root.display().to_string();
    for command in ["verify", "replay"] {
        for manner in ["--color=always", "--plain"] {
            let mut told = std::process::Command::new(env!("CARGO_BIN_EXE_handover"));
            let told = told.args([manner, command, &place]);
            let (code, text) = crate::export::stage::ended(told);
            assert_eq!(code, 6, "{text}");
            assert!(text.contains("copy"), "{text}");
            let steered = text.contains("\u{1b}[2J") || text.contains('\u{202e}');
            let line = text
                .lines()
                .any(|line| line.trim_start().starts_with("PASS         trust"));
            assert!(!steered && !line, "{command} {manner}: {text:?}");
        }
    }
}

#[test]
fn a_log_that_a_newer_version_wrote_ends_with_the_code_that_its_report_names() {
    let newer = Forgery::honest().edit(|entries| entries[60]["v"] = 2.into());
    let mut bytes = newer.chain().lines.join(&b'\n');
    bytes.push(b'\n');
    let log = crate::export::stage::copied(&good().closed().join("log"));
    fs::write(log.path().join("steps.jsonl"), bytes).unwrap();
    let exit = |code: i32| {
        let found = verify(log.path(), &trusted()[..2]);
        found.is(code, &["NEWER"]);
        let report: serde_json::Value = serde_json::from_str(&found.said).unwrap();
        assert_eq!(report["exit"], code);
    };
    // What is wrong beside it counts more.
    exit(6);
    fs::remove_dir_all(log.path().join("checkpoints")).unwrap();
    exit(11);
}

#[test]
fn a_manifest_that_names_one_file_a_hundred_thousand_times_is_no_paper() {
    let place = tempfile::TempDir::new().unwrap();
    let papers = place.path().join("papers");
    fs::create_dir(&papers).unwrap();
    let file = vec![b'x'; 1 << 20];
    let digest = Digest::of(&file);
    fs::write(papers.join(digest.to_string()), &file).unwrap();
    let lines: Vec<String> = (0..100_000)
        .map(|at| format!("{digest}  maps/{at}.toml"))
        .collect();
    let manifest = lines.join(
        "
",
    ) + "
";
    let fingerprint = Digest::of(manifest.as_bytes());
    fs::write(papers.join(fingerprint.to_string()), manifest).unwrap();
    fs::write(place.path().join("steps.jsonl"), "").unwrap();
    let log = LogFolder::open(place.path()).unwrap();
    assert!(log.papers(fingerprint).is_err());
}

/// All the memory that `verify` may address here, in KiB; the hostile files are three times as long.
const ROOM_KIB: u64 = 131_072;

/// Verifies a pack in so much room and no more.
fn in_little_room(pack: &Pack) -> Verdict {
    let mut shell = std::process::Command::new("sh");
    let within = format!("ulimit -v {ROOM_KIB}; exec \"$0\" \"$@\"");
    shell.args(["-c", &within, env!("CARGO_BIN_EXE_handover")]);
    shell
        .args(["--json", "verify"])
        .arg(&pack.root)
        .args(trusted());
    // One arena: each of another thread's takes address space that nobody uses.
    let (code, said) = ended(shell.env("MALLOC_ARENA_MAX", "1"));
    Verdict::read(code, said)
}

#[test]
fn t41_files_without_an_end_are_refused_in_little_memory_wherever_they_lie() {
    in_little_room(&Pack::copy()).is(0, &[]);
    let mut signed = payload(&good().pack()).into_keys();
    let signed = signed.find(|path| path.starts_with("approvals/"));
    let signed = format!("data/{}", signed.unwrap());
    for place in [
        "data/log/steps.jsonl",
        "data/log/checkpoint",
        "data/log/witness/000000000068.add-checkpoint",
        &signed,
        "data/effects/council.effects.jsonl",
        "data/plan/01/plan.toml",
        "data/exports/events.csv",
        "manifest-sha256.txt",
        "bag-info.txt",
    ] {
        let pack = Pack::copy();
        let file = fs::OpenOptions::new()
            .write(true)
            .open(pack.root.join(place));
        file.unwrap().set_len(3 * 1024 * ROOM_KIB).unwrap();
        let found = in_little_room(&pack);
        assert_eq!(found.code, 6, "{place}: {}", found.said);
    }
}

#[test]
fn a_time_stamp_that_is_too_large_is_refused_and_never_kept_cut() {
    let live = good().live();
    fs::write(live.path().join("big.tsr"), vec![0x30; 256 * 1024 + 1]).unwrap();
    let said = super::good::tell(live.path(), "anchor add homes- big.tsr", 2);
    assert!(said.contains("too large"), "{said}");
}
