//! Registers of two councils, each in two tables, into one target by the steps of a plan: whatever order
//! the plan gives them, what its preview foretells is what its run does and what its verification finds;
//! also beside the rows of another run that is not closed yet.
//!
//! Not here: single rows (`merging`, `alike`).

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::copy::ledger::{self, Deed};
use handover::orgdb::OrgWriter;
use handover::plan::model::{Code, Plan};
use handover::plan::papers::Papers;
use handover::plan::read;
use handover::steps::{Act, Look, Output, RunLook, check, preview, run};
use uuid::Uuid;

use super::bases::{Base, Engine};
use super::rows::deed;

const PLAN: &str = r#"
[plan]
format = 1
title = "Two into one"
handover = 2021-10-01T00:00:00
author = "p01"
source = ["canterbury", "dover"]
target = ["base"]
signed-by = ["lead"]
[phase]
"Cut over" = ["go", "people", "staff", "check"]
[org]
canterbury = { name = "Canterbury", kind = "council", database = "env:CANTERBURY_DB", gss = "E07000106" }
dover = { name = "Dover", kind = "council", database = "env:DOVER_DB", gss = "E07000108" }
base = { name = "East Kent", kind = "almo", database = "env:BASE_DB" }
[role]
lead = { title = "Project lead" }
[step.go]
title = "Go"
does = "approval"
by = ["lead"]
[step.people]
title = "People"
does = "data-copy"
each = "source"
map = "maps/people.toml"
tables = ["person"]
after = ["go"]
[step.staff]
title = "Staff"
does = "data-copy"
each = "source"
map = "maps/staff.toml"
tables = ["staff"]
after = ["people"]
[step.check]
title = "Nothing is lost"
does = "verify"
each = "source"
checks = ["row counts", "keyed digests", "crosswalk"]
after = ["people", "staff"]
"#;

const PEOPLE: &str = r#"
[p01]
name = "Ada Author"
org = "base"
roles = []
[p02]
name = "Lee Lead"
org = "base"
roles = ["lead"]
"#;

const MAP: &str = r#"
format = 1
[table.person]
from = "TABLE"
key = ["ref"]
id = "person_id"
natural-key = ["ni"]
collision = "keep-existing"
[table.person.column]
name = "name"
ni = "ni"
source_ref = { fill = "source-key" }
origin = { fill = "source-org" }
run_of = { fill = "run" }
"#;

const SOURCE: &str = "
CREATE TABLE person (ref {text} NOT NULL PRIMARY KEY, name {text}, ni {text});
CREATE TABLE staff (ref {text} NOT NULL PRIMARY KEY, name {text}, ni {text});
";

const TARGET: &str = "
CREATE TABLE person (person_id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, ni {text},
  source_ref {text}, origin {text}, run_of {text});
INSERT INTO person VALUES ('own', 'Their own', 'NI-OWN', NULL, NULL, NULL);
";

const CANTERBURY: &str = "
INSERT INTO person VALUES ('C1', 'Ann', 'NI-1'), ('C2', 'Bob', 'NI-2');
INSERT INTO staff VALUES ('CS1', 'Sid', 'NI-7'), ('CS2', 'Own', 'NI-OWN');
";

/// The first is Canterbury's Ann, the second nobody else; of the staff one is Canterbury's Bob, one its Sid.
const DOVER: &str = "
INSERT INTO person VALUES ('D1', 'Anne', 'NI-1'), ('D2', 'Dan', 'NI-3');
INSERT INTO staff VALUES ('DS1', 'Bert', 'NI-2'), ('DS2', 'Cyd', 'NI-7'), ('DS3', 'Eve', 'NI-9');
";

fn papers(changes: &[(&str, &str, &str)]) -> Papers {
    let files = [
        ("plan.toml", PLAN.to_owned()),
        ("people.toml", PEOPLE.to_owned()),
        ("maps/people.toml", MAP.replace("TABLE", "person")),
        ("maps/staff.toml", MAP.replace("TABLE", "staff")),
    ];
    let mut papers = Papers::default();
    for (path, mut text) in files {
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == path) {
            assert!(text.contains(from), "{path}: {from}");
            text = text.replace(from, to);
        }
        papers.put(path.to_owned(), text.into_bytes());
    }
    papers
}

