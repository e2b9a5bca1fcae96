//! Tests of plan.

mod broken;
mod map_files;
mod shipped;
