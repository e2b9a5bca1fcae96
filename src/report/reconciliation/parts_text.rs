//! The proof of parts as a committee reads it: one table, 80 columns; and as sentences.
//!
//! Not here: the numbers (`parts`).

use super::parts::{PartsLine, PartsMoney, PartsPack, PartsTable, Place};
use super::{Came, Made};
use crate::machine::total::pence;
use crate::report::Manner;
use crate::report::ink::{Lines, Tone, ends};
use crate::report::table::{Side, Table};
use crate::report::words::{count, many, money};

/// Name, rows, money, verdict: with gaps and a lead of two, 80 columns.
const COLUMNS: [(Side, usize); 4] = [
    (Side::Left, 39),
    (Side::Right, 11),
    (Side::Right, 15),
    (Side::Left, 7),
];

pub(super) fn drawn(lines: &mut Lines, pack: &PartsPack, manner: Manner) {
    let title = format!("The parts of {}", pack.source);
    lines.line(manner.head(&ends(&title.to_uppercase(), &pack.step)));
    let tone = match pack.verdict {
        Some(Came::Agrees) => Tone::Good,
        Some(_) => Tone::Bad,
        None => Tone::Warn,
    };
    let mut says = Lines::new();
    says.wrapped("  ", &pack.says);
    for line in says.text().lines() {
        lines.line(manner.paint(tone, line));
    }
    if pack.state == Made::NotMade {
        return;
    }
    lines.gap();
    let mut table = Table::new(&COLUMNS);
    table.row(["", "rows", "money", ""]);
    for one in &pack.tables {
        table.row([one.words.as_str(), "", "", ""]);
        for line in &one.lines {
            rows(&mut table, line);
        }
    }
    for line in table.lines("  ") {
        lines.line(line);
    }
    for one in &pack.tables {
        notes(lines, one, manner);
    }
}

/// One line of the proof: with its money where that is one column, each column below where it is more.
fn rows(table: &mut Table, line: &PartsLine) {
    let name = format!("{}{}", indent(line.place), line.words);
    let number = line.rows.map_or(String::new(), count);
    let verdict = line.verdict.map_or("", word);
    match line.money.as_slice() {
        [] => table.row([name, number, String::new(), verdict.to_owned()]),
        [one] => table.row([name, number, shown(&one.amount), verdict.to_owned()]),
        several => {
            table.row([name, number, String::new(), verdict.to_owned()]);
            for one in several {
                let name = format!("{}  {}", indent(line.place), one.column.replace('_', " "));
                table.row([name, String::new(), shown(&one.amount), String::new()]);
            }
        }
    }
}

fn indent(place: Place) -> &'static str {
    match place {
        Place::Source | Place::Shared | Place::Part | Place::Nobodys | Place::Together => "  ",
        Place::Behind | Place::NobodysBecause => "    ",
        Place::BehindBecause => "      ",
    }
}

fn word(came: Came) -> &'static str {
    match came {
        Came::Differs => "DIFFERS",
        Came::Agrees | Came::WithinTolerance => "agrees",
    }
}

fn shown(amount: &str) -> String {
    pence(amount).map_or_else(|| amount.to_owned(), money)
}

/// What differs, and by how much.
fn notes(lines: &mut Lines, table: &PartsTable, manner: Manner) {
    let differ = table.lines.iter();
    for line in differ.filter(|line| line.verdict == Some(Came::Differs)) {
        let mut drawn = Lines::new();
        let about = format!("{}, {}: {}", table.table, line.words, against(line));
        drawn.wrapped("  DIFFERS  ", &about);
        let painted = manner.paint(Tone::Bad, "DIFFERS");
        lines.line(drawn.text().replacen("DIFFERS", &painted, 1).trim_end());
    }
}

/// Both sides of what differs.
fn against(line: &PartsLine) -> String {
    let due_and_found = |one: &PartsMoney| {
        let found = one.found.as_deref().map(shown);
        let found = found.unwrap_or_else(|| "what cannot be told".to_owned());
        format!(
            "{} due in {}, {found} found",
            shown(&one.amount),
            one.column
        )
    };
    let money = line.money.iter().filter(|one| differs(one));
    let mut says: Vec<String> = money.map(due_and_found).collect();
    match (line.rows, line.found) {
        (Some(due), Some(found)) if due != found => says.push(format!(
            "{} due, {} found",
            many(due, "row", "rows"),
            count(found)
        )),
        _ if says.is_empty() => says.push("as many rows, but not the same".to_owned()),
        _ => {}
    }
    says.join("; ")
}

fn differs(one: &PartsMoney) -> bool {
    one.found.as_ref() != Some(&one.amount)
}

/// Whole sentences.
pub(super) fn plain(lines: &mut Lines, pack: &PartsPack) {
    lines.line(&pack.says);
    for table in &pack.tables {
        for line in &table.lines {
            let whose = match (&line.target, line.place) {
                (Some(target), Place::Behind | Place::BehindBecause) => format!("of {target}, "),
                _ => String::new(),
            };
            let mut facts: Vec<String> = Vec::new();
            facts.extend(line.rows.map(|rows| many(rows, "row", "rows")));
            let money = line.money.iter();
            facts.extend(money.map(|one| format!("{} {}", one.column, shown(&one.amount))));
            let verdict = match line.verdict {
                Some(Came::Differs) => format!("; DIFFERS: {}", against(line)),
                Some(_) => "; agrees".to_owned(),
                None => String::new(),
            };
            lines.line(format!(
                "{}, {whose}{}: {}{verdict}.",
                table.words,
                line.words,
                facts.join(", ")
            ));
        }
    }
}
