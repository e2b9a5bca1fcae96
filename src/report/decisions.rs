//! Who has decided and who is still asked: signatures of a preview, decisions at a gate.
//!
//! Not here: whether somebody may decide (`preview::sign`, `machine`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ink::{Lines, Manner, Tone};
use super::words::{Dates, some};
use super::{FORMAT, Report};
use crate::machine::event::ClockKind;
use crate::plan::model::{Code, Seat};
use crate::preview::{Preview, Signature};

/// What a decision says, or that it is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No.
    Refused,
    /// It counts no more.
    Void,
    /// Not yet made.
    Asked,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Approved => "approved",
            Verdict::Refused => "refused",
            Verdict::Void => "void",
            Verdict::Asked => "asked",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Verdict::Approved => Tone::Good,
            Verdict::Refused => Tone::Bad,
            Verdict::Void | Verdict::Asked => Tone::Warn,
        }
    }
}

/// One seat and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeatSaid {
    /// The role's title.
    pub role: String,
    /// The organisation's name; absent where any holder decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// What it said.
    pub verdict: Verdict,
    /// Who decided, by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Why, in their words, where those are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It was made on an earlier paper and carried over, since the change did not touch it.
    pub carried: bool,
}

/// Decisions about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionsReport {
    /// [`FORMAT`].
    pub format: u32,
    /// What they are about: `preview K7QF-2M9D-TX4A`, `gate go-no-go`.
    pub about: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The time zone for dates.
    pub timezone: String,
    /// Every seat.
    pub seats: Vec<SeatSaid>,
    /// What comes next, one command a line.
    pub next: Vec<String>,
}

impl DecisionsReport {
    /// The signatures of a preview. `names` are people's names by code, where they may be shown.
    #[must_use]
    pub fn of(preview: &Preview, names: &BTreeMap<Code, String>, next: Vec<String>) -> Self {
        let signed = |seat: &Seat| {
            let mut signatures = preview.signatures.iter();
            signatures.find(|signature| signature.seat == *seat)
        };
        let seats = preview.seats.iter().map(|seat| {
            let role = preview
                .roles
                .get(&seat.role)
                .unwrap_or(&seat.role.to_string())
                .clone();
            let org = seat.org.as_ref();
            let org = org.map(|org| preview.orgs.get(org).unwrap_or(&org.to_string()).clone());
            said(preview, role, org, signed(seat), names)
        });
        DecisionsReport {
            format: FORMAT,
            about: format!("preview {}", preview.paper.fingerprint.short()),
            clock: preview.clock,
            timezone: preview.timezone.clone(),
            seats: seats.collect(),
            next,
        }
    }

    fn made(&self) -> usize {
        let made = |seat: &&SeatSaid| matches!(seat.verdict, Verdict::Approved | Verdict::Refused);
        self.seats.iter().filter(made).count()
    }

    fn summary(&self) -> String {
        let (made, all) = (self.made(), self.seats.len());
        match all - made {
            0 => format!("All {} made.", some(all, "decision is", "decisions are")),
            open => format!("{made} of {all} made, {open} to come."),
        }
    }
}

fn said(
    preview: &Preview,
    role: String,
    org: Option<String>,
    signature: Option<&Signature>,
    names: &BTreeMap<Code, String>,
) -> SeatSaid {
    let name = |code: &Code| match names.get(code) {
        Some(name) if !name.is_empty() => format!("{name} ({code})"),
        _ => code.to_string(),
    };
    SeatSaid {
        role,
        org,
        verdict: signature.map_or(Verdict::Asked, |_| Verdict::Approved),
        person: signature.map(|signature| name(&signature.person)),
        at: signature.map(|signature| signature.at),
        reason: signature.map(|signature| signature.reason.clone()),
        carried: signature.is_some_and(|s| s.signed != preview.paper.fingerprint),
    }
}

impl SeatSaid {
    fn seat(&self) -> String {
        match &self.org {
            Some(org) => format!("{}, {org}", self.role),
            None => self.role.clone(),
        }
    }

    fn by(&self, dates: &Dates) -> String {
        let who = self.person.clone();
        let when = self.at.map(|at| dates.short(at));
        let carried = self.carried.then(|| "carried over".to_owned());
        let parts: Vec<String> = [who, when, carried].into_iter().flatten().collect();
        parts.join(", ")
    }
}

impl Report for DecisionsReport {
    fn drawn(&self, manner: Manner) -> String {
        let dates = Dates::of(&self.timezone);
        let mut lines = Lines::new();
        let rehearsal = if self.clock == ClockKind::MadeUp {
            "  REHEARSAL"
        } else {
            ""
        };
        lines.line(manner.head(&format!("Decisions on {}{rehearsal}", self.about)));
        for seat in &self.seats {
            let word = seat.verdict.word();
            let text = match seat.by(&dates) {
                by if by.is_empty() => seat.seat(),
                by => format!("{}: {by}", seat.seat()),
            };
            let mut drawn = Lines::new();
            drawn.wrapped(&format!("  {word:<8}  "), &text);
            let inked = manner.paint(seat.verdict.tone(), word);
            lines.line(drawn.text().replacen(word, &inked, 1));
        }
        lines.line(self.summary());
        for (at, next) in self.next.iter().enumerate() {
            lines.wrapped(if at == 0 { "Next: " } else { "      " }, next);
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let dates = Dates::of(&self.timezone);
        let mut lines = Lines::new();
        let rehearsal = if self.clock == ClockKind::MadeUp {
            " in a rehearsal"
        } else {
            ""
        };
        lines.line(format!("Decisions on {}{rehearsal}.", self.about));
        for seat in &self.seats {
            let by = match seat.by(&dates) {
                by if by.is_empty() => String::new(),
                by => format!(" by {by}"),
            };
            lines.line(format!("{}: {}{by}.", seat.seat(), seat.verdict.word()));
        }
        lines.line(self.summary());
        for next in &self.next {
            lines.line(format!("Next: {next}"));
        }
        lines.text()
    }
}
