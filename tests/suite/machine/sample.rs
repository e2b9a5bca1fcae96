//! One entry of every type.

use handover::machine::event::*;
use handover::plan::digest::Digest;
use handover::signature::statement::{After, Nonce, Window};
use uuid::Uuid;

use super::paper::{id, seat};
use super::world::{person, time};

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub fn every_event() -> Vec<Entry> {
    let about = || {
        Some(About {
            step: "copy-homes/thanet".into(),
            generation: 2,
            attempt: 3,
        })
    };
    let run_level = run_events().into_iter().map(|event| (None, event));
    let of_steps = step_events().into_iter().map(|event| (about(), event));
    let entries = run_level.chain(of_steps).zip(0..);
    entries
        .map(|((about, event), seq)| entry(seq, about, event))
        .collect()
}

fn entry(seq: u64, about: Option<About>, event: Event) -> Entry {
    let decided = matches!(
        event,
        Event::ApprovalGranted(_) | Event::ApprovalRefused(_) | Event::ApprovalRevoked(_)
    );
    Entry {
        seq,
        prev: digest("before"),
        run: Uuid::from_u128(0x0192_f000_0000_7000_8000_0000_0000_0001),
        plan: digest("paper"),
        at: time("2020-09-30T18:00:02.123Z"),
        as_at: time("2020-09-30T18:00:00Z"),
        boot: Uuid::from_u128(2),
        mono: u64::MAX,
        exec: Uuid::from_u128(3),
        epoch: 4,
        about,
        actor: if decided {
            person("p01", "s151", "dover")
        } else {
            Actor::Executor
        },
        event,
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one of each, in the order of the enum"
)]
fn run_events() -> Vec<Event> {
    vec![
        Event::LogOpened(LogOpened {
            origin: "ekh/1".to_owned(),
            log_key: None,
            product: "0.1.0".to_owned(),
            schema: digest("schema"),
            manifest: digest("paper"),
            commitment: digest("key"),
            clock: ClockKind::MadeUp,
            sources: vec![OrgPrint {
                org: "ekh".into(),
                schema: digest("ekh"),
            }],
            targets: Vec::new(),
            previous: Some(PreviousLog {
                origin: "ekh/0".to_owned(),
                size: 3,
                head: digest("head"),
                seen: 5,
            }),
        }),
        Event::PlanBound(PlanBound {
            steps: 11,
            dag: digest("dag"),
        }),
        Event::PlanAmended(PlanAmended {
            old: digest("paper"),
            new: digest("new"),
            dag: digest("dag"),
            approvals: vec![3, 4],
        }),
        Event::LeaseAcquired(LeaseAcquired {
            epoch: 4,
            fences: vec!["ekh".into()],
        }),
        Event::LeaseReleased(Empty {}),
        Event::RunRested(RunRested {
            completed: 1,
            held: 2,
            failed: 3,
            refused: 4,
            undone: 5,
            stuck: 6,
            pending: 7,
            exit: 7,
        }),
        Event::RollbackStarted(RollbackStarted {
            checkpoint: 3,
            keeps: vec![id(0)],
            undoes: vec![id(2), id(1)],
            stays: vec![id(3)],
            void: vec![9],
            preview: digest("preview"),
            mode: UndoMode::Skip,
            approvals: vec![11, 12],
        }),
        Event::RollbackCommitted(RollbackCommitted { checkpoint: 3 }),
        Event::RollbackFailed(RollbackFailed {
            checkpoint: 3,
            stuck: vec![id(1)],
        }),
        Event::OperatorOverride(OperatorOverride {
            rule: "r1".into(),
            reason: "late".into(),
            approvals: vec![1, 2],
        }),
        Event::ClockStepped(ClockStepped {
            before: time("2020-09-30T18:00:02Z"),
            after: time("2020-09-30T17:00:02Z"),
        }),
        Event::SealCosigned(SealCosigned {
            size: 10,
            root: digest("root"),
            witness: "audit".to_owned(),
            time: time("2020-09-30T18:00:02Z"),
            line: digest("line"),
        }),
        Event::SealHeartbeat(Empty {}),
        Event::KeyRotated(KeyRotated {
            old: "a".to_owned(),
            new: "b".to_owned(),
            signature: "c".to_owned(),
        }),
        Event::LogRecovered(LogRecovered {
            cut: Some(digest("cut")),
            lost_from: 1,
            lost_to: 2,
            adopted: 3,
        }),
        Event::LogClosed(LogClosed {
            completed: 1,
            undone: 2,
            other: 3,
            root: digest("root"),
            annex: Some(digest("annex")),
            effects: Some(digest("effects")),
        }),
    ]
}

