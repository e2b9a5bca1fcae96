//! The demo: invented organisations, the shipped plans, invented people, and a story in which a
//! transfer is checked, previewed, signed, run, broken, rolled back, mended, finished, verified and
//! replayed.
//!
//! In: a folder, a plan's name, a size, a seed. Out: a plan folder with databases that anybody may
//! play on with.
//!
//! Not here: printing (`cli`), and no code that the copier also uses to know the truth.

pub mod generate;
mod home;
pub mod keys;
pub mod papers;
pub mod people;
pub mod prints;
mod proof;
pub mod schema;
pub mod servers;
pub mod story;
mod witnesses;
