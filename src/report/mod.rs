//! The room `report`.

pub mod faults;
