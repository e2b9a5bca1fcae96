//! What is wrong with a plan: one value per fault, with its place, its cause in words and what to do.
//!
//! In: places in paper files. Out: faults that `report::faults` draws, says plainly or writes as JSON.
//! Not here: finding faults (`read`, `sense`, `map_file`), drawing them (`report::faults`).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::model::{Code, Place};

/// How much a fault weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The plan cannot be used until it is mended.
    Error,
    /// The plan can be used; somebody should look.
    Warning,
}

impl Severity {
    /// The word that people see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A code of `explain`, such as `HO102`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Path of the file in the plan folder.
    pub file: String,
    /// Line in that file, from 1.
    pub line: usize,
    /// Column in that line, in characters, from 1.
    pub column: usize,
    /// Byte range in that file; empty where the fault is about the whole file.
    pub span: Range<usize>,
    /// The cause: one sentence, lower case, no full stop.
    pub says: String,
    /// What stands beside the caret.
    pub label: String,
    /// What to do about it; more than one way is one line each.
    pub help: Vec<String>,
    /// Further facts, one line each.
    pub notes: Vec<String>,
}

impl Fault {
    /// An error at `place`; its line and column are set when the faults are gathered.
    #[must_use]
    pub fn error(code: &'static str, place: &Place, says: impl Into<String>) -> Fault {
        Fault {
            code,
            severity: Severity::Error,
            file: place.file.clone(),
            line: 1,
            column: 1,
            span: place.span.clone(),
            says: says.into(),
            label: String::new(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A warning at `place`.
    #[must_use]
    pub fn warning(code: &'static str, place: &Place, says: impl Into<String>) -> Fault {
        Fault {
            severity: Severity::Warning,
            ..Fault::error(code, place, says)
        }
    }

    /// With these words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Fault {
        self.label = label.into();
        self
    }

    /// With one more way to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help.push(help.into());
        self
    }

    /// With a way to mend it, where there is one to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Fault {
        self.help.extend(help);
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Fault {
        self.notes.push(note.into());
        self
    }

    /// A fault of live data that `check` found later, about a line of the papers or about none: says
    /// the same things in the same shape. `rows` are counts by organisation.
    #[must_use]
    pub fn live(
        code: &'static str,
        severity: Severity,
        place: Option<&Place>,
        says: &str,
        help: &str,
        rows: &BTreeMap<Code, u64>,
    ) -> Fault {
        let nowhere = Place::default();
        let counts: Vec<String> = rows
            .iter()
            .map(|(org, count)| format!("{org} {count}"))
            .collect();
        let mut fault = Fault::error(code, place.unwrap_or(&nowhere), says);
        fault.severity = severity;
        if !help.is_empty() {
            fault.help.push(help.to_owned());
        }
        if !counts.is_empty() {
            fault.label = format!("rows: {}", counts.join(", "));
        }
        fault
    }
}

/// Everything that is wrong with a plan, in the order of files and lines, with the texts it is drawn
/// on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanFaults {
    /// The plan folder's name.
    pub plan: String,
    /// The faults, errors and warnings together, by file and line.
    pub faults: Vec<Fault>,
    /// Texts of the files that faults point into; secrets in them are starred out.
    pub texts: BTreeMap<String, Arc<str>>,
}

impl PlanFaults {
    /// Gathers faults: sets lines and columns, sorts, drops exact repeats.
    #[must_use]
    pub fn gather(
        plan: &str,
        mut faults: Vec<Fault>,
        texts: BTreeMap<String, Arc<str>>,
    ) -> PlanFaults {
        for fault in &mut faults {
            if let Some(text) = texts.get(&fault.file) {
                fault.span = within(text, &fault.span);
                (fault.line, fault.column) = position(text, fault.span.start);
            }
        }
        faults.sort_by(|a, b| order(a).cmp(&order(b)));
        faults.dedup();
        PlanFaults {
            plan: plan.to_owned(),
            faults,
            texts,
        }
    }

    /// How many errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        let same = |fault: &&Fault| fault.severity == severity;
        self.faults.iter().filter(same).count()
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// `plan.toml` first, then the other files by name; in a file by line, errors before warnings.
fn order(fault: &Fault) -> (bool, &str, usize, usize, Severity, &str, &str) {
    (
        fault.file != "plan.toml",
        &fault.file,
        fault.line,
        fault.column,
        fault.severity,
        fault.code,
        &fault.says,
    )
}

impl fmt::Display for PlanFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, warnings) = (self.errors(), self.warnings());
        let many = |count, word: &str| match count {
            1 => format!("1 {word}"),
            count => format!("{count} {word}s"),
        };
        match (errors, warnings) {
            (0, warnings) => write!(f, "{}", many(warnings, "warning")),
            (errors, 0) => write!(f, "{}", many(errors, "error")),
            _ => write!(
                f,
                "{} and {}",
                many(errors, "error"),
                many(warnings, "warning")
            ),
        }
    }
}

impl std::error::Error for PlanFaults {}

/// The span, cut to the text and to whole characters.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let whole = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = whole(span.start);
    start..whole(span.end).max(start)
}

/// Line and column of a byte position, both from 1, the column in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}
