//! Connections: one blocking thread each, asked through messages.

use super::{Address, Catalogue, DbFault, Sql, Value};

/// A read-only connection.
#[derive(Clone)]
pub struct OrgReader {}

/// A connection that may write. Only `run` opens one.
#[derive(Clone)]
pub struct OrgWriter {}

/// An open write transaction; dropped without `commit`, it is rolled back.
pub struct Tx {}

impl OrgReader {
    /// Opens `address` read-only; `org` is named in faults.
    ///
    /// # Errors
    /// When there is no usable database.
    pub async fn open(_org: &str, _address: &Address) -> Result<OrgReader, DbFault> {
        todo!()
    }

    /// The organisation's code.
    #[must_use]
    pub fn org(&self) -> &str {
        todo!()
    }

    /// Runs a query and gathers its rows: for small answers.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rows(&self, _sql: Sql, _values: Vec<Value>) -> Result<Vec<Vec<Value>>, DbFault> {
        todo!()
    }

    /// The database's shape.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn catalogue(&self) -> Result<Catalogue, DbFault> {
        todo!()
    }

    /// Runs `work` on the connection's own thread: the bulk path.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn with<T: Send + 'static>(
        &self,
        _work: impl FnOnce(&mut rusqlite::Connection) -> Result<T, DbFault> + Send + 'static,
    ) -> Result<T, DbFault> {
        todo!()
    }
}

impl OrgWriter {
    /// Opens `address` for writing; the file must exist.
    ///
    /// # Errors
    /// When there is no usable database.
    pub async fn open(_org: &str, _address: &Address) -> Result<OrgWriter, DbFault> {
        todo!()
    }

    /// The organisation's code.
    #[must_use]
    pub fn org(&self) -> &str {
        todo!()
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// When the database is locked past our patience or refuses.
    pub async fn begin(&self) -> Result<Tx, DbFault> {
        todo!()
    }

    /// As [`OrgReader::with`].
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn with<T: Send + 'static>(
        &self,
        _work: impl FnOnce(&mut rusqlite::Connection) -> Result<T, DbFault> + Send + 'static,
    ) -> Result<T, DbFault> {
        todo!()
    }
}

impl Tx {
    /// Runs one statement; how many rows it changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&mut self, _sql: Sql, _values: Vec<Value>) -> Result<u64, DbFault> {
        todo!()
    }

    /// Runs a query and gathers its rows.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rows(
        &mut self,
        _sql: Sql,
        _values: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, DbFault> {
        todo!()
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn commit(self) -> Result<(), DbFault> {
        todo!()
    }
}
