//! Suppliers of which some stand at the target already, each in a group that is a supplier, too: what was
//! taken for another row never changes that one, never twice, and never out of a look that is over.
//!
//! Not here: who is taken for whom (`merging`), what is foretold by a plan's steps (`waves`).

use std::sync::Arc;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, Loaded, load};
use handover::copy::look;
use handover::copy::namesakes::{Strangers, strangers};
use handover::copy::route::Route;
use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::{Sql, Value};
use handover::plan::map::Map;
use handover::plan::model::{Code, Indexes};
use handover::plan::read_map;

use super::bases::{Base, Engine};
use super::rows::deed;

const SOURCE: &str = "
CREATE TABLE supplier (ref {text} NOT NULL PRIMARY KEY, name {text}, vat {text}, group_ref {text});
";

/// Two are known at the target; of those the first is in a group that comes, the second in none that is.
const DOVER: &str = "
INSERT INTO supplier VALUES ('D1', 'Roofs', 'V-OWN', 'D2'), ('D2', 'Group', 'V-2', 'D2'),
  ('D3', 'Doors', 'V-3', 'D1'), ('D4', 'Lifts', 'V-LIFT', 'D9');
";

const TARGET: &str = "
CREATE TABLE supplier (supplier_id {text} NOT NULL PRIMARY KEY, name {text}, vat {text},
  group_id {text} REFERENCES supplier (supplier_id), source_ref {text}, UNIQUE (source_ref));
CREATE INDEX supplier_group ON supplier (group_id);
INSERT INTO supplier VALUES ('own', 'Their roofs', 'V-OWN', NULL, NULL), ('lift', 'Their lifts', 'V-LIFT', NULL, NULL);
";

const MAP: &str = r#"
format = 1
[table.supplier]
from = "supplier"
key = ["ref"]
id = "supplier_id"
natural-key = ["vat"]
collision = "keep-existing"
[table.supplier.column]
name = "name"
vat = "vat"
group_id = { from = "group_ref", lookup = "supplier", bad = "null" }
source_ref = { fill = "source-key" }
"#;

fn map() -> Map {
    read_map("maps/suppliers.toml", MAP).unwrap_or_else(|faults| panic!("{:?}", faults.faults))
}

fn route() -> Route {
    Route {
        source: "dover".into(),
        targets: vec!["base".into()],
        split: None,
        handover: "2011-03-31T23:00:00Z".parse().unwrap(),
    }
}

fn work() -> Load {
    Load {
        map: Arc::new(map()),
        tables: vec!["supplier".to_owned()],
        route: route(),
        target: "base".into(),
        triggers: None,
        chunk_rows: 1,
        indexes: Indexes::Keep,
        frozen: false,
    }
}

async fn both(from: Engine, to: Engine) -> (Base, Base) {
    let source = Base::make(from, SOURCE).await;
    source.does(DOVER).await;
    (source, Base::make(to, TARGET).await)
}

