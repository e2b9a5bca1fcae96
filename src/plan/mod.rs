//! Text in, checked `Plan` out: spans, every fault at once, the graph, digests.
//!
//! Not here: databases, clocks, environment variables.

pub mod codes;
mod cycle;
mod dates;
pub mod digest;
pub mod fault;
mod form;
pub mod keys;
pub mod map;
mod map_columns;
mod map_file;
pub mod model;
mod near;
pub mod outline;
pub mod papers;
mod people;
mod read;
mod source;

pub use map_file::read_map;
pub use read::read;
