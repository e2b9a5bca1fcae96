//! Differences narrowed to the row and the column, on every engine: each kind of difference that an edit
//! can make has its class, what cannot be told is said so, and no value is told to those who did not ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::copy::catch_up::{CatchUp, catch_up};
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, load};
use handover::copy::verify::digests;
use handover::copy::verify::extra::{Search, extra, marked};
use handover::copy::verify::narrow::{Narrow, Narrowed, narrow};
use handover::plan::map::{Becomes, Dataset, Map, MapColumn, Origin};

use super::bases::{Base, Engine};
use super::rows::{deed, what as rows_what};
use crate::copying::town;

/// Every text that says something of a person begins with `Canary`.
const SOURCE: &str = "
CREATE TABLE account (ref {text}, name {text}, parent {text});
CREATE TABLE line (id {number} NOT NULL PRIMARY KEY, account_ref {text}, amount {money}, note {text}, at {moment});
INSERT INTO account VALUES ('A1', 'Canary Ann', NULL), ('A2', 'Canary Ben', 'A1'), ('A3', 'Canary Cy', 'A1'),
  ('A4', 'Canary Di', NULL), ('A5', 'Canary Ed', 'A4');
";

const TARGET: &str = "
CREATE TABLE account (account_id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL,
  parent_id {text} REFERENCES account (account_id), source_ref {text} NOT NULL, came_with {text}, UNIQUE (source_ref));
CREATE TABLE line (line_id {number} NOT NULL PRIMARY KEY, account_id {text} NOT NULL REFERENCES account (account_id),
  amount {money} NOT NULL, note {text}, at {moment}, came_with {text}, own_mark {text} DEFAULT 'loaded');
CREATE INDEX line_account ON line (account_id);
INSERT INTO account VALUES ('own', 'Canary own', NULL, 'own', NULL);
INSERT INTO line VALUES (-1, 'own', '1.00', NULL, NULL, NULL, NULL);
";

/// What happens to rows that were copied, beside the second that is told by engine.
const EDITS: [&str; 14] = [
    "UPDATE line SET amount = '10.01' WHERE line_id = 1",
    "UPDATE line SET amount = '30.00' WHERE line_id = 2",
    "UPDATE line SET amount = '20.00' WHERE line_id = 3",
    "DELETE FROM line WHERE line_id = 4",
    "INSERT INTO line SELECT 999, account_id, amount, note, at, came_with, own_mark FROM line WHERE line_id = 5",
    "UPDATE line SET note = 'Canary note 6 ' WHERE line_id = 6",
    "UPDATE line SET note = '' WHERE line_id = 7",
    "UPDATE line SET note = 'canary NOTE 8' WHERE line_id = 8",
    "UPDATE line SET own_mark = NULL WHERE line_id = 10",
    "UPDATE line SET note = 'Canary edit', amount = '0.01' WHERE line_id = 11",
    "UPDATE line SET note = 'Canary edit' WHERE line_id = 12",
    "UPDATE line SET note = 'Canary edit' WHERE line_id = 13",
    "UPDATE account SET name = 'CANARY ANN' WHERE source_ref = 'A1'",
    "UPDATE account SET parent_id = (SELECT account_id FROM (SELECT * FROM account) AS all_of_them
       WHERE source_ref = 'A2') WHERE source_ref = 'A3'",
];

/// What each of them is told as: `key column class`.
const TOLD: [&str; 14] = [
    "A1 name only case",
    "A3 parent_id changed",
    "1 amount changed",
    "2 amount swapped with another row",
    "3 amount swapped with another row",
    "4 - missing",
    "6 note only trailing spaces",
    "7 note blank against NULL",
    "8 note only case",
    "9 at only a fraction of a second",
    "10 own_mark changed",
    "11 amount changed, 11 note changed",
    "12 - edited, no source line",
    "13 - edited, source line differs",
];

fn microsecond(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "UPDATE line SET at = '2019-10-27T01:30:00.000002Z' WHERE line_id = 9",
        Engine::Postgres => {
            "UPDATE line SET at = '2019-10-27 01:30:00.000002+00' WHERE line_id = 9"
        }
        Engine::Mariadb => "UPDATE line SET at = '2019-10-27 01:30:00.000002' WHERE line_id = 9",
    }
}

