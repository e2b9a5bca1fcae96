//! The one integration binary. `tidy` fails if a file below this folder is not a module of it.

#![expect(
    clippy::unwrap_used,
    reason = "whatever a test did not expect fails it, and the line says where"
)]
#![expect(
    unreachable_pub,
    reason = "a test room's `pub` means: for the other files of the room"
)]

mod cases;
mod copying;
mod crash;
mod demo;
mod engines;
mod export;
mod journal;
mod machine;
mod plan;
mod seal;
mod signature;
mod steps;
mod surface;
mod tamper;
mod tidy;
