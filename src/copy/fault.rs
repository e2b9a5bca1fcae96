//! Why a copy stopped.
//!
//! Not here: what a step makes of it (`steps`), what a database says (`orgdb`).

use crate::orgdb::DbFault;

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
    /// A foreign key that stood aside does not hold over the rows that came in meanwhile.
    #[error("HO543: {rows} rows of `{table}` have no parent that `{name}` asks for")]
    Orphans {
        /// The target table.
        table: String,
        /// The foreign key.
        name: String,
        /// Rows that refer to nothing.
        rows: u64,
    },
}
