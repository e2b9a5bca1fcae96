//! The pack as CSV (RFC 4180): one line a total, amounts as plain decimals, no signature. Its digest is
//! the pack's fingerprint.
//!
//! Rows that did not go stand among them, as `left behind`: what the source holds is what was copied
//! and these. The proof of parts stands behind them, a line for each count and amount: its `part` says
//! which place, `told` is a number that nothing was held against.

use super::parts::{PartsLine, PartsMoney, Place};
use super::{Came, Left, Line, ReconciliationReport, Sort};
use crate::machine::total::{decimal, pence};

const HEAD: [&str; 14] = [
    "run",
    "step",
    "source",
    "target",
    "total",
    "part",
    "counts",
    "source value",
    "target value",
    "difference",
    "tolerance",
    "because",
    "verdict",
    "entry",
];

/// The whole file; every line ends in CR LF.
#[must_use]
pub fn csv(report: &ReconciliationReport) -> String {
    let mut file = String::new();
    row(&mut file, HEAD.map(str::to_owned));
    for step in &report.steps {
        for line in &step.totals {
            row(&mut file, total(&report.of, &step.step, line));
        }
        for one in &step.left {
            row(&mut file, left(&report.of, &step.step, one));
        }
    }
    for pack in &report.parts {
        for table in &pack.tables {
            for line in &table.lines {
                let at = (report.of.as_str(), pack.step.as_str(), table.table.as_str());
                parted(&mut file, at, line);
            }
        }
    }
    file
}

/// Rows and each column's money of one place of the proof.
fn parted(file: &mut String, (run, step, table): (&str, &str, &str), line: &PartsLine) {
    let cells = |of: String, counts: &str, (due, found, less): (String, String, String)| {
        let differs = found.is_empty() || !less.trim_start_matches(['0', '.']).is_empty();
        let verdict = match line.verdict {
            None => "told",
            Some(Came::Differs) if counts == "rows" || differs => "differs",
            Some(_) => "agrees",
        };
        [
            run.to_owned(),
            step.to_owned(),
            line.source.clone(),
            line.target.clone().unwrap_or_default(),
            of,
            place(line.place).to_owned(),
            counts.to_owned(),
            due,
            found,
            less,
            String::new(),
            line.reason.clone().unwrap_or_default(),
            verdict.to_owned(),
            String::new(),
        ]
    };
    if let Some(rows) = line.rows {
        let found = line.found.map_or(String::new(), |found| found.to_string());
        let less = line.found.map_or(String::new(), |found| {
            (i128::from(found) - i128::from(rows)).to_string()
        });
        let sides = (rows.to_string(), found, less);
        row(file, cells(table.to_owned(), "rows", sides));
    }
    for money in &line.money {
        let of = format!("{table}.{}", money.column);
        row(file, cells(of, "pounds", sides(money)));
    }
}

/// What is due, what was found, and what that is more.
fn sides(money: &PartsMoney) -> (String, String, String) {
    let found = money.found.clone().unwrap_or_default();
    let both = pence(&money.amount).zip(pence(&found));
    let less = both.map_or(String::new(), |(due, found)| decimal(found - due));
    (money.amount.clone(), found, less)
}

fn place(place: Place) -> &'static str {
    match place {
        Place::Source => "parts: source",
        Place::Shared => "parts: again",
        Place::Part => "parts: part",
        Place::Behind => "parts: stays behind",
        Place::BehindBecause => "parts: stays behind because",
        Place::Nobodys => "parts: nobody's",
        Place::NobodysBecause => "parts: nobody's because",
        Place::Together => "parts: together",
    }
}

fn total(run: &str, step: &str, line: &Line) -> [String; 14] {
    let sort = match line.sort {
        Sort::Rows => "rows",
        Sort::Money => "pounds",
    };
    let verdict = match line.verdict {
        Came::Agrees => "agrees",
        Came::WithinTolerance => "within tolerance",
        Came::Differs => "differs",
    };
    [
        run.to_owned(),
        step.to_owned(),
        line.source.clone(),
        line.target.clone().unwrap_or_default(),
        line.of.clone(),
        line.part.clone().unwrap_or_default(),
        sort.to_owned(),
        line.at_source.clone(),
        line.at_target.clone().unwrap_or_default(),
        line.difference.clone().unwrap_or_default(),
        line.tolerance.clone(),
        line.because.clone().unwrap_or_default(),
        verdict.to_owned(),
        line.entry.to_string(),
    ]
}

fn left(run: &str, step: &str, left: &Left) -> [String; 14] {
    [
        run.to_owned(),
        step.to_owned(),
        left.source.clone(),
        left.target.clone().unwrap_or_default(),
        left.dataset.clone(),
        left.class.clone(),
        "rows".to_owned(),
        left.rows.to_string(),
        String::new(),
        String::new(),
        String::new(),
        left.reason.clone(),
        "left behind".to_owned(),
        String::new(),
    ]
}

fn row(file: &mut String, cells: [String; 14]) {
    let cells = cells.map(|cell| quoted(&cell));
    file.push_str(&cells.join(","));
    file.push_str("\r\n");
}

/// A cell with a comma, a quote or a line's end stands in quotes. One that a spreadsheet would take for
/// a formula gets an apostrophe; amounts, which begin with a minus too, do not.
fn quoted(cell: &str) -> String {
    let amount = cell.parse::<f64>().is_ok();
    let formula = !amount && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}
