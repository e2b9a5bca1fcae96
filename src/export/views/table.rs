//! The log as CSV for Disco, Celonis or a spreadsheet: one line an activity, in the order of the log.

use std::io::{self, Write};

use super::{Teller, Told, activity};
use crate::machine::event::Entry;

const HEAD: [&str; 6] = [
    "case_id",
    "activity",
    "timestamp_utc",
    "lifecycle",
    "resource",
    "seq",
];

pub(super) struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    pub(super) fn new(out: W) -> io::Result<Table<W>> {
        let mut table = csv::Writer::from_writer(out);
        table.write_record(HEAD)?;
        Ok(Table(table))
    }
}

impl<W: Write> Teller for Table<W> {
    fn entry(&mut self, entry: &Entry, told: &Told) -> io::Result<()> {
        let Some(activity) = activity::of(entry, told) else {
            return Ok(());
        };
        let cells = [
            tame(activity.case),
            tame(activity.name),
            entry.at.to_string(),
            activity.lifecycle.to_owned(),
            tame(activity::resource(entry).to_owned()),
            entry.seq.to_string(),
        ];
        Ok(self.0.write_record(cells)?)
    }

    fn end(mut self, _: &Told) -> io::Result<()> {
        self.0.flush()
    }
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
fn tame(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn a_name_that_begins_like_a_formula_does_nothing_in_a_spreadsheet() {
        for cell in ["=1+1", "+44", "-2", "@SUM(A1)", "\tx"] {
            assert_eq!(tame(cell.to_owned()), format!("'{cell}"));
        }
        assert_eq!(tame("copy-homes".to_owned()), "copy-homes");
    }
}
