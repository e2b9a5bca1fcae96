//! `MariaDB` 10.6 and later, and `MySQL` 8, through the blocking `mysql` crate: values travel in the
//! server's binary form, rows are loaded with `LOAD DATA LOCAL`.
//!
//! What these servers do otherwise: a change of the schema commits whatever transaction is open, so our
//! tables are made before any work, and a target's triggers cannot be set aside; only `MariaDB` tells
//! what an insert stored (`RETURNING`), so rows are read back as they are inserted there alone; neither
//! has a sign that changes with every commit.
//!
//! Not here: the verbs that every engine has (`link`), what to copy (`copy`).

pub(super) mod accessories;
pub(super) mod catalogue;
mod code;
pub(super) mod company;
mod fault;
mod load;
mod place;
mod rights;
mod tongue;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mysql::prelude::Queryable;
use mysql::{Conn, Params};
use rusqlite::types::ValueRef;

use super::link::{Begin, See};
use super::row::Fields;
use super::{DbTrouble, Row, Sql};
use code::{Class, Form};
pub(super) use load::Sink;
pub(super) use place::{Place, PlaceFault};
use tongue::Asked;

/// Rows that are taken without a word though nobody wants them.
const FEW: usize = 1_000;

/// Statements whose text is kept as the server reads it.
const KNOWN: usize = 512;

/// One session.
pub(super) struct Session {
    connection: RefCell<Conn>,
    place: Place,
    known: RefCell<HashMap<Sql, Arc<Asked>>>,
    /// What columns hold, by table.
    classes: RefCell<HashMap<String, Arc<HashMap<String, Class>>>>,
    /// The foreign keys that point at our tables, as they were when the transaction asked first.
    hung: RefCell<Option<catalogue::Hung>>,
    /// Whose triggers the server shows.
    shown: OnceCell<rights::Shown>,
    running: Arc<Running>,
    open: Cell<bool>,
    /// The server ended our transaction by itself: nothing may be written before that is known.
    lost: Cell<bool>,
    /// Whether rows can be loaded as a file of ours, once that is known.
    local: Cell<Option<bool>>,
    mariadb: bool,
    writes: bool,
    /// It is no `MySQL`, which cannot show what a statement deletes.
    pub(super) shows_deleted: bool,
    /// Tells this session from every other, also from one that has its number later.
    mark: String,
    marked: Cell<bool>,
}

/// Which statement is running, and which one is to stop.
#[derive(Default)]
struct Running {
    now: AtomicU64,
    stopped: AtomicU64,
    last: AtomicU64,
    /// Held while a statement is ended from elsewhere, and for a moment after each: no other statement
    /// is met by mistake.
    gate: Mutex<()>,
}

impl Running {
    fn is_stopped(&self, number: u64) -> bool {
        self.stopped.load(Ordering::SeqCst) == number
    }
}

/// Ends what a session is waiting for.
pub(super) struct Stop {
    place: Place,
    id: u32,
    running: Arc<Running>,
}

impl Stop {
    pub(super) fn stop(&self) {
        let number = self.running.now.load(Ordering::SeqCst);
        if number == 0 {
            return;
        }
        self.running.stopped.store(number, Ordering::SeqCst);
        let (place, id, running) = (self.place.clone(), self.id, Arc::clone(&self.running));
        // Only another connection can tell the server so, and whoever asks here must not wait for it.
        let _ = std::thread::Builder::new()
            .name("orgdb-stop".to_owned())
            .spawn(move || {
                let Ok(mut connection) = place.connect() else {
                    return;
                };
                let _gate = running.gate.lock().unwrap_or_else(PoisonError::into_inner);
                if running.now.load(Ordering::SeqCst) == number {
                    drop(connection.query_drop(format!("KILL QUERY {id}")));
                }
            });
    }
}

