//! `PostgreSQL` 13 and later, through sqlx: values travel in the server's own binary form, rows are
//! loaded with `COPY`.
//!
//! A session lives on a thread that may block, with a small runtime of its own.
//!
//! Not here: the verbs that every engine has (`link`), what to copy (`copy`).

pub(super) mod accessories;
pub(super) mod catalogue;
mod code;
mod fault;
mod horizon;
mod load;
mod snapshot;
mod stream;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{TryStream, TryStreamExt};
use rusqlite::types::ValueRef;
use sqlx::encode::IsNull;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgConnectOptions, PgRow, PgTypeInfo, PgTypeKind,
};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions, Either, Encode, Executor, PgConnection,
    Postgres, Row as _, SqlSafeStr, SqlStr, Statement, Type, TypeInfo as _, ValueRef as _,
};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::link::{Begin, Flow, See};
use super::row::Fields;
use super::{DbTrouble, Row, Sql, dialect};
use crate::sql;
pub(super) use code::Form;
pub(super) use load::Sink;

/// How many rows or messages are taken from a stream before they are shown.
const BLOCK: usize = 512;

/// One session.
pub(super) struct Session {
    runtime: Runtime,
    connection: RefCell<PgConnection>,
    known: RefCell<HashMap<Sql, Arc<Known>>>,
    stop: Arc<Halt>,
    open: Cell<bool>,
    writes: bool,
}

/// A statement that was prepared: its text, the types of its values and of its columns.
struct Known {
    text: SqlStr,
    values: Vec<Form>,
    /// What the server calls the values' types, before any was cast.
    kinds: Vec<String>,
    columns: Vec<Form>,
    /// Before any of them was cast to be shown.
    declared: Vec<Form>,
}

impl Known {
    fn columns_as_declared(&self) -> &[Form] {
        &self.declared
    }

    fn is_shown(&self) -> bool {
        self.values.contains(&Form::Shown) || self.columns.contains(&Form::Shown)
    }

    /// A value's place, from 1: what we do not write in binary is given as text.
    fn place(&self, at: usize) -> String {
        match (
            self.values.get(at.saturating_sub(1)),
            self.kinds.get(at.saturating_sub(1)),
        ) {
            (Some(Form::Shown), Some(kind)) => format!("CAST(CAST(${at} AS text) AS {kind})"),
            _ => format!("${at}"),
        }
    }
}

/// Ends what a session is waiting for.
pub(super) struct Stop(Arc<Halt>);

#[derive(Default)]
struct Halt {
    wanted: AtomicBool,
    told: Notify,
}

impl Stop {
    pub(super) fn stop(&self) {
        self.0.wanted.store(true, Ordering::SeqCst);
        self.0.told.notify_one();
    }
}

impl Halt {
    /// Ends when somebody wants the work that is being done to stop; a word about earlier work is passed
    /// over.
    async fn come(&self) {
        while !self.wanted.load(Ordering::SeqCst) {
            self.told.notified().await;
        }
    }
}

/// What every session of ours begins with. Nothing of it is left to the server's settings, so that
/// the same bytes come out everywhere. A table without a key is read as it lies, and a copy goes on behind
/// the row that it had come to: so no scan may begin where another one is, or be shared out.
const SETTINGS: &str =
    "SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';
SET intervalstyle = 'iso_8601'; SET extra_float_digits = 1; SET bytea_output = 'hex';
SET standard_conforming_strings = on; SET lock_timeout = '30s';
SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0;
SET quote_all_identifiers = off; SET lc_monetary = 'C';
SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0;";

/// Sessions may be idle, and transactions last, as long as they need. Not every version has these settings.
const PATIENT: &str = "SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings
  WHERE name IN ('idle_session_timeout', 'transaction_timeout');";

/// The server makes a rollback of a commit, without a word, where a statement has failed before: then
/// the first of these fails, and is told.
const COMMIT: &str = "SELECT 1; COMMIT";

