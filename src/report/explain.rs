//! An `explain` page: what happened, why it matters, what to do.
//!
//! Not here: the pages themselves (`plan::codes`).

use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner};
use super::{FORMAT, Report};
use crate::plan::codes::Page;

/// A page to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExplainReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The code, the step kind or the field.
    pub name: String,
    /// One line.
    pub title: String,
    /// What happened, or what it is.
    pub what: String,
    /// Why it matters; empty where there is nothing to add.
    pub why: String,
    /// What to do.
    pub then: String,
}

impl From<Page> for ExplainReport {
    fn from(page: Page) -> ExplainReport {
        ExplainReport {
            format: FORMAT,
            name: page.name,
            title: page.title,
            what: page.what,
            why: page.why,
            then: page.then,
        }
    }
}

impl ExplainReport {
    fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("What it means", self.what.as_str()),
            ("Why it matters", self.why.as_str()),
            ("What to do", self.then.as_str()),
        ];
        parts.into_iter().filter(|(_, text)| !text.is_empty())
    }
}

impl Report for ExplainReport {
    fn drawn(&self, manner: Manner) -> String {
        let mut lines = Lines::new();
        lines.line(manner.head(&format!("{}  {}", self.name, self.title)));
        for (head, text) in self.parts() {
            lines.gap().line(manner.head(head));
            for paragraph in text.split('\n').filter(|text| !text.is_empty()) {
                let own = paragraph.len() - paragraph.trim_start().len();
                lines.wrapped(&" ".repeat(own + 2), paragraph.trim_start());
            }
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let mut lines = Lines::new();
        lines.line(format!(
            "{}: {}.",
            self.name,
            self.title.trim_end_matches('.')
        ));
        for (head, text) in self.parts() {
            lines.line(format!("{head}: {}", text.replace('\n', " ")));
        }
        lines.text()
    }
}
