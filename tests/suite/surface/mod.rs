//! What people and programs see: every report drawn, plain and as JSON, with hand-made data.

mod codes;
mod compared;
mod docs;
mod fixture;
mod folded;
mod made;
mod manners;
mod narrowed;
mod papers;
mod progress;
mod reconciliation;
mod reports;
mod schemas;
mod signing;
mod stale;
mod words;
