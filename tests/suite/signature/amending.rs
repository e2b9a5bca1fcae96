//! Papers in mid-run through the real binary: which run a preview belongs to, whose signatures put another paper
//! in force, and what a gate is held against.

use std::fs;

use handover::journal::{Journal, JournalFault};
use handover::plan::papers::Papers;
use handover::preview::Preview;
use handover::run::{Clock, Session, SiteFault, begin};

use super::flow::{Office, PLAN};

/// Two councils whose leads and treasurers all sign, and a gate that is said yes to on numbers.
const COUNCILS: &str = r#"
[plan]
format = 1
title = "A deed between two councils"
handover = 2030-10-01T00:00:00
author = "p01"
target = ["dover", "thanet"]
signed-by = ["lead", "s151"]

[phase]
"Agree" = ["go", "deed"]

[org]
dover = { name = "Dover", kind = "council" }
thanet = { name = "Thanet", kind = "council" }

[role]
lead = { title = "Project lead", each = "target" }
s151 = { title = "Section 151 officer", each = "target" }

[step.go]
title = "Go or no-go"
does = "approval"
by = ["lead"]
needs = "signed preview"

[step.deed]
title = "Seal the deed"
does = "task"
owner = "lead"
each = "target"
after = ["go"]
"#;

pub(super) const SEATS: [&str; 4] = ["lead@dover", "s151@dover", "lead@thanet", "s151@thanet"];

/// The councils' people, with no keys.
fn councils() -> Office {
    let office = Office::new();
    fs::write(office.here.join("plan.toml"), COUNCILS).unwrap();
    people(&office, "");
    office
}

pub(super) fn people(office: &Office, more: &str) {
    let person = |code: &str, org: &str, role: &str| {
        format!("[{code}]\nname = \"Person {code}\"\norg = \"{org}\"\nroles = [{role}]\n\n")
    };
    let text = [
        person("p01", "dover", ""),
        person("p02", "dover", "\"lead\""),
        person("p03", "dover", "\"s151\""),
        person("p04", "thanet", "\"lead\""),
        person("p05", "thanet", "\"s151\""),
        more.to_owned(),
    ];
    fs::write(office.here.join("people.toml"), text.concat()).unwrap();
}

/// A deputy of a council.
pub(super) fn deputy(code: &str, org: &str) -> String {
    format!("[{code}]\nname = \"Deputy {code}\"\norg = \"{org}\"\nroles = [\"lead\"]\n\n")
}

pub(super) fn sign(office: &Office, file: &str, seats: &[&str]) {
    for seat in seats {
        // Holders of one role are told apart by their codes.
        let who = match *seat {
            "lead@dover" => "p02",
            "lead@thanet" => "p04",
            other => other,
        };
        office.tell(
            &format!("approve {file} --as {who} --reason read"),
            0,
            "Signed",
        );
    }
}

pub(super) fn json(office: &Office, file: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(office.here.join(file)).unwrap()).unwrap()
}

/// The folder beside the run, and the signed previews in it.
pub(super) fn kept(office: &Office) -> Vec<std::path::PathBuf> {
    let below = fs::read_dir(office.here.join(".handover")).unwrap();
    let folders = below
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "preview"))
        .collect()
}

/// The councils, their preview `p` signed by all.
pub(super) fn councils_signed() -> Office {
    let office = councils();
    office.tell("preview . --out p", 0, "");
    sign(&office, "p", &SEATS);
    office
}

/// The same, and the run waits at its gate.
pub(super) fn councils_at_the_gate() -> Office {
    let office = councils_signed();
    office.tell("run . --signed p", 4, "");
    office
}

