//! Attacks on the story by whoever holds the log's key: chained and sealed anew, and still not what an
//! honest executor could have written (T17, T18, T20 to T22, T27 to T29).

use serde_json::{Value, json};

use super::attack::Forgery;

/// The story with its entries changed, chained and sealed anew.
fn told_otherwise(change: impl FnOnce(&mut Vec<Value>)) -> super::attack::Pack {
    Forgery::honest().edit(change).rewritten().pack()
}

/// The first entry of a type, of a step where one is named.
fn at(entries: &[Value], name: &str, step: &str) -> usize {
    let found = entries
        .iter()
        .position(|entry| entry["type"] == name && (step.is_empty() || entry["step"] == step));
    found.unwrap_or_else(|| panic!("no {name} of {step}"))
}

#[test]
fn t17_a_clock_that_went_back_without_a_word_is_told() {
    told_otherwise(|entries| {
        let deed = at(entries, "step.committed", "deed");
        for field in ["at", "as_at"] {
            entries[deed][field] = "2026-01-01T00:00:00.000Z".into();
        }
    })
    .is_told(&["CLOCK_BACK"]);
}

#[test]
fn a_real_clock_has_one_time_and_no_day_is_chosen_for_a_leaver_or_a_date() {
    for (name, step) in [("step.started", "deed"), ("approval.granted", "go")] {
        for (field, other) in [("as_at", 7 * 24), ("at", -24)] {
            told_otherwise(|entries| {
                let from = at(entries, name, step);
                let moved = |entry: &mut Value| {
                    let was: jiff::Timestamp = entry[field].as_str().unwrap().parse().unwrap();
                    let moment = was + jiff::SignedDuration::from_hours(other);
                    entry[field] = format!("{moment:.3}").into();
                };
                // Times go on from there: nothing goes back.
                if other > 0 {
                    entries[from..].iter_mut().for_each(moved);
                } else {
                    entries[..=from].iter_mut().for_each(moved);
                }
            })
            .is_told(&["CLOCK_APART"]);
        }
    }
}

#[test]
fn t18_an_entry_cannot_have_been_written_before_a_witness_saw_the_log_without_it() {
    told_otherwise(|entries| {
        let seen = at(entries, "seal.cosigned", "");
        let later = super::now() + jiff::SignedDuration::from_hours(24);
        entries[seen]["body"]["time"] = format!("{later:.3}").into();
    })
    .is_told(&["BACKDATED"]);
}

#[test]
fn t20_a_plan_is_never_swapped_under_one_entry() {
    told_otherwise(|entries| {
        let copy = at(entries, "step.started", "copy-homes");
        entries[copy]["plan"] = "ab".repeat(32).into();
    })
    .is_told(&["PLAN_SWITCH"]);
}

#[test]
fn t20_a_plan_is_not_amended_by_one_person() {
    let mut log = Forgery::honest();
    let new = log.amended_paper("# changed\n");
    log.edit(|entries| {
        let bound = at(entries, "plan.bound", "");
        let dag = entries[bound]["body"]["dag"].clone();
        let copy = at(entries, "step.started", "copy-homes");
        let mut amended = entries[copy].clone();
        amended["type"] = "plan.amended".into();
        for field in ["step", "generation", "attempt"] {
            amended.as_object_mut().unwrap().remove(field);
        }
        let old = amended["plan"].clone();
        amended["plan"] = new.clone().into();
        amended["body"] = json!({ "old": old, "new": new, "dag": dag, "approvals": [3] });
        entries.insert(copy, amended);
    })
    .rewritten()
    .pack()
    .is_told(&["FOUR_EYES"]);
}

#[test]
fn t21_a_step_that_ran_before_what_it_rests_on_is_told() {
    told_otherwise(|entries| {
        let inform = at(entries, "step.committed", "inform");
        let copy = at(entries, "step.started", "copy-homes");
        entries.swap(inform, copy);
    })
    .is_told(&["ORDER"]);
}

#[test]
fn t21_a_step_that_the_plan_does_not_have_is_told() {
    told_otherwise(|entries| {
        let copy = at(entries, "step.started", "copy-homes");
        entries[copy]["step"] = "copy-flats".into();
    })
    .is_told(&["UNKNOWN_STEP"]);
}

