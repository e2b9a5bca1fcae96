//! The room `demo`.

pub mod generate;
pub mod schema;