pub(super) fn edit(office: &Office, file: &str, from: &str, to: &str) {
    let path = office.here.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn an_amendment_that_drops_the_keys_is_refused_before_it_claims_the_run() {
    let office = Office::new();
    office.at_the_gate();
    edit(
        &office,
        "plan.toml",
        ", decision = \"signed\"",
        ", decision = \"recorded\"",
    );
    office.tell("preview deed --amend --out a", 0, "");
    office.tell("approve a --as lead --reason read", 0, "Signed");
    let before = office.tell("status deed", 0, "");
    let said = office.tell("run . --signed a", 5, "HO409");
    assert!(said.contains("lead"), "{said}");
    assert_eq!(
        office.tell("status deed", 0, ""),
        before,
        "nothing was written"
    );
    // With the key that the paper in force has it is another matter.
    office.tell("preview deed --amend --out b", 0, "");
    office.tell(
        "approve b --as lead --reason read --key ../p02",
        0,
        "with their key",
    );
    office.tell("run . --signed b", 4, "");
}

#[test]
fn two_who_start_one_signed_preview_at_one_moment_begin_one_run() {
    let office = Office::new();
    office.tell("preview . --out p", 0, "");
    office.tell("approve p --as lead --reason read --key ../p02", 0, "");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let preview = Preview::read(&fs::read(office.here.join("p")).unwrap()).unwrap();
        let papers = Papers::open(&office.here).unwrap();
        let plan = handover::plan::read("deed", papers).unwrap().into();
        let path = office.here.join(".handover/journal.db");
        // Both have looked, and seen no run.
        let first = Journal::open(&path).await.unwrap();
        let second = Journal::open(&path).await.unwrap();
        let watch = || -> handover::run::session::Watch<'_> { Box::new(|_, _| {}) };
        let begun = begin::begin(first, &plan, &preview, vec![], Clock::real(), watch()).await;
        Session::release(begun.unwrap()).await.unwrap();
        let other = begin::begin(second, &plan, &preview, vec![], Clock::real(), watch()).await;
        let Err(SiteFault::Journal(fault @ JournalFault::Begun(_))) = other.map(drop) else {
            panic!("a second run began");
        };
        assert_eq!((fault.exit_code(), fault.code()), (5, "HO411"));
        let mut journal = Journal::open(&path).await.unwrap();
        assert_eq!(journal.runs().await.unwrap().len(), 1);
        // A rehearsal of the same paper stands in nobody's way.
        let clock = Clock::made_up(preview.read_at);
        let third = begin::begin(journal, &plan, &preview, vec![], clock, watch()).await;
        Session::release(third.unwrap()).await.unwrap();
    });
}

#[test]
fn a_run_that_was_amended_still_knows_the_preview_it_began_with() {
    let office = Office::new();
    office.at_the_gate();
    edit(
        &office,
        "plan.toml",
        "Seal the deed",
        "Seal and keep the deed",
    );
    office.tell("preview deed --amend --out a", 0, "");
    office.tell("approve a --as lead --reason read --key ../p02", 0, "");
    office.tell("run . --signed a", 4, "");
    // Somebody puts the folder back.
    fs::write(office.here.join("plan.toml"), PLAN).unwrap();
    office.tell("run . --signed p", 5, "was amended since");
    office.tell("run . --signed p", 5, "HO402");
    for (who, role) in [("p02", "lead"), ("p03", "s151")] {
        let yes = format!("approve deed go --as {role} --reason fine --key ../{who}");
        office.tell(&yes, 0, who);
    }
    office.tell("run deed", 4, "");
    office.tell("approve deed deed --as lead --reason done", 0, "Recorded");
    office.tell("run deed", 0, "");
    office.tell("close deed --to closed --confirm deed", 0, "Closed");
    office.tell("run . --signed p", 5, "HO411");
}

