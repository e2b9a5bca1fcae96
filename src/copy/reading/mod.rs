//! The reading side of a copy: a source table scanned in its order, judged row after row, sent on in
//! chunks, with what was seen of each line.
//!
//! Not here: what a row becomes (`mapping`), making it durable (`writing`).

pub(super) mod batch;
pub(super) mod lines;
pub(super) mod scan;
