//! Attacks on the end of a log: cut back and closed anew, carried on by whoever holds no key.

use super::attack::{Forgery, Verdict, trusted, verify};
use super::good::{good, tell, witnessed};
use crate::export::stage::copied;

/// A seal that was made while nothing was under way.
const QUIET: usize = 60;

/// What is told of a log whose end no seal covers: it holds as far as it is sealed, and no further.
#[track_caller]
fn is_open_ended(found: &Verdict) {
    found.is(10, &["UNCLOSED"]);
}

#[test]
fn a_log_that_was_cut_and_closed_anew_without_its_key_is_never_verified() {
    let forged = Forgery::honest().cut(QUIET).closed();
    is_open_ended(&forged.pack().verified());
    // The same with the honest end, whose seals were taken away.
    let honest = Forgery::honest();
    let size = honest.lines.len();
    let mut bare = honest;
    bare.seals.retain(|seal| seal.head.size < size as u64);
    is_open_ended(&bare.pack().verified());
}

#[test]
fn a_log_that_was_carried_on_without_its_key_is_never_verified() {
    // A decision that nobody made, a step that nobody did, and an end over both.
    let forged = Forgery::honest()
        .edit(|entries| {
            let done = |entry: &serde_json::Value| {
                entry["type"] == "step.committed" && entry["step"] == "deed"
            };
            let deed = entries.iter().position(done).unwrap();
            entries.truncate(deed + 1);
        })
        .chain();
    let size = forged.lines.len();
    let mut forged = forged.closed();
    forged.seals.retain(|seal| seal.head.size < size as u64);
    is_open_ended(&forged.pack().verified());
}

#[test]
fn a_close_that_was_killed_before_its_seal_is_sealed_by_the_next_close() {
    let live = good().live();
    let close = "close . --to log --confirm homes";
    let mut killed =
        crate::export::stage::handover(live.path(), &close.split(' ').collect::<Vec<_>>());
    // The claim is the first commit, the last entry is in the second.
    let ended = killed.env("HANDOVER_KILL", "commit:2").output().unwrap();
    assert_eq!(ended.status.code(), None, "{ended:?}");
    tell(live.path(), "export . --as log --to cut", 0);
    is_open_ended(&verify(&live.path().join("cut"), &trusted()));
    tell(live.path(), close, 0);
    witnessed(live.path(), &good().minuted);
    tell(live.path(), "export . --as pack --to pack", 0);
    verify(&live.path().join("pack"), &trusted()).is(0, &[]);
    // Once more changes nothing.
    tell(live.path(), "close . --to again --confirm homes", 0);
    let log = copied(&live.path().join("again"));
    verify(log.path(), &trusted()).is(0, &[]);
}
