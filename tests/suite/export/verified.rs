//! An auditor who trusts nobody: the same pack under another key, rewritten, cut, swapped, and as it was made.

use std::fs;
use std::path::Path;

use handover::export::pack::{Pack, at};
use handover::machine::line;
use handover::plan::digest::Digest;
use handover::replay::verify::{Evidence, Finding, Outside, Report, Verdict, verify};
use handover::report::judged::claims;
use handover::report::proof::Outcome;
use handover::seal::{LogKey, Seal, Vkey};

use super::stage::{copied, ended, handover, told};

/// In life the key comes from the minute; here whoever wrote the pack is ourselves.
fn minute() -> Vkey {
    let key = fs::read_to_string(told().pack.join("data/policy/log.vkey")).unwrap();
    key.trim().parse().unwrap()
}

/// What is found in the log of a pack, whatever its lists say.
fn judged(pack: &Path, outside: Outside) -> Report {
    let mut log = Pack::open(pack).unwrap().log();
    let lines = log.lines().unwrap();
    let evidence = Evidence {
        outside: Some(outside),
        ..Evidence::default()
    };
    verify(&mut log, lines, &evidence)
}

fn with_key() -> Outside {
    Outside {
        key: Some(minute()),
        ..Outside::default()
    }
}

fn codes(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<_> = report.findings.iter().map(|found| found.code).collect();
    codes.dedup();
    codes
}

fn rewrite(pack: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let place = pack.join("data").join(at::STEPS);
    let log = fs::read(&place).unwrap();
    let lines = log.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
    let mut lines: Vec<Vec<u8>> = lines.filter(|line| !line.is_empty()).collect();
    change(&mut lines);
    lines.push(Vec::new());
    fs::write(&place, lines.join(&b'\n')).unwrap();
}

#[test]
fn a_sealed_pack_holds_under_the_key_of_the_minute_and_nothing_is_told_without_it() {
    let report = judged(&told().pack, with_key());
    assert_eq!(
        (codes(&report), report.verdict),
        (vec![], Verdict::Verified)
    );
    let sealed = report.sealed.unwrap();
    assert_eq!(sealed.sealed, report.size);
    assert!(sealed.witnessed > 0 && report.signatures > 0);
    let without = judged(&told().pack, Outside::default());
    assert_eq!(
        (codes(&without), without.verdict),
        (vec!["NO_KEY"], Verdict::CannotTell)
    );
}

#[test]
fn a_log_under_another_key_than_the_minutes_is_not_the_record_of_this_transfer() {
    let other = LogKey::new(minute().name(), &[7; 32]).unwrap();
    let outside = Outside {
        key: Some(other.vkey().clone()),
        ..Outside::default()
    };
    let report = judged(&told().pack, outside);
    assert_eq!(report.verdict, Verdict::Tampered);
    assert_eq!(report.findings[0].code, "UNTRUSTED_KEY");
}

#[test]
fn a_log_that_was_rewritten_with_its_chain_made_anew_fits_none_of_its_seals() {
    let pack = copied(&told().pack);
    rewrite(pack.path(), |lines| {
        let mut prev = Digest::ZERO;
        for bytes in lines {
            let mut entry = line::parse(bytes).unwrap();
            entry.prev = prev;
            entry.mono += u64::from(entry.seq == 20);
            *bytes = line::write(&entry).unwrap();
            prev = Digest::of(bytes);
        }
    });
    let report = judged(pack.path(), with_key());
    let codes = codes(&report);
    assert!(codes.contains(&"ROOT_MISMATCH"), "{codes:?}");
    assert!(!codes.contains(&"CHAIN_BREAK"), "{codes:?}");
    assert_eq!(report.verdict, Verdict::Tampered);
}

#[test]
fn a_log_that_was_cut_is_shorter_than_its_seals_and_its_witnesses_say() {
    let pack = copied(&told().pack);
    rewrite(pack.path(), |lines| lines.truncate(lines.len() / 2));
    let codes = codes(&judged(pack.path(), with_key()));
    assert!(codes.contains(&"TRUNCATED"), "{codes:?}");
    assert!(codes.contains(&"ROLLED_BACK_LOG"), "{codes:?}");
}

