//! The preview as data: the file that `preview --out` writes as pretty JSON. Counts, codes, dates,
//! digests, the paper's own lines; no name of a person and no row.
//!
//! Format 1. A reader refuses a format it does not know and any field it does not know.
//!
//! Not here: how one is made (`look`), signed (`sign`), compared (`stale`), drawn (`report`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::paper::Paper;
use super::reading::Reading;
use super::stale::FileChange;
use super::timetable::{FrozenWork, Point, TimetableRow};
use crate::calendar::dates::Dates;
use crate::copy::counts::Counts;
use crate::machine::event::{ClockKind, Method};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Seat};
use crate::plan::outline::{StepId, Undo};
use crate::signature::Proof;

/// The format of preview files, `format` in each.
pub const FORMAT: u32 = 1;

/// What a plan would do, read without writing; what people sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// [`FORMAT`].
    pub format: u32,
    /// The paper: what a signature binds to.
    pub paper: Paper,
    /// The paper that this one amends, and what was carried over from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Former>,
    /// Made-up clocks say *rehearsal* in every output.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The plan's time at which databases were read.
    #[schemars(with = "String")]
    pub read_at: Timestamp,
    /// The moment of handover.
    #[schemars(with = "String")]
    pub handover: Timestamp,
    /// The time zone that people read dates in.
    pub timezone: String,
    /// Organisations that rows come from.
    #[schemars(with = "Vec<String>")]
    pub sources: Vec<Code>,
    /// Organisations that rows go to, in the plan's order.
    #[schemars(with = "Vec<String>")]
    pub targets: Vec<Code>,
    /// What organisations are called on the day of handover.
    #[schemars(with = "BTreeMap<String, String>")]
    pub orgs: BTreeMap<Code, String>,
    /// Titles of roles.
    #[schemars(with = "BTreeMap<String, String>")]
    pub roles: BTreeMap<Code, String>,
    /// How many homes the plan speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homes: Option<HomesSaid>,
    /// Live counts and sums, and the digest that a gate approval binds to.
    pub reading: Reading,
    /// [`Preview::digest`]: what whoever signs with a key has seen.
    #[schemars(with = "String")]
    pub shown: Digest,
    /// Every step, in the plan's order.
    pub steps: Vec<StepSaid>,
    /// What stands against the plan in live data, worst first.
    pub findings: Vec<FindingSaid>,
    /// Live codes that maps do not cover.
    pub unmapped: Vec<CodeUse>,
    /// Steps with a date, in the order of dates.
    pub timetable: Vec<TimetableRow>,
    /// From when on what cannot be taken back, per subject.
    pub points: Vec<Point>,
    /// What the source stands still for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<FrozenWork>,
    /// Who must sign before a run.
    #[schemars(with = "Vec<SeatShape>")]
    pub seats: Vec<Seat>,
    /// Who has signed.
    pub signatures: Vec<Signature>,
}

/// The shape of a [`Seat`], for schemas.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct SeatShape {
    role: String,
    org: Option<String>,
}

/// The shape of [`Counts`], for schemas.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct CountsShape {
    copied: u64,
    rejected: BTreeMap<String, u64>,
    filtered: BTreeMap<String, u64>,
    pence: BTreeMap<String, i64>,
    #[serde(default)]
    mended: BTreeMap<String, u64>,
}

/// What an amended preview comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// Its fingerprint.
    #[schemars(with = "String")]
    pub paper: Digest,
    /// The run that is amended; absent: the plan was changed before any run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub run: Option<Uuid>,
    /// What changed.
    pub changes: Vec<FileChange>,
    /// Signatures that lapsed with it.
    #[schemars(with = "Vec<SeatShape>")]
    pub lapsed: Vec<Seat>,
}

/// The plan's number of homes beside the one that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HomesSaid {
    /// What the paper says.
    pub says: u64,
    /// On which day that was true.
    #[schemars(with = "String")]
    pub as_at: jiff::civil::Date,
    /// How far apart they may be.
    pub tolerance: u64,
    /// What was read; absent where no data moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
}

