//! Text in, checked `Plan` out: spans, every fault at once, the graph, digests.
//!
//! Not here: databases, clocks, environment variables.

pub mod codes;
pub mod digest;
pub mod fault;
pub mod map;
pub mod model;
pub mod outline;
pub mod papers;
mod read;

pub use read::read;
