//! Effects as a log tells of them, and the ledgers' rows held against that, one by one.
//!
//! In: every entry of a log; rows of `handover_effect`, as they stand in the organisations' databases or as
//! they were kept when the run was closed. Out: what differs, effect by effect. Memory grows with marks, one
//! for each chunk, never with rows.
//!
//! Not here: reading ledgers (`copy::ledger`), the rows that effects wrote (`copy::verify`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{About, Entry, Event, StepMarked};
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// A row of `handover_effect`, with its fields in the order of their names: as it is exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRow {
    /// Keyed root of what it wrote.
    pub digest: String,
    /// The lease's fencing number.
    pub epoch: u64,
    /// The step's generation.
    pub generation: u64,
    /// What sort, and on which table.
    pub kind: String,
    /// The journal's durable head when it began.
    pub log_seq: u64,
    /// From 1 in a generation.
    pub ordinal: u64,
    /// Rows written.
    pub rows: u64,
    /// The run.
    pub run: String,
    /// The step.
    pub step: String,
    /// Sum of the row digests, mod 2^256.
    pub sum: String,
    /// The position in the log at which it was undone, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<u64>,
}

/// What a log tells of effects.
#[derive(Debug, Clone, Default)]
pub struct Logged {
    /// By step and generation.
    deeds: BTreeMap<(StepId, u64), Told>,
    size: u64,
}

/// An effect, or a row of a ledger, that is not as the other says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// `PHANTOM_COMMIT`, `UNLOGGED_EFFECT`, `EFFECT_MISMATCH` or `ROLLBACK_ROOT`.
    pub code: &'static str,
    /// The step, where it is one of the log's.
    pub step: Option<StepId>,
    /// The entry that tells of the effect, where one does.
    pub seq: Option<u64>,
    /// One sentence, without personal data.
    pub says: String,
}

/// What a log tells of one carrying-out of one step.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Entries that began its work, each with its fencing number.
    begun: Vec<(u64, u64)>,
    /// Entries that began its undo.
    undoing: Vec<u64>,
    /// Effects that no row has answered for, by ordinal.
    marks: BTreeMap<u64, Mark>,
    /// The newest ordinal, and the rows up to it.
    last: (u64, u64),
    end: End,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// It may go on, or may have stopped between an effect and its mark.
    #[default]
    Open,
    Committed,
    /// Its undo was finished, in this entry; so many rows were left and reported.
    Undone {
        seq: u64,
        reported: u64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    seq: u64,
    rows: u64,
    root: Digest,
}

