//! One line of the step log: an `Entry` to its bytes and back. RFC 8785 JSON without its line feed;
//! the digest of these bytes is what the next line holds as `prev`.
//!
//! In and out: `write` gives bytes that `parse` takes back to the same entry; `parse` takes nothing
//! that `write` would not give, except an optional part `x` that it ignores.
//!
//! Changelog of the format (`v`): 1, the first. A reader refuses a newer one by name
//! ([`LineFault::Newer`]) and keeps reading every older one.
//!
//! Not here: the hash chain (`journal`, `replay`), what an entry does (`apply`).

use std::borrow::Cow;
use std::io::Write;

use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::canonical::{self, NotCanonical};
use super::event::{About, Actor, Entry, Event, VERSION};
use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::outline::StepId;

/// Longest line, in bytes: what a tlog-tiles entry can hold.
pub const LINE_BYTES_MAX: usize = 65_535;

/// An entry that cannot stand in a log.
#[derive(Debug, thiserror::Error)]
pub enum NotLoggable {
    /// Longer than a line may be.
    #[error("an entry of {0} bytes, where a line has at most {LINE_BYTES_MAX}")]
    TooLong(usize),
    /// An integer beyond 2^53-1, or the like.
    #[error("an entry that has no canonical form")]
    NotCanonical(#[source] NotCanonical),
    /// It has no JSON form.
    #[error("an entry that has no JSON form")]
    NoJson(#[source] serde_json::Error),
}

/// Bytes that are no line of a step log that this version can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// Longer than a line may be.
    #[error("a line of {0} bytes, where {LINE_BYTES_MAX} are the most")]
    TooLong(usize),
    /// Other bytes than we would have written.
    #[error("a line that is not canonical")]
    NotCanonical(#[source] NotCanonical),
    /// Written by a newer version of Handover.
    #[error("an entry of format {0}, newer than this version of Handover can read ({VERSION})")]
    Newer(u64),
    /// Canonical JSON, but no entry.
    #[error("a line that is no entry: {0}")]
    NotAnEntry(String),
}

/// The bytes of `entry`, without a line feed.
///
/// # Errors
/// When the line would be too long or holds an integer beyond 2^53-1.
pub fn write(entry: &Entry) -> Result<Vec<u8>, NotLoggable> {
    let mut line = Vec::with_capacity(1024);
    put(&mut line, entry).map_err(NotLoggable::NoJson)?;
    if line.len() > LINE_BYTES_MAX {
        return Err(NotLoggable::TooLong(line.len()));
    }
    canonical::check(&line).map_err(NotLoggable::NotCanonical)?;
    Ok(line)
}

/// Keys in ascending order, as JCS wants them; bodies and actors are sorted by the canonicalizer.
fn put(line: &mut Vec<u8>, entry: &Entry) -> Result<(), serde_json::Error> {
    use serde_json_canonicalizer::to_writer as canonical;
    let io = serde_json::Error::io;
    line.extend_from_slice(b"{\"actor\":");
    canonical(&entry.actor, line)?;
    write!(
        line,
        ",\"as_at\":\"{}\",\"at\":\"{}\"",
        entry.as_at, entry.at
    )
    .map_err(io)?;
    if let Some(about) = &entry.about {
        write!(line, ",\"attempt\":{}", about.attempt).map_err(io)?;
    }
    line.extend_from_slice(b",\"body\":");
    put_body(&entry.event, line)?;
    write!(
        line,
        ",\"boot\":\"{}\",\"epoch\":{},\"exec\":\"{}\"",
        entry.boot, entry.epoch, entry.exec
    )
    .map_err(io)?;
    if let Some(about) = &entry.about {
        write!(line, ",\"generation\":{}", about.generation).map_err(io)?;
    }
    write!(
        line,
        ",\"mono\":\"{}\",\"plan\":\"{}\",\"prev\":\"{}\",\"run\":\"{}\",\"seq\":{}",
        entry.mono, entry.plan, entry.prev, entry.run, entry.seq
    )
    .map_err(io)?;
    if let Some(about) = &entry.about {
        line.extend_from_slice(b",\"step\":");
        canonical(&about.step, line)?;
    }
    write!(
        line,
        ",\"type\":\"{}\",\"v\":{VERSION}}}",
        entry.event.name()
    )
    .map_err(io)
}

/// The entry in `line` (without its line feed).
///
/// # Errors
/// When the bytes are not exactly what [`write`] would give, the part `x` aside.
pub fn parse(line: &[u8]) -> Result<Entry, LineFault> {
    if line.len() > LINE_BYTES_MAX {
        return Err(LineFault::TooLong(line.len()));
    }
    let line = canonical::check(line).map_err(LineFault::NotCanonical)?;
    let entry = serde_json::from_str::<Raw>(line)
        .map_err(|fault| not_an_entry(&fault))
        .and_then(entry);
    entry.map_err(|fault| match serde_json::from_str::<Peek>(line) {
        Ok(peek) if peek.v > u64::from(VERSION) => LineFault::Newer(peek.v),
        _ => fault,
    })
}

/// Every key of a line; an unknown one is a fault.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(borrow)]
    actor: RawActor<'a>,
    as_at: Time,
    at: Time,
    attempt: Option<u32>,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(borrow)]
    boot: Cow<'a, str>,
    epoch: u64,
    #[serde(borrow)]
    exec: Cow<'a, str>,
    generation: Option<u32>,
    #[serde(borrow)]
    mono: Cow<'a, str>,
    plan: Digest,
    prev: Digest,
    #[serde(borrow)]
    run: Cow<'a, str>,
    seq: u64,
    #[serde(borrow)]
    step: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    v: u64,
    #[serde(borrow, rename = "x")]
    _ignored: Option<&'a RawValue>,
}

