//! Attacks on the pack around the log: papers, lists, links, views, what was handed in (T19, T37 to T39).

use std::fs;

use super::attack::Pack;

#[test]
fn t19_a_plan_in_which_one_comment_was_changed_is_another_plan() {
    for edit in [
        |plan: &str| plan.replace("Twelve homes", "Thirteen homes"),
        |plan: &str| format!("{plan}# nothing\n"),
    ] {
        let pack = Pack::with(|files| {
            let plan = files.get_mut("plan/01/plan.toml").unwrap();
            *plan = edit(std::str::from_utf8(plan).unwrap()).into_bytes();
        });
        pack.is_told(&["PLAN_DIGEST"]);
    }
}

#[test]
fn t37_what_was_signed_and_was_replaced_is_not_what_was_signed() {
    let pack = Pack::with(|files| {
        let statements: Vec<String> = files
            .keys()
            .filter(|path| path.starts_with("approvals/") && !path.contains(".sig"))
            .cloned()
            .collect();
        let other = files[&statements[0]].clone();
        files.insert(statements[1].clone(), other);
    });
    pack.is_told(&["BAD_APPROVAL"]);
}

#[test]
fn t37_a_signature_that_is_missing_is_never_reported_as_fine() {
    let pack = Pack::with(|files| {
        files.retain(|path, _| !path.ends_with(".json.sig"));
    });
    let found = pack.verified();
    assert_eq!(found.code, 10, "{}", found.said);
}

#[test]
fn t38_a_file_that_was_changed_added_or_taken_out_is_told() {
    let changed = Pack::copy();
    fs::write(changed.at("README.txt"), "All is well.\n").unwrap();
    changed.is_told(&["BAG"]);
    let more = Pack::copy();
    fs::write(more.at("more.txt"), "more\n").unwrap();
    more.is_told(&["BAG"]);
    let less = Pack::copy();
    fs::remove_file(less.at("effects/council.effects.jsonl")).unwrap();
    less.is_told(&["BAG"]);
}

#[cfg(unix)]
#[test]
fn t38_a_path_that_leads_elsewhere_is_not_followed() {
    let link = Pack::copy();
    std::os::unix::fs::symlink("/etc/hostname", link.at("link")).unwrap();
    link.is_told(&["PATH"]);
    let case = Pack::copy();
    fs::write(case.at("readme.TXT"), "x").unwrap();
    case.is_told(&["PATH"]);
    for path in ["data/../../secret", "/etc/hostname"] {
        let pack = Pack::copy();
        let list = pack.root.join("manifest-sha256.txt");
        let text = fs::read_to_string(&list).unwrap();
        let sum = text[..64].to_owned();
        fs::write(&list, format!("{sum}  {path}\n{text}")).unwrap();
        pack.is_told(&["PATH"]);
    }
}

#[test]
fn t38_lists_that_were_made_anew_after_a_change_do_not_hide_it() {
    let pack = Pack::with(|files| {
        let log = files.get_mut("log/steps.jsonl").unwrap();
        let text = String::from_utf8(log.clone()).unwrap();
        let other = text.replacen("\"actual\":\"12 rows\"", "\"actual\":\"13 rows\"", 1);
        assert_ne!(other, text);
        *log = other.into_bytes();
    });
    pack.is_told(&["ROOT_MISMATCH"]);
}

#[test]
fn t39_a_view_from_which_an_event_was_dropped_is_not_the_logs() {
    for path in [
        "exports/events.csv",
        "exports/events.xes",
        "exports/events.ocel.json",
        "exports/openlineage.jsonl",
        "reports/replay.txt",
        "manifests/council.home.json",
    ] {
        let pack = Pack::with(|files| {
            let view = files.get_mut(path).unwrap();
            let text = String::from_utf8(view.clone()).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(lines.len() / 2);
            *view = lines.join("\n").into_bytes();
        });
        let found = pack.verified();
        assert!(found.tells("EXPORT_DRIFT"), "{path}: {}", found.said);
        assert_eq!(found.code, 6, "{path}");
    }
}

#[test]
fn t37_what_the_ledgers_held_at_the_close_is_vouched_for_by_the_last_entry() {
    let pack = Pack::with(|files| {
        let ledger = files.get_mut("effects/council.effects.jsonl").unwrap();
        let text = String::from_utf8(ledger.clone()).unwrap();
        *ledger = text.replacen("\"rows\":12", "\"rows\":13", 1).into_bytes();
    });
    pack.is_told(&["ATTACHMENT", "EFFECT_MISMATCH"]);
}