/// What every session of ours begins with. Nothing of it is left to the server's settings, so that the
/// same bytes come out everywhere. Two words are left out of what is usually strict: a zero date that
/// stands in a row must be taken again when an undo puts the row back (no map makes one, since it is
/// no date). A reader that waits for the other side of a copy must not be cut off meanwhile.
const SETTINGS: &str = "SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,\
ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION,\
PIPES_AS_CONCAT', time_zone = '+00:00', autocommit = 1, completion_type = 'NO_CHAIN',
foreign_key_checks = 1, unique_checks = 1, sql_auto_is_null = 0, sql_safe_updates = 0, sql_big_selects = 1,
sql_select_limit = 18446744073709551615, lc_messages = 'en_US', innodb_lock_wait_timeout = 30,
lock_wait_timeout = 30, net_write_timeout = 86400, net_read_timeout = 86400, wait_timeout = 604800,
max_error_count = 64, sql_notes = 1";

/// Statements and silent transactions may last as long as they need: `MariaDB`'s settings, then `MySQL`'s.
const PATIENT: [&str; 2] = [
    "SET SESSION max_statement_time = 0, idle_transaction_timeout = 0,
     idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0",
    "SET SESSION max_execution_time = 0",
];

/// Text of ours is compared letter by letter, trailing spaces too.
const NAMES: [&str; 2] = [
    "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin",
    "SET NAMES utf8mb4 COLLATE utf8mb4_0900_bin",
];

impl Session {
    /// Connects; a session that may not write is read-only for the server, too.
    pub(super) fn open(place: &Place, writes: bool) -> Result<Session, DbTrouble> {
        let opening = |error: mysql::Error| fault::opening(&error, place.is_local());
        let mut connection = place.connect().map_err(opening)?;
        let version: Option<String> = connection
            .query_first("SELECT @@version")
            .map_err(opening)?;
        let mariadb = version.is_some_and(|version| version.contains("MariaDB"));
        let other = usize::from(!mariadb);
        let settings = [
            SETTINGS,
            NAMES[other],
            PATIENT[other],
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            if writes {
                "SET SESSION TRANSACTION READ WRITE"
            } else {
                "SET SESSION TRANSACTION READ ONLY"
            },
        ];
        for setting in settings {
            connection.query_drop(setting).map_err(opening)?;
        }
        let mark = uuid::Uuid::now_v7().simple().to_string();
        Ok(Session {
            connection: RefCell::new(connection),
            place: place.clone(),
            known: RefCell::default(),
            classes: RefCell::default(),
            hung: RefCell::default(),
            shown: OnceCell::new(),
            running: Arc::default(),
            open: Cell::new(false),
            shows_deleted: mariadb,
            lost: Cell::new(false),
            local: Cell::new(None),
            mariadb,
            writes,
            mark,
            marked: Cell::new(false),
        })
    }

    pub(super) fn stopper(&self) -> Stop {
        Stop {
            place: self.place.clone(),
            id: self.id(),
            running: Arc::clone(&self.running),
        }
    }

    fn id(&self) -> u32 {
        self.connection
            .try_borrow()
            .map_or(0, |connection| connection.connection_id())
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.open.get()
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.mariadb
    }

    /// Asks the server something; `table` is what it is about, for whoever is told of trouble.
    fn ask<T>(
        &self,
        table: &str,
        work: impl FnOnce(&mut Conn) -> Result<T, mysql::Error>,
    ) -> Result<T, DbTrouble> {
        if self.lost.get() {
            return Err(DbTrouble::Clash);
        }
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let number = self.running.last.fetch_add(1, Ordering::SeqCst) + 1;
        self.running.now.store(number, Ordering::SeqCst);
        let answer = work(&mut connection);
        {
            let _gate = self.running.gate.lock();
            self.running.now.store(0, Ordering::SeqCst);
        }
        let answer = answer.map_err(|error| fault::read(&error, table));
        if matches!(answer, Err(DbTrouble::Clash)) && self.open.get() {
            self.lost.set(true);
        }
        // The answer to a commit must be believed, whoever has gone away.
        if self.running.is_stopped(number) && answer.is_err() {
            return Err(DbTrouble::Interrupted);
        }
        answer
    }