fn plan(changes: &[(&str, &str, &str)]) -> Arc<Plan> {
    let plan = read("waves", papers(changes));
    Arc::new(plan.unwrap_or_else(|faults| panic!("{:?}", faults.faults)))
}

fn faults(changes: &[(&str, &str, &str)]) -> Vec<(&'static str, String)> {
    let faults = read("waves", papers(changes)).map(|_| ()).unwrap_err();
    let faults = faults.faults.into_iter();
    faults.map(|fault| (fault.code, fault.says)).collect()
}

/// Two councils and a target under one plan.
struct World {
    plan: Arc<Plan>,
    bases: BTreeMap<Code, Base>,
}

impl World {
    async fn on(from: Engine, to: Engine, plan: Arc<Plan>) -> World {
        let mut bases = BTreeMap::new();
        for (name, rows) in [("canterbury", CANTERBURY), ("dover", DOVER)] {
            let base = Base::make(from, SOURCE).await;
            base.does(rows).await;
            bases.insert(Code::from(name), base);
        }
        bases.insert("base".into(), Base::make(to, TARGET).await);
        World { plan, bases }
    }

    fn target(&self) -> &Base {
        &self.bases[&Code::from("base")]
    }

    async fn look(&self, id: &str) -> Look {
        let mut readers = BTreeMap::new();
        for (org, base) in &self.bases {
            readers.insert(org.clone(), base.reader().await);
        }
        let step = self.plan.steps.iter().position(|one| one.id.as_str() == id);
        Look {
            plan: Arc::clone(&self.plan),
            step: step.unwrap_or_else(|| panic!("{id}")),
            readers: Arc::new(readers),
            as_at: "2021-09-30T22:00:00Z".parse().unwrap(),
            run: None,
        }
    }

    async fn act(&self, id: &str, of: Uuid) -> Act {
        let mut look = self.look(id).await;
        let deed = Deed {
            run: of,
            step: id.into(),
            ..deed()
        };
        let steps = self.plan.steps.iter();
        look.run = Some(RunLook {
            id: of,
            key: deed.key.clone(),
            folder: std::env::temp_dir(),
            evidence: Vec::new(),
            generations: steps.map(|one| (one.id.clone(), deed.generation)).collect(),
        });
        let mut writers: BTreeMap<Code, OrgWriter> = BTreeMap::new();
        let writer = self.target().bare_writer().await;
        ledger::prepare(&writer).await.unwrap();
        ledger::raise_fence(&writer, of, deed.epoch, deed.log_seq)
            .await
            .unwrap();
        writers.insert("base".into(), writer);
        Act {
            look,
            writers: Arc::new(writers),
            deed,
            marks: tokio::sync::mpsc::unbounded_channel().0,
        }
    }

    /// Previews all of these, then runs them one after the other; for each what was foretold and what came
    /// of it: rows copied, rows merged.
    async fn told_and_done(&self, ids: &[&str], of: Uuid) -> Vec<[(u64, u64); 2]> {
        let (mut told, mut both) = (Vec::new(), Vec::new());
        for id in ids {
            let look = self.look(id).await;
            let stops = check(&look).await.unwrap();
            assert!(!stops.iter().any(|one| one.stops), "{id}: {stops:?}");
            let foretold = preview(&look).await.unwrap();
            let counts = &foretold.counts[&Code::from("base")]["person"];
            told.push((counts.copied, counts.merged.values().sum()));
        }
        for (id, told) in ids.iter().zip(told) {
            let act = self.act(id, of).await;
            let Output::Done { outputs, .. } = run(&act).await.unwrap() else {
                panic!("a copy holds for nobody")
            };
            both.push([told, (outputs[0].rows, outputs[0].merged)]);
        }
        both
    }
}

const STEPS: [&str; 4] = [
    "people/canterbury",
    "people/dover",
    "staff/canterbury",
    "staff/dover",
];

#[tokio::test]
async fn registers_in_two_steps_are_merged_as_foretold_and_found_so() {
    for (from, to) in Engine::pairs() {
        let world = World::on(from, to, plan(&[])).await;
        let both = world.told_and_done(&STEPS, deed().run).await;
        let wanted = [(2, 0), (1, 1), (1, 1), (1, 2)];
        assert_eq!(both, wanted.map(|one| [one, one]), "{from:?} to {to:?}");
        for id in ["check/canterbury", "check/dover"] {
            let act = world.act(id, deed().run).await;
            let checked = run(&act).await;
            checked.unwrap_or_else(|fault| panic!("{from:?} to {to:?}, {id}: {fault:?}"));
        }
    }
}

