//! A chunk on its way from the reading thread to the writing thread, whole or in pieces: values in
//! canonical form in one arena, so that no row costs an allocation; emptied batches go back and are filled
//! again.
//!
//! Not here: filling (`scan`), writing (`store`).

use crate::copy::counts::Counts;
use crate::copy::mapping::cell::Mend;
use crate::copy::tables::position::Position;

/// A chunk of judged rows.
#[derive(Default)]
pub(crate) struct Batch {
    /// Rows that go, one after the other in `values`, `keys`, `packed`, `money`, `mended`.
    pub(crate) rows: Vec<RowEnd>,
    /// What is bound: canonical values, or those that a server sent.
    pub(crate) values: Vec<u8>,
    /// The source key, then the key under each further name or NULL: canonical.
    pub(crate) keys: Vec<u8>,
    /// What undo keeps: the target key, half a digest.
    pub(crate) packed: Vec<u8>,
    /// Pence, one for each column of money.
    pub(crate) money: Vec<i64>,
    /// What was mended.
    pub(crate) mended: Vec<(usize, Mend)>,
    /// Rows that cannot go: source key, code, column.
    pub(crate) rejects: Vec<(String, &'static str, String)>,
    /// Rows for which another stands at the target.
    pub(crate) others: Vec<OtherName>,
    /// Every line that was looked at, with what came of it (`lines`).
    pub(crate) lines: Vec<u64>,
    /// Where each of them stands, as a digest, where the source tells later which rows are still the same.
    pub(crate) places: Vec<u64>,
    /// Rejected and filtered rows of this chunk, and what a second pass could not find.
    pub(crate) counts: Counts,
    /// Where the scan has got to.
    pub(crate) position: Position,
    /// Further pieces of the same chunk follow.
    pub(crate) open: bool,
    /// The scan is over.
    pub(crate) done: bool,
}

/// A name under which the crosswalk will know a row that stands already.
#[derive(Debug, Clone)]
pub(crate) struct OtherName {
    /// The dataset, one of its further names, or what tells that this is no row of its own.
    pub(crate) name: String,
    pub(crate) source_key: String,
    pub(crate) target_key: String,
}

/// Where a row ends in each part of its batch, and its digest.
pub(crate) struct RowEnd {
    pub(crate) values: usize,
    pub(crate) keys: usize,
    pub(crate) packed: usize,
    pub(crate) mended: usize,
    pub(crate) digest: [u8; 32],
    /// Which line it comes from.
    pub(crate) line: usize,
    /// The target refused it.
    pub(crate) gone: bool,
    /// Its values are as their server sent them.
    pub(crate) as_it_came: bool,
}

impl Batch {
    /// Empties it and keeps its room.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.values.clear();
        self.keys.clear();
        self.packed.clear();
        self.money.clear();
        self.mended.clear();
        self.rejects.clear();
        self.others.clear();
        self.lines.clear();
        self.places.clear();
        self.counts = Counts::default();
        self.open = false;
        self.done = false;
    }

    /// Nothing was noted in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.held() == 0 && self.counts == Counts::default()
    }

    /// Takes in the next piece of its chunk.
    pub(crate) fn take_in(&mut self, piece: &mut Batch) {
        let before = self.ends();
        self.values.extend_from_slice(&piece.values);
        self.keys.extend_from_slice(&piece.keys);
        self.packed.extend_from_slice(&piece.packed);
        self.money.extend_from_slice(&piece.money);
        self.mended.extend_from_slice(&piece.mended);
        self.lines.extend_from_slice(&piece.lines);
        self.places.extend_from_slice(&piece.places);
        self.rejects.append(&mut piece.rejects);
        self.others.append(&mut piece.others);
        self.rows.extend(piece.rows.drain(..).map(|row| RowEnd {
            values: before.values + row.values,
            keys: before.keys + row.keys,
            packed: before.packed + row.packed,
            mended: before.mended + row.mended,
            line: before.line + row.line,
            ..row
        }));
        self.counts.add_left(&piece.counts);
        self.position = std::mem::take(&mut piece.position);
        (self.open, self.done) = (piece.open, piece.done);
    }

    /// Rows that it holds, those included that do not go, and lines that came to none: each of those is
    /// remembered, too.
    pub(crate) fn held(&self) -> usize {
        let rows = self.rows.len() + self.rejects.len() + self.others.len();
        rows.max(self.lines.len())
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.keys.len() + self.packed.len()
    }

    /// Closes a row whose values, keys and packed key were appended.
    pub(crate) fn end_row(&mut self, digest: [u8; 32]) {
        let row = RowEnd {
            digest,
            ..self.ends()
        };
        self.rows.push(row);
    }

    /// Where each of its parts ends.
    fn ends(&self) -> RowEnd {
        RowEnd {
            values: self.values.len(),
            keys: self.keys.len(),
            packed: self.packed.len(),
            mended: self.mended.len(),
            digest: [0; 32],
            line: self.lines.len(),
            gone: false,
            as_it_came: false,
        }
    }
}
