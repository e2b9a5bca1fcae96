//! Other people's readers: bagit, jsonschema, pm4py, and the schemas of `OpenLineage`. `tests/run` sees to
//! them (`tests/judges`); where it could not, these tests are left out, and with `CI=true` it fails.

mod pages;
mod sealed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use handover::machine::event::Entry;
use handover::machine::{line, schema};
use tempfile::TempDir;

use super::stage::{files, said, told};

/// The Python of the judges, which stands beside what was built.
pub fn python() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_handover"));
    let python = binary.parent().unwrap().parent().unwrap();
    let python = python.join("judges/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `. tests/toolchain; . tests/judges` sets it up",
        python.display()
    );
    python
}

/// What a judge says of some files.
fn judged(what: &str, arguments: &[&Path]) -> String {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/export/judge.py");
    said(Command::new(python()).arg(judge).arg(what).args(arguments))
}

#[test]
fn an_archives_reader_takes_pack_and_annex() {
    let told = told();
    for bag in [&told.pack, &told.annex] {
        assert!(judged("bag", &[bag]).contains("version 1.0"));
    }
}

#[test]
fn process_miners_read_every_activity() {
    let exports = told().pack.join("data/exports");
    let mined = judged("mining", &[&exports]);
    let log = fs::read_to_string(told().pack.join("data/log/steps.jsonl")).unwrap();
    let marks = log.matches("\"type\":\"step.marked\"").count();
    let lines = log.lines().count();
    let starts = log.matches("\"type\":\"step.started\"").count()
        + log.matches("\"type\":\"undo.started\"").count();
    let activities = lines - marks;
    for wanted in [
        format!("ocel {lines} "),
        format!("xes {activities} cases 32"),
        format!("csv {activities} cases 32 starts {starts}"),
    ] {
        assert!(mined.contains(&wanted), "no `{wanted}` in {mined}");
    }
}

#[test]
fn a_catalogue_of_data_takes_every_lineage_event() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/export/openlineage");
    let log = told().pack.join("data/exports/openlineage.jsonl");
    let read = judged("lineage", &[&schemas, &log]);
    assert!(!read.contains("runs 0"), "{read}");
    let text = fs::read_to_string(log).unwrap();
    for facet in [
        "columnLineage",
        "dataQualityAssertions",
        "errorMessage",
        "outputStatistics",
    ] {
        assert!(text.contains(facet), "{facet}");
    }
    let (started, ended) = (
        text.matches("\"eventType\":\"START\"").count(),
        text.lines().count() - text.matches("\"eventType\":\"START\"").count(),
    );
    assert_eq!(
        started, ended,
        "of a run that is closed every attempt has its end"
    );
}

#[test]
fn every_entry_of_a_whole_story_is_as_the_schema_says() {
    let pack = told().pack.join("data");
    let (schema, log) = (
        pack.join("schema/entry-v1.schema.json"),
        pack.join("log/steps.jsonl"),
    );
    let read = judged("schema", &[&schema, &log]);
    let lines = fs::read_to_string(&log).unwrap().lines().count();
    assert_eq!(read.trim(), format!("entries {lines}"));
}

#[test]
fn every_type_of_entry_that_there_is_is_as_the_schema_says() {
    let folder = TempDir::new().unwrap();
    let (against, log) = (folder.path().join("schema"), folder.path().join("log"));
    let mut lines = Vec::new();
    let all: Vec<Entry> = crate::machine::every_entry();
    for entry in &all {
        lines.extend(line::write(entry).unwrap());
        lines.push(b'\n');
    }
    fs::write(&against, schema::bytes()).unwrap();
    fs::write(&log, lines).unwrap();
    let read = judged("schema", &[&against, &log]);
    assert_eq!(read.trim(), format!("entries {}", all.len()));
}

#[test]
fn a_pack_holds_nothing_that_the_lists_do_not_name() {
    let pack = files(&told().pack);
    let list = String::from_utf8(pack["manifest-sha256.txt"].clone()).unwrap();
    let payload = pack.keys().filter(|path| path.starts_with("data/")).count();
    assert_eq!(list.lines().count(), payload);
}
