//! Handover carries out the transfer of a council-housing service between a council and its
//! arm's-length management organisation (ALMO). This page is the map of the house.
//!
//! ```text
//! plan folder -> Plan -> Run --decide--> Command --perform--> Outcome --record--> Event
//!                         ^                                                        |
//!                         +------------ apply <- Entry <- append (journal) <-------+
//! ```
//!
//! Data goes one way. A run's state is only ever the fold of its journal: live run, resume, preview
//! and replay go through the same `apply` and `decide`. Rooms in reading order:

pub mod calendar;
pub mod cli;
pub mod copy;
pub mod demo;
pub mod export;
pub mod journal;
pub mod machine;
pub mod notify;
pub mod orgdb;
pub mod plan;
pub mod preview;
pub mod replay;
pub mod report;
pub mod run;
pub mod seal;
pub mod signature;
pub mod steps;
