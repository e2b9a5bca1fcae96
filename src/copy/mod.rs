//! Rows from source to target: chunk, map, load, ledger, verify, undo. The ledger and the undo in
//! here serve every step kind that writes to an organisation's database.
//!
//! ```text
//! source --reading--> chunks --writing--> target + ledger --verify--> as written, or what differs
//!            ^ mapping                                     --undo----> as it was before
//! ```
//!
//! `load` is the copy itself and `catch_up` what repeats it for lines that changed; `look` runs the
//! same programs with nowhere to write to. All stand on `value` (what a value is) and `tables` (a table
//! as we write it and find its rows again).
//!
//! In: a map, a source reader, a target writer, an effect key. Out: durable rows with their ledger,
//! counts by class, keyed roots.
//!
//! Not here: which step does what when (`steps`, `run`), the journal.

pub mod catch_up;
pub mod counts;
pub mod fault;
pub mod ledger;
pub mod load;
pub mod look;
mod mapping;
pub mod namesakes;
mod reading;
pub mod route;
mod standing;
mod tables;
pub mod undo;
pub mod value;
pub mod verify;
mod writing;