async fn source(engine: Engine) -> Base {
    let moment = match engine {
        Engine::Sqlite => "2019-10-27T01:30:00.000001Z",
        Engine::Postgres => "2019-10-27 01:30:00.000001+00",
        Engine::Mariadb => "2019-10-27 01:30:00.000001",
    };
    let lines = (1..=20).map(|id| {
        let note = match id {
            7 => "NULL".to_owned(),
            id => format!("'Canary note {id}'"),
        };
        format!("({id}, 'A{}', '{id}0.00', {note}, '{moment}')", id % 5 + 1)
    });
    let lines: Vec<String> = lines.collect();
    let rows = format!("{SOURCE} INSERT INTO line VALUES {};", lines.join(", "));
    Base::make(engine, &rows).await
}

fn column(into: &str, from: &str, becomes: Becomes) -> MapColumn {
    MapColumn {
        trim: false,
        ..town::column("", into, from, becomes)
    }
}

fn filled(into: &str, from: Origin) -> MapColumn {
    MapColumn {
        from,
        ..column(into, "line.id", Becomes::Text)
    }
}

fn map() -> Map {
    let lookup = || Becomes::Lookup("account".to_owned());
    let account = vec![
        column("name", "account.name", Becomes::Text),
        town::column("", "parent_id", "account.parent", lookup()),
        filled("source_ref", Origin::SourceKey),
        filled("came_with", Origin::Run),
    ];
    let line = vec![
        column("line_id", "line.id", Becomes::Integer),
        town::column("", "account_id", "line.account_ref", lookup()),
        column("amount", "line.amount", town::money()),
        column("note", "line.note", Becomes::Text),
        column("at", "line.at", Becomes::Text),
        filled("came_with", Origin::Run),
    ];
    let line = Dataset {
        id: None,
        ..town::dataset("line", "line", "id", "", line)
    };
    Map {
        path: "maps/narrow.toml".to_owned(),
        owners: [].into(),
        splits: [].into(),
        relations: vec![town::relation("line.account_ref", "account.ref")],
        codes: [].into(),
        datasets: vec![
            town::dataset("account", "account", "ref", "account_id", account),
            line,
        ],
        decisions: handover::plan::decisions::Decisions::default(),
    }
}

fn what() -> Load {
    Load {
        map: Arc::new(map()),
        ..rows_what()
    }
}

async fn copied(from: Engine, to: Engine) -> (Base, Base) {
    let (source, target) = (source(from).await, Base::make(to, TARGET).await);
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    let loaded = load(&reader, &writer, what(), &deed(), |_| {})
        .await
        .unwrap();
    assert_eq!(loaded.datasets["line"].copied, 20, "{from:?} to {to:?}");
    (source, target)
}

/// The rows that steps wrote and that differ, narrowed.
async fn narrowed(
    source: &Base,
    target: &Base,
    (steps, since): (&[Deed], &[Deed]),
    values: bool,
) -> Vec<Narrowed> {
    let (source, target, mut rows) = (source.reader().await, target.reader().await, Vec::new());
    for step in steps {
        let digested = digests(&target, step).await.unwrap();
        let work = Narrow {
            load: what(),
            copied: deed(),
            since: since.iter().map(|one| (one.step.clone(), 1)).collect(),
            values,
        };
        rows.extend(narrow(&source, &target, work, &digested).await.unwrap());
    }
    rows
}

/// `key column class`, an account's key by its source key.
async fn told(target: &Base, rows: &[Narrowed]) -> Vec<String> {
    let query = "SELECT account_id, source_ref FROM account";
    let query = handover::orgdb::Sql::new(query);
    let accounts = target.reader().await.rows(query, vec![]).await.unwrap();
    let accounts: BTreeMap<String, String> = accounts
        .into_iter()
        .map(|row| {
            (
                format!("{:?}", row[0].text().unwrap()),
                row[1].text().unwrap().to_owned(),
            )
        })
        .collect();
    let of = |row: &Narrowed| {
        let key = row.key.clone().unwrap();
        let key = key.split_once('=').unwrap().1.to_owned();
        let key = accounts.get(&key).cloned().unwrap_or(key);
        let columns = row.told().map(|(column, class)| {
            let column = column.map_or("-", |column| column.name.as_str());
            format!("{key} {column} {class}")
        });
        columns.collect::<Vec<_>>().join(", ")
    };
    let number = |text: &String| text.split(' ').next().unwrap().parse::<u32>().unwrap_or(0);
    let mut told: Vec<String> = rows.iter().map(of).collect();
    told.sort();
    told.sort_by_key(number);
    told
}

