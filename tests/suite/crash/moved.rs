//! Databases that changed between a signed preview and the run: what nobody has seen who signed is
//! refused and listed, a new preview mends it, and numbers that merely moved on are told.

use rusqlite::Connection;

use super::stage::{Said, Stage, begun, begun_unbroken};

/// A folder with a signed preview, its databases and no run.
fn signed(stage: &Stage) -> Stage {
    let stage = stage.copy();
    std::fs::remove_dir_all(stage.path.join(".handover")).unwrap();
    stage
}

fn run(stage: &Stage, preview: &str) -> Said {
    stage.tell(&["run", ".", "--rehearsal", "--signed", preview])
}

fn database(stage: &Stage, org: &str) -> Connection {
    Connection::open(stage.path.join(format!("data/{org}.db"))).unwrap()
}

/// Holds that the run is refused, with these words, and that there is none.
#[track_caller]
fn refused(stage: &Stage, words: &[&str]) {
    run(stage, "demo.preview").is(5, &["HO402", "are not what they were"]);
    run(stage, "demo.preview").is(5, words);
    assert!(!stage.path.join(".handover/journal.db").exists());
}

#[test]
fn a_code_that_came_after_the_signatures_is_listed_and_a_new_preview_mends_it() {
    // In its story somebody gives thirteen tenancies of Thanet a new code.
    let stage = signed(begun());
    refused(&stage, &["HO310", "DEMO", "have it signed again"]);
    let map = stage.path.join("maps/homes.toml");
    let text = std::fs::read_to_string(&map).unwrap();
    std::fs::write(&map, handover::demo::generate::mend(&text)).unwrap();
    stage
        .tell(&["preview", ".", "--out", "new.preview"])
        .is(0, &[]);
    stage.sign("new.preview");
    run(&stage, "new.preview").is(4, &["Waiting safely"]);
}

#[test]
fn a_target_that_lost_a_table_after_the_signatures_is_listed() {
    let stage = signed(begun_unbroken());
    let dover = database(&stage, "dover");
    dover
        .execute_batch("ALTER TABLE direct_debit RENAME TO bank_order")
        .unwrap();
    refused(&stage, &["the target has no table `direct_debit` (HO520)"]);
    dover
        .execute_batch("ALTER TABLE bank_order RENAME TO direct_debit")
        .unwrap();
    drop(dover);
    run(&stage, "demo.preview").is(4, &["Waiting safely"]);
}

#[test]
fn homes_beyond_the_plans_tolerance_are_listed() {
    let stage = signed(begun_unbroken());
    let source = database(&stage, "ekh");
    let gone = source.execute("DELETE FROM property WHERE owner_conf IS NOT NULL", []);
    assert!(gone.unwrap() > 50);
    refused(
        &stage,
        &["homes were read then", "the plan allows a difference of 50"],
    );
}

#[test]
fn rent_that_was_paid_since_is_told_and_the_run_begins() {
    let stage = signed(begun_unbroken());
    let source = database(&stage, "ekh");
    let paid = source.execute(
        "UPDATE tenagree SET cur_bal = '1.00' WHERE rowid = (SELECT min(rowid) FROM tenagree)",
        [],
    );
    assert_eq!(paid.unwrap(), 1);
    run(&stage, "demo.preview").is(
        4,
        &[
            "moved on since the preview",
            "in all then",
            "Waiting safely",
        ],
    );
}

#[test]
fn a_yes_before_the_cutover_is_made_on_numbers_that_are_read_again() {
    let stage = signed(begun_unbroken());
    let plan = stage.path.join("plan.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    let waits = "after = [\"staff-information\", \"contracts-novated\", \"tell-tenants\"]\nstart = \"handover - 3 days\"\n";
    assert!(text.contains(waits));
    std::fs::write(&plan, text.replace(waits, "")).unwrap();
    stage
        .tell(&["preview", ".", "--out", "new.preview"])
        .is(0, &[]);
    stage.sign("new.preview");
    run(&stage, "new.preview").is(4, &["Waiting safely"]);
    let yes = |who: &str| {
        let label = "east-kent-2020";
        stage.tell(&[
            "approve", label, "go-no-go", "--as", who, "--reason", "seen",
        ])
    };
    yes("housing@dover").is(0, &["Recorded"]);
    stage
        .tell(&["export", "east-kent-2020", "--as", "log", "--to", "log"])
        .is(0, &[]);
    let log = std::fs::read_to_string(stage.path.join("log/steps.jsonl")).unwrap();
    let said = |line: &&str| line.contains("approval.granted") && line.contains("go-no-go");
    let said = log.lines().find(said).expect("the decision");
    assert!(said.contains("\"reading\":\""), "{said}");
    let source = database(&stage, "ekh");
    let gone = source.execute("DELETE FROM property WHERE owner_conf IS NOT NULL", []);
    assert!(gone.unwrap() > 50);
    yes("s151@dover").is(5, &["HO402", "homes were read then", "--amend"]);
}
