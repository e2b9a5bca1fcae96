//! The heart, pure: facts (`Event`, `Entry`), the state they fold into (`Run::apply`), and what should
//! happen next (`Run::decide`). No database, no clock, no randomness.

pub mod event;
pub mod key;
pub mod time;
