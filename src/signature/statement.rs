//! What is signed: a decision about a paper, a gate or a rollback, as RFC 8785 JSON. Codes and digests
//! only: a statement travels with a log.
//!
//! ```text
//! preview@handover    {"decision":"approve","nonce":…,"not_after":…,"not_before":…,"org":…,"person":…,
//!                      "plan":sha256,"reading":sha256,"role":…,"v":1}
//! approval@handover   {"after":{"root":base64,"size":N},"decision":…,"gate":"approval","generation":G,
//!                      "log":origin,…,"plan":sha256,"run":uuid,"step":id,…,"v":1}
//! ```
//!
//! `after` is the head of the log that the signer saw: whoever shows them another history than everybody
//! else cannot use what they sign. `generation` counts how often the step was undone: what was signed
//! before a rollback says nothing behind it. The nonce keeps a statement from counting twice in a run; a
//! paper's statement begins no second run either (`run::begin`).
//!
//! Not here: the signature over it (`sshsig`), whether it may be made (`machine`).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::calendar::dates::Dates;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::StepId;

/// Namespace of signatures under previews of plans and of rollbacks.
pub const PREVIEW: &str = "preview@handover";
/// Namespace of signatures at gates.
pub const APPROVAL: &str = "approval@handover";

/// The one version of statements there is.
const VERSION: u32 = 1;
/// Longest statement; ours are below 1,000 bytes.
const STATEMENT_BYTES_MAX: usize = 16 * 1024;

/// A decision, word for word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What about.
    pub about: About,
    /// Yes, no, or taken back.
    pub decision: Verdict,
    /// Who, by code.
    pub person: Code,
    /// In which role.
    pub role: Code,
    /// For which organisation.
    pub org: Code,
    /// What the decision is made on: at a gate the counts and sums that were read, of a paper all that its
    /// preview shows.
    pub reading: Option<Digest>,
    /// Digest of a file that was handed in with it.
    pub evidence: Option<Digest>,
    /// From when to when it counts, and once.
    pub window: Window,
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A paper, before a run exists or before it is amended.
    Paper {
        /// Its fingerprint.
        plan: Digest,
    },
    /// A rollback's reviewed preview.
    Rollback {
        /// Its digest.
        rollback: Digest,
    },
    /// A gate of one run.
    Gate {
        /// The log's origin.
        log: String,
        /// The run.
        run: Uuid,
        /// The paper in force.
        plan: Digest,
        /// The step.
        step: StepId,
        /// From 1; raised by each undo of the step.
        generation: u32,
        /// Whether it is the step's own gate, or whether it is left out.
        gate: Gate,
        /// The head of the log that the signer saw.
        after: After,
    },
}

impl About {
    /// What it says, part by part, as values that can be compared; a part that it lacks is nothing.
    fn parts(&self) -> [(&'static str, Option<String>); 7] {
        let mut parts = [
            ("what it is about", None),
            ("the log", None),
            ("the run", None),
            ("the step", None),
            ("how often the step was undone", None),
            ("the kind of gate", None),
            ("the plan", None),
        ];
        let said = match self {
            About::Paper { plan } => {
                let plan = Some(plan.to_string());
                [None, None, None, None, None, None, plan]
            }
            About::Rollback { rollback } => {
                let what = Some(rollback.to_string());
                [what, None, None, None, None, None, None]
            }
            About::Gate {
                log,
                run,
                plan,
                step,
                generation,
                gate,
                ..
            } => [
                Some("a gate".to_owned()),
                Some(log.clone()),
                Some(run.to_string()),
                Some(step.to_string()),
                Some(generation.to_string()),
                Some(format!("{gate:?}")),
                Some(plan.to_string()),
            ],
        };
        for (part, said) in parts.iter_mut().zip(said) {
            part.1 = said;
        }
        parts
    }

    fn differs_from(&self, other: &About) -> Option<&'static str> {
        let both = self.parts().into_iter().zip(other.parts());
        let mut unlike = both.filter(|(one, other)| one.1 != other.1);
        match unlike.next() {
            Some((one, _)) => Some(one.0),
            None if self != other => Some("the head of the log"),
            None => None,
        }
    }
}

