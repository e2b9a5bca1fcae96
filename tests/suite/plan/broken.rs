//! Every fault that a plan can have, one file each in `plans/broken/`. A file takes the place of one
//! paper of the small sound plan beside it, and begins with what must be said:
//!
//! ```text
//! # HO102 at 42:10 in plan.toml        code, line and column, paper (plan.toml unless said)
//! # there is no step called `freze`    words that must be among what is said, one line each
//! ```
//!
//! One mistake gives one fault: that is what the tests hold it to, beside the words.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use handover::plan::fault::{Fault, PlanFaults, Severity};
use handover::plan::papers::Papers;
use handover::plan::read;
use handover::report::faults::{drawn, json, plain};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/broken")
}

pub(crate) fn sound() -> Papers {
    Papers::open(&folder().join("sound")).expect("the sound plan can be read")
}

/// What is said of a plan: its faults, or its warnings.
pub(crate) fn said(papers: Papers) -> PlanFaults {
    match read("small", papers) {
        Ok(plan) => plan.warnings,
        Err(faults) => faults,
    }
}

/// The sound plan with `bytes` in the place of `paper`.
pub(crate) fn with(paper: &str, bytes: &[u8]) -> PlanFaults {
    let mut papers = sound();
    papers.put(paper.to_owned(), bytes.to_vec());
    said(papers)
}

/// The sound plan with one text in the place of another.
pub(crate) fn edited(paper: &str, from: &str, to: &str) -> PlanFaults {
    let text = sound().text(paper).expect("the paper is there");
    assert!(text.contains(from), "{from}");
    with(paper, text.replacen(from, to, 1).as_bytes())
}

fn codes(faults: &PlanFaults) -> Vec<&'static str> {
    faults.faults.iter().map(|fault| fault.code).collect()
}

struct Expected {
    code: String,
    place: String,
    paper: String,
    words: Vec<String>,
}

fn expected(bytes: &[u8]) -> Expected {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let mut lines = text.lines().map_while(|line| line.strip_prefix("# "));
    let first: Vec<&str> = lines.next().expect("a first line").split(' ').collect();
    Expected {
        code: first[0].to_owned(),
        place: first[2].to_owned(),
        paper: first.get(4).unwrap_or(&"plan.toml").to_string(),
        words: lines.map(str::to_owned).collect(),
    }
}

fn complaint(name: &str, bytes: &[u8]) -> Option<String> {
    let expected = expected(bytes);
    let found = with(&expected.paper, bytes);
    let text = plain(&found);
    let one = |fault: &Fault| {
        fault.code == expected.code
            && fault.file == expected.paper
            && format!("{}:{}", fault.line, fault.column) == expected.place
    };
    let right = found.faults.iter().all(|fault| fault.code == expected.code)
        && found.faults.iter().any(one);
    let missing: Vec<&String> = expected
        .words
        .iter()
        .filter(|words| !text.to_lowercase().contains(&words.to_lowercase()))
        .collect();
    (!right || !missing.is_empty()).then(|| {
        let place = (&expected.code, &expected.place, &expected.paper);
        format!("== {name}: expected {place:?}, words missing: {missing:?}\n{text}")
    })
}

#[test]
fn the_sound_plan_has_no_fault() {
    assert!(said(sound()).is_empty(), "{}", drawn(&said(sound()), false));
}

