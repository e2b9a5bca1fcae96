//! Four eyes on a preview: who may sign, and what a signature is worth.

use std::sync::Arc;

use handover::preview::model::{FindingSaid, Former};
use handover::preview::sign::{Ask, SignFault, missing, sign, to_sign};
use handover::preview::{FileFault, Preview};
use handover::signature::{Nonce, PrivateKey, Proof, Second, Window};

use super::fixture::{at, plan, preview, seat};

fn ask<'a>(person: &'a str, role: &'a str) -> Ask<'a> {
    Ask {
        person,
        role,
        reason: "counts agree with ours",
        at: at("2020-09-25T10:00:00Z"),
        as_at: at("2020-09-25T10:00:00Z"),
        evidence: None,
        proof: None,
    }
}

fn refusal(person: &str, role: &str, before: &[(&str, &str)]) -> SignFault {
    let mut preview = preview();
    for (person, role) in before {
        sign(&mut preview, &plan(), &ask(person, role)).expect("a signature");
    }
    let count = preview.signatures.len();
    let fault = sign(&mut preview, &plan(), &ask(person, role)).expect_err("a refusal");
    assert_eq!(preview.signatures.len(), count, "a refusal changes nothing");
    fault
}

#[test]
fn every_seat_signs_once_and_then_nothing_is_missing() {
    let (plan, mut preview) = (plan(), preview());
    assert_eq!(missing(&preview, &plan).len(), 4);
    for (person, role) in [
        ("p02", "housing"),
        ("p03", "s151"),
        ("p04", "housing"),
        ("p05", "s151"),
    ] {
        sign(&mut preview, &plan, &ask(person, role)).expect("a signature");
    }
    assert_eq!(missing(&preview, &plan), []);
    assert_eq!(preview.signatures[2].seat, seat("housing", Some("thanet")));
}

#[test]
fn an_author_never_approves_their_own_plan() {
    assert_eq!(refusal("p01", "housing", &[]).code(), "HO404");
}

#[test]
fn nobody_signs_in_a_role_they_do_not_hold() {
    assert_eq!(refusal("p02", "s151", &[]).code(), "HO403");
    assert_eq!(refusal("p99", "s151", &[]).code(), "HO403");
}

#[test]
fn nobody_signs_in_a_role_that_is_not_asked() {
    assert_eq!(refusal("p02", "mayor", &[]).code(), "HO407");
}

#[test]
fn one_person_is_never_two_pairs_of_eyes() {
    assert_eq!(
        refusal("p05", "housing", &[("p05", "s151")]).code(),
        "HO405"
    );
}

#[test]
fn a_seat_signs_once() {
    assert_eq!(
        refusal("p02", "housing", &[("p02", "housing")]).code(),
        "HO408"
    );
}

#[test]
fn a_role_must_be_held_on_the_day_itself() {
    let late = Ask {
        as_at: at("2021-01-01T00:00:00Z"),
        ..ask("p02", "housing")
    };
    let fault = sign(&mut preview(), &plan(), &late).expect_err("a refusal");
    assert_eq!(fault.code(), "HO403");
}

#[test]
fn a_preview_file_reads_back_as_it_was_written() {
    let mut preview = preview();
    sign(&mut preview, &plan(), &ask("p02", "housing")).expect("a signature");
    let bytes = preview.write().expect("bytes");
    assert_eq!(Preview::read(&bytes).expect("a preview"), preview);
}

#[test]
fn a_reason_edited_after_signing_is_noticed() {
    let mut preview = preview();
    sign(&mut preview, &plan(), &ask("p02", "housing")).expect("a signature");
    let text = String::from_utf8(preview.write().expect("bytes")).expect("text");
    let edited = text.replace("counts agree with ours", "they made me");
    let fault = Preview::read(edited.as_bytes()).expect_err("a refusal");
    assert!(matches!(fault, FileFault::Edited { .. }), "{fault}");
}

#[test]
fn a_number_or_a_finding_edited_after_reading_is_noticed() {
    let mut fewer = preview();
    fewer.findings.clear();
    let mut more = preview();
    let sets = more.reading.orgs.values_mut().next().expect("counts");
    sets.values_mut().next().expect("a dataset").copied += 1;
    let mut shown = preview();
    let sets = shown
        .steps
        .iter_mut()
        .flat_map(|step| step.counts.values_mut());
    let mut sets = sets.flat_map(|sets| sets.values_mut());
    sets.next().expect("a step's counts").copied += 1;
    let mut homes = preview();
    homes.homes.as_mut().expect("homes").found = Some(8_121);
    for edited in [fewer, more, shown, homes] {
        let bytes = edited.write().expect("bytes");
        let fault = Preview::read(&bytes).expect_err("a refusal");
        assert!(matches!(fault, FileFault::Numbers), "{fault}");
    }
}

