//! The one page: the sample of the surface note, filled in.

use super::facts::{
    by_hand, closes, columns, cutover, decisions, final_steps, open_questions, org, receiving,
    rows_to_add,
};
use super::{Depth, PreviewReport};
use crate::machine::event::ClockKind;
use crate::preview::Preview;
use crate::preview::sign::unfilled;
use crate::preview::timetable::{SPARE_MINUTES, first_safe};
use crate::report::ink::{Lines, Manner, Tone, ends};
use crate::report::table::{Side, Table};
use crate::report::words::{Dates, many, some, span};

pub(super) fn page(report: &PreviewReport<'_>, manner: Manner) -> String {
    let preview = report.preview;
    let dates = Dates::of(&preview.timezone);
    let mut lines = Lines::new();
    top(&mut lines, preview, &dates, manner);
    no_way_back(&mut lines, preview, &dates, manner);
    moves(&mut lines, preview, report.depth, manner);
    night(&mut lines, preview, &dates);
    people(&mut lines, preview, report.depth);
    closing(&mut lines, report);
    lines.text()
}

fn top(lines: &mut Lines, preview: &Preview, dates: &Dates, manner: Manner) {
    let banner = match preview.clock {
        ClockKind::Real => "PREVIEW: nothing was changed",
        ClockKind::MadeUp => "REHEARSAL PREVIEW: nothing was changed",
    };
    let first = ends(&preview.paper.title, banner);
    lines.line(first.replace(banner, &manner.head(banner)));
    let when = format!(
        "Read {}. Handover {} ({})",
        dates.moment(preview.read_at),
        dates.with_zone(preview.handover),
        dates.away(preview.read_at, preview.handover)
    );
    lines.wrapped("", &when);
    if preview.clock == ClockKind::MadeUp {
        lines.wrapped("", "Rehearsal: the clock is made up, and so are the data.");
    }
    lines.gap();
}

fn no_way_back(lines: &mut Lines, preview: &Preview, dates: &Dates, manner: Manner) {
    let mut table = Table::new(&[
        (Side::Left, 20),
        (Side::Left, 24),
        (Side::Left, 19),
        (Side::Left, 40),
    ]);
    let ends_here = final_steps(preview);
    let hands = by_hand(preview);
    for step in &ends_here {
        let what = closes(preview, step);
        let when = step.when(preview, dates);
        table.row([
            format!("! {}", step.name),
            what,
            when,
            "no way back".to_owned(),
        ]);
    }
    for (step, words) in &hands {
        let when = step.when(preview, dates);
        table.row([
            format!("~ {}", step.name),
            step.what(),
            when,
            (*words).to_owned(),
        ]);
    }
    let drawn = table.lines("  ");
    let first_hand = drawn.iter().position(|line| line.starts_with("  ~"));
    let (cannot, hand) = drawn.split_at(first_hand.unwrap_or(drawn.len()));
    lines.line(manner.paint(Tone::Bad, "CANNOT BE UNDONE"));
    if cannot.is_empty() {
        lines.line("  nothing: every step can be taken back");
    }
    for line in cannot {
        lines.line(line);
    }
    if !hand.is_empty() {
        lines.line(manner.paint(Tone::Warn, "UNDONE BY HAND ONLY"));
        for line in hand {
            lines.line(line);
        }
    }
    lines.gap();
}

fn moves(lines: &mut Lines, preview: &Preview, depth: Depth, manner: Manner) {
    let columns = columns(preview);
    let mut shape = vec![(Side::Left, 30)];
    shape.extend(columns.iter().map(|_| (Side::Right, 16)));
    let mut table = Table::new(&shape);
    let heads = columns.iter().map(|column| column.head().to_owned());
    table.row(std::iter::once("WHAT MOVES".to_owned()).chain(heads));
    for code in receiving(preview) {
        let values = columns
            .iter()
            .map(|column| column.value(preview, Some(code)));
        table.row(std::iter::once(format!("  + {}", org(preview, code))).chain(values));
    }
    if receiving(preview).next().is_none() {
        lines.line(format!("{}: no data moves", manner.head("WHAT MOVES")));
    } else {
        let sources: Vec<&str> = preview
            .sources
            .iter()
            .map(|code| org(preview, code))
            .collect();
        let from = match sources.as_slice() {
            [one] => (*one).to_owned(),
            _ => "in all".to_owned(),
        };
        let totals = columns.iter().map(|column| column.value(preview, None));
        table.row(std::iter::once(format!("  = {from}")).chain(totals));
        for line in table.lines("") {
            lines.line(line.replace("WHAT MOVES", &manner.head("WHAT MOVES")));
        }
    }
    for question in open_questions(preview, depth) {
        lines.wrapped("  ? ", &question);
    }
    lines.gap();
}

