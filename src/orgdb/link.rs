//! A session with one database, as work on its own thread sees it: the same few verbs on every
//! engine. SQL is written once, with `"quoted"` names, `?1` for values and `handover_…` for our own
//! tables; each engine reads it in its own tongue.
//!
//! In: statements, values. Out: rows, counts, shapes, trouble without any value in it.
//!
//! Not here: the engines themselves (`sqlite`, `postgres`, `mariadb`), threads (`desk`).

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use rusqlite::types::ValueRef;

use super::catalogue::{Accessory, Catalogue, Hanging, Table};
use super::horizon::Horizon;
use super::{Address, DbTrouble, Dialect, Ident, Row, Sql, Value, mariadb, postgres, sqlite};

/// A session with one database.
pub struct Link {
    engine: Engine,
    scratch: OnceCell<rusqlite::Connection>,
    told: RefCell<BTreeSet<String>>,
    shapes: RefCell<BTreeMap<String, Table>>,
}

pub(super) enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Session>),
    Mariadb(Box<mariadb::Session>),
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// One moment for everything that is read.
    Read,
    /// To write beside others.
    Write,
    /// To write, with everybody else who writes kept out where the engine has such a lock.
    Alone,
}

/// Whether to go on with the next row.
pub type Flow = ControlFlow<()>;

/// Hears of each row.
pub(super) type See<'s> = dyn FnMut(Row<'_>) -> Result<Flow, DbTrouble> + 's;

/// Rows to be loaded: where they go, and their values.
pub struct Load<'l> {
    /// The table.
    pub table: Sql,
    /// Its columns that have values.
    pub columns: &'l [String],
}

/// Why a load stopped, and at which row (from 0) where the engine tells.
#[derive(Debug)]
pub struct LoadStop {
    /// What was wrong.
    pub trouble: DbTrouble,
    /// With which row.
    pub row: Option<usize>,
}

impl From<DbTrouble> for LoadStop {
    fn from(trouble: DbTrouble) -> LoadStop {
        LoadStop { trouble, row: None }
    }
}

/// The binary form that a column travels in: a field of one column is a field of every other that has the
/// same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wire(pub(super) postgres::Form);

/// Takes the rows of a load.
pub(crate) enum Sink<'s, 'c> {
    Sqlite(&'s mut sqlite::Sink<'c>),
    Postgres(&'s mut postgres::Sink<'c>),
    Mariadb(mariadb::Sink<'s, 'c>),
}

/// Gives rows to a sink.
pub(super) type Pour<'p> = dyn FnMut(&mut Sink<'_, '_>) -> Result<(), LoadStop> + 'p;

impl Sink<'_, '_> {
    /// Takes one row.
    #[inline]
    pub(crate) fn row<'v>(
        &mut self,
        row: impl Iterator<Item = ValueRef<'v>>,
    ) -> Result<(), LoadStop> {
        match self {
            Sink::Sqlite(sink) => sink.row(row),
            Sink::Postgres(sink) => sink.row(row),
            Sink::Mariadb(sink) => sink.row(row),
        }
    }

    /// Takes one row whose fields are as a server of the same kind sent them (`Row::as_it_came`).
    #[inline]
    pub(crate) fn row_as_it_came(&mut self, fields: &[u8]) -> Result<(), LoadStop> {
        match self {
            Sink::Postgres(sink) => sink.row_as_it_came(fields),
            Sink::Sqlite(_) | Sink::Mariadb(_) => {
                Err(DbTrouble::Cannot("take another engine's fields as they are").into())
            }
        }
    }
}

/// Ends what a link is doing, from another thread.
pub(super) enum Interrupt {
    Sqlite(rusqlite::InterruptHandle),
    Server(postgres::Stop),
    Mariadb(mariadb::Stop),
}

impl Interrupt {
    pub(super) fn interrupt(&self) {
        match self {
            Interrupt::Sqlite(handle) => handle.interrupt(),
            Interrupt::Server(stop) => stop.stop(),
            Interrupt::Mariadb(stop) => stop.stop(),
        }
    }
}

impl Link {
    /// Opens a session that cannot write.
    ///
    /// # Errors
    /// When there is no usable database.
    pub fn reader(address: &Address) -> Result<Link, DbTrouble> {
        Link::open(address, false)
    }

