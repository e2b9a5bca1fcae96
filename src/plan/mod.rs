//! Text in, checked `Plan` out: spans, every fault at once, the graph, digests.
//!
//! Not here: databases, clocks, environment variables.

mod authored;
mod bound;
pub mod codes;
pub mod condition;
mod cycle;
mod dates;
pub mod decisions;
pub mod digest;
mod explain;
mod fan;
pub mod fault;
mod form;
mod head;
pub mod keys;
pub mod map;
mod map_collision;
mod map_columns;
mod map_condition;
mod map_file;
mod map_order;
mod map_scope;
mod map_split;
mod meeting;
pub mod model;
mod names;
mod near;
pub mod outline;
pub mod papers;
mod people;
pub mod postcode;
mod proof;
pub mod public_key;
pub mod quorum;
mod read;
mod reference;
pub mod references;
mod schema;
mod seats;
mod sense;
mod shelf;
mod source;
mod specs;
pub mod split;
pub mod template;
mod totals;
mod trust;
pub mod vkey;
mod whose;

pub use explain::{explain, nearest};
pub use map_file::read_map;
pub use people::nameless as people_without_names;
pub use read::read;
pub use reference::reference;
pub use schema::schema;
