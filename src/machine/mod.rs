//! The heart, pure: facts (`Event`, `Entry`), the state they fold into (`Run::apply`), and what should
//! happen next (`Run::decide`). No database, no clock, no randomness.

pub mod amend;
mod apply;
pub mod canonical;
pub mod decide;
pub mod event;
pub mod gate;
mod graph;
pub mod illegal;
pub mod key;
pub mod line;
pub mod rests;
pub mod rollback;
pub mod run;
pub mod schema;
pub mod state;
mod take;
pub mod time;
