//! The preview as sentences: the same facts in the same order, nothing told by position.

use super::facts::{
    by_hand, closes, columns, cutover, decisions, final_steps, open_questions, org, receiving,
    rows_to_add,
};
use super::page::{amends, fingerprint};
use super::rows::details;
use super::steps::{found, undo, when};
use super::{Depth, PreviewReport};
use crate::machine::event::ClockKind;
use crate::preview::Preview;
use crate::preview::timetable::{SPARE_MINUTES, first_safe};
use crate::report::ink::Lines;
use crate::report::words::{Dates, count, many, some, span};

pub(super) fn sentences(report: &PreviewReport<'_>) -> String {
    let preview = report.preview;
    let dates = Dates::of(&preview.timezone);
    let mut lines = Lines::new();
    top(&mut lines, preview, &dates);
    no_way_back(&mut lines, preview, &dates);
    moves(&mut lines, preview, report.depth);
    night(&mut lines, preview, &dates);
    if report.depth != Depth::Brief {
        steps(&mut lines, preview, &dates);
    }
    if report.depth == Depth::Rows {
        rows(&mut lines, preview);
    }
    let text = format!(
        "The gates ask for {}. The plan has {} and adds {}.",
        some(decisions(preview), "decision", "decisions"),
        some(preview.steps.len(), "step", "steps"),
        many(rows_to_add(preview), "row", "rows")
    );
    lines.line(text).line(fingerprint(report));
    if let Some(former) = &preview.former {
        lines.line(amends(preview, former));
    }
    for next in report.next {
        lines.line(format!("Next: {next}"));
    }
    lines.text()
}

fn top(lines: &mut Lines, preview: &Preview, dates: &Dates) {
    lines.line(format!(
        "{}. This is a preview: nothing was changed.",
        preview.paper.title
    ));
    if preview.clock == ClockKind::MadeUp {
        lines.line("This is a rehearsal: the clock is made up, and so are the data.");
    }
    lines.line(format!(
        "Read {}. Handover is {}, {}.",
        dates.moment(preview.read_at),
        dates.with_zone(preview.handover),
        dates.away(preview.read_at, preview.handover)
    ));
}

fn no_way_back(lines: &mut Lines, preview: &Preview, dates: &Dates) {
    let ends_here = final_steps(preview);
    if ends_here.is_empty() {
        lines.line("Nothing in it cannot be undone.");
    }
    for step in ends_here {
        let when = spaced(&step.when(preview, dates));
        let what = closes(preview, &step);
        lines.line(format!(
            "Cannot be undone: {} ({what}){when}. There is no way back.",
            step.name
        ));
    }
    for (step, words) in by_hand(preview) {
        let when = spaced(&step.when(preview, dates));
        let what = step.what();
        lines.line(format!(
            "Undone by hand only: {} ({what}){when}. Reverse by: {words}.",
            step.name
        ));
    }
}

fn spaced(when: &str) -> String {
    if when.is_empty() {
        String::new()
    } else {
        format!(", {when}")
    }
}

fn moves(lines: &mut Lines, preview: &Preview, depth: Depth) {
    let columns = columns(preview);
    let values = |code: Option<&str>| {
        let said = columns
            .iter()
            .map(|column| format!("{} {}", column.head(), column.value(preview, code)));
        said.collect::<Vec<_>>().join(", ")
    };
    let mut any = false;
    for code in receiving(preview) {
        any = true;
        lines.line(format!(
            "{} receives: {}.",
            org(preview, code),
            values(Some(code))
        ));
    }
    if any {
        lines.line(format!("In all: {}.", values(None)));
    } else {
        lines.line("No data moves.");
    }
    for question in open_questions(preview, depth) {
        lines.line(format!("Needs a decision: {question}."));
    }
}

fn night(lines: &mut Lines, preview: &Preview, dates: &Dates) {
    for (time, name) in cutover(preview, dates) {
        lines.line(format!("Cut over: {time}, {name}."));
    }
    if let Some(frozen) = &preview.frozen {
        lines.line(match frozen.seconds {
            Some(seconds) => format!(
                "The source stands still for {} of work, as rehearsed, beside what people and dates take.",
                span(seconds)
            ),
            None => "How long the source stands still is not known: no rehearsal did all that comes behind the freeze.".to_owned(),
        });
    }
    let text = match first_safe(&preview.points) {
        Some(point) => format!(
            "The last safe start of a rollback is {}: {} as rehearsed and {SPARE_MINUTES} min spare before the point of no return.",
            point.last_safe.map_or(String::new(), |at| dates.moment(at)),
            span(point.rollback_s.unwrap_or_default())
        ),
        None if preview.points.is_empty() => "There is no point of no return.".to_owned(),
        None => "The last safe start of a rollback is not known: no rehearsal undid everything."
            .to_owned(),
    };
    lines.line(text);
}

fn steps(lines: &mut Lines, preview: &Preview, dates: &Dates) {
    for step in &preview.steps {
        let line = if step.line.is_empty() {
            String::new()
        } else {
            format!(" {}.", step.line)
        };
        lines.line(format!(
            "Step {}, {}, in {}{}: {}.{line} Undo: {}.",
            step.id,
            step.kind,
            step.phase,
            spaced(&when(preview, step, dates)),
            step.title,
            undo(&step.undo)
        ));
        for note in &step.notes {
            lines.line(format!("Note on {}: {note}.", step.id));
        }
    }
    for finding in &preview.findings {
        lines.line(format!("{}. {}.", found(preview, finding), finding.help));
    }
}

fn rows(lines: &mut Lines, preview: &Preview) {
    for (code, datasets) in &preview.reading.orgs {
        for (name, counts) in datasets {
            lines.line(format!(
                "{}, {name}: {} copied, {} kept back, {} left out.",
                org(preview, code),
                count(counts.copied),
                count(counts.rejected.values().sum()),
                count(counts.filtered.values().sum())
            ));
            for detail in details(name, counts) {
                lines.line(format!("{}, {detail}.", org(preview, code)));
            }
        }
    }
    lines.line(format!(
        "The reading is {}.",
        preview.reading.digest.short()
    ));
}