type Edit = fn(&mut Preview);

/// Whatever else a preview shows, edited; the rows stay as many for each organisation and dataset.
const EDITS: [(&str, Edit); 10] = [
    ("a warning", |preview| preview.findings.push(warning())),
    ("a note", |preview| preview.steps[3].notes.clear()),
    ("the last safe minute", |preview| {
        preview.points[0].last_safe = Some(at("2020-09-30T22:50:00Z"));
    }),
    ("what cannot be undone", |preview| preview.points.clear()),
    ("what is not mapped", |preview| preview.unmapped.clear()),
    ("a date", |preview| preview.timetable[0].due = None),
    ("a title", |preview| {
        "Look once more".clone_into(&mut preview.steps[4].title);
    }),
    ("the moment of handover", |preview| {
        preview.handover = at("2020-10-07T23:00:00Z");
    }),
    ("rows of one step said of another", |preview| {
        let outbox = preview.steps[0].counts.remove("dover").expect("letters");
        let homes = preview.steps[2].counts.get_mut("dover").expect("homes");
        homes.extend(outbox);
    }),
    ("what it amends", |preview| {
        preview.former = Some(Former {
            paper: preview.paper.fingerprint,
            run: None,
            changes: Vec::new(),
            lapsed: Vec::new(),
        });
    }),
];

fn warning() -> FindingSaid {
    FindingSaid {
        stops: false,
        says: "nothing to see here".to_owned(),
        ..preview().findings[0].clone()
    }
}

#[test]
fn whatever_else_it_shows_that_was_edited_is_noticed() {
    for (what, edit) in EDITS {
        let mut edited = preview();
        edit(&mut edited);
        let fault = Preview::read(&edited.write().expect("bytes")).expect_err(what);
        assert!(matches!(fault, FileFault::Shown), "{what}: {fault}");
    }
}

#[test]
fn who_signed_with_a_key_signed_all_that_was_shown() {
    let (mut signed, mut plan) = (preview(), plan());
    let key = PrivateKey::from_seed(&[7; 32]).expect("a key");
    let outline = Arc::make_mut(&mut plan.outline);
    for holder in &mut outline.holders {
        holder.key = Some(key.public().clone());
    }
    let ask = ask("p02", "housing");
    let window = Window {
        nonce: Nonce([1; 16]),
        not_before: Second::of(ask.at),
        not_after: Second::of(ask.at),
    };
    let statement = to_sign(&signed, &plan, &ask, window).expect("a statement");
    let proof = Proof::made(&statement, &key);
    let proof = Some(&proof);
    sign(&mut signed, &plan, &Ask { proof, ..ask }).expect("a signature");
    Preview::read(&signed.write().expect("bytes")).expect("nobody edited it");
    for (what, edit) in EDITS {
        // Whoever edits it puts its own digest right as well.
        let mut edited = signed.clone();
        edit(&mut edited);
        let bytes = edited.as_shown().write().expect("bytes");
        let fault = Preview::read(&bytes).expect_err(what);
        assert!(matches!(fault, FileFault::Edited { .. }), "{what}: {fault}");
    }
}

#[test]
fn a_time_zone_that_there_is_none_of_is_a_fault_of_the_file() {
    let text = String::from_utf8(preview().write().expect("bytes")).expect("text");
    let elsewhere = text.replace("Europe/London", "Europe/Lyonesse");
    let fault = Preview::read(elsewhere.as_bytes()).expect_err("a refusal");
    assert!(matches!(fault, FileFault::Zone(_)), "{fault}");
}

#[test]
fn a_preview_of_a_newer_version_is_refused_politely() {
    let text = String::from_utf8(preview().write().expect("bytes")).expect("text");
    let newer = text.replacen("\"format\": 1", "\"format\": 2", 1);
    let fault = Preview::read(newer.as_bytes()).expect_err("a refusal");
    assert_eq!(
        fault.to_string(),
        "the preview file has format 2; this version reads up to 1"
    );
    assert!(Preview::read(b"{}").is_err() && Preview::read(b"\xff").is_err());
}
