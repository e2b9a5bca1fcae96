//! The preview as people read it, in three depths: one page to decide on, the steps, the rows. What
//! cannot be undone stands first and by name.
//!
//! In: a [`Preview`]. JSON is the preview file itself.
//!
//! Not here: making one (`crate::preview`), faults of the text (`faults`).

mod facts;
mod page;
mod rows;
mod sentences;
mod steps;

use serde::Serialize;

use super::{Manner, Report};
use crate::preview::Preview;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// One page: what, when, how many, what cannot be undone, whose turn.
    #[default]
    Brief,
    /// The page and every step.
    Steps,
    /// The page, every step, and counts by organisation and dataset.
    Rows,
}

/// A preview to be read.
#[derive(Debug, Clone)]
pub struct PreviewReport<'a> {
    /// What was looked at.
    pub preview: &'a Preview,
    /// How much of it.
    pub depth: Depth,
    /// The file it was saved to.
    pub saved: Option<&'a str>,
    /// The commands that come next, one a line.
    pub next: &'a [String],
}

impl Serialize for PreviewReport<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.preview.serialize(serializer)
    }
}

impl Report for PreviewReport<'_> {
    fn drawn(&self, manner: Manner) -> String {
        let mut text = page::page(self, manner);
        if self.depth != Depth::Brief {
            text.push('\n');
            text.push_str(&steps::steps(self.preview, manner));
        }
        if self.depth == Depth::Rows {
            text.push('\n');
            text.push_str(&rows::rows(self.preview, manner));
        }
        text
    }

    fn plain(&self) -> String {
        sentences::sentences(self)
    }
}