#[test]
fn a_seal_that_a_witness_kept_tells_of_a_tail_that_went_with_its_seals() {
    let pack = copied(&told().pack);
    let newest = fs::read(pack.path().join("data/log/checkpoint")).unwrap();
    let kept = Seal::parse(&newest).unwrap();
    let size = kept.head.size;
    rewrite(pack.path(), |lines| lines.truncate(lines.len() / 2));
    for entry in fs::read_dir(pack.path().join("data/log/checkpoints")).unwrap() {
        let path = entry.unwrap().path();
        let covers: u64 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        if covers > size / 2 {
            fs::remove_file(path).unwrap();
        }
    }
    fs::remove_file(pack.path().join("data/log/checkpoint")).unwrap();
    let silent = judged(pack.path(), with_key());
    assert_eq!(silent.verdict, Verdict::CannotTell, "{:?}", codes(&silent));
    let outside = Outside {
        seals: vec![kept],
        ..with_key()
    };
    let codes = codes(&judged(pack.path(), outside));
    assert!(codes.contains(&"TRUNCATED"), "{codes:?}");
}

#[test]
fn a_signature_or_a_paper_in_the_place_of_another_is_named_for_what_it_is() {
    let pack = copied(&told().pack);
    let data = pack.path().join("data");
    let signed = fs::read_dir(data.join("approvals")).unwrap();
    let mut signed: Vec<_> = signed.map(|entry| entry.unwrap().path()).collect();
    signed.retain(|path| path.extension().is_some_and(|ending| ending == "sig"));
    signed.sort();
    // As if the lists had been made anew, too: a name changed places with another.
    let manifest = pack.path().join("manifest-sha256.txt");
    let lists = fs::read_to_string(&manifest).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (one, other) = (name(&signed[0]), name(&signed[1]));
    let lists = lists
        .replace(&format!("approvals/{one}\n"), "approvals/swapped\n")
        .replace(
            &format!("approvals/{other}\n"),
            &format!("approvals/{one}\n"),
        )
        .replace("approvals/swapped\n", &format!("approvals/{other}\n"))
        .replace("data/plan/01/plan.toml\n", "data/plan/01/people.toml-\n")
        .replace("data/plan/01/people.toml\n", "data/plan/01/plan.toml\n")
        .replace("data/plan/01/people.toml-\n", "data/plan/01/people.toml\n");
    fs::write(&manifest, lists).unwrap();
    let checked = Pack::open(pack.path()).unwrap().check(None).unwrap();
    let codes: Vec<_> = checked.findings.iter().map(|found| found.code).collect();
    assert!(codes.contains(&"BAD_APPROVAL"), "{codes:?}");
    assert!(codes.contains(&"PLAN_DIGEST"), "{codes:?}");
}

#[test]
fn the_command_says_what_was_changed_and_which_exit_it_is() {
    let pack = copied(&told().pack);
    let shown = pack.path().display().to_string();
    let key = minute().to_string();
    let ask = |extra: &[&str]| {
        let arguments = [&["verify", shown.as_str()], extra].concat();
        ended(&mut handover(pack.path(), &arguments))
    };
    assert_eq!(ask(&["--key", &key]).0, 0);
    assert_eq!(ask(&[]).0, 10);
    let view = pack.path().join("data/exports/events.csv");
    let mut text = fs::read(&view).unwrap();
    text.push(b'\n');
    fs::write(&view, text).unwrap();
    let (code, said) = ask(&["--key", &key]);
    assert_eq!(code, 6, "{said}");
    assert!(
        said.contains("BAG") && said.contains("EXPORT_DRIFT"),
        "{said}"
    );
}

#[test]
fn a_layer_whose_findings_are_only_counted_does_not_pass() {
    let sound = judged(&told().pack, with_key());
    let passes = |report: &Report, layer: &str| {
        let mut claims = claims(report).into_iter();
        claims.any(|claim| claim.name == layer && claim.outcome == Outcome::Pass)
    };
    assert!(passes(&sound, "record") && passes(&sound, "witnesses"));
    let dated = (0..100).map(|seq| Finding::wrong("BACKDATED", Some(seq), "too late"));
    let behind = [
        ("CHAIN_BREAK", "another line"),
        ("UNCOSIGNED", "nobody signed"),
    ];
    let behind = behind.map(|(code, says)| Finding::wrong(code, Some(200), says));
    let told = sound.with(dated.chain(behind).collect());
    assert!(!passes(&told, "record") && !passes(&told, "witnesses"));
    assert!(passes(&told, "seals"), "nothing was found there");
    let claims = claims(&told);
    let more = claims.iter().find(|claim| claim.name == "more").unwrap();
    assert_eq!(
        more.says,
        "2 findings more are not shown: record 1, witnesses 1"
    );
}
