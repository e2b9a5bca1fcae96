//! The log as other people's tools read it: OCEL 2.0 and XES for process mining, CSV for a spreadsheet,
//! `OpenLineage` for a catalogue of data.
//!
//! A view is derived and proves nothing: whoever doubts one makes it again from the log. Each is
//! written while the log is read, in one pass.
//!
//! Not here: whether the log is sound (`replay`).

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::journal::{JournalFault, LogFolder};
use crate::machine::event::{Entry, Event};
use crate::machine::line::{self, LineFault};
use crate::plan::digest::Digest;
use crate::plan::model::Plan;

mod activity;
mod lineage;
mod ocel;
mod table;
mod xes;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// OCEL 2.0, JSON: events and the objects they are about.
    Ocel,
    /// XES (IEEE 1849): one trace a step.
    Xes,
    /// CSV: one line an activity.
    Csv,
    /// `OpenLineage` 2-0-2 run events, one a line: copies and checks.
    OpenLineage,
}

impl View {
    /// Every format, and what its file is called in a pack.
    pub const FILES: [(View, &'static str); 4] = [
        (View::Csv, "events.csv"),
        (View::Ocel, "events.ocel.json"),
        (View::Xes, "events.xes"),
        (View::OpenLineage, "openlineage.jsonl"),
    ];
}

/// Why a view could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ViewFault {
    /// The log cannot be read.
    #[error("the step log cannot be read")]
    Log(#[from] JournalFault),
    /// A line of it is no entry.
    #[error("line {seq} is no entry of a step log")]
    Line {
        /// Which, from 0.
        seq: u64,
        /// Why.
        #[source]
        fault: LineFault,
    },
    /// It could not be written.
    #[error("the view cannot be written")]
    Write(#[from] io::Error),
}

/// Writes a log in one of the formats.
///
/// # Errors
/// When the log cannot be read, or `out` takes no more.
pub fn write(view: View, log: &LogFolder, out: &mut dyn Write) -> Result<(), ViewFault> {
    match view {
        View::Ocel => tell(ocel::Ocel::new(out)?, log),
        View::Xes => tell(xes::Xes::new(out)?, log),
        View::Csv => tell(table::Table::new(out)?, log),
        View::OpenLineage => tell(lineage::Lineage::new(out), log),
    }
}

/// Somebody who writes a view, entry by entry.
trait Teller {
    /// Takes the next entry.
    fn entry(&mut self, entry: &Entry, told: &Told) -> io::Result<()>;
    /// Writes what is left.
    fn end(self, told: &Told) -> io::Result<()>;
}

/// What the log has told so far that every view needs.
#[derive(Default)]
struct Told {
    origin: String,
    plans: BTreeMap<Digest, Plan>,
}

impl Told {
    /// The plan that was in force at an entry, where the log has its papers.
    fn plan(&self, entry: &Entry) -> Option<&Plan> {
        self.plans.get(&entry.plan)
    }

    /// The project: what stands before the run in its origin.
    fn project(&self) -> &str {
        self.origin.split('/').next().unwrap_or_default()
    }

    fn hear(&mut self, entry: &Entry, log: &LogFolder) {
        if let Event::LogOpened(opened) = &entry.event {
            self.origin.clone_from(&opened.origin);
        }
        if matches!(entry.event, Event::LogOpened(_) | Event::PlanAmended(_)) {
            let papers = log.papers(entry.plan).ok();
            let plan = papers.and_then(|papers| crate::plan::read(self.project(), papers).ok());
            if let Some(plan) = plan {
                self.plans.insert(entry.plan, plan);
            }
        }
    }
}

fn tell(mut teller: impl Teller, log: &LogFolder) -> Result<(), ViewFault> {
    let mut told = Told::default();
    for (seq, line) in (0..).zip(log.lines()?) {
        let entry = line::parse(&line?).map_err(|fault| ViewFault::Line { seq, fault })?;
        told.hear(&entry, log);
        teller.entry(&entry, &told)?;
    }
    Ok(teller.end(&told)?)
}