/// A backend's number may come again; together with its start it does not.
const BACKEND: &str = "SELECT pid, to_char(backend_start AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')
  FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()";
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
  WHERE pid = ?1 AND to_char(backend_start AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') = ?2";

impl Session {
    /// Connects; a session that may not write is read-only for the server, too.
    pub(super) fn open(options: &PgConnectOptions, writes: bool) -> Result<Session, DbTrouble> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|_| DbTrouble::Other(0))?;
        let options = options
            .clone()
            .application_name("handover")
            .disable_statement_logging();
        let local = options.get_socket().is_some();
        let connected = runtime.block_on(options.connect());
        let connected = connected.map_err(|error| fault::opening(&error, local))?;
        let session = Session {
            connection: RefCell::new(connected),
            runtime,
            known: RefCell::default(),
            stop: Arc::default(),
            open: Cell::new(false),
            writes,
        };
        session.script(&Sql::new(SETTINGS))?;
        session.script(&Sql::new(PATIENT))?;
        session.script(&Sql::new(if writes {
            "SET synchronous_commit = on; SET default_transaction_read_only = off"
        } else {
            "SET default_transaction_read_only = on"
        }))?;
        Ok(session)
    }

    pub(super) fn stopper(&self) -> Stop {
        Stop(Arc::clone(&self.stop))
    }

    /// Other work begins: what was wanted of earlier work does not concern it.
    pub(super) fn begin_work(&self) {
        self.stop.wanted.store(false, Ordering::SeqCst);
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.open.get()
    }

    /// Waits for the server; whoever asked may go away meanwhile.
    fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                answer = work => answer,
                () = self.stop.come() => Err(sqlx::Error::WorkerCrashed),
            }
        })
    }

    /// Begins a transaction; one that is still open is rolled back first.
    pub(super) fn begin(&self, how: Begin) -> Result<(), DbTrouble> {
        if self.open.get() {
            self.script(&Sql::new("ROLLBACK"))?;
        }
        let text = match how {
            Begin::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Begin::Write | Begin::Alone => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        };
        debug_assert!(self.writes || how == Begin::Read, "a reader wrote");
        // Whoever asked may go away before the server's answer is here.
        self.open.set(true);
        self.script(&Sql::new(text))
    }

    pub(super) fn script(&self, sql: &Sql) -> Result<(), DbTrouble> {
        let (commits, rolls_back) = (sql.as_str() == "COMMIT", sql.as_str() == "ROLLBACK");
        let answer = if rolls_back {
            let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
            let query = sqlx::raw_sql("ROLLBACK");
            // Whoever has gone away: what stayed open would be committed by the next who asks.
            told(
                self.runtime
                    .block_on(async { connection.execute(query).await.map(drop) }),
            )
        } else if commits {
            self.script_as_is(COMMIT.to_owned())
        } else {
            self.script_as_is(dialect::postgres(sql.as_str()))
        };
        if rolls_back || (commits && answer.is_ok()) {
            self.open.set(false);
        }
        answer
    }

    /// The same in the server's own tongue.
    pub(super) fn script_as_is(&self, text: String) -> Result<(), DbTrouble> {
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let query = sqlx::raw_sql(AssertSqlSafe(text));
        told(self.wait(async { connection.execute(query).await.map(drop) }))
    }

    pub(super) fn execute(&self, sql: &Sql, values: &[ValueRef<'_>]) -> Result<u64, DbTrouble> {
        let known = self.known(sql)?;
        let arguments = bound(&known, values)?;
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let query = sqlx::query_with(known.text.clone(), arguments);
        let answer = self.wait(async { connection.execute(query).await });
        Ok(told(answer)?.rows_affected())
    }

    pub(super) fn each(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
        see: &mut See<'_>,
    ) -> Result<(), DbTrouble> {
        let known = self.known(sql)?;
        let arguments = bound(&known, values)?;
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let query = sqlx::query_with(known.text.clone(), arguments);
        let mut fields = Fields::default();
        self.each_of(connection.fetch(query), |row| {
            read(&row, &known.columns, &mut fields)?;
            see(Row::Fields(&fields))
        })
    }

    /// Shows what comes in a stream, until enough was seen: some of it is waited for, then shown, one after
    /// the other.
    fn each_of<T>(
        &self,
        mut stream: impl TryStream<Ok = T, Error = sqlx::Error> + Unpin,
        mut see: impl FnMut(T) -> Result<Flow, DbTrouble>,
    ) -> Result<(), DbTrouble> {
        let mut block = Vec::with_capacity(BLOCK);
        loop {
            let filled = self.wait(async {
                while block.len() < BLOCK
                    && let Some(one) = stream.try_next().await?
                {
                    block.push(one);
                }
                Ok(())
            });
            told(filled)?;
            let last = block.len() < BLOCK;
            for one in block.drain(..) {
                if see(one)?.is_break() {
                    return Ok(());
                }
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Prepares a statement, once. Columns of types that we do not read in their binary form are read
    /// as the server shows them.
    fn known(&self, sql: &Sql) -> Result<Arc<Known>, DbTrouble> {
        if let Some(known) = self.known.borrow().get(sql) {
            return Ok(Arc::clone(known));
        }
        let mut known = self.prepare(dialect::postgres(sql.as_str()))?;
        if known.is_shown() {
            let text = dialect::postgres_with(sql.as_str(), |at| known.place(at));
            let cast = shown(text, &known.declared);
            known = Known {
                kinds: known.kinds,
                declared: known.declared,
                ..self.prepare(cast)?
            };
        }
        let known = Arc::new(known);
        let mut all = self.known.borrow_mut();
        if all.len() >= 512 {
            all.clear();
        }
        all.insert(sql.clone(), Arc::clone(&known));
        Ok(known)
    }

    fn prepare(&self, text: String) -> Result<Known, DbTrouble> {
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let text = AssertSqlSafe(text).into_sql_str();
        let prepared = self.wait(async { connection.prepare(text.clone()).await });
        let prepared = told(prepared)?;
        let types = match prepared.parameters() {
            Some(Either::Left(types)) => types,
            _ => &[],
        };
        let columns = prepared.columns().iter();
        let columns: Vec<Form> = columns.map(|column| form(column.type_info())).collect();
        Ok(Known {
            text,
            values: types.iter().map(form).collect(),
            kinds: types.iter().map(named).collect(),
            declared: columns.clone(),
            columns,
        })
    }

    fn counts_by_itself(
        &self,
        table: &super::Ident,
        column: &super::Ident,
    ) -> Result<bool, DbTrouble> {
        let (table, mut found) = (table.to_string(), false);
        let values = [
            ValueRef::Text(table.as_bytes()),
            ValueRef::Text(column.name().as_bytes()),
        ];
        let query = Sql::new("SELECT pg_get_serial_sequence(?1, ?2) IS NOT NULL");
        self.each(&query, &values, &mut |row| {
            found = row.get(0) == ValueRef::Integer(1);
            Ok(Flow::Continue(()))
        })?;
        Ok(found)
    }

    /// The next numbers of the columns that count by themselves come behind the highest that stands.
    pub(super) fn count_on(&self, table: &str, columns: &[String]) -> Result<(), DbTrouble> {
        let table = super::Ident::new(table);
        for column in columns.iter().map(|column| super::Ident::new(column)) {
            if !self.counts_by_itself(&table, &column)? {
                continue;
            }
            let query = sql!(
                "SELECT setval(s.name, greatest(s.most, nextval(s.name))) FROM (
                   SELECT CAST(pg_get_serial_sequence(?1, ?2) AS regclass) AS name,
                          (SELECT CAST(max({}) AS bigint) FROM {}) AS most) AS s
                 WHERE s.name IS NOT NULL AND s.most IS NOT NULL",
                column,
                table
            );
            let (quoted, plain) = (table.to_string(), column.name());
            let values = [
                ValueRef::Text(quoted.as_bytes()),
                ValueRef::Text(plain.as_bytes()),
            ];
            self.each(&query, &values, &mut |_| Ok(Flow::Continue(())))?;
        }
        Ok(())
    }

    /// The backend's number and when it started.
    pub(super) fn backend(&self) -> Result<(i64, String), DbTrouble> {
        let mut found = (0, String::new());
        self.each(&Sql::new(BACKEND), &[], &mut |row| {
            if let (ValueRef::Integer(pid), ValueRef::Text(started)) = (row.get(0), row.get(1)) {
                found = (pid, String::from_utf8_lossy(started).into_owned());
            }
            Ok(Flow::Continue(()))
        })?;
        Ok(found)
    }

    pub(super) fn end_backend(&self, backend: i64, started: &str) -> Result<(), DbTrouble> {
        let values = [
            ValueRef::Integer(backend),
            ValueRef::Text(started.as_bytes()),
        ];
        self.each(&Sql::new(END), &values, &mut |_| Ok(Flow::Continue(())))
    }

    /// Every commit anywhere in the cluster changes it: more often than need be, never too seldom.
    pub(super) fn version(&self) -> Result<String, DbTrouble> {
        let mut found = String::new();
        self.each(
            &Sql::new("SELECT CAST(pg_current_snapshot() AS text)"),
            &[],
            &mut |row| {
                if let ValueRef::Text(text) = row.get(0) {
                    found = String::from_utf8_lossy(text).into_owned();
                }
                Ok(Flow::Continue(()))
            },
        )?;
        Ok(found)
    }
}

fn told<T>(answer: Result<T, sqlx::Error>) -> Result<T, DbTrouble> {
    answer.map_err(|error| fault::read(&error))
}

/// A link can be asked one thing at a time: a mistake in our source.
fn busy() -> DbTrouble {
    DbTrouble::Other(-1)
}

fn form(kind: &PgTypeInfo) -> Form {
    match kind.kind() {
        PgTypeKind::Enum(_) => Form::Text,
        PgTypeKind::Domain(base) => form(base),
        _ => kind.oid().map_or(Form::Shown, |oid| Form::of(oid.0)),
    }
}

/// A type's name as a cast takes it: `CHAR` would be one letter there, `BIT` one bit.
fn named(kind: &PgTypeInfo) -> String {
    match kind.name() {
        "CHAR" => "bpchar".to_owned(),
        "BIT" => "varbit".to_owned(),
        name => name.to_owned(),
    }
}

/// The same statement with columns that we cannot read shown as text.
fn shown(text: String, columns: &[Form]) -> String {
    use std::fmt::Write as _;
    if !columns.contains(&Form::Shown) {
        return text;
    }
    let mut list = String::new();
    let mut names = String::new();
    for (at, column) in columns.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let cast = if *column == Form::Shown { "::text" } else { "" };
        let _ = write!(list, "{comma}q.c{at}{cast}");
        let _ = write!(names, "{comma}c{at}");
    }
    // (What an insert returns cannot stand in a subquery.)
    format!("WITH q ({names}) AS ({text}) SELECT {list} FROM q")
}

fn read(row: &PgRow, columns: &[Form], fields: &mut Fields) -> Result<(), DbTrouble> {
    fields.clear();
    for (at, form) in columns.iter().enumerate() {
        let raw = row.try_get_raw(at).map_err(|error| fault::read(&error))?;
        if raw.is_null() {
            fields.null();
        } else {
            let bytes = raw.as_bytes().map_err(|_| DbTrouble::Damaged)?;
            form.read(bytes, fields).ok_or(DbTrouble::Damaged)?;
        }
    }
    Ok(())
}

/// A value in the binary form of its type.
struct Bound<'v> {
    form: Form,
    value: ValueRef<'v>,
}

impl Type<Postgres> for Bound<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(code::UNKNOWN))
    }
}

impl Encode<'_, Postgres> for Bound<'_> {
    fn encode_by_ref(
        &self,
        buffer: &mut PgArgumentBuffer,
    ) -> Result<IsNull, sqlx::error::BoxDynError> {
        if self.value == ValueRef::Null {
            return Ok(IsNull::Yes);
        }
        match self.form.write(self.value, buffer) {
            Some(()) => Ok(IsNull::No),
            None => Err("the value does not fit its type".into()),
        }
    }
}

fn bound(known: &Known, values: &[ValueRef<'_>]) -> Result<PgArguments, DbTrouble> {
    let mut arguments = PgArguments::default();
    for (form, value) in known.values.iter().zip(values) {
        let bound = Bound {
            form: *form,
            value: *value,
        };
        arguments.add(bound).map_err(|_| DbTrouble::Constraint {
            kind: "type",
            on: String::new(),
        })?;
    }
    Ok(arguments)
}