#[tokio::test]
async fn every_kind_of_edit_is_narrowed_to_its_row_and_its_column() {
    for (from, to) in Engine::pairs() {
        let (source, target) = copied(from, to).await;
        for edit in EDITS {
            target.does(edit).await;
        }
        target.does(microsecond(to)).await;
        source.does("DELETE FROM line WHERE id = 12").await;
        source
            .does("UPDATE line SET note = 'Canary moved on' WHERE id IN (13, 14)")
            .await;
        let steps = [deed()];
        let rows = narrowed(&source, &target, (&steps, &[]), true).await;
        assert_eq!(told(&target, &rows).await, TOLD, "{from:?} to {to:?}");
        shows_values_to_those_who_ask(&rows);
        let blind = narrowed(&source, &target, (&steps, &[]), false).await;
        assert_eq!(rows.len(), blind.len());
        for (row, blind) in rows.iter().zip(&blind) {
            assert!((&row.row, row.class) == (&blind.row, blind.class));
            assert!(
                blind.key.is_none(),
                "a key was told to those who did not ask"
            );
            let shown = blind.columns.iter().any(|column| column.values.is_some());
            assert!(!shown, "a value was told to those who did not ask");
        }
        only_the_extra_row_is_extra(&target, to).await;
    }
}

fn shows_values_to_those_who_ask(rows: &[Narrowed]) {
    let values = |key: &str, name: &str| {
        let key = format!("line_id={key}");
        let row = rows
            .iter()
            .find(|row| row.key.as_deref() == Some(&key))
            .unwrap();
        let mut columns = row.columns.iter();
        columns
            .find(|column| column.name == name)
            .unwrap()
            .values
            .clone()
            .unwrap()
    };
    assert_eq!(values("1", "amount"), ["\"10.00\"", "\"10.01\""]);
    assert_eq!(
        values("6", "note"),
        ["\"Canary note 6\"", "\"Canary note 6 \""]
    );
    assert_eq!(values("7", "note"), ["NULL", "\"\""]);
}

async fn only_the_extra_row_is_extra(target: &Base, to: Engine) {
    let reader = target.reader().await;
    // One is missing and one is extra: counts agree, and the keys must be looked at.
    for (all_stand, wanted) in [(false, 1), (true, 0)] {
        let search = Search {
            all_stand,
            values: true,
        };
        let found = extra(&reader, &deed(), marked(&map().datasets), search)
            .await
            .unwrap();
        assert_eq!(found.rows, wanted, "{to:?}");
        if let [row] = found.named.as_slice() {
            assert_eq!(row.key.as_deref(), Some("line_id=999"), "{to:?}");
        }
    }
    target
        .does(
            "INSERT INTO line (line_id, account_id, amount, came_with)
                 SELECT 1000, account_id, amount, came_with FROM line WHERE line_id = 5",
        )
        .await;
    let search = Search {
        all_stand: true,
        values: false,
    };
    let found = extra(&reader, &deed(), marked(&map().datasets), search)
        .await
        .unwrap();
    assert_eq!(found.rows, 2, "counts differ now, {to:?}");
    assert!(found.named.iter().all(|row| row.key.is_none()));
}

fn later() -> Deed {
    Deed {
        step: "catch-up".into(),
        ..deed()
    }
}

#[tokio::test]
async fn a_row_that_a_catch_up_wrote_is_held_against_what_it_wrote() {
    for to in Engine::ALL {
        let (source, target) = copied(Engine::Sqlite, to).await;
        for statement in [
            "UPDATE line SET note = 'Canary mended' WHERE id = 1",
            "INSERT INTO account VALUES ('A9', 'Canary Flo', 'A1')",
            "INSERT INTO line VALUES (90, 'A9', '9.00', 'Canary new', NULL)",
            "UPDATE account SET parent = 'A2' WHERE ref = 'A5'",
            "DELETE FROM line WHERE id = 2",
        ] {
            source.does(statement).await;
        }
        let work = CatchUp::with(what(), deed(), vec![(later().step, 1)]);
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        catch_up(&reader, &writer, work, &later(), |_| {})
            .await
            .unwrap();
        for statement in [
            "UPDATE line SET note = 'Canary mended ' WHERE line_id = 1",
            "UPDATE account SET name = 'Canary FLO' WHERE source_ref = 'A9'",
            "UPDATE account SET name = 'Canary ED' WHERE source_ref = 'A5'",
            "UPDATE line SET amount = '9.01' WHERE line_id = 90",
            "INSERT INTO line (line_id, account_id, amount) SELECT 2, account_id, amount FROM line WHERE line_id = 3",
        ] {
            target.does(statement).await;
        }
        let steps = [deed(), later()];
        let rows = narrowed(&source, &target, (&steps, &[later()]), true).await;
        let mut told = told(&target, &rows).await;
        told.dedup();
        let wanted = [
            "A5 name only case",
            "A9 name only case",
            "1 note only trailing spaces",
            "2 - stands again",
            "90 amount changed",
        ];
        assert_eq!(told, wanted, "{to:?}");
        let search = Search {
            all_stand: false,
            values: false,
        };
        let reader = target.reader().await;
        let found = extra(&reader, &deed(), marked(&map().datasets), search)
            .await
            .unwrap();
        assert_eq!(found.rows, 0, "{to:?}: a catch-up's rows are ours");
    }
}

