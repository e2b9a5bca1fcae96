//! What `verify` and `replay` found: one line per claim, PASS, FAIL or CANNOT TELL. Missing evidence is
//! never reported as fine.
//!
//! In: claims and how each came out. Out: lines, one closing sentence, the exit code.
//!
//! Not here: the checks themselves (`replay`).

use schemars::JsonSchema;
use serde::Serialize;

use super::differing::{self, DifferingRow};
use super::ink::{Lines, Manner, Tone};
use super::{FORMAT, Report};
use crate::machine::event::ClockKind;
use crate::machine::shown::shown;

/// How a claim came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// The evidence for it is missing.
    CannotTell,
    /// It does not hold.
    Fail,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "PASS",
            Outcome::CannotTell => "CANNOT TELL",
            Outcome::Fail => "FAIL",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Outcome::Pass => Tone::Good,
            Outcome::CannotTell => Tone::Warn,
            Outcome::Fail => Tone::Bad,
        }
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Claim {
    /// The layer that holds (`record`, `seals`, `replay`, `live data`), or a finding's code.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found, in a sentence.
    pub says: String,
}

impl Claim {
    /// A claim and how it came out.
    #[must_use]
    pub fn new(name: &str, outcome: Outcome, says: impl Into<String>) -> Claim {
        Claim {
            name: name.to_owned(),
            outcome,
            says: shown(&says.into()),
        }
    }
}

/// Everything that was proved, refuted, or could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProofReport {
    /// [`FORMAT`].
    pub format: u32,
    /// The run or the log.
    pub of: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// Every claim, in the order of checking.
    pub claims: Vec<Claim>,
    /// Stands only where values do, and says that they are personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_data: Option<String>,
    /// Rows that are not as they were written, the first thousand of each step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<DifferingRow>>")]
    pub differing: Vec<DifferingRow>,
    /// What it all means, in a sentence.
    pub says: String,
    /// What this cannot prove (an unsealed tail, no witness), one sentence each.
    pub not_proved: Vec<String>,
    /// 0, 6, 10 or 11.
    pub exit: u8,
}

impl ProofReport {
    /// The report of claims, with what they come to.
    #[must_use]
    pub fn of(of: &str, clock: ClockKind, claims: Vec<Claim>, not_proved: Vec<String>) -> Self {
        let worst = claims.iter().map(|claim| claim.outcome).max();
        let newer = claims.iter().any(|claim| claim.name == "NEWER");
        let (exit, says) = match worst {
            Some(Outcome::Fail) => (6, closing(&claims)),
            Some(Outcome::CannotTell) if newer => (
                11,
                "A newer version of Handover wrote this, and this one cannot read it whole.",
            ),
            Some(Outcome::CannotTell) | None => {
                (10, "Not everything could be checked: evidence is missing.")
            }
            Some(Outcome::Pass) => (0, "Everything that was checked agrees."),
        };
        ProofReport {
            format: FORMAT,
            of: shown(of),
            clock,
            claims,
            personal_data: None,
            differing: Vec::new(),
            says: says.to_owned(),
            not_proved: not_proved.into_iter().map(|says| shown(&says)).collect(),
            exit,
        }
    }

    /// The same with the rows that differ.
    #[must_use]
    pub fn with(self, differing: Vec<DifferingRow>) -> Self {
        let personal = differing::personal(&differing);
        ProofReport {
            personal_data: personal.then(|| differing::PERSONAL.to_owned()),
            differing,
            ..self
        }
    }
}

/// What only databases can say.
const LIVE: [&str; 7] = [
    "live data",
    "PHANTOM_COMMIT",
    "UNLOGGED_EFFECT",
    "EFFECT_MISMATCH",
    "MANIFEST_MISMATCH",
    "ROLLBACK_ROOT",
    "SOURCE_DRIFT",
];

/// A record that holds while live data moved on is something else than a record that was changed.
fn closing(claims: &[Claim]) -> &'static str {
    let failed = |claim: &&Claim| claim.outcome == Outcome::Fail;
    let all = |names: &[&str]| {
        let mut failed = claims.iter().filter(failed);
        failed.all(|claim| names.contains(&claim.name.as_str()))
    };
    if all(&LIVE) {
        "The record is sound. Live data differ from it."
    } else if all(&["PII_LEAK"]) {
        "Personal data stand where none may: hand it on to nobody."
    } else {
        "The record does not hold: do not rely on it."
    }
}

impl Report for ProofReport {
    fn drawn(&self, manner: Manner) -> String {
        let mut lines = Lines::new();
        if self.clock == ClockKind::MadeUp {
            lines.line("REHEARSAL: the clock is made up, and so are the data.");
        }
        let words = self.claims.iter().map(|claim| claim.outcome.word().len());
        let names = self.claims.iter().map(|claim| claim.name.chars().count());
        let (word_width, name_width) = (words.max().unwrap_or(0), names.max().unwrap_or(0));
        for claim in &self.claims {
            let word = claim.outcome.word();
            let lead = format!("  {word:<word_width$}  {:<name_width$}  ", claim.name);
            let mut drawn = Lines::new();
            drawn.wrapped(&lead, &claim.says);
            let inked = manner.paint(claim.outcome.tone(), word);
            lines.line(drawn.text().replacen(word, &inked, 1));
        }
        differing::draw(&self.differing, manner, &mut lines);
        lines.wrapped("", &format!("{} Exit {}.", self.says, self.exit));
        for not in &self.not_proved {
            lines.wrapped("Not proved: ", not);
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let mut lines = Lines::new();
        if self.clock == ClockKind::MadeUp {
            lines.line("This is a rehearsal: the clock is made up, and so are the data.");
        }
        for claim in &self.claims {
            lines.line(format!(
                "{}, {}: {}.",
                claim.outcome.word(),
                claim.name,
                claim.says.trim_end_matches('.')
            ));
        }
        differing::say(&self.differing, &mut lines);
        lines.line(format!("{} Exit {}.", self.says, self.exit));
        for not in &self.not_proved {
            lines.line(format!("Not proved: {}.", not.trim_end_matches('.')));
        }
        lines.text()
    }
}
