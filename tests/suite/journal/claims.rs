//! One run, one executor: among threads, among processes, and when one is killed or stands still.

use std::io::BufRead as _;
use std::sync::Arc;

use handover::journal::{Draft, Journal, JournalFault, Lease, Moment};
use handover::machine::event::{Empty, Event};
use handover::machine::run::Run;
use uuid::Uuid;

use super::begun::{Begun, begin, begun, claimant, mark, moment, outline};
use super::children::{Child, Role, asked, say};

/// Not a test of its own: what a child process does when it is asked to claim a run. It claims, says
/// so, appends whenever it is given a line, and ends when its input does.
#[tokio::test]
async fn a_child_claims_when_asked() {
    let Some((path, run)) = asked(Role::Claim) else {
        return;
    };
    let mut journal = Journal::existing(&path).await.unwrap();
    match journal.claim(run, &claimant(), &moment(0)).await {
        Err(JournalFault::Held { .. }) => say("held"),
        Err(fault) => panic!("{fault}"),
        Ok(lease) => serve(&mut journal, &lease).await,
    }
}

async fn serve(journal: &mut Journal, lease: &Lease) {
    say(&format!("claimed {}", lease.epoch));
    for _line in std::io::stdin().lock().lines() {
        match journal.append(lease, &moment(0), vec![mark(1)]).await {
            Ok(_) => say("appended"),
            Err(fault) => say(&format!("{} {fault}", fault.code())),
        }
    }
}

/// A run that nobody holds: killed right after it was opened, as far as anybody can tell.
async fn released() -> Begun {
    let mut begun = begun().await;
    begun.lease = begin(&mut begun.journal, Uuid::from_u128(99)).await;
    begun
}

#[tokio::test]
async fn a_second_executor_is_told_which_process_has_the_run() {
    let mut begun = begun().await;
    let refused = begun
        .journal
        .claim(begun.run, &claimant(), &moment(1))
        .await;
    let Err(fault @ JournalFault::Held { pid, .. }) = refused else {
        panic!("the run is held");
    };
    assert_eq!(pid, std::process::id());
    assert_eq!((fault.exit_code(), fault.code()), (8, "HO801"));
    let says = fault.to_string();
    assert!(says.ends_with(", 1:27pm BST at least"), "{says}");
    assert_eq!(
        begun.journal.head(begun.run).await.unwrap().size,
        3,
        "nothing was written"
    );
    let holder = begun.journal.holder(begun.run).await.unwrap().unwrap();
    assert_eq!((holder.pid, holder.epoch), (std::process::id(), 1));
}

#[tokio::test]
async fn a_released_run_is_free_at_once_with_the_next_epoch() {
    let Begun {
        folder: _folder,
        mut journal,
        run,
        lease,
    } = begun().await;
    journal.release(lease, &moment(1)).await.unwrap();
    assert_eq!(journal.holder(run).await.unwrap(), None);
    let lease = journal.claim(run, &claimant(), &moment(1)).await.unwrap();
    assert_eq!(lease.epoch, 2);
    let written = journal
        .append(&lease, &moment(2), vec![mark(1)])
        .await
        .unwrap();
    assert_eq!((written[0].seq, written[0].epoch), (5, 2));
}

#[tokio::test]
async fn a_killed_run_resumes_at_once() {
    let mut begun = released().await;
    let mut child = Child::start(&begun, Role::Claim);
    assert_eq!(child.word(), "claimed 2");
    child.append();
    assert_eq!(child.word(), "appended");
    let refused = begun
        .journal
        .claim(begun.run, &claimant(), &moment(1))
        .await;
    assert!(matches!(refused, Err(JournalFault::Held { pid, .. }) if pid == child.pid()));
    child.kill();
    let lease = begun
        .journal
        .claim(begun.run, &claimant(), &moment(1))
        .await
        .unwrap();
    assert_eq!(lease.epoch, 3);
}

#[tokio::test]
async fn an_executor_that_stood_still_cannot_write_once_it_was_taken_over() {
    let mut begun = released().await;
    let mut child = Child::start(&begun, Role::Claim);
    assert_eq!(child.word(), "claimed 2");
    child.signal("-STOP");
    let early = begun
        .journal
        .claim(begun.run, &claimant(), &moment(59))
        .await;
    assert!(
        matches!(early, Err(JournalFault::Held { .. })),
        "its lease still runs"
    );
    let lease = begun
        .journal
        .claim(begun.run, &claimant(), &moment(60))
        .await
        .unwrap();
    assert_eq!(lease.epoch, 3);
    child.append();
    child.signal("-CONT");
    assert!(child.word().contains("our number is 2, 3 stands there"));
    child.kill();
    let written = begun
        .journal
        .append(&lease, &moment(61), vec![mark(1)])
        .await
        .unwrap();
    assert_eq!(
        written[0].seq, 5,
        "two leases and this mark came after the opening"
    );
}

