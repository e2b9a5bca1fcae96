//! The pure core: the codec of lines, the law of runs, what is decided, going back, other papers.

mod amended;
mod exhaustive;
mod law;
mod line;
mod paper;
mod property;
mod replay;
mod sample;
mod signed;
mod together;
mod waiting;
mod witnessed;
mod world;

pub use sample::every_event as every_entry;
