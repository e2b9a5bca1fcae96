//! Keys of a paper of decisions about rows that share a natural key.

use super::{Key, Shape, may, must};

/// The tables of the paper.
pub const DECISIONS: &[Key] = &[
    must(
        "format",
        Shape::Whole(1, 1),
        "1",
        "The version of this file's format.",
    ),
    may(
        "group",
        Shape::Tables(GROUP),
        "[[group]]",
        "Rows that share a natural key, as `handover check --propose` wrote them.",
    ),
];

/// `[[group]]`
pub const GROUP: &[Key] = &[
    must(
        "dataset",
        Shape::Text,
        "\"person\"",
        "The dataset whose rows they are.",
    ),
    must(
        "rows",
        Shape::Texts,
        "[\"canterbury:00000012/1\", \"dover:00000099/2\"]",
        "The rows, each by its organisation and its key there; references only. Where they are the same, the one that stands before the others stands for all.",
    ),
    must(
        "verdict",
        Shape::Word(&["same", "different", "open"]),
        "\"same\"",
        "What somebody decided. `open` stops the copy.",
    ),
];
