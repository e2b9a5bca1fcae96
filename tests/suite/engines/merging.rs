//! Two councils' people into one register that holds people of its own: who is who by the map's policy, on
//! every engine; what refers to somebody who was taken for another finds that other; undo leaves what was
//! there before, the other included.
//!
//! Not here: papers (`plan`), the command that proposes decisions (`surface`).

use std::sync::Arc;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, Loaded, load};
use handover::copy::look;
use handover::copy::namesakes::{Strangers, strangers};
use handover::copy::route::Route;
use handover::copy::verify::crosswalk::{Named, Walked, Whose, walked};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{Sql, Value};
use handover::plan::decisions::{Group, RowRef, Verdict};
use handover::plan::map::Map;
use handover::plan::model::{Code, Indexes, Place};
use handover::plan::read_map;

use super::bases::{Base, Engine};
use super::rows::deed;

const SOURCE: &str = "
CREATE TABLE person (ref {text}, name {text}, ni {text});
CREATE TABLE letter (id {number} NOT NULL PRIMARY KEY, person_ref {text}, note {text});
";

const TARGET: &str = "
CREATE TABLE person (person_id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, ni {text},
  source_ref {text}, origin {text}, run_of {text}, UNIQUE (origin, source_ref));
CREATE TABLE letter (letter_id {text} NOT NULL PRIMARY KEY, person_id {text} NOT NULL REFERENCES person (person_id),
  note {text});
CREATE INDEX letter_person ON letter (person_id);
INSERT INTO person VALUES ('own', 'Their own', 'NI-OWN', NULL, NULL, NULL);
INSERT INTO letter VALUES ('own', 'own', 'theirs');
";

const CANTERBURY: &str = "
INSERT INTO person VALUES ('C1', 'Ann', 'NI-1'), ('C2', 'Bob', 'NI-2 '), ('C3', 'Cat', NULL);
INSERT INTO letter VALUES (1, 'C1', 'to Ann'), (2, 'C2', 'to Bob');
";

/// The first is Ann, the second somebody the target knows, the third nobody else, the fourth shares a
/// number with Bob.
const DOVER: &str = "
INSERT INTO person VALUES ('D1', 'Anne', 'NI-1'), ('D2', 'Own', 'NI-OWN'), ('D3', 'Dan', ''), ('D4', 'Bert', 'NI-2');
INSERT INTO letter VALUES (1, 'D1', 'to Anne'), (2, 'D2', 'to Own'), (3, 'D3', 'to Dan'), (4, 'D4', 'to Bert');
";

const MAP: &str = r#"
format = 1
decisions = "maps/same.toml"
[table.person]
from = "person"
key = ["ref"]
id = "person_id"
natural-key = ["ni"]
collision = "POLICY"
[table.person.column]
name = "name"
ni = "ni"
source_ref = { fill = "source-key" }
origin = { fill = "source-org" }
[table.letter]
from = "letter"
key = ["id"]
id = "letter_id"
[table.letter.column]
person_id = { from = "person_ref", lookup = "person", required = true }
note = "note"
"#;

fn map(policy: &str) -> Map {
    let text = MAP.replace("POLICY", policy);
    read_map("maps/people.toml", &text).unwrap_or_else(|faults| panic!("{:?}", faults.faults))
}

fn decided(groups: &[(&[&str], Verdict)]) -> Map {
    let row = |text: &&str| {
        let (org, key) = text.split_once(':').unwrap();
        RowRef {
            org: org.into(),
            key: key.to_owned(),
        }
    };
    let mut map = map("decide");
    let groups = groups.iter().map(|(rows, verdict)| Group {
        dataset: "person".to_owned(),
        rows: rows.iter().map(row).collect(),
        verdict: *verdict,
        place: Place::default(),
    });
    map.decisions.groups = groups.collect();
    map
}

fn route(source: &str) -> Route {
    Route {
        source: source.into(),
        targets: vec!["base".into()],
        split: None,
        handover: "2011-03-31T23:00:00Z".parse().unwrap(),
    }
}

fn tables() -> Vec<String> {
    ["person", "letter"].map(str::to_owned).into()
}

fn of(source: &str) -> Deed {
    Deed {
        step: format!("copy/{source}").as_str().into(),
        ..deed()
    }
}

/// Two councils and a target.
struct Merge {
    canterbury: Base,
    dover: Base,
    target: Base,
}

