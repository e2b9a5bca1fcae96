//! Beside the log: papers by digest, the run key, names of runs, rights on files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use handover::journal::{Journal, JournalFault, create_key, destroy_key, load_key};
use handover::plan::digest::Digest;
use handover::plan::papers::Papers;
use uuid::Uuid;

use super::begun::{begin, begun, papers, path};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_journal_or_the_key() {
    let begun = begun().await;
    let db = path(&begun.folder);
    assert_eq!(mode(db.parent().unwrap()), 0o700);
    assert_eq!(mode(&db), 0o600);
    assert_eq!(mode(&db.with_extension("db-wal")), 0o600);
    let folder = begun.journal.run_folder(begun.run);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("run.key")), 0o600);
    assert_eq!(mode(&folder.join("claim.1.lock")), 0o600);
}

#[tokio::test]
async fn a_run_finds_its_papers_without_the_plan_folder() {
    let mut begun = begun().await;
    let (manifest, files) = papers();
    let fingerprint = Digest::of(manifest.as_bytes());
    assert_eq!(
        begun.journal.papers_of(begun.run).await.unwrap(),
        [fingerprint]
    );
    assert_eq!(begun.journal.papers(fingerprint).await.unwrap(), files);
}

#[tokio::test]
async fn a_paper_that_was_changed_in_the_journal_is_not_used() {
    let mut begun = begun().await;
    let (manifest, _) = papers();
    let db = rusqlite::Connection::open(begun.journal.path()).unwrap();
    let changed = db.execute(
        "UPDATE blob SET bytes = ?1 WHERE bytes = ?2",
        (b"title = \"Tesx\"\n", b"title = \"Test\"\n"),
    );
    assert_eq!(changed.unwrap(), 1);
    let read = begun.journal.papers(Digest::of(manifest.as_bytes())).await;
    let fault = read.unwrap_err();
    assert_eq!((fault.code(), fault.exit_code()), ("HO602", 6));
}

#[tokio::test]
async fn a_manifest_that_names_other_files_is_not_stored() {
    let mut begun = begun().await;
    let (manifest, _) = papers();
    let put = begun
        .journal
        .put_papers(&manifest, &Papers::default())
        .await;
    assert!(matches!(put, Err(JournalFault::Blob(_))));
}

#[tokio::test]
async fn runs_are_found_by_any_beginning_that_fits_only_one() {
    let mut begun = begun().await;
    let other = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_7fff);
    begin(&mut begun.journal, other).await;
    let labels: Vec<String> = begun
        .journal
        .runs()
        .await
        .unwrap()
        .into_iter()
        .map(|run| run.label)
        .collect();
    assert_eq!(labels, ["ekh-7f3a", "ekh-7fff"]);
    assert_eq!(begun.journal.find("ekh-7f3").await.unwrap().id, begun.run);
    assert_eq!(
        begun.journal.find(&other.to_string()).await.unwrap().id,
        other
    );
    let fault = begun.journal.find("ekh").await.unwrap_err();
    assert_eq!(
        fault.to_string(),
        "`ekh` could be any of ekh-7f3a, ekh-7fff"
    );
    assert_eq!(fault.exit_code(), 2);
    for none in ["", "ekx", "ekh-7f3a0"] {
        assert!(matches!(
            begun.journal.find(none).await,
            Err(JournalFault::NoRun(_))
        ));
    }
}

#[tokio::test]
async fn two_runs_whose_ids_end_alike_have_different_labels() {
    let mut begun = begun().await;
    begin(&mut begun.journal, Uuid::from_u128(0x7f3a)).await;
    let found = begun.journal.find("ekh-00007f3a").await.unwrap();
    assert_eq!(found.id, Uuid::from_u128(0x7f3a));
    assert_eq!(begun.journal.find("ekh-7f3a").await.unwrap().id, begun.run);
}

#[tokio::test]
async fn a_run_that_exists_is_not_begun_twice() {
    let begun = begun().await;
    let folder = begun.journal.run_folder(begun.run);
    assert!(matches!(
        create_key(&folder),
        Err(JournalFault::KeyExists(_))
    ));
}

#[test]
fn a_run_whose_key_is_gone_or_anothers_does_not_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("a"), folder.path().join("b"));
    let key = create_key(&ours).unwrap();
    let other = create_key(&theirs).unwrap();
    assert_ne!(key.bytes(), other.bytes());
    assert_eq!(
        load_key(&ours, key.commitment()).unwrap().bytes(),
        key.bytes()
    );

    let wrong = load_key(&theirs, key.commitment()).unwrap_err();
    assert!(matches!(wrong, JournalFault::KeyWrong(_)));
    assert_eq!((wrong.code(), wrong.exit_code()), ("HO605", 10));

    std::fs::write(
        theirs.join("run.key"),
        key.bytes().iter().chain(&[0]).copied().collect::<Vec<u8>>(),
    )
    .unwrap();
    let longer = load_key(&theirs, key.commitment()).unwrap_err();
    assert!(matches!(longer, JournalFault::KeyWrong(_)));

    destroy_key(&ours).unwrap();
    let gone = load_key(&ours, key.commitment()).unwrap_err();
    assert!(matches!(gone, JournalFault::KeyMissing(_)));
    assert_eq!((gone.code(), gone.exit_code()), ("HO605", 10));
    assert!(matches!(
        destroy_key(&ours),
        Err(JournalFault::KeyMissing(_))
    ));
}

#[tokio::test]
async fn a_journal_opens_where_the_path_has_no_folder_yet() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/journal.db");
    Journal::open(&deep).await.unwrap();
    Journal::existing(&deep).await.unwrap();
}