    /// Begins a transaction. One that is open would be committed by that: it is rolled back first.
    pub(super) fn begin(&self, how: Begin) -> Result<(), DbTrouble> {
        debug_assert!(self.writes || how == Begin::Read, "a reader wrote");
        if self.open.get() {
            self.script(&Sql::new("ROLLBACK"))?;
        }
        self.hung.take();
        // Whoever asked may go away before the server's answer is here.
        self.open.set(true);
        self.script(&Sql::new(match how {
            Begin::Read => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            Begin::Write | Begin::Alone => {
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ WRITE"
            }
        }))
    }

    pub(super) fn script(&self, sql: &Sql) -> Result<(), DbTrouble> {
        if sql.as_str() == "ROLLBACK" {
            return self.roll_back();
        }
        self.all_of(sql.as_str())?;
        if sql.as_str() == "COMMIT" {
            self.open.set(false);
        }
        Ok(())
    }

    /// A rollback that was hit by an interrupt meant for what came before it is tried again: what stays
    /// open would be committed by the next transaction.
    fn roll_back(&self) -> Result<(), DbTrouble> {
        self.lost.set(false);
        let mut answer = self.all_of("ROLLBACK");
        if answer.is_err() {
            answer = self.all_of("ROLLBACK");
        }
        if answer.is_ok() || answer == Err(DbTrouble::Cut) {
            self.open.set(false);
        }
        answer
    }

