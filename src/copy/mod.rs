//! Rows from source to target: chunk, map, load, ledger, verify, undo. The ledger and the undo in
//! here serve every step kind that writes to an organisation's database.
//!
//! In: a map, a source reader, a target writer, an effect key. Out: durable rows with their ledger,
//! counts by class, keyed roots.
//!
//! Not here: which step does what when (`steps`, `run`), the journal.

mod batch;
mod canon;
pub mod catch_up;
mod cell;
mod children;
mod chunk;
mod convert;
mod crosswalk;
mod draw;
mod effect;
pub mod extra;
pub mod fit;
mod found;
mod gather;
mod into_file;
mod into_server;
mod keyed;
mod lately;
mod layout;
pub mod ledger;
mod lines;
pub mod load;
pub mod look;
pub mod narrow;
mod packed;
mod pen;
mod position;
mod program;
mod rereading;
mod scan;
pub mod seen;
mod shape;
mod sight;
pub mod slices;
mod standing;
mod store;
mod strangers;
mod survey;
mod taking_back;
mod tally;
mod triggers;
pub mod undo;
mod untouched;
pub mod verify;
mod walk;
mod wholly;
