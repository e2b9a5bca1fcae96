//! A pack stands alone, is the same every time, and says nothing about people.

use std::collections::BTreeSet;
use std::fs;

use handover::export::bag::BagWriter;
use handover::export::pack::{Pack, at, drift};
use handover::plan::digest::Digest;
use serde_json::Value;
use tempfile::TempDir;

use super::stage::{copied, ended, files, handover, said, told};

/// The entries of the packed log.
fn entries() -> Vec<Value> {
    let log = fs::read_to_string(told().pack.join("data").join(at::STEPS)).unwrap();
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_same_run_gives_the_same_pack_byte_for_byte() {
    let told = told();
    for form in ["pack", "annex"] {
        let to = format!("../{form}-again");
        said(&mut handover(
            &told.plan,
            &["export", ".", "--as", form, "--to", &to],
        ));
        let again = files(&told.plan.join(&to));
        let first = files(&told.plan.join("..").join(form));
        assert_eq!(
            first.keys().collect::<Vec<_>>(),
            again.keys().collect::<Vec<_>>()
        );
        let other = first.iter().filter(|(path, bytes)| again[*path] != **bytes);
        assert_eq!(other.map(|(path, _)| path).collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn an_auditor_replays_and_verifies_a_pack_without_the_run() {
    let pack = copied(&told().pack);
    let place = pack.path().display().to_string();
    // In life the key comes from the minute; here whoever wrote the pack is ourselves.
    let key = pack.path().join("data/policy/log.vkey");
    let key = key.display().to_string();
    let verified = said(&mut handover(
        pack.path(),
        &["verify", &place, "--key", &key],
    ));
    assert!(verified.contains("PASS, record"), "{verified}");
    let replayed = said(&mut handover(
        pack.path(),
        &["replay", &place, "--at", "40"],
    ));
    assert!(replayed.contains("after entry 40"), "{replayed}");
}

#[test]
fn a_pack_in_which_one_byte_was_changed_is_not_relied_on() {
    let pack = copied(&told().pack);
    let place = pack.path().join("data").join(at::STEPS);
    let mut log = fs::read(&place).unwrap();
    let middle = log.len() / 2;
    log[middle] ^= 1;
    fs::write(&place, log).unwrap();
    let shown = pack.path().display().to_string();
    let (code, said) = ended(&mut handover(pack.path(), &["verify", &shown]));
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("log/steps.jsonl"), "{said}");
}

#[test]
fn a_view_that_was_edited_is_told_and_a_whole_one_is_not() {
    let pack = copied(&told().pack);
    let open = || Pack::open(pack.path()).unwrap();
    assert_eq!(drift(&open()).unwrap(), [""; 0]);
    let data = pack.path().join("data");
    for path in [
        "exports/events.csv",
        "exports/events.ocel.json",
        "reports/replay.txt",
    ] {
        let whole = fs::read_to_string(data.join(path)).unwrap();
        let mut lines: Vec<&str> = whole.lines().collect();
        lines.remove(lines.len() / 2);
        fs::write(data.join(path), lines.join("\n")).unwrap();
        assert_eq!(drift(&open()).unwrap(), [path]);
        fs::write(data.join(path), format!("{whole} ")).unwrap();
        assert_eq!(drift(&open()).unwrap(), [path], "something was added");
        fs::write(data.join(path), whole).unwrap();
    }
    fs::remove_file(data.join("exports/events.xes")).unwrap();
    // What describes the files of a pack names it no more.
    let gone = ["exports/events.xes", "ro-crate-metadata.json"];
    assert_eq!(drift(&open()).unwrap(), gone);
}

#[test]
fn nobodys_name_is_in_a_pack_and_the_annex_has_them() {
    let told = told();
    let people = fs::read_to_string(told.plan.join("people.toml")).unwrap();
    let names = people
        .lines()
        .filter_map(|line| line.split_once("name = \"")?.1.split('"').next());
    let names: BTreeSet<&str> = names.collect();
    assert!(names.len() > 10, "{names:?}");
    for (path, bytes) in files(&told.pack) {
        let text = String::from_utf8_lossy(&bytes);
        for name in &names {
            assert!(!text.contains(name), "{name} in {path}");
        }
    }
    let annex = files(&told.annex);
    assert_eq!(annex["data/people.toml"], people.as_bytes());
    let statements = annex.keys().filter(|path| path.contains("statements/"));
    assert!(statements.count() > 0);
}

#[test]
fn the_logs_last_entry_vouches_for_the_annex_and_the_ledgers_rows() {
    let told = told();
    let entries = entries();
    let closed = &entries.last().unwrap()["body"];
    let list = fs::read(told.annex.join("manifest-sha256.txt")).unwrap();
    assert_eq!(closed["annex"], Digest::of(&list).to_string());
    let list = fs::read_to_string(told.pack.join("data").join(at::EFFECTS)).unwrap();
    assert_eq!(closed["effects"], Digest::of(list.as_bytes()).to_string());
    let files = files(&told.pack);
    for line in list.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let kept = &files[&format!("data/effects/{name}")];
        assert_eq!(Digest::of(kept).to_string(), sum);
    }
}

#[test]
fn every_mark_in_the_log_is_an_effect_that_the_ledgers_held() {
    let held = files(&told().pack).into_iter();
    let held = held.filter(|(path, _)| path.ends_with(".effects.jsonl"));
    let key = |row: &Value, root: &str| {
        (
            row["step"].as_str().unwrap().to_owned(),
            row["generation"].as_u64().unwrap(),
            row[root].as_str().unwrap().to_owned(),
        )
    };
    let mut ledgers = BTreeSet::new();
    for (_, rows) in held {
        for line in String::from_utf8(rows).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            ledgers.insert(key(&row, "digest"));
        }
    }
    let mut marks = 0;
    for entry in entries()
        .iter()
        .filter(|entry| entry["type"] == "step.marked")
    {
        let root = entry["body"]["root"].as_str().unwrap().to_owned();
        let (step, generation, _) = key(entry, "type");
        assert!(
            ledgers.contains(&(step.clone(), generation, root)),
            "{step} at {}",
            entry["seq"]
        );
        marks += 1;
    }
    assert!(marks > 50, "{marks}");
}

#[test]
fn the_schema_in_a_pack_is_the_one_that_the_log_was_opened_with() {
    let schema = fs::read(told().pack.join("data").join(at::SCHEMA)).unwrap();
    let opened = &entries()[0]["body"];
    assert_eq!(opened["schema"], Digest::of(&schema).to_string());
}

#[test]
fn a_pack_is_never_written_over_anything() {
    let told = told();
    let again = ["export", ".", "--as", "pack", "--to", "../pack"];
    let (code, text) = ended(&mut handover(&told.plan, &again));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("exists already"), "{text}");
    let of_a_pack = ["export", "../pack", "--as", "pack", "--to", "../other"];
    let (code, text) = ended(&mut handover(&told.plan, &of_a_pack));
    assert_eq!(code, 2, "{text}");
}

