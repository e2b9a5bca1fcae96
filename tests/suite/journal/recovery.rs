//! A log that was lost in part is not written to any more: its successor says what is missing.

use std::sync::Arc;

use handover::journal::{Journal, JournalFault, Seen};
use handover::machine::event::{Event, PlanBound};
use handover::machine::run::Run;
use uuid::Uuid;

use super::begun::{begun, claimant, mark, moment, outline, path};

/// A journal of eight entries that nobody drives.
async fn rested() -> (tempfile::TempDir, Uuid) {
    let mut begun = begun().await;
    let marks = (1..=4).map(mark).collect();
    begun
        .journal
        .append(&begun.lease, &moment(1), marks)
        .await
        .unwrap();
    begun
        .journal
        .release(begun.lease, &moment(2))
        .await
        .unwrap();
    begun.journal.close().await.unwrap();
    (begun.folder, begun.run)
}

fn bound() -> PlanBound {
    PlanBound {
        steps: 0,
        dag: outline().dag,
    }
}

/// Recovers and returns the successor's entries after checking that replay allows them.
async fn recovered(journal: &mut Journal, run: Uuid, seen: Seen) -> Vec<Event> {
    let loss = journal.loss(run, seen).await.unwrap();
    let lease = journal
        .recover(&loss, seen, bound(), &claimant(), &moment(9))
        .await
        .unwrap();
    assert_eq!((lease.run, lease.epoch), (run, seen.fence.max(1) + 1));
    journal.release(lease, &moment(10)).await.unwrap();
    let mut state = Run::new([Arc::new(outline())].into_iter().collect());
    let mut entries = journal.entries(run).await.unwrap();
    let mut events = Vec::new();
    while let Some(entry) = entries.next().await.unwrap() {
        state.apply(&entry).unwrap();
        events.push(entry.event);
    }
    events
}

#[tokio::test]
async fn a_journal_restored_from_yesterday_goes_on_in_a_successor_above_every_fence() {
    let (folder, run) = rested().await;
    let mut journal = Journal::existing(&path(&folder)).await.unwrap();
    let before = journal.head(run).await.unwrap();
    let seen = Seen {
        entry: 40,
        fence: 3,
        effects: 12,
    };
    let events = recovered(&mut journal, run, seen).await;

    let Event::LogOpened(opened) = &events[0] else {
        panic!("the log is opened first")
    };
    let previous = opened.previous.as_ref().unwrap();
    assert_eq!(opened.origin, format!("test/{run}.2"));
    assert_eq!(previous.origin, format!("test/{run}"));
    assert_eq!(
        (previous.size, previous.head, previous.seen),
        (8, before.head, 40)
    );
    let Event::LogRecovered(recovered) = &events[3] else {
        panic!("the loss is said fourth")
    };
    assert_eq!(
        (recovered.lost_from, recovered.lost_to, recovered.adopted),
        (8, 40, 12)
    );
    assert_eq!(recovered.cut, None);

    let after = journal.find("ekh-7f3a").await.unwrap();
    assert_eq!((after.id, after.part, after.epoch), (run, 2, 4));
    assert_eq!(
        journal.runs().await.unwrap().len(),
        1,
        "one run, by its newest part"
    );
}

#[tokio::test]
async fn what_stands_after_a_gap_is_named_by_its_digest_and_not_trusted() {
    let (folder, run) = rested().await;
    let db = rusqlite::Connection::open(path(&folder)).unwrap();
    db.execute_batch("DROP TRIGGER entry_is_not_deleted; DELETE FROM entry WHERE seq = 5")
        .unwrap();
    let mut journal = Journal::existing(&path(&folder)).await.unwrap();
    let loss = journal.loss(run, Seen::default()).await.unwrap();
    assert_eq!((loss.size, loss.lost_to), (5, 7));
    assert!(loss.cut.is_some());
    let events = recovered(&mut journal, run, Seen::default()).await;
    assert!(matches!(&events[3], Event::LogRecovered(said) if said.cut == loss.cut));
    let old: u32 = db
        .query_row("SELECT count(*) FROM entry WHERE run = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(old, 7, "the old log stays as evidence");
}

#[tokio::test]
async fn a_whole_log_is_never_forked() {
    let (folder, run) = rested().await;
    let mut journal = Journal::existing(&path(&folder)).await.unwrap();
    let seen = Seen {
        entry: 7,
        fence: 1,
        effects: 0,
    };
    let fault = journal.loss(run, seen).await.unwrap_err();
    assert!(matches!(fault, JournalFault::Whole(_)));
    assert_eq!((fault.code(), fault.exit_code()), ("HO610", 2));
}

#[tokio::test]
async fn a_run_that_somebody_drives_is_not_recovered_behind_their_back() {
    let mut begun = begun().await;
    let seen = Seen {
        entry: 40,
        ..Seen::default()
    };
    let loss = begun.journal.loss(begun.run, seen).await.unwrap();
    let mut other = Journal::existing(begun.journal.path()).await.unwrap();
    let refused = other
        .recover(&loss, seen, bound(), &claimant(), &moment(9))
        .await;
    assert!(matches!(refused, Err(JournalFault::Held { .. })));
}