#[expect(
    clippy::too_many_lines,
    reason = "one of each, in the order of the enum"
)]
fn step_events() -> Vec<Event> {
    let on = On::Gate { step: id(4) };
    let decision = Decision {
        on: on.clone(),
        statement: digest("yes"),
        method: Method::Recorded,
        evidence: Some(digest("minute")),
        reading: Some(digest("reading")),
        signed: None,
    };
    let signed = Decision {
        method: Method::Sshsig,
        signed: Some(Signed {
            signature: digest("file"),
            window: Window {
                nonce: Nonce([7; 16]),
                not_after: "2020-10-01T00:00:00Z".parse().unwrap(),
                not_before: "2020-09-30T00:00:00Z".parse().unwrap(),
            },
            after: Some(After {
                size: 7,
                root: digest("head"),
            }),
        }),
        ..decision.clone()
    };
    let failed = StepFailed {
        kind: FaultKind::Refused,
        code: "HO511".into(),
        about: Some("tenancies.tenure".into()),
        rows: 13,
        detail: Some(digest("detail")),
    };
    let check = Check {
        rule: "row-counts".into(),
        expected: "3610".to_owned(),
        actual: "3609".to_owned(),
    };
    vec![
        Event::ApprovalRequested(ApprovalRequested {
            on,
            seats: vec![seat("s151", Some("dover")), seat("hr", None)],
        }),
        Event::ApprovalGranted(decision.clone()),
        Event::ApprovalGranted(signed),
        Event::ApprovalRefused(decision.clone()),
        Event::ApprovalRevoked(decision),
        Event::HoldBegun(HoldBegun {
            waiting: Waiting::Evidence {
                seat: seat("legal", Some("dover")),
                what: "signatures".into(),
                missing: 2,
            },
        }),
        Event::HoldBegun(HoldBegun {
            waiting: Waiting::Date {
                until: time("2020-10-01T00:00:00Z"),
            },
        }),
        Event::HoldAnswered(HoldAnswered {
            answer: Answer::Evidence,
            statement: digest("said"),
            evidence: None,
        }),
        Event::StepStarted(StepStarted {
            key: digest("key"),
            reversible: true,
            deps: vec![1, 2],
            approvals: Vec::new(),
        }),
        Event::StepMarked(StepMarked {
            ordinal: 3,
            rows: 300,
            root: digest("chunk"),
        }),
        Event::StepCommitted(StepCommitted {
            outputs: vec![DatasetCount {
                dataset: "homes".into(),
                org: Some("thanet".into()),
                rows: 3610,
                rejected: 2,
                filtered: 0,
                merged: 0,
                pence: Some("46620190".to_owned()),
                root: digest("homes"),
            }],
            effects: 4,
        }),
        Event::StepFailed(failed.clone()),
        Event::StepSkipped(StepSkipped {
            reason: "not-needed".into(),
            approval: 8,
        }),
        Event::UndoStarted(UndoStarted {
            mode: UndoMode::Force,
        }),
        Event::UndoCommitted(UndoCommitted {
            mode: UndoMode::Force,
            removed: 1,
            restored: 2,
            reported: 3,
        }),
        Event::UndoFailed(failed),
        Event::ExternalAttested(ExternalAttested {
            what: "letters".into(),
            document: digest("batch"),
            count: 16_632,
        }),
        Event::CheckPassed(check.clone()),
        Event::CheckFailed(check),
    ]
}
