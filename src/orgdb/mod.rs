//! An organisation's database behind one face. `OrgReader` cannot write: its connection is opened
//! read-only. `OrgWriter` can, and only `run` opens one. Each SQLite connection lives on a blocking
//! thread of its own.
//!
//! In: addresses, SQL built from quoted identifiers, values. Out: rows, catalogues, faults without
//! any value or driver text in them.
//!
//! Not here: plans and steps, our ledger (`copy::ledger`), the journal.

pub mod address;
pub mod catalogue;
mod connection;
mod desk;
pub mod fault;
mod holder;
mod memo;
mod open;
pub mod sql;

pub use address::Address;
pub use catalogue::Catalogue;
pub use connection::{OrgReader, OrgWriter, Tx};
pub use fault::{DbFault, DbTrouble};
pub use sql::{Ident, Sql, Value};
