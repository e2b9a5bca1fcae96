//! A paper has one run: whoever begins a second is told so in the transaction that would have opened it.

use handover::journal::{Draft, Journal, JournalFault};
use handover::machine::event::{Actor, ClockKind, Decision, Event, LogClosed, Method, On, Signed};
use handover::plan::digest::Digest;
use handover::signature::statement::{Nonce, Window};
use uuid::Uuid;

use super::begun::{Begun, begun, claimant, mark, moment, opening, outline};

/// Somebody's signed yes to the paper.
fn yes(statement: &[u8]) -> Draft {
    let paper = outline().paper;
    Draft {
        about: None,
        actor: Actor::Person {
            person: "p02".into(),
            role: "lead".into(),
            org: "dover".into(),
            key: Some("SHA256:key".to_owned()),
        },
        event: Event::ApprovalGranted(Decision {
            on: On::Paper { paper },
            statement: Digest::of(statement),
            method: Method::Sshsig,
            evidence: None,
            reading: None,
            signed: Some(Signed {
                signature: Digest::of(b"file"),
                window: Window {
                    nonce: Nonce([1; 16]),
                    not_before: "2020-09-13T00:00:00Z".parse().unwrap(),
                    not_after: "2020-09-14T00:00:00Z".parse().unwrap(),
                },
                after: None,
            }),
        }),
    }
}

/// What comes of beginning a run under the paper of [`papers`].
async fn begins(
    journal: &mut Journal,
    run: Uuid,
    clock: ClockKind,
    words: Vec<Draft>,
) -> Result<handover::journal::Lease, JournalFault> {
    let (new, mut opening) = opening(journal, run).await;
    opening.opened.clock = clock;
    opening.words = words;
    journal
        .begin::<JournalFault>(&new, opening, &claimant(), &moment(9), |_| Ok(()))
        .await
}

async fn closed(begun: &mut Begun) {
    let closed = Event::LogClosed(LogClosed {
        completed: 0,
        undone: 0,
        other: 0,
        root: Digest::ZERO,
        annex: None,
        effects: None,
    });
    let last = vec![mark(1), Draft::of_run(closed)];
    begun
        .journal
        .append(&begun.lease, &moment(1), last)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_run_of_a_paper_that_has_a_live_one_leaves_nothing_behind() {
    let mut begun = begun().await;
    let second = begins(
        &mut begun.journal,
        Uuid::from_u128(2),
        ClockKind::Real,
        vec![],
    )
    .await;
    assert!(matches!(second, Err(JournalFault::Begun(label)) if label == "ekh-7f3a"));
    assert_eq!(begun.journal.runs().await.unwrap().len(), 1);
    assert_eq!(begun.journal.live_runs().await.unwrap().len(), 1);
    let rehearsal = begins(
        &mut begun.journal,
        Uuid::from_u128(3),
        ClockKind::MadeUp,
        vec![],
    )
    .await;
    rehearsal.unwrap();
    assert_eq!(begun.journal.live_runs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_statement_that_a_closed_run_took_begins_no_other() {
    let mut begun = begun().await;
    let word = vec![yes(b"first")];
    begun
        .journal
        .append(&begun.lease, &moment(1), word.clone())
        .await
        .unwrap();
    closed(&mut begun).await;
    let again = begins(
        &mut begun.journal,
        Uuid::from_u128(2),
        ClockKind::Real,
        word,
    )
    .await;
    assert!(matches!(again, Err(JournalFault::Begun(_))));
    let fresh = vec![yes(b"second")];
    let anew = begins(
        &mut begun.journal,
        Uuid::from_u128(3),
        ClockKind::Real,
        fresh,
    )
    .await;
    anew.unwrap();
    let papers = begun.journal.runs_under(outline().paper).await.unwrap();
    assert_eq!(papers.len(), 2);
}