/// What a yes at a step means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The approval that the plan asks for there.
    Approval,
    /// The step may be left out.
    LeaveOut,
}

/// The head of a log: how many entries, and the root over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// How many entries.
    pub size: u64,
    /// The root, written as base64, as seals write it.
    #[serde(with = "as_base64")]
    pub root: Digest,
}

/// What a decision says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Refuse,
    /// What was said before no longer counts.
    Revoke,
}

/// From when to when a statement counts, and the number that lets it count once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Drawn at random.
    pub nonce: Nonce,
    /// The last second at which it counts.
    pub not_after: Second,
    /// The first second at which it counts.
    pub not_before: Second,
}

impl Window {
    /// Whether a statement counts at `moment` (of the wall clock).
    #[must_use]
    pub fn holds(&self, moment: Timestamp) -> bool {
        let second = Second::of(moment);
        self.not_before <= second && second <= self.not_after
    }

    /// From when to when, for people.
    #[must_use]
    pub fn told(&self) -> String {
        let moments = [self.not_before, self.not_after];
        let [from, to] = moments.map(|one| Dates::default().with_zone(one.moment()));
        format!("from {from} to {to}")
    }
}

/// A moment to the second, UTC: `2026-11-23T09:40:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Second(Timestamp);

impl Second {
    /// The second in which `moment` lies.
    #[must_use]
    pub fn of(moment: Timestamp) -> Second {
        let whole = Timestamp::from_second(
            moment
                .as_second()
                .saturating_sub(i64::from(moment.subsec_nanosecond() < 0)),
        );
        Second(whole.unwrap_or(Timestamp::MIN))
    }

    /// As a moment.
    #[must_use]
    pub fn moment(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 16 random bytes, as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nonce(pub [u8; 16]);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not written as we would write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not in the form that statements use")]
pub struct OtherForm;

impl FromStr for Second {
    type Err = OtherForm;

    fn from_str(text: &str) -> Result<Second, OtherForm> {
        let moment: Timestamp = text.parse().map_err(|_| OtherForm)?;
        exact(Second::of(moment), text)
    }
}

impl FromStr for Nonce {
    type Err = OtherForm;

    fn from_str(text: &str) -> Result<Nonce, OtherForm> {
        let number = u128::from_str_radix(text, 16).map_err(|_| OtherForm)?;
        exact(Nonce(number.to_be_bytes()), text)
    }
}

/// The value, if `text` is what it would be written as.
fn exact<T: fmt::Display>(value: T, text: &str) -> Result<T, OtherForm> {
    if value.to_string() == text {
        Ok(value)
    } else {
        Err(OtherForm)
    }
}

macro_rules! as_text {
    ($($of:ty),*) => {$(
        impl Serialize for $of {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $of {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text!(Second, Nonce);

/// Roots as seals write them.
mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Deserialize, Deserializer, Digest, Serializer};

    pub(super) fn serialize<S: Serializer>(root: &Digest, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(root.0))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        let root: Result<[u8; 32], _> = bytes.try_into();
        root.map(Digest)
            .map_err(|_| serde::de::Error::custom("a root has 32 bytes"))
    }
}

/// Bytes that are no statement of ours.
#[derive(Debug, thiserror::Error)]
pub enum StatementFault {
    /// Longer than any.
    #[error("the statement has {0} bytes, where {STATEMENT_BYTES_MAX} are the most")]
    TooLong(usize),
    /// Not the JSON of a statement.
    #[error("this is not a statement of Handover")]
    Shape(#[source] serde_json::Error),
    /// A newer version.
    #[error("the statement has version {0}, where 1 is known")]
    Version(u32),
    /// Fields that do not belong together.
    #[error("the statement says too little or too much of what it is about")]
    About,
    /// Written in another way than the one that is signed.
    #[error("the statement is not in canonical form")]
    NotCanonical,
}

impl Statement {
    /// The namespace that its signature is made for.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        match self.about {
            About::Gate { .. } => APPROVAL,
            About::Paper { .. } | About::Rollback { .. } => PREVIEW,
        }
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // Texts and small numbers under fixed keys: always JSON.
        serde_json_canonicalizer::to_vec(&Form::of(self)).unwrap_or_default()
    }

    /// The first part, in words, in which it is another statement than `other`; none if it is the same.
    #[must_use]
    pub fn differs_from(&self, other: &Statement) -> Option<&'static str> {
        let parts = [
            (self.decision == other.decision, "the decision"),
            (self.person == other.person, "the person"),
            (self.role == other.role, "the role"),
            (self.org == other.org, "the organisation"),
            (self.reading == other.reading, "the reading"),
            (self.evidence == other.evidence, "the evidence"),
            (self.window == other.window, "the validity or the nonce"),
        ];
        let first = parts.into_iter().find(|(same, _)| !same);
        self.about
            .differs_from(&other.about)
            .or(first.map(|(_, part)| part))
    }

    /// SHA-256 of [`Statement::bytes`].
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes())
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`Statement::bytes`] would give.
    pub fn parse(bytes: &[u8]) -> Result<Statement, StatementFault> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(StatementFault::TooLong(bytes.len()));
        }
        let form: Form = serde_json::from_slice(bytes).map_err(StatementFault::Shape)?;
        if form.v != VERSION {
            return Err(StatementFault::Version(form.v));
        }
        let statement = form.statement().ok_or(StatementFault::About)?;
        if statement.bytes() == bytes {
            Ok(statement)
        } else {
            Err(StatementFault::NotCanonical)
        }
    }
}

