//! What people outside said or were given, held against the log: time-stamps (T07, T15), proofs of single
//! entries (T36), the annex (T37).

use std::fs;
use std::path::{Path, PathBuf};

use handover::export::stamp;
use handover::plan::digest::Digest;
use handover::seal::Seal;
use tempfile::TempDir;

use super::attack::{Forgery, Pack, Verdict, trusted, verify};
use super::good::{good, tell};
use crate::export::authority::reply;
use crate::export::stage::{copied, ended, files, handover};

/// An authority's word about a seal, now.
fn stamp_of(seal: &Seal) -> Vec<u8> {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("sealed"), stamp::stamped(seal)).unwrap();
    reply(place.path())
}

/// Where it stands in a pack of 68 entries.
fn anchor(stamp: &[u8]) -> String {
    let digest = Digest::of(stamp).to_string();
    format!("anchors/000000000068.{}.tsr", &digest[..8])
}

fn with(more: &[&str]) -> Vec<String> {
    let mut evidence = trusted();
    evidence.extend(more.iter().map(|one| (*one).to_owned()));
    evidence
}

#[test]
fn t07_a_tail_that_was_cut_off_is_noticed_by_a_time_stamp_over_its_seal() {
    let mut honest = Forgery::honest();
    let stamp = stamp_of(honest.newest());
    let stamped = |mut log: Forgery| {
        log.stamps.insert(anchor(&stamp), stamp.clone());
        log.pack()
    };
    let found = stamped(Forgery::honest()).verified();
    found.is(0, &[]);
    assert!(
        found
            .said
            .contains("who stamped the seal of 68 entries as of "),
        "{}",
        found.said
    );
    stamped(Forgery::honest().cut(58)).is_told(&["ROLLED_BACK_LOG"]);

    let short = Forgery::honest().cut(58).pack();
    let kept = short.outside().join("kept.tsr");
    fs::write(&kept, &stamp).unwrap();
    verify(&short.root, &with(&["--stamp", kept.to_str().unwrap()])).is(6, &["ROLLED_BACK_LOG"]);
    verify(&good().pack(), &with(&["--stamp", kept.to_str().unwrap()])).is(0, &[]);
}

#[test]
fn t15_a_stamp_from_before_its_seals_last_entry_was_written_is_told() {
    let mut late = Forgery::honest()
        .edit(|entries| {
            let tomorrow = super::now() + jiff::SignedDuration::from_hours(24);
            let last = entries.last_mut().unwrap();
            for field in ["at", "as_at"] {
                last[field] = format!("{tomorrow:.3}").into();
            }
        })
        .rewritten();
    let stamp = stamp_of(late.newest());
    late.stamps.insert(anchor(&stamp), stamp);
    late.pack().is_told(&["TIME_ORDER"]);
}

#[test]
fn t15_a_witness_that_signed_before_the_last_entry_was_written_is_told() {
    let mut early = Forgery::honest();
    let now = u64::try_from(super::now().as_second()).unwrap();
    let newest = early.newest();
    newest.note.lines.truncate(1);
    super::attack::cosign(newest, "almo", now - 86_400);
    early.pack().is_told(&["TIME_ORDER"]);
}

/// One entry, handed out.
fn entry(to: &Path) -> PathBuf {
    let to = to.join("entry");
    let command = format!("export . --entry 22 --to {}", to.display());
    tell(&good().closed(), &command, 0);
    to.join("22.tlog-proof")
}

fn proved(proof: &Path, more: &[&str]) -> Verdict {
    let shown = proof.display().to_string();
    let mut command = handover(proof.parent().unwrap(), &["--json", "verify", &shown]);
    let (code, said) = ended(command.args(more));
    Verdict::read(code, said)
}