fn night(lines: &mut Lines, preview: &Preview, dates: &Dates) {
    let night = cutover(preview, dates);
    let words: Vec<String> = night
        .iter()
        .map(|(time, name)| format!("{time} {name}"))
        .collect();
    if !words.is_empty() {
        lines.wrapped("CUT OVER NIGHT  ", &words.join(" - "));
    }
    let safe = match first_safe(&preview.points) {
        Some(point) => format!(
            "{}last safe start of a rollback {} ({} rehearsed + {SPARE_MINUTES} min spare)",
            slack(point.slack_s),
            point.last_safe.map_or(String::new(), |at| dates.short(at)),
            span(point.rollback_s.unwrap_or_default())
        ),
        None if preview.points.is_empty() => "no point of no return".to_owned(),
        None => "last safe start of a rollback: not known, no rehearsal undid all".to_owned(),
    };
    let frozen = preview.frozen.as_ref().and_then(|frozen| frozen.seconds);
    let frozen =
        frozen.map(|seconds| format!("behind the freeze {} of work as rehearsed; ", span(seconds)));
    lines.wrapped("  ", &(frozen.unwrap_or_default() + &safe));
    lines.gap();
}

fn slack(seconds: Option<i64>) -> String {
    match seconds {
        Some(seconds) if seconds >= 0 => format!("slack {}, ", span(seconds.unsigned_abs())),
        Some(seconds) => format!("{} TOO LATE as rehearsed, ", span(seconds.unsigned_abs())),
        None => String::new(),
    }
}

fn people(lines: &mut Lines, preview: &Preview, depth: Depth) {
    let gates = decisions(preview);
    let stops = preview
        .findings
        .iter()
        .filter(|finding| finding.stops)
        .count();
    let warns = preview.findings.len() - stops;
    let more = if depth == Depth::Brief {
        " (--depth steps)"
    } else {
        ""
    };
    let text = format!(
        "{} at gates to come.  FINDINGS  {} to mend, {}{more}",
        some(gates, "decision", "decisions"),
        some(stops, "fault", "faults"),
        some(warns, "warning", "warnings")
    );
    lines.wrapped("DECISIONS  ", &text);
}

fn closing(lines: &mut Lines, report: &PreviewReport<'_>) {
    let preview = report.preview;
    let cannot = preview
        .steps
        .iter()
        .filter(|step| step.undo == crate::plan::outline::Undo::Cannot);
    let cannot = cannot.count();
    let plan = format!(
        "{}, {} to add, {} cannot be undone.",
        some(preview.steps.len(), "step", "steps"),
        many(rows_to_add(preview), "row", "rows"),
        some(cannot, "step", "steps")
    );
    lines.wrapped("Plan: ", &plan);
    lines.wrapped("", &fingerprint(report));
    if let Some(former) = &preview.former {
        lines.wrapped("", &amends(preview, former));
    }
    for (at, next) in report.next.iter().enumerate() {
        lines.wrapped(if at == 0 { "Next: " } else { "      " }, next);
    }
}

pub(super) fn fingerprint(report: &PreviewReport<'_>) -> String {
    let preview = report.preview;
    let missing = unfilled(&preview.seats, &preview.signatures).len();
    let saved = report
        .saved
        .map_or(String::new(), |file| format!(", saved to {file}"));
    let needs = match (missing, preview.signatures.len()) {
        (0, 0) => "It needs no signature.".to_owned(),
        (0, made) => format!("It has all {}.", some(made, "signature", "signatures")),
        (missing, 0) => format!("It needs {}.", some(missing, "signature", "signatures")),
        (missing, made) => format!(
            "It has {} and needs {missing} more.",
            some(made, "signature", "signatures")
        ),
    };
    let short = preview.paper.fingerprint.short();
    format!("Fingerprint {short}{saved}. {needs}")
}

pub(super) fn amends(preview: &Preview, former: &crate::preview::model::Former) -> String {
    let changes: Vec<String> = former
        .changes
        .iter()
        .map(|change| crate::report::stale::change(change, &preview.orgs))
        .collect();
    format!(
        "Amends {}: {}. {} carried over, {} lapsed.",
        former.paper.short(),
        changes.join("; "),
        some(preview.signatures.len(), "signature", "signatures"),
        former.lapsed.len()
    )
}