/// Copies until so many chunks are durable, as a process that is gone then.
async fn copied_in_part(source: &Base, target: &Base, chunks: usize) {
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let ours = deed();
    let copying = load(&reader, &writer, in_small_chunks(), &ours, |_| {
        let _ = tell.send(());
    });
    let enough = async {
        for _ in 0..chunks {
            told.recv().await;
        }
    };
    tokio::select! {
        biased;
        () = enough => {}
        done = copying => drop(done),
    }
}

fn in_small_chunks() -> Load {
    Load {
        chunk_rows: 8,
        ..what()
    }
}

#[tokio::test]
async fn a_row_that_came_new_when_a_stopped_copy_went_on_is_narrowed_too() {
    for to in Engine::ALL {
        let (source, target) = (source(Engine::Sqlite).await, Base::make(to, TARGET).await);
        copied_in_part(&source, &target, 3).await;
        for statement in [
            "INSERT INTO account VALUES ('A9', 'Canary Flo', 'A1')",
            "INSERT INTO line VALUES (0, 'A9', '9.00', 'Canary new', NULL)",
            "UPDATE line SET note = 'Canary mended' WHERE id = 1",
        ] {
            source.does(statement).await;
        }
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        load(&reader, &writer, in_small_chunks(), &deed(), |_| {})
            .await
            .unwrap();
        for statement in [
            "UPDATE account SET name = 'Canary FLO' WHERE source_ref = 'A9'",
            "UPDATE line SET amount = '9.01' WHERE line_id = 0",
            "UPDATE line SET note = 'Canary MENDED' WHERE line_id = 1",
        ] {
            target.does(statement).await;
        }
        let rows = narrowed(&source, &target, (&[deed()], &[]), true).await;
        let wanted = ["0 amount changed", "A9 name only case", "1 note only case"];
        assert_eq!(told(&target, &rows).await, wanted, "{to:?}");
    }
}

#[tokio::test]
async fn of_a_table_without_a_key_nothing_is_guessed() {
    for to in Engine::ALL {
        let shape = TARGET.replace("line_id {number} NOT NULL PRIMARY KEY", "line_id {number}");
        let (source, target) = (source(Engine::Sqlite).await, Base::make(to, &shape).await);
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        load(&reader, &writer, what(), &deed(), |_| {})
            .await
            .unwrap();
        target
            .does("UPDATE line SET note = 'Canary edit' WHERE line_id = 3")
            .await;
        let rows = narrowed(&source, &target, (&[deed()], &[]), false).await;
        let told: Vec<_> = rows
            .iter()
            .flat_map(Narrowed::told)
            .map(|(_, class)| class)
            .collect();
        let search = Search {
            all_stand: false,
            values: false,
        };
        let reader = target.reader().await;
        let found = extra(&reader, &deed(), marked(&map().datasets), search)
            .await
            .unwrap();
        // A server knows such a row by all its values: one is gone, and one is there that is not ours.
        let wanted = match to {
            Engine::Sqlite => ("edited, column cannot be told", 0),
            Engine::Postgres | Engine::Mariadb => ("missing", 1),
        };
        assert_eq!(
            (told.as_slice(), found.rows),
            (&[wanted.0][..], wanted.1),
            "{to:?}"
        );
    }
}

#[tokio::test]
async fn of_more_rows_than_are_named_all_are_counted() {
    let (source, target) = copied(Engine::Sqlite, Engine::Sqlite).await;
    let more = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
      INSERT INTO line (line_id, account_id, amount, came_with)
      SELECT 5000 + i, account_id, amount, came_with FROM n, line WHERE line_id = 5";
    target.does(more).await;
    target
        .does("UPDATE line SET amount = amount || '0' WHERE line_id BETWEEN 1 AND 20")
        .await;
    let search = Search {
        all_stand: true,
        values: false,
    };
    let reader = target.reader().await;
    let found = extra(&reader, &deed(), marked(&map().datasets), search)
        .await
        .unwrap();
    assert_eq!((found.rows, found.named.len()), (1500, 1000));
    let rows = narrowed(&source, &target, (&[deed()], &[]), false).await;
    assert_eq!(rows.len(), 20);
    let amounts = rows.iter().flat_map(|row| &row.columns);
    assert!(
        amounts
            .map(|column| column.name.as_str())
            .eq(["amount"; 20])
    );
}
