//! `HO7xx`: rollback and undo.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO701",
        "rows changed since",
        "Rows that the run wrote have been edited at the organisation since.",
        "Taking them back would throw somebody's work away.",
        "Look at them first. The undo modes are `refuse` (the default), `skip` (keep those rows) and `force` (take them back too).",
    ),
    Entry::new(
        "HO702",
        "an undo that needs a person",
        "The step's undo word is `by hand`: a person does it and attests it.",
        "",
        "Do what the words say, then record it with `handover approve`.",
    ),
];
