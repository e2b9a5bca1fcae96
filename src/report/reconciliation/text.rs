//! The pack as a committee reads it: 80 columns, headline totals first.
//!
//! Not here: the numbers (`mod`), names (`words`).

use super::words::rank;
use super::{Came, Line, Made, ReconciliationReport, Signer, Sort, StepPack, Whole, parts_text};
use crate::machine::event::ClockKind;
use crate::machine::total::pence;
use crate::report::Manner;
use crate::report::decisions::Verdict as Said;
use crate::report::ink::{Lines, Tone, WIDTH, ends, wrap};
use crate::report::table::{Side, Table};
use crate::report::words::{Dates, count, listed, many, money};

/// Name, source, target, difference: with gaps and a lead of two, 80 columns.
const COLUMNS: [(Side, usize); 4] = [
    (Side::Left, 34),
    (Side::Right, 14),
    (Side::Right, 14),
    (Side::Right, 10),
];

pub(super) fn drawn(report: &ReconciliationReport, manner: Manner) -> String {
    let mut lines = Lines::new();
    let rehearsal = match report.clock {
        ClockKind::MadeUp => "REHEARSAL",
        ClockKind::Real => "",
    };
    lines.line(manner.head(&ends("RECONCILIATION PACK", rehearsal)));
    lines.line(&report.title);
    lines.line(format!("Run   {}", report.of));
    lines.line(format!("Plan  {}", report.plan.short()));
    lines.line(format!(
        "Pack  {}  (sha256sum reconciliation.csv)",
        report.fingerprint.short()
    ));
    lines.gap();
    let tone = match report.verdict {
        Whole::Agrees => Tone::Good,
        Whole::WithinTolerance => Tone::Warn,
        Whole::Differs | Whole::NotComplete => Tone::Bad,
    };
    for line in wrap(&report.says, WIDTH) {
        lines.line(manner.paint(tone, &line));
    }
    for step in &report.steps {
        lines.gap();
        part(&mut lines, report, step, manner);
    }
    for pack in &report.parts {
        lines.gap();
        parts_text::drawn(&mut lines, pack, manner);
    }
    lines.text()
}

fn part(lines: &mut Lines, report: &ReconciliationReport, step: &StepPack, manner: Manner) {
    let title = format!("{}, from {}", listed(&step.targets), step.source);
    lines.line(manner.head(&ends(&title.to_uppercase(), &step.step)));
    if step.state == Made::NotMade {
        lines.line("  No totals yet.");
    } else {
        figures(lines, step);
    }
    notes(lines, step, manner);
    shared_out(lines, step);
    left(lines, step);
    signed(lines, report, step);
}

/// Headline totals first, each with its parts.
fn figures(lines: &mut Lines, step: &StepPack) {
    let mut table = Table::new(&COLUMNS);
    table.row(["", "at source", "at target", "difference"]);
    let mut told: Vec<&Line> = step
        .totals
        .iter()
        .filter(|line| line.target.is_some())
        .collect();
    told.sort_by_key(|line| rank(&line.of));
    let several = step.targets.len() > 1;
    for line in told {
        let place = line.target.as_ref().filter(|_| several);
        let place = place.map_or(String::new(), |target| format!(", {target}"));
        table.row([
            format!("{}{place}{}", line.words, on(line)),
            shown(line.sort, &line.at_source),
            shown(line.sort, line.at_target.as_deref().unwrap_or("?")),
            shown(line.sort, line.difference.as_deref().unwrap_or("?")),
        ]);
    }
    for line in table.lines("  ") {
        lines.line(line);
    }
}

/// How many accounts a part of money is about.
fn on(line: &Line) -> String {
    match line.on {
        Some((source, target)) if source == target => format!(" ({})", count(source)),
        Some((source, target)) => format!(" ({}, {})", count(source), count(target)),
        None => String::new(),
    }
}

fn shown(sort: Sort, value: &str) -> String {
    match (sort, pence(value), value.parse()) {
        (Sort::Money, Some(pence), _) => money(pence),
        (Sort::Rows, _, Ok(rows)) => count(rows),
        _ => value.to_owned(),
    }
}

