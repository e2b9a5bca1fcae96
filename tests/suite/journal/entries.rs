//! What is appended is what is read, in one chain.

use handover::journal::Journal;
use handover::machine::event::{Entry, Event};
use handover::plan::digest::Digest;

use super::begun::{Begun, begin, begun, mark, moment, path};
use super::children::{Child, Role, asked, say};

async fn all(journal: &mut Journal, run: uuid::Uuid) -> Vec<Entry> {
    let mut entries = journal.entries(run).await.unwrap();
    let mut all = Vec::new();
    while let Some(entry) = entries.next().await.unwrap() {
        all.push(entry);
    }
    all
}

#[tokio::test]
async fn a_run_that_exists_has_its_opening_entries() {
    let mut begun = begun().await;
    let names: Vec<u64> = all(&mut begun.journal, begun.run)
        .await
        .iter()
        .map(|e| e.seq)
        .collect();
    assert_eq!(names, [0, 1, 2]);
}

#[tokio::test]
async fn an_auditor_reads_the_entries_that_the_executor_was_given() {
    let Begun {
        folder,
        mut journal,
        run,
        lease,
    } = begun().await;
    let mut given = Vec::new();
    for batch in 0..5 {
        let drafts = (0..40).map(|n| mark(batch * 40 + n)).collect();
        given.extend(journal.append(&lease, &moment(1), drafts).await.unwrap());
    }
    journal.release(lease, &moment(2)).await.unwrap();
    drop(journal);

    let mut journal = Journal::existing(&path(&folder)).await.unwrap();
    let read = all(&mut journal, run).await;
    assert_eq!(read[3..203], given);
    assert!(matches!(read[203].event, Event::LeaseReleased(_)));
    assert_eq!(read[0].prev, Digest::ZERO);
    assert_eq!(journal.head(run).await.unwrap().size, 204);
}

#[tokio::test]
async fn a_wall_clock_that_goes_back_is_put_on_record_first() {
    let Begun {
        mut journal,
        lease,
        folder: _folder,
        ..
    } = begun().await;
    journal
        .append(&lease, &moment(100), vec![mark(1)])
        .await
        .unwrap();
    let mut back = moment(130);
    back.at = moment(40).at;
    let written = journal.append(&lease, &back, vec![mark(2)]).await.unwrap();
    assert_eq!(written.len(), 2);
    let Event::ClockStepped(stepped) = &written[0].event else {
        panic!("the step of the clock comes first");
    };
    assert_eq!(
        (stepped.before, stepped.after),
        (moment(130).at, moment(40).at)
    );
    let forward = journal
        .append(&lease, &moment(140), vec![mark(3)])
        .await
        .unwrap();
    assert_eq!(forward.len(), 1);
}

#[tokio::test]
async fn what_is_staged_becomes_durable_together_and_not_before() {
    let Begun {
        folder,
        mut journal,
        run,
        lease,
    } = begun().await;
    let first = journal
        .stage(&lease, &moment(1), vec![mark(1)])
        .await
        .unwrap();
    let mut other = Journal::existing(&path(&folder)).await.unwrap();
    assert_eq!(other.head(run).await.unwrap().size, 3);
    let second = journal
        .append(&lease, &moment(2), vec![mark(2)])
        .await
        .unwrap();
    assert_eq!((first[0].seq, second[0].seq), (3, 4));
    assert_eq!(all(&mut other, run).await[3..], [first, second].concat());
}

#[tokio::test]
async fn a_draft_that_no_line_can_hold_leaves_the_others_unwritten_and_the_log_usable() {
    let Begun {
        mut journal,
        run,
        lease,
        folder: _folder,
    } = begun().await;
    let mut long = mark(1);
    long.about.as_mut().unwrap().step = "x".repeat(70_000).as_str().into();
    let refused = journal
        .append(&lease, &moment(1), vec![mark(1), long])
        .await;
    assert!(refused.is_err());
    let written = journal
        .append(&lease, &moment(1), vec![mark(2)])
        .await
        .unwrap();
    assert_eq!(written[0].seq, 3);
    assert_eq!(all(&mut journal, run).await.len(), 4);
}

/// Not a test of its own: what a child process does when it is asked to read a log whole. It says how
/// many entries there were and how many kilobytes of memory it needed at most.
#[tokio::test]
async fn a_child_reads_when_asked() {
    let Some((path, run)) = asked(Role::Read) else {
        return;
    };
    let mut journal = Journal::existing(&path).await.unwrap();
    let mut entries = journal.entries(run).await.unwrap();
    let mut count = 0;
    while entries.next().await.unwrap().is_some() {
        count += 1;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    say(&format!("{count} {}", peak.trim().trim_end_matches(" kB")));
}

#[tokio::test]
async fn a_log_four_times_as_long_needs_no_more_memory_to_read() {
    let mut begun = begun().await;
    let mut peaks = Vec::new();
    for (run, batches) in [(1, 5), (2, 20)] {
        begun.run = uuid::Uuid::from_u128(run);
        let lease = begin(&mut begun.journal, begun.run).await;
        for batch in 0..batches {
            let drafts = (0..1000).map(|n| mark(batch * 1000 + n)).collect();
            begun
                .journal
                .append(&lease, &moment(1), drafts)
                .await
                .unwrap();
        }
        let word = Child::start(&begun, Role::Read).word();
        let (count, peak) = word.split_once(' ').unwrap();
        assert_eq!(count, (3 + batches * 1000).to_string());
        peaks.push(peak.parse::<u64>().unwrap());
    }
    assert!(peaks[1] * 10 <= peaks[0] * 11, "{peaks:?} kB");
}
