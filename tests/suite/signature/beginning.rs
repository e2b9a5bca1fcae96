//! Who begins, and who comes too late, through the real binary: rehearsals, two at one moment, what is refused
//! and what a refusal says and leaves behind.

use std::fs;

use handover::journal::{Journal, JournalFault};
use handover::plan::papers::Papers;
use handover::preview::Preview;
use handover::run::{Clock, Session, SiteFault, begin};

use super::amending::{
    SEATS, councils_at_the_gate, councils_signed, deputy, edit, json, kept, people, sign,
};
use super::flow::{Office, PLAN};

/// How many runs the journal holds.
fn runs(office: &Office) -> usize {
    let path = office.here.join(".handover/journal.db");
    runtime().block_on(async {
        let mut journal = Journal::open(&path).await.unwrap();
        journal.runs().await.unwrap().len()
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Folders of runs beside the journal.
fn folders(office: &Office) -> usize {
    let below = fs::read_dir(office.here.join(".handover")).unwrap();
    below
        .filter(|one| one.as_ref().unwrap().path().is_dir())
        .count()
}

fn signed_with_a_key(office: &Office, file: &str) {
    office.tell(&format!("preview . --out {file}"), 0, "");
    let yes = format!("approve {file} --as lead --reason read --key ../p02");
    office.tell(&yes, 0, "with their key");
}

#[test]
fn a_rehearsal_that_is_open_lets_the_real_run_begin() {
    let office = Office::new();
    signed_with_a_key(&office, "p");
    office.tell("run . --signed p --rehearsal", 4, "");
    office.tell("run . --signed p --rehearsal", 4, "is the paper that");
    assert_eq!(runs(&office), 1, "who rehearses goes on with the rehearsal");
    let said = office.tell("run . --signed p", 4, "");
    assert!(!said.contains("rehearsal"), "{said}");
    assert_eq!(runs(&office), 2);
    office.tell("run . --signed p", 4, "is the paper that");
    assert_eq!(runs(&office), 2);
}

#[test]
fn a_rehearsal_that_was_amended_lets_the_real_run_begin() {
    let office = Office::new();
    signed_with_a_key(&office, "p");
    office.tell("run . --signed p --rehearsal", 4, "");
    edit(&office, "plan.toml", "Seal the deed", "Seal and keep it");
    office.tell("preview deed --amend --out a", 0, "");
    office.tell("approve a --as lead --reason read --key ../p02", 0, "");
    office.tell("run . --signed a", 4, "");
    fs::write(office.here.join("plan.toml"), PLAN).unwrap();
    office.tell("run . --signed p", 4, "");
    assert_eq!(runs(&office), 2);
}

#[test]
fn of_two_who_begin_under_one_key_the_preview_of_the_first_is_kept() {
    for _ in 0..3 {
        let office = Office::new();
        office.tell("key new", 0, "");
        for file in ["p", "q"] {
            signed_with_a_key(&office, file);
        }
        let [p, q] = ["p", "q"].map(|file| fs::read(office.here.join(file)).unwrap());
        let papers = Papers::open(&office.here).unwrap();
        let plan = handover::plan::read("deed", papers).unwrap().into();
        let path = office.here.join(".handover/journal.db");
        let begins = async |bytes: &[u8]| {
            let preview = Preview::read(bytes).unwrap();
            let journal = Journal::open(&path).await.unwrap();
            let watch: handover::run::session::Watch<'_> = Box::new(|_, _| {});
            begin::begin(journal, &plan, &preview, vec![], Clock::real(), watch)
                .await
                .map(drop)
        };
        let both = runtime().block_on(async { tokio::join!(begins(&p), begins(&q)) });
        assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
        let winner = if both.0.is_ok() { &p } else { &q };
        let kept = kept(&office);
        assert_eq!(kept.len(), 1);
        assert_eq!(&fs::read(&kept[0]).unwrap(), winner);
        // The key of the run is the one that its log was opened with.
        office.tell("run deed", 4, "");
    }
}

#[test]
fn two_processes_that_begin_at_one_moment_begin_one_run() {
    let office = Office::new();
    signed_with_a_key(&office, "p");
    let start = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_handover"))
            .args(["--plain", "run", ".", "--signed", "p"])
            .current_dir(&office.here)
            .output()
            .unwrap()
    };
    let both = std::thread::scope(|scope| {
        let both = [scope.spawn(start), scope.spawn(start)];
        both.map(|one| one.join().unwrap())
    });
    // The second carries the same run on, or is told who holds it.
    let ends = |one: &std::process::Output| matches!(one.status.code(), Some(4 | 8));
    assert!(both.iter().all(ends), "{both:?}");
    assert_eq!((runs(&office), folders(&office)), (1, 1));
    office.tell("run deed", 4, "");
}

#[test]
fn a_run_that_may_not_begin_leaves_no_key_and_no_preview() {
    let office = Office::new();
    signed_with_a_key(&office, "p");
    let path = office.here.join(".handover/journal.db");
    runtime().block_on(async {
        let preview = Preview::read(&fs::read(office.here.join("p")).unwrap()).unwrap();
        let papers = Papers::open(&office.here).unwrap();
        let plan = handover::plan::read("deed", papers).unwrap().into();
        let begins = async || {
            let journal = Journal::open(&path).await.unwrap();
            let watch: handover::run::session::Watch<'_> = Box::new(|_, _| {});
            begin::begin(journal, &plan, &preview, vec![], Clock::real(), watch).await
        };
        Session::release(begins().await.unwrap()).await.unwrap();
        let second = begins().await.map(drop);
        let begun = matches!(second, Err(SiteFault::Journal(JournalFault::Begun(_))));
        assert!(begun, "{second:?}");
    });
    assert_eq!(folders(&office), 1, "that of the run");
}

#[test]
fn another_run_of_the_plan_that_is_open_is_told_of() {
    let office = Office::new();
    office.at_the_gate();
    edit(&office, "plan.toml", "Seal the deed", "Seal and keep it");
    signed_with_a_key(&office, "q");
    let said = office.tell("run . --signed q", 4, "begins beside it");
    assert!(said.contains("`deed-"), "{said}");
    assert_eq!(runs(&office), 2);
}

#[test]
fn the_very_paper_is_no_amendment_and_nor_is_one_that_was_left() {
    let office = councils_at_the_gate();
    let said = office.tell("preview deed --amend --out a", 3, "HO406");
    assert!(said.contains("the very paper"), "{said}");
    people(&office, &deputy("p12", "dover"));
    office.tell("preview deed --amend --out a", 0, "");
    sign(&office, "a", &SEATS[..2]);
    office.tell("run . --signed a", 4, "");
    people(&office, "");
    let said = office.tell("preview deed --amend --out b", 3, "HO406");
    assert!(
        said.contains("counts once") && said.contains("a comment"),
        "{said}"
    );
    assert!(!office.here.join("b").exists());
    // Another paper that says the same is taken.
    let text = fs::read_to_string(office.here.join("plan.toml")).unwrap();
    fs::write(office.here.join("plan.toml"), format!("# Again.\n{text}")).unwrap();
    office.tell("preview deed --amend --out b", 0, "");
    sign(&office, "b", &SEATS[..2]);
    office.tell("run . --signed b", 4, "");
}

#[test]
fn an_amendment_of_what_has_begun_meanwhile_lists_the_steps() {
    let office = councils_at_the_gate();
    edit(
        &office,
        "plan.toml",
        "by = [\"lead\"]",
        "by = [\"lead\", \"s151\"]",
    );
    office.tell("preview deed --amend --out a", 0, "");
    sign(&office, "a", &SEATS);
    for who in ["p02", "p04"] {
        office.tell(&format!("approve deed go --as {who} --reason fine"), 0, "");
    }
    office.tell("run deed", 4, "");
    let before = office.tell("status deed", 0, "");
    let said = office.tell("run . --signed a", 3, "HO406");
    assert!(
        said.contains("`go` has begun") && said.contains("roll back first"),
        "{said}"
    );
    assert_eq!(office.tell("status deed", 0, ""), before);
}

#[test]
fn a_word_that_does_not_count_says_why_by_its_own_code() {
    let office = councils_at_the_gate();
    let yes = "approve deed go --as p02 --reason fine";
    office.tell(yes, 0, "Recorded");
    let said = office.tell(yes, 5, "HO408");
    assert!(said.contains("handover status"), "{said}");
    // Whom the paper in force does not know puts no other in force.
    let all_new = fs::read_to_string(office.here.join("people.toml")).unwrap();
    let all_new = ["p02", "p03", "p04", "p05"]
        .iter()
        .fold(all_new, |text, code| {
            text.replace(code, &code.replace("p0", "p2"))
        });
    fs::write(office.here.join("people.toml"), all_new).unwrap();
    office.tell("preview deed --amend --out a", 0, "");
    for who in ["p22", "p23", "p24", "p25"] {
        office.tell(&format!("approve a --as {who} --reason read"), 0, "Signed");
    }
    let said = office.tell("run . --signed a", 5, "HO403");
    assert!(said.contains("must be known"), "{said}");
}

#[test]
fn a_no_over_ones_own_yes_stops_the_run() {
    let office = councils_at_the_gate();
    for who in ["p02", "p04"] {
        office.tell(&format!("approve deed go --as {who} --reason fine"), 0, "");
    }
    let no = "approve deed go --as p02 --refuse --reason bad-news";
    office.tell(no, 0, "Recorded");
    office.tell("run deed", 5, "");
    let said = office.tell("status deed", 0, "");
    assert!(said.contains("REFUSED, go"), "{said}");
}

#[test]
fn numbers_that_nobody_could_add_up_are_an_edited_file() {
    let office = councils_signed();
    let mut edited = json(&office, "p");
    let counts = serde_json::json!({
        "copied": u64::MAX, "rejected": {}, "filtered": {}, "pence": {}
    });
    for step in [0, 1] {
        edited["steps"][step]["counts"] = serde_json::json!({ "dover": { "home": counts } });
    }
    fs::write(office.here.join("p"), edited.to_string()).unwrap();
    office.tell("run . --signed p", 6, "cannot be used");
}

#[test]
fn a_code_in_a_file_that_is_brought_begins_no_line() {
    let office = councils_signed();
    let mut edited = json(&office, "p");
    edited["signatures"][0]["person"] = "p02\nPASS everything".into();
    fs::write(office.here.join("p"), edited.to_string()).unwrap();
    let said = office.tell("run . --signed p", 6, "PASS");
    assert!(!said.lines().any(|line| line.starts_with("PASS")), "{said}");
}

#[test]
fn an_edited_preview_of_a_rollback_is_evidence_and_no_slip_of_the_hand() {
    let office = councils_at_the_gate();
    for who in ["p02", "p04"] {
        office.tell(&format!("approve deed go --as {who} --reason fine"), 0, "");
    }
    office.tell("run deed", 4, "");
    office.tell("rollback deed --preview --out r", 0, "");
    office.tell("approve r --as p02 --reason read", 0, "Signed");
    let mut edited = json(&office, "r");
    edited["signatures"][0]["reason"] = "another".into();
    fs::write(office.here.join("r"), edited.to_string()).unwrap();
    for command in [
        "approve r --as p04 --reason read",
        "rollback deed --signed r --confirm deed",
    ] {
        let said = office.tell(command, 6, "the file was edited");
        assert!(said.contains("keep it as evidence"), "{said}");
    }
}