/// What differs, and what was let through and why.
fn notes(lines: &mut Lines, step: &StepPack, manner: Manner) {
    for line in step
        .totals
        .iter()
        .filter(|line| line.verdict != Came::Agrees)
    {
        let part = line
            .part
            .as_ref()
            .map_or(String::new(), |part| format!(" {part}"));
        let by = shown(line.sort, line.difference.as_deref().unwrap_or("unknown"));
        let about = format!("{}{part}: {by}", line.of);
        let (word, tone, text) = match (line.verdict, &line.because) {
            (Came::Differs, _) => ("DIFFERS", Tone::Bad, about),
            (_, because) => {
                let allowed = shown(line.sort, &line.tolerance);
                let why = because.as_deref().unwrap_or("the plan says so");
                (
                    "ALLOWED",
                    Tone::Warn,
                    format!("{about}, up to {allowed}, because {why}"),
                )
            }
        };
        let mut drawn = Lines::new();
        drawn.wrapped(&format!("  {word}  "), &text);
        lines.line(drawn.text().replacen(word, &manner.paint(tone, word), 1));
    }
}

/// Whether every row of the source is somebody's.
fn shared_out(lines: &mut Lines, step: &StepPack) {
    let own: Vec<&Line> = step
        .totals
        .iter()
        .filter(|line| line.target.is_none())
        .collect();
    if own.is_empty() {
        return;
    }
    let agree = own.iter().all(|line| line.verdict == Came::Agrees);
    let says = if agree {
        "every row is accounted for"
    } else {
        "NOT every row is accounted for"
    };
    let datasets = super::super::words::some(own.len(), "dataset", "datasets");
    lines.gap();
    lines.line(format!("  {}, {datasets}: {says}.", step.source));
}

fn left(lines: &mut Lines, step: &StepPack) {
    if step.left.is_empty() {
        return;
    }
    lines.gap();
    lines.line(format!("  Left at {}", step.source));
    let mut table = Table::new(&[
        (Side::Right, 10),
        (Side::Left, 10),
        (Side::Left, 20),
        (Side::Left, 34),
    ]);
    for left in &step.left {
        table.row([
            count(left.rows),
            left.class.clone(),
            left.dataset.clone(),
            left.reason.clone(),
        ]);
    }
    for line in table.lines("  ") {
        lines.line(line);
    }
}

fn signed(lines: &mut Lines, report: &ReconciliationReport, step: &StepPack) {
    lines.gap();
    if step.signers.is_empty() {
        lines.line("  Nobody signs these totals: no approval comes after them.");
        return;
    }
    let dates = Dates::of(&report.timezone);
    lines.line("  Signed");
    for signer in &step.signers {
        lines.wrapped("    ", &seat(signer, &dates));
    }
}

fn seat(signer: &Signer, dates: &Dates) -> String {
    let seat = match &signer.org {
        Some(org) => format!("{}, {org}", signer.role),
        None => signer.role.clone(),
    };
    let word = match signer.verdict {
        Said::Approved => "approved",
        Said::Refused => "REFUSED",
        Said::Void => "taken back",
        Said::Asked => return format!("{seat}: not yet"),
    };
    let who = signer.person.as_deref().unwrap_or_default();
    let when = signer.as_at.map_or(String::new(), |at| dates.moment(at));
    let entry = signer.entry.unwrap_or_default();
    format!("{seat}: {word} by {who}, {when} (entry {entry})")
}

/// Whole sentences: what does not agree, what stayed behind, who signed.
pub(super) fn plain(report: &ReconciliationReport) -> String {
    let mut lines = Lines::new();
    if report.clock == ClockKind::MadeUp {
        lines.line("This is a rehearsal: the clock is made up, and so are the data.");
    }
    lines.line(format!(
        "Reconciliation of {}, run {}.",
        report.title, report.of
    ));
    lines.line(format!("Fingerprint {}.", report.fingerprint.short()));
    lines.line(&report.says);
    let dates = Dates::of(&report.timezone);
    for step in &report.steps {
        let targets = listed(&step.targets);
        for line in step.totals.iter().filter(|line| line.target.is_some()) {
            lines.line(format!(
                "{targets}: {}{}: {} at the source, {} at the target, difference {}.",
                line.words.trim_start(),
                on(line),
                shown(line.sort, &line.at_source),
                shown(line.sort, line.at_target.as_deref().unwrap_or("unknown")),
                shown(line.sort, line.difference.as_deref().unwrap_or("unknown")),
            ));
        }
        for left in &step.left {
            let rows = many(left.rows, "row", "rows");
            lines.line(format!(
                "{rows} of {} {}: {}.",
                left.dataset, left.class, left.reason
            ));
        }
        for signer in &step.signers {
            lines.line(format!("{}.", seat(signer, &dates)));
        }
    }
    for pack in &report.parts {
        parts_text::plain(&mut lines, pack);
    }
    lines.text()
}
