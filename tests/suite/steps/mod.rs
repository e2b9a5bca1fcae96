//! The kinds of steps: what each does, and the contract that all of them keep.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "fixtures are short"
)]

mod catching;
mod contract;
mod contracts;
mod copies;
mod freezes;
mod letters;
mod narrowed;
mod rules;
mod shipped;
mod staff;
mod switches;
mod totals;
mod world;
