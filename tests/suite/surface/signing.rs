//! Four eyes on a preview: who may sign, and what a signature is worth.

use handover::preview::sign::{Ask, SignFault, missing, sign};
use handover::preview::{FileFault, Preview};

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