/// Copies as the executor of this epoch; goes away after so many chunks. Whoever comes next has a higher one: its
/// claim waits for what is still on its way, and ends it.
async fn copy_some(
    (source, target): (&Base, &Base),
    epoch: u64,
    chunks: usize,
) -> Result<Loaded, LoadFault> {
    let by = Deed { epoch, ..deed() };
    let (reader, writer) = (source.reader().await, target.writer(&by).await);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let copying = load(&reader, &writer, work(), &by, |_| {
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

async fn copy(source: &Base, target: &Base, epoch: u64) -> Result<Loaded, LoadFault> {
    copy_some((source, target), epoch, usize::MAX).await
}

async fn foretold(source: &Base, target: &Base) -> handover::copy::counts::Counts {
    let (map, tables, code) = (map(), ["supplier".to_owned()], Code::from("base"));
    let of = (&map, tables.as_slice());
    let (there, here) = (target.reader().await, source.reader().await);
    let known = strangers(&there, &code, of, Strangers::All(None)).await;
    let (known, route) = (known.unwrap(), route());
    let found = look::totals(&here, of, &route, &[], &known).await;
    found.unwrap().targets[&code]["supplier"].clone()
}

/// Each supplier with its group, by name.
async fn groups(target: &Base) -> Vec<String> {
    let query = Sql::new(
        "SELECT s.name, g.name FROM supplier AS s LEFT JOIN supplier AS g ON g.supplier_id = s.group_id
         ORDER BY s.name",
    );
    let rows = target.reader().await.rows(query, Vec::new()).await.unwrap();
    let text = |value: &Value| value.text().unwrap_or("-").to_owned();
    rows.iter()
        .map(|row| row.iter().map(text).collect::<Vec<_>>().join(" in "))
        .collect()
}

#[tokio::test]
async fn the_councils_own_supplier_stays_as_it_is_whoever_was_taken_for_it() {
    for (from, to) in Engine::pairs() {
        let (source, target) = both(from, to).await;
        let foretold = foretold(&source, &target).await;
        let before = target.everything().await;
        let loaded = copy(&source, &target, 1).await.unwrap();
        let wanted = [
            "Doors in Their roofs",
            "Group in Group",
            "Their lifts in -",
            "Their roofs in -",
        ];
        assert_eq!(groups(&target).await, wanted, "{from:?} to {to:?}");
        // Nor is a reference counted as lost that nobody would have set.
        assert_eq!(loaded.datasets["supplier"], foretold, "{from:?} to {to:?}");
        assert_eq!(foretold.mended.len(), 0, "{from:?} to {to:?}");
        let writer = target.writer(&deed()).await;
        let undone = undo::undo(&writer, &deed(), UndoMode::Refuse)
            .await
            .unwrap();
        assert!(!undone.refused, "{from:?} to {to:?}");
        assert_eq!(target.everything().await, before, "{from:?} to {to:?}");
    }
}

#[tokio::test]
async fn two_suppliers_of_one_register_are_never_made_one() {
    for to in Engine::ALL {
        let (source, target) = both(Engine::Sqlite, to).await;
        source
            .does("INSERT INTO supplier VALUES ('D5', 'Roofs again', 'V-OWN', NULL)")
            .await;
        let foretold = foretold(&source, &target).await;
        assert_eq!(foretold.rejected["HO537 vat"], 1, "{to:?}");
        assert_eq!(foretold.merged["kept existing"], 2, "{to:?}");
        // Wherever it is stopped before: whoever goes on knows who was taken for whom.
        for (epoch, chunks) in [(1, 1), (2, 3), (3, usize::MAX)] {
            let stopped = copy_some((&source, &target), epoch, chunks).await;
            if chunks == usize::MAX {
                let Err(LoadFault::Data { code, column, .. }) = stopped else {
                    panic!("{to:?}: {stopped:?}")
                };
                assert_eq!((code, column.as_str()), ("HO537", "vat"), "{to:?}");
            }
        }
    }
}

/// Enough that a copy which is stopped early is stopped before the last.
const FURTHER: &str = "
INSERT INTO supplier VALUES ('E1', 'E1', 'V-E1', NULL), ('E2', 'E2', 'V-E2', NULL), ('E3', 'E3', 'V-E3', NULL),
  ('E4', 'E4', 'V-E4', NULL), ('E5', 'E5', 'V-E5', NULL), ('E6', 'E6', 'V-E6', NULL), ('E7', 'E7', 'V-E7', NULL),
  ('E8', 'E8', 'V-E8', NULL), ('E9', 'E9', 'V-E9', NULL);
";

/// What an office may have done while a copy lay still: (statement, whether all is as it was read).
const MEANWHILE: [(&str, bool); 5] = [
    ("UPDATE supplier SET name = name", true),
    (
        "UPDATE supplier SET name = 'Slates' WHERE ref = 'D1'",
        false,
    ),
    ("UPDATE supplier SET vat = 'V-0' WHERE ref = 'D1'", false),
    ("DELETE FROM supplier WHERE ref = 'D1'", false),
    ("DELETE FROM supplier WHERE ref = 'D2'", false),
];

#[tokio::test]
async fn a_stopped_merge_goes_on_only_over_the_rows_that_it_read() {
    let to_file = Engine::ALL.map(|from| (from, Engine::Sqlite));
    for (from, to) in to_file.into_iter().chain(Engine::pairs().take(3).skip(1)) {
        for (statement, same) in MEANWHILE {
            let (source, target) = both(from, to).await;
            source.does(FURTHER).await;
            copy_some((&source, &target), 1, 2).await.unwrap();
            source.does(statement).await;
            match copy(&source, &target, 2).await {
                Ok(loaded) => {
                    assert!(same, "{from:?} to {to:?}: {statement}");
                    let merged = &loaded.datasets["supplier"].merged;
                    assert_eq!(
                        merged["kept existing"], 2,
                        "{from:?} to {to:?}: {statement}"
                    );
                }
                Err(LoadFault::Data { code, .. }) => {
                    assert_eq!(
                        (code, same),
                        ("HO540", false),
                        "{from:?} to {to:?}: {statement}"
                    );
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}
