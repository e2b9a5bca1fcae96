//! A map's dataset, compiled: whose a row is, whether it goes, its target key, each of its columns.
//!
//! In: the plan's map, the two catalogues, raw rows. Out: rows in canonical form, or why not.
//!
//! Not here: scanning the source (`reading`), the map's text (`plan`).

pub(super) mod cell;
pub(super) mod crosswalk;
pub(super) mod draw;
pub(super) mod gather;
mod glance;
mod lately;
pub(super) mod layout;
mod needs;
pub(super) mod owner;
pub(super) mod program;
pub(super) mod rules;
pub(super) mod sight;
