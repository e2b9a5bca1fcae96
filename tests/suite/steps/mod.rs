//! The kinds of steps: what each does, and the contract that all of them keep.

mod contract;
mod contracts;
mod copies;
mod freezes;
mod letters;
mod shipped;
mod staff;
mod switches;
mod world;
