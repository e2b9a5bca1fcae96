//! MariaDB, a real one: every type with its edges, what is refused and of which row, transactions, the
//! fence, a whole copy and its undo.
//!
//! Not here: what every engine does alike (`pairs`).

mod copies;
mod loads;
mod sessions;
mod types;

use std::fmt::Write as _;
use std::sync::LazyLock;

use handover::copy::ledger;
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::link::{Flow, Load, LoadStop};
use handover::orgdb::{Address, DbTrouble, Ident, Link, OrgWriter, Sql, Value, ValueRef};
use handover::sql;

use crate::copying::town::deed;

static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::throw_away(Kind::Mariadb, Durability::Process).unwrap());

/// A database of a test's own, made from SQL.
fn database(name: &str, sql: &str) -> Address {
    SERVER.create_database(name).unwrap();
    if !sql.is_empty() {
        SERVER.ask(name, sql).unwrap();
    }
    address(&SERVER.url(name))
}

fn address(url: &str) -> Address {
    Address::parse(url, std::path::Path::new("/")).unwrap()
}

async fn writer(address: &Address) -> OrgWriter {
    OrgWriter::open("dover", address).await.unwrap()
}

fn told(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(bytes) => format!("'{}'", String::from_utf8_lossy(bytes)),
        ValueRef::Blob(bytes) => {
            let mut told = "x".to_owned();
            for byte in bytes {
                write!(told, "{byte:02x}").unwrap();
            }
            told
        }
    }
}

fn all(link: &Link, query: &'static str) -> Result<Vec<String>, DbTrouble> {
    let mut rows = Vec::new();
    link.each(&Sql::new(query), &[], |row| {
        let row: Vec<String> = (0..row.width()).map(|at| told(row.get(at))).collect();
        rows.push(row.join(" "));
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })?;
    Ok(rows)
}

fn put(
    link: &Link,
    table: &'static str,
    columns: &[&str],
    rows: &[Vec<Value>],
) -> Result<u64, LoadStop> {
    let load = Load {
        table: sql!("{}", Ident::new(table)),
        columns: &columns
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    };
    link.load(&load, rows.iter().map(|row| row.iter().map(Value::lend)))
}

/// A writer with our tables made and the fence raised.
async fn prepared(address: &Address) -> OrgWriter {
    let (writer, deed) = (writer(address).await, deed());
    ledger::prepare(&writer).await.unwrap();
    ledger::raise_fence(&writer, deed.run, deed.epoch, deed.log_seq)
        .await
        .unwrap();
    writer
}
