//! The copy itself: one dataset after the other, chunk by chunk, rows and ledger row in one
//! transaction, going on from the last durable chunk.

use std::collections::BTreeMap;

use super::ledger::{Deed, Effect};
use super::look::{Counts, Route};
use crate::orgdb::{DbFault, OrgReader, OrgWriter};
use crate::plan::digest::Digest;
use crate::plan::map::Map;
use crate::plan::model::{Code, Triggers};

/// What to copy.
#[derive(Clone)]
pub struct Load {
    /// The map.
    pub map: std::sync::Arc<Map>,
    /// Source tables this step may read rows of.
    pub tables: Vec<String>,
    /// How the source is shared out.
    pub route: Route,
    /// Which target this is.
    pub target: Code,
    /// What target triggers do.
    pub triggers: Option<Triggers>,
    /// Rows a chunk holds at most.
    pub chunk_rows: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Counts by dataset.
    pub datasets: BTreeMap<String, Counts>,
    /// Keyed dataset roots.
    pub roots: BTreeMap<String, Digest>,
    /// How many effects stand in the ledger for it.
    pub effects: u64,
}

/// Why a copy stopped.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    /// A database said so.
    #[error(transparent)]
    Db(#[from] DbFault),
    /// The data said so: a code of `explain`, the dataset and column, how many rows.
    #[error("{code}: {rows} rows of `{dataset}.{column}`")]
    Data {
        /// `HO511` and so on.
        code: &'static str,
        /// The dataset.
        dataset: String,
        /// The target column.
        column: String,
        /// Rows met so far.
        rows: u64,
    },
}

/// Copies, from wherever the ledger says this generation has got to. `chunk_done` hears of each
/// durable chunk (those of before a crash first).
///
/// # Errors
/// See [`LoadFault`]. What is durable stays, with its ledger.
pub async fn load(
    _source: &OrgReader,
    _target: &OrgWriter,
    _load: Load,
    _deed: &Deed,
    _chunk_done: impl FnMut(&Effect) + Send,
) -> Result<Loaded, LoadFault> {
    todo!()
}
