//! Clocks of witnesses that are wrong: what they sign is not taken in where it would accuse an honest log for
//! ever.

use std::fs;
use std::path::Path;

use handover::seal::Request;

use super::attack::{trusted, verify, witness_key};
use super::good::{good, tell};

/// What a witness hands back for the newest seal, by a clock that is wrong by so many seconds.
fn answered(folder: &Path, name: &str, wrong: i64) -> String {
    let to = format!("out-{name}-{wrong}");
    tell(
        folder,
        &format!("witness request homes- --witness {name} --to {to}"),
        0,
    );
    let file = fs::read_dir(folder.join(&to)).unwrap().next().unwrap();
    let request = Request::parse(&fs::read(file.unwrap().path()).unwrap()).unwrap();
    let time = u64::try_from(super::now().as_second() + wrong).unwrap();
    let line = witness_key(name).cosign(&request.seal.head, time).line;
    fs::write(folder.join(&to).join("answer"), line.to_string()).unwrap();
    format!("witness add homes- {to}/answer")
}

#[test]
fn a_witness_whose_clock_is_wrong_spoils_no_honest_log() {
    let live = good().live();
    let here = live.path();
    // Something new to sign.
    tell(here, "close . --to log --confirm homes", 0);
    for wrong in [86_400, 660, -660, -86_400] {
        let refused = tell(here, &answered(here, "almo", wrong), 2);
        assert!(refused.contains("HO617"), "{wrong}: {refused}");
    }
    tell(here, &answered(here, "almo", -60), 0);
    tell(here, &answered(here, "audit", 60), 0);
    tell(here, "export . --as pack --to pack", 0);
    verify(&here.join("pack"), &trusted()).is(0, &[]);
}

#[test]
fn a_witness_that_signed_more_earlier_is_not_taken_in() {
    let live = good().live();
    let here = live.path();
    let ahead = answered(here, "almo", 200);
    tell(here, &ahead, 0);
    tell(here, "close . --to log --confirm homes", 0);
    let refused = tell(here, &answered(here, "almo", 0), 2);
    assert!(refused.contains("fewer entries later"), "{refused}");
    tell(here, &answered(here, "almo", 210), 0);
    tell(here, "export . --as pack --to pack", 0);
    let found = verify(&here.join("pack"), &trusted());
    assert!(
        !found.tells("TIME_ORDER") && !found.tells("BACKDATED"),
        "{}",
        found.said
    );
}