impl Merge {
    async fn on(from: Engine, to: Engine) -> Merge {
        let merge = Merge {
            canterbury: Base::make(from, SOURCE).await,
            dover: Base::make(from, SOURCE).await,
            target: Base::make(to, TARGET).await,
        };
        merge.canterbury.does(CANTERBURY).await;
        merge.dover.does(DOVER).await;
        merge
    }

    async fn copy(&self, source: &str, map: &Map) -> Result<Loaded, LoadFault> {
        self.copy_some(source, map, usize::MAX).await
    }

    /// Copies; goes away after so many chunks.
    async fn copy_some(&self, source: &str, map: &Map, chunks: usize) -> Result<Loaded, LoadFault> {
        let from = if source == "dover" {
            &self.dover
        } else {
            &self.canterbury
        };
        let deed = of(source);
        let (reader, writer) = (from.reader().await, self.target.writer(&deed).await);
        let work = Load {
            map: Arc::new(map.clone()),
            tables: tables(),
            route: route(source),
            target: "base".into(),
            triggers: None,
            chunk_rows: 1,
            indexes: Indexes::Keep,
            frozen: true,
        };
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let copying = load(&reader, &writer, work, &deed, |_| {
            let _ = tell.send(());
        });
        let enough = async {
            for _ in 0..chunks {
                told.recv().await;
            }
        };
        tokio::select! {
            biased;
            () = enough => Ok(Loaded::default()),
            done = copying => done,
        }
    }

    async fn undo(&self, source: &str) {
        let deed = of(source);
        let writer = self.target.writer(&deed).await;
        let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
        assert!(!undone.refused);
    }

    /// To whom each letter of Dover's goes: the name there, and whose row it is.
    async fn letters(&self) -> Vec<String> {
        let query = Sql::new(
            "SELECT l.note, p.name, p.origin FROM letter AS l JOIN person AS p ON p.person_id = l.person_id
             WHERE l.letter_id <> 'own' ORDER BY l.note",
        );
        let rows = self
            .target
            .reader()
            .await
            .rows(query, Vec::new())
            .await
            .unwrap();
        let text = |value: &Value| value.text().unwrap_or("-").to_owned();
        rows.iter()
            .map(|row| row.iter().map(text).collect::<Vec<_>>().join(", "))
            .collect()
    }

    /// What was foretold of Dover's people, with Canterbury's before them.
    async fn foretold(&self, map: &Map) -> handover::copy::counts::Counts {
        let (map_of, none) = (map, []);
        let target: Code = "base".into();
        let reader = self.target.reader().await;
        let tables = tables();
        let all = Strangers::All(Some(deed().run));
        let mut known = strangers(&reader, &target, (map_of, &tables), all)
            .await
            .unwrap();
        let first = self.canterbury.reader().await;
        let about = (map_of, tables.as_slice());
        let first = look::totals(&first, about, &route("canterbury"), &none, &known)
            .await
            .unwrap();
        known.extend(&first.names);
        let second = self.dover.reader().await;
        let second = look::totals(&second, about, &route("dover"), &none, &known)
            .await
            .unwrap();
        second.targets[&target]["person"].clone()
    }
}

