//! A plan that says `indexes = "rebuild"`: whoever dies among the indexes that stand aside or are built
//! again, every engine ends with the rows, indexes and foreign keys of a copy that kept them; and so does
//! the way back with those of before.
//!
//! Not here: the library's own calls (`engines::indexes`, `engines::aside`).

use super::super::stage::Stage;
use super::ground::Pair;
use super::stopped::Stopped;
use super::tales::{Eve, eve, same};
use super::told;
use crate::engines::bases::Engine;

/// The eve of a copy, its plan amended and signed so: `indexes` is this word, and the preview tells what it
/// means.
pub(super) fn amended(eve: &Eve, word: &str, told_of_it: &str) -> Stage {
    let stage = eve.stage.copy();
    let path = stage.path.join("plan.toml");
    let plan = std::fs::read_to_string(&path).unwrap();
    let plan = plan.replacen(
        "does = \"data-copy\"\n",
        &format!("does = \"data-copy\"\nindexes = \"{word}\"\n"),
        1,
    );
    std::fs::write(&path, plan).unwrap();
    let look = stage.tell(&["preview", ".", "--amend", "--out", "amended.preview"]);
    look.is(0, &[]);
    let told = std::fs::read_to_string(stage.path.join("amended.preview")).unwrap();
    assert!(told.contains(told_of_it), "{told}");
    stage.sign("amended.preview");
    stage
}

/// The run goes on to where it waits, and then takes the way back.
pub(super) fn there_and_back(pair: Pair, eve: &Eve, stage: &Stage) {
    stage.tell(&["run", "."]).is(4, &["Waiting safely"]);
    same(stage, &eve.copied, &format!("{pair}, gone on"));
    stage.way_back(&[]);
    stage.tell(&stage.back()).is(0, &["Rolled back"]);
    same(stage, &eve.before, &format!("{pair}, and rolled back"));
}

const WORD: &str = "rebuild";
const TOLD: &str = "are locked for a moment before their first row";

pub(super) const RUN: [&str; 4] = ["run", ".", "--signed", "amended.preview"];

/// Where processes die, one after the other. Only `MariaDB` commits each change of a schema by itself.
fn points(pair: Pair) -> Vec<&'static str> {
    let mut points = vec!["chunk:2", "built:1", "built:2"];
    if pair.to == Engine::Mariadb {
        points.splice(0..0, ["aside:1", "aside:2"]);
    }
    points
}

#[test]
fn a_copy_that_dies_among_its_indexes_ends_with_all_that_it_found() {
    told::along(
        "indexes rebuilt",
        3,
        |_| true,
        |pair, _| {
            let eve = eve(pair);
            let stage = amended(&eve, WORD, TOLD);
            let mut arguments = RUN.to_vec();
            for point in points(pair) {
                stage.dies(&arguments, point);
                told::add(pair, "kills among indexes", 1);
                // The amendment was taken: `run` goes on with it.
                arguments = vec!["run", "."];
            }
            there_and_back(pair, &eve, &stage);
        },
    );
}

#[test]
fn nobody_keeps_a_look_at_the_source_open_while_indexes_are_built() {
    let pair = Pair {
        from: Engine::Postgres,
        to: Engine::Sqlite,
    };
    let stage = amended(&eve(pair), WORD, TOLD);
    let Ok(stopped) = Stopped::by(&stage, &RUN, "built:1") else {
        panic!("no index was built")
    };
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
    let source = &stage.ground.as_ref().unwrap().sides[0];
    let open = source.ask(open);
    stopped.goes_on().is(4, &["Waiting safely"]);
    assert_eq!(open.trim(), "0");
}
