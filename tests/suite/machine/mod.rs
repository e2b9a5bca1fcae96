//! The pure core: the codec of lines, the law of runs, what is decided, going back, other papers.

mod exhaustive;
mod paper;
mod replay;
mod world;
