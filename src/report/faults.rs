//! Faults of a plan as people see them: drawn with the line and a caret, as plain sentences for screen
//! readers, or as JSON for other programs.
//!
//! In: gathered faults with the texts they point into. Out: text, always ending in a newline.
//! Not here: finding faults (`plan`), printing and the terminal's colours (`cli`).

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::json;

use crate::plan::fault::{Fault, PlanFaults, Severity};

/// Every fault with its line, a caret and what to do, then one line that counts them.
#[must_use]
pub fn drawn(faults: &PlanFaults, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for fault in &faults.faults {
        let text = faults.texts.get(&fault.file).map(AsRef::as_ref);
        out.push_str(&renderer.render(&[group(fault, text)]));
        out.push_str("\n\n");
    }
    out.push_str(&closing(faults));
    out
}

fn group<'a>(fault: &'a Fault, text: Option<&'a str>) -> Group<'a> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&fault.says).id(fault.code));
    match text {
        Some(text) if !text.is_empty() => {
            let span = visible(text, fault);
            let mut caret = AnnotationKind::Primary.span(span);
            if !fault.label.is_empty() {
                caret = caret.label(&fault.label);
            }
            group = group.element(Snippet::source(text).path(&fault.file).annotation(caret));
        }
        _ => {
            if !fault.file.is_empty() {
                group = group.element(Origin::path(&fault.file));
            }
            if !fault.label.is_empty() {
                group = group.element(Level::NOTE.message(&fault.label));
            }
        }
    }
    for help in &fault.help {
        group = group.element(Level::HELP.message(help));
    }
    for note in &fault.notes {
        group = group.element(Level::NOTE.message(note));
    }
    group
}

/// A caret needs something to stand under, and reads best on one line.
fn visible(text: &str, fault: &Fault) -> std::ops::Range<usize> {
    let start = fault.span.start.min(text.len());
    let rest = text.get(start..fault.span.end).unwrap_or_default();
    let line = rest.split(['\n', '\r']).next().unwrap_or_default();
    start..start + line.len()
}

/// Every fault as sentences: no drawing, no colour, nothing that only position tells.
#[must_use]
pub fn plain(faults: &PlanFaults) -> String {
    let mut out = String::new();
    for fault in &faults.faults {
        out.push_str(&sentences(fault));
        out.push('\n');
    }
    out.push_str(&closing(faults));
    out
}

fn sentences(fault: &Fault) -> String {
    let word = match fault.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let place = match (fault.file.as_str(), fault.line, fault.column) {
        ("", ..) => String::new(),
        (file, line, column) => format!(" in {file}, line {line}, column {column}"),
    };
    let mut said = format!("{word} {}{place}: {}.", fault.code, fault.says);
    let mut say = |lead: &str, words: &str| {
        said.push(' ');
        said.push_str(lead);
        said.push_str(words);
        if !words.ends_with(['.', '?', '!']) {
            said.push('.');
        }
    };
    if !fault.label.is_empty() {
        say("", &capital(&fault.label));
    }
    fault.help.iter().for_each(|help| say("Help: ", help));
    fault.notes.iter().for_each(|note| say("Note: ", note));
    said
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// The same facts as data.
#[must_use]
pub fn json(faults: &PlanFaults) -> serde_json::Value {
    let one = |fault: &Fault| {
        json!({
            "code": fault.code,
            "severity": fault.severity.word(),
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "span": [fault.span.start, fault.span.end],
            "says": fault.says,
            "label": fault.label,
            "help": fault.help,
            "notes": fault.notes,
        })
    };
    json!({
        "plan": faults.plan,
        "errors": faults.errors(),
        "warnings": faults.warnings(),
        "faults": faults.faults.iter().map(one).collect::<Vec<_>>(),
    })
}

/// `2 errors. Nothing was changed.   More: handover explain HO102`
fn closing(faults: &PlanFaults) -> String {
    let mut errors = faults.faults.iter();
    let error = errors.find(|fault| fault.severity == Severity::Error);
    match error.or(faults.faults.first()) {
        None => "No faults.\n".to_owned(),
        Some(first) => format!(
            "{faults}. Nothing was changed.   More: handover explain {}\n",
            first.code
        ),
    }
}