    /// Statements, one after the other; the first that fails ends them.
    fn all_of(&self, text: &str) -> Result<(), DbTrouble> {
        self.ask("", |connection| {
            let mut answers = connection.query_iter(text)?;
            while let Some(rows) = answers.iter() {
                for row in rows {
                    row?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn execute(&self, sql: &Sql, values: &[ValueRef<'_>]) -> Result<u64, DbTrouble> {
        let asked = self.known(sql)?;
        self.ask(&asked.table, |connection| {
            connection.exec_drop(asked.text.as_str(), asked.bound(values))?;
            Ok(connection.affected_rows())
        })
    }

    pub(super) fn each(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
        see: &mut See<'_>,
    ) -> Result<(), DbTrouble> {
        let asked = self.known(sql)?;
        let (mut forms, mut fields) = (Vec::new(), Fields::default());
        let mut trouble = None;
        let (running, id) = (Arc::clone(&self.running), self.id());
        self.ask(&asked.table, |connection| {
            let number = running.now.load(Ordering::SeqCst);
            let mut answer = connection.exec_iter(asked.text.as_str(), asked.bound(values))?;
            forms.extend(answer.columns().as_ref().iter().map(Form::of));
            for row in answer.by_ref() {
                let row = row?;
                if running.is_stopped(number) {
                    trouble = Some(DbTrouble::Interrupted);
                    break;
                }
                if read(&row, &forms, &mut fields).is_none() {
                    trouble = Some(DbTrouble::Damaged);
                    break;
                }
                match see(Row::Fields(&fields)) {
                    Ok(flow) if flow.is_break() => break,
                    Ok(_) => {}
                    Err(fault) => {
                        trouble = Some(fault);
                        break;
                    }
                }
            }
            self.leave(answer, id);
            Ok(())
        })?;
        trouble.map_or(Ok(()), Err)
    }

    /// Rows that nobody wants any more must still be taken before anything else can be asked: a few of
    /// them are; where there are more, the server is told to stop.
    fn leave(&self, mut answer: mysql::QueryResult<'_, '_, '_, mysql::Binary>, id: u32) {
        let more = answer.by_ref().take(FEW).count() == FEW;
        if more && let Ok(mut other) = self.place.connect() {
            drop(other.query_drop(format!("KILL QUERY {id}")));
        }
        // It is taken to its end as it is dropped, whatever the server says about that.
        drop(answer);
    }

    /// The statement as the server reads it, thought out once.
    fn known(&self, sql: &Sql) -> Result<Arc<Asked>, DbTrouble> {
        if let Some(known) = self.known.borrow().get(sql) {
            return Ok(Arc::clone(known));
        }
        let mut class_of = |table: &str, column: &str| self.class_of(table, column);
        let asked = Arc::new(tongue::read(sql.as_str(), &mut class_of)?);
        if !self.mariadb && asked.text.contains(" RETURNING ") {
            return Err(DbTrouble::Cannot("tell what an insert stored (MySQL)"));
        }
        let mut all = self.known.borrow_mut();
        if all.len() >= KNOWN {
            all.clear();
        }
        all.insert(sql.clone(), Arc::clone(&asked));
        Ok(asked)
    }

    /// What a column holds; none where there is no such column.
    fn class_of(&self, table: &str, column: &str) -> Result<Option<Class>, DbTrouble> {
        let known = self.classes.borrow().get(table).cloned();
        let classes = match known {
            Some(known) => known,
            None => Arc::new(self.classes_of(table)?),
        };
        let class = classes.get(&column.to_lowercase()).copied();
        // A table that is not there yet may be there later.
        if !classes.is_empty() {
            self.classes.borrow_mut().insert(table.to_owned(), classes);
        }
        Ok(class)
    }

    fn classes_of(&self, table: &str) -> Result<HashMap<String, Class>, DbTrouble> {
        let query = "SELECT lower(column_name), lower(data_type) FROM information_schema.columns
             WHERE table_schema = DATABASE() AND table_name = ?";
        let columns: Vec<(String, String)> =
            self.ask("", |connection| connection.exec(query, (table,)))?;
        let classes = columns
            .into_iter()
            .map(|(name, kind)| (name, Class::of(&kind)));
        Ok(classes.collect())
    }

    /// Whether the server shows us the triggers of this table, if it has any.
    pub(super) fn shows_triggers(&self, table: &str) -> Result<bool, DbTrouble> {
        if let Some(shown) = self.shown.get() {
            return Ok(shown.of(table));
        }
        let shown = rights::Shown::read(self)?;
        Ok(self.shown.get_or_init(|| shown).of(table))
    }

    /// Rows and warnings of the last statement.
    fn last_counts(&self) -> Result<(u64, u16), DbTrouble> {
        let connection = self.connection.try_borrow().map_err(|_| busy())?;
        Ok((connection.affected_rows(), connection.warnings()))
    }

    /// The session's number, and a mark that only it has: it holds a lock of that name for as long as it
    /// lives. (Numbers begin anew with the server.)
    pub(super) fn backend(&self) -> Result<(i64, String), DbTrouble> {
        if !self.marked.get() {
            let held: Option<Option<i64>> = self.ask("", |connection| {
                connection.exec_first("SELECT GET_LOCK(?, 0)", (lock(&self.mark),))
            })?;
            if held.flatten() != Some(1) {
                return Err(DbTrouble::Locked(None));
            }
            self.marked.set(true);
        }
        Ok((self.id().into(), self.mark.clone()))
    }

    /// Ends another session of the same server, if it is still that one.
    pub(super) fn end_backend(&self, backend: i64, mark: &str) -> Result<(), DbTrouble> {
        let holder: Option<Option<i64>> = self.ask("", |connection| {
            connection.exec_first("SELECT IS_USED_LOCK(?)", (lock(mark),))
        })?;
        if holder.flatten() != Some(backend) {
            return Ok(());
        }
        let ended = self.ask("", |connection| {
            connection.query_drop(format!("KILL CONNECTION {backend}"))
        });
        match ended {
            // It has just ended by itself.
            Err(DbTrouble::Other(1094)) => Ok(()),
            answer => answer,
        }
    }
}

fn lock(mark: &str) -> String {
    format!("handover {mark}")
}

impl Asked {
    fn bound(&self, values: &[ValueRef<'_>]) -> Params {
        let given = |(at, class): &(usize, Class)| {
            let value = values.get(*at).copied();
            class.bound(value.unwrap_or(ValueRef::Null))
        };
        match self.values.as_slice() {
            [] => Params::Empty,
            places => Params::Positional(places.iter().map(given).collect()),
        }
    }
}

/// A link can be asked one thing at a time: a mistake in our source.
fn busy() -> DbTrouble {
    DbTrouble::Other(-1)
}

fn read(row: &mysql::Row, forms: &[Form], fields: &mut Fields) -> Option<()> {
    fields.clear();
    for (at, form) in forms.iter().enumerate() {
        form.read(row.as_ref(at)?, fields)?;
    }
    Some(())
}