#[tokio::test]
async fn of_many_processes_that_claim_at_once_one_gets_the_run() {
    let begun = released().await;
    let mut children: Vec<Child> = (0..4).map(|_| Child::start(&begun, Role::Claim)).collect();
    let words: Vec<String> = children.iter_mut().map(Child::word).collect();
    let claimed = words.iter().filter(|word| *word == "claimed 2").count();
    let held = words.iter().filter(|word| *word == "held").count();
    assert_eq!((claimed, held), (1, 3), "{words:?}");
    children.into_iter().for_each(Child::kill);
}

#[tokio::test]
async fn of_many_threads_that_claim_at_once_one_gets_the_run() {
    let begun = released().await;
    let (path, run) = (begun.journal.path().to_owned(), begun.run);
    let claims = (0..8).map(|_| {
        let path = path.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async {
                let mut journal = Journal::existing(&path).await.unwrap();
                journal.claim(run, &claimant(), &moment(1)).await
            })
        })
    });
    let claims: Vec<_> = claims
        .collect::<Vec<_>>()
        .into_iter()
        .map(|c| c.join().unwrap())
        .collect();
    assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    let told =
        |claim: &&Result<Lease, JournalFault>| matches!(claim, Err(JournalFault::Held { .. }));
    assert_eq!(claims.iter().filter(told).count(), 7);
}

#[tokio::test]
async fn renewing_keeps_a_lease_alive_and_writes_no_entry() {
    let mut begun = begun().await;
    begun
        .journal
        .renew(&begun.lease, &moment(59))
        .await
        .unwrap();
    let refused = begun
        .journal
        .claim(begun.run, &claimant(), &moment(61))
        .await;
    assert!(matches!(refused, Err(JournalFault::Held { .. })));
    assert_eq!(begun.journal.head(begun.run).await.unwrap().size, 3);
    begun
        .journal
        .claim(begun.run, &claimant(), &moment(119))
        .await
        .unwrap();
    let late = begun.journal.renew(&begun.lease, &moment(120)).await;
    assert!(matches!(
        late,
        Err(JournalFault::TakenOver {
            ours: 1,
            theirs: 2,
            ..
        })
    ));
    let late = begun
        .journal
        .append(&begun.lease, &moment(120), vec![mark(1)])
        .await;
    let fault = late.unwrap_err();
    assert_eq!((fault.exit_code(), fault.code()), (8, "HO802"));
}

#[tokio::test]
async fn a_journal_that_may_not_grow_stops_the_run_and_loses_nothing() {
    let mut begun = released().await;
    let before = begun.journal.head(begun.run).await.unwrap().size;
    let mut child = Child::start_limited(&begun, Role::Claim);
    assert_eq!(child.word(), "claimed 2");
    let mut appended = 0;
    let refused = loop {
        child.append();
        match child.word() {
            word if word == "appended" => appended += 1,
            word => break word,
        }
    };
    assert!(refused.starts_with("HO607 "), "{refused}");
    assert!(
        refused.ends_with("could not be written to the disk"),
        "{refused}"
    );
    child.kill();
    let mut entries = begun.journal.entries(begun.run).await.unwrap();
    let mut read = 0;
    while entries.next().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, before + 1 + appended);
    begun
        .journal
        .claim(begun.run, &claimant(), &moment(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_claim_after_the_clock_went_back_is_one_that_replay_allows() {
    let Begun {
        folder: _folder,
        mut journal,
        run,
        lease,
    } = begun().await;
    journal.release(lease, &moment(10)).await.unwrap();
    let back = Moment {
        at: moment(5).at,
        as_at: moment(5).at,
        ..moment(20)
    };
    let lease = journal.claim(run, &claimant(), &back).await.unwrap();
    journal
        .append(
            &lease,
            &moment(21),
            vec![Draft::of_run(Event::SealHeartbeat(Empty {}))],
        )
        .await
        .unwrap();

    let mut entries = journal.entries(run).await.unwrap();
    let mut state = Run::new([Arc::new(outline())].into_iter().collect());
    let mut names = Vec::new();
    while let Some(entry) = entries.next().await.unwrap() {
        state.apply(&entry).unwrap();
        names.push(entry.event.name());
    }
    assert_eq!(
        names[3..],
        [
            "lease.released",
            "clock.stepped",
            "lease.acquired",
            "seal.heartbeat"
        ]
    );
}