fn data(fault: Result<Loaded, LoadFault>) -> (&'static str, String) {
    match fault {
        Err(LoadFault::Data { code, column, .. }) => (code, column),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_row_that_stands_stands_for_both_and_their_letters_find_it() {
    for (from, to) in Engine::pairs() {
        let merge = Merge::on(from, to).await;
        let map = map("keep-existing");
        let foretold = merge.foretold(&map).await;
        let before = merge.target.everything().await;
        let first = merge.copy("canterbury", &map).await.unwrap();
        assert_eq!(first.datasets["person"].copied, 3, "{from:?} to {to:?}");
        let between = merge.target.everything().await;
        let second = merge.copy("dover", &map).await.unwrap();
        let people = &second.datasets["person"];
        assert_eq!(
            (people.copied, people.routed()),
            (1, 4),
            "{from:?} to {to:?}"
        );
        assert_eq!(people.merged["kept existing"], 3, "{from:?} to {to:?}");
        assert_eq!((foretold.copied, &foretold.merged), (1, &people.merged));
        assert_eq!(
            merge.foretold(&map).await,
            foretold,
            "the same once it was done"
        );
        let letters = merge.letters().await;
        let wanted = [
            "to Ann, Ann, canterbury",
            "to Anne, Ann, canterbury",
            "to Bert, Bob, canterbury",
            "to Bob, Bob, canterbury",
            "to Dan, Dan, dover",
            "to Own, Their own, -",
        ];
        assert_eq!(letters, wanted, "{from:?} to {to:?}");
        let reader = merge.target.reader().await;
        for source in ["canterbury", "dover"] {
            let seen = verify::digests(&reader, &of(source)).await.unwrap();
            assert_eq!(seen.differing, 0, "{from:?} to {to:?}");
        }
        merge.undo("dover").await;
        assert_eq!(
            merge.target.everything().await,
            between,
            "{from:?} to {to:?}"
        );
        merge.undo("canterbury").await;
        assert_eq!(
            merge.target.everything().await,
            before,
            "{from:?} to {to:?}"
        );
    }
}

#[tokio::test]
async fn a_merge_that_was_stopped_anywhere_takes_the_same_rows_for_others() {
    for to in Engine::ALL {
        for chunks in 1..=6 {
            let merge = Merge::on(Engine::Sqlite, to).await;
            let map = map("keep-existing");
            merge.copy("canterbury", &map).await.unwrap();
            merge.copy_some("dover", &map, chunks).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            let ended = merge.copy("dover", &map).await.unwrap();
            let people = &ended.datasets["person"];
            assert_eq!(
                (people.copied, people.merged["kept existing"]),
                (1, 3),
                "{to:?}, {chunks}"
            );
            assert_eq!(merge.letters().await.len(), 6, "{to:?}, {chunks}");
        }
    }
}

#[tokio::test]
async fn two_people_are_one_only_where_somebody_has_said_so() {
    for to in Engine::ALL {
        let merge = Merge::on(Engine::Sqlite, to).await;
        let map = decided(&[
            (&["canterbury:C1", "dover:D1"], Verdict::Same),
            (&["base:own", "dover:D2"], Verdict::Different),
            (&["canterbury:C2", "dover:D4"], Verdict::Different),
        ]);
        let foretold = merge.foretold(&map).await;
        merge.copy("canterbury", &map).await.unwrap();
        let second = merge.copy("dover", &map).await.unwrap();
        let people = &second.datasets["person"];
        assert_eq!((people.copied, people.merged["decided"]), (3, 1), "{to:?}");
        assert_eq!((foretold.copied, &foretold.merged), (3, &people.merged));
        let letters = merge.letters().await;
        assert!(
            letters.contains(&"to Anne, Ann, canterbury".to_owned()),
            "{letters:?}"
        );
        assert!(
            letters.contains(&"to Bert, Bert, dover".to_owned()),
            "{letters:?}"
        );
        merge.undo("dover").await;
        merge.undo("canterbury").await;
        assert_eq!(merge.target.everything().await["person"].len(), 1, "{to:?}");
    }
}

#[tokio::test]
async fn nobody_is_copied_whose_number_another_has_while_nobody_has_decided() {
    for to in Engine::ALL {
        let merge = Merge::on(Engine::Sqlite, to).await;
        let open = decided(&[(&["canterbury:C1", "dover:D1"], Verdict::Same)]);
        let foretold = merge.foretold(&open).await;
        assert_eq!(foretold.rejected["HO545 ni"], 2, "{to:?}");
        merge.copy("canterbury", &open).await.unwrap();
        let stopped = data(merge.copy("dover", &open).await);
        assert_eq!(stopped, ("HO545", "ni".to_owned()), "{to:?}");
        let refusing = map("refuse");
        let stopped = data(merge.copy("dover", &refusing).await);
        assert_eq!(stopped, ("HO537", "ni".to_owned()), "{to:?}");
        assert_eq!(merge.foretold(&refusing).await.rejected["HO537 ni"], 3);
    }
}

#[tokio::test]
async fn kept_apart_by_the_sources_code_everybody_stands() {
    for to in Engine::ALL {
        let merge = Merge::on(Engine::Sqlite, to).await;
        let map = map("namespace");
        merge.copy("canterbury", &map).await.unwrap();
        let second = merge.copy("dover", &map).await.unwrap();
        assert_eq!(second.datasets["person"].copied, 4, "{to:?}");
        let query = Sql::new("SELECT ni FROM person WHERE name = 'Anne'");
        let rows = merge
            .target
            .reader()
            .await
            .rows(query, Vec::new())
            .await
            .unwrap();
        assert_eq!(rows[0][0].text(), Some("dover:NI-1"), "{to:?}");
    }
}

/// What the crosswalk of Dover's people comes to, with a person's decision.
async fn walk(merge: &Merge, map: &Map) -> Walked {
    let person = map.datasets.iter().find(|one| one.name == "person");
    let named = Named {
        table: "person".to_owned(),
        mark: ("run_of".to_owned(), Some("origin".to_owned())),
        source_key: Some("source_ref".to_owned()),
        datasets: vec![person.unwrap().clone()],
    };
    let whose = Whose {
        run: deed().run,
        source: "dover".into(),
        target: "base".into(),
    };
    let reader = merge.target.reader().await;
    let found = walked(&reader, whose, (vec![named], map.decisions.clone()));
    found.await.unwrap()["person"]
}

/// One thing that somebody may have done to names or rows, how it is taken back, what is found of it.
struct Tampered(&'static str, &'static str, fn(&Walked) -> u64);

const TAMPERED: [Tampered; 5] = [
    Tampered(
        "UPDATE handover_key SET target_key = 'nowhere' WHERE dataset = 'person' AND source_key = 'D3'",
        "UPDATE handover_key SET target_key = (SELECT person_id FROM person WHERE source_ref = 'D3')
         WHERE dataset = 'person' AND source_key = 'D3'",
        |found| found.nameless.min(found.rowless),
    ),
    Tampered(
        "UPDATE person SET source_ref = 'D9' WHERE source_ref = 'D3'",
        "UPDATE person SET source_ref = 'D3' WHERE source_ref = 'D9'",
        |found| found.nameless.min(found.rowless),
    ),
    Tampered(
        "INSERT INTO person (person_id, name, ni, source_ref, origin, run_of)
         SELECT 'more', name, NULL, 'D8', origin, run_of FROM person WHERE source_ref = 'D3'",
        "DELETE FROM person WHERE person_id = 'more'",
        |found| found.nameless,
    ),
    Tampered(
        "INSERT INTO handover_key (run, dataset, org, source_key, generation, step, target_key)
         SELECT run, dataset, org, source_key, generation, 'another', 'more' FROM handover_key
         WHERE dataset = 'person' AND source_key = 'D3'",
        "DELETE FROM handover_key WHERE step = 'another'",
        |found| found.twofold,
    ),
    Tampered(
        "UPDATE handover_key SET dataset = 'person:gone' WHERE dataset = 'person:merged' AND source_key = 'D1'",
        "UPDATE handover_key SET dataset = 'person:merged' WHERE dataset = 'person:gone'",
        |found| found.rowless,
    ),
];

#[tokio::test]
async fn whoever_tampers_with_names_or_rows_is_noticed() {
    for (from, to) in Engine::pairs() {
        let merge = Merge::on(from, to).await;
        let marked = MAP.replace("POLICY", "keep-existing").replace(
            "ni = \"ni\"\n",
            "ni = \"ni\"\nrun_of = { fill = \"run\" }\n",
        );
        let map = read_map("maps/people.toml", &marked)
            .unwrap_or_else(|faults| panic!("{:?}", faults.faults));
        merge.copy("canterbury", &map).await.unwrap();
        merge.copy("dover", &map).await.unwrap();
        let sound = walk(&merge, &map).await;
        assert_eq!(
            (sound.differing(), sound.merged),
            (0, 3),
            "{from:?} to {to:?}: {sound:?}"
        );
        for Tampered(done, back, noticed) in &TAMPERED {
            merge.target.does(done).await;
            let found = walk(&merge, &map).await;
            assert!(noticed(&found) > 0, "{from:?} to {to:?}: {done}: {found:?}");
            merge.target.does(back).await;
            assert_eq!(
                walk(&merge, &map).await,
                sound,
                "{from:?} to {to:?}: {back}"
            );
        }
        // Under a map that lets a person decide, nobody has.
        let asked = marked.replace("keep-existing", "decide");
        let asked = read_map("maps/people.toml", &asked)
            .unwrap_or_else(|faults| panic!("{:?}", faults.faults));
        assert_eq!(walk(&merge, &asked).await.undecided, 3);
    }
}
