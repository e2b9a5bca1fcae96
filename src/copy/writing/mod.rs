//! The writing side of a copy: a chunk's rows into the target, with their ledger row, in one
//! transaction.
//!
//! Not here: the ledger's own tables (`ledger`), taking rows out again (`undo`).

pub(super) mod aside;
pub(super) mod chunk;
pub(super) mod groups;
pub(super) mod hand;
mod into_file;
mod into_server;
pub(super) mod locked;
mod other_names;
pub(super) mod store;
mod turns;
