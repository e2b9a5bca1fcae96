//! The steps depth: every step by phase, with its date, its undo word, what it does, what to know.

use super::facts::org;
use crate::plan::outline::{StepId, Undo};
use crate::preview::Preview;
use crate::preview::model::{FindingSaid, StepSaid};
use crate::report::ink::{Lines, Manner};
use crate::report::table::{Side, Table};
use crate::report::words::{Dates, count};

pub(super) fn steps(preview: &Preview, manner: Manner) -> String {
    let dates = Dates::of(&preview.timezone);
    let mut lines = Lines::new();
    let mut phase = None;
    for step in &preview.steps {
        if phase != Some(&step.phase) {
            lines.gap().line(manner.head(&step.phase.to_uppercase()));
            phase = Some(&step.phase);
        }
        let mut table = Table::new(&[(Side::Left, 32), (Side::Left, 19), (Side::Left, 24)]);
        table.row([
            step.id.to_string(),
            step.kind.clone(),
            when(preview, step, &dates),
        ]);
        for line in table.lines("  ") {
            lines.line(line);
        }
        lines.wrapped("      ", &step.title);
        if !step.line.is_empty() {
            lines.wrapped("      ", &step.line);
        }
        lines.wrapped("      undo: ", &undo(&step.undo));
        if !step.after.is_empty() {
            let after: Vec<&str> = step.after.iter().map(StepId::as_str).collect();
            lines.wrapped("      after: ", &after.join(", "));
        }
        for note in &step.notes {
            lines.wrapped("      note: ", note);
        }
    }
    findings(&mut lines, preview, manner);
    lines.text()
}

/// Every finding with its place and its cure.
fn findings(lines: &mut Lines, preview: &Preview, manner: Manner) {
    if preview.findings.is_empty() {
        return;
    }
    lines.gap().line(manner.head("FINDINGS"));
    for finding in &preview.findings {
        lines.wrapped("  ", &found(preview, finding));
        if !finding.help.is_empty() {
            lines.wrapped("      help: ", &finding.help);
        }
    }
}

/// A finding in one sentence, with its rows and its place.
pub(super) fn found(preview: &Preview, finding: &FindingSaid) -> String {
    let word = if finding.stops { "error" } else { "warning" };
    let rows: Vec<String> = finding
        .rows
        .iter()
        .map(|(code, rows)| format!("{} {}", org(preview, code), count(*rows)))
        .collect();
    let rows = if rows.is_empty() {
        String::new()
    } else {
        format!(" (rows: {})", rows.join(", "))
    };
    let place = finding.place.as_ref().map_or(String::new(), |place| {
        format!(", {}:{}:{}", place.file, place.line, place.column)
    });
    format!("{word}[{}]: {}{rows}{place}", finding.code, finding.says)
}

pub(super) fn when(preview: &Preview, step: &StepSaid, dates: &Dates) -> String {
    let row = preview.timetable.iter().find(|row| row.step == step.id);
    let Some(row) = row else {
        return String::new();
    };
    let parts = [
        row.start.map(|at| format!("from {}", dates.short(at))),
        row.due.map(|at| format!("by {}", dates.short(at))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

/// An undo word as people read it.
pub(super) fn undo(undo: &Undo) -> String {
    match undo {
        Undo::Automatic => "automatic".to_owned(),
        Undo::ByHand(words) => format!("by hand: {words}"),
        Undo::Cannot => "cannot".to_owned(),
        Undo::Nothing => "nothing to undo".to_owned(),
    }
}
