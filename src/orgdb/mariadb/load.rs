//! Loading with `LOAD DATA LOCAL INFILE`, as tab-separated text; where the server or its settings do not
//! allow it, with inserts of many rows.
//!
//! Trap: with LOCAL the server makes a warning of every error, even when it is strict; values are then
//! mangled and rows left out. So no warning is allowed, not even a note, and as many rows must have
//! come in as were sent: otherwise all of it is undone by whoever opened the savepoint.
//!
//! Not here: the forms of values (`code`).

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use mysql::prelude::Queryable;
use mysql::{LocalInfileHandler, Value};
use rusqlite::types::ValueRef;

use super::code::Class;
use super::{Session, fault};
use crate::orgdb::link::{self, Load, LoadStop, Pour};
use crate::orgdb::{DbTrouble, Ident, Sql, crash};
use crate::sql;

/// Bytes that are kept in one piece before they are sent.
const PIECE: usize = 64 << 10;
/// Pieces that may wait for the server.
const WAITING: usize = 8;

/// Rows and values that one insert takes; a statement has places for 65,535 values.
const AT_ONCE: usize = 1_000;
const VALUES: usize = 60_000;

impl Session {
    pub(in crate::orgdb) fn pour(
        &self,
        load: &Load<'_>,
        pour: &mut Pour<'_>,
    ) -> Result<u64, LoadStop> {
        let table = unquoted(&load.table);
        let mut classes = Vec::with_capacity(load.columns.len());
        for column in load.columns {
            classes.push(self.class_of(&table, column)?.unwrap_or_default());
        }
        if !self.loads_local()? {
            let mut many = Many::new(self, load, &classes);
            pour(&mut link::Sink::Mariadb(Sink::Many(&mut many)))?;
            many.insert()?;
            return Ok(many.loaded);
        }
        let text = statement(load, &classes);
        let (pieces, file) = sync_channel(WAITING);
        let mut pieces = Pieces::new(&classes, pieces);
        let mut poured = Ok(());
        // The server takes the rows on a thread of its own, while they are still coming.
        self.ask(&table, |connection| {
            thread::scope(|scope| {
                let loading = scope.spawn(move || {
                    // Of no rows the server hears nothing.
                    let Ok(first) = file.recv() else {
                        return Ok(());
                    };
                    connection.set_local_infile_handler(Some(handler(first, file)));
                    let answer = connection.query_drop(&text);
                    connection.set_local_infile_handler(None);
                    answer
                });
                poured = pour(&mut link::Sink::Mariadb(Sink::Pieces(&mut pieces)));
                pieces.end(poured.is_ok());
                let lost = |_| Err(mysql::Error::IoError(std::io::ErrorKind::Other.into()));
                loading.join().unwrap_or_else(lost)
            })
        })?;
        poured?;
        match pieces.rows {
            0 => Ok(0),
            sent => self.held_against(&table, sent),
        }
    }

    /// Whether the server takes our rows as a file of ours; asked once.
    fn loads_local(&self) -> Result<bool, DbTrouble> {
        if let Some(known) = self.local.get() {
            return Ok(known);
        }
        let told = self.ask("", |connection| {
            connection.query_first::<Option<i64>, _>("SELECT @@local_infile")
        })?;
        let known = told.flatten() == Some(1);
        self.local.set(Some(known));
        Ok(known)
    }

    /// Every row that was sent, and not a word.
    fn held_against(&self, table: &str, sent: u64) -> Result<u64, LoadStop> {
        let (loaded, warnings) = self.last_counts()?;
        if warnings == 0 && loaded == sent {
            return Ok(loaded);
        }
        let told: Option<(String, u16, String)> = self.ask(table, |connection| {
            connection.query_first("SHOW WARNINGS LIMIT 1")
        })?;
        let Some((_, number, message)) = told else {
            // Rows were left out without a word: a trigger of the target's own.
            return Err(LoadStop::from(DbTrouble::Constraint {
                kind: "trigger",
                on: String::new(),
            }));
        };
        Err(LoadStop {
            trouble: match fault::by_number(number, &message, table) {
                refused @ DbTrouble::Constraint { .. } => refused,
                // A value was not stored as it was given, whatever the server calls it.
                DbTrouble::Other(_) => DbTrouble::Constraint {
                    kind: "type",
                    on: String::new(),
                },
                other => other,
            },
            row: fault::row(&message),
        })
    }

    fn insert_some(
        &self,
        load: &Load<'_>,
        values: Vec<Value>,
        (before, count): (u64, u64),
    ) -> Result<(), LoadStop> {
        let table = unquoted(&load.table);
        let width = load.columns.len();
        let row = format!("({})", vec!["?"; width].join(", "));
        let rows = vec![row.as_str(); usize::try_from(count).unwrap_or_default()].join(", ");
        let text = format!("{} VALUES {rows}", head("INSERT", load).as_str());
        let mut place = None;
        let answer = self.ask(&table, |connection| {
            connection
                .exec_drop(&text, values)
                .inspect_err(|error| place = row_of(error))
        });
        let base = usize::try_from(before).unwrap_or_default();
        let at = |row: Option<usize>| row.map(|row| base + row);
        answer.map_err(|trouble| LoadStop {
            trouble,
            row: at(place),
        })?;
        self.held_against(&table, count).map_err(|stop| LoadStop {
            row: at(stop.row),
            trouble: stop.trouble,
        })?;
        Ok(())
    }
}

fn row_of(error: &mysql::Error) -> Option<usize> {
    match error {
        mysql::Error::MySqlError(told) => fault::row(&told.message),
        _ => None,
    }
}