#[test]
fn what_an_amendment_lapsed_does_not_come_back_by_the_file() {
    let office = councils_at_the_gate();
    // Touches Dover alone: Thanet's two stand.
    people(&office, &deputy("p12", "dover"));
    office.tell("preview deed --amend --out a", 0, "");
    let carried = json(&office, "a")["signatures"].as_array().unwrap().len();
    assert_eq!(carried, 2);
    sign(&office, "a", &SEATS[..2]);
    // Touches both: all lapse, and the author copies Thanet's back.
    people(
        &office,
        &(deputy("p12", "dover") + &deputy("p14", "thanet")),
    );
    office.tell("preview deed --amend --out b", 0, "");
    let mut edited = json(&office, "b");
    assert_eq!(edited["signatures"].as_array().unwrap().len(), 0);
    let old = json(&office, "p");
    let old = old["signatures"].as_array().unwrap().iter();
    let thanets = old.filter(|one| one["org"] == "thanet").cloned();
    edited["signatures"] = thanets.collect();
    edited["former"]["lapsed"] = serde_json::json!([]);
    fs::write(office.here.join("b"), serde_json::to_vec(&edited).unwrap()).unwrap();
    let yes = "approve b --as p02 --reason read";
    office.tell(yes, 6, "not what was shown");
    // An author knows how to put the file's own digest right.
    let edited: Preview = serde_json::from_value(edited).unwrap();
    let bytes = edited.as_shown().write().unwrap();
    fs::write(office.here.join("b"), bytes).unwrap();
    sign(&office, "b", &SEATS[..2]);
    let said = office.tell("run . --signed b", 5, "HO402");
    assert!(
        said.contains("p04") && said.contains("people.toml"),
        "{said}"
    );
    // What stands by the change does stand.
    people(&office, &deputy("p12", "dover"));
    office.tell("run . --signed a", 4, "");
}

#[test]
fn a_gate_that_has_lost_its_signed_preview_opens_to_nobody() {
    let office = councils_at_the_gate();
    let yes = "approve deed go --as p02 --reason fine";
    let beside = kept(&office);
    assert_eq!(beside.len(), 1);
    fs::remove_file(&beside[0]).unwrap();
    let said = office.tell(yes, 5, "HO402");
    assert!(said.contains("puts it back"), "{said}");
    // One that others signed later, or that was read anew, is another.
    office.tell("preview . --out later", 0, "");
    sign(&office, "later", &SEATS);
    office.tell("run . --signed later", 4, "");
    assert_eq!(kept(&office).len(), 0);
    fs::copy(office.here.join("later"), &beside[0]).unwrap();
    office.tell(yes, 5, "puts it back");
    office.tell("run . --signed p", 4, "");
    // One that is damaged is put back as well.
    fs::write(&beside[0], "{}").unwrap();
    office.tell(yes, 2, "cannot be used");
    office.tell("run . --signed p", 4, "");
    office.tell(yes, 0, "Recorded");
}

#[test]
fn a_signed_preview_lies_beside_the_run_before_the_log_speaks_of_it() {
    let office = councils_signed();
    // Killed behind the commit that begins the run.
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(["--plain", "run", ".", "--signed", "p"])
        .env("HANDOVER_KILL", "entry:1")
        .current_dir(&office.here)
        .status()
        .unwrap();
    assert!(!ran.success());
    assert_eq!(kept(&office).len(), 1);
    office.tell("run deed", 4, "");
    office.tell("approve deed go --as p02 --reason fine", 0, "Recorded");
}

#[test]
fn the_amendment_of_one_run_amends_no_other() {
    let (office, other) = (Office::new(), Office::new());
    office.at_the_gate();
    other.at_the_gate();
    for one in [&office, &other] {
        edit(one, "plan.toml", "Seal the deed", "Seal and keep the deed");
    }
    // The two folders say the same but for their people's keys.
    fs::copy(
        office.here.join("people.toml"),
        other.here.join("people.toml"),
    )
    .unwrap();
    office.tell("preview deed --amend --out a", 0, "");
    office.tell("approve a --as lead --reason read --key ../p02", 0, "");
    fs::copy(office.here.join("a"), other.here.join("a")).unwrap();
    let said = other.tell("run . --signed a", 5, "HO402");
    assert!(said.contains("another run"), "{said}");
    // From elsewhere, it is found where it is.
    let above = office.here.parent().unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(["--plain", "run", "deed", "--signed", "deed/a"])
        .current_dir(above)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(4), "{ran:?}");
}