    /// Opens a session that may write.
    ///
    /// # Errors
    /// When there is no usable database.
    pub(super) fn writer(address: &Address) -> Result<Link, DbTrouble> {
        Link::open(address, true)
    }

    fn open(address: &Address, writes: bool) -> Result<Link, DbTrouble> {
        let engine = match address {
            Address::Sqlite(path) if writes => Engine::Sqlite(sqlite::open::writer(path)?),
            Address::Sqlite(path) => Engine::Sqlite(sqlite::open::reader(path)?),
            Address::Postgres(options) => {
                Engine::Postgres(Box::new(postgres::Session::open(options, writes)?))
            }
            Address::Mariadb(place) => {
                Engine::Mariadb(Box::new(mariadb::Session::open(place, writes)?))
            }
        };
        Ok(Link {
            engine,
            scratch: OnceCell::new(),
            told: RefCell::default(),
            shapes: RefCell::default(),
        })
    }

    /// Other work begins than was interrupted before.
    pub(super) fn begin_work(&self) {
        if let Engine::Postgres(session) = &self.engine {
            session.begin_work();
        }
    }

    pub(super) fn interrupt(&self) -> Interrupt {
        match &self.engine {
            Engine::Sqlite(connection) => Interrupt::Sqlite(connection.get_interrupt_handle()),
            Engine::Postgres(session) => Interrupt::Server(session.stopper()),
            Engine::Mariadb(session) => Interrupt::Mariadb(session.stopper()),
        }
    }

