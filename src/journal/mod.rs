//! The one durable truth: who holds a run, and the very bytes of its step log.
//!
//! In come drafts of facts from whoever holds the claim; out go entries with their place in the
//! chain, and later the same bytes again, checked. Reading order: `store` opens the file, `claim`
//! says who may write, `append` writes, `lines` reads, `papers` keeps files by digest, `key` keeps
//! the run key, `export` hands a log to auditors, `recover` goes on after a loss.
//!
//! Not here: what a fact does to a run (`machine`), the organisations' ledgers (`orgdb`, `copy`),
//! a clock: time comes in as a [`Moment`].

mod append;
mod claim;
mod export;
mod fault;
mod key;
mod lines;
mod lock;
mod papers;
mod place;
mod recover;
mod schema;
mod store;

pub use append::{Draft, Moment, NewRun};
pub use claim::{Claimant, Holder, Lease};
pub use export::LogFolder;
pub use fault::{Db, JournalFault};
pub use key::{create_key, destroy_key, load_key};
pub use lines::{Entries, Line, Lines};
pub use place::boot;
pub use recover::{Loss, Seen};
pub use store::{Journal, RunHead};
