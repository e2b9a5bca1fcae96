//! A table as we read it and write it: its key and stored columns, the order it is read in, rows by
//! their exact keys, its own triggers.
//!
//! Not here: what is remembered of rows that were written (`ledger`).

pub(super) mod indexes;
pub(super) mod keyed;
pub(super) mod position;
pub(super) mod shape;
pub(super) mod triggers;
