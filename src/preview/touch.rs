//! Whom a changed line touches. A comment touches nobody; a line of a step's table the organisations
//! of that step; a new code in a code list those whose live rows use it, where that is known; any
//! other line of a map everybody who copies by it; the rest of the plan everybody.
//!
//! In doubt a change touches more, never less: a signature that lapses too much costs an hour, one
//! that stands too much costs trust.
//!
//! Not here: finding the lines (`lines`), signatures (`stale`).

use std::collections::BTreeSet;
use std::ops::Range;

use super::lines::Hunk;
use super::model::CodeUse;
use super::paper::{PEOPLE, Paper, PaperFile};
use crate::plan::model::Code;

/// What is known of the codes that live rows use and the old maps did not cover.
#[derive(Debug, Clone, Copy)]
pub enum Uses<'a> {
    /// As a preview read them; rows may have come since, so a code that is not in it may be anyone's.
    AsSigned(&'a [CodeUse]),
    /// Read now, through the old maps: a code that is not in it is nobody's.
    Now(&'a [CodeUse]),
}

/// Whom a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Touch {
    /// These organisations; none where only comments changed.
    Orgs(BTreeSet<Code>),
    /// Everybody.
    All,
}

impl Touch {
    pub(super) const NOBODY: Touch = Touch::Orgs(BTreeSet::new());

    pub(super) fn and(self, other: Touch) -> Touch {
        match (self, other) {
            (Touch::Orgs(mut some), Touch::Orgs(more)) => {
                some.extend(more);
                Touch::Orgs(some)
            }
            _ => Touch::All,
        }
    }
}

/// Two papers and what is known of live codes.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) old: &'a Paper,
    pub(super) new: &'a Paper,
    pub(super) uses: Uses<'a>,
}

impl Change<'_> {
    /// Whom a file touches that came, went, or changed and has no lines to show.
    pub(super) fn file(&self, path: &str) -> Touch {
        if path == PEOPLE {
            return self.people();
        }
        self.users(path)
    }

    /// Whom a hunk of a file with lines touches.
    pub(super) fn hunk(&self, path: &str, hunk: &Hunk, old: &[String], new: &[String]) -> Touch {
        let gone = said(old, &hunk.old);
        let came = said(new, &hunk.new);
        if path.strip_suffix(".toml").is_none() {
            return self.users(path);
        }
        if path == "plan.toml" {
            let lines = gone.iter().chain(&came);
            return lines.fold(Touch::NOBODY, |touch, line| touch.and(self.plan_line(line)));
        }
        if gone.is_empty() {
            let codes = came.iter().map(|line| self.added_line(path, line));
            return codes.fold(Touch::NOBODY, Touch::and);
        }
        self.users(path)
    }

    /// A line of `plan.toml`.
    fn plan_line(&self, line: &Line<'_>) -> Touch {
        if let Some(step) = line.table.strip_prefix("step.") {
            let name = step.split('.').next().unwrap_or(step);
            let both = [self.old.concerned(name), self.new.concerned(name)];
            let orgs: BTreeSet<Code> = both.into_iter().flatten().flatten().collect();
            return if orgs.is_empty() {
                Touch::All
            } else {
                Touch::Orgs(orgs)
            };
        }
        let known = |key: &str| {
            let steps = self.old.steps.iter().chain(&self.new.steps);
            let mut orgs = steps.flat_map(|step| &step.orgs);
            orgs.any(|org| &**org == key)
        };
        match line.key() {
            Some(key) if line.table == "org" && known(key) => Touch::Orgs([key.into()].into()),
            _ => Touch::All,
        }
    }

    /// A line that was added to a map: a code of a list touches those who use it.
    fn added_line(&self, path: &str, line: &Line<'_>) -> Touch {
        let table = line.table.strip_suffix(".values").unwrap_or(line.table);
        let (Some(list), Some(code)) = (table.strip_prefix("code."), line.key()) else {
            return self.users(path);
        };
        if line.table == table && matches!(code, "values" | "unmapped") {
            return self.users(path);
        }
        let (known, all) = match self.uses {
            Uses::AsSigned(uses) => (uses, false),
            Uses::Now(uses) => (uses, true),
        };
        let of_code = |used: &&CodeUse| used.map == path && used.list == list && used.code == code;
        let mut users = known.iter().filter(of_code).peekable();
        if users.peek().is_none() && !all {
            return self.users(path);
        }
        Touch::Orgs(users.flat_map(|used| used.rows.keys().cloned()).collect())
    }

    /// Everybody whose steps work with a file; everybody at all where no step says so.
    fn users(&self, path: &str) -> Touch {
        let mut users = self.old.users(path);
        users.extend(self.new.users(path));
        if users.is_empty() {
            Touch::All
        } else {
            Touch::Orgs(users)
        }
    }

    /// Organisations whose holders differ.
    fn people(&self) -> Touch {
        let (old, new) = (&self.old.holders, &self.new.holders);
        let went = old.iter().filter(|holder| !new.contains(holder));
        let came = new.iter().filter(|holder| !old.contains(holder));
        Touch::Orgs(went.chain(came).map(|holder| holder.org.clone()).collect())
    }
}

/// A line that says something, with the table it stands in.
struct Line<'a> {
    table: &'a str,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// The bare or quoted key before `=`.
    fn key(&self) -> Option<&'a str> {
        let (key, _) = self.text.split_once('=')?;
        Some(key.trim().trim_matches(['"', '\'']))
    }
}

/// Lines of a range that say something. Where a text has strings of several lines, a line that looks
/// like a comment may be text, and so every line counts.
fn said<'a>(lines: &'a [String], range: &Range<usize>) -> Vec<Line<'a>> {
    let plain = |line: &String| !line.contains("\"\"\"") && !line.contains("'''");
    let comments = lines.iter().all(plain);
    let mut table = "";
    let mut said = Vec::new();
    for (at, line) in lines.iter().enumerate().take(range.end) {
        let text = line.trim();
        if let Some(header) = header(text) {
            table = header;
        }
        let silent = comments && (text.is_empty() || text.starts_with('#'));
        if range.contains(&at) && !silent {
            said.push(Line { table, text });
        }
    }
    said
}

/// The name in `[name]` or `[[name]]`.
fn header(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?.split(']').next()?;
    Some(inner.trim_start_matches('[').trim())
}

/// What a paper file offers to compare.
pub(super) fn lines_of(file: Option<&PaperFile>) -> Option<&[String]> {
    file?.lines.as_deref()
}
