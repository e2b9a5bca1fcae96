//! A rehearsal is played so that the night can be timed: once it has gone all the way back, every
//! preview knows from when on it is too late to turn round.

use super::checkpoints::go_back;
use super::played::copied;

#[test]
fn the_last_safe_minute_is_known_once_a_rehearsal_has_undone_everything() {
    let stage = copied().copy();
    let before = stage.tell(&["preview", "."]);
    before.is(
        0,
        &[
            "no rehearsal undid everything",
            "How long the source stands still is not known",
        ],
    );
    let look = stage.tell(&["rollback", ".", "--preview"]);
    look.is(0, &["no rehearsal undid all of it"]);
    go_back(&stage, 0);
    let after = stage.tell(&["preview", "."]);
    after.is(
        0,
        &["as rehearsed and 15 min spare before the point of no return"],
    );
}
