//! A copy made days before the night, an office that works on, and a catch-up behind the freeze: killed
//! anywhere between, it ends in the rows of a story that nobody disturbed.

use std::sync::OnceLock;

use super::rows::{Held, differences};
use super::stage::{Said, begun_early, everything};
use super::sweep::{chain, sweep};

/// A story that nobody disturbed, told to its end.
fn told() -> &'static Held {
    static TOLD: OnceLock<Held> = OnceLock::new();
    TOLD.get_or_init(|| {
        let stage = begun_early().copy();
        let said = Said::of(stage.demo(None).output().unwrap());
        said.is(0, &["25 new telephone numbers"]);
        assert!(
            said.text.contains("catch-up             25 rows"),
            "{}",
            said.text
        );
        stage.held()
    })
}

#[test]
fn a_catch_up_killed_again_and_again_ends_with_the_same_rows() {
    let stage = begun_early().copy();
    chain(&stage, "a chain of kills around a catch-up", (15, 40));
    let differences = differences(told(), &stage.held());
    assert!(differences.is_empty(), "{differences:#?}");
}

/// Every second chunk of copies and catch-ups with `HANDOVER_FULL=1`, otherwise every twentieth.
#[test]
fn a_kill_between_any_chunk_of_a_catch_up_and_its_mark_brings_no_row_twice() {
    let depth = if everything() { 2 } else { 20 };
    let swept = sweep(begun_early(), "chunk", depth..=depth, &|stage| {
        let differences = differences(told(), &stage.held());
        (!differences.is_empty()).then(|| format!("{differences:#?}"))
    });
    assert!(swept.kills > 0);
    assert!(swept.faults.is_empty(), "{}", swept.faults.join("\n"));
}
