//! What a value is: its canonical form, how raw values become it, what target columns make of it, and
//! what digests over it add up to.
//!
//! Not here: columns and tables (`tables`), what a map does to a value (`mapping`).

pub(super) mod convert;
pub mod fit;
pub(super) mod tally;

pub(super) use crate::orgdb::canon;
