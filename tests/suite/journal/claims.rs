//! One run, one executor: among threads, among processes, and when one is killed or stands still.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use handover::journal::{Journal, JournalFault, Lease};
use uuid::Uuid;

use super::begun::{Begun, begin, begun, claimant, mark, moment};

/// Where a child of these tests finds its journal and its run.
const ASKED: &str = "HANDOVER_TEST_CLAIM";

/// Not a test of its own: what a child process does when it is asked to claim a run. It claims, says
/// so, appends whenever it is given a line, and ends when its input does.
#[tokio::test]
async fn a_child_claims_when_asked() {
    let Some((path, run)) = asked() else { return };
    let mut journal = Journal::existing(&path).await.unwrap();
    match journal.claim(run, &claimant(), &moment(0)).await {
        Err(JournalFault::Held { .. }) => say("held"),
        Err(fault) => panic!("{fault}"),
        Ok(lease) => serve(&mut journal, &lease).await,
    }
}

fn asked() -> Option<(std::path::PathBuf, Uuid)> {
    let asked = std::env::var(ASKED).ok()?;
    let (run, path) = asked.split_once(' ')?;
    Some((path.into(), run.parse().unwrap()))
}

async fn serve(journal: &mut Journal, lease: &Lease) {
    say(&format!("claimed {}", lease.epoch));
    for _line in std::io::stdin().lock().lines() {
        match journal.append(lease, &moment(0), vec![mark(1)]).await {
            Ok(_) => say("appended"),
            Err(fault) => say(&fault.to_string()),
        }
    }
}

fn say(word: &str) {
    // Straight to the descriptor: the test harness would capture `println!`.
    writeln!(std::io::stdout(), "child: {word}").unwrap();
}

/// A process that was asked to claim.
struct Claimer(Child, BufReader<std::process::ChildStdout>);

impl Claimer {
    fn start(begun: &Begun) -> Claimer {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "journal::claims::a_child_claims_when_asked",
                "--nocapture",
            ])
            .env(
                ASKED,
                format!("{} {}", begun.run, begun.journal.path().display()),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Claimer(child, out)
    }

    /// What it says next.
    fn word(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.1.read_line(&mut line).unwrap(), 0, "the child ended");
            if let Some((_, word)) = line.trim_end().split_once("child: ") {
                return word.to_owned();
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn append(&mut self) {
        writeln!(self.0.stdin.as_mut().unwrap(), "append").unwrap();
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
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
    let mut child = Claimer::start(&begun);
    assert_eq!(child.word(), "claimed 2");
    child.append();
    assert_eq!(child.word(), "appended");
    let refused = begun
        .journal
        .claim(begun.run, &claimant(), &moment(1))
        .await;
    assert!(matches!(refused, Err(JournalFault::Held { pid, .. }) if pid == child.0.id()));
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
    let mut child = Claimer::start(&begun);
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
    let mut children: Vec<Claimer> = (0..4).map(|_| Claimer::start(&begun)).collect();
    let words: Vec<String> = children.iter_mut().map(Claimer::word).collect();
    let claimed = words.iter().filter(|word| *word == "claimed 2").count();
    let held = words.iter().filter(|word| *word == "held").count();
    assert_eq!((claimed, held), (1, 3), "{words:?}");
    children.into_iter().for_each(Claimer::kill);
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
