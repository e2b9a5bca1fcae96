//! Codes of claims: one run, one executor. See `mod`.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO801",
        "another process drives this run",
        "A process, named in the message, holds the run and is alive.",
        "Two executors would do every step twice.",
        "Wait until it rests, or stop it: as soon as its process has ended the run can be carried on.",
    ),
    Entry::new(
        "HO802",
        "the run was taken over",
        "While this process stood still, its lease ran out and another executor claimed the run.",
        "Whatever this process had begun is refused by the journal and by every organisation's fence.",
        "Nothing was written. `handover status` shows where the run has got to.",
    ),
];
