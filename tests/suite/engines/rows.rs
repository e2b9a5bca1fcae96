//! Accounts and their lines, with values that have an edge: what one engine would bend, pad, cut or
//! mistake on the way to another.
//!
//! Not here: where they go (`pairs`).

use std::sync::Arc;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, Loaded, load};
use handover::copy::route::Route;
use handover::orgdb::Value;
use handover::orgdb::link::Load as Rows;
use handover::orgdb::{OrgWriter, Sql};
use handover::plan::map::{Becomes, Dataset, Map, MapColumn, Origin};
use handover::plan::model::Indexes;

use tokio::sync::Notify;

use super::bases::{Base, Engine};
use crate::copying::town;

/// The source keeps references as they grew; only its lines have a key.
pub const SOURCE: &str = "
CREATE TABLE account (ref {text}, name {text}, opened {day}, closed {flag});
CREATE TABLE line (id {number} NOT NULL PRIMARY KEY, account_ref {text}, posted {day}, amount {money},
  note {text}, at {moment}, scan {bytes});
";

pub const TARGET: &str = "
CREATE TABLE account (account_id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, opened {day}, closed {flag},
  source_ref {text} NOT NULL, UNIQUE (source_ref));
CREATE TABLE line (line_id {number} NOT NULL PRIMARY KEY, account_id {text} NOT NULL REFERENCES account (account_id),
  posted {day} NOT NULL, amount {money} NOT NULL, note {text}, at {moment}, scan {bytes}, own_mark {text} DEFAULT 'loaded');
CREATE INDEX line_account ON line (account_id);
INSERT INTO account VALUES ('own', 'Their own', NULL, NULL, 'own');
INSERT INTO line VALUES (-1, 'own', '2001-01-08', '1.00', NULL, NULL, NULL, NULL);
";

pub const ACCOUNTS: i64 = 40;
pub const LINES: i64 = 400;

/// A source of this engine with its rows.
pub async fn source(engine: Engine) -> Base {
    let base = Base::make(engine, SOURCE).await;
    filled(&base).await;
    base
}

/// Fills the tables of a source.
pub async fn filled(base: &Base) {
    let writer = base.bare_writer().await;
    let accounts = (0..ACCOUNTS).map(account).collect();
    fill(
        &writer,
        "account",
        &["ref", "name", "opened", "closed"],
        accounts,
    )
    .await;
    let lines = (0..LINES).map(line).collect();
    let columns = [
        "id",
        "account_ref",
        "posted",
        "amount",
        "note",
        "at",
        "scan",
    ];
    fill(&writer, "line", &columns, lines).await;
}

async fn fill(writer: &OrgWriter, table: &'static str, columns: &[&str], rows: Vec<Vec<Value>>) {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let filled = writer.with(move |link| {
        let load = Rows {
            table: Sql::new(table),
            columns: &columns,
        };
        let rows = rows.iter().map(|row| row.iter().map(Value::lend));
        link.load(&load, rows).map_err(|stop| stop.trouble)
    });
    filled.await.unwrap();
}

fn account(number: i64) -> Vec<Value> {
    let opened = Value::from(format!("19{:02}-02-28", 60 + number));
    vec![
        format!("A{number:04}").into(),
        names(number).into(),
        if number % 7 == 3 { Value::Null } else { opened },
        Value::Int(number % 2),
    ]
}

fn names(number: i64) -> &'static str {
    let names = [
        "Zoë O’Brien",
        "tab\there",
        "line\nbreak",
        "back\\slash \\N",
        "\"quoted\", 'twice'",
        "𝒻our bytes 🏠",
        "case",
        "CASE",
        "{brace},NULL",
        "%s ?1 $1 :a",
    ];
    names[usize::try_from(number).unwrap() % names.len()]
}

fn line(number: i64) -> Vec<Value> {
    let amounts = [
        "0.00",
        "-0.01",
        "9999999999.99",
        "-9999999999.99",
        "12.50",
        "0.10",
    ];
    let notes = [None, Some("fine"), Some("0"), Some("NULL"), Some("é")];
    // The hour that comes twice, microseconds, before 1970.
    let moments = [
        "2019-10-27T00:30:00Z",
        "2019-10-27T01:30:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "2020-02-29T12:00:00Z",
    ];
    let at = usize::try_from(number).unwrap();
    vec![
        Value::Int(number),
        format!("A{:04}  ", number % ACCOUNTS).into(),
        format!("2020-{:02}-{:02}", 1 + number % 12, 1 + number % 28).into(),
        amounts[at % amounts.len()].into(),
        notes[at % notes.len()].into(),
        moments[at % moments.len()].into(),
        if at.is_multiple_of(3) {
            Value::Null
        } else {
            Value::Blob(vec![0, 255, b'\\', b'\n', u8::try_from(at % 256).unwrap()])
        },
    ]
}

/// A column whose spaces mean something.
fn column(into: &str, from: &str, becomes: Becomes) -> MapColumn {
    MapColumn {
        trim: false,
        ..town::column("", into, from, becomes)
    }
}

/// Accounts get keys drawn, lines keep theirs.
pub fn map() -> Map {
    let day = || Becomes::Date {
        formats: Vec::new(),
        sentinels: Vec::new(),
        not_before_handover: false,
    };
    let key = MapColumn {
        from: Origin::SourceKey,
        ..column("source_ref", "account.ref", Becomes::Text)
    };
    let account = vec![
        column("name", "account.name", Becomes::Text),
        column("opened", "account.opened", day()),
        column("closed", "account.closed", Becomes::Flag),
        key,
    ];
    let lookup = Becomes::Lookup("account".to_owned());
    let line = vec![
        column("line_id", "line.id", Becomes::Integer),
        town::column("", "account_id", "line.account_ref", lookup),
        column("posted", "line.posted", day()),
        column("amount", "line.amount", town::money()),
        column("note", "line.note", Becomes::Text),
    ];
    let line = Dataset {
        id: None,
        ..town::dataset("line", "line", "id", "", line)
    };
    Map {
        path: "maps/rows.toml".to_owned(),
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

pub fn deed() -> Deed {
    Deed {
        step: "copy".into(),
        ..town::deed()
    }
}

pub fn what() -> Load {
    Load {
        map: Arc::new(map()),
        tables: ["account", "line"].map(str::to_owned).into(),
        route: Route {
            source: "almo".into(),
            targets: vec!["base".into()],
            split: None,
            handover: "2020-09-30T23:00:00Z".parse().unwrap(),
        },
        target: "base".into(),
        triggers: None,
        chunk_rows: 64,
        indexes: Indexes::Keep,
        frozen: false,
    }
}

/// Copies to the end.
pub async fn copy(source: &Base, target: &Base, deed: &Deed) -> Result<Loaded, LoadFault> {
    let (reader, writer) = (source.reader().await, target.writer(deed).await);
    load(&reader, &writer, what(), deed, |_| {}).await
}

/// Copies, and drops the copy behind so many durable effects.
pub async fn dropped(source: &Base, target: &Base, what: Load, behind: usize) {
    let deed = deed();
    let (reader, writer) = (source.reader().await, target.writer(&deed).await);
    let (enough, mut seen) = (Notify::new(), 0);
    let copying = load(&reader, &writer, what, &deed, |_| {
        seen += 1;
        if seen == behind {
            enough.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = enough.notified() => {}
        // What was dropped before may still be ending, and in the way.
        done = copying => drop(done),
    }
}