#[test]
fn t36_one_entry_is_verified_by_its_proof_the_minute_and_the_witnesses() {
    let place = TempDir::new().unwrap();
    let proof = entry(place.path());
    let policy = good().trust().join("tlog-policy");
    let policy = ["--policy", policy.to_str().unwrap()];
    proved(&proof, &policy).is(0, &[]);
    proved(&proof, &["--key", &good().minuted]).is(0, &[]);
    proved(&proof, &[]).is(10, &["NO_KEY"]);
    let other = good().minuted.replace('+', "x+");
    assert_eq!(proved(&proof, &["--key", &other]).code, 2);

    let line = proof.with_extension("json");
    let text = fs::read_to_string(&line).unwrap();
    fs::write(&line, text.replacen("12 rows", "13 rows", 1)).unwrap();
    proved(&proof, &policy).is(6, &["BAD_PROOF"]);
    fs::write(&line, text + "\n").unwrap();
    proved(&proof, &policy).is(0, &[]);
    let bytes = fs::read_to_string(&proof).unwrap();
    fs::write(&proof, bytes.replacen("index 22", "index 23", 1)).unwrap();
    proved(&proof, &policy).is(6, &["BAD_PROOF", "SEQ"]);
    fs::write(&proof, "c2sp.org/tlog-proof@v2\n").unwrap();
    proved(&proof, &policy).is(6, &["BAD_PROOF"]);
}

#[test]
fn t36_a_proof_of_an_entry_in_a_pack_must_be_of_that_pack() {
    let place = TempDir::new().unwrap();
    let proof = fs::read(entry(place.path())).unwrap();
    let within = |bytes: Vec<u8>| {
        Pack::with(|files| drop(files.insert("log/proofs/22.tlog-proof".to_owned(), bytes)))
    };
    within(proof.clone()).verified().is(0, &[]);
    let other = String::from_utf8(proof)
        .unwrap()
        .replacen("index 22", "index 21", 1);
    within(other.into_bytes()).is_told(&["BAD_PROOF"]);
    // Kept by whoever was given the entry, it betrays a cut.
    let kept = place.path().join("entry/22.tlog-proof");
    let short = Forgery::honest().cut(58).pack();
    let found = verify(&short.root, &with(&["--seal", kept.to_str().unwrap()]));
    found.is(6, &["TRUNCATED"]);
}

/// The annex of the good run, in a bag that is whole after `change`.
fn annex(change: impl FnOnce(&mut std::collections::BTreeMap<String, Vec<u8>>)) -> TempDir {
    let place = TempDir::new().unwrap();
    let made = place.path().join("made");
    tell(
        &good().closed(),
        &format!("export . --as annex --to {}", made.display()),
        0,
    );
    let mut files = files(&made.join("data"));
    change(&mut files);
    let mut bag = handover::export::bag::BagWriter::new(&place.path().join("annex")).unwrap();
    for (path, bytes) in files {
        bag.put(&path, &bytes).unwrap();
    }
    let kept = fs::read_to_string(made.join("bag-info.txt")).unwrap();
    let agent = kept
        .lines()
        .find_map(|line| line.strip_prefix("Bag-Software-Agent: "));
    bag.finish(&[("Bag-Software-Agent", agent.unwrap().to_owned())])
        .unwrap();
    place
}

fn beside(place: &TempDir) -> Verdict {
    let annex = place.path().join("annex");
    verify(&good().pack(), &with(&["--annex", annex.to_str().unwrap()]))
}

#[test]
fn t37_the_annex_is_held_against_the_digest_in_the_last_entry() {
    let found = verify(&good().pack(), &trusted());
    assert!(
        found.said.contains("annex was not looked at"),
        "{}",
        found.said
    );
    let found = beside(&annex(|_| ()));
    found.is(0, &[]);
    assert!(
        !found.said.contains("annex was not looked at"),
        "{}",
        found.said
    );
    let another = annex(|files| {
        let people = files.get_mut("people.toml").unwrap();
        people.extend_from_slice(b"# more\n");
    });
    beside(&another).is(6, &["ATTACHMENT"]);
}

#[test]
fn t37_a_file_that_was_handed_in_and_replaced_or_lost_is_told() {
    let notice = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        let mut paths = files.keys().filter(|path| path.starts_with("evidence/"));
        paths.next().unwrap().clone()
    };
    let replaced = annex(|files| {
        let path = notice(files);
        files.insert(path, b"Nobody was told.\n".to_vec());
    });
    beside(&replaced).is(6, &["ATTACHMENT"]);
    // Of a run that is not closed nothing vouches for the annex as a whole.
    let lost = annex(|files| {
        let path = notice(files);
        files.remove(&path);
    });
    let open = copied(&good().open());
    let annex = lost.path().join("annex");
    let shown = annex.display().to_string();
    let arguments = ["--json", "verify", "homes-", "--annex", &shown];
    let (code, said) = ended(&mut handover(open.path(), &arguments));
    Verdict::read(code, said).is(10, &["ATTACHMENT"]);
}
