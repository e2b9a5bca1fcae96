//! Codes, pages, schema and templates: what is said has a page, what is offered can be read.

use std::collections::BTreeSet;
use std::path::Path;

use handover::plan::papers::Papers;
use handover::plan::template::{From, new_plan};
use handover::plan::{codes, explain, keys, nearest, read, schema};
use handover::report::faults::drawn;

/// Every `HOnnn` in our source, the tables of codes left out.
fn said(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("src") {
        let path = entry.expect("an entry").path();
        if path.ends_with("plan/codes") {
            continue;
        }
        if path.is_dir() {
            said(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file");
            for (at, _) in text.match_indices("HO") {
                let code = text.get(at..at + 5).unwrap_or_default();
                if code[2..].chars().all(|c| c.is_ascii_digit()) && code.len() == 5 {
                    found.insert(code.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_code_that_is_said_has_a_page() {
    let mut found = BTreeSet::new();
    said(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    let without: Vec<&String> = found
        .iter()
        .filter(|code| codes::find(code).is_none())
        .collect();
    assert!(without.is_empty(), "no page for {without:?}");
}

#[test]
fn every_page_says_what_to_do_and_codes_stand_in_order() {
    let all: Vec<&str> = codes::all().map(|entry| entry.code).collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), distinct.len(), "a code has two pages");
    for entry in codes::all() {
        assert!(
            !entry.title.is_empty() && !entry.what.is_empty() && !entry.then.is_empty(),
            "{}",
            entry.code
        );
        assert!(
            entry.code.len() == 5 && entry.code.starts_with("HO"),
            "{}",
            entry.code
        );
    }
}

#[test]
fn codes_kinds_and_keys_can_be_explained() {
    assert_eq!(explain("ho102").expect("a code").name, "HO102");
    for kind in keys::KINDS {
        let page = explain(kind.name).expect("a kind");
        assert!(page.then.contains("title, needed"), "{page:?}");
        for key in kind.keys {
            assert!(
                explain(key.name).expect("a key").what.contains(key.help),
                "{}",
                key.name
            );
        }
    }
    assert!(explain("frezee").is_none());
    assert_eq!(nearest("frezee").as_deref(), Some("freeze"));
}

#[test]
fn an_editor_knows_every_key_and_no_other() {
    let schema = schema();
    let step = "/properties/step/additionalProperties";
    let properties = schema
        .pointer(&format!("{step}/properties"))
        .expect("steps");
    for key in keys::KINDS
        .iter()
        .flat_map(|kind| kind.keys)
        .chain(keys::STEP)
    {
        assert!(properties.get(key.name).is_some(), "{}", key.name);
    }
    assert_eq!(
        schema.pointer(&format!("{step}/additionalProperties")),
        Some(&false.into())
    );
    let text = schema.to_string();
    assert!(
        !text.contains("\"if\"") && !text.contains("\"const\""),
        "beyond what editors understand"
    );
}

#[test]
fn a_new_plan_passes_check_untouched() {
    for name in From::NAMES {
        let from = From::named(name).expect("a way");
        for handover in ["2027-04-01", "2026-10-01", "2028-07-03"] {
            let mut papers = Papers::default();
            let files = new_plan("ours", from, handover.parse().expect("a day"));
            for (path, bytes) in files {
                let counts = Path::new(&path)
                    .extension()
                    .is_some_and(|e| e == "toml" || e == "md");
                let text = String::from_utf8_lossy(&bytes).into_owned();
                for real in ["Kent", "Thanet", "Westminster", "Northampton", "CityWest"] {
                    assert!(
                        !path.ends_with("plan.toml") || !text.contains(real),
                        "{name} {path}: {real}"
                    );
                }
                if counts && path != "README.md" {
                    papers.put(path, bytes);
                }
            }
            let plan = read("ours", papers);
            let plan = plan.unwrap_or_else(|faults| panic!("{name}\n{}", drawn(&faults, false)));
            let errors = plan.warnings.errors();
            assert_eq!(errors, 0);
        }
    }
}
