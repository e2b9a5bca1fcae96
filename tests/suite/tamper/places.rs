//! Attacks on what people read in a pack, its lists made anew: each file stands in the one place where the log
//! has it, holds what the log says, and there is no other.

use std::collections::BTreeMap;

use super::attack::{Forgery, Pack, payload};
use super::good::good;

type Files = BTreeMap<String, Vec<u8>>;

fn forged_plan(files: &Files) -> Vec<u8> {
    let plan = String::from_utf8(files["plan/01/plan.toml"].clone()).unwrap();
    let forged = plan.replace("Twelve homes", "Thirteen homes");
    assert_ne!(forged, plan);
    forged.into_bytes()
}

#[test]
fn a_plan_is_read_where_people_read_it_and_nowhere_else() {
    // The genuine papers lie elsewhere, where only a program finds them.
    let moved = Pack::with(|files| {
        let forged = forged_plan(files);
        let list = files.remove("plan/01.sha256").unwrap();
        let plan = files
            .insert("plan/01/plan.toml".to_owned(), forged)
            .unwrap();
        files.insert("plan/00.sha256".to_owned(), list);
        files.insert("plan/01/by-digest/plan".to_owned(), plan);
    });
    moved.is_told(&["PLAN_DIGEST", "PATH"]);
    let beside = Pack::with(|files| {
        let forged = forged_plan(files);
        let plan = files
            .insert("plan/01/plan.toml".to_owned(), forged)
            .unwrap();
        files.insert("plan/01/by-digest/plan".to_owned(), plan);
    });
    beside.is_told(&["PLAN_DIGEST", "PATH"]);
}

#[test]
fn a_paper_that_was_never_in_force_is_no_part_of_a_pack() {
    for more in ["plan/01/more.toml", "plan/02.sha256", "plan/02/plan.toml"] {
        let pack = Pack::with(|files| {
            let forged = forged_plan(files);
            files.insert(more.to_owned(), forged);
        });
        pack.is_told(&["PATH"]);
    }
}

#[test]
fn a_paper_that_is_not_at_hand_is_missed() {
    for less in ["plan/01.sha256", "plan/01/plan.toml"] {
        let pack = Pack::with(|files| drop(files.remove(less)));
        let found = pack.verified();
        assert!(found.tells("PLAN_DIGEST"), "{less}: {}", found.said);
        assert_ne!(found.code, 0, "{less}");
    }
}

#[test]
fn what_nothing_in_the_log_speaks_of_is_no_part_of_a_pack() {
    for stray in [
        "approvals/4.json",
        "approvals/99.json.sig",
        "effects/more.effects.jsonl",
        "log/checkpoints/000000000007.note",
        "log/witness/proof",
        "anchors/000000000068.aabbccdd.tsr",
        "anchors/latest.tsr",
        "schema/entry-v2.schema.json",
        "note.txt",
        "verdict/verified.txt",
    ] {
        let honest = payload(&good().pack());
        assert!(!honest.contains_key(stray), "{stray}");
        let pack = Pack::with(|files| drop(files.insert(stray.to_owned(), b"0".to_vec())));
        let found = pack.verified();
        assert!(found.tells("PATH"), "{stray}: {}", found.said);
        assert_eq!(found.code, 6, "{stray}");
    }
}

#[test]
fn a_page_that_tells_people_something_else_is_not_ours() {
    for page in [
        "README.txt",
        "VERIFY.md",
        "SPEC.md",
        "policy/log.vkey",
        "policy/tlog-policy",
        "policy/allowed_signers",
    ] {
        let pack = Pack::with(|files| files.get_mut(page).unwrap().extend(b"Rely on it.\n"));
        let found = pack.verified();
        assert!(found.tells("EXPORT_DRIFT"), "{page}: {}", found.said);
        assert_eq!(found.code, 6, "{page}");
    }
    let mut files = payload(&good().pack());
    let described = files.get_mut("ro-crate-metadata.json").unwrap();
    let text = String::from_utf8(described.clone()).unwrap();
    *described = text
        .replacen("Read this first", "Read nothing else", 1)
        .into_bytes();
    Pack::bagged(&files).is_told(&["EXPORT_DRIFT"]);
}

#[test]
fn a_schema_that_takes_any_line_is_not_the_one_that_the_log_was_opened_with() {
    let schema = "schema/entry-v1.schema.json";
    let pack = Pack::with(|files| drop(files.insert(schema.to_owned(), b"{}\n".to_vec())));
    pack.is_told(&["ATTACHMENT"]);
    let gone = Pack::with(|files| drop(files.remove(schema)));
    gone.verified().is(10, &["ATTACHMENT"]);
}

#[test]
fn rows_of_ledgers_that_no_last_entry_vouches_for_are_no_evidence() {
    let effects: Files = payload(&good().pack())
        .into_iter()
        .filter(|(path, _)| path.starts_with("effects/"))
        .collect();
    assert!(!effects.is_empty());
    let open = Forgery::honest().cut(60).pack();
    open.verified().is(10, &["UNCLOSED"]);
    open.amended(|files| files.extend(effects))
        .is_told(&["PATH"]);
}

#[test]
fn an_older_seal_never_stands_as_the_newest() {
    let pack = Pack::with(|files| {
        let older = files["log/checkpoints/000000000060"].clone();
        files.insert("log/checkpoint".to_owned(), older);
    });
    pack.is_told(&["BAD_SEAL"]);
}

#[test]
fn a_run_that_goes_on_while_it_is_packed_is_not_said_to_be_cut() {
    // Lines of one moment, seals of a later one.
    let mut early = Forgery::honest();
    early.lines.truncate(58);
    let found = early.pack().verified();
    found.is(10, &["UNCLOSED"]);
    assert!(!found.tells("TRUNCATED"), "{}", found.said);
}