    /// Which tongue it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match &self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
            Engine::Mariadb(_) => Dialect::Mariadb,
        }
    }

    /// The file's own connection, where it is a file: for the ways that only a file has.
    #[must_use]
    pub fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.engine {
            Engine::Sqlite(connection) => Some(connection),
            Engine::Postgres(_) | Engine::Mariadb(_) => None,
        }
    }

    /// A place for what is only remembered while reading: the temporary store of a file's own
    /// connection, or a nameless store of ours where the database is elsewhere.
    ///
    /// # Errors
    /// When there is no room for one.
    pub(crate) fn scratch(&self) -> Result<&rusqlite::Connection, DbTrouble> {
        if let Engine::Sqlite(connection) = &self.engine {
            // The file itself was opened read-only or is not touched: only the temporary store is.
            connection.pragma_update(None, "query_only", false)?;
            return Ok(connection);
        }
        if let Some(scratch) = self.scratch.get() {
            return Ok(scratch);
        }
        let fresh = sqlite::open::scratch()?;
        Ok(self.scratch.get_or_init(|| fresh))
    }

    /// Such a store for itself, whoever holds it.
    ///
    /// # Errors
    /// When there is no room for one.
    pub(crate) fn store_apart() -> Result<rusqlite::Connection, DbTrouble> {
        sqlite::open::scratch()
    }

    /// Runs one statement; how many rows it changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn execute(&self, sql: &Sql, values: &[Value]) -> Result<u64, DbTrouble> {
        let lent: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
        self.execute_lent(sql, &lent)
    }

    /// The same with borrowed values.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn execute_lent(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
    ) -> Result<u64, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(connection) => sqlite::execute(connection, sql, values),
            Engine::Postgres(session) => session.execute(sql, values),
            Engine::Mariadb(session) => session.execute(sql, values),
        }
    }

    /// Runs statements without values, one after the other.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn script(&self, sql: &Sql) -> Result<(), DbTrouble> {
        self.forget(sql);
        match &self.engine {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql.as_str())?),
            Engine::Postgres(session) => session.script(sql),
            Engine::Mariadb(session) => session.script(sql),
        }
    }

    /// A statement that the engine itself gave us and our ledger kept, letter by letter: what looks like the
    /// place of a value in it is an operator.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn script_as_is(&self, kept: &str) -> Result<(), DbTrouble> {
        self.shapes.borrow_mut().clear();
        match &self.engine {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(kept)?),
            Engine::Postgres(session) => session.script_as_is(kept.to_owned()),
            Engine::Mariadb(session) => session.script(&Sql::definition(kept.to_owned())),
        }
    }

    /// Forgets shapes that a statement may change.
    fn forget(&self, sql: &Sql) {
        let changes = ["CREATE", "ALTER", "DROP"];
        if changes.iter().any(|word| sql.as_str().contains(word)) {
            self.shapes.borrow_mut().clear();
        }
    }

    /// Runs a query and shows each row to `see`, until it has seen enough. On a server nothing else
    /// can be asked of this link meanwhile.
    ///
    /// # Errors
    /// When the database refuses, and those of `see`.
    pub fn each<E: From<DbTrouble>>(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
        see: impl FnMut(Row<'_>) -> Result<Flow, E>,
    ) -> Result<(), E> {
        shown(see, |see| match &self.engine {
            Engine::Sqlite(connection) => sqlite::each(connection, sql, values, see),
            Engine::Postgres(session) => session.each(sql, values, see),
            Engine::Mariadb(session) => session.each(sql, values, see),
        })
    }

    /// The same for long answers: the engine's fastest way out.
    ///
    /// # Errors
    /// As [`Link::each`].
    pub fn stream<E: From<DbTrouble>>(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
        see: impl FnMut(Row<'_>) -> Result<Flow, E>,
    ) -> Result<(), E> {
        match &self.engine {
            Engine::Postgres(session) => shown(see, |see| session.stream(sql, values, see)),
            Engine::Sqlite(_) | Engine::Mariadb(_) => self.each(sql, values, see),
        }
    }

    /// Runs a query and gathers its rows: for small answers.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn rows(&self, sql: &Sql, values: &[Value]) -> Result<Vec<Vec<Value>>, DbTrouble> {
        let lent: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
        let mut all = Vec::new();
        self.each(sql, &lent, |row| {
            all.push((0..row.width()).map(|at| Value::of(row.get(at))).collect());
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        Ok(all)
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn row(&self, sql: &Sql, values: &[Value]) -> Result<Option<Vec<Value>>, DbTrouble> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// Loads many rows at once, the engine's fastest way: all of them or none.
    ///
    /// # Errors
    /// See [`LoadStop`]. Whatever transaction is open must be rolled back, or back to a savepoint.
    pub fn load<'v, R>(
        &self,
        load: &Load<'_>,
        mut rows: impl Iterator<Item = R>,
    ) -> Result<u64, LoadStop>
    where
        R: Iterator<Item = ValueRef<'v>>,
    {
        self.pour(load, |sink| rows.try_for_each(|row| sink.row(row)))
    }

    /// The same while the rows are still coming: `pour` gives them to the sink, one after the other. On a
    /// server nothing else can be asked of this link meanwhile.
    ///
    /// # Errors
    /// As [`Link::load`], and those of `pour`.
    pub(crate) fn pour(
        &self,
        load: &Load<'_>,
        mut pour: impl FnMut(&mut Sink<'_, '_>) -> Result<(), LoadStop>,
    ) -> Result<u64, LoadStop> {
        match &self.engine {
            Engine::Sqlite(connection) => sqlite::pour(connection, load, &mut pour),
            Engine::Postgres(session) => session.pour(load, &mut pour),
            Engine::Mariadb(session) => session.pour(load, &mut pour),
        }
    }

    /// How a table's columns travel in bulk, where all of them do so in a binary form of the server's own.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn wires(
        &self,
        table: &Ident,
        columns: &[Ident],
    ) -> Result<Option<Vec<Wire>>, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(None),
            Engine::Postgres(session) => session.wires(table, columns),
        }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When the database is locked past our patience or refuses.
    pub fn begin(&self, how: Begin) -> Result<(), DbTrouble> {
        match (&self.engine, how) {
            (Engine::Sqlite(connection), how) => Ok(connection.execute_batch(match how {
                Begin::Read => "BEGIN",
                Begin::Write => "BEGIN IMMEDIATE",
                Begin::Alone => "BEGIN EXCLUSIVE",
            })?),
            (Engine::Postgres(session), how) => session.begin(how),
            (Engine::Mariadb(session), how) => session.begin(how),
        }
    }

    /// Begins a look at the database as it is now: a file's begins with the first thing that is read of it.
    ///
    /// # Errors
    /// As [`Link::begin`].
    pub(crate) fn look_now(&self) -> Result<(), DbTrouble> {
        self.begin(Begin::Read)?;
        match self.sqlite() {
            Some(file) => Ok(file.pragma_query(None, "schema_version", |_| Ok(()))?),
            None => Ok(()),
        }
    }

    /// Begins the very look that is open at `other`, a connection to the same database; whether a server can
    /// be asked that.
    ///
    /// # Errors
    /// As [`Link::begin`].
    pub(crate) fn look_with(&self, other: &Link) -> Result<bool, DbTrouble> {
        match (&self.engine, &other.engine) {
            (Engine::Postgres(session), Engine::Postgres(other)) => {
                session.look_with(other).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn commit(&self) -> Result<(), DbTrouble> {
        self.script(&Sql::new("COMMIT"))
    }

    /// Ends it without a trace.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn rollback(&self) -> Result<(), DbTrouble> {
        self.script(&Sql::new("ROLLBACK"))
    }

    /// Runs `work` so that its failing undoes what it did and nothing before it: a file does so for each
    /// statement by itself, a server would refuse everything that follows.
    ///
    /// # Errors
    /// Those of `work`, and when the database refuses.
    pub fn within_savepoint<T, E: From<DbTrouble>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if matches!(self.engine, Engine::Sqlite(_)) {
            return work();
        }
        self.script(&Sql::new("SAVEPOINT handover"))?;
        let answer = work();
        self.script(&Sql::new(if answer.is_ok() {
            "RELEASE SAVEPOINT handover"
        } else {
            "ROLLBACK TO SAVEPOINT handover; RELEASE SAVEPOINT handover"
        }))?;
        answer
    }

    /// Rolls back what was left open. A rollback that fails leaves nothing durable either.
    pub(crate) fn close_open(&self) {
        let open = match &self.engine {
            Engine::Sqlite(connection) => !connection.is_autocommit(),
            Engine::Postgres(session) => session.in_transaction(),
            Engine::Mariadb(session) => session.in_transaction(),
        };
        if open {
            drop(self.rollback());
        }
    }

    /// The whole shape.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn catalogue(&self) -> Result<Catalogue, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(connection) => sqlite::catalogue::read(connection),
            Engine::Postgres(session) => postgres::catalogue::read(session),
            Engine::Mariadb(session) => mariadb::catalogue::read(session),
        }
    }

    /// One table's shape; none where there is no such table. A server is asked once, until we change
    /// something there that is no row.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn table(&self, name: &str) -> Result<Option<Table>, DbTrouble> {
        if let Some(known) = self.shapes.borrow().get(name) {
            return Ok(Some(known.clone()));
        }
        let found = match &self.engine {
            Engine::Sqlite(connection) => return sqlite::catalogue::table(connection, name),
            Engine::Postgres(session) => postgres::catalogue::table(session, name)?,
            Engine::Mariadb(session) => mariadb::catalogue::table(session, name)?,
        };
        if let Some(table) = &found {
            let mut shapes = self.shapes.borrow_mut();
            shapes.insert(name.to_owned(), table.clone());
        }
        Ok(found)
    }

    /// The foreign keys that point at a table.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn hanging(&self, parent: &str) -> Result<Vec<Hanging>, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(connection) => sqlite::catalogue::hanging(connection, parent),
            Engine::Postgres(session) => postgres::catalogue::hanging(session, parent),
            Engine::Mariadb(session) => mariadb::catalogue::hanging(session, parent),
        }
    }

    /// Indexes and foreign keys of a table that may be set aside while rows are loaded.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn accessories(&self, table: &str) -> Result<Vec<Accessory>, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(connection) => sqlite::accessories::read(connection, table),
            Engine::Postgres(session) => postgres::accessories::read(session, table),
            Engine::Mariadb(session) => mariadb::accessories::read(session, table),
        }
    }

    /// What tells the rows of a table that are there at the look that is open from those that come later,
    /// where only these columns are read; none where the engine has no such thing, or it cannot be trusted.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn horizon(
        &self,
        table: &str,
        columns: &[String],
    ) -> Result<Option<Horizon>, DbTrouble> {
        let Engine::Postgres(session) = &self.engine else {
            return Ok(None);
        };
        if !session.in_transaction() {
            return Ok(None);
        }
        match self.within_savepoint(|| session.horizon(table, columns)) {
            // What we may not ask, or what this server does not know, is no reason to stop.
            Err(DbTrouble::ReadOnly | DbTrouble::NoSuch(_) | DbTrouble::State(_)) => Ok(None),
            answer => answer,
        }
    }

    /// Tables to which foreign keys of a table refer that may be set aside.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn parents(&self, table: &str) -> Result<Vec<String>, DbTrouble> {
        match &self.engine {
            // Foreign keys stay there.
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(Vec::new()),
            Engine::Postgres(session) => postgres::accessories::parents(session, table),
        }
    }

    /// Whether this account owns a table: only its owner sets accessories of it aside.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn owns(&self, table: &str) -> Result<bool, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(true),
            Engine::Postgres(session) => postgres::accessories::owns(session, table),
        }
    }

    /// Whether this account may keep others off a table and let foreign keys refer to it.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn may_be_parent(&self, table: &str) -> Result<bool, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(true),
            Engine::Postgres(session) => postgres::accessories::may_be_parent(session, table),
        }
    }

    /// Whether a row of the table is held against others of it by what its references and triggers do not tell.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn looks_back(&self, table: &str) -> Result<bool, DbTrouble> {
        match &self.engine {
            // No check and no default of theirs can ask a table, and they have no policies.
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(false),
            Engine::Postgres(session) => postgres::catalogue::looks_back(session, table),
        }
    }

    /// After rows were loaded with numbers of their own: the table's next own number comes behind them.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn count_on(&self, table: &str, columns: &[String]) -> Result<(), DbTrouble> {
        match &self.engine {
            // InnoDB's counter goes on behind every number that is inserted, whoever gave it.
            Engine::Sqlite(_) | Engine::Mariadb(_) => Ok(()),
            Engine::Postgres(session) => session.count_on(table, columns),
        }
    }

    /// What tells this session from every other on its server: the backend's number and when it
    /// started. A file has none.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn backend(&self) -> Result<Option<(i64, String)>, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(session) => session.backend().map(Some),
            Engine::Mariadb(session) => session.backend().map(Some),
        }
    }

    /// Ends another session of the same server, if it is still that one.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) fn end_backend(&self, backend: i64, started: &str) -> Result<(), DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.end_backend(backend, started),
            Engine::Mariadb(session) => session.end_backend(backend, started),
        }
    }

    /// Whether a lock of whole tables keeps everybody out: not where rows come from other servers, too.
    pub(crate) fn is_alone(&self) -> Result<bool, DbTrouble> {
        match &self.engine {
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(true),
            Engine::Mariadb(session) => mariadb::company::is_alone(session),
        }
    }

    /// Whether a server shows the rows that a statement deletes (`DELETE … RETURNING`).
    #[must_use]
    pub(crate) fn shows_deleted(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(_) => false,
            Engine::Postgres(_) => true,
            Engine::Mariadb(session) => session.shows_deleted,
        }
    }

    /// Whether this link was not asked this before.
    #[must_use]
    pub(crate) fn first_time(&self, about: &str) -> bool {
        self.told.borrow_mut().insert(about.to_owned())
    }

    /// Something that changes whenever somebody commits a change; none where the engine has no such
    /// thing.
    pub(crate) fn version(&self) -> Result<Option<String>, DbTrouble> {
        match &self.engine {
            // It changes whenever another connection has committed (<https://sqlite.org/pragma.html>).
            Engine::Sqlite(connection) => {
                let version: i64 =
                    connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
                Ok(Some(version.to_string()))
            }
            Engine::Postgres(session) => session.version().map(Some),
            Engine::Mariadb(_) => Ok(None),
        }
    }
}

/// Shows rows to whoever has faults of their own, and gives such a fault back as it is.
fn shown<E: From<DbTrouble>>(
    mut see: impl FnMut(Row<'_>) -> Result<Flow, E>,
    ask: impl FnOnce(&mut See<'_>) -> Result<(), DbTrouble>,
) -> Result<(), E> {
    let mut fault = None;
    let answer = ask(&mut |row| {
        Ok(see(row).unwrap_or_else(|error| {
            fault = Some(error);
            Flow::Break(())
        }))
    });
    match fault {
        Some(fault) => Err(fault),
        None => Ok(answer?),
    }
}