#[tokio::test]
async fn rows_of_a_wave_that_is_not_closed_are_met_as_foretold() {
    let second = Uuid::from_u128(77);
    for to in Engine::ALL {
        let world = World::on(Engine::Sqlite, to, plan(&[])).await;
        world.told_and_done(&STEPS[..1], deed().run).await;
        let rest = world.told_and_done(&STEPS[1..2], second).await;
        // Canterbury's Ann stands twice over: at the target since the first wave, and still at Canterbury.
        assert_eq!(rest, [[(1, 1), (1, 1)]], "{to:?}");
        // What comes again is met, too.
        let again = world.told_and_done(&STEPS[..1], second).await;
        assert_eq!(again, [[(0, 2), (0, 2)]], "{to:?}");
        let refusing = [("maps/people.toml", "keep-existing", "refuse")];
        let refusing = World {
            plan: plan(&refusing),
            ..world
        };
        let found = check(&refusing.look("people/dover").await).await.unwrap();
        let stops: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert_eq!(stops, ["HO537"], "{to:?}");
        let act = refusing.act("people/dover", Uuid::from_u128(78)).await;
        assert_eq!(run(&act).await.unwrap_err().code, "HO537", "{to:?}");
    }
}

#[test]
fn councils_whose_people_are_refused_where_alike_go_one_after_the_other_too() {
    let refuse = ("maps/people.toml", "keep-existing", "refuse");
    let after = |plan: &Plan, id: &str| {
        let steps = &plan.outline.steps;
        let step = steps.iter().find(|one| one.id.as_str() == id).unwrap();
        step.after
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let plan = plan(&[refuse]);
    assert_eq!(after(&plan, "people/dover"), ["go", "people/canterbury"]);
    // All of the first register stand before any of the second.
    assert_eq!(
        after(&plan, "staff/canterbury"),
        ["people/canterbury", "people/dover"]
    );
}

#[test]
fn two_copies_whose_rows_may_meet_stand_in_an_order_and_agree_who_is_alike() {
    let beside = ("plan.toml", "after = [\"people\"]\n", "after = [\"go\"]\n");
    let says =
        "`people` and `staff` both bring `person` to `base`, and neither comes after the other";
    assert_eq!(faults(&[beside]), [("HO316", says.to_owned())]);
    let other = (
        "maps/staff.toml",
        "natural-key = [\"ni\"]",
        "natural-key = [\"ni\", \"name\"]",
    );
    let says = "`people` and `staff` both bring `person` to `base`, and disagree about which rows are alike";
    assert_eq!(faults(&[other]), [("HO316", says.to_owned())]);
    // Nobody is held against anybody where one of them says by what code its rows go.
    let apart = ("maps/staff.toml", "keep-existing", "namespace");
    plan(&[beside, apart]);
}

#[tokio::test]
async fn rows_that_nothing_could_name_are_refused_before_they_meet() {
    let nameless = [
        ("maps/people.toml", "id = \"person_id\"\n", ""),
        ("maps/people.toml", "keep-existing", "refuse"),
        (
            "maps/people.toml",
            "name = \"name\"",
            "person_id = \"ref\"\nname = \"name\"",
        ),
        ("maps/staff.toml", "keep-existing", "namespace"),
    ];
    for to in Engine::ALL {
        let mut world = World::on(Engine::Sqlite, to, plan(&nameless)).await;
        let found = check(&world.look("people/canterbury").await).await.unwrap();
        assert!(found.is_empty(), "{to:?}: {found:?}");
        let two = TARGET
            .replace(
                "person_id {text} NOT NULL PRIMARY KEY",
                "person_id {text} NOT NULL",
            )
            .replace(
                "run_of {text});",
                "run_of {text}, PRIMARY KEY (person_id, name));",
            );
        world
            .bases
            .insert("base".into(), Base::make(to, &two).await);
        let found = check(&world.look("people/canterbury").await).await.unwrap();
        let stops: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert_eq!(stops, ["HO316"], "{to:?}: {found:?}");
    }
}
