//! The one durable truth: who holds a run, and the very bytes of its step log.
//!
//! In come drafts of facts from whoever holds the claim; out go entries with their place in the
//! chain, and later the same bytes again, checked. Reading order: `store` opens the file, `claim`
//! says who may write, `begun` who may begin, `append` writes, `lines` reads, `sealing` signs heads and `seals` keeps them,
//! `papers` keeps files by digest, `key` and `log_key` keep keys, `export` hands a log to auditors, `recover` goes on after a loss.
//!
//! Not here: what a fact does to a run (`machine`), the organisations' ledgers (`orgdb`, `copy`),
//! a clock: time comes in as a [`Moment`].

mod append;
mod begun;
mod claim;
mod export;
mod fault;
mod key;
mod lines;
mod lock;
mod log_key;
mod papers;
mod place;
mod recover;
mod schema;
mod sealing;
mod seals;
mod store;
mod whole;
mod witness_book;

pub use append::{Draft, Moment, NewRun};
pub use claim::{Claimant, Holder, Lease, Opening};
pub use export::LogFolder;
pub use fault::{Db, JournalFault};
pub use key::{adopt_key, create_key, destroy_key, load_key};
pub use lines::{Entries, Line, Lines};
pub use log_key::{
    draw_witness_key, keep_witness_key, load_log_key, load_witness_key, own_log_vkey,
};
pub use papers::listed;
pub use place::boot;
pub use recover::{Loss, Seen};
pub use sealing::Sealer;
pub use seals::StoredSeal;
pub use store::{Journal, RunHead};
pub(crate) use whole::{For, put_whole};
pub use witness_book::WitnessBook;
