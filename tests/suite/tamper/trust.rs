//! Attacks on whom an auditor believes: what they bring with them counts, whatever the log says of itself.

use std::fs;

use handover::seal::LogKey;

use super::attack::{Forgery, Pack, Verdict, log_key, trusted, verify};
use super::good::good;
use crate::export::stage::{ended, files, handover};

/// The log written anew by whoever wants nobody to look at seals.
fn unsealed() -> Pack {
    let mut log = Forgery::honest()
        .edit(|entries| {
            let opened = entries[0]["body"].as_object_mut().unwrap();
            opened.remove("log_key").unwrap();
            entries.retain(|entry| entry["type"] != "seal.cosigned");
        })
        .chain();
    log.seals.clear();
    log.pack()
}

/// One flag and a file of the auditor's.
fn only(flag: &str, name: &str) -> Vec<String> {
    let file = good().trust().join(name).display().to_string();
    vec![flag.to_owned(), file]
}

#[test]
fn a_log_that_says_nobody_seals_it_is_held_against_the_seal_that_somebody_kept() {
    let kept = good().pack().join("data/log/checkpoint");
    let kept = vec!["--seal".to_owned(), kept.display().to_string()];
    verify(&unsealed().root, &kept).is(6, &["BAD_SEAL"]);
    // The honest log is not accused for it: the key is what is missing.
    verify(&good().pack(), &kept).is(10, &["NO_KEY"]);
}

#[test]
fn a_log_that_says_nobody_seals_it_is_not_believed_by_whoever_knows_its_witnesses() {
    let pack = unsealed();
    verify(&pack.root, &only("--policy", "tlog-policy")).is(6, &["UNTRUSTED_KEY"]);
    verify(&pack.root, &trusted()).is(6, &["UNTRUSTED_KEY"]);
    // A policy that names no log, but witnesses.
    let policy = fs::read_to_string(good().trust().join("tlog-policy")).unwrap();
    let lines = policy.lines().filter(|line| !line.starts_with("log "));
    let lines: Vec<&str> = lines.collect();
    let file = pack.outside().join("policy");
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let given = ["--policy".to_owned(), file.display().to_string()];
    verify(&pack.root, &given).is(6, &["UNTRUSTED_KEY"]);
    verify(&good().pack(), &given).is(10, &["NO_KEY"]);
}

#[test]
fn a_policys_key_is_not_escaped_by_calling_the_log_another_name() {
    let given = only("--policy", "tlog-policy");
    verify(&good().pack(), &given).is(0, &[]);
    let other = Forgery::honest().edit(|entries| {
        let origin = &mut entries[0]["body"]["origin"];
        *origin = origin
            .as_str()
            .unwrap()
            .replacen("homes/", "homer/", 1)
            .into();
        let opened = entries[0]["body"].as_object_mut().unwrap();
        opened.remove("log_key").unwrap();
        entries.retain(|entry| entry["type"] != "seal.cosigned");
    });
    let mut other = other.chain();
    other.seals.clear();
    verify(&other.pack().root, &given).is(6, &["UNTRUSTED_KEY"]);
}

#[test]
fn a_run_is_held_against_the_key_that_lies_in_its_own_folder() {
    let live = good().live();
    let here = live.path();
    let own = ["--json", "verify", "homes-"];
    let judged = || {
        let (code, said) = ended(&mut handover(here, &own));
        Verdict::read(code, said)
    };
    judged().is(0, &[]);
    let key = files(here)
        .into_keys()
        .find(|path| path.ends_with("/log.key"))
        .unwrap();
    let stranger = LogKey::new(log_key(good()).origin(), &[9; 32]).unwrap();
    fs::write(here.join(&key), stranger.text().as_bytes()).unwrap();
    judged().is(6, &["UNTRUSTED_KEY"]);
    // What the minute has counts more.
    let (code, said) = ended(handover(here, &own).args(trusted()));
    assert_eq!(code, 0, "{said}");
    fs::remove_file(here.join(&key)).unwrap();
    judged().is(10, &["NO_KEY"]);
}