/// A statement as it is written: every field that any kind has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rollback: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<StepId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gate: Option<Gate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<After>,
    decision: Verdict,
    person: Code,
    role: Code,
    org: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Digest>,
    nonce: Nonce,
    not_before: Second,
    not_after: Second,
}

impl Form {
    fn of(statement: &Statement) -> Form {
        let mut form = Form {
            v: VERSION,
            plan: None,
            rollback: None,
            log: None,
            run: None,
            step: None,
            generation: None,
            gate: None,
            after: None,
            decision: statement.decision,
            person: statement.person.clone(),
            role: statement.role.clone(),
            org: statement.org.clone(),
            reading: statement.reading,
            evidence: statement.evidence,
            nonce: statement.window.nonce,
            not_before: statement.window.not_before,
            not_after: statement.window.not_after,
        };
        match &statement.about {
            About::Paper { plan } => form.plan = Some(*plan),
            About::Rollback { rollback } => form.rollback = Some(*rollback),
            About::Gate {
                log,
                run,
                plan,
                step,
                generation,
                gate,
                after,
            } => {
                form.generation = Some(*generation);
                (form.log, form.run) = (Some(log.clone()), Some(*run));
                (form.plan, form.step) = (Some(*plan), Some(step.clone()));
                (form.gate, form.after) = (Some(*gate), Some(*after));
            }
        }
        form
    }

    fn about(&mut self) -> Option<About> {
        let step = self.step.take().zip(self.generation);
        let gate = (self.log.take(), self.run, step, self.gate, self.after);
        match (self.plan, self.rollback, gate) {
            (Some(plan), None, (None, None, None, None, None)) => Some(About::Paper { plan }),
            (None, Some(rollback), (None, None, None, None, None)) => {
                Some(About::Rollback { rollback })
            }
            (
                Some(plan),
                None,
                (Some(log), Some(run), Some((step, generation)), Some(gate), Some(after)),
            ) => Some(About::Gate {
                log,
                run,
                plan,
                step,
                generation,
                gate,
                after,
            }),
            _ => None,
        }
    }

    fn statement(mut self) -> Option<Statement> {
        Some(Statement {
            about: self.about()?,
            decision: self.decision,
            person: self.person,
            role: self.role,
            org: self.org,
            reading: self.reading,
            evidence: self.evidence,
            window: Window {
                nonce: self.nonce,
                not_after: self.not_after,
                not_before: self.not_before,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_told_in_the_time_of_the_people_who_read_it() {
        let second = |text: &str| text.parse::<Second>().expect("a second");
        let window = Window {
            nonce: Nonce([0; 16]),
            not_before: second("2027-03-27T09:00:00Z"),
            not_after: second("2027-04-10T09:00:00Z"),
        };
        assert_eq!(
            window.told(),
            "from Sat 27 Mar 2027, 9:00am GMT to Sat 10 Apr 2027, 10:00am BST"
        );
    }
}
