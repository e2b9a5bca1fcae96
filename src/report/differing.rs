//! Rows that are not as they were written, each told to its column: table, keyed digest, column, class.
//! Values stand in it only where those who may see them asked, and then it says so first.
//!
//! In: rows as they were narrowed. Out: lines for `proof`.
//!
//! Not here: what was found (`run::against_live`), who may see values (`cli`).

use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner, Tone};
use super::table::{Side, Table};

/// Said before any value.
pub const PERSONAL: &str =
    "Personal data follow, for those who may see them; they are kept nowhere.";

/// Digits of a row's digest that a drawn table shows; JSON has all of them.
const DIGITS: usize = 16;

/// A column of a row that differs, or a whole row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DifferingRow {
    /// The step that wrote the row, or looked for rows that nobody wrote.
    pub step: String,
    /// The table.
    pub table: String,
    /// Keyed digest of the row's key.
    pub row: String,
    /// The column; absent where it is the row as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How it differs.
    pub class: String,
    /// Values, only with `--show-values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

/// What those who may see it are shown: personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Values {
    /// The row's key at the target.
    pub key: String,
    /// What the source's line comes to through the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What stands at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Values {
    fn says(&self) -> String {
        match (&self.source, &self.target) {
            (Some(source), Some(target)) => {
                format!("{}: source {source}, target {target}", self.key)
            }
            _ => self.key.clone(),
        }
    }
}

/// Adds the table, step by step.
pub(super) fn draw(rows: &[DifferingRow], manner: Manner, lines: &mut Lines) {
    if rows.is_empty() {
        return;
    }
    warn(rows, manner, lines);
    for of_step in rows.chunk_by(|left, right| left.step == right.step) {
        let mut table = Table::new(&[
            (Side::Left, 24),
            (Side::Left, DIGITS),
            (Side::Left, 24),
            (Side::Left, 80),
        ]);
        lines.gap().line(manner.head(&of_step[0].step));
        let heads = ["table", "row", "column", "difference"];
        table.row(heads);
        for row in of_step {
            table.row([
                row.table.as_str(),
                digits(row),
                row.column.as_deref().unwrap_or("-"),
                &row.class,
            ]);
        }
        table.lines("  ").iter().for_each(|line| {
            lines.line(line);
        });
        if personal(of_step) {
            lines.gap();
        }
        for row in of_step {
            show(row, lines);
        }
    }
    lines.gap();
}

/// Adds the values of a row, where they were asked for: as they are, spaces and all.
fn show(row: &DifferingRow, lines: &mut Lines) {
    let Some(values) = &row.values else { return };
    let column = row.column.as_deref().unwrap_or("-");
    lines.line(format!("  {} {} {column}", row.table, digits(row)));
    let sides = [
        ("key", Some(&values.key)),
        ("source", values.source.as_ref()),
        ("target", values.target.as_ref()),
    ];
    for (side, value) in sides {
        if let Some(value) = value {
            lines.line(format!("    {side:<6}  {value}"));
        }
    }
}

fn digits(row: &DifferingRow) -> &str {
    row.row.get(..DIGITS).unwrap_or(&row.row)
}

/// Adds one sentence for each.
pub(super) fn say(rows: &[DifferingRow], lines: &mut Lines) {
    warn(rows, Manner::PLAIN, lines);
    for row in rows {
        let column = row.column.as_ref();
        let column = column.map_or(String::new(), |column| format!(", column {column}"));
        let values = row.values.as_ref().map(Values::says);
        let values = values.map_or(String::new(), |values| format!("; {values}"));
        lines.line(format!(
            "Step {}, table {}, row {}{column}: {}{values}.",
            row.step, row.table, row.row, row.class
        ));
    }
}

fn warn(rows: &[DifferingRow], manner: Manner, lines: &mut Lines) {
    if personal(rows) {
        let drawn = manner.paint(Tone::Warn, PERSONAL);
        lines.gap().line(drawn);
    }
}

/// Whether values stand in it.
pub(super) fn personal(rows: &[DifferingRow]) -> bool {
    rows.iter().any(|row| row.values.is_some())
}