impl HomesSaid {
    /// Whether what was read agrees within the tolerance; nothing read agrees with anything.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.found
            .is_none_or(|found| found.abs_diff(self.says) <= self.tolerance)
    }
}

/// One step and what it would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSaid {
    /// Its id.
    #[schemars(with = "String")]
    pub id: StepId,
    /// The authored name: four copies share it.
    #[schemars(with = "String")]
    pub name: Code,
    /// Its kind: `data-copy`.
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// The phase it stands in.
    pub phase: String,
    /// The organisation it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub org: Option<Code>,
    /// What it comes after.
    #[schemars(with = "Vec<String>")]
    pub after: Vec<StepId>,
    /// Its undo word at the moment of reading.
    #[schemars(with = "serde_json::Value")]
    pub undo: Undo,
    /// Decisions it asks for.
    #[schemars(with = "Vec<SeatShape>")]
    pub seats: Vec<Seat>,
    /// One line: `38 contracts`.
    pub line: String,
    /// Things to know, one sentence each.
    pub notes: Vec<String>,
    /// Counts by organisation and dataset.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, CountsShape>>")]
    pub counts: BTreeMap<Code, BTreeMap<String, Counts>>,
    /// Rows nobody owns, by source table and reason.
    pub unrouted: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Something that stands against the plan, or that people should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingSaid {
    /// A code of `explain`.
    pub code: String,
    /// It stops a step (otherwise it is a warning).
    pub stops: bool,
    /// Steps that found it.
    #[schemars(with = "Vec<String>")]
    pub steps: Vec<StepId>,
    /// One sentence.
    pub says: String,
    /// What to do about it.
    pub help: String,
    /// The table, column, dataset or list.
    pub about: String,
    /// Rows by organisation.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub rows: BTreeMap<Code, u64>,
    /// Where in the papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceSaid>,
}

/// A place in a paper, for people: counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceSaid {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A live code that a map does not cover, and whose rows use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeUse {
    /// The map file.
    pub map: String,
    /// The code list in it.
    pub list: String,
    /// The code.
    pub code: String,
    /// Rows by target organisation.
    #[schemars(with = "BTreeMap<String, u64>")]
    pub rows: BTreeMap<Code, u64>,
}

/// Somebody's recorded yes to a paper or to a rollback's preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The seat it fills.
    #[schemars(with = "SeatShape")]
    pub seat: Seat,
    /// Whose it is, by code.
    #[schemars(with = "String")]
    pub person: Code,
    /// The organisation they act for.
    #[schemars(with = "String")]
    pub org: Code,
    /// Why, in their words. Stays in this file; the log holds the statement's digest.
    pub reason: String,
    /// When, really.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How it reached us.
    #[schemars(with = "String")]
    pub method: Method,
    /// What they signed: a paper fingerprint, or the digest of a rollback's preview. Differs from the
    /// preview's own where the signature was carried over by an amendment that did not touch it.
    #[schemars(with = "String")]
    pub signed: Digest,
    /// Digest of the statement: of what was signed with a key, or of what was recorded
    /// ([`super::sign::Statement`]).
    #[schemars(with = "String")]
    pub statement: Digest,
    /// What was signed with a key, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sshsig: Option<SshsigSaid>,
    /// Digest of an evidence file, where one was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub evidence: Option<Digest>,
}

/// A statement and the OpenSSH signature over it, as they are checked with `ssh-keygen -Y verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SshsigSaid {
    /// The statement, byte for byte.
    pub statement: String,
    /// The armoured signature.
    pub signature: String,
}

impl Signature {
    /// What proves it, where it was made with a key.
    #[must_use]
    pub fn proof(&self) -> Option<Proof> {
        self.sshsig.as_ref().map(|said| Proof {
            statement: said.statement.clone().into_bytes(),
            signature: said.signature.clone().into_bytes(),
        })
    }
}