#[test]
fn a_view_goes_to_a_file_or_to_another_program() {
    let told = told();
    let piped = said(&mut handover(
        &told.plan,
        &["export", ".", "--as", "csv", "--to", "-"],
    ));
    let packed = fs::read_to_string(told.pack.join("data/exports/events.csv")).unwrap();
    assert_eq!(piped, packed);
    let log = [
        "export",
        "../pack",
        "--as",
        "openlineage",
        "--to",
        "../lineage.jsonl",
    ];
    said(&mut handover(&told.plan, &log));
    let written = fs::read(told.plan.join("../lineage.jsonl")).unwrap();
    assert_eq!(written, files(&told.pack)["data/exports/openlineage.jsonl"]);
}

#[test]
fn what_a_stranger_keeps_beside_an_export_is_neither_overwritten_nor_removed() {
    let place = TempDir::new().unwrap();
    let here = place.path();
    let pack = told().pack.display().to_string();
    let export = |form: &str, to: &str| {
        let arguments = ["export", pack.as_str(), "--as", form, "--to", to];
        ended(&mut handover(here, &arguments)).0
    };
    fs::write(here.join("events.unfinished"), "theirs").unwrap();
    assert_eq!(export("csv", "events.csv"), 0);
    assert_eq!(export("xes", "events.xes"), 0);
    fs::write(here.join("more.csv.unfinished"), "theirs").unwrap();
    assert_ne!(export("csv", "more.csv"), 0);
    for name in ["events.unfinished", "more.csv.unfinished"] {
        assert_eq!(fs::read_to_string(here.join(name)).unwrap(), "theirs");
    }
    assert!(!here.join("more.csv").exists());

    fs::create_dir(here.join("bag.unfinished")).unwrap();
    fs::write(here.join("bag.unfinished/letter"), "theirs").unwrap();
    assert!(BagWriter::new(&here.join("bag")).is_err());
    assert!(here.join("bag.unfinished/letter").exists());
}
