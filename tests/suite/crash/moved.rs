//! Databases that changed between a signed preview and the run: what nobody has seen who signed is
//! refused and listed, a new preview mends it, and numbers that merely moved on are told.

use rusqlite::Connection;

use super::stage::{Said, Stage, begun, begun_unbroken, begun_unbroken_early};

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

/// The plan that copies early, cut down to the copy, the gate behind it and what comes after.
fn gate_behind_the_copy(edit: impl Fn(&Stage)) -> Stage {
    let stage = signed(begun_unbroken_early());
    change(&stage, "plan.toml", |text| {
        let waits =
            "after = [\"contracts-novated\", \"tell-tenants\"]\nstart = \"handover - 7 days\"\n";
        let gate = "after = [\"listen\", \"staff-information\", \"contracts-novated\", \"tell-tenants\", \"copy-homes\"]\nstart = \"handover - 3 days\"\n";
        assert!(text.contains(waits) && text.contains(gate));
        text.replace(waits, "")
            .replace(gate, "after = [\"copy-homes\"]\n")
    });
    edit(&stage);
    stage
        .tell(&["preview", ".", "--out", "new.preview"])
        .is(0, &[]);
    stage.sign("new.preview");
    run(&stage, "new.preview").is(4, &["Waiting safely"]);
    stage
}

fn change(stage: &Stage, file: &str, how: impl Fn(&str) -> String) {
    let path = stage.path.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = how(&text);
    assert_ne!(changed, text, "{file}");
    std::fs::write(path, changed).unwrap();
}

fn says_yes(stage: &Stage, who: &str) -> Said {
    let label = super::stage::EARLY;
    stage.tell(&[
        "approve", label, "go-no-go", "--as", who, "--reason", "seen",
    ])
}

#[test]
fn a_yes_behind_a_copy_does_not_meet_the_rows_that_the_run_has_brought() {
    let stage = gate_behind_the_copy(|stage| {
        change(stage, "maps/homes.toml", |text| {
            let id = "id = \"asset_id\"\nleave-out";
            let meets = "id = \"asset_id\"\nnatural-key = [\"asset_ref\"]\ncollision = \"keep-existing\"\nleave-out";
            text.replacen(id, meets, 1)
        });
        // Such a copy is not caught up with.
        change(stage, "plan.toml", |text| {
            let catches = "does = \"catch-up\"\nof = \"copy-homes\"\non-failure = \"undo\"\n";
            text.replace(catches, "does = \"task\"\nowner = \"hr\"\n")
        });
    });
    let said = says_yes(&stage, "housing@westminster");
    said.is(0, &["Recorded"]);
    assert!(!said.text.contains("moved on"), "{}", said.text);
    // An amendment is read through the same eyes.
    change(&stage, "plan.toml", |text| {
        text.replace("Go or no-go", "Go, or not")
    });
    stage
        .tell(&[
            "preview",
            super::stage::EARLY,
            "--amend",
            "--out",
            "amend.preview",
        ])
        .is(0, &[]);
    let homes = |file: &str| stage.json(file)["homes"]["found"].as_u64();
    assert_eq!(homes("amend.preview"), homes("new.preview"));
}

#[test]
fn what_a_catch_up_is_still_to_bring_is_held_against_the_signed_preview() {
    let stage = gate_behind_the_copy(|stage| {
        change(stage, "plan.toml", |text| {
            text.replace("tolerance = 100", "tolerance = 5")
        });
    });
    let source = database(&stage, "citywest");
    let gone = source.execute("DELETE FROM property WHERE owner_conf IS NOT NULL", []);
    assert!(gone.unwrap() > 5);
    says_yes(&stage, "housing@westminster").is(5, &["HO402", "homes were read then"]);
}

#[test]
fn numbers_of_steps_that_are_done_are_nobodys_concern_at_a_gate() {
    let stage = gate_behind_the_copy(|stage| {
        change(stage, "plan.toml", |text| {
            let catches = "does = \"catch-up\"\nof = \"copy-homes\"\non-failure = \"undo\"\n";
            text.replace(catches, "does = \"task\"\nowner = \"hr\"\n")
                .replace("tolerance = 100", "tolerance = 5")
        });
    });
    let source = database(&stage, "citywest");
    let gone = source.execute("DELETE FROM property WHERE owner_conf IS NOT NULL", []);
    assert!(gone.unwrap() > 5);
    let said = says_yes(&stage, "housing@westminster");
    said.is(0, &["Recorded"]);
    assert!(!said.text.contains("westminster, asset"), "{}", said.text);
}
