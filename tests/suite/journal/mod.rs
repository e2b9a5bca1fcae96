//! The journal: what is appended survives, whoever does not hold the claim writes nothing, and
//! whatever is done to the file is noticed.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod begun;
mod children;
mod claims;
mod damage;
mod entries;
mod exports;
mod files;
mod recovery;
mod seconds;