/// A preview file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// Not JSON, or not the shape of a preview.
    #[error("this is not a preview file of Handover")]
    Shape(#[source] serde_json::Error),
    /// Written by a newer version.
    #[error("the preview file has format {found}; this version reads up to {FORMAT}")]
    Newer {
        /// Its format.
        found: u32,
    },
    /// Nobody knows its time zone: dates could only be shown in another.
    #[error("the preview file says the time zone `{0}`, which there is none of")]
    Zone(String),
    /// The numbers are not those that were read.
    #[error("the numbers or findings are not those of the reading: the file was edited")]
    Numbers,
    /// Something else in it is not what was written.
    #[error("what it says is not what was shown when it was made: the file was edited")]
    Shown,
    /// A signature in it does not carry the statement that it claims.
    #[error(
        "the signature of `{person}` does not agree with its own statement: the file was edited"
    )]
    Edited {
        /// Whose signature.
        person: Code,
    },
}

/// The one field that every format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// The zone that a file's dates are shown in.
#[derive(Deserialize)]
struct Told {
    timezone: String,
}

impl Preview {
    /// Reads a preview file and checks that nothing was edited: each signature is over what stands beside it,
    /// the numbers are those of the reading, and the file has the digest that it says. Whoever edits it can
    /// put right that digest, too: it holds against them where it was signed with a key (the statement names
    /// it) or stands in a run's log.
    ///
    /// # Errors
    /// See [`FileFault`].
    pub fn read(bytes: &[u8]) -> Result<Preview, FileFault> {
        let preview: Preview = read(bytes)?;
        super::sign::unedited(&preview.signatures, super::sign::paper)?;
        if !Reading::adds_up(&preview.steps) {
            return Err(FileFault::Numbers);
        }
        let told = Reading::of(&preview.steps, &preview.findings);
        let homes = preview.homes.as_ref().and_then(|homes| homes.found);
        if told != preview.reading || homes != told.homes().filter(|_| preview.homes.is_some()) {
            return Err(FileFault::Numbers);
        }
        if preview.shown != preview.digest() {
            return Err(FileFault::Shown);
        }
        super::sign::same_shown(&preview)?;
        Ok(preview)
    }

    /// SHA-256 over all that is shown, which is everything but the signatures: counts step by step, findings
    /// and warnings, notes, dates and points of no return, what stands still, titles, what it amends.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let bare = Preview {
            shown: Digest::ZERO,
            signatures: Vec::new(),
            ..self.clone()
        };
        // Not RFC 8785, in which large numbers are no longer exact. A format keeps the order of its fields.
        // Text keys, texts, numbers and moments: always JSON.
        Digest::of(&serde_json::to_vec(&bare).unwrap_or_default())
    }

    /// The same, which says of itself what it shows.
    #[must_use]
    pub fn as_shown(mut self) -> Preview {
        self.shown = self.digest();
        self
    }

    /// The bytes of the file: pretty JSON, the same for the same preview.
    ///
    /// # Errors
    /// When a value cannot be JSON: a bug.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        written(self)
    }

    /// The lines that the reading's digest is over.
    #[must_use]
    pub fn reading_lines(&self) -> String {
        self.reading.lines(&self.findings)
    }

    /// Whether any finding would stop a step.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.findings.iter().any(|finding| finding.stops)
    }
}

/// Reads any of our preview files: format first, then everything, then whether its zone is one.
pub(super) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, FileFault> {
    let head: Head = serde_json::from_slice(bytes).map_err(FileFault::Shape)?;
    if head.format > FORMAT {
        return Err(FileFault::Newer { found: head.format });
    }
    let file = serde_json::from_slice(bytes).map_err(FileFault::Shape)?;
    let Told { timezone } = serde_json::from_slice(bytes).map_err(FileFault::Shape)?;
    match Dates::known(&timezone) {
        Some(_) => Ok(file),
        None => Err(FileFault::Zone(timezone)),
    }
}

/// Pretty JSON with a line end.
pub(super) fn written<T: Serialize>(file: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(file)?;
    bytes.push(b'\n');
    Ok(bytes)
}
