//! What `check` says when it has looked: how many faults, what was looked at and where each database
//! address came from. The faults themselves are drawn by `faults`.
//!
//! Not here: finding faults (`plan`, `steps`).

use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner, Tone};
use super::words::some;
use super::{FORMAT, Report};
use crate::plan::fault::{Fault, PlanFaults, Severity};

/// A database that was looked at, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DatabaseSaid {
    /// The organisation's code.
    pub org: String,
    /// The variable that names it.
    pub variable: String,
    /// Where its value came from: `environment`, `.env`, `handover.toml`, `not set`.
    pub from: String,
    /// The address, its password masked; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// One fault as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaultSaid {
    /// A code of `explain`.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The cause.
    pub says: String,
    /// What stands beside the caret.
    pub label: String,
    /// What to do.
    pub help: Vec<String>,
    /// Further facts.
    pub notes: Vec<String>,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The plan's short name.
    pub plan: String,
    /// Only the papers were read.
    pub offline: bool,
    /// Steps after fan-out, where the plan could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Every fault.
    pub faults: Vec<FaultSaid>,
    /// Databases and where their addresses came from.
    pub databases: Vec<DatabaseSaid>,
    /// The faults as `faults` draws them: (drawn, plain).
    #[serde(skip)]
    pub texts: (String, String),
}

impl CheckReport {
    /// The outcome of looking at a plan: `faults` of text and live data together.
    #[must_use]
    pub fn of(faults: &PlanFaults, steps: Option<usize>, offline: bool, colour: bool) -> Self {
        let texts = if faults.is_empty() {
            (String::new(), String::new())
        } else {
            (
                super::faults::drawn(faults, colour),
                super::faults::plain(faults),
            )
        };
        CheckReport {
            format: FORMAT,
            plan: faults.plan.clone(),
            offline,
            steps,
            errors: faults.errors(),
            warnings: faults.warnings(),
            faults: faults.faults.iter().map(said).collect(),
            databases: Vec::new(),
            texts,
        }
    }

    /// With the databases that were looked at.
    #[must_use]
    pub fn with_databases(mut self, databases: Vec<DatabaseSaid>) -> Self {
        self.databases = databases;
        self
    }

    fn sound(&self) -> String {
        let steps = self.steps.map_or(String::new(), |steps| {
            format!(" {}.", some(steps, "step", "steps"))
        });
        let how = if self.offline {
            "Only the papers were read, no database."
        } else {
            "Papers and live data were read."
        };
        format!(
            "{}: no faults.{steps} {how} Nothing was changed.",
            self.plan
        )
    }
}

fn said(fault: &Fault) -> FaultSaid {
    FaultSaid {
        code: fault.code.to_owned(),
        severity: match fault.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
        .to_owned(),
        file: fault.file.clone(),
        line: fault.line,
        column: fault.column,
        says: fault.says.clone(),
        label: fault.label.clone(),
        help: fault.help.clone(),
        notes: fault.notes.clone(),
    }
}

impl Report for CheckReport {
    fn drawn(&self, manner: Manner) -> String {
        if !self.faults.is_empty() {
            return self.texts.0.clone();
        }
        let mut lines = Lines::new();
        let sound = self.sound();
        lines.wrapped("", &sound);
        for database in &self.databases {
            lines.wrapped("  ", &database.sentence());
        }
        lines
            .text()
            .replacen("no faults", &manner.paint(Tone::Good, "no faults"), 1)
    }

    fn plain(&self) -> String {
        if !self.faults.is_empty() {
            return self.texts.1.clone();
        }
        let mut lines = Lines::new();
        lines.line(self.sound());
        for database in &self.databases {
            lines.line(format!("{}.", database.sentence()));
        }
        lines.text()
    }
}

impl DatabaseSaid {
    fn sentence(&self) -> String {
        let address = self.address.as_deref().unwrap_or("no address");
        format!("{}: {address} ({}, {})", self.org, self.variable, self.from)
    }
}
