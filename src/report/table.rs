//! Columns in 80 characters. A cell too wide for its column pushes the rest of its row to the next
//! line; the last column wraps. No fact is cut off.
//!
//! Not here: which facts stand in which column.

use super::ink::{WIDTH, wrap};

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table being filled.
pub(super) struct Table {
    columns: Vec<(Side, usize)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns with the most characters that each may take; the last takes what is left.
    pub(super) fn new(columns: &[(Side, usize)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: one cell for each column.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines, each after `lead`.
    pub(super) fn lines(&self, lead: &str) -> Vec<String> {
        let widths = self.widths();
        let rows = self.rows.iter();
        rows.flat_map(|row| self.drawn(lead, row, &widths))
            .collect()
    }

    /// Each column as wide as its widest cell, within its limit.
    fn widths(&self) -> Vec<usize> {
        let widest = |at: usize, most: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            let fitting = cells
                .map(|cell| cell.chars().count())
                .filter(|w| *w <= most);
            fitting.max().unwrap_or(0)
        };
        let columns = self.columns.iter().enumerate();
        columns.map(|(at, (_, most))| widest(at, *most)).collect()
    }

    fn drawn(&self, lead: &str, row: &[String], widths: &[usize]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = lead.to_owned();
        let mut start = lead.chars().count();
        for (at, cell) in row.iter().enumerate() {
            let (side, width) = (self.columns[at].0, widths[at]);
            let length = cell.chars().count();
            let used = line.chars().count();
            if used > start {
                // The cell before did not fit: this one goes under its own column on a new line.
                lines.push(std::mem::take(&mut line));
            }
            let used = line.chars().count();
            line.push_str(&" ".repeat(start.saturating_sub(used)));
            let last = at + 1 == row.len();
            if last && side == Side::Left {
                let room = WIDTH.saturating_sub(start).max(12);
                let mut parts = wrap(cell, room).into_iter();
                line.push_str(&parts.next().unwrap_or_default());
                for part in parts {
                    lines.push(std::mem::replace(&mut line, " ".repeat(start) + &part));
                }
                break;
            }
            if side == Side::Right {
                line.push_str(&" ".repeat(width.saturating_sub(length)));
            }
            line.push_str(cell);
            start += width + 2;
        }
        lines.push(line);
        lines
    }
}
