//! The one integration binary. `tidy` fails if a file below this folder is not a module of it.

mod copying;
mod crash;
mod demo;
mod journal;
mod machine;
mod plan;
mod steps;
mod surface;
mod tidy;
