//! Our tables inside an organisation's database, and the pen that writes rows together with their
//! ledger row in one transaction: every effect happens once.

use uuid::Uuid;

use crate::machine::key::RunKey;
use crate::orgdb::{DbFault, Ident, OrgReader, OrgWriter, Sql, Value};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// Which carrying-out of which step of which run an effect belongs to.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The run.
    pub run: Uuid,
    /// The step.
    pub step: StepId,
    /// Its generation.
    pub generation: u32,
    /// The lease's fencing number.
    pub epoch: u64,
    /// The journal's durable head when the effect began.
    pub log_seq: u64,
    /// The run's key.
    pub key: RunKey,
}

/// An effect that stands in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// From 1 in a generation.
    pub ordinal: u64,
    /// What sort, and on which table: `insert:transaction`, `update:employee`, `freeze:rtrans`.
    pub kind: String,
    /// Rows written.
    pub rows: u64,
    /// Keyed root.
    pub root: Digest,
}

/// Makes our tables where they are missing.
///
/// # Errors
/// When the database refuses.
pub async fn prepare(_writer: &OrgWriter) -> Result<(), DbFault> {
    todo!()
}

/// Raises the fence of `run` to `epoch`.
///
/// # Errors
/// `Fenced` when a higher number stands there, `AheadOfJournal` when the fence or a ledger row is
/// beyond `epoch` or `head`: the journal was cut or restored.
pub async fn raise_fence(
    _writer: &OrgWriter,
    _run: Uuid,
    _epoch: u64,
    _head: u64,
) -> Result<(), DbFault> {
    todo!()
}

/// Effects of a step's generation that are durable here, by ordinal: the truth after a crash.
///
/// # Errors
/// When the database refuses.
pub async fn effects(
    _reader: &OrgReader,
    _run: Uuid,
    _step: &StepId,
    _generation: u32,
) -> Result<Vec<Effect>, DbFault> {
    todo!()
}

/// Writes rows with their ledger row: begun with the fence locked and compared, ended by `commit`.
pub struct Pen {}

impl Pen {
    /// Begins effect `ordinal`; `None` when it stands in the ledger already (done before a crash).
    ///
    /// # Errors
    /// `Fenced`, or when the database refuses.
    pub async fn begin(
        _writer: &OrgWriter,
        _deed: &Deed,
        _ordinal: u64,
        _kind: &str,
    ) -> Result<Option<Pen>, DbFault> {
        todo!()
    }

    /// Inserts rows of a keyed table; undo deletes exactly these keys.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn insert(
        &mut self,
        _table: &Ident,
        _columns: &[Ident],
        _rows: Vec<Vec<Value>>,
    ) -> Result<(), DbFault> {
        todo!()
    }

    /// Changes columns of the row (or rows) where `key` columns have these values, before-images
    /// kept; undo puts them back. How many rows were changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn update(
        &mut self,
        _table: &Ident,
        _key: &[(Ident, Value)],
        _set: &[(Ident, Value)],
    ) -> Result<u64, DbFault> {
        todo!()
    }

    /// A change of the schema with the statement that takes it back (freeze triggers).
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn change(&mut self, _redo: Sql, _undo: Sql) -> Result<(), DbFault> {
        todo!()
    }

    /// Reads inside the transaction.
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

    /// Makes rows and ledger row durable together.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn commit(self) -> Result<Effect, DbFault> {
        todo!()
    }
}
