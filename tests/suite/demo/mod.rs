//! The made-up worlds, and the maps that belong to them.

mod generated;
mod maps;
