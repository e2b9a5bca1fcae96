//! The journal: what is appended survives, whoever does not hold the claim writes nothing, and
//! whatever is done to the file is noticed.

mod begun;
mod claims;
mod entries;