#[test]
fn each_broken_plan_gives_its_one_fault_at_its_place_in_its_words() {
    let mut complaints = Vec::new();
    let mut tried = 0;
    for entry in std::fs::read_dir(folder()).expect("plans/broken") {
        let path = entry.expect("an entry").path();
        if path.is_dir() || path.extension().is_none() {
            continue;
        }
        tried += 1;
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("a file");
        complaints.extend(complaint(&name, &bytes));
    }
    assert!(tried >= 60, "only {tried} broken plans were found");
    complaints.sort();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_password_in_a_plan_is_never_shown() {
    let found = edited(
        "plan.toml",
        "\"env:DOVER_DB\"",
        "\"postgres://u:hunter2@db\"",
    );
    assert_eq!(codes(&found), ["HO129"]);
    let all = [
        drawn(&found, false),
        plain(&found),
        json(&found).to_string(),
    ];
    assert!(all.iter().all(|text| !text.contains("hunter2")), "{all:?}");
}

#[test]
fn a_decision_waits_for_nobody_who_is_not_in_post() {
    let found = edited("people.toml", "[p03]", "[p03]\nto = 2021-06-30");
    assert_eq!(codes(&found)[0], "HO201");
    let text = plain(&found);
    assert!(
        text.contains("nobody holds the role `housing` on"),
        "{text}"
    );
    assert!(text.contains("No holder at thanet"), "{text}");
}

#[test]
fn an_author_never_approves_their_own_plan() {
    let found = edited("plan.toml", "author = \"p01\"", "author = \"p02\"");
    assert_eq!(
        codes(&found).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from(["HO202"])
    );
}

#[test]
fn one_person_never_fills_two_seats() {
    let text = sound().text("plan.toml").expect("there");
    let text = text.replacen("by = [\"housing\"]", "by = [\"housing\", \"lead\"]", 1);
    let mut papers = sound();
    papers.put("plan.toml".into(), text.into_bytes());
    let people = papers.text("people.toml").expect("there");
    let people = people.replace(
        "org = \"dover\"\nroles = [\"housing\"]",
        "org = \"dover\"\nroles = [\"housing\", \"lead\"]",
    );
    let people = people.replace(
        "[p04]\nname = \"Lee Lead\"\norg = \"almo\"\nroles = [\"lead\"]",
        "",
    );
    papers.put("people.toml".into(), people.into_bytes());
    assert_eq!(codes(&said(papers)), ["HO203"]);
}

#[test]
fn a_list_with_names_is_not_taken_into_the_paper() {
    let mut papers = sound();
    papers.put(
        "lists/staff.csv".into(),
        b"staff_ref,surname\n1,x\n".to_vec(),
    );
    let found = said(papers);
    assert_eq!(codes(&found), ["HO140"]);
    assert_eq!((found.faults[0].line, found.faults[0].column), (1, 11));
}

#[test]
fn a_folder_without_its_papers_says_so() {
    assert_eq!(codes(&said(Papers::default())), ["HO142", "HO142"]);
}

#[test]
fn a_plan_is_small_enough_to_be_read() {
    let step = |at: usize| {
        format!(
            "[step.w{at}]\ntitle = \"t\"\ndoes = \"task\"\nowner = \"housing\"\neach = \"target\"\n"
        )
    };
    let mut text = sound().text("plan.toml").expect("there");
    let mut names = Vec::new();
    for at in 0..2_600 {
        names.push(format!("\"w{at}\""));
        text += &step(at);
    }
    let text = text.replacen(
        "[phase]",
        &format!("[phase]\n\"More\" = [{}]", names.join(", ")),
        1,
    );
    assert_eq!(codes(&with("plan.toml", text.as_bytes())), ["HO131"]);
}

#[test]
fn a_council_that_no_code_stands_for_and_an_orphaned_lookup_are_told() {
    assert!(codes(&edited("maps/homes.toml", "THA = \"thanet\"", "")).contains(&"HO315"));
    let found = edited(
        "plan.toml",
        "tables = [\"property\", \"tenagree\"]\non-failure",
        "tables = [\"tenagree\"]\non-failure",
    );
    assert!(codes(&found).contains(&"HO146"), "{}", plain(&found));
    assert!(codes(&found).contains(&"HO311"), "{}", plain(&found));
    let warning = |fault: &&Fault| fault.severity == Severity::Warning;
    assert!(
        found
            .faults
            .iter()
            .find(warning)
            .is_some_and(|fault| fault.code == "HO311")
    );
}

#[test]
fn faults_of_all_papers_come_at_once() {
    let mut papers = sound();
    let plan = papers
        .text("plan.toml")
        .expect("there")
        .replace("until = \"handover\"", "untl = \"handover\"");
    let map = papers
        .text("maps/homes.toml")
        .expect("there")
        .replace("lookup = \"asset\"", "lookup = \"aset\"");
    papers.put("plan.toml".into(), plan.into_bytes());
    papers.put("maps/homes.toml".into(), map.into_bytes());
    papers.put("people.toml".into(), b"[p01\n".to_vec());
    assert_eq!(codes(&said(papers)), ["HO101", "HO301", "HO301", "HO103"]);
}

#[test]
fn faults_look_like_this() {
    let shown = [
        edited("plan.toml", "after = [\"freeze\"]", "after = [\"freze\"]"),
        edited("plan.toml", "undo = \"cannot\"", "undo = \"automatic\""),
        edited(
            "plan.toml",
            "due = \"handover - 60 working days\"",
            "due = 12/07/2021",
        ),
        edited(
            "maps/homes.toml",
            "{ fill = \"target-org\" }",
            "{ constant = \"almo\" }",
        ),
    ];
    let all: Vec<String> = shown.iter().map(|faults| drawn(faults, false)).collect();
    insta::assert_snapshot!(all.join("\n"));
    insta::assert_snapshot!("plain", plain(&shown[0]));
    insta::assert_json_snapshot!("json", json(&shown[0]));
    assert!(drawn(&shown[0], true).contains("\u{1b}["));
    assert!(!drawn(&shown[0], false).contains('\u{1b}'));
}
