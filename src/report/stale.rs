//! The refusal of a stale preview: which files and lines changed, whom they touch, which signatures
//! lapse, what to do.
//!
//! Not here: finding that out (`preview::stale`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner};
use super::words::{Dates, listed, some};
use super::{FORMAT, Report};
use crate::machine::event::ClockKind;
use crate::plan::model::{Code, Seat};
use crate::preview::Preview;
use crate::preview::stale::{FileChange, How, Lines as ChangedLines, Stale};

/// A refusal to run a preview that is not of this paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StaleReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The preview file.
    pub file: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// When it was last signed; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub signed_at: Option<Timestamp>,
    /// When it was read.
    #[schemars(with = "String")]
    pub read_at: Timestamp,
    /// The time zone for dates.
    pub timezone: String,
    /// What changed.
    pub stale: Stale,
    /// What organisations are called.
    #[schemars(with = "BTreeMap<String, String>")]
    pub orgs: BTreeMap<Code, String>,
    /// What to do, one command a line.
    pub next: Vec<String>,
}

impl StaleReport {
    /// The refusal of `preview`, which was read from `file`.
    #[must_use]
    pub fn of(file: &str, preview: &Preview, stale: Stale, next: Vec<String>) -> StaleReport {
        StaleReport {
            format: FORMAT,
            file: file.to_owned(),
            clock: preview.clock,
            signed_at: preview
                .signatures
                .iter()
                .map(|signature| signature.at)
                .max(),
            read_at: preview.read_at,
            timezone: preview.timezone.clone(),
            stale,
            orgs: preview.orgs.clone(),
            next,
        }
    }

    fn facts(&self) -> String {
        let dates = Dates::of(&self.timezone);
        let rehearsal = match self.clock {
            ClockKind::Real => "",
            ClockKind::MadeUp => "Rehearsal. ",
        };
        let since = match self.signed_at {
            Some(at) => format!("was signed on {}", dates.day(at)),
            None => format!("was read on {}", dates.day(self.read_at)),
        };
        let changes = self.stale.changes.iter();
        let changes: Vec<String> = changes.map(|file| change(file, &self.orgs)).collect();
        let changes = match changes.as_slice() {
            [] => "the rules that this version of Handover keeps".to_owned(),
            some => some.join("; "),
        };
        format!(
            "{rehearsal}{} {since}. Since then: {changes}. {} Nothing was changed.",
            self.file,
            self.lapse()
        )
    }

    fn lapse(&self) -> String {
        let lapsed = &self.stale.lapsed;
        match (lapsed.len(), self.stale.signatures) {
            (_, 0) => "It bears no signature.".to_owned(),
            (0, all) => format!(
                "None of its {} lapses, but the paper must be previewed again.",
                some(all, "signature", "signatures")
            ),
            (1, 1) => "Its signature lapses.".to_owned(),
            (gone, all) => {
                format!(
                    "{gone} of {all} signatures lapse ({}).",
                    whose(lapsed, &self.orgs)
                )
            }
        }
    }
}

/// Whose seats, by organisation: `Thanet`.
pub(super) fn whose(seats: &[Seat], orgs: &BTreeMap<Code, String>) -> String {
    let mut names: Vec<String> = Vec::new();
    for seat in seats {
        let name = match &seat.org {
            Some(org) => orgs.get(org).unwrap_or(&org.to_string()).clone(),
            None => seat.role.to_string(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    listed(&names)
}

/// A change in words: `maps/homes.toml lines 21-23 (Thanet)`.
#[must_use]
pub fn change(change: &FileChange, orgs: &BTreeMap<Code, String>) -> String {
    let how = match change.how {
        How::Added => " added".to_owned(),
        How::Removed => " removed".to_owned(),
        How::Changed => lines(&change.lines),
    };
    let whom = if change.all {
        "everybody".to_owned()
    } else if change.touches.is_empty() {
        "nobody: no rule changed".to_owned()
    } else {
        let name = |code: &Code| {
            orgs.get(code)
                .map_or_else(|| code.to_string(), String::clone)
        };
        let names: Vec<String> = change.touches.iter().map(name).collect();
        listed(&names)
    };
    format!("{}{how} ({whom})", change.path)
}

fn lines(lines: &[ChangedLines]) -> String {
    let ranges: Vec<String> = lines
        .iter()
        .map(|lines| match lines.to - lines.from {
            0 => lines.from.to_string(),
            _ => format!("{}-{}", lines.from, lines.to),
        })
        .collect();
    match (lines, ranges.as_slice()) {
        ([], _) => " changed".to_owned(),
        ([one], [range]) if one.from == one.to => format!(" line {range}"),
        (_, ranges) => format!(" lines {}", listed(ranges)),
    }
}

impl Report for StaleReport {
    fn drawn(&self, _manner: Manner) -> String {
        let mut lines = Lines::new();
        lines.wrapped("", &self.facts());
        for (at, next) in self.next.iter().enumerate() {
            lines.wrapped(if at == 0 { "Next: " } else { "      " }, next);
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let mut lines = Lines::new();
        lines.line(self.facts());
        for next in &self.next {
            lines.line(format!("Next: {next}"));
        }
        lines.text()
    }
}
