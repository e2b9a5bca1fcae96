//! What auditors and other tools are handed: packs, the annex, views of the log. Everything is judged by
//! programs that are not ours where there are such.

pub mod authority;
mod bags;
mod judges;
mod packs;
pub mod stage;
mod verified;