/// The table's bare name.
fn unquoted(table: &Sql) -> String {
    let text = table.as_str();
    match text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(name) => name.replace("\"\"", "\""),
        None => text.to_owned(),
    }
}

fn idents(load: &Load<'_>) -> Vec<Ident> {
    load.columns.iter().map(|name| Ident::new(name)).collect()
}

fn head(verb: &'static str, load: &Load<'_>) -> Sql {
    sql!("{} INTO {} ({})", Sql::new(verb), load.table, idents(load))
}

/// Bytes go as hexadecimal digits into a variable, and from there into their column; bits as a number.
fn statement(load: &Load<'_>, classes: &[Class]) -> String {
    let (mut fields, mut set) = (Vec::new(), Vec::new());
    for (at, (name, class)) in idents(load).iter().zip(classes).enumerate() {
        let variable = sql!("@handover_{}", at);
        match class {
            Class::Bytes => set.push(sql!("{} = UNHEX({})", name, variable)),
            Class::Bits => set.push(sql!("{} = CAST({} AS unsigned)", name, variable)),
            _ => {
                fields.push(sql!("{}", name));
                continue;
            }
        }
        fields.push(variable);
    }
    let set = if set.is_empty() {
        Sql::new("")
    } else {
        sql!(" SET {}", Sql::join(", ", &set))
    };
    // A backslash needs no other before it: our sessions have no escapes in literals.
    let text = sql!(
        "LOAD DATA LOCAL INFILE 'handover' INTO TABLE {} CHARACTER SET utf8mb4
         FIELDS TERMINATED BY X'09' ESCAPED BY X'5C'
         LINES TERMINATED BY X'0A' ({}){}",
        load.table,
        Sql::join(", ", &fields),
        set
    );
    text.as_str().to_owned()
}

/// The rows of one load.
pub(crate) enum Sink<'s, 'c> {
    Pieces(&'s mut Pieces<'c>),
    Many(&'s mut Many<'c>),
}

impl Sink<'_, '_> {
    #[inline]
    pub(in crate::orgdb) fn row<'v>(
        &mut self,
        row: impl Iterator<Item = ValueRef<'v>>,
    ) -> Result<(), LoadStop> {
        match self {
            Sink::Pieces(pieces) => pieces.row(row),
            Sink::Many(many) => many.row(row)?,
        }
        Ok(())
    }
}

/// Rows as text, in pieces.
pub(crate) struct Pieces<'c> {
    classes: &'c [Class],
    full: Option<SyncSender<Vec<u8>>>,
    out: Vec<u8>,
    rows: u64,
}

impl<'c> Pieces<'c> {
    fn new(classes: &'c [Class], full: SyncSender<Vec<u8>>) -> Pieces<'c> {
        Pieces {
            classes,
            full: Some(full),
            out: Vec::new(),
            rows: 0,
        }
    }

    fn row<'v>(&mut self, row: impl Iterator<Item = ValueRef<'v>>) {
        for (at, (class, value)) in self.classes.iter().zip(row).enumerate() {
            if at > 0 {
                self.out.push(b'\t');
            }
            class.load(value, &mut self.out);
        }
        self.out.push(b'\n');
        self.rows += 1;
        if self.out.len() >= PIECE {
            let room = Vec::with_capacity(PIECE + (PIECE >> 2));
            self.send(room);
        }
    }

    fn send(&mut self, room: Vec<u8>) {
        let piece = std::mem::replace(&mut self.out, room);
        if let Some(full) = &self.full {
            // The server takes no more only where it has refused the statement, and it says why.
            drop(full.send(piece));
        }
    }

    /// No row comes any more; where they were all, the server gets the last of them, too.
    fn end(&mut self, all: bool) {
        if all && !self.out.is_empty() {
            self.send(Vec::new());
        }
        self.full = None;
    }
}

/// What the server gets when it asks for the file.
fn handler(mut first: Vec<u8>, file: Receiver<Vec<u8>>) -> LocalInfileHandler {
    LocalInfileHandler::new(move |_, writer| {
        writer.write_all(&std::mem::take(&mut first))?;
        while let Ok(piece) = file.recv() {
            writer.write_all(&piece)?;
        }
        crash::reached("load");
        Ok(())
    })
}

/// Rows for inserts of many at once.
pub(crate) struct Many<'c> {
    session: &'c Session,
    load: &'c Load<'c>,
    classes: &'c [Class],
    values: Vec<Value>,
    waiting: usize,
    loaded: u64,
}

impl<'c> Many<'c> {
    fn new(session: &'c Session, load: &'c Load<'c>, classes: &'c [Class]) -> Many<'c> {
        Many {
            session,
            load,
            classes,
            values: Vec::new(),
            waiting: 0,
            loaded: 0,
        }
    }

    fn row<'v>(&mut self, row: impl Iterator<Item = ValueRef<'v>>) -> Result<(), LoadStop> {
        let bound = self.classes.iter().zip(row);
        self.values
            .extend(bound.map(|(class, value)| class.bound(value)));
        self.waiting += 1;
        let most = AT_ONCE.min(VALUES / self.classes.len().max(1)).max(1);
        if self.waiting == most {
            self.insert()?;
        }
        Ok(())
    }

    /// Inserts those that wait.
    fn insert(&mut self) -> Result<(), LoadStop> {
        if self.waiting == 0 {
            return Ok(());
        }
        let (values, count) = (std::mem::take(&mut self.values), self.waiting as u64);
        self.waiting = 0;
        self.session
            .insert_some(self.load, values, (self.loaded, count))?;
        self.loaded += count;
        Ok(())
    }
}
