//! The made-up worlds, and the maps that belong to them.

mod copied;
mod generated;
mod maps;
mod reconciled;
mod registers;
