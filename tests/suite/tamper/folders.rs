//! Attacks on the folder that a pack stands in: files beside it that would be read in its place, lists that
//! leave out or are left out, things that are no files.

use std::fs;
use std::path::Path;

use super::attack::{Forgery, Pack, trusted, verify};
use super::good::good;

#[test]
fn a_log_laid_beside_a_packs_lists_is_never_read_in_its_place() {
    let pack = Pack::copy();
    fs::copy(pack.at("log/steps.jsonl"), pack.root.join("steps.jsonl")).unwrap();
    for name in ["papers", "signed", "checkpoints"] {
        let from = good().closed().join("log").join(name);
        for (file, bytes) in crate::export::stage::files(&from) {
            fs::create_dir_all(pack.root.join(name)).unwrap();
            fs::write(pack.root.join(name).join(file), bytes).unwrap();
        }
    }
    fs::write(pack.at("README.txt"), "All is well.\n").unwrap();
    pack.is_told(&["PATH", "BAG"]);
    // Without the file that says that it is a bag, what is left of the bag still does.
    fs::remove_file(pack.root.join("bagit.txt")).unwrap();
    pack.is_told(&["PATH", "BAG"]);
    // A log that was exported as a log is none the worse.
    verify(&good().closed().join("log"), &trusted()).is(0, &[]);
}

#[test]
fn a_pack_that_says_nothing_of_itself_is_judged_all_the_same() {
    let pack = Forgery::honest().edit(|entries| {
        entries[22]["body"]["actual"] = "13 rows".into();
    });
    let pack = pack.chain().pack();
    fs::remove_file(pack.root.join("bag-info.txt")).unwrap();
    pack.is_told(&["BAG", "ROOT_MISMATCH"]);
    let drifted = Pack::with(|files| {
        files.insert("exports/events.csv".to_owned(), b"case_id\n".to_vec());
    });
    fs::remove_file(drifted.root.join("bag-info.txt")).unwrap();
    drifted.is_told(&["BAG"]);
}

/// Leaves a file out of the lists, which fit each other again.
fn unlisted(pack: &Pack, path: &str) {
    for list in ["manifest-sha256.txt", "manifest-sha512.txt"] {
        let place = pack.root.join(list);
        let text = fs::read_to_string(&place).unwrap();
        let lines = text.split_inclusive('\n');
        let kept: String = lines
            .filter(|line| !line.ends_with(&format!("  data/{path}\n")))
            .collect();
        fs::write(place, kept).unwrap();
    }
}

#[test]
fn a_record_that_no_list_names_is_told_and_one_that_is_gone_is_missed() {
    let hidden = Pack::copy();
    unlisted(&hidden, "log/steps.jsonl");
    hidden.is_told(&["BAG", "NO_LOG"]);
    let gone = Pack::with(|files| drop(files.remove("log/steps.jsonl")));
    gone.is_told(&["NO_LOG", "TRUNCATED"]);
}

#[cfg(unix)]
fn pipe(place: &Path) {
    let _ = fs::remove_file(place);
    let made = std::process::Command::new("mkfifo").arg(place).status();
    assert!(made.unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_keeps_nobody_waiting() {
    for name in [
        "bag-info.txt",
        "bagit.txt",
        "manifest-sha256.txt",
        "manifest-sha512.txt",
        "tagmanifest-sha512.txt",
    ] {
        let pack = Pack::copy();
        pipe(&pack.root.join(name));
        pack.is_told(&["PATH"]);
    }
    let payload = Pack::copy();
    pipe(&payload.at("log/checkpoint"));
    payload.is_told(&["PATH"]);
    let log = crate::export::stage::copied(&good().closed().join("log"));
    let seals = log.path().join("checkpoints");
    pipe(&seals.join("000000000001"));
    verify(log.path(), &trusted()).is(6, &["BAD_SEAL"]);
}
