//! Tests of plan.

mod map_files;