impl Logged {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.size = entry.seq + 1;
        let Some(about) = &entry.about else { return };
        match &entry.event {
            Event::StepStarted(_) => self.told(about).begun.push((entry.seq, entry.epoch)),
            Event::StepMarked(mark) => self.told(about).mark(entry.seq, mark),
            Event::StepCommitted(_) => self.told(about).end = End::Committed,
            Event::UndoStarted(_) => self.told(about).undoing.push(entry.seq),
            Event::UndoCommitted(undone) => {
                self.told(about).end = End::Undone {
                    seq: entry.seq,
                    reported: undone.reported,
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, about: &About) -> &mut Told {
        let deed = (about.step.clone(), u64::from(about.generation));
        self.deeds.entry(deed).or_default()
    }

    /// How many entries it took.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Carryings-out that were undone: step, generation, the entry that says so, rows that it reports left.
    pub fn undone(&self) -> impl Iterator<Item = (&StepId, u64, u64, u64)> {
        self.deeds
            .iter()
            .filter_map(|((step, generation), told)| match told.end {
                End::Undone { seq, reported } => Some((step, *generation, seq, reported)),
                End::Open | End::Committed => None,
            })
    }

    /// Holds a ledger's row against the log; what it answers for is no longer open. `head` is how many
    /// entries the log may have by now, where it is still written: what they tell is not looked for.
    pub fn hold(&mut self, row: &LedgerRow, head: u64) -> Option<Differs> {
        let news = |seq: u64| seq >= self.size && seq < head;
        let later = news(row.log_seq) || row.undone_at.is_some_and(news);
        let step = StepId::from(row.step.as_str());
        let told = self.deeds.get_mut(&(step.clone(), row.generation));
        if later {
            told.map(|told| told.marks.remove(&row.ordinal));
            return None;
        }
        let Some(told) = told else {
            // Whatever stands there as a step's name is not ours to repeat.
            let says = "a ledger tells of an effect of a step, or a generation, that the log does not know";
            return Some(Differs::new("UNLOGGED_EFFECT", None, None, says.to_owned()));
        };
        let (code, seq, says) = told.differs(row)?;
        let says = format!("{row}: {says}");
        Some(Differs::new(code, Some(step), seq, says))
    }

    /// Effects that no row answered for, once every ledger was held against it.
    pub fn unanswered(&self) -> impl Iterator<Item = Differs> {
        self.deeds.iter().flat_map(|((step, generation), told)| {
            told.marks.iter().map(move |(ordinal, mark)| {
                let says = format!(
                    "effect {ordinal} of `{step}`, generation {generation}: no ledger has it"
                );
                Differs::new("PHANTOM_COMMIT", Some(step.clone()), Some(mark.seq), says)
            })
        })
    }
}

/// A code, the entry that tells of the effect, what is the matter.
type Found = (&'static str, Option<u64>, String);

impl Told {
    fn mark(&mut self, seq: u64, body: &StepMarked) {
        let rows = body.rows.saturating_sub(self.last.1);
        let root = body.root;
        self.marks.insert(body.ordinal, Mark { seq, rows, root });
        self.last = (body.ordinal, body.rows);
    }

    fn differs(&mut self, row: &LedgerRow) -> Option<Found> {
        let Some(mark) = self.marks.remove(&row.ordinal) else {
            return self.unmarked(row);
        };
        let found = |code, says: &str| Some((code, Some(mark.seq), says.to_owned()));
        match (self.end, row.undone_at) {
            (End::Undone { .. }, None) => {
                return found(
                    "ROLLBACK_ROOT",
                    "it stands, and the log says it was taken back",
                );
            }
            (End::Committed, Some(_)) => {
                return found(
                    "PHANTOM_COMMIT",
                    "it was taken back, and the log says it stands",
                );
            }
            _ => {}
        }
        if row.digest != mark.root.to_string() || row.rows != mark.rows {
            return found(
                "EFFECT_MISMATCH",
                "its rows or their root are not those of its mark",
            );
        }
        if !self.is_begun(row, mark.seq) {
            return found(
                "EFFECT_MISMATCH",
                "it did not begin at the entry that it names",
            );
        }
        if !self.is_undone_where_it_says(row) {
            return found(
                "EFFECT_MISMATCH",
                "it was not taken back at the entry that it names",
            );
        }
        None
    }

    /// A crash between effects and their marks leaves the ledger some effects ahead, until the step goes on.
    fn unmarked(&self, row: &LedgerRow) -> Option<Found> {
        let behind = row.ordinal > self.last.0;
        let honest = match self.end {
            End::Open => behind,
            End::Committed => false,
            End::Undone { .. } => behind && row.undone_at.is_some(),
        };
        let says = "the log tells of no such effect";
        (!honest).then(|| ("UNLOGGED_EFFECT", None, says.to_owned()))
    }

    /// It began with the newest start before it, under its lease, and before its mark.
    fn is_begun(&self, row: &LedgerRow, mark: u64) -> bool {
        let before = |(seq, _): &&(u64, u64)| *seq <= row.log_seq;
        let start = self.begun.iter().rfind(before);
        row.log_seq < mark && start.is_some_and(|(_, epoch)| *epoch == row.epoch)
    }

    fn is_undone_where_it_says(&self, row: &LedgerRow) -> bool {
        let Some(at) = row.undone_at else { return true };
        let begun = self.undoing.iter().any(|seq| *seq <= at);
        begun && !matches!(self.end, End::Undone { seq, .. } if at >= seq)
    }
}

impl Differs {
    fn new(code: &'static str, step: Option<StepId>, seq: Option<u64>, says: String) -> Differs {
        Differs {
            code,
            step,
            seq,
            says,
        }
    }
}

impl std::fmt::Display for LedgerRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (step, ordinal, generation) = (&self.step, self.ordinal, self.generation);
        write!(f, "effect {ordinal} of `{step}`, generation {generation}")
    }
}
