//! Every report drawn and as sentences, word for word.

use handover::machine::event::ClockKind;
use handover::preview::Preview;
use handover::preview::sign::{Ask, sign};
use handover::report::preview::{Depth, PreviewReport};
use handover::report::rollback::RollbackReport;
use handover::report::{Manner, Report};

use super::fixture::{at, plan, preview};
use super::made;

/// Both manners, one above the other.
pub(super) fn both(report: &impl Report) -> String {
    format!(
        "{}\n--- plain ---\n{}",
        report.drawn(Manner::DRAWN),
        report.plain()
    )
}

pub(super) fn shown(preview: &Preview, depth: Depth) -> String {
    let next = ["handover approve ekh.preview --as ROLE --reason TEXT".to_owned()];
    both(&PreviewReport {
        preview,
        depth,
        saved: Some("ekh.preview"),
        next: &next,
    })
}

#[test]
fn a_decision_maker_reads_the_preview_on_one_page() {
    insta::assert_snapshot!(shown(&preview(), Depth::Brief));
}

#[test]
fn a_programme_manager_reads_every_step() {
    insta::assert_snapshot!(shown(&preview(), Depth::Steps));
}

#[test]
fn an_auditor_reads_every_count() {
    insta::assert_snapshot!(shown(&preview(), Depth::Rows));
}

#[test]
fn a_rehearsal_without_timings_promises_nothing() {
    let mut rehearsal = preview();
    rehearsal.clock = ClockKind::MadeUp;
    for point in &mut rehearsal.points {
        (point.last_safe, point.rollback_s, point.slack_s) = (None, None, None);
    }
    let text = shown(&rehearsal, Depth::Brief);
    assert!(text.contains("REHEARSAL PREVIEW"), "{text}");
    assert!(text.contains("This is a rehearsal"), "{text}");
    assert_eq!(text.matches("no rehearsal undid").count(), 2, "{text}");
}

#[test]
fn a_renewal_moves_no_data_and_says_so() {
    let mut renewal = preview();
    renewal.reading = handover::preview::reading::Reading::default();
    renewal.steps.retain(|step| step.kind == "approval");
    let text = shown(&renewal, Depth::Brief);
    assert!(text.contains("WHAT MOVES: no data moves"), "{text}");
    assert!(
        text.contains("nothing: every step can be taken back"),
        "{text}"
    );
}

#[test]
fn a_rollback_says_what_stays_and_what_people_must_do() {
    let rollback = made::rollback();
    let next = ["handover rollback ekh-7f3a --signed rb.preview".to_owned()];
    insta::assert_snapshot!(both(&RollbackReport {
        preview: &rollback,
        saved: Some("rb.preview"),
        next: &next,
    }));
}

#[test]
fn a_run_at_rest_says_what_is_wrong_and_what_to_do() {
    insta::assert_snapshot!(both(&made::rest()));
}

#[test]
fn a_status_says_where_it_is_and_who_is_waited_for() {
    insta::assert_snapshot!(both(&made::status()));
}

#[test]
fn a_proof_never_reports_missing_evidence_as_fine() {
    let proof = made::proof();
    assert_eq!(proof.exit, 6);
    insta::assert_snapshot!(both(&proof));
}

#[test]
fn signatures_show_who_is_still_asked() {
    let mut preview = preview();
    let ask = Ask {
        person: "p04",
        role: "housing",
        reason: "agreed",
        at: at("2020-09-25T10:00:00Z"),
        as_at: at("2020-09-25T10:00:00Z"),
        evidence: None,
        proof: None,
    };
    sign(&mut preview, &plan(), &ask).expect("a signature");
    let names = std::collections::BTreeMap::from([("p04".into(), "J Marsh".to_owned())]);
    let report = handover::report::decisions::DecisionsReport::of(&preview, &names, Vec::new());
    insta::assert_snapshot!(both(&report));
}

#[test]
fn a_sound_plan_says_where_each_address_came_from() {
    insta::assert_snapshot!(both(&made::check()));
}

#[test]
fn an_explain_page_says_what_to_do() {
    insta::assert_snapshot!(both(&made::explain()));
}
