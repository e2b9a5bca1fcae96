//! An auditor gets the very bytes, every paper, and nothing else.

use std::collections::BTreeSet;

use handover::journal::Draft;
use handover::journal::{JournalFault, LogFolder};
use handover::machine::event::{Event, PlanAmended};
use handover::plan::digest::Digest;
use handover::plan::papers::{Papers, manifest};
use handover::seal::LogKey;

use super::begun::{Begun, begun, mark, moment, papers};

fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn an_export_holds_the_very_bytes_and_every_paper_ever_in_force() {
    let Begun {
        folder,
        mut journal,
        run,
        lease,
    } = begun().await;
    let (before, old_files) = papers();
    let mut files = Papers::default();
    files.put("plan.toml".to_owned(), b"title = \"Amended\"\n".to_vec());
    let text = manifest([("plan.toml".to_owned(), Digest::of(b"title = \"Amended\"\n"))]);
    let (old, new) = (
        Digest::of(before.as_bytes()),
        journal.put_papers(&text, &files).await.unwrap(),
    );
    let amended = Event::PlanAmended(PlanAmended {
        old,
        new,
        dag: Digest::of(b"dag"),
        approvals: Vec::new(),
    });
    let drafts = vec![mark(1), Draft::of_run(amended), mark(2)];
    let written = journal.append(&lease, &moment(1), drafts).await.unwrap();
    assert_eq!(
        written.iter().map(|entry| entry.plan).collect::<Vec<_>>(),
        [old, new, new],
        "an amendment is the first entry under the paper that it brings"
    );

    let to = folder.path().join("log");
    assert_eq!(journal.export_log(run, &to).await.unwrap(), 6);
    assert_eq!(
        names(&to),
        BTreeSet::from(["papers".to_owned(), "steps.jsonl".to_owned()])
    );
    assert_eq!(
        names(&to.join("papers")).len(),
        5,
        "two manifests and three files"
    );
    let log = LogFolder::open(&to).unwrap();
    assert_eq!(log.papers(new).unwrap(), files);
    assert_eq!(log.papers(old).unwrap(), old_files);

    let exported: Vec<Vec<u8>> = log.lines().unwrap().collect::<Result<_, _>>().unwrap();
    let mut lines = journal.read(run).await.unwrap();
    for line in &exported {
        assert_eq!(&lines.next().await.unwrap().unwrap().bytes, line);
    }
    assert_eq!(lines.next().await.unwrap(), None);
}

#[tokio::test]
async fn an_exported_log_that_is_torn_or_lacks_a_paper_is_not_reported_as_whole() {
    let Begun {
        folder,
        mut journal,
        run,
        ..
    } = begun().await;
    let to = folder.path().join("log");
    journal.export_log(run, &to).await.unwrap();
    let again = journal.export_log(run, &to).await;
    assert!(
        matches!(again, Err(JournalFault::Io(..))),
        "never written over"
    );

    let steps = to.join("steps.jsonl");
    let whole = std::fs::read(&steps).unwrap();
    std::fs::write(&steps, &whole[..whole.len() - 1]).unwrap();
    let log = LogFolder::open(&to).unwrap();
    let read: Vec<_> = log.lines().unwrap().collect();
    assert_eq!(read.len(), 3);
    assert!(matches!(read[2], Err(JournalFault::Cut { seq: 2, .. })));

    std::fs::write(&steps, vec![b'x'; 200_000]).unwrap();
    let read: Vec<_> = log.lines().unwrap().collect();
    assert_eq!(read.len(), 1, "a line without end is not read into memory");
    assert!(read[0].is_err());

    let (text, _) = papers();
    let fingerprint = Digest::of(text.as_bytes());
    std::fs::remove_file(to.join("papers").join(fingerprint.to_string())).unwrap();
    assert!(matches!(
        log.papers(fingerprint),
        Err(JournalFault::Blob(_))
    ));
}

#[tokio::test]
async fn a_run_that_goes_on_while_it_is_exported_is_exported_without_its_later_seals() {
    let Begun {
        folder,
        mut journal,
        run,
        ..
    } = begun().await;
    let size = journal.head(run).await.unwrap().size;
    let key = LogKey::new("east-kent/run", &[1; 32]).unwrap();
    for covered in [size, size + 1] {
        let seal = key.seal(covered, Digest::of(b"root"));
        let at = moment(1).at;
        journal.put_seal(run, &seal, at).await.unwrap();
    }
    let to = folder.path().join("log");
    journal.export_log(run, &to).await.unwrap();
    let kept = names(&to.join("checkpoints"));
    assert_eq!(kept, BTreeSet::from([format!("{size:012}")]));
}