#[test]
fn t21_a_step_that_began_twice_is_told() {
    told_otherwise(|entries| {
        let copy = at(entries, "step.started", "copy-homes");
        let mut again = entries[copy].clone();
        again["attempt"] = 2.into();
        entries.insert(copy + 1, again);
    })
    .is_told(&["DOUBLE_RUN"]);
}

#[test]
fn t22_a_gate_that_opened_without_a_yes_is_told() {
    told_otherwise(|entries| {
        entries.retain(|entry| !(entry["type"] == "approval.granted" && entry["step"] == "go"));
    })
    .is_told(&["UNAPPROVED"]);
}

#[test]
fn t22_a_yes_that_came_after_the_step_is_too_late() {
    told_otherwise(|entries| {
        let yes = at(entries, "approval.granted", "go") + 3;
        assert_eq!(entries[yes]["step"], "go");
        let late = entries.remove(yes);
        let go = at(entries, "step.started", "go");
        entries.insert(go + 1, late);
    })
    .is_told(&["UNAPPROVED", "LATE_APPROVAL"]);
}

#[test]
fn t22_a_yes_that_somebody_else_takes_back_without_a_key_is_told() {
    told_otherwise(|entries| {
        let yes = at(entries, "approval.granted", "go");
        // By whoever said yes second: what stands before the deed is signed, and so is its taking back.
        let mut no = entries[yes + 3].clone();
        no["type"] = "approval.revoked".into();
        let body = no["body"].as_object_mut().unwrap();
        body.remove("signed");
        body.insert("method".to_owned(), "recorded".into());
        no["actor"].as_object_mut().unwrap().remove("key");
        entries.insert(yes + 4, no);
    })
    .is_told(&["UNAPPROVED"]);
}

#[test]
fn t27_two_executors_never_write_under_one_lease() {
    told_otherwise(|entries| {
        let copy = at(entries, "step.marked", "copy-homes");
        entries[copy]["exec"] = "01900000-0000-7000-8000-000000000000".into();
    })
    .is_told(&["SPLIT_BRAIN"]);
}

#[test]
fn t27_an_executor_that_was_superseded_writes_nothing() {
    told_otherwise(|entries| {
        let copy = at(entries, "step.marked", "copy-homes");
        entries[copy]["epoch"] = 3.into();
    })
    .is_told(&["STALE_EPOCH"]);
}

#[test]
fn t27_nobody_writes_without_a_lease() {
    told_otherwise(|entries| {
        let go = at(entries, "step.started", "go");
        assert_eq!(entries[go - 1]["type"], "lease.acquired");
        entries.remove(go - 1);
    })
    .is_told(&["NO_LEASE"]);
}

#[test]
fn t28_a_step_is_done_once_and_only_after_it_began() {
    told_otherwise(|entries| {
        let done = at(entries, "step.committed", "copy-homes");
        entries.insert(done, entries[done].clone());
    })
    .is_told(&["STATE"]);
    told_otherwise(|entries| {
        let begun = at(entries, "step.started", "reconcile");
        entries.remove(begun);
    })
    .is_told(&["STATE"]);
}

#[test]
fn t29_what_cannot_be_undone_is_never_said_to_be_undone() {
    told_otherwise(|entries| {
        let deed = at(entries, "step.started", "deed");
        entries[deed]["body"]["reversible"] = true.into();
    })
    .is_told(&["IRREVERSIBLE"]);
}

#[test]
fn t29_nothing_is_undone_without_a_rollback_that_was_decided() {
    told_otherwise(|entries| {
        let done = at(entries, "step.committed", "copy-homes");
        let mut undone = entries[done].clone();
        undone["type"] = "undo.started".into();
        undone["body"] = json!({ "mode": "refuse" });
        entries.insert(done + 1, undone);
    })
    .is_told(&[]);
}

#[test]
fn a_story_that_ends_otherwise_than_its_last_entry_says_is_told() {
    told_otherwise(|entries| {
        let closed = at(entries, "log.closed", "");
        entries[closed]["body"]["root"] = "ab".repeat(32).into();
    })
    .is_told(&["STATE"]);
}