/// Serde's internally tagged enums let unknown keys of a unit variant pass; this does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawActor<'a> {
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    org: Option<Cow<'a, str>>,
    #[serde(borrow)]
    person: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Peek {
    v: u64,
}

fn entry(raw: Raw<'_>) -> Result<Entry, LineFault> {
    if raw.v != u64::from(VERSION) {
        return Err(LineFault::NotAnEntry(format!(
            "there is no format {}",
            raw.v
        )));
    }
    let about = match (raw.step, raw.generation, raw.attempt) {
        (None, None, None) => None,
        (Some(step), Some(generation), Some(attempt)) => Some(About {
            step: StepId(step.into()),
            generation,
            attempt,
        }),
        _ => return fault("`step`, `generation` and `attempt` stand together or not at all"),
    };
    Ok(Entry {
        seq: raw.seq,
        prev: raw.prev,
        run: uuid(&raw.run)?,
        plan: raw.plan,
        at: raw.at,
        as_at: raw.as_at,
        boot: uuid(&raw.boot)?,
        mono: nanoseconds(&raw.mono)?,
        exec: uuid(&raw.exec)?,
        epoch: raw.epoch,
        about,
        actor: actor(raw.actor)?,
        event: read_body(&raw.kind, raw.body.get())?,
    })
}

fn actor(raw: RawActor<'_>) -> Result<Actor, LineFault> {
    match (&*raw.kind, raw.person, raw.role, raw.org, raw.key) {
        ("executor", None, None, None, None) => Ok(Actor::Executor),
        ("person", Some(person), Some(role), Some(org), key) => Ok(Actor::Person {
            person: person.into(),
            role: role.into(),
            org: org.into(),
            key: key.map(Cow::into_owned),
        }),
        _ => fault("an actor is the executor, or a person with role and organisation"),
    }
}

/// Lower case with hyphens, the only form that is written.
fn uuid(text: &str) -> Result<Uuid, LineFault> {
    let mut buffer = Uuid::encode_buffer();
    match Uuid::try_parse(text) {
        Ok(uuid) if *uuid.as_hyphenated().encode_lower(&mut buffer) == *text => Ok(uuid),
        _ => fault("an id that is no lower-case UUID"),
    }
}

fn nanoseconds(text: &str) -> Result<u64, LineFault> {
    let shortest = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    match text.parse() {
        Ok(nanoseconds) if shortest => Ok(nanoseconds),
        _ => fault("`mono` that is no count of nanoseconds"),
    }
}

fn fault<T>(why: &str) -> Result<T, LineFault> {
    Err(LineFault::NotAnEntry(why.to_owned()))
}

/// Serde quotes what it found; a hostile line must not fill a report.
fn not_an_entry(fault: &serde_json::Error) -> LineFault {
    LineFault::NotAnEntry(fault.to_string().chars().take(200).collect())
}

/// The one table of types: variant, name in the log. Everything that goes by type is made from it, so
/// a new variant without a line here does not compile.
macro_rules! types {
    ($($variant:ident = $name:literal,)+) => {
        impl Event {
            /// Its type in the log.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Event::$variant(_) => $name,)+ }
            }

            /// Every type that a log may hold.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];
        }

        fn put_body(event: &Event, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
            match event {
                $(Event::$variant(body) => serde_json_canonicalizer::to_writer(body, line),)+
            }
        }

        fn read_body(name: &str, body: &str) -> Result<Event, LineFault> {
            let read = match name {
                $($name => serde_json::from_str(body).map(Event::$variant),)+
                _ => return fault("there is no such type of entry"),
            };
            read.map_err(|fault| not_an_entry(&fault))
        }
    };
}

types! {
    LogOpened = "log.opened",
    PlanBound = "plan.bound",
    PlanAmended = "plan.amended",
    ApprovalRequested = "approval.requested",
    ApprovalGranted = "approval.granted",
    ApprovalRefused = "approval.refused",
    ApprovalRevoked = "approval.revoked",
    LeaseAcquired = "lease.acquired",
    LeaseReleased = "lease.released",
    HoldBegun = "hold.begun",
    HoldAnswered = "hold.answered",
    RunRested = "run.rested",
    StepStarted = "step.started",
    StepMarked = "step.marked",
    StepCommitted = "step.committed",
    StepFailed = "step.failed",
    StepSkipped = "step.skipped",
    RollbackStarted = "rollback.started",
    RollbackCommitted = "rollback.committed",
    RollbackFailed = "rollback.failed",
    UndoStarted = "undo.started",
    UndoCommitted = "undo.committed",
    UndoFailed = "undo.failed",
    ExternalAttested = "external.attested",
    CheckPassed = "check.passed",
    CheckFailed = "check.failed",
    OperatorOverride = "operator.override",
    ClockStepped = "clock.stepped",
    SealCosigned = "seal.cosigned",
    SealHeartbeat = "seal.heartbeat",
    KeyRotated = "key.rotated",
    LogRecovered = "log.recovered",
    LogClosed = "log.closed",
}
