//! An organisation's database behind one face, whatever its engine. `OrgReader` cannot write: its
//! session is opened read-only. `OrgWriter` can, and only `run` opens one. Each session lives on a
//! blocking thread of its own.
//!
//! In: addresses, SQL built from quoted identifiers, values. Out: rows, catalogues, faults without
//! any value or driver text in them.
//!
//! Not here: plans and steps, our ledger (`copy::ledger`), the journal.

pub mod address;
pub(crate) mod canon;
pub mod catalogue;
mod connection;
pub(crate) mod crash;
pub(crate) mod decimal;
mod desk;
mod dialect;
pub mod fault;
pub(crate) mod horizon;
mod information;
pub mod kind;
pub mod link;
mod mariadb;
mod memo;
pub(crate) mod moment;
pub(crate) mod plain;
mod postgres;
mod row;
pub mod sql;
mod sqlite;
mod tls;

pub use address::Address;
pub use catalogue::Catalogue;
pub use connection::{OrgReader, OrgWriter, Tx};
pub use dialect::Dialect;
pub use fault::{DbFault, DbTrouble};
pub use link::Link;
pub use row::{Fields, Row};
pub use rusqlite::types::ValueRef;
pub use sql::{Ident, Sql, Value};
