//! Tests of plan.

mod broken;
mod dates;
mod decisions;
mod hanging;
mod map_files;
mod pages;
mod robust;
mod rules;
mod shipped;
