//! What changed after signing, whom it touches, whose signatures lapse: no more, and never less.

use std::collections::BTreeMap;

use handover::preview::amend::carry_over;
use handover::preview::model::{CodeUse, Signature};
use handover::preview::sign::{Ask, sign};
use handover::preview::stale::{Stale, Uses, between};
use handover::report::stale::StaleReport;
use handover::report::{Manner, Report};

use super::fixture::{MAP, PLAN, at, code, paper, plan, preview};

fn signatures() -> Vec<Signature> {
    let (plan, mut preview) = (plan(), preview());
    for (person, role) in [
        ("p02", "housing"),
        ("p03", "s151"),
        ("p04", "housing"),
        ("p05", "s151"),
    ] {
        let ask = Ask {
            person,
            role,
            reason: "agreed",
            at: at("2020-09-25T10:00:00Z"),
            as_at: at("2020-09-25T10:00:00Z"),
            evidence: None,
            proof: None,
        };
        sign(&mut preview, &plan, &ask).expect("a signature");
    }
    preview.signatures
}

fn changed(plan: &str, map: &str, uses: Uses<'_>) -> Stale {
    let (old, new) = (paper(PLAN, MAP), paper(plan, map));
    between(&old, &new, &signatures(), uses).expect("a change")
}

fn lapsed(stale: &Stale) -> Vec<String> {
    let orgs = stale.lapsed.iter().filter_map(|seat| seat.org.as_deref());
    orgs.map(str::to_owned).collect()
}

fn demo() -> Vec<CodeUse> {
    vec![CodeUse {
        map: "maps/homes.toml".to_owned(),
        list: "tenure".to_owned(),
        code: "DEMO".to_owned(),
        rows: BTreeMap::from([(code("thanet"), 13)]),
    }]
}

fn with_code() -> String {
    MAP.replace("INT =", "DEMO = \"demoted\"\nINT =")
}

#[test]
fn the_same_paper_is_never_stale() {
    let paper = paper(PLAN, MAP);
    assert_eq!(between(&paper, &paper, &signatures(), Uses::Now(&[])), None);
}

#[test]
fn a_code_added_for_thanet_lapses_thanets_signatures_and_nobody_elses() {
    let uses = demo();
    for uses in [Uses::AsSigned(&uses), Uses::Now(&uses)] {
        let stale = changed(PLAN, &with_code(), uses);
        assert_eq!(lapsed(&stale), ["thanet", "thanet"]);
        let lines = &stale.changes[0].lines;
        assert_eq!((lines[0].from, lines[0].to, lines[0].was), (10, 10, 0));
    }
}

#[test]
fn a_code_that_may_be_anyones_lapses_everybody_who_copies_by_the_map() {
    let stale = changed(PLAN, &with_code(), Uses::AsSigned(&[]));
    assert_eq!(stale.lapsed.len(), 4);
    let stale = changed(PLAN, &with_code(), Uses::Now(&[]));
    assert_eq!(stale.lapsed, [], "read now, no row of anybody uses it");
}

#[test]
fn a_code_that_was_given_another_meaning_touches_every_council() {
    let other = MAP.replace("\"secure\"", "\"introductory\"");
    assert_eq!(changed(PLAN, &other, Uses::Now(&demo())).lapsed.len(), 4);
}

#[test]
fn a_comment_lapses_nothing_but_the_fingerprint() {
    let stale = changed(
        PLAN,
        &MAP.replace("# who owns", "# whose is"),
        Uses::Now(&[]),
    );
    assert_eq!(stale.lapsed, []);
    assert_ne!(stale.then, stale.now);
}

#[test]
fn a_comment_sign_inside_a_long_string_is_not_taken_for_a_comment() {
    let long = MAP.replace("format = 1", "format = 1\nwhy = '''\n# one\n'''");
    let (old, new) = (
        paper(PLAN, &long),
        paper(PLAN, &long.replace("# one", "# two")),
    );
    let stale = between(&old, &new, &signatures(), Uses::Now(&[])).expect("a change");
    assert_eq!(stale.lapsed.len(), 4);
}

#[test]
fn a_moved_handover_lapses_every_signature() {
    let moved = PLAN.replace("author", "handover = 2021-04-01T00:00:00\nauthor");
    assert_eq!(changed(&moved, MAP, Uses::Now(&[])).lapsed.len(), 4);
}

#[test]
fn a_file_that_came_or_went_is_named() {
    let (old, mut new) = (paper(PLAN, MAP), paper(PLAN, MAP));
    let file = new.files.remove("maps/homes.toml").expect("a file");
    new.files.insert("maps/other.toml".to_owned(), file);
    new.fingerprint = handover::plan::digest::Digest::ZERO;
    let stale = between(&old, &new, &signatures(), Uses::Now(&[])).expect("a change");
    let paths: Vec<&str> = stale
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["maps/homes.toml", "maps/other.toml"]);
    assert_eq!(stale.lapsed.len(), 4);
}

#[test]
fn an_amended_preview_keeps_the_signatures_that_the_change_does_not_touch() {
    let mut fresh = preview();
    fresh.paper = paper(PLAN, &with_code());
    let stale = changed(PLAN, &with_code(), Uses::Now(&demo()));
    let amended = carry_over(fresh, &signatures(), Some(stale), None);
    let kept: Vec<&str> = amended.signatures.iter().map(|s| &*s.person).collect();
    assert_eq!(kept, ["p02", "p03"]);
    assert_eq!(
        amended.former.as_ref().map(|former| former.lapsed.len()),
        Some(2)
    );
    assert_eq!(handover::preview::missing(&amended, &plan()).len(), 2);
    let read = handover::preview::Preview::read(&amended.write().expect("bytes"));
    assert_eq!(read.expect("carried signatures hold"), amended);
}

#[test]
fn a_stale_refusal_names_the_line_and_whose_signatures_lapse() {
    let mut signed = preview();
    signed.signatures = signatures();
    let stale = changed(PLAN, &with_code(), Uses::AsSigned(&demo()));
    let next = vec!["handover preview ekh-2020 --out ekh.preview".to_owned()];
    let report = StaleReport::of("ekh.preview", &signed, stale, next);
    insta::assert_snapshot!(report.drawn(Manner::DRAWN), @r"
    ekh.preview was signed on Fri 25 Sep. Since then: maps/homes.toml line 10
    (Thanet District Council). 2 of 4 signatures lapse (Thanet District Council).
    Nothing was changed.
    Next: handover preview ekh-2020 --out ekh.preview
    ");
}
