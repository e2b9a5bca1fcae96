//! Trouble around a run, as its tests have it: a stage to ruin, and what must hold whatever is wrong. Each
//! trouble is refused in plain words with its exit code, no organisation's row changes, and once it is
//! mended the run goes on.
//!
//! Not here: the troubles (`databases`, `journals`, `room`, `edited`, `moved`, `closing`).

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::rows::differences;
use super::stage::{Said, Stage, begun};

/// A run in the middle of its letters, killed there: it has work to do.
pub(super) fn half_way() -> Stage {
    static HALF_WAY: OnceLock<Stage> = OnceLock::new();
    let made = HALF_WAY.get_or_init(|| {
        let stage = begun().copy();
        let mut demo = stage.demo(None);
        let said = Said::of(demo.env("HANDOVER_KILL", "entry:80").output().unwrap());
        assert!(said.was_killed(), "{}", said.text);
        stage
    });
    made.copy()
}

/// Holds that `run` is refused so, and that nobody's rows changed.
#[track_caller]
pub(super) fn refused(stage: &Stage, code: i32, words: &[&str]) {
    let before = stage.held();
    stage.tell(&["run", "."]).is(code, words);
    let changed = differences(&before, &stage.held());
    assert!(changed.is_empty(), "{changed:#?}");
}

/// Holds that `run` goes on: it works until it waits for people.
#[track_caller]
pub(super) fn goes_on(stage: &Stage) {
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
}

/// Takes files out of the way: with a database everything of it, since the file alone would leave its
/// write-ahead log behind.
pub(super) fn away(stage: &Stage, files: &[PathBuf]) -> PathBuf {
    let away = stage.path.join("away");
    std::fs::create_dir(&away).unwrap();
    for file in files {
        std::fs::rename(file, away.join(file.file_name().unwrap())).unwrap();
    }
    away
}

/// Puts them back, over whatever stands there.
pub(super) fn back(away: &Path, home: &Path) {
    for file in std::fs::read_dir(away).unwrap() {
        let file = file.unwrap();
        std::fs::rename(file.path(), home.join(file.file_name())).unwrap();
    }
}
